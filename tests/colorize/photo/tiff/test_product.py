"""Every combination of what TIFF has, written by hand: the value in the file is the value read."""

import itertools

import numpy as np
import pytest

from colorize.photo.opening import Photo, PhotoError
from tests.support.tiff_files import COMPRESSIONS, page, tiff

y, x = np.mgrid[:13, :19]
RED = np.rint(x * 65_535 / 18 * 0.8 + y * 65_535 / 12 * 0.2).astype(np.uint16)
COLORS = np.dstack([RED, RED[::-1], RED[:, ::-1]])
ALPHA = np.rint(65_535 * (0.3 + 0.7 * y / 12)).astype(np.uint16)
EIGHT = np.rint(COLORS / 257).astype(np.uint8)
TYPES = ["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"]
CHANNELS = {"white is zero": (0, 1), "black is zero": (1, 1), "colour": (2, 3)}


def stored(values, type):
    """Values of 0 to 65535 in a type's own range."""
    dtype = np.dtype(type)
    top = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    scaled = values.astype(float) / 65_535 * top
    return scaled.astype(dtype) if dtype.kind == "f" else np.rint(scaled).astype(dtype)


def samples_of(channels, type, alpha):
    """Samples (h, w, c) and the TIFF tags that go with them."""
    photometric, count = CHANNELS[channels]
    colors = COLORS[..., :count].astype(float)
    if photometric == 0:
        colors = 65_535 - colors
    if alpha is None:
        return stored(colors, type), {}
    if alpha == 1:  # what is multiplied is how much light there is
        colors = colors * (ALPHA / 65_535)[..., None]
    return stored(np.dstack([colors, ALPHA]), type), {338: (3, [alpha])}


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 13])
@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("channels", CHANNELS)
def test_every_combination(type, channels, step):
    """All of 7,776 files; without `--runslow` one of 13, in which every pair occurs."""
    expected = EIGHT if channels == "colour" else EIGHT[..., 0]
    seen = 0
    for alpha in (None, 1, 2):
        samples, tags = samples_of(channels, type, alpha)
        ways = itertools.product("<>", (False, True), COMPRESSIONS, (1, 2), (None, 16), (1, 2, 3))
        for order, big, compression, planar, tile, predictor in ways:
            kinds = (1, 3) if samples.dtype.kind == "f" else (1, 2)
            if predictor not in (kinds if compression in (5, 8) else (1,)):
                continue
            seen += 1
            if seen % step:
                continue
            one = page(
                samples,
                CHANNELS[channels][0],
                order=order,
                compression=compression,
                planar=planar,
                predictor=predictor,
                tile=tile,
                tags=tags,
            )
            photo = Photo.open(tiff(one, order=order, big=big))
            way = (type, channels, alpha, order, big, compression, planar, tile, predictor)
            # Eight bits that were multiplied by alpha hold a third of their levels.
            tolerance = (
                (6 if samples.itemsize == 1 else 2) if alpha == 1 else 2 if type == "i1" else 1
            )
            assert photo.pixels.shape == expected.shape, way
            assert np.abs(photo.pixels.astype(int) - expected).max() <= tolerance, way
            assert (photo.alpha is None) == (alpha is None), way
            if alpha:
                assert np.abs(photo.alpha - ALPHA / 257).max() <= (1.6 if type == "i1" else 0.6), (
                    way
                )
            assert (photo.lightness is None) == (type == "u1"), way
    assert seen == 3 * 2 * 2 * (2 + 2 * 2) * 2 * 2


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 10, 12, 14, 24])
@pytest.mark.parametrize("photometric", [0, 1])
def test_samples_of_any_number_of_bits(bits, photometric):
    top = 2**bits - 1
    values = np.rint(RED / 65_535 * top).astype(np.uint32)
    expected = np.rint(values / top * 255)
    for compression, order in itertools.product(COMPRESSIONS, "<>"):
        samples = (values if photometric else top - values)[..., None]
        if bits > 16:
            samples = samples.astype(np.uint32)
        one = page(samples, photometric, bits=bits, order=order, compression=compression)
        photo = Photo.open(tiff(one, order=order))
        assert np.abs(photo.pixels - expected).max() <= 1


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("scale", [1, 256, 257])
@pytest.mark.parametrize("alpha", [None, 1, 2])
def test_palettes(bits, scale, alpha):
    """Of 16 bits as the specification says (v * 257), as Pillow writes, and of 8, as some do."""
    size = 2**bits
    index = np.random.default_rng(bits).integers(0, size, (13, 19)).astype(np.uint16)
    table = np.random.default_rng(1).integers(0, 256, (3, size))
    table[:, 0] = 255, 0, 7
    expected = table.T[index]
    channels = [index]
    if alpha:
        if bits not in (8, 16):
            pytest.skip("alpha of as few bits is no alpha")
        channels.append(ALPHA if bits == 16 else ALPHA // 257)
    samples = np.dstack(channels).astype(np.uint8 if bits <= 8 else np.uint16)
    tags = {320: (3, (table * scale).ravel().tolist())} | ({338: (3, [alpha])} if alpha else {})
    for order, compression, planar in itertools.product("<>", COMPRESSIONS, (1, 2)):
        one = page(
            samples, 3, bits=bits, order=order, compression=compression, planar=planar, tags=tags
        )
        photo = Photo.open(tiff(one, order=order))
        np.testing.assert_array_equal(np.broadcast_to(photo.pixels.T, expected.T.shape).T, expected)
        if alpha:
            assert np.abs(photo.alpha - ALPHA / 257).max() <= 1


def ycbcr(rgb, top):
    """TIFF 6.0, section 21, by its coefficients."""
    red, green, blue = np.moveaxis(rgb.astype(float), -1, 0)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    half = (top + 1) / 2
    return np.dstack([light, (blue - light) / 1.772 + half, (red - light) / 1.402 + half])


@pytest.mark.parametrize("type", ["u1", "u2"])
@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (4, 4)])
def test_ycbcr(type, subsampling):
    top = np.iinfo(type).max
    across, down = subsampling
    blocks = (
        np.ones((8, 20, 1))
        * np.array([0.8, 0.5, 0.2])
        * (0.3 + 0.14 * (np.arange(20) // 4))[:, None]
    )
    stored = np.rint(ycbcr(blocks * top, top)).astype(type)
    expected = np.rint(blocks * 255)
    for order, compression in itertools.product("<>", COMPRESSIONS):
        rows = []
        for part in (stored[:4], stored[4:]):
            units = part.reshape(4 // down, down, 20 // across, across, 3).swapaxes(1, 2)
            light = units[..., 0].reshape(*units.shape[:2], -1)
            rows.append(np.concatenate([light, units[:, :, 0, 0, 1:]], axis=2))
        parts = [
            COMPRESSIONS[compression](part.astype(np.dtype(type).newbyteorder(order)).tobytes())
            for part in rows
        ]
        tags = {530: (3, list(subsampling))}
        one = page(stored, 6, order=order, compression=compression, rows=4, tags=tags, parts=parts)
        photo = Photo.open(tiff(one, order=order))
        assert np.abs(photo.pixels - expected).max() <= 2


@pytest.mark.parametrize("type", ["u1", "u2"])
@pytest.mark.parametrize("planar", [1, 2])
def test_cmyk(type, planar):
    """Without a profile the inks are taken for what they cover, and that is said."""
    inks = np.zeros((13, 19, 4), np.uint16)
    inks[..., 3] = 65_535 - RED
    samples = (inks // 257 if type == "u1" else inks).astype(type)
    for order, compression in itertools.product("<>", COMPRESSIONS):
        one = page(samples, 5, order=order, compression=compression, planar=planar)
        photo = Photo.open(tiff(one, order=order))
        assert np.abs(photo.pixels.astype(int) - EIGHT[..., 0]).max() <= 1
        assert any("printing inks" in notice for notice in photo.notices)
        assert any("reduced" in notice for notice in photo.notices) == (type == "u2")


@pytest.mark.parametrize("photometric", [8, 9])
@pytest.mark.parametrize("type", ["u1", "u2"])
def test_cielab_without_colour(photometric, type):
    """L* of a grey; a and b are signed in CIELAB and have an offset in ICCLAB."""
    lightness = np.linspace(0, 100, 19)[None].repeat(13, axis=0)
    whole = {"u1": 255, "u2": 65_535 if photometric == 8 else 65_280}[type]
    none = 0 if photometric == 8 else {"u1": 128, "u2": 32_768}[type]
    samples = np.dstack([np.rint(lightness / 100 * whole), *[np.full((13, 19), none)] * 2]).astype(
        type
    )
    light = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness * 27 / 24_389)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    photo = Photo.open(tiff(page(samples, photometric)))
    pixels = photo.pixels if photo.is_grey else photo.pixels.mean(axis=2)
    assert np.abs(pixels - srgb * 255).max() <= 2


@pytest.mark.parametrize("type", ["u1", "u2"])
@pytest.mark.parametrize("planar", [1, 2])
def test_cielab_that_is_multiplied_by_alpha(type, planar):
    """a and b are signed: what is multiplied goes towards zero, which is neutral."""
    top = np.iinfo(type).max
    signed = np.dtype(type.replace("u", "i"))
    half = np.iinfo(signed).max
    y, x = np.mgrid[:13, :19]
    light, a, b = 0.4 + y / 40, (x - 9) / 30, (y - 6) / 20
    alpha = 0.5 + x / 40
    whole = [np.dstack([light * top, a * half, b * half]), np.full(light.shape, top)[..., None]]
    mixed = [whole[0] * alpha[..., None], alpha[..., None] * top]

    def opened(parts, kind):
        samples = np.rint(np.dstack(parts)).astype(np.int64).astype(type)
        return Photo.open(tiff(page(samples, 8, planar=planar, tags={338: (3, [kind])})))

    expected, found = opened(whole, 2), opened(mixed, 1)
    assert np.abs(found.pixels.astype(int) - expected.pixels).max() <= (9 if type == "u1" else 3)
    assert np.abs(found.alpha - alpha * 255).max() <= 1
    assert np.ptp(expected.pixels.astype(int), axis=2).max() > 60


def test_icclab_that_is_multiplied_by_alpha_is_refused_by_name():
    samples = np.full((13, 19, 4), 128, np.uint8)
    with pytest.raises(PhotoError, match="ICCLAB colours that are multiplied by alpha"):
        Photo.open(tiff(page(samples, 9, tags={338: (3, [1])})))


@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("tile", [None, 16])
def test_jpeg_segments(planar, tile):
    grey = np.rint(np.linspace(20, 230, 48 * 32).reshape(32, 48)).astype(np.uint8)
    color = np.dstack([grey, grey[::-1], grey[:, ::-1]])
    for samples, photometric in ((grey[..., None], 1), (grey[..., None], 0), (color, 2)):
        one = page(samples, photometric, compression=7, planar=planar, tile=tile, rows=16)
        photo = Photo.open(tiff(one))
        expected = samples[..., 0] if samples.shape[2] == 1 else samples
        expected = 255 - expected if photometric == 0 else expected
        assert np.abs(photo.pixels.astype(int) - expected).max() <= 4
