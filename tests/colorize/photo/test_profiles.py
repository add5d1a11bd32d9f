"""Colour profiles, applied to 8 and to 16 bits."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize.photo.pixels import samples_to_srgb, to_srgb

y, x = np.mgrid[:48, :64]
RGB = np.stack([x * 4, y * 5, (x + y) * 2], axis=-1).astype(np.uint8)
GREY = (x * 3 + y).astype(np.uint8)
ALPHA = (y * 5).astype(np.uint8)

# Primaries adapted to D50, columns of XYZ for red, green, blue.
SRGB_D50 = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
P3_D50 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
ADOBE_D50 = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)


def fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)


def gamma_curve(gamma):
    return b"curv" + struct.pack(">IIHxx", 0, 1, round(gamma * 256))


def profile(space, kind, tags, connection=b"XYZ "):
    """An ICC version 2.4 profile with these tags (ICC.1:2001-04)."""
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, 5) + b"Test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249),
        **tags,
    }
    place, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", place + len(body), bytes(4), 0x02400000, kind, space, connection
    )
    header += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += fixed(0.9642, 1, 0.8249)
    return header.ljust(128, b"\0") + table + body


def matrix_profile(matrix, gamma):
    columns = {
        tag: b"XYZ \0\0\0\0" + fixed(*matrix[:, i])
        for i, tag in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    }
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma_curve(gamma))
    return profile(b"RGB ", b"mntr", columns | curves)


def grey_profile(gamma):
    return profile(b"GRAY", b"mntr", {b"kTRC": gamma_curve(gamma)})


def cmyk_profile():
    """Neutral inks: at the 16 corners L is 100 (1 - k) (1 - (c + m + y) / 3)."""
    clut = b""
    for corner in np.ndindex(2, 2, 2, 2):
        lightness = 100 * (1 - corner[3]) * (1 - sum(corner[:3]) / 3)
        clut += struct.pack(">3H", round(lightness * 652.8), 0x8000, 0x8000)
    line = struct.pack(">2H", 0, 65_535)
    table = b"mft2" + struct.pack(">I4Bx"[:-1], 0, 4, 3, 2, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += struct.pack(">HH", 2, 2) + line * 4 + clut + line * 3
    return profile(b"CMYK", b"prtr", {b"A2B0": table, b"A2B1": table}, connection=b"Lab ")


def encoded(linear):
    """The sRGB transfer curve (IEC 61966-2-1) to 0..255."""
    linear = np.clip(linear, 0, 1)
    low = 12.92 * linear
    return 255 * np.where(linear <= 0.0031308, low, 1.055 * linear ** (1 / 2.4) - 0.055)


def with_profile(image, data):
    image.info["icc_profile"] = data
    return image


@pytest.mark.parametrize("matrix", [P3_D50, ADOBE_D50], ids=["P3", "Adobe RGB"])
def test_wide_gamut_profiles_are_converted(matrix):
    gamma = 563 / 256
    color, _, notices, *_ = to_srgb(
        with_profile(Image.fromarray(RGB), matrix_profile(matrix, gamma))
    )
    linear = (RGB / 255) ** gamma @ (np.linalg.inv(SRGB_D50) @ matrix).T
    expected = encoded(linear)
    assert np.abs(color - expected).max() < 1.6
    assert np.abs(expected - RGB).max() > 20, "or nothing was tested"
    assert notices == []


def test_profile_applies_to_the_colors_of_a_palette_and_not_to_alpha():
    image = Image.fromarray(RGB).quantize(16)
    image.info["transparency"] = 2
    plain = to_srgb(image)
    moved = to_srgb(with_profile(image, matrix_profile(P3_D50, 2.2)))
    np.testing.assert_array_equal(moved.alpha, plain.alpha)
    assert np.abs(moved.color.astype(int) - plain.color).max() > 20


def test_srgb_profile_changes_no_byte():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(to_srgb(with_profile(Image.fromarray(noise), srgb)).color, noise)


def test_grey_profile_is_converted_by_its_curve():
    color = to_srgb(with_profile(Image.fromarray(GREY), grey_profile(1.8))).color
    assert color.ndim == 2
    assert np.abs(color - encoded((GREY / 255) ** (461 / 256))).max() <= 1


def test_deep_grey_keeps_its_depth_through_a_linear_profile():
    values = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    color = to_srgb(with_profile(Image.fromarray(values), grey_profile(1))).color
    assert np.abs(color - encoded(values / 65_535)).max() <= 1
    assert len(np.unique(color[0])) > 10, "shadows would be one level if cut to 8 bits first"


@pytest.mark.parametrize("deep", [False, True])
def test_grey_pixels_with_an_rgb_profile(deep):
    image = Image.fromarray(GREY.astype(np.uint16) * 257 if deep else GREY)
    color = to_srgb(with_profile(image, matrix_profile(P3_D50, 1.8))).color
    assert color.ndim == 2
    assert np.abs(color - encoded((GREY / 255) ** (461 / 256))).max() <= 1.5


def test_a_profile_of_tables_reduces_16_bits_and_that_is_said():
    """A profile that has a table is not taken for one of curves."""
    values = RGB.astype(np.uint16) * np.uint16(257)
    data = matrix_profile(P3_D50, 1.8)
    tables = data.replace(b"rTRC", b"A2B1")
    photo = samples_to_srgb("RGB", values, None, data, [])
    assert photo.notices == []
    assert photo.levels is not None
    notices = []
    photo = samples_to_srgb("RGB", values, None, tables, notices)
    assert any("reduced to 8" in notice for notice in notices)
    assert photo.levels is None


def table_profile():
    """At the 8 corners L is 100 (r + g + b) / 3, without colour."""
    clut = b""
    for corner in np.ndindex(2, 2, 2):
        clut += struct.pack(">3H", round(sum(corner) / 3 * 65_280), 0x8000, 0x8000)
    line = struct.pack(">2H", 0, 65_535)
    table = b"mft2" + struct.pack(">I4B", 0, 3, 3, 2, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += struct.pack(">HH", 2, 2) + line * 3 + clut + line * 3
    return profile(b"RGB ", b"scnr", {b"A2B0": table, b"A2B1": table}, connection=b"Lab ")


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_profile_of_tables_reduces_16_bits_of_grey_and_that_is_said(mode):
    values, notices = GREY if mode == "L" else np.repeat(GREY[..., None], 3, axis=2), []
    photo = samples_to_srgb(mode, values.astype(np.uint16) * 257, None, table_profile(), notices)
    lightness = GREY / 255 * 100
    light = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness * 27 / 24_389)
    assert np.abs(photo.color - encoded(light)).max() <= 2
    assert notices == ["Its 16 bits were reduced to 8, for its colour profile is one of tables."]
    assert photo.levels is None


def test_a_profile_that_does_not_fit_leaves_16_bits_of_grey():
    inks = matrix_profile(P3_D50, 1.8).replace(b"RGB ", b"CMYK")
    values, notices = GREY.astype(np.uint16) * 257, []
    photo = samples_to_srgb("L", values, None, inks, notices)
    np.testing.assert_array_equal(photo.levels, values)
    assert len(notices) == 1


def test_equal_channels_with_a_profile_are_grey():
    image = Image.fromarray(np.repeat(GREY[..., None], 3, axis=2))
    color = to_srgb(with_profile(image, matrix_profile(ADOBE_D50, 1.8))).color
    assert color.ndim == 2
    assert np.abs(color - encoded((GREY / 255) ** (461 / 256))).max() <= 1.5


def test_equal_channels_that_a_profile_tints_are_color():
    tinted = SRGB_D50 * np.array([1.0, 0.8, 0.6])
    image = Image.fromarray(np.repeat(GREY[..., None], 3, axis=2))
    assert to_srgb(with_profile(image, matrix_profile(tinted, 2.2))).color.ndim == 3


def test_cmyk_profile_is_converted():
    from skimage.color import lab2rgb

    inks = np.zeros((1, 5, 4), np.uint8)
    inks[0, 1:, 3] = 64, 128, 192, 255
    color, _, notices, *_ = to_srgb(
        with_profile(Image.frombytes("CMYK", (5, 1), inks.tobytes()), cmyk_profile())
    )
    lightness = 100 * (1 - inks[..., 3] / 255)
    lab = np.stack([lightness, np.zeros_like(lightness), np.zeros_like(lightness)], axis=-1)
    assert np.abs(color - 255 * lab2rgb(lab)[..., 0]).max() <= 2
    assert notices == []


def test_cmyk_without_a_profile_is_said():
    notices = to_srgb(Image.fromarray(RGB).convert("CMYK")).notices
    assert len(notices) == 1
    assert "estimates" in notices[0]


@pytest.mark.parametrize(
    ("mode", "data"),
    [
        ("RGB", b"no profile"),
        ("RGB", matrix_profile(P3_D50, 2.2)[:300]),
        ("RGB", grey_profile(1.8)),
        ("RGB", cmyk_profile()),
        ("neutral", cmyk_profile()),
        ("L", b"no profile"),
        ("L", cmyk_profile()),
        ("I;16", b"\0" * 200),
        ("CMYK", matrix_profile(P3_D50, 2.2)),
    ],
)
def test_profiles_that_do_not_fit_are_ignored_and_said(mode, data):
    image = Image.fromarray(GREY)
    if mode == "I;16":
        image = Image.fromarray(GREY.astype(np.uint16))
    elif mode == "neutral":
        image = image.convert("RGB")
    elif mode != "L":
        image = Image.fromarray(RGB).convert(mode)
    plain = to_srgb(image)
    color, _, notices, *_ = to_srgb(with_profile(image, data))
    np.testing.assert_array_equal(color, plain.color)
    assert sum("profile is damaged" in notice for notice in notices) == 1


@pytest.mark.parametrize("data", [b"", None, "text", 5])
def test_empty_profiles_are_none(data):
    assert to_srgb(with_profile(Image.fromarray(RGB), data)).notices == []


def test_pixels_are_the_same_across_strips(monkeypatch):
    image = with_profile(Image.fromarray(np.dstack([RGB, ALPHA])), matrix_profile(P3_D50, 2.2))
    whole = to_srgb(image)
    monkeypatch.setattr("colorize.photo.pixels._STRIP_PIXELS", 64 * 7)
    striped = to_srgb(image)
    np.testing.assert_array_equal(striped.color, whole.color)
    np.testing.assert_array_equal(striped.alpha, whole.alpha)
