"""What PNG files say of their colours and where they are damaged, as the third edition has it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from colorize.photo.opening import Photo, PhotoError
from colorize.photo.pixels import BAD_PROFILE
from colorize.photo.profiles import make_profile
from tests.support.photo_files import RGB, png_of, rows

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
SHADOWS = (np.arange(64 * 48).reshape(48, 64) * 2).astype(np.uint16)  # 0 to 6142 of 65535
SRGB, LINEAR = (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))
P3 = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))


def encoded(light):
    """8-bit sRGB of linear light (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def png(pixels, *chunks, kind=0):
    """A PNG of pixels (h, w[, c]), uint8 or uint16."""
    bits = pixels.itemsize * 8
    stored = pixels.astype(pixels.dtype.newbyteorder(">"))
    header = (pixels.shape[1], pixels.shape[0], bits, kind)
    return png_of(header, *chunks, (b"IDAT", rows(stored)), (b"IEND", b""))


def gamma_of(value):
    return b"gAMA", struct.pack(">I", round(100_000 * value))


def points(*values):
    return b"cICP", bytes(values)


def icc(gamma):
    return b"iCCP", b"p\0\0" + zlib.compress(make_profile(float(gamma)))


def pixels_of(data):
    return Photo.open(data).pixels.astype(float)


# ---- which colour space holds


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind", [0, 2, 4, 6])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2, 2.6])
def test_gamma_holds_where_nothing_better_does(gamma, kind, deep):
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    pixels = np.dstack([GREY] * channels)
    if kind in (4, 6):
        pixels[..., -1] = 200
    pixels = pixels.astype(np.uint16) * 257 if deep else pixels
    photo = Photo.open(png(pixels, gamma_of(1 / gamma), kind=kind))
    assert np.abs(photo.pixels - encoded((GREY / 255) ** gamma)).max() <= 1.5
    assert photo.is_grey
    assert (photo.alpha is not None) == (kind in (4, 6))
    assert photo.notices == ()


def test_gamma_holds_for_a_palette():
    table = bytes(value for level in range(256) for value in (level, level, level))
    data = png(GREY, (b"PLTE", table), LINEAR, kind=3)
    assert np.abs(pixels_of(data) - encoded(GREY / 255)).max() <= 1


LINEAR_LIGHT, PLAIN = encoded(GREY / 255), GREY.astype(float)
BT_709 = encoded(
    np.where(GREY / 255 < 0.081, GREY / 255 / 4.5, ((GREY / 255 + 0.099) / 1.099) ** (1 / 0.45))
)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([], PLAIN),
        ([LINEAR], LINEAR_LIGHT),
        ([LINEAR, SRGB], PLAIN),
        ([SRGB, LINEAR, P3], PLAIN),
        ([icc(1), SRGB, gamma_of(1 / 2.2)], LINEAR_LIGHT),
        ([icc(1.8), LINEAR], encoded((GREY / 255) ** 1.8)),
        ([points(1, 8, 0, 1), icc(1.8), SRGB], LINEAR_LIGHT),
        ([points(1, 13, 0, 1), icc(1), LINEAR], PLAIN),
        ([points(9, 13, 0, 1), LINEAR], PLAIN),
        ([points(12, 1, 0, 1)], BT_709),
        ([points(1, 4, 0, 1)], encoded((GREY / 255) ** 2.2)),
        ([points(1, 13, 0, 0)], np.clip((GREY - 16.0) / 219 * 255, 0, 255)),
        ([points(2, 2, 0, 1), LINEAR], LINEAR_LIGHT),  # code points not told: the next holds
        ([points(1, 13, 1, 1), LINEAR], LINEAR_LIGHT),  # of YCbCr, which PNG has not
        ([(b"cICP", b"\1"), LINEAR], LINEAR_LIGHT),
        ([gamma_of(0)], PLAIN),
        ([(b"gAMA", b"\1")], PLAIN),
        ([(b"gAMA", b"\xff" * 4)], PLAIN),
    ],
)
def test_order_of_precedence(chunks, expected):
    """cICP, iCCP, sRGB, gAMA and cHRM (PNG 3rd edition, 4.3)."""
    assert np.abs(pixels_of(png(GREY, *chunks)) - expected).max() <= 1.5


