"""What the benchmark of films says is what it measures."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks.speed import film, report
from colorize import Colorizer
from colorize.film.motion import Flow


def test_clips_with_truth_are_in_colour_and_move():
    made = dict(film.clips(6))
    assert len([name for name in made if not name.startswith("real")]) == 11
    for name, clip in made.items():
        assert len(clip) == 6, name
        assert all(one.shape[:2] == clip[0].shape[:2] and one.dtype == np.uint8 for one in clip)
        moving = ((one != other).any() for one, other in pairwise(clip) if other.any())
        assert all(moving), name  # once black, a fade stays so


def test_flicker_is_change_along_motion_and_error_is_distance():
    still = Flow.still((4, 5))
    colours = [np.full((2, 4, 5), value, np.float32) for value in (0, 3, 1)]
    assert film._flicker(colours, [still, still]) == pytest.approx(2.5)
    untrusted = Flow(still.vectors, np.zeros((4, 5), np.float32))
    assert film._flicker(colours, [still, untrusted]) == pytest.approx(3)
    truth = [np.zeros((2, 4, 5), np.float32)] * 3
    assert film._error(colours, truth) == pytest.approx(np.sqrt(2) * 4 / 3)


@pytest.mark.slow
def test_a_row_for_each_speed_and_a_table_of_them(checkpoints):
    colorizer = Colorizer("direct", device="cpu")
    name, clip = next(film.clips(6))
    rows = film._of_clip(colorizer, name, clip, (1, 4))
    assert [row["by_network"] for row in rows] == [6, 3]
    assert rows[0]["flicker_alone"] == rows[1]["flicker_alone"] > rows[0]["flicker"]
    films = [{"length": 10, "seconds": 20.0, "ratio": 2.0, "work_ratio": 3.0, "MB": 700.0}]
    text = report.markdown({"machine": report.machine(), "film": {"rows": rows, "film": films}})
    assert f"| {name} | {rows[1]['flicker_alone']:.2f} | {rows[1]['flicker']:.2f} |" in text
    assert "| 10 | 20 | 2.0 | 3.0 | 700 |" in text
    assert "None of the clips has a cut." in text
    assert SimpleNamespace(**rows[0]).shots == 1


@pytest.mark.slow
def test_colours_behind_a_cut_are_measured_and_a_sheet_shows_them(checkpoints, tmp_path):
    colorizer = Colorizer("direct", device="cpu")
    cuts = dict(film.clips(18))["cuts, three pans"]
    (row,) = film._of_clip(colorizer, "cuts", cuts, (4,))
    assert row["shots"] == 3
    assert row["behind_cuts"] == pytest.approx(row["behind_cuts_alone"], rel=0.2)
    film.sheet(tmp_path / "sheet.jpg", 9)
    with Image.open(tmp_path / "sheet.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (6 * 160, 6 * 120))
