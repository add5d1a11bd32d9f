"""A study whose trial key was published stays closed."""

from tests.turing.support.commands import run
from tests.turing.support.studies import built, rows, study_text
from turing.store.store import Store


def test_a_study_whose_key_is_published_is_not_opened_again(folder):
    file, store = folder / "study.toml", ("--store", folder / "studies")
    tiny = folder / "studies" / "tiny.sqlite"
    with Store(tiny) as opened:
        opened.open_study()
    run("publish", tiny, "-o", folder / "early")
    run("open", file, *store)  # as it was: the key is not in what was published
    run("close", file, *store)
    run("open", file, *store)
    run("close", file, *store)
    out, _ = run("publish", tiny, "-o", folder / "data")
    assert "stays closed" in out
    _, said = run("open", file, *store, code=1)
    assert len(said.splitlines()) == 1 and "another name" in said
    assert "closed, its trial key is published" in run("status", file, *store)[0]
    file.write_text(study_text(name="tiny-2"))  # what it says to do instead
    built(folder / "studies", name="tiny-2").close()
    assert "tiny-2 is open" in run("open", file, *store)[0]


def test_publishing_that_fails_leaves_a_study_as_it_was(filled, tmp_path):
    with Store(filled) as store:
        store.close_study()
        gone = store.picture_path(rows(store, "stimuli")[0]["sha256"])
    content = gone.read_bytes()
    gone.unlink()
    assert "restore it" in run("publish", filled, "-o", tmp_path / "data", code=1)[1]
    gone.write_bytes(content)
    with Store(filled) as store:
        store.open_study()
        assert store.facts().state == "open"
