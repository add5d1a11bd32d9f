"""The pixels of an image in any mode, with any colour profile, as 8-bit sRGB."""

import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageCms

from colorize.photo.profiles import (
    LEVELS,
    LUMINANCE,
    encode_srgb,
    grey_levels,
    space_of,
    srgb_space,
)
from colorize.photo.tiff.scale import scale_of

_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_STRIP_PIXELS = 1 << 18  # copies of a strip stay in the cache: a third of the time of 1 << 22
_SIGNED, _FLOAT = 2, 3
BAD_PROFILE = "Its colour profile is damaged or does not fit and was ignored."
_OF_TABLES = "Its 16 bits were reduced to 8, for its colour profile is one of tables."


class Pixels(NamedTuple):
    """uint8 sRGB (h, w) of a grey picture, else (h, w, 3); alpha uint8 (h, w) or None; notices;
    of a picture of more than 8 bits `levels`, uint16 (h, w): the sRGB greys as light as it."""

    color: np.ndarray
    alpha: np.ndarray | None
    notices: list[str]
    levels: np.ndarray | None = None


class _Profile(NamedTuple):
    """An ICC profile as LittleCMS has it and, where it is one of curves, in numbers."""

    cms: ImageCms.ImageCmsProfile
    data: bytes


def to_srgb(
    image: Image.Image, key: int | tuple[int, ...] | None = None, described: bytes | None = None
) -> Pixels:
    """An image's pixels in 8-bit sRGB, its embedded profile applied (relative colorimetric with
    black point compensation, as image editors do), or the `described` one where it has none.

    `key` is the value that stands for transparent, as `transparent_value` gives it. 16-bit greys
    are scaled by 65535, modes I and F as `scale_of` says. A profile that moves no colour by
    more than a level is not applied. Raises ValueError if no value is finite or the mode unknown.
    """
    notices: list[str] = []
    profile = _opened(image.info.get("icc_profile") or described, notices)
    if image.mode in ("P", "PA", "RGBa", "La", "1"):
        image = image.convert(_plain_mode(image))
    alpha = _alpha(image, key)
    if image.mode in _DEEP:
        return _deep_grey(_sixteen_bits(image, notices), alpha, profile, notices)
    if image.mode in ("L", "LA"):
        index = _array(image.getchannel("L"))
    elif image.mode in ("RGB", "RGBA") and _is_neutral(image) and not _tints(profile):
        index = _array(image.getchannel("R"))
    else:
        return Pixels(_color(image, profile, notices), alpha, notices)
    table = _grey_table(index.dtype, profile, notices)
    if not np.array_equal(table, np.arange(len(table))):
        index = table[index]
    return Pixels(index, alpha, notices)


def samples_to_srgb(
    mode: str,
    samples: np.ndarray,
    alpha: np.ndarray | None,
    profile: bytes | None,
    notices: list[str],
) -> Pixels:
    """The same for channels: uint8 or uint16 (h, w) for mode L, (h, w, 3) for RGB; uint8 for LAB
    (a and b signed) and CMYK. `notices` is added to."""
    if samples.dtype == np.uint16 and mode == "RGB":
        return _deep_color(samples, alpha, profile, notices)
    name = "I;16" if samples.dtype == np.uint16 else mode
    data = np.ascontiguousarray(samples)
    image = Image.frombuffer(name, data.shape[1::-1], data, "raw", name, 0, 1)
    if profile:
        image.info["icc_profile"] = profile
    pixels = to_srgb(image)
    notices.extend(pixels.notices)
    return pixels._replace(alpha=alpha, notices=notices)


def _deep_grey(
    index: np.ndarray, alpha: np.ndarray | None, profile: _Profile | None, notices: list[str]
) -> Pixels:
    said = len(notices)
    table = _grey_table(index.dtype, profile, notices)
    if len(notices) > said:  # the profile does not fit
        profile = None
    space = srgb_space() if profile is None else space_of(profile.data)
    levels = None
    if space is not None:
        ramp = np.repeat(np.arange(LEVELS, dtype=np.uint16)[:, None], 3, axis=1)
        levels = grey_levels(space.linear(ramp) @ LUMINANCE)[index]
    else:
        notices.append(_OF_TABLES)
    return Pixels(table[index], alpha, notices, levels)


