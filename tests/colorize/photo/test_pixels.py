import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from colorize.photo.pixels import image_of, to_srgb, transparent_value

y, x = np.mgrid[:48, :64]
RGB = np.stack([x * 4, y * 5, (x + y) * 2], axis=-1).astype(np.uint8)
GREY = (x * 3 + y).astype(np.uint8)
ALPHA = (y * 5).astype(np.uint8)


def converted(mode):
    image = Image.fromarray(RGB)
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "YCbCr", "HSV", "CMYK", "RGBX", "P"])
def test_color_modes_become_rgb(mode):
    image = converted(mode)
    color, alpha, *_ = to_srgb(image)
    np.testing.assert_array_equal(color, np.asarray(image.convert("RGB")))
    assert alpha is None
    assert color.flags.writeable


def test_lab_becomes_srgb():
    from skimage.color import rgb2lab

    small = np.uint8(96) + RGB // 4  # well inside of what 8-bit Lab can hold
    image = Image.fromarray(small)
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    color, _, notices, *_ = to_srgb(ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB"))
    assert np.abs(rgb2lab(color) - rgb2lab(small)).max() < 2.5
    assert notices == []


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_modes_stay_grey(mode):
    image = Image.fromarray(GREY).convert(mode)
    color, alpha, notices, *_ = to_srgb(image)
    np.testing.assert_array_equal(color, np.asarray(image.convert("L")))
    assert color.ndim == 2
    assert (alpha is None) == (mode != "LA")
    assert notices == []


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "YCbCr", "CMYK"])
def test_equal_channels_are_grey(mode):
    image = Image.fromarray(np.repeat(GREY[..., None], 3, axis=2))
    if mode == "P":
        image = image.quantize(256)
    color = to_srgb(image.convert(mode)).color
    assert color.ndim == 2
    assert np.abs(color.astype(int) - GREY).max() <= 1


@pytest.mark.parametrize("place", [(0, 0), (47, 63)])
def test_one_pixel_of_color_is_color_and_sepia_is_color(place):
    pixels = np.repeat(GREY[..., None], 3, axis=2)
    pixels[place] = 10, 10, 11
    assert to_srgb(Image.fromarray(pixels)).color.ndim == 3
    sepia = np.clip(GREY[..., None] * np.array([1.1, 1.0, 0.8]), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(to_srgb(Image.fromarray(sepia)).color, sepia)


def test_alpha_is_taken_apart():
    image = Image.fromarray(np.dstack([RGB, ALPHA]))
    color, alpha, *_ = to_srgb(image)
    np.testing.assert_array_equal(color, RGB)
    np.testing.assert_array_equal(alpha, ALPHA)
    premultiplied = to_srgb(image.convert("RGBa"))
    np.testing.assert_array_equal(premultiplied.alpha, ALPHA)
    seen = ALPHA > 200
    assert np.abs(premultiplied.color[seen].astype(int) - RGB[seen]).max() <= 2


@pytest.mark.parametrize("key", [3, bytes([255, 0, 128, 255, 7])])
def test_transparent_palette_entries(key):
    image = Image.fromarray(RGB).quantize(8)
    image.info["transparency"] = key
    index = np.asarray(image)
    table = np.full(256, 255)
    if isinstance(key, int):
        table[key] = 0
    else:
        table[: len(key)] = list(key)
    np.testing.assert_array_equal(to_srgb(image).alpha, table[index])


def test_palette_with_an_alpha_channel():
    image = Image.fromarray(RGB).quantize(8).convert("PA")
    image.putalpha(Image.fromarray(ALPHA))
    np.testing.assert_array_equal(to_srgb(image).alpha, ALPHA)


@pytest.mark.parametrize(
    ("image", "key"),
    [
        (Image.fromarray(GREY), int(GREY[5, 5])),
        (Image.fromarray(GREY.astype(np.uint16) * 257), int(GREY[5, 5]) * 257),
        (Image.fromarray(RGB), tuple(int(v) for v in RGB[5, 5])),
    ],
)
def test_transparent_value(image, key):
    image.info["transparency"] = key
    assert transparent_value(image) == key
    pixels = np.asarray(image).reshape(48, 64, -1)
    hit = np.all(pixels == pixels[5, 5], axis=2)
    assert hit.any()
    np.testing.assert_array_equal(to_srgb(image, key).alpha == 0, hit)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_16_bits_are_scaled_not_cut(dtype):
    values = np.arange(65_536, dtype=dtype).reshape(256, 256)
    color = to_srgb(Image.fromarray(values)).color
    np.testing.assert_array_equal(color, np.rint(values.astype(int) / 257))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.float32([[0, 0.5, 1]]), [[0, 128, 255]]),
        (np.float32([[0, 100.4, 255]]), [[0, 100, 255]]),
        (np.float32([[0, 32_896, 65_535]]), [[0, 128, 255]]),
        (np.int32([[0, 100, 255]]), [[0, 100, 255]]),
        (np.int32([[0, 32_896, 65_535]]), [[0, 128, 255]]),
        (np.float32([[0, 0]]), [[0, 0]]),
    ],
)
def test_wide_values_are_scaled_by_their_range(values, expected):
    color, _, notices, *_ = to_srgb(Image.fromarray(values))
    np.testing.assert_array_equal(color, expected)
    assert notices == []


