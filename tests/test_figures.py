"""The figures of docs/experiments.md can be drawn by anybody, of what is shown in them."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from colorize.errors import ColorizeError
from docs import figures


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
