"""The commands that keep a store: backup, restore, merge, release, forget."""

from tests.turing.support.commands import run, take_part
from tests.turing.support.studies import rows
from turing.store.store import Store
from turing.store.upkeep.forgetting import receipt_of


def test_backup_and_restore(folder, store):
    take_part(store)
    out, _ = run("backup", store, folder / "stick")
    assert "checked, 1 participant, 0 choices" in out
    take_part(store)
    out, _ = run("restore", folder / "stick" / "tiny.sqlite", store)
    assert "1 participant," in out and "is kept as" in out
    with Store(store) as opened:
        assert len(rows(opened, "participants")) == 1


def test_merge_joins_the_parts_of_a_study(folder, store):
    take_part(store)
    run("backup", store, folder / "b")
    other = folder / "b" / "tiny.sqlite"
    take_part(other)
    out, _ = run("merge", store, other, "-o", folder / "all" / "tiny.sqlite")
    assert "with 1 participant and" in out
    with Store(folder / "all" / "tiny.sqlite") as opened:
        assert len(rows(opened, "participants")) == 2


def test_release_and_forget(store):
    take_part(store, PROLIFIC_PID="abc")
    assert "Participant 1 may come in again" in run("release", store, "abc")[0]
    forgotten, _ = run("forget", store, "1")
    assert "Participant 1 is forgotten: 8 trials" in forgotten and "1 participant" in forgotten
    assert "1 participants" not in forgotten
    with Store(store) as opened:
        assert rows(opened, "participants") == []
    assert "was forgotten before" in run("forget", store, "1", code=1)[1]
    take_part(store)
    with Store(store) as opened:
        (row,) = rows(opened, "participants")
    receipt = receipt_of(row["uid"])
    assert f"Participant {row['id']} is forgotten" in run("forget", store, "--receipt", receipt)[0]