@pytest.mark.parametrize(
    ("values", "expected", "share"),
    [
        (np.float32([[-0.05, 0.5, 1.05]]), [[0, 128, 255]], "66.7%"),
        (np.float32([[0, np.nan, np.inf, -np.inf, 1]]), [[0, 0, 255, 0, 255]], "60.0%"),
    ],
)
def test_values_that_are_clipped_are_said(values, expected, share):
    color, _, notices, _ = to_srgb(Image.fromarray(values))
    np.testing.assert_array_equal(color, expected)
    assert [notice.split()[0] for notice in notices] == [share]
    assert "clipped" in notices[0]


@pytest.mark.parametrize(
    "values", [np.float32([[-1000, 500, 2000]]), np.int32([[-(2**31), -1, 2**31 - 1]])]
)
def test_values_of_no_known_scale_are_stretched_and_said(values):
    color, _, notices, *_ = to_srgb(Image.fromarray(values))
    assert color[0, 0] == 0
    assert color[0, 1] in (127, 128)
    assert color[0, 2] == 255
    assert len(notices) == 1
    assert "scaled" in notices[0]


def test_constant_out_of_scale_values_are_no_division_by_zero():
    assert to_srgb(Image.fromarray(np.float32([[1e9, 1e9]]))).color.shape == (1, 2)


def test_no_finite_value_is_an_error():
    with pytest.raises(ValueError, match="finite"):
        to_srgb(Image.fromarray(np.full((2, 2), np.nan, np.float32)))


def tiff_like(values, **tags):
    """A deep grey image as Pillow's TIFF reader gives it."""
    image = Image.fromarray(values)
    image.tag_v2 = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        image.tag_v2[int(tag[1:])] = value
    return image


def test_12_bits_are_scaled_by_4095():
    image = tiff_like(np.uint16([[0, 2048, 4095]]), t258=(12,))
    np.testing.assert_array_equal(to_srgb(image).color, [[0, 128, 255]])


def test_white_is_zero():
    image = tiff_like(np.uint16([[0, 65_535]]), t262=0)
    np.testing.assert_array_equal(to_srgb(image).color, [[255, 0]])


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("channel", [None, 0, 1, 2])
def test_one_pixel_in_colour_anywhere_makes_a_colour_photo(mode, channel):
    pixels = np.full((700, 900, len(mode)), 90, np.uint8)  # several strips
    if channel is not None:
        pixels[600, 5, channel] = 91
    found = to_srgb(Image.fromarray(pixels)).color
    assert found.shape == ((700, 900) if channel is None else (700, 900, 3))
    assert np.array_equal(found, pixels[..., 0] if channel is None else pixels[..., :3])


def test_an_image_of_four_bytes_a_pixel_shares_their_memory():
    whole = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    image = image_of(whole[..., :3])
    assert (image.mode, image.size) == ("RGBX", (30, 20))
    whole[3, 4] = 1, 2, 3, 255
    assert image.getpixel((4, 3))[:3] == (1, 2, 3)
    assert np.array_equal(np.asarray(image.convert("RGB")), whole[..., :3])


def test_an_image_of_anything_else_is_a_copy():
    whole = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    columns_first = np.zeros((30, 20, 4), np.uint8).transpose(1, 0, 2)
    for picture in (
        whole[..., :3].copy(),
        whole[..., 1:],
        whole[2:, ..., :3],
        whole[..., 2::-1],
        whole[:, ::-1, :3],
        columns_first[..., :3],
    ):
        image = image_of(picture)
        assert image.mode == "RGB"
        assert np.array_equal(np.asarray(image), picture)
