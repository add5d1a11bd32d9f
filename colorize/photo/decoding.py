"""The bytes of a picture file, or Pillow's image of it, to upright sRGB pixels and metadata."""

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from colorize.photo.codecs.bmp import BmpFile, profile_of_bmp
from colorize.photo.codecs.jpeg import JpegFile
from colorize.photo.codecs.png import (
    Chunks,
    color_profile,
    colors_of,
    open_png,
    read_chunks,
    sixteen_bits,
)
from colorize.photo.codecs.webp import with_true_length
from colorize.photo.formats import describe, sniff
from colorize.photo.metadata import (
    Metadata,
    read_metadata,
    read_tiff_metadata,
    says_adobe_rgb,
)
from colorize.photo.metadata.boxes import (
    CodePoints,
    bits_a_channel,
    clean_aperture,
    code_points,
    properties_of,
)
from colorize.photo.metadata.containers import unread_kind
from colorize.photo.metadata.left_out import profile_of_gif
from colorize.photo.pixels import (
    BAD_PROFILE,
    Pixels,
    is_usable,
    rounded,
    samples_to_srgb,
    to_srgb,
    transparent_value,
)
from colorize.photo.profiles import adobe_rgb, profile_of_code_points
from colorize.photo.refusals import PhotoError, check_size, what_is_wrong

if TYPE_CHECKING:
    from tifffile import TiffPage

_OPENERS: dict[str, Callable[[BinaryIO, str], ImageFile.ImageFile]] = {
    "JPEG": JpegFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "BMP": BmpFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # EXIF 3.0, 4.6.5.1
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored.swapaxes(0, 1)[:, ::-1],
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored.swapaxes(0, 1)[::-1],
}
_READ_BY_US = ("TIFF", "PNG", "BMP")  # of which Pillow's image does not hold all
_MOST_FRAMES = 1000  # counted; a damaged file could name millions
_UNSAID, _USUAL = 2, (1, 13)  # code points of ITU-T H.273: those of sRGB are the usual ones


class Decoded(NamedTuple):
    """Upright pixels, Pillow's name of the format, metadata, and sentences for people."""

    pixels: Pixels
    format: str
    metadata: Metadata
    notices: tuple[str, ...]


def decode_stream(stream: BinaryIO, name: str, max_megapixels: float) -> Decoded:
    """Decode a file from its start. Raises PhotoError, which names the file."""
    head = stream.read(64)
    stream.seek(0)
    format = sniff(head)
    if format is None:
        raise PhotoError(f"{name} is {describe(head)}.")
    if format == "TIFF":
        return _from_tiff(stream, name, max_megapixels)
    if format == "JPEG" and (kind := unread_kind(stream)):
        raise PhotoError(
            f"{name} is a {kind} picture, which cannot be read; save it as plain JPEG first."
        )
    notices: list[str] = []
    opener = _opener(format, name)
    if format == "WEBP":
        stream, notices = with_true_length(stream)
    try:
        chunks = read_chunks(stream) if format == "PNG" else None
        image = opener(chunks.stream if chunks else stream, "")
    except Exception as error:  # Pillow's decoders raise anything at all for a damaged file
        raise PhotoError(what_is_wrong(name, error)) from error
    with image:
        if format == "BMP":
            place = stream.tell()
            image.info["icc_profile"] = profile_of_bmp(stream, notices)
            stream.seek(place)
        if format == "GIF" and (profile := profile_of_gif(stream)):
            image.info["icc_profile"] = profile
        return _decoded(image, format, name, max_megapixels, chunks, notices)


def decode_image(image: Image.Image, name: str, max_megapixels: float) -> Decoded:
    """Decode Pillow's image, in the frame that it is at."""
    format = {"MPO": "JPEG", None: "PNG"}.get(image.format, image.format)
    stream = getattr(image, "fp", None)
    if format in _READ_BY_US and stream is not None and getattr(image, "tile", None):
        place = stream.tell()  # nothing is decoded yet, so the file itself is read
        try:
            stream.seek(0)
            if format == "TIFF":
                return _from_tiff(stream, name, max_megapixels, image.tell())
            if image.tell() == 0 and sniff(stream.read(64)) == format:
                stream.seek(0)
                return decode_stream(stream, name, max_megapixels)
        finally:
            stream.seek(place)
    return _decoded(image, format, name, max_megapixels)


