import logging
import tempfile
import threading
import time

import pytest

import turing.stimuli.demo as demo_module
from tests.turing.backup.test_snapshots import counts
from tests.turing.support.answering import participant
from tests.turing.support.remotes import FakeRemote
from tests.turing.support.studies import built, rows
from turing.backup.sender import Sender
from turing.errors import TuringError
from turing.stimuli.demo import NAME as DEMO
from turing.store.store import Store, store_path
from turing.web import hosting


def test_ending_the_app_ends_the_building_of_the_demo(tmp_path, monkeypatch, caplog):
    began = threading.Event()

    def build(study, store, progress):
        began.set()
        for done in range(10**9):
            progress("pictures", done, 10**9)

    monkeypatch.setattr(hosting, "build", build)
    caplog.set_level(logging.INFO)
    hosted = hosting.host([], {"TURING_STORE": str(tmp_path)})
    assert DEMO in hosted.studies.coming  # whoever comes before it begins is asked to wait
    hosted.start()
    assert began.wait(60)
    assert DEMO in hosted.studies.coming
    hosted.close()
    assert not hosted.studies.coming
    assert "demo-study" not in {thread.name for thread in threading.enumerate()}
    assert "the next start goes on" in caplog.text


def test_a_demo_that_cannot_be_built_is_no_longer_coming(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "none"))
    hosted = hosting.host([], {"TURING_STORE": str(tmp_path)})
    hosted.start()
    hosted.close()
    assert not hosted.studies.coming
    assert "could not be built" in caplog.text


@pytest.fixture
def demo(tmp_path, checkpoints):
    """Starts an app's demo, waits until it is built, ends it; returns the store's facts."""

    def start():
        hosted = hosting.host([], {"TURING_STORE": str(tmp_path)})
        hosted.start()
        for thread in hosted._threads:
            thread.join()
        hosted.close()
        with Store(store_path(tmp_path, DEMO)) as store:
            return store.facts()

    return start


@pytest.mark.slow
def test_a_demo_that_was_closed_stays_closed(tmp_path, demo):
    assert demo().state == "open"
    with Store(store_path(tmp_path, DEMO)) as store:
        store.close_study()
    assert demo().state == "closed"


@pytest.mark.slow
def test_another_checkpoint_makes_no_new_version_of_the_demo(demo, monkeypatch, checkpoints):
    models = ["control-8", "control-9"]
    monkeypatch.setattr(demo_module, "MODELS", models)
    for spare in (["bins"], ["direct", "bins"]):
        monkeypatch.setattr(demo_module.render, "checkpoints", lambda of=spare: [*of, *models])
        assert demo().version == 1


@pytest.fixture
def kept(tmp_path):
    """A folder with a snapshot of the study tiny, three answers in it."""
    remote = FakeRemote(tmp_path / "bucket")
    with built(tmp_path / "elsewhere") as store:
        store.open_study()
        participant(store, trials=3)
        Sender(remote).send(store)
    return remote


def environment(tmp_path, **more):
    return {
        "TURING_STORE": str(tmp_path / "studies"),
        "TURING_BACKUP": str(tmp_path / "bucket"),
        "TURING_STUDY": "tiny",
    } | more


def test_a_study_is_served_by_its_name_from_its_snapshot(kept, tmp_path):
    hosted = hosting.host([], environment(tmp_path))
    assert hosted.shown == "tiny"
    (note,) = hosted.notes
    assert note.startswith("tiny: restored from tiny/snapshots/") and "3 choices" in note
    hosted.start()
    with Store(tmp_path / "studies" / "tiny.sqlite") as store:
        participant(store, trials=2)
        hosted.close()
        assert "Answers after" in hosted.kept("tiny")
    assert len(kept.stored()) >= 2
    assert counts(kept.stored()[-1]) == 5


def test_a_damaged_newest_snapshot_is_told_at_the_start(kept, tmp_path):
    with Store(tmp_path / "elsewhere" / "tiny.sqlite") as store:
        Sender(kept).send(store)
    kept.stored()[-1].write_bytes(b"torn")
    restored, passed_over = hosting.host([], environment(tmp_path)).notes
    assert "restored from" in restored and "passed over a snapshot" in passed_over


def test_a_study_that_is_nowhere(tmp_path):
    (tmp_path / "bucket").mkdir()
    with pytest.raises(TuringError, match=r"tiny is not built in .* nor in .*bucket; first run"):
        hosting.host([], environment(tmp_path))


def test_a_backup_that_cannot_be_read_keeps_the_app_from_starting_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(hosting.Keeper.restore, "__defaults__", (0.0,))
    with pytest.raises(TuringError, match="there is no such folder"):
        hosting.host([], environment(tmp_path))


def test_names_that_are_none(tmp_path):
    with pytest.raises(TuringError, match="TURING_STUDY: expected names"):
        hosting.host([], environment(tmp_path, TURING_STUDY="../secret"))


def test_the_demo_comes_back_too(tmp_path, monkeypatch):
    remote = FakeRemote(tmp_path / "bucket")
    with built(tmp_path / "elsewhere", name=DEMO) as store:
        store.open_study()
        participant(store, trials=3)
        Sender(remote).send(store)
    seen = []
    monkeypatch.setattr(
        hosting, "build", lambda study, store, _: seen.append(len(rows(store, "choices")))
    )
    hosted = hosting.host([], environment(tmp_path, TURING_STUDY=""))
    hosted.start()
    deadline = time.monotonic() + 60
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    hosted.close()
    assert seen == [3]


@pytest.mark.parametrize("variables", [{"SPACE_ID": "me/space"}, {"SYSTEM": "spaces"}])
def test_on_a_space_the_store_lies_where_a_space_can_write(variables):
    folder = hosting.store_folder(variables)
    assert folder.is_relative_to(tempfile.gettempdir())
    assert hosting.store_folder({}) == hosting.DEFAULT_FOLDER
    given = hosting.store_folder({**variables, "TURING_STORE": "/data/here"})
    assert str(given) == "/data/here"


def test_a_space_without_a_backup_says_what_will_be_lost(tmp_path, monkeypatch):
    hosted = hosting.host([], {"TURING_STORE": str(tmp_path)})
    assert hosted.kept("demo") == ""
    monkeypatch.setenv("SPACE_ID", "me/space")
    assert "lost when this Space restarts" in hosted.kept("demo")
