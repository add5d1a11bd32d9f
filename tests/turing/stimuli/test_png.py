"""PNG files with a picture and nothing else, read back by Pillow."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from turing.stimuli.png import chunks, encode

SIDES = st.integers(1, 40)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(SIDES, SIDES, st.booleans())
def test_pillow_reads_what_was_written(height, width, stored):
    pixels = noise(height, width, seed=height * width)
    with Image.open(BytesIO(encode(pixels, stored))) as image:
        assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
        assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("stored", [False, True])
def test_nothing_but_the_picture(stored):
    found = chunks(encode(noise(300, 200), stored))
    assert [name for name, _ in found] == ["IHDR", "IDAT", "IEND"]
    assert found[0][1].hex() == "000000c8" + "0000012c" + "08" + "02" + "000000"


def test_stored_lengths_follow_from_the_size():
    flat = np.full((150, 170, 3), 7, np.uint8)
    assert len({len(encode(noise(150, 170, seed), True)) for seed in range(5)}) == 1
    assert len(encode(flat, True)) == len(encode(noise(150, 170), True))
    assert len(encode(flat)) < len(encode(noise(150, 170)))
    assert len(encode(flat, True)) != len(encode(flat[1:], True))


def test_photos_get_smaller():
    shades = Image.fromarray(noise(5, 5)).resize((200, 200), Image.Resampling.BICUBIC)
    pixels = np.asarray(shades)
    assert len(encode(pixels)) < 0.4 * len(encode(pixels, True))


@pytest.mark.parametrize(
    "pixels", [np.zeros((3, 4), np.uint8), np.zeros((3, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_other_arrays_are_refused(pixels):
    with pytest.raises(ValueError, match=r"expected uint8 \(h, w, 3\), found"):
        encode(pixels)


def test_chunks_of_what_is_damaged():
    png = encode(noise(8, 8))
    for broken in (b"GIF89a", png[:-3], png[:60] + bytes([png[60] ^ 1]) + png[61:]):
        with pytest.raises(ValueError, match="expected a"):
            chunks(broken)
