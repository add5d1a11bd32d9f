"""A picture file to a `Photo`, whatever its format, mode, profile or orientation."""

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from colorize.errors import printable
from colorize.photo.decoding import Decoded, decode_image, decode_stream, quiet_pillow
from colorize.photo.formats import FOR_FILMS
from colorize.photo.metadata import Metadata
from colorize.photo.pixels import channels_are_equal, samples_to_srgb
from colorize.photo.profiles import LEVELS, decode_srgb, lightness_of
from colorize.photo.refusals import PhotoError, check_size

if TYPE_CHECKING:
    from colorize.color.border import Border

__all__ = ["Photo", "PhotoError", "given_as", "quiet_pillow"]

_ROUNDING = 1 / 512  # by which floats may leave [0, 1]
_OF_A_FILM = "give a photo, such as a picture that a player, or the app, takes from the film"


@contextlib.contextmanager
def given_as(what: str) -> Iterator[None]:
    """Opens what is given beside a photo or film: PhotoErrors begin with what it was to be."""
    try:
        yield
    except PhotoError as error:
        raise PhotoError(f"{what}: {str(error).replace(FOR_FILMS, _OF_A_FILM)}") from error


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, upright and in sRGB.

    `pixels` is uint8 (h, w) for a grey photo, else (h, w, 3); `alpha` uint8 (h, w) or None.
    `format` is Pillow's name of what it came from ("PNG" for arrays), `name` a file name for
    messages, `source` the file that must not be written over. `notices` are sentences for people.
    `levels` is uint16 (h, w), the sRGB levels of the greys that are as light as the pixels, where
    the photo came with more than 8 bits a channel (and no profile made them fewer), else None.
    `edits` is a sentence on what was changed besides its colours, for its metadata, or empty.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    format: str = "PNG"
    name: str = "photo"
    source: Path | None = None
    notices: tuple[str, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    levels: np.ndarray | None = None
    edits: str = ""

    @classmethod
    def open(cls, source: Any, *, max_megapixels: float = 100) -> "Photo":
        """Open a path, a binary file object, bytes, a Pillow image, an array or a Photo.

        An array is (h, w), (h, w, 3) or (h, w, 4): uint8, uint16, bool, or floats in [0, 1]. Of a
        file with several frames the first is taken (a JPEG's further views are previews). Raises
        PhotoError for what is no photo, is damaged, or has more than `max_megapixels`, which is
        read from the header, before pixels are decoded.
        """
        if isinstance(source, Photo):
            check_size(source.name, source.size, max_megapixels)
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

    @cached_property
    def border(self) -> "Border | None":
        """Where the border of a scan ends, None where it has none; looked for once."""
        from colorize.color.border import find_border  # torch

        return find_border(self.pixels)

    def cropped(self) -> "Photo":
        """What is inside its border, upright; itself where it has none."""
        if (border := self.border) is None:
            return self
        color, alpha, levels = (
            None if one is None else border.cut(one)
            for one in (self.pixels, self.alpha, self.levels)
        )
        edits = f"Cropped to the picture inside its border. {self.edits}".strip()
        photo = replace(
            self,
            pixels=color,
            alpha=alpha,
            levels=levels,
            edits=edits,
            metadata=self.metadata.of_part(),
        )
        vars(photo)["border"] = None  # nor is one looked for
        return photo

    def restored(self) -> "Photo":
        """The photo in grey, its lightness stretched where it has lost its blacks or whites.

        Its last notice says from what to what, or that nothing had to be stretched.
        """
        from colorize.color.faded import find_tones, stretched

        tones = find_tones(self.pixels, self.border)
        if tones is None:
            told = "Its tones reach from black to white: nothing was stretched."
            return replace(self, notices=(*self.notices, told))
        told = (
            f"Its faded tones were stretched: lightness {tones.low:.0f} to {tones.high:.0f} of 100."
        )
        table = tones.table()
        photo = replace(
            self,
            pixels=stretched(self.pixels, table),
            levels=None if self.levels is None else table[self.levels],
            notices=(*self.notices, told),
            edits=f"{self.edits} {told}".strip(),
        )
        vars(photo)["border"] = self.border  # as it was found before
        return photo

    @property
    def lightness(self) -> np.ndarray | None:
        """L* of CIELAB as uint16 (h, w), 65535 for 100, where there are `levels`."""
        if self.levels is None:
            return None
        return lightness_of(decode_srgb(np.linspace(0, 1, LEVELS)))[self.levels]


def _from_path(path: Path, max_megapixels: float) -> Photo:
    name = printable(path.name or str(path))
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
    name = printable(path.name) if path else "photo"
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
    return _photo(decode_stream(stream, name, max_megapixels), name, source)


def _from_pillow(image: Image.Image, max_megapixels: float) -> Photo:
    source = _file_named(getattr(image, "filename", None))
    name = printable(source.name) if source else "photo"
    return _photo(decode_image(image, name, max_megapixels), name, source)


def _photo(decoded: Decoded, name: str, source: Path | None) -> Photo:
    color, alpha, _, levels = decoded.pixels
    return Photo(
        color, alpha, decoded.format, name, source, decoded.notices, decoded.metadata, levels
    )


def _from_array(array: np.ndarray, max_megapixels: float) -> Photo:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        hint = "; move the channels last" if array.shape[:1] in ((1,), (3,), (4,)) else ""
        raise PhotoError(
            "An array of shape (h, w), (h, w, 3) or (h, w, 4) is expected, "
            f"not {array.shape}{hint}."
        )
    check_size("The array", array.shape[1::-1], max_megapixels)
    pixels = _eight_bits(array)
    alpha = pixels[..., 3].copy() if pixels.shape[2:] == (4,) else None
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if channels_are_equal(pixels) else pixels[..., :3]
    return Photo(np.ascontiguousarray(pixels), alpha, levels=_levels(array))


def _levels(array: np.ndarray) -> np.ndarray | None:
    """Of an array of more than 8 bits."""
    if array.dtype in (np.uint8, np.bool_):
        return None
    if array.dtype != np.uint16:
        array = np.rint(np.clip(array, 0, 1) * np.float64(65_535)).astype(np.uint16)
    mode = "L" if array.ndim == 2 else "RGB"
    samples = array[..., :3] if mode == "RGB" else array
    return samples_to_srgb(mode, samples, None, None, []).levels


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


def _file_named(name: object) -> Path | None:
    """The file behind an open file or an image, if there is one."""
    if not isinstance(name, str | os.PathLike) or not name or not Path(name).is_file():
        return None
    return Path(name).absolute()
