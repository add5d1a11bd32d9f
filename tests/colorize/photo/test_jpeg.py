"""JPEG files without their end."""

import io

import numpy as np
import pytest
from PIL import Image

from colorize.photo.codecs.jpeg import _ends_in_nothing
from colorize.photo.opening import Photo, PhotoError
from tests.support.tiff_files import page, tiff

y, x = np.mgrid[:61, :83]
NOISE = np.random.default_rng(5).integers(0, 90, (61, 83, 3))
RGB = (np.stack([x * 2, y * 2, x + y], axis=-1) + NOISE // 2).clip(0, 255).astype(np.uint8)
KINDS = {
    "plain": {},
    "full colour": {"subsampling": 0},
    "optimized": {"optimize": True},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 3},
}


def jpeg(image=RGB, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


def scans(data):
    """Where the scans of a file begin."""
    return [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]


@pytest.mark.parametrize("lacking", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_lacks_its_end_alone_is_whole(kind, lacking):
    data = jpeg(**KINDS[kind])
    photo = Photo.open(data[:-lacking])
    np.testing.assert_array_equal(photo.pixels, Photo.open(data).pixels)
    assert photo.notices == ()


@pytest.mark.parametrize("rest", [bytes(3), bytes(5000), b"\xff" * 5000])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_whose_rest_was_never_written(kind, rest):
    """As downloads that broke off and cards that were formatted leave it: zeros, or ones."""
    data = jpeg(**KINDS[kind])
    whole = Photo.open(data).pixels
    for end in (data, data[:-2]):
        np.testing.assert_array_equal(Photo.open(end + rest).pixels, whole)
    with pytest.raises(PhotoError, match="cut off"):
        Photo.open(data[: len(data) // 2] + rest)
    with pytest.raises(PhotoError, match="cut off"):
        Photo.open(data[:-20] + rest)


def test_what_a_camera_appended_may_end_in_zeros():
    data = jpeg()
    film = b"\0\0\0\x18ftypmp42" + b"\xff\xda" * 50 + bytes(99)
    np.testing.assert_array_equal(Photo.open(data + film).pixels, Photo.open(data).pixels)
    assert not _ends_in_nothing(io.BytesIO(data + film))
    assert not _ends_in_nothing(io.BytesIO(data[:20] + b"ab" + data[20:] + bytes(9)))  # rubbish
    assert _ends_in_nothing(io.BytesIO(data[:-2] + bytes(9)))


def test_zeros_that_are_the_data():
    """Flat pictures end in bytes of zero."""
    for level in range(0, 256, 5):
        data = jpeg(np.full((8, 8, 3), level, np.uint8))
        whole = Photo.open(data).pixels
        for lacking in range(1, 5):
            try:
                photo = Photo.open(data[:-lacking])
            except PhotoError:
                assert lacking > 2
                continue
            np.testing.assert_array_equal(photo.pixels, whole)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_so_is_one_of_another_mode(mode):
    buffer = io.BytesIO()
    Image.fromarray(RGB).convert(mode).save(buffer, "JPEG")
    data = buffer.getvalue()
    np.testing.assert_array_equal(Photo.open(data[:-2]).pixels, Photo.open(data).pixels)


@pytest.mark.parametrize("kind", ["plain", "full colour", "progressive", "restarts"])
def test_a_file_that_lacks_pixels_is_cut_off(kind):
    data = jpeg(**KINDS[kind])
    whole = Photo.open(data).pixels
    for lacking in (*range(3, 40), *range(40, len(data), 97)):
        try:
            photo = Photo.open(data[:-lacking])
        except PhotoError as error:
            assert "cut off" in str(error) or "damaged" in str(error) or "not a known" in str(error)
            continue
        np.testing.assert_array_equal(photo.pixels, whole, f"{kind} lacks {lacking}")


def test_whole_scans_that_are_missing_are_told():
    data = jpeg(progressive=True)
    assert len(scans(data)) > 5
    for at in scans(data)[1:]:
        with pytest.raises(PhotoError, match="cut off"):
            Photo.open(data[:at])


def test_a_segment_of_a_tiff_that_lacks_its_end():
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "JPEG", quality=100, subsampling=0, keep_rgb=True)
    parts = [buffer.getvalue()[:-2]]
    photo = Photo.open(tiff(page(RGB, 2, compression=7, rows=61, parts=parts)))
    assert np.abs(photo.pixels.astype(int) - RGB).max() <= 4
