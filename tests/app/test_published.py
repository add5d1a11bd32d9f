"""Published networks, with made-up weights, in every use that our own have."""

import json
from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from typer.testing import CliRunner

from colorize.evaluation import metrics
from colorize.models.record import find_record, list_checkpoints, read_record, write_record
from colorize.web.session import Sessions
from colorize.web.workshop import Workshop
from tests.support.commands import colorize
from tests.support.published_weights import NETWORK, state
from turing.cli import app

pytestmark = pytest.mark.slow

STUDY = """
[study]
name = "theirs"
title = "Which photo is real?"
protocol = "pick-original"
seed = 7
[stimuli]
photos_per_dataset = 4
display_size = 96
models = ["theirs"]
datasets = [{ name = "shown", folder = "data/shown/test" }]
[trials]
per_participant = 4
practice = 0
catch = 0
exposure_ms = 0
[texts]
consent = "Choices are stored."
instructions = "Pick the **real** photo."
"""
NOTE = "published weights, not measured here"


@pytest.fixture
def here(tmp_path, monkeypatch, make_pixels):
    """A folder with a dataset of nine photos, a study of four, and nothing imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "published"))
    monkeypatch.setattr(metrics, "lpips_vgg", lambda: (None, "left out in this test"))
    for split, seeds in (("train", (100,)), ("test", range(8))):
        (tmp_path / "data" / "shown" / split).mkdir(parents=True)
        for seed in seeds:
            file = tmp_path / "data" / "shown" / split / f"{seed}.png"
            Image.fromarray(make_pixels(seed, 96, 128)).save(file)
    Image.fromarray(skimage.data.camera()[:200, :300]).save("old.png")
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


@pytest.mark.parametrize("name", [name for name in NETWORK if name != "eccv16"])
def test_a_network_in_every_use(here, name):
    torch.save(state(name), "weights.pth")
    imported = colorize("import", NETWORK[name], "weights.pth", "-o", "theirs", "--licence", "CC0")
    assert "can be used now" in imported.stdout
    (here / "weights.pth").unlink()
    file = find_record("theirs")
    small = replace(read_record(file), size=64)  # quick
    write_record(small, file)
    (told,) = json.loads(colorize("models", "--json").stdout)
    assert (told["licence"], told["source"]) == ("CC0", "imported from weights.pth")
    assert told["training"]["note"] == NOTE and small.line.endswith(f"({NOTE})")

    hint = ("--hint", "9,9,#d02020") if small.takes_hints else ()
    colorize("photo", "old.png", "-o", "new.png", "--model", "theirs", *hint)
    with Image.open("new.png") as new:
        assert new.size == (300, 200)
        pixels = np.asarray(new.convert("RGB")).astype(int)
    assert np.abs(pixels.max(2) - pixels.min(2)).mean() > 1

    sessions = Sessions(Workshop(here / "files", list_checkpoints()), here / "sessions")
    session = sessions.of("visitor")
    list(session.add([here / "old.png"]))
    for made in session.run(["theirs"], None):
        _ = made and made.result()
    (photo,) = session.state(["theirs"], None)["photos"]
    assert [card["state"] for card in photo["cards"]] == ["done"]
    sessions.close()

    study = ("--store", "studies")
    for command in (
        ("build", "study.toml", *study),
        ("open", "study.toml", *study),
        ("simulate", "studies/theirs.sqlite", "-o", "simulated", "--participants", "2"),
        ("report", "simulated/theirs.sqlite", "-o", "report.html"),
    ):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    report = (here / "report.html").read_text("utf-8")
    assert "CC0" in report
    assert small.weights["sha256"] in report

    colorize("evaluate", "--data", "data", "--save-scores")
    measured = read_record(file)
    assert measured.scores and measured.line == measured.summary
    assert NOTE not in file.read_text("utf-8")
