import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from colorize.color import resample
from colorize.color.resample import Enlarger, enlarged_part, resize_picture, shrink

BILINEAR = Image.Resampling.BILINEAR


@pytest.mark.parametrize("size", [(12, 17), (60, 80), (5, 6), (7, 90), (99, 3), (1, 1), (1, 500)])
def test_ab_is_resized_as_pytorch_does(size, generator):
    x = torch.randn(2, 12, 17, generator=generator)
    expected = F.interpolate(x[None], size, mode="bicubic", antialias=True)[0]
    found = enlarged_part(x, size, slice(0, size[0]), slice(0, size[1]))
    assert (found - expected).abs().max() < 1e-5


def test_a_part_is_bit_for_bit_a_part_of_the_whole(generator):
    x = torch.randn(2, 9, 14, generator=generator)
    size = (101, 67)
    whole = enlarged_part(x, size, slice(0, 101), slice(0, 67))
    for rows, columns in [((0, 1), (0, 67)), ((40, 57), (0, 67)), ((90, 101), (13, 14))]:
        part = enlarged_part(x, size, slice(*rows), slice(*columns))
        assert torch.equal(part, whole[:, slice(*rows), slice(*columns)])


@pytest.mark.parametrize("size", [(101, 67), (5, 6), (1, 300), (300, 1)])
def test_strips_of_rows_are_parts_of_the_whole(size, generator):
    x = torch.randn(2, 9, 14, generator=generator)
    columns = slice(size[1] // 3, size[1])
    enlarger = Enlarger(x, size, columns)
    for top in range(0, size[0], 7):
        rows = slice(top, min(top + 7, size[0]))
        expected = enlarged_part(x, size, rows, columns)
        assert (enlarger.rows(rows) - expected).abs().max() < 1e-5


def test_a_part_of_a_very_long_picture_is_cheap(generator):
    x = torch.randn(2, 8, 384, generator=generator)
    part = enlarged_part(x, (1, 100_000_000), slice(0, 1), slice(50_000_000, 50_000_010))
    assert part.shape == (2, 1, 10)
    assert torch.isfinite(part).all()


@pytest.mark.parametrize("size", [(64, 48), (300, 200), (1, 1), (600, 2), (17, 211)])
@pytest.mark.parametrize("grey", [False, True])
def test_pictures_are_resized_as_pillow_does(size, grey, make_pixels, monkeypatch):
    monkeypatch.setattr(resample, "_STRIP_PIXELS", 10_000)
    pixels = make_pixels(1, 211, 307)
    pixels = pixels[..., 0] if grey else pixels
    expected = Image.fromarray(pixels).resize(size, BILINEAR, reducing_gap=3)
    assert np.array_equal(resize_picture(pixels, size, BILINEAR), np.asarray(expected))


def test_shrinking_keeps_the_aspect_and_never_enlarges(make_pixels):
    assert shrink(make_pixels(0, 100, 400), 100).shape == (25, 100, 3)
    assert shrink(make_pixels(0, 3, 4000)[..., 0], 100).shape == (1, 100)
    small = make_pixels(0, 30, 40)
    assert shrink(small, 100) is small