def _decoded(
    image: Image.Image,
    format: str,
    name: str,
    max_megapixels: float,
    chunks: Chunks | None = None,
    notices: Sequence[str] = (),
) -> Decoded:
    check_size(name, image.size, max_megapixels)
    notices = [*notices, *(chunks.notices if chunks else ())]
    try:
        key = transparent_value(image)
        told = (chunks.texts, chunks.exif) if chunks else ()
        metadata, orientation = read_metadata(image, *told)
        at_start, boxes = image.tell() == 0, _boxes_of(image)
        depth = _depth_lost(image, boxes)
        if chunks:
            pixels = _png_pixels(image, chunks, key, notices)
        else:
            if format == "JPEG" and image.info.get("icc_profile", b"") is None:
                notices.append(BAD_PROFILE)  # parts of it are missing
            described = _described_profile(image, boxes, notices)
            image.load()
            pixels = _cut(to_srgb(image, key, described), clean_aperture(boxes))
        if image.format == "TIFF":  # which Pillow has turned by itself
            orientation = 1
    except Exception as error:
        raise PhotoError(what_is_wrong(name, error)) from error
    if format == "BMP" and pixels.alpha is not None and not pixels.alpha.any():
        pixels = pixels._replace(alpha=None)  # as viewers do: writers left it at zero
        notices.append("Its transparency, which says that nothing is to be seen, was ignored.")
    if depth:
        notices.append(f"Its {depth} bits were reduced to 8.")
    if at_start and (frames := _count_frames(image)) > 1:
        notices.insert(0, _frames_notice(frames))
    return _upright(pixels, orientation, format, metadata, notices)


def _png_pixels(
    image: ImageFile.ImageFile,
    chunks: Chunks,
    key: int | tuple[int, ...] | None,
    notices: list[str],
) -> Pixels:
    others = {b"sRGB", b"gAMA", b"cHRM"} & chunks.color.keys()
    usable = not others or is_usable(image.info.get("icc_profile"), image.mode)
    if b"iCCP" in chunks.color and not usable:
        notices.append(BAD_PROFILE)
    profile = color_profile(chunks.color, notices, usable)
    exact = image.info.get("transparency")
    deep = sixteen_bits(image, lambda: open_png(chunks.stream))
    if profile is not None:
        image.info["icc_profile"] = profile
    elif not image.info.get("icc_profile"):
        notices.append(BAD_PROFILE)
    if deep is None:
        image.load()
        return to_srgb(image, key)
    alpha = rounded(deep[..., -1]) if deep.shape[2] in (2, 4) else None
    if alpha is None and isinstance(exact, tuple):
        alpha = np.where((deep == np.array(exact)).all(axis=2), 0, 255).astype(np.uint8)
    grey = deep.shape[2] == 2
    color = deep[..., 0] if grey else deep[..., :3]
    return samples_to_srgb("L" if grey else "RGB", color, alpha, image.info.get("icc_profile"), [])


def _from_tiff(
    stream: BinaryIO, name: str, max_megapixels: float, chosen: int | None = None
) -> Decoded:
    # tifffile takes a third of a second to import, so only where there is a TIFF file.
    from colorize.photo.tiff.pages import CameraRawError, UnreadableError, open_pages, whole

    try:
        pages = open_pages(stream, chosen)
        size = whole(pages.photo.imagewidth), whole(pages.photo.imagelength)
        check_size(name, size, max_megapixels)
        metadata, orientation = read_tiff_metadata(stream, pages)
        pixels = _tiff_pixels(stream, pages.photo)
    except CameraRawError as error:
        raise PhotoError(
            f"{name} is a camera's raw file; export it as JPEG or TIFF first."
        ) from error
    except UnreadableError as error:
        raise PhotoError(
            f"{name} is a TIFF with {error}, which cannot be read; "
            "save it as a plain 8- or 16-bit TIFF or as PNG first."
        ) from error
    except PhotoError:
        raise
    except Exception as error:  # as Pillow's, tifffile's code raises anything
        raise PhotoError(what_is_wrong(name, error)) from error
    several = not chosen and pages.count > 1
    notices = [_frames_notice(pages.count)] if several else []
    return _upright(pixels, orientation, "TIFF", metadata, notices)


def _tiff_pixels(stream: BinaryIO, page: "TiffPage") -> Pixels:
    from colorize.photo.tiff.picture import read_picture
    from colorize.photo.tiff.segments import OLD_JPEG, stream_at

    if page.compression == OLD_JPEG:  # which libtiff knows best
        with TiffImagePlugin.TiffImageFile(stream_at(stream, page)) as image:
            image.load()
            return to_srgb(image)
    picture = read_picture(page, stream)
    return samples_to_srgb(
        picture.mode, picture.samples, picture.alpha, picture.profile, picture.notices
    )


