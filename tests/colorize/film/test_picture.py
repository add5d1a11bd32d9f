"""Lightness is the film's own in every frame, before it is encoded."""

from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from PIL import Image

from colorize.color.toned import lab, unit
from colorize.film.picture import Converter, painted
from colorize.film.reading import About, Frame


def about(size=(64, 48), matrix="ITU601", full=False, rotation=0):
    return About(size, Fraction(1), Fraction(1, 12800), Fraction(25), matrix, full, rotation,
                 Fraction(0), None, None)  # fmt: skip


def frame(pixels, pixel_format, matrix="ITU601", full=False):
    given = av.VideoFrame.from_ndarray(pixels, format="gray" if pixels.ndim == 2 else "rgb24")
    coloured = {} if pixels.ndim == 2 else {"dst_colorspace": matrix}
    picture = given.reformat(
        format=pixel_format, src_color_range=2, dst_color_range=2 if full else 1,
        interpolation="BICUBIC", **coloured,
    )  # fmt: skip
    return Frame(picture, 0, 512)


@pytest.fixture
def ab():
    coarse = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(3)) * 40
    return torch.nn.functional.interpolate(coarse[None], (24, 32), mode="bilinear")[0]


@pytest.mark.parametrize("matrix", ["ITU601", "ITU709"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("kind", ["grey", "sepia"])
def test_lightness_is_the_films_before_encoding(ab, matrix, full, kind):
    rng = np.random.default_rng(1)
    old = np.asarray(Image.fromarray(rng.integers(0, 256, (12, 16), np.uint8)).resize((64, 48)))
    if kind == "sepia":
        old = np.stack((old, old * 0.9, old * 0.75), -1).astype(np.uint8)
    converter = Converter(about(matrix=matrix, full=full))
    pixels = converter.pixels(frame(old, "yuv420p", matrix, full))
    assert pixels.ndim == (2 if kind == "grey" else 3)
    new = painted(pixels, ab)
    before, after = lab(unit(pixels))[0], lab(unit(new))[0]
    assert np.abs(after - before).max() <= 1.0
    assert np.abs(after - before).mean() <= 0.3
    assert np.abs(lab(unit(new))[1:]).mean() > 5


@pytest.mark.parametrize("matrix", ["ITU601", "ITU709"])
@pytest.mark.parametrize("full", [False, True])
def test_what_the_encoder_gets_is_shown_with_those_colours(ab, matrix, full):
    converter = Converter(about(matrix=matrix, full=full))
    grey = np.tile(np.arange(40, 232, 3, dtype=np.uint8), (48, 1))
    ab = ab * 0.4
    picture = converter.encoded(grey, ab)
    assert (picture.format.name, picture.color_range) == ("yuv420p", 2 if full else 1)
    assert picture.colorspace == {"ITU709": 1, "ITU601": 6}[matrix]
    shown = picture.reformat(
        format="rgb24", src_colorspace=matrix, src_color_range=2 if full else 1,
        dst_color_range=2, interpolation="BICUBIC",
    ).to_ndarray()  # fmt: skip
    assert np.abs(shown.astype(int) - painted(grey, ab)).mean() < 2.5  # chroma is of half size


def test_odd_sides_are_filled_and_small_ones_too(ab):
    for size, out in {(63, 47): (64, 48), (64, 48): (64, 48), (200, 9): (200, 16)}.items():
        converter = Converter(about(size))
        assert converter.out_size == out
        picture = converter.encoded(np.full(size[::-1], 90, np.uint8), ab)
        assert (picture.width, picture.height) == out
        luma = np.frombuffer(picture.planes[0], np.uint8).reshape(out[1], -1)[:, : out[0]]
        assert np.ptp(luma) < 60


def test_a_width_makes_it_smaller_and_never_larger():
    assert Converter(about((640, 480)), 320).size == (320, 240)
    assert Converter(about((64, 48)), 320).size == (64, 48)
    small = Converter(about((64, 48)), 32)
    pixels = small.pixels(frame(np.full((48, 64), 90, np.uint8), "yuv420p"))
    assert pixels.shape == (24, 32)
    assert np.abs(pixels.astype(int) - 90).max() <= 1


def test_lines_with_padding_are_read_without_it():
    pixels = np.arange(48 * 50, dtype=np.uint32).reshape(48, 50).astype(np.uint8)
    source = SimpleNamespace(picture=av.VideoFrame.from_ndarray(pixels, format="gray"))
    assert source.picture.planes[0].line_size > 50
    assert np.array_equal(Converter(about((50, 48), full=True)).pixels(source), pixels)
