import logging
import threading

from turing import hosting
from turing.demo import NAME as DEMO


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
