"""build: what it prints and leaves."""

import shutil

import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner

from tests.turing.support.commands import run
from tests.turing.support.studies import study_text
from turing.cli import app

ONE_PHOTO = """
[study]
name = "one"
title = "One"
protocol = "pick-original"
seed = 1
[stimuli]
photos_per_dataset = 0
display_size = 64
models = ["baseline"]
datasets = [{ name = "p", folder = "photos" }]
[trials]
per_participant = 1
practice = 0
catch = 0
exposure_ms = 0
[texts]
consent = "Will you?"
instructions = "Look."
"""


@pytest.mark.slow
def test_build_renders_a_study_once_and_prints_what_to_do(photos):
    study = (photos / "study.toml", "--store", photos / "studies")
    out, _ = run("build", *study)
    assert "hills: 6 of 6 photos are used" in out
    assert "tiny: version 1 is built, 46 pictures made, 0 kept" in out
    assert "Pre-registration: " in out and "&preview=" in out
    assert "0 pictures made, 46 kept" in run("build", *study)[0]
    run("open", *study)
    out, _ = run("simulate", photos / "studies" / "tiny.sqlite", "--participants", "4")
    html = photos / "report.html"
    run("report", photos / "studies" / "simulated" / "tiny.sqlite", "-o", html)
    assert "data:image/jpeg;base64," in html.read_text("utf-8")


@pytest.mark.slow
def test_the_check_finds_no_leak(photos):
    (photos / "study.toml").write_text(
        (photos / "study.toml").read_text().replace("per_participant = 6", "per_participant = 8")
    )
    out, _ = run("build", photos / "study.toml", "--store", photos / "studies", "--check")
    assert "no better than chance" in out


def test_parts_of_a_study_are_kept_apart(photos):
    study = (photos / "study.toml", "--store", photos / "studies")
    run("build", *study, "--part", "2")
    assert "0 pictures made" in run("build", *study)[0]
    assert "part 2" in run("status", *study)[0]
    assert "holds part 2" in run("build", *study, "--part", "1", code=1)[1]


def test_a_build_that_fails_leaves_nothing(photos):
    shutil.rmtree(photos / "apples")
    study = (photos / "study.toml", "--store", photos / "studies")
    _, err = run("build", *study, code=1)
    assert "apples" in err and len(err.splitlines()) == 1
    assert not (photos / "studies").exists()


@pytest.mark.slow
def test_a_study_of_one_photo_is_checked_and_simulated_without_a_traceback(tmp_path):
    """Neither has much to say of it; each says that in one line."""
    (tmp_path / "photos").mkdir()
    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "photos" / "a.png")
    (tmp_path / "study.toml").write_text(ONE_PHOTO)
    result = CliRunner().invoke(
        app, ["build", str(tmp_path / "study.toml"), "--store", str(tmp_path), "--check"]
    )
    assert result.exit_code in (0, 1) and isinstance(result.exception, SystemExit | None)
    simulate = ["simulate", str(tmp_path / "one.sqlite"), "--fraction", "1e-30"]
    result = CliRunner().invoke(app, [*simulate, "--participants", "3"])
    assert result.exit_code in (0, 1, 2) and isinstance(result.exception, SystemExit | None)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("", 'study.language: the page has texts for de, en, es, fr, found "pt"'),
        ('[texts.buttons]\nagreed = "Ja"\n', "texts.buttons.agreed: unknown key"),
    ],
)
def test_a_language_without_texts_is_refused(tmp_path, more, sentence):
    file = tmp_path / "study.toml"
    file.write_text(study_text(language="pt").replace("[[questions]]", f"{more}[[questions]]", 1))
    _, error = run("build", file, "--store", tmp_path / "studies", code=2)
    assert sentence in " ".join(error.split())
    assert not (tmp_path / "studies").exists()


@pytest.mark.slow
def test_building_over_an_open_study_says_who_sees_what(photos):
    study = (photos / "study.toml", "--store", photos / "studies")
    assert "is open" not in run("build", *study)[0]
    run("open", *study)
    assert "is open" not in run("build", *study)[0]
    text = (
        study[0]
        .read_text()
        .replace("[[questions]]", '[texts.buttons]\nagree = "Ja"\n[[questions]]', 1)
    )
    study[0].write_text(text.replace('language = "en"', 'language = "de"'))
    out, _ = run("build", *study)
    assert "who comes from now on sees version 2, who has started stays at version 1" in out