def _deep_color(
    samples: np.ndarray, alpha: np.ndarray | None, data: bytes | None, notices: list[str]
) -> Pixels:
    """Colours of 16 bits through a profile of curves; those of tables are reduced to 8 first."""
    profile = _opened(data, notices)
    if channels_are_equal(samples) and not _tints(profile):
        return _deep_grey(np.ascontiguousarray(samples[..., 0]), alpha, profile, notices)
    if profile and profile.cms.profile.xcolor_space.strip() != "RGB":
        notices.append(BAD_PROFILE)
        profile = None
    space = space_of(profile.data) if profile else srgb_space()
    if space is None:
        notices.append(_OF_TABLES)
        return samples_to_srgb("RGB", rounded(samples), alpha, data, notices)
    color = np.empty(samples.shape, np.uint8)
    levels = np.empty(samples.shape[:2], np.uint16)
    if space is srgb_space():  # of whose own profile nothing has to be applied
        profile = None
    if profile:
        table = np.rint(encode_srgb(np.linspace(0, 1, LEVELS)) * 255).astype(np.uint8)
    rows = max(1, _STRIP_PIXELS // samples.shape[1])
    for top in range(0, len(samples), rows):
        strip = samples[top : top + rows]
        light = np.clip(space.linear(strip), 0, 1)
        levels[top : top + rows] = grey_levels(light @ LUMINANCE)
        if profile:
            light = table[np.rint(light * (LEVELS - 1)).astype(np.uint16)]
        color[top : top + rows] = light if profile else rounded(strip)
    return Pixels(color, alpha, notices, levels)


def rounded(samples: np.ndarray) -> np.ndarray:
    """uint8 of uint16."""
    out = np.empty(samples.shape, np.uint8)
    for row, values in zip(out, samples, strict=True):
        row[...] = np.rint(values / np.float32(257))
    return out


def image_of(picture: np.ndarray) -> Image.Image:
    """A picture, uint8 sRGB (h, w, 3), as an image that is only read.

    Where the picture is the first three of four bytes a pixel, as Pillow keeps them, the image is
    RGBX and no copy is made; else it is RGB.
    """
    whole, shape = picture.base, picture.shape[:2]
    if (
        isinstance(whole, np.ndarray)
        and (whole.shape, whole.dtype) == ((*shape, 4), np.uint8)
        and whole.flags.c_contiguous
        and whole.ctypes.data == picture.ctypes.data
        and whole.strides == (*picture.strides[:2], 1)
    ):
        return Image.frombuffer("RGBX", shape[::-1], whole, "raw", "RGBX", 0, 1)
    return Image.fromarray(picture)


def transparent_value(image: Image.Image) -> int | tuple[int, ...] | None:
    """The value of an image without alpha that stands for transparent, on the scale of its decoded
    pixels. To be asked before the pixels are loaded, while it is known how they are stored."""
    key = image.info.get("transparency")
    stored = image.tile[0][3] if getattr(image, "tile", None) else None
    if image.mode in ("1", "L", "I;16") and isinstance(key, int):
        return key * {"L;2": 85, "L;4": 17}.get(stored if isinstance(stored, str) else "", 1)
    if image.mode == "RGB" and isinstance(key, tuple) and len(key) == 3:
        return tuple(value >> 8 for value in key) if stored == "RGB;16B" else key
    return None


def _plain_mode(image: Image.Image) -> str:
    if image.mode == "P":
        return "RGBA" if "transparency" in image.info else "RGB"
    return {"PA": "RGBA", "RGBa": "RGBA", "La": "LA", "1": "L"}[image.mode]


def _alpha(image: Image.Image, key: int | tuple[int, ...] | None) -> np.ndarray | None:
    if image.mode in ("LA", "RGBA"):
        return _array(image.getchannel("A"))
    if key is None or image.mode not in ("L", "I;16", "RGB"):
        return None
    alpha = np.empty((image.height, image.width), np.uint8)
    for rows, strip in _strips(image):
        pixels = np.asarray(strip).reshape(strip.height, strip.width, -1)
        alpha[rows] = np.where(np.all(pixels == key, axis=2), 0, 255)
    return alpha


def _sixteen_bits(image: Image.Image, notices: list[str]) -> np.ndarray:
    """uint16 (h, w): the values of a deep grey image, scaled to 0..65535."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    if image.mode in ("I", "F"):
        values = _scaled(values, notices)
    elif tags.get(258) in (12, (12,)):  # bits per sample
        values = np.rint(values * (65_535 / 4095))
    values = values.astype(np.uint16)
    if tags.get(262) == 0:  # white is zero, which Pillow heeds for 8 bits only
        values = np.uint16(65_535) - values
    return values


def _scaled(values: np.ndarray, notices: list[str]) -> np.ndarray:
    """Values of mode I or F as uint16."""
    kind = _FLOAT if values.dtype.kind == "f" else _SIGNED
    scale = scale_of(lambda: [values], 32, kind, notices)
    scaled, clipped = scale.apply(values)
    if clipped:
        notices.append(scale.clipping(clipped / values.size))
    return scaled


def _color(image: Image.Image, profile: _Profile | None, notices: list[str]) -> np.ndarray:
    """uint8 (h, w, 3), or (h, w) where all three channels turn out to be equal."""
    if image.mode == "LAB":
        profile = _Profile(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), b"")
    elif image.mode == "CMYK":
        if image.format in ("JPEG", "MPO") and "adobe" not in image.info:
            image = ImageChops.invert(image)  # Pillow takes all JPEGs' inks for Adobe's, inverted
        if profile is None:
            notices.append("It has no profile for its printing inks; their colours are estimates.")
    else:
        image = _rgb(image)
    transform = _transform(profile, image.mode, notices)
    pixels = _array(image if transform else _rgb(image), transform)
    return pixels[..., 0].copy() if channels_are_equal(pixels) else pixels


def _rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")  # which copies in any case


def _opened(data: object, notices: list[str]) -> _Profile | None:
    if not isinstance(data, bytes) or not data:
        return None
    try:
        return _Profile(ImageCms.ImageCmsProfile(io.BytesIO(data)), data)
    except (OSError, ImageCms.PyCMSError):
        notices.append(BAD_PROFILE)
        return None


def is_usable(data: object, mode: str) -> bool:
    """Whether bytes are a profile that can be applied to an image of this mode."""
    profile = _opened(data, [])
    if profile is None:
        return False
    space = profile.cms.profile.xcolor_space.strip()
    try:
        _to_srgb_from("L" if space == "GRAY" else "RGB", profile.cms)
    except ImageCms.PyCMSError:
        return False
    return space == "RGB" or (space == "GRAY" and mode in (*_DEEP, "1", "L", "LA"))


def _to_srgb_from(
    mode: str, profile: ImageCms.ImageCmsProfile, flags: int = 0
) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION | flags,
    )


def _transform(
    profile: _Profile | None, mode: str, notices: list[str]
) -> ImageCms.ImageCmsTransform | None:
    """From `mode` in a profile to RGB in sRGB; None where there is nothing to do."""
    if profile is None:
        return None
    try:
        transform = _to_srgb_from(mode, profile.cms)
    except ImageCms.PyCMSError:
        notices.append(BAD_PROFILE)
        return None
    if mode != "RGB":
        return transform
    cube = np.stack(np.meshgrid(*[np.linspace(0, 255, 9).astype(np.uint8)] * 3), axis=-1)
    moved = _through(transform, cube.reshape(1, -1, 3)) - cube.reshape(-1, 3).astype(int)
    return transform if np.abs(moved).max() > 1 else None


def _through(transform: ImageCms.ImageCmsTransform, pixels: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB of the pixels (1, n[, 3]), as integers that can be subtracted."""
    return np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), transform))[0].astype(int)


