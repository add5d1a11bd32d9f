"""The commands that take the study file: preview, open, close, status."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.turing.support.commands import run, take_part
from tests.turing.support.studies import built, study_text
from turing.store.store import Store


@pytest.mark.parametrize(
    ("days", "said"),
    [(30, "(retention), 30 days from now"), (-1, "were to be deleted by")],
)
def test_status_names_the_day_by_which_answers_go(tmp_path, days, said):
    until = datetime.now(UTC).date() + timedelta(days=days)
    asks = f"retention = {until}"
    built(tmp_path / "studies", asks=asks).close()
    (tmp_path / "study.toml").write_text(study_text(asks=asks))
    out = run("status", tmp_path / "study.toml", "--store", tmp_path / "studies")[0]
    assert said in out and str(until) in out


@pytest.mark.parametrize(("port", "found"), [("7898", 7898), ("", 7860), (None, 7860)])
def test_links_name_the_port_that_the_app_is_told(tmp_path, port, found):
    built(tmp_path / "studies").close()
    (tmp_path / "study.toml").write_text(study_text())
    environment = {k: v for k, v in os.environ.items() if k != "GRADIO_SERVER_PORT"}
    environment |= {"GRADIO_SERVER_PORT": port} if port is not None else {}
    given = ("preview", tmp_path / "study.toml", "--store", tmp_path / "studies")
    done = subprocess.run(
        [sys.executable, "-m", "turing", *map(str, given)], env=environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"http://127.0.0.1:{found}/" in done.stdout


def test_a_store_of_made_up_participants_is_not_opened(folder, store):
    run("simulate", store, "--participants", "1")
    made_up = (folder / "study.toml", "--store", store.parent / "simulated")
    assert "has made-up participants" in run("open", *made_up, code=1)[1]
    assert "closed" in run("status", *made_up)[0]
    assert "tiny is open" in run("open", folder / "study.toml", "--store", store.parent)[0]


def test_open_close_and_status(folder, store):
    study = (folder / "study.toml", "--store", folder / "studies")
    assert "tiny: built, not open yet, version 1, part 1" in run("status", *study)[0]
    out, _ = run("open", *study)
    assert out == "tiny is open: http://127.0.0.1:7860/study?study=tiny\n"
    with Store(store) as opened:
        assert opened.facts().state == "open"
    take_part(store)
    out, _ = run("status", *study, "--address", "https://lab.example/")
    assert "tiny: open" in out and "1 started, 0 finished" in out
    assert "link: https://lab.example/study?study=tiny" in out
    assert "closed" in run("close", *study)[0]
    with Store(store) as opened:
        assert opened.facts().state == "closed"


def test_the_store_is_where_the_environment_says(folder):
    out, _ = run("status", folder / "study.toml", env={"TURING_STORE": str(folder / "studies")})
    assert out.startswith("tiny: built")


def test_a_file_that_was_changed_since_is_not_opened(folder, store):
    (folder / "study.toml").write_text(study_text(per_participant=4))
    study = (folder / "study.toml", "--store", folder / "studies")
    _, err = run("open", *study, code=1)
    assert "has changed since version 1 was built; build it again" in err
    with Store(store) as opened:
        assert opened.facts().state == "built"
    assert "has changed since version 1" in run("status", *study)[1]
    (folder / "study.toml").write_text("# a comment\n" + study_text())
    run("open", *study)


def test_preview_gives_the_link_that_counts_nothing(folder, store):
    out, _ = run("preview", folder / "study.toml", "--store", folder / "studies")
    with Store(store) as opened:
        key = opened.facts().preview_key
    assert out == f"http://127.0.0.1:7860/study?study=tiny&preview={key}\n"
