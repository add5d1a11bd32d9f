"""Flow, where it is to be trusted, and cuts."""

import sys
from itertools import pairwise

import numpy as np
import pytest
import skimage.data
from PIL import Image

from colorize.film.motion import Flow, Motion, agreement, is_cut, warp
from colorize.film.reading import FilmError

WINDOW = (slice(20, 116), slice(20, 148))


def window(photo="camera", right=0, down=0):
    pixels = Image.fromarray(getattr(skimage.data, photo)()).convert("L").resize((256, 200))
    rows, columns = WINDOW
    return np.ascontiguousarray(
        np.asarray(pixels)[
            rows.start + down : rows.stop + down, columns.start + right : columns.stop + right
        ]
    )


def test_a_pan_is_found_both_ways_and_trusted():
    first, second = window(), window(right=5, down=-3)
    ahead, back = Motion().between(first, second)
    inner = slice(12, -12), slice(12, -12)
    for flow, x, y in ((ahead, -5, 3), (back, 5, -3)):
        found = flow.vectors[inner]
        assert np.median(np.abs(found - np.float32((x, y)))) < 0.2
        assert flow.trust[inner].mean() > 0.9
    assert np.abs(warp(second.astype(np.float32), ahead.vectors)[inner] - first[inner]).mean() < 3


def test_flows_in_a_row_lead_from_the_first_to_the_last():
    pictures = [window(right=4 * n) for n in range(4)]
    motion, whole = Motion(), Flow.still(pictures[0].shape)
    for first, second in pairwise(pictures):
        whole = whole.then(motion.between(first, second)[0])
    inner = slice(12, -12), slice(24, -12)
    assert np.median(np.abs(whole.vectors[inner] - np.float32((-12, 0)))) < 0.4
    assert whole.trust[inner].mean() > 0.8
    assert whole.trust[:, :10].mean() < 0.2  # that has left the picture


def test_what_is_covered_is_not_trusted():
    first, second = window(), window()
    second[40:70, 50:90] = 250 - second[40:70, 50:90] // 2
    ahead, _ = Motion().between(first, second)
    assert ahead.trust[45:65, 55:85].mean() < 0.3
    assert ahead.trust[:30].mean() > 0.95


def test_a_change_of_light_is_no_change_of_things():
    first = window().astype(float) * 0.6 + 40
    second = np.clip(first + 25, 0, 255).astype(np.uint8)
    still = Flow.still(second.shape).vectors
    assert agreement(first.astype(np.uint8), second, still).mean() > 0.95


@pytest.mark.parametrize("gain", [0.55, 0.8, 1.25, 1.8])
def test_a_fade_is_no_change_of_things(gain):
    first = window().astype(float) * 0.5 + 10
    second = np.rint(first * gain + 3).astype(np.uint8)
    first, still = first.astype(np.uint8), Flow.still(second.shape).vectors
    assert agreement(first, second, still).mean() > 0.95
    second[40:70, 50:90] = 250 - second[40:70, 50:90]
    sure = agreement(first, second, still)
    assert sure[45:65, 55:85].mean() < 0.3 and sure[:30].mean() > 0.95


@pytest.mark.parametrize("other", ["coins", "page", "moon", "brick"])
def test_another_scene_is_a_cut(other):
    first, second = window(), window(other)
    _, back = Motion().between(first, second)
    assert is_cut(first, second, back)


@pytest.mark.parametrize("right", [0, 3, 8, 14])
@pytest.mark.parametrize("photo", ["camera", "coins", "astronaut", "coffee"])
def test_a_pan_is_no_cut_nor_are_grain_and_flicker(photo, right):
    rng = np.random.default_rng(0)
    first, second = window(photo), window(photo, right)
    for change in (0, 20):
        noisy = np.clip(
            second.astype(float) * (1 - change / 300) + change + rng.normal(0, 6, second.shape),
            0, 255,
        ).astype(np.uint8)  # fmt: skip
        _, back = Motion().between(first, noisy)
        assert not is_cut(first, noisy, back)


def test_without_opencv_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(FilmError, match=r"^Films need OpenCV; get it with: pip install "):
        Motion()