def test_primaries_hold_in_colour_and_not_in_grey():
    green = np.zeros((2, 2, 3), np.uint8)
    green[..., 1] = 200
    moved = pixels_of(png(green, gamma_of(1 / 2.2), P3, kind=2))
    kept = pixels_of(png(green, gamma_of(1 / 2.2), kind=2))
    assert moved[0, 0, 1] > kept[0, 0, 1] + 2
    assert np.abs(pixels_of(png(GREY, P3)) - GREY).max() <= 1


@pytest.mark.parametrize("chunk", [(b"cHRM", bytes(32)), (b"cHRM", b"\xff" * 32)])
def test_impossible_primaries_are_said(chunk):
    photo = Photo.open(png(GREY, LINEAR, chunk))
    assert any("impossible" in notice for notice in photo.notices)


@pytest.mark.parametrize("transfer", [16, 18])
def test_pictures_of_high_dynamic_range_say_that_they_were_clipped(transfer):
    photo = Photo.open(png(GREY, points(9, transfer, 0, 1)))
    assert any("high dynamic range" in notice for notice in photo.notices)
    ramp = photo.pixels.ravel().astype(int)
    assert (np.diff(ramp) >= 0).all()
    white = {16: 148, 18: 191}[transfer]  # the signal of paper white (ITU-R BT.2408)
    assert ramp[white] >= 253
    assert ramp[white // 2] < 200


def test_a_damaged_profile_is_said():
    photo = Photo.open(png(GREY, (b"iCCP", b"p\0\0no deflate")))
    np.testing.assert_array_equal(photo.pixels, GREY)
    assert any("profile is damaged" in notice for notice in photo.notices)


@pytest.mark.parametrize(
    "profile",
    [
        b"p\0\0no deflate",
        b"p\0\0" + zlib.compress(b"no profile"),
        b"p\0\0" + zlib.compress(make_profile(1.8)[:300]),
        b"p\0\0" + zlib.compress(make_profile(1.8).replace(b"RGB XYZ ", b"CMYKLab ")),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind", [0, 2])
def test_behind_a_damaged_profile_the_gamma_holds_and_that_is_said(profile, kind, deep):
    pixels = np.dstack([GREY] * (3 if kind else 1)).astype(np.uint16 if deep else np.uint8)
    pixels = pixels * 257 if deep else pixels
    photo = Photo.open(png(pixels, (b"iCCP", profile), LINEAR, kind=kind))
    assert np.abs(photo.pixels - LINEAR_LIGHT).max() <= 1.5
    assert photo.notices.count(BAD_PROFILE) == 1
    photo = Photo.open(png(pixels, (b"iCCP", profile), SRGB, LINEAR, kind=kind))
    np.testing.assert_array_equal(photo.pixels, GREY)


# ---- damage


ANCILLARY = [
    (b"tEXt", b"Comment\0hello"),
    (b"pHYs", struct.pack(">IIB", 11811, 11811, 1)),
    icc(1),
    LINEAR,
    (b"tIME", bytes(7)),
    (b"zTXt", b"a\0\0" + zlib.compress(b"b")),
    (b"eXIf", b"II*\0\x08\0\0\0\0\0"),
    (b"prVt", b"private"),
]


@pytest.mark.parametrize("name", ["zTXt", "iTXt"])
def test_texts_that_cannot_be_unpacked_are_said(name):
    body = b"Title\0\0no deflate" if name == "zTXt" else b"Title\0\1\0\0\0no deflate"
    photo = Photo.open(png(GREY, (name.encode(), body), (b"tEXt", b"Author\0Agfa")))
    assert photo.notices == (f"Damaged parts of the file were left out ({name}).",)
    assert photo.metadata.texts == (("Author", "Agfa"),)


@pytest.mark.parametrize("chunk", ANCILLARY, ids=lambda chunk: chunk[0].decode())
def test_ancillary_chunks_with_a_wrong_sum_are_passed_over_and_said(chunk):
    data = png(GREY, chunk)
    at = data.index(chunk[0]) + 4 + len(chunk[1])
    photo = Photo.open(data[:at] + bytes(4) + data[at + 4 :])
    np.testing.assert_array_equal(photo.pixels, GREY)
    assert photo.notices == (f"Damaged parts of the file were left out ({chunk[0].decode()}).",)


def test_damage_after_the_pixels_is_passed_over():
    data = png(GREY)
    end = data.index(b"IEND") - 4
    photo = Photo.open(data[:end] + struct.pack(">I", 1) + b"tEXta\0\0\0\0" + data[end:])
    np.testing.assert_array_equal(photo.pixels, GREY)


def test_a_critical_chunk_with_a_wrong_sum_is_an_error():
    data = png(GREY)
    at = data.index(b"IHDR") + 4 + 13
    with pytest.raises(PhotoError, match="damaged"):
        Photo.open(data[:at] + bytes(4) + data[at + 4 :])


# ---- 16 bits


@pytest.mark.parametrize("kind", [0, 2, 4, 6])
@pytest.mark.parametrize("profile", [icc(1), LINEAR, points(1, 8, 0, 1)])
def test_16_bits_are_smooth_in_the_shadows(kind, profile):
    channels = [SHADOWS] * {0: 1, 2: 3, 4: 1, 6: 3}[kind]
    if kind in (4, 6):
        channels.append(np.full_like(SHADOWS, 65_535))
    photo = Photo.open(png(np.dstack(channels), profile, kind=kind))
    expected = encoded(SHADOWS / 65_535)
    assert np.abs(photo.pixels - expected).max() <= 1
    assert len(np.unique(photo.pixels)) >= len(np.unique(np.rint(expected))) - 1


def test_16_bits_of_colour_are_rounded_and_not_cut():
    values = np.array([[[0x01FF, 0x80C0, 0xFEFF]]], np.uint16)
    np.testing.assert_array_equal(
        pixels_of(png(values, kind=2)), np.rint(values.astype(float) / 257)
    )


@pytest.mark.parametrize("space", [(), (SRGB,), (LINEAR,), (icc(1.8),)])
@pytest.mark.parametrize("kind", [0, 2])
def test_lightness_is_kept_at_16_bits(kind, space):
    gamma = {(): None, (SRGB,): None, (LINEAR,): 1.0}.get(space, 1.8)
    values = np.arange(0, 65_536, 16, dtype=np.uint16).reshape(64, 64)
    photo = Photo.open(png(values if kind == 0 else np.dstack([values] * 3), *space, kind=kind))
    share = values / 65_535
    light = (
        share**gamma
        if gamma
        else np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    )
    expected = np.where(light > 216 / 24_389, 116 * np.cbrt(light) - 16, light * 24_389 / 27)
    assert photo.lightness.dtype == np.uint16
    assert np.abs(photo.lightness / 655.35 - expected).max() < 0.01
    assert len(np.unique(photo.lightness)) > 3000


def test_lightness_of_8_bits_is_none():
    assert Photo.open(png(GREY)).lightness is None
    assert Photo.open(GREY).lightness is None


@pytest.mark.parametrize(
    "array", [GREY.astype(np.uint16) * 257, GREY / 255, np.dstack([GREY / 255] * 3)]
)
def test_lightness_of_deep_arrays_is_kept(array):
    lightness = Photo.open(array).lightness
    assert lightness.shape == GREY.shape
    assert (lightness[0, 0], lightness[-1, -1]) == (0, 65_535)


@pytest.mark.parametrize("chunk", [LINEAR, points(1, 8, 0, 1)])
def test_an_image_of_pillows_that_is_not_loaded_is_read_from_its_file(chunk):
    data = png(np.dstack([SHADOWS] * 3), chunk, kind=2)
    with Image.open(io.BytesIO(data)) as image:
        photo = Photo.open(image)
        np.testing.assert_array_equal(photo.pixels, Photo.open(data).pixels)
        assert image.getpixel((1, 0)) == (0, 0, 0)


@pytest.mark.parametrize("step", [Image.Image.load, Image.Image.copy])
def test_the_colour_space_of_an_image_of_pillows_that_is_loaded_holds(step):
    p3 = struct.pack(
        ">8I", *(round(n * 1e5) for n in (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06))
    )
    for chunks in ((LINEAR,), (LINEAR, (b"cHRM", p3)), (LINEAR, (b"sRGB", b"\0")), ()):
        data = png_of((32, 24, 8, 2), *chunks, (b"IDAT", rows(RGB)), (b"IEND", b""))
        with Image.open(io.BytesIO(data)) as image:
            loaded = step(image)
            photo = Photo.open(image if step is Image.Image.load else loaded)
            np.testing.assert_array_equal(photo.pixels, Photo.open(data).pixels)


def test_a_transparent_colour_of_16_bits_is_that_colour_alone():
    values = np.array([[[1, 2, 3], [1, 2, 4]]], np.uint16)
    photo = Photo.open(png(values, (b"tRNS", struct.pack(">3H", 1, 2, 3)), kind=2))
    np.testing.assert_array_equal(photo.alpha, [[0, 255]])


# ---- BMP


def bmp(kind, profile=b"", ends=(0,) * 9, gammas=(0, 0, 0), size=124):
    """A BMP file of version 4 or 5 of the greys, with a colour space of `kind`."""
    pixels = np.repeat(GREY[::-1, :, None], 3, axis=2).tobytes()
    head = struct.pack("<IiiHHIIiiII", size, 16, 16, 1, 24, 0, len(pixels), 0, 0, 0, 0)
    head += bytes(16) + kind + struct.pack("<9i", *ends) + struct.pack("<3I", *gammas)
    if size == 124:
        head += struct.pack("<IIII", 4, size + len(pixels), len(profile), 0)
    start = 14 + size
    whole = start + len(pixels) + len(profile)
    return b"BM" + struct.pack("<IHHI", whole, 0, 0, start) + head + pixels + profile


SRGB_ENDS = [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]


@pytest.mark.parametrize("size", [108, 124])
def test_a_bmp_says_its_colour_space(size):
    ends = [round(value * 2**30) for end in SRGB_ENDS for value in end]
    linear = bmp(bytes(4), ends=ends, gammas=[65_536] * 3, size=size)
    assert np.abs(pixels_of(linear) - LINEAR_LIGHT).max() <= 1
    for kind in (b"BGRs", b" niW", bytes(4)):
        np.testing.assert_array_equal(pixels_of(bmp(kind, size=size)), GREY)


def test_a_bmp_carries_a_profile():
    data = bmp(b"DEBM", make_profile(1.0))
    assert np.abs(pixels_of(data) - LINEAR_LIGHT).max() <= 1
    photo = Photo.open(bmp(b"KNIL", b"C:\\linear.icc\0"))
    assert photo.notices == ("Its colour profile lies in another file and was not applied.",)
    photo = Photo.open(bmp(b"DEBM", b"no profile"))
    assert any("profile is damaged" in notice for notice in photo.notices)


def test_a_colour_space_after_the_pixels_is_passed_over_and_said():
    late = (b"gAMA", struct.pack(">I", 100_000))
    photo = Photo.open(png_of((32, 24, 8, 2), (b"IDAT", rows(RGB)), late, (b"IEND", b"")))
    assert np.array_equal(photo.pixels, RGB)
    assert photo.notices == ("Damaged parts of the file were left out (gAMA).",)


def test_code_points_that_are_not_known_are_said_where_nothing_else_holds():
    unknown, gamma = (b"cICP", bytes([77, 88, 0, 1])), (b"gAMA", struct.pack(">I", 45_455))
    data = (b"IDAT", rows(RGB)), (b"IEND", b"")
    photo = Photo.open(png_of((32, 24, 8, 2), unknown, *data))
    assert np.array_equal(photo.pixels, RGB)
    assert photo.notices == ("Its colour space (cICP) is not known and was read as sRGB.",)
    assert Photo.open(png_of((32, 24, 8, 2), unknown, gamma, *data)).notices == ()