def _ramp(profile: _Profile, levels: int) -> np.ndarray:
    """(levels, 3) sRGB of the greys from black to white. Raises PyCMSError."""
    exact = ImageCms.Flags.NOOPTIMIZE  # else curves are sampled too coarsely for 16 bits
    if profile.cms.profile.xcolor_space == "GRAY":
        mode, dtype = ("L", np.uint8) if levels == 256 else ("I;16", np.uint16)
        return _through(
            _to_srgb_from(mode, profile.cms, exact), np.arange(levels, dtype=dtype)[None]
        )
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    ramp = _through(_to_srgb_from("RGB", profile.cms, exact), greys)
    if levels == 256:
        return ramp
    if (space := space_of(profile.data)) is not None:
        greys = np.repeat(np.arange(levels, dtype=np.uint16)[:, None], 3, axis=1)
        return np.rint(encode_srgb(space.linear(greys)) * 255)
    place = np.linspace(0, 255, levels)
    return np.stack([np.interp(place, np.arange(256), channel) for channel in ramp.T], axis=1)


def _grey_table(dtype: np.dtype, profile: _Profile | None, notices: list[str]) -> np.ndarray:
    """uint8 sRGB level of every value of an unsigned integer type."""
    levels = np.iinfo(dtype).max + 1
    plain = np.rint(np.linspace(0, 255, levels))
    table = plain
    if profile is not None:
        try:
            table = np.rint(_ramp(profile, levels).mean(axis=1))
        except ImageCms.PyCMSError:
            notices.append(BAD_PROFILE)
    return (table if np.abs(table - plain).max() > 1 else plain).astype(np.uint8)


def _tints(profile: _Profile | None) -> bool:
    """Whether equal channels in this profile are a colour rather than a grey."""
    if profile is None:
        return False
    try:
        return bool(np.ptp(_ramp(profile, 256), axis=1).max() > 2)
    except ImageCms.PyCMSError:
        return False


def _is_neutral(image: Image.Image) -> bool:
    """Whether an RGB or RGBA image is grey: an eighth of the time of `channels_are_equal`."""
    for _, strip in _strips(image):
        red, green, blue = (band.tobytes() for band in strip.split()[:3])
        if not red == green == blue:
            return False
    return True


def channels_are_equal(pixels: np.ndarray) -> bool:
    """Whether red, green and blue are equal in all pixels (h, w, 3 or 4)."""
    return all((row[:, 1:3] == row[:, :1]).all() for row in pixels)


def _strips(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """An image in strips of rows, so that its copies on the way stay small."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _array(image: Image.Image, transform: ImageCms.ImageCmsTransform | None = None) -> np.ndarray:
    """uint8 (h, w) or (h, w, 3), writable."""
    shape = (image.height, image.width) + ((3,) if image.mode != "L" else ())
    pixels = np.empty(shape, np.uint8)
    for rows, strip in _strips(image):
        pixels[rows] = np.asarray(ImageCms.applyTransform(strip, transform) if transform else strip)
    return pixels
