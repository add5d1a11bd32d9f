"""Files of 16 bits a channel."""

import io
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize.photo.codecs import png
from colorize.photo.metadata import DIGITAL_SOURCE_TYPE
from colorize.photo.opening import Photo, PhotoError
from colorize.photo.saving import foretold, instead, is_deep, losses
from tests.support.saved import ALPHA, PICTURE, save

LEVELS = (np.arange(60 * 80, dtype=np.uint16).reshape(60, 80) * 13) ^ 0x5A5A
DEEP = PICTURE.astype(np.uint16) * 257 ^ np.dstack([LEVELS & 255] * 3)
ENDINGS = [".png", ".tif"]


@pytest.fixture(params=ENDINGS)
def ending(request):
    return request.param


@pytest.fixture
def photo():
    return Photo.open(LEVELS)


def samples_of(path):
    """All 16 bits, by another reader than ours where there is one."""
    if path.suffix == ".tif":
        return tifffile.imread(path)
    with Image.open(path) as image:
        return png.sixteen_bits(image, lambda: Image.open(path))


def test_every_bit_is_written(photo, tmp_path, ending):
    saved = save(photo, tmp_path / f"new{ending}", DEEP)
    np.testing.assert_array_equal(samples_of(saved.path), DEEP)
    assert saved.notices == []
    back = Photo.open(saved.path)
    assert back.levels is not None
    np.testing.assert_array_equal(back.pixels, Photo.open(DEEP).pixels)


def test_alpha_goes_along(tmp_path, ending):
    photo = Photo(PICTURE, ALPHA, levels=LEVELS)
    path = save(photo, tmp_path / f"new{ending}", DEEP).path
    np.testing.assert_array_equal(samples_of(path), np.dstack((DEEP, ALPHA * np.uint16(257))))
    np.testing.assert_array_equal(Photo.open(path).alpha, ALPHA)


def test_metadata_and_disclosure_go_along(tmp_path, ending):
    exif = Image.Exif()
    exif[315] = "Anna"
    buffer = io.BytesIO()
    Image.fromarray(LEVELS).save(buffer, "PNG", exif=exif.tobytes(), dpi=(300, 200))
    path = save(Photo.open(buffer.getvalue()), tmp_path / f"new{ending}", DEEP).path
    back = Photo.open(path)
    assert back.metadata.exif.image[315].data == b"Anna\0"
    assert back.metadata.dpi == pytest.approx((300, 200), abs=0.1)
    assert DIGITAL_SOURCE_TYPE.encode() in back.metadata.xmp
    with Image.open(path) as image:
        assert "fusion" in image.getexif()[305]
        assert image.info["icc_profile"]


def test_the_mark_is_drawn_and_leaves_other_bits(photo, tmp_path, ending):
    plain = samples_of(save(photo, tmp_path / f"a{ending}", DEEP).path)
    marked = samples_of(save(photo, tmp_path / f"b{ending}", DEEP, mark=True).path)
    changed = (plain != marked).any(axis=2)
    assert 0 < changed.mean() < 0.05
    assert changed[-1, -1]


@pytest.mark.parametrize("name", ["new.jpg", "new.webp", "new.bmp"])
def test_a_format_of_8_bits_says_so(photo, tmp_path, name):
    saved = save(photo, tmp_path / name)
    assert any("16 bits a channel become 8" in notice for notice in saved.notices)
    assert not is_deep(photo, tmp_path / name)
    with pytest.raises(PhotoError, match="expected as uint8"):
        save(photo, tmp_path / name, DEEP)


def test_what_is_lost_is_told_before(photo):
    assert losses(photo, "png") == []
    assert any("16 bits" in line for line in losses(photo, "jpg"))
    assert losses(Photo(PICTURE), "jpg") == []


def test_a_photo_of_8_bits_stays_so(tmp_path):
    assert not is_deep(Photo(PICTURE), tmp_path / "new.png")
    assert is_deep(Photo.open(LEVELS), tmp_path / "new.png")
    with pytest.raises(PhotoError, match="does not end like a picture"):
        is_deep(Photo.open(LEVELS), tmp_path / "new.xyz")


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 3), (50, 70)])
def test_a_png_of_any_size_in_any_strips(shape, tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 65_536, (*shape, 3), dtype=np.uint16)
    for size in (1, 1 << 20):
        monkeypatch.setattr(png, "_STRIP_BYTES", size)
        path = save(Photo.open(noise), tmp_path / f"{size}.png", noise).path
        np.testing.assert_array_equal(samples_of(path), noise)
        with Image.open(path) as image:
            image.verify()


def test_a_smooth_png_is_much_smaller_than_its_samples(tmp_path):
    ramp = np.add.outer(np.arange(400), np.arange(300)).astype(np.uint16) * 64
    path = save(Photo.open(ramp), tmp_path / "a.png", np.dstack([ramp] * 3)).path
    assert path.stat().st_size < ramp.size * 6 / 20


def test_what_16_bits_become_is_told_before(photo, tmp_path):
    kept = "It comes back with 16 bits a channel, as JPEG with 8."
    Image.fromarray(LEVELS).save(tmp_path / "deep.tif")
    for deep in (photo, Photo.open(tmp_path / "deep.tif")):
        assert foretold(deep) == [kept]
    assert foretold(Photo(PICTURE)) == []
    (lost,) = foretold(replace(photo, format="AVIF"))
    assert lost == "Its 16 bits a channel become 8: AVIF holds no more; choose PNG or TIFF."


def test_a_format_that_a_result_cannot_keep_is_told_before():
    for format, what in (("HEIF", "HEIC cannot be written"), ("GIF", "GIF holds too few colours")):
        told = f"{what}: it comes back as PNG, unless another format is chosen."
        assert foretold(Photo(PICTURE, format=format)) == [told] == [instead(format)]
    for format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF"):
        assert instead(format) == "" and foretold(Photo(PICTURE, format=format)) == []