def _upright(
    pixels: Pixels, orientation: int, format: str, metadata: Metadata, notices: Sequence[str]
) -> Decoded:
    if orientation != 1:
        turned = (
            None if one is None else np.ascontiguousarray(_TURNS[orientation](one))
            for one in (pixels.color, pixels.alpha, pixels.levels)
        )
        color, alpha, levels = turned
        pixels = pixels._replace(color=color, alpha=alpha, levels=levels)
    return Decoded(pixels, format, metadata, (*notices, *pixels.notices))


def _opener(format: str, name: str) -> Callable[[BinaryIO, str], ImageFile.ImageFile]:
    if format == "HEIF":
        try:
            from pillow_heif import HeifImageFile

            return HeifImageFile
        except ImportError as error:
            raise PhotoError(
                f"{name} is a HEIC picture, which cannot be opened here; save it as JPEG first "
                "(whoever installed this: `pip install pillow-heif`)."
            ) from error
    if format in ("WEBP", "AVIF") and not features.check(format.lower()):
        raise PhotoError(f"{name} is a {format} picture, which this Pillow cannot open.")
    return _OPENERS[format]


def _count_frames(image: Image.Image) -> int:
    """How many frames the file holds, as far as that can be told."""
    with contextlib.suppress(Exception):  # further frames may be damaged: they are not used
        return min(getattr(image, "n_frames", 1), _MOST_FRAMES)
    return 1


def _frames_notice(frames: int) -> str:
    count = f"{frames} or more" if frames == _MOST_FRAMES else frames
    return f"Only the first of {count} frames is used."


def _boxes_of(image: Image.Image) -> list[tuple[bytes, bytes]]:
    """What an AVIF file says of its picture. To be asked before the pixels are loaded."""
    stream = getattr(image, "fp", None)
    return [] if image.format != "AVIF" or stream is None else properties_of(stream)


def _cut(pixels: Pixels, seen: tuple[int, int, int, int] | None) -> Pixels:
    """To what is to be seen, which Pillow leaves to others (and pillow-heif does not)."""
    if seen is None:
        return pixels
    left, top, right, bottom = seen
    color, alpha, levels = (
        None if one is None else np.ascontiguousarray(one[top:bottom, left:right])
        for one in (pixels.color, pixels.alpha, pixels.levels)
    )
    return pixels._replace(color=color, alpha=alpha, levels=levels)


def _described_profile(
    image: Image.Image, boxes: list[tuple[bytes, bytes]], notices: list[str]
) -> bytes | None:
    """The profile of a colour space that the file names by number: in the boxes of HEIC and AVIF,
    or in EXIF. None where it has a profile of its own."""
    if image.info.get("icc_profile"):
        return None
    if image.format in ("PNG", None) and (color := colors_of(image.info)):
        return color_profile(color, notices) or None
    points = code_points(boxes)
    if isinstance(told := image.info.get("nclx_profile"), dict):  # of pillow-heif
        points = CodePoints(
            int(told.get("color_primaries", 2)), int(told.get("transfer_characteristics", 2))
        )
    if points and set(points) != {_UNSAID}:
        said = (
            usual if point == _UNSAID else point
            for point, usual in zip(points, _USUAL, strict=True)
        )
        profile = profile_of_code_points(*said, notices)
        if profile is None:
            notices.append(
                f"Its colour space (primaries {points.primaries}, transfer {points.transfer}) is "
                "not known and was read as sRGB."
            )
        return profile or None
    return adobe_rgb() if says_adobe_rgb(image) else None


def _depth_lost(image: Image.Image, boxes: list[tuple[bytes, bytes]]) -> int | None:
    """How many bits a channel has of a HEIC or AVIF picture that is decoded to 8, if more."""
    depth = bits_a_channel(boxes) or image.info.get("bit_depth")
    return depth if isinstance(depth, int) and depth > 8 else None


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about odd files from the reader (and from being made errors).

    `warnings.catch_warnings` exchanges the filters of all threads and puts an old list back at its
    end, so that two at once undo each other. Here one rule goes in and comes out again; any number
    of threads may do so.
    """
    rule = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
    filters = warnings.filters
    filters.insert(0, rule)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # somebody has reset the filters
            filters.remove(rule)
