"""The figures and tables of docs/experiments.md can be made by anybody, of what they show."""

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from benchmarks.experiments import embedding, figures, limits, rebalanced, runs
from colorize.color import bins
from colorize.data.datasets import find_datasets
from colorize.errors import ColorizeError
from colorize.inference.predict import run_network
from colorize.models.checkpoint import build_network, load_checkpoint, save_checkpoint
from colorize.models.record import Record


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    figures.plt.close("all")


def test_the_distribution_of_bins_is_drawn_for_each_pixel(checkpoints):
    drawn = figures.bins_figure("bins")
    assert len(drawn.axes) == 2 + len(figures.PIXELS)
    for axis in drawn.axes[2:]:
        assert len(axis.collections[-1].get_offsets()) == 313
    with pytest.raises(ColorizeError, match="not a model over bins"):
        figures.bins_figure("direct")


def test_a_photo_stands_beside_its_channels():
    pictures = [axis.images[0].get_array() for axis in figures.lab_figure().axes]
    assert [picture.shape for picture in pictures] == [(512, 512, 3)] * 4
    grey = pictures[1].max(2) - pictures[1].min(2)
    assert grey.max() < 0.01


def test_colour_contrast_is_a_deviation_of_ab():
    half = np.zeros((96, 96, 3), np.uint8)
    half[:, :48], half[:, 48:] = (200, 100, 100), (100, 200, 100)
    assert figures.colour_contrast(half) > 30
    assert figures.colour_contrast(np.full((50, 70, 3), (200, 90, 30), np.uint8)) < 1e-3


def test_what_an_error_is_made_of(checkpoints, tmp_path):
    for split, colour in (("train", (128, 128, 128)), ("val", (255, 0, 0))):
        folder = tmp_path / "made" / split
        folder.mkdir(parents=True)
        for i in range(3):
            Image.fromarray(np.full((40, 50, 3), colour, np.uint8)).save(folder / f"{i}.png")
    *_, line = limits.table("bins", tmp_path, 2)
    train, val, mean, pixels, share, chroma, _ = (cell.strip() for cell in line.split("|")[2:-1])
    assert float(train) < float(val) and 0.2 < float(val) < 0.6  # red lies at a 80, b 67
    assert (pixels, share) == ("100%", "100%")
    assert int(mean.rstrip("%")) > 90 and int(chroma.rstrip("%")) < 30
    with pytest.raises(ColorizeError, match="No dataset has photos in 'val'"):
        limits.table("bins", tmp_path / "made" / "train", 2)


def test_another_embedding_changes_the_error(checkpoints, tmp_path, make_pixels):
    torch.manual_seed(0)
    arguments = {"backbone": "test_efficientnet", "backbone_size": 64}
    network = build_network("fusion", arguments).eval()
    with torch.no_grad():
        network.fusion[0].weight[:, 256:] *= 1000  # so that the embedding is seen
    record = Record("mixed", "", "", "fusion", arguments, 96, {"kind": "direct"})
    save_checkpoint(network, record, tmp_path)
    folder = tmp_path / "data" / "made" / "test"
    folder.mkdir(parents=True)
    for i in range(3):
        Image.fromarray(make_pixels(i, 40, 50)).save(folder / f"{i}.png")
    head, _, *lines = embedding.table(str(tmp_path / "mixed.json"), tmp_path / "data", "test")
    assert head == "| embedding | made | all |"
    names, errors = zip(*(line.strip("| ").split(" | ", 1) for line in lines), strict=True)
    assert names == ("its own", "another photo's", "nothing")
    assert len(set(errors)) == 3
    with pytest.raises(ColorizeError, match="has no embedding"):
        embedding.table("direct", tmp_path / "data", "test")


def test_weights_multiply_the_probabilities(checkpoints):
    one_bin = torch.zeros(313)
    one_bin[100] = 1
    weights = {"none": torch.ones(313), "one": one_bin}
    entries = rebalanced.contestants("bins", weights)
    assert [(e.model, e.decoding) for e in entries] == [
        (f"bins, {name}", f"T = {t}") for name in weights for t in ("0.38", "1")
    ]
    network, record = load_checkpoint("bins")
    L = torch.rand(1, 1, 32, 32) * 100
    output = run_network(network, record, L)
    for entry, temperature in zip(entries, (0.38, 1.0), strict=False):
        assert torch.allclose(entry.colorize(L), bins.annealed_mean(output, temperature))
    expected = bins.centres()[100].view(1, 2, 1, 1).expand(1, 2, 32, 32)
    assert torch.allclose(entries[3].colorize(L), expected)
    with pytest.raises(ColorizeError, match="not a model over bins"):
        rebalanced.contestants("direct", weights)


def test_rebalancing_is_by_the_training_photos(checkpoints, tmp_path, make_pixels):
    for split, count in (("train", 3), ("val", 2)):
        (tmp_path / "made" / split).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(make_pixels(i, 40, 50)).save(tmp_path / "made" / split / f"{i}.png")
    lines = rebalanced.table(["bins"], find_datasets(tmp_path), [0.5])
    cells = [line.strip("| ").split(" | ") for line in lines[2:]]
    assert [row[:2] for row in cells] == [
        [f"bins, {name}", t] for name in ("not rebalanced", "lambda = 0.5") for t in ("0.38", "1")
    ]
    assert len({row[2] for row in cells}) == 4


def test_runs_stand_side_by_side_with_their_best_epochs(tmp_path):
    logs = {
        "first": "step,val_mse,val_ciede2000,val_colorfulness,val_mse_a\n"
        "10,0.02,9,20,0.03\n20,0.01,8.126,21,0.011\n30,0.03,9,20,0.03\n",
        "second": "step,val_mse,val_ciede2000,val_colorfulness\n5,0.5,1,2\n",
    }
    folders = [tmp_path / name for name in logs]
    for folder in folders:
        folder.mkdir()
        (folder / "log.csv").write_text(logs[folder.name])
        (folder / "config.json").write_text('{"settings": {"batch": 40}}')
    assert runs.table(folders) == [
        "| run | photos shown | a | mean | CIEDE2000 | colorfulness |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| first | 1,200 | 0.01100 | 0.01000 | 8.13 | 21.0 |",
        "| second | 200 | – | 0.50000 | 1.00 | 2.0 |",
    ]
    (folders[0] / "log.csv").write_text("step,loss\n10,1\n")
    for folder in (folders[0], tmp_path / "nowhere"):
        with pytest.raises(ColorizeError, match="expected the folder of a run"):
            runs.table([folder])


@pytest.mark.slow
def test_all_are_written_by_one_command(checkpoints, tmp_path, make_pixels):
    folder = tmp_path / "data" / "made"
    for split, count in (("train", 1), ("test", 9)):
        (folder / split).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(make_pixels(i, 40, 50)).save(folder / split / f"{i}.png")
    app = figures.typer.Typer()
    app.command()(figures.main)
    options = ["--model", "bins", "--data", str(folder.parent), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"bins.png", "lab.png", "contrast.png"}
    assert "| made | 9 | " in result.stdout
    assert "| all | 9 | " in result.stdout
    wrong = CliRunner().invoke(app, ["--model", "direct", "-o", str(tmp_path / "out")])
    assert wrong.exit_code == 1
    assert "over bins" in wrong.output
