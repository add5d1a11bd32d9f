import logging
import threading

import pytest

import turing.demo
from turing import hosting
from turing.demo import NAME as DEMO
from turing.store import Store, store_path


def test_ending_the_app_ends_the_building_of_the_demo(tmp_path, monkeypatch, caplog):
    began = threading.Event()

    def build(study, store, progress):
        began.set()
        for done in range(10**9):
            progress("pictures", done, 10**9)

    monkeypatch.setattr(hosting, "build", build)
    caplog.set_level(logging.INFO)
    hosted = hosting.host([], {"TURING_STORE": str(tmp_path)})
    hosted.start_demo()
    assert began.wait(60)
    assert DEMO in hosted.studies.coming
    hosted.close()
    assert not hosted.studies.coming
    assert "demo-study" not in {thread.name for thread in threading.enumerate()}
    assert "the next start goes on" in caplog.text


def test_a_demo_that_cannot_be_built_is_no_longer_coming(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "none"))
    hosted = hosting.host([], {"TURING_STORE": str(tmp_path)})
    hosted.start_demo()
    hosted.close()
    assert not hosted.studies.coming
    assert "could not be built" in caplog.text


@pytest.fixture
def demo(tmp_path, checkpoints):
    """Starts an app's demo, waits until it is built, ends it; returns the store's facts."""

    def start():
        hosted = hosting.host([], {"TURING_STORE": str(tmp_path)})
        hosted.start_demo()
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
    monkeypatch.setattr(turing.demo, "MODELS", models)
    for spare in (["bins"], ["direct", "bins"]):
        monkeypatch.setattr(turing.demo.stimuli, "checkpoints", lambda of=spare: [*of, *models])
        assert demo().version == 1
