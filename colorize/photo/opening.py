"""A picture file to a `Photo`, whatever its format, mode, profile or orientation."""

import contextlib
import io
import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from colorize.errors import ColorizeError
from colorize.photo.formats import describe, sniff
from colorize.photo.metadata import Metadata, read_metadata
from colorize.photo.pixels import channels_are_equal, to_srgb, transparent_value

_OPENERS: dict[str, Callable[[BinaryIO, str], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DNG_VERSION, _SUBFILE_TYPE, _REDUCED = 50706, 254, 1  # TIFF
_MOST_FRAMES = 1000  # counted; a damaged file could name millions
_ROUNDING = 1 / 512  # by which floats may leave [0, 1]
_REASONS = {
    MemoryError: "needs more memory than there is; make it smaller first.",
    Image.DecompressionBombError: "is too large to be opened; make it smaller first.",
    "truncated|incomplete|not large enough|end of file|decode next frame": (
        "is cut off or damaged; copy it again from where it came."
    ),
    "decompressed data too large|text chunks": (
        "carries a suspiciously large text or colour profile; save it without metadata first."
    ),
    "finite number": "holds no usable values (NaN or infinity only); give another picture.",
    "unknown pixel mode|unsupported|cannot handle|not supported|conversion from": (
        "is of a rare kind that cannot be read; save it as PNG or JPEG first."
    ),
}


class PhotoError(ColorizeError):
    """A picture that cannot be read or written: one sentence that names the file."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, upright and in sRGB.

    `pixels` is uint8 (h, w) for a grey photo, else (h, w, 3); `alpha` uint8 (h, w) or None.
    `format` is Pillow's name of what it came from ("PNG" for arrays), `name` a file name for
    messages, `source` the file that must not be written over. `notices` are sentences for people.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    format: str = "PNG"
    name: str = "photo"
    source: Path | None = None
    notices: tuple[str, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)

    @classmethod
    def open(cls, source: Any, *, max_megapixels: float = 100) -> "Photo":
        """Open a path, a binary file object, bytes, a Pillow image, an array or a Photo.

        An array is (h, w), (h, w, 3) or (h, w, 4): uint8, uint16, bool, or floats in [0, 1]. Of a
        file with several frames the first is taken (a JPEG's further views are previews). Raises
        PhotoError for what is no photo, is damaged, or has more than `max_megapixels`, which is
        read from the header, before pixels are decoded.
        """
        if isinstance(source, Photo):
            _check_size(source.name, source.size, max_megapixels)
            return source
        if isinstance(source, np.ndarray):
            return _from_array(source, max_megapixels)
        with quiet_pillow():
            if isinstance(source, Image.Image):
                return _from_pillow(source, max_megapixels)
            if isinstance(source, str | os.PathLike):
                return _from_path(Path(source), max_megapixels)
            if isinstance(source, bytes | bytearray | memoryview):
                return _from_stream(io.BytesIO(source), "photo", None, max_megapixels)
            if hasattr(source, "read"):
                return _from_file_object(source, max_megapixels)
        raise PhotoError(
            "A photo is a path, a binary file object, bytes, a Pillow image or an array, "
            f"not {type(source).__name__}."
        )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright photo."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def is_grey(self) -> bool:
        return self.pixels.ndim == 2


def _from_path(path: Path, max_megapixels: float) -> Photo:
    name = _printable(path.name or str(path))
    try:
        if path.is_dir():
            raise PhotoError(f"{name} is a folder; give a picture file.")
        if not path.exists():
            raise PhotoError(f"{name} was not found; check the name and the folder.")
        if not path.is_file():
            raise PhotoError(f"{name} is not a regular file; give a picture file.")
        with path.open("rb") as stream:
            return _from_stream(stream, name, path.absolute(), max_megapixels)
    except PermissionError as error:
        raise PhotoError(f"{name} may not be read; check its permissions.") from error
    except OSError as error:
        reason = error.strerror or "reading failed"
        raise PhotoError(f"{name} cannot be read ({reason}); check the disk.") from error


def _from_file_object(source: Any, max_megapixels: float) -> Photo:
    path = _file_named(getattr(source, "name", None))
    name = _printable(path.name) if path else "photo"
    try:
        with contextlib.suppress(AttributeError, io.UnsupportedOperation):
            source.seek(0)
        data = source.read()
    except (OSError, ValueError) as error:
        raise PhotoError(f"{name} cannot be read; open the file again.") from error
    if not isinstance(data, bytes | bytearray | memoryview):
        raise PhotoError(f'{name} is opened as text; open it in binary mode ("rb").')
    return _from_stream(io.BytesIO(data), name, path, max_megapixels)


def _from_stream(stream: BinaryIO, name: str, source: Path | None, max_megapixels: float) -> Photo:
    head = stream.read(64)
    stream.seek(0)
    format = sniff(head)
    if format is None:
        raise PhotoError(f"{name} is {describe(head)}.")
    opener = _opener(format, name)
    try:
        image = opener(stream, "")
    except Exception as error:  # Pillow's decoders raise anything at all for a damaged file
        raise PhotoError(_what_is_wrong(name, error)) from error
    with image:
        return _decoded(image, format, name, source, max_megapixels)


def _from_pillow(image: Image.Image, max_megapixels: float) -> Photo:
    source = _file_named(getattr(image, "filename", None))
    name = _printable(source.name) if source else "photo"
    format = {"MPO": "JPEG", None: "PNG"}.get(image.format, image.format)
    return _decoded(image, format, name, source, max_megapixels)


def _decoded(
    image: Image.Image, format: str, name: str, source: Path | None, max_megapixels: float
) -> Photo:
    _check_size(name, image.size, max_megapixels)
    _check_not_raw(name, image)
    try:
        key = transparent_value(image)
        metadata, orientation = read_metadata(image)
        at_start = image.tell() == 0
        image.load()
        if image.format == "PNG":  # its EXIF and XMP may stand after the pixels
            metadata, orientation = read_metadata(image)
        upright = image
        if orientation != 1 and image.format != "TIFF":  # which Pillow has turned by itself
            upright = image.transpose(_TURNS[orientation])
            upright.format = image.format
        color, alpha, notices = to_srgb(upright, key)
    except Exception as error:
        raise PhotoError(_what_is_wrong(name, error)) from error
    if at_start and (frames := _count_frames(image)) > 1:
        count = f"{frames} or more" if frames == _MOST_FRAMES else frames
        notices.insert(0, f"Only the first of {count} frames is used.")
    return Photo(color, alpha, format, name, source, tuple(notices), metadata)


def _from_array(array: np.ndarray, max_megapixels: float) -> Photo:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        hint = "; move the channels last" if array.shape[:1] in ((1,), (3,), (4,)) else ""
        raise PhotoError(
            "An array of shape (h, w), (h, w, 3) or (h, w, 4) is expected, "
            f"not {array.shape}{hint}."
        )
    _check_size("The array", array.shape[1::-1], max_megapixels)
    pixels = _eight_bits(array)
    alpha = pixels[..., 3].copy() if pixels.shape[2:] == (4,) else None
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if channels_are_equal(pixels) else pixels[..., :3]
    return Photo(np.ascontiguousarray(pixels), alpha)


def _eight_bits(array: np.ndarray) -> np.ndarray:
    """A copy as uint8."""
    if array.dtype == np.uint8:
        return array.copy()
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return np.rint(array / np.float32(257)).astype(np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        raise PhotoError(
            f"An array of uint8, uint16, bool or floats in [0, 1] is expected, not {array.dtype}; "
            "convert it with astype."
        )
    if not (array.min() >= -_ROUNDING and array.max() <= 1 + _ROUNDING):  # nor NaN
        raise PhotoError(
            f"An array of floats must lie in [0, 1]; this one runs from {array.min():g} to "
            f"{array.max():g}, so scale it first."
        )
    return np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)


def _opener(format: str, name: str) -> Callable[[BinaryIO, str], ImageFile.ImageFile]:
    if format == "HEIF":
        try:
            from pillow_heif import HeifImageFile
        except ImportError as error:
            raise PhotoError(
                f"{name} is a HEIC picture; run `pip install pillow-heif` to open these, "
                "or save it as JPEG."
            ) from error
        return HeifImageFile
    if format in ("WEBP", "AVIF") and not features.check(format.lower()):
        raise PhotoError(f"{name} is a {format} picture, which this Pillow cannot open.")
    return _OPENERS[format]


def _check_size(name: str, size: tuple[int, int], max_megapixels: float) -> None:
    width, height = size
    if not width or not height:
        raise PhotoError(f"{name} has no pixels ({width} x {height}); give another picture.")
    if width * height > max_megapixels * 1e6:
        raise PhotoError(
            f"{name} has {width:,} x {height:,} pixels ({width * height / 1e6:,.1f} megapixels), "
            f"more than the {max_megapixels:g} megapixels allowed; make it smaller first."
        )


def _check_not_raw(name: str, image: Image.Image) -> None:
    """Most cameras' raw files are TIFF files that begin with a thumbnail."""
    tags = getattr(image, "tag_v2", {})
    if _DNG_VERSION in tags or tags.get(_SUBFILE_TYPE, 0) == _REDUCED:
        raise PhotoError(f"{name} is a camera's raw file; export it as JPEG or TIFF first.")


def _count_frames(image: Image.Image) -> int:
    """How many frames the file holds, as far as that can be told."""
    frames = 1
    with contextlib.suppress(Exception):  # further frames may be damaged: they are not used
        if image.format != "TIFF":
            return getattr(image, "n_frames", 1)
        while frames < _MOST_FRAMES:
            image.seek(frames)
            frames += 1
    if image.format == "TIFF":
        with contextlib.suppress(Exception):
            image.seek(0)
    return frames


def _what_is_wrong(name: str, error: Exception) -> str:
    """One sentence for a failure to decode."""
    reason = str(error).lower()
    for words, sentence in _REASONS.items():
        if isinstance(error, words) if isinstance(words, type) else re.search(words, reason):
            return f"{name} {sentence}"
    return f"{name} is damaged and cannot be decoded; copy it again from where it came."


def _file_named(name: object) -> Path | None:
    """The file behind an open file or an image, if there is one."""
    if not isinstance(name, str | os.PathLike) or not name or not Path(name).is_file():
        return None
    return Path(name).absolute()


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)


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
