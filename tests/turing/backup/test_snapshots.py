import hashlib
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.turing.support.answering import participant
from tests.turing.support.studies import rows
from turing.backup.remote import RemoteError
from turing.backup.sender import Sender
from turing.backup.snapshots import Snapshot, restore_newest, snapshots, superfluous
from turing.errors import TuringError
from turing.store.store import Store


def fresh(tmp_path):
    return tmp_path / "fresh" / "studies"


def counts(path):
    with sqlite3.connect(path) as db:
        count = db.execute("SELECT count(*) FROM choices").fetchone()[0]
    db.close()
    return count


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)


def test_a_snapshot_brings_a_study_back_on_another_machine(store, remote, tmp_path):
    participant(store)
    Sender(remote).send(store)
    restored = restore_newest(remote, fresh(tmp_path), "tiny")
    assert restored.kept.rows["choices"] == len(rows(store, "choices")) > 0
    assert restored.damaged == ()
    with Store(fresh(tmp_path) / "tiny.sqlite") as other:
        for table in ("store", "study", "stimuli", "participants", "trials", "choices", "answers"):
            assert rows(other, table) == rows(store, table)
        for row in rows(other, "stimuli"):
            png = other.picture_path(row["sha256"]).read_bytes()
            assert hashlib.sha256(png).hexdigest() == row["png_sha256"]


def test_other_files_of_a_study_travel_along(store, remote, tmp_path):
    (store.pictures / "preregistration-1.json").write_text('{"delta": 0.1}')
    Sender(remote).send(store)
    restore_newest(remote, fresh(tmp_path), "tiny")
    found = fresh(tmp_path) / "tiny" / "preregistration-1.json"
    assert found.read_text() == '{"delta": 0.1}'


@pytest.mark.parametrize("how", ["cut", "zeroed", "empty", "other"])
def test_a_damaged_newest_snapshot_is_passed_over(store, remote, tmp_path, how):
    sender = Sender(remote)
    participant(store, trials=2)
    sender.send(store)
    participant(store, trials=2)
    newest = sender.send(store)
    path = remote.stored()[-1]
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-4096])
    elif how == "zeroed":
        damage(path)
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.write_bytes(b"<html>Not found</html>" * 100)
    restored = restore_newest(remote, fresh(tmp_path), "tiny")
    assert restored.kept.rows["choices"] == 2
    (line,) = restored.damaged
    assert newest.name in line and "damaged" in line
    assert not list(fresh(tmp_path).glob(".restore-*"))


def test_a_snapshot_that_was_sent_damaged_is_found_by_sqlite(store, remote, tmp_path):
    participant(store, trials=2)
    Sender(remote).send(store)
    (first,) = remote.stored()
    copy = tmp_path / "bad.sqlite"
    shutil.copyfile(first, copy)
    damage(copy)
    sha256 = hashlib.sha256(copy.read_bytes()).hexdigest()[:32]
    shutil.copyfile(
        copy, first.with_name(f"99990101T000000000000Z-{'a' * 12}-{'b' * 8}-{sha256}.sqlite")
    )
    restored = restore_newest(remote, fresh(tmp_path), "tiny")
    assert restored.kept.rows["choices"] == 2 and len(restored.damaged) == 1


def test_a_snapshot_without_its_pictures_is_no_good(store, remote, tmp_path):
    Sender(remote).send(store)
    remote.pictures()[3].write_bytes(b"not it")
    with pytest.raises(TuringError, match="not one of 1 snapshot of tiny is whole"):
        restore_newest(remote, fresh(tmp_path), "tiny")
    assert not (fresh(tmp_path) / "tiny.sqlite").exists()


def test_pictures_that_are_here_are_not_fetched(store, remote, tmp_path):
    Sender(remote).send(store)
    fresh(tmp_path).mkdir(parents=True)
    shutil.copytree(store.pictures, fresh(tmp_path) / "tiny")
    for path in remote.pictures():
        path.unlink()
    assert restore_newest(remote, fresh(tmp_path), "tiny").kept.pictures > 0


def test_no_snapshot_at_all(remote, tmp_path):
    assert restore_newest(remote, fresh(tmp_path), "tiny") is None


def test_a_place_that_fails_is_no_damage(store, remote, tmp_path):
    Sender(remote).send(store)
    remote.fails = "no route"
    with pytest.raises(RemoteError, match="no route"):
        restore_newest(remote, fresh(tmp_path), "tiny")


def test_what_is_not_ours_is_left_alone(store, remote):
    Sender(remote).send(store)
    folder = remote.stored()[0].parent
    (folder / "notes.txt").write_text("hands off")
    (folder / "tiny.sqlite").write_text("hands off")
    assert len(snapshots(remote, "tiny")) == 1


def named(taken, run="a" * 8):
    name = f"tiny/snapshots/{taken:%Y%m%dT%H%M%S%fZ}-{'0' * 12}-{run}-{'0' * 32}.sqlite"
    return Snapshot(name, taken, "0" * 12, run, "0" * 32)


def test_the_newest_then_hours_then_days_are_wanted():
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    every = [named(now - timedelta(minutes=5 * step)) for step in range(12 * 24 * 40)]
    dropped = set(superfluous(every, now))
    wanted = [one for one in every if one not in dropped]
    assert wanted[:5] == every[:5]
    ages = [now - one.taken for one in wanted]
    hours = [age for age in ages if age <= timedelta(days=1)]
    assert 24 <= len(hours) <= 30
    assert 51 <= len(wanted) <= 61
    assert max(ages) <= timedelta(days=29)
    gaps = [b - a for a, b in pairwise(ages)]
    assert max(gaps) <= timedelta(days=1, minutes=5)


def test_nothing_is_wanted_for_more_than_a_month_but_what_is_to_fall_back_on():
    now = datetime(2026, 11, 23, tzinfo=UTC)
    few = [named(now - timedelta(days=28 * n)) for n in range(5)]
    assert superfluous(few, now) == few[2:]
    assert superfluous(few, now, few[1:3]) == few[3:]
    assert superfluous([], now) == []
