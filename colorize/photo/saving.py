"""A colorized picture to a file: whole or not at all, never over its input, and disclosed."""

import contextlib
import functools
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFont, PngImagePlugin, features

from colorize.files import replacing
from colorize.photo.codecs.png import write_sixteen_bits as write_png
from colorize.photo.exif import ORIENTATION
from colorize.photo.formats import ENDINGS, LARGEST_SIDE, WITH_16_BITS, WITH_ALPHA, WRITABLE
from colorize.photo.metadata import Outgoing, jpeg_segments, outgoing, png_profile
from colorize.photo.metadata.xmp import XMP_KEYWORD
from colorize.photo.opening import Photo, PhotoError, quiet_pillow
from colorize.photo.pixels import image_of, rounded

_CHOICES = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
FORMAT_CHOICES = ("keep", *_CHOICES)
_INSTEAD = {"GIF": "GIF holds too few colours", "HEIF": "HEIC cannot be written"}  # comes PNG
PNG_LEVEL = 2  # `python -m benchmarks stages` gives time and size of others
_MARK = "colorized"
_PREDICTOR, _HORIZONTAL = 317, 2  # TIFF 6.0, section 14


class NotWrittenError(PhotoError):
    """The disk refuses a file; `error` is what it said."""

    def __init__(self, name: str | os.PathLike[str], error: OSError) -> None:
        reason = error.strerror or "writing failed"
        super().__init__(f"{name} was not written ({reason}); check the folder and the free space.")
        self.error = error


class Saved(NamedTuple):
    """Where the picture lies now, and what the reader should know about it."""

    path: Path
    notices: list[str]


def output_format(photo: Photo, choice: str = "keep") -> tuple[str, str]:
    """Pillow's name and the ending of a photo's output, by one of `FORMAT_CHOICES`.

    `keep` keeps what can be written and turns the rest into PNG. The ending stays as it is where it
    fits the format (".JPG", ".jpeg").
    """
    if choice != "keep" and choice not in _CHOICES:
        raise PhotoError(f"The format is keep, jpg, png or webp, not {choice!r}.")
    format = _CHOICES.get(choice, photo.format)
    if format not in WRITABLE:
        format = "PNG"
    own = Path(photo.name).suffix
    return format, own if own.lower() in ENDINGS[format] else ENDINGS[format][0]


def losses(photo: Photo, choice: str = "keep") -> list[str]:
    """Sentences on what of the photo's metadata a result in the format of `choice` will not have:
    the notices of saving, before anything is colorized."""
    format, _ = output_format(photo, choice)
    data = outgoing(photo.metadata, format, photo.size, strip=False, model="", weights_hash="")
    return data.notices + _depth_lost(photo, format)


def instead(format: str, photos: int = 1) -> str:
    """The sentence on photos of a format (Pillow's name) that a result cannot keep, else empty."""
    if format not in _INSTEAD:
        return ""
    what = "it comes" if photos == 1 else f"{photos} photos come"
    return f"{_INSTEAD[format]}: {what} back as PNG, unless another format is chosen."


def foretold(photo: Photo) -> list[str]:
    """Sentences on a result in the photo's own format, before anything is colorized: whether it is
    in that one, whether 16 bits a channel stay, and the `losses`."""
    is_kept = photo.levels is not None and output_format(photo)[0] in WITH_16_BITS
    kept = ["It comes back with 16 bits a channel, as JPEG with 8."] if is_kept else []
    other = instead(photo.format)
    return [other] * bool(other) + kept + losses(photo)


def is_deep(photo: Photo, path: str | os.PathLike[str], format: str | None = None) -> bool:
    """Whether the photo came with more than 8 bits a channel and the file at `path` is to hold 16.

    format: as `save_picture` takes it, which raises the same errors.
    """
    return photo.levels is not None and _format_of(Path(path), format) in WITH_16_BITS


def _depth_lost(photo: Photo, format: str) -> list[str]:
    if photo.levels is None or format in WITH_16_BITS:
        return []
    return [f"Its 16 bits a channel become 8: {format} holds no more; choose PNG or TIFF."]


def save_picture(
    picture: np.ndarray,
    path: str | os.PathLike[str],
    photo: Photo,
    *,
    format: str | None = None,
    quality: int = 95,
    strip: bool = False,
    mark: bool = False,
    model: str,
    weights_hash: str,
    overwrite: bool = True,
) -> Saved:
    """Write the colorized `picture` (sRGB (h, w, 3), of the photo's size) to `path`.

    It is uint8 or, for the formats of `WITH_16_BITS`, uint16 (`is_deep` says where it should be).

    The photo's alpha, EXIF, XMP and resolution go along, unless `strip`; in any case the file says
    that its colours were made by `model` (EXIF Software, XMP DigitalSourceType) where its format
    can. `format` is Pillow's name, by default that of the path's ending. `quality` (1 to 100) is
    for JPEG, WebP and AVIF. `mark` writes "colorized" small into the lower right corner.

    The file appears complete under its name, or nothing does. Raises PhotoError for the photo's own
    file, a folder that is not there, a format that cannot be written, a full disk.
    """
    path = Path(path)
    format = _format_of(path, format)
    _check_place(path, photo, overwrite)
    types = (np.uint8, np.uint16) if format in WITH_16_BITS else (np.uint8,)
    if picture.dtype not in types or picture.shape != (*photo.size[::-1], 3):
        raise PhotoError(
            f"The picture for {path.name} is expected as uint8 {(*photo.size[::-1], 3)}, "
            f"not {picture.dtype} {picture.shape}."
        )
    if max(photo.size) > LARGEST_SIDE.get(format, math.inf):
        raise PhotoError(
            f"{path.name} cannot be written: {format} holds at most {LARGEST_SIDE[format]:,} "
            "pixels a side; choose PNG."
        )
    if quality not in range(1, 101):
        raise PhotoError(f"The quality is a whole number from 1 to 100, not {quality!r}.")
    data = outgoing(
        photo.metadata,
        format,
        photo.size,
        strip=strip,
        model=model,
        weights_hash=weights_hash,
        edits=photo.edits,
    )
    notices = _depth_lost(photo, format)
    if picture.dtype == np.uint16:
        write = _deep_writer(picture, photo.alpha, mark, format, data)
    else:
        image, more = _laid_out(picture, photo.alpha, format)
        notices += more
        if mark:
            draw_mark(image)
        options = _options(format, quality, data)
        write = functools.partial(image.save, format=format, **options)
    with quiet_pillow(), _appearing(path) as file:
        _encode(write, file, path, format)
        if format == "TIFF":
            data.exif.add_to_tiff(file)
    return Saved(path, data.notices + notices)


def _deep_writer(
    picture: np.ndarray, alpha: np.ndarray | None, mark: bool, format: str, data: Outgoing
) -> Callable[[BinaryIO], None]:
    """What writes 16 bits a channel; of alpha, 8 bits are known."""
    if mark:
        picture = _with_mark(picture)
    if alpha is not None:
        picture = np.dstack((picture, alpha.astype(np.uint16) * 257))
    if format == "PNG":
        options = _options(format, 100, data)
        return lambda file: write_png(file, picture, PNG_LEVEL, options)
    # tifffile takes a third of a second to import, so only where there is a TIFF file.
    from colorize.photo.tiff.writing import write_sixteen_bits as write_tiff

    return lambda file: write_tiff(file, picture, srgb_profile(), data.dpi)


def _with_mark(picture: np.ndarray) -> np.ndarray:
    """A copy of a uint16 picture, the mark drawn on it where 8 bits show it."""
    plain = rounded(picture)
    image = Image.fromarray(plain)
    draw_mark(image)
    marked = np.asarray(image)
    changed = (marked != plain).any(axis=2)
    out = picture.copy()
    out[changed] = marked[changed].astype(np.uint16) * 257
    return out


def draw_mark(image: Image.Image) -> None:
    """Write "colorized" into the lower right corner of an RGB or RGBA image.

    Light on dark, so that it reads on any picture, over at most a twentieth of it; where letters of
    10 pixels would need more, three small stripes of colour stand for it.
    """
    width, height = image.size
    letters = max(10, round(min(width, height) * 0.022))
    font = ImageFont.load_default(letters)
    pad = letters // 3
    left, top, right, bottom = font.getbbox(_MARK)
    box_width, box_height = int(right - left) + 2 * pad, int(bottom - top) + 2 * pad
    if box_width * box_height <= width * height / 20 and box_width <= width / 2:
        place = (width - box_width, height - box_height, width, height)
        patch = image.crop(place).convert("RGB")
        patch = Image.blend(patch, Image.new("RGB", patch.size), 0.65)
        ImageDraw.Draw(patch).text((pad - left, pad - top), _MARK, fill="white", font=font)
        image.paste(patch, place)
        return
    stripe = min(int(math.sqrt(width * height / 50)), width // 2, height // 2) // 3
    for number, color in enumerate(((0, 0, 255), (0, 160, 0), (220, 0, 0)), 1):
        right = width - (number - 1) * stripe
        image.paste(color, (right - stripe, height - 3 * stripe, right, height))


def _format_of(path: Path, format: str | None) -> str:
    if format is None:
        ending = path.suffix.lower()
        format = next((name for name, endings in ENDINGS.items() if ending in endings), None)
        if format is None:
            known = ", ".join(ENDINGS[name][0] for name in WRITABLE)
            raise PhotoError(f"{path.name} does not end like a picture; use one of {known}.")
    if format not in WRITABLE:
        raise PhotoError(f"{path.name} cannot be written as {format}; choose PNG.")
    if format in ("WEBP", "AVIF") and not features.check(format.lower()):
        raise PhotoError(f"{path.name} cannot be written: this Pillow has no {format}; choose PNG.")
    return format


def _check_place(path: Path, photo: Photo, overwrite: bool) -> None:
    try:
        if path.is_dir():
            raise PhotoError(f"{path.name} is a folder; give the name of a file.")
        if not path.parent.is_dir():
            raise PhotoError(f"There is no folder {path.parent} for {path.name}; make it first.")
        if not path.exists():
            return
        if photo.source and photo.source.exists() and path.samefile(photo.source):
            raise PhotoError(f"{path.name} is the photo itself; choose another name.")
    except OSError as error:
        raise PhotoError(f"{path.name} cannot be written ({error.strerror}).") from error
    if not overwrite:
        raise PhotoError(f"{path.name} exists already; choose another name or allow overwriting.")


def _laid_out(
    picture: np.ndarray, alpha: np.ndarray | None, format: str
) -> tuple[Image.Image, list[str]]:
    """An image with the alpha channel where the format can hold it, else laid on white."""
    image = image_of(picture)
    if alpha is None and format == "JPEG":  # whose encoder takes RGBX
        return image, []
    image = image if image.mode == "RGB" else image.convert("RGB")
    if alpha is None:
        return image, []
    mask = Image.fromarray(alpha)
    if format in WITH_ALPHA:
        image.putalpha(mask)
        return image, []
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=mask)
    seen = alpha.min() < 255
    return white, [f"Transparent parts were laid on white: {format} has none."] if seen else []


def _options(format: str, quality: int, data: Outgoing) -> dict[str, Any]:
    """What Pillow's writer of the format is told."""
    exif = data.exif
    if format == "AVIF":  # else Pillow writes all anew, in ASCII
        exif = replace(exif, image={k: v for k, v in exif.image.items() if k != ORIENTATION})
    exif = b"Exif\0\0" + exif.pack()
    options: dict[str, Any] = {"dpi": data.dpi} if data.dpi else {}
    if format == "BMP":
        return options
    options["icc_profile"] = srgb_profile()
    if format == "JPEG":
        # Not optimize=True: Pillow's buffer for it is too small for noisy pictures.
        options |= {"quality": quality, "subsampling": 0, "exif": exif, "xmp": data.xmp}
        return options | {"extra": jpeg_segments(data)}
    if format == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt(XMP_KEYWORD, data.xmp)
        texts: dict[str, str] = {}  # readers keep one of a keyword
        for keyword, text in data.texts:
            if not _is_keyword(keyword):
                keyword, text = "Comment", f"{keyword}: {text}"
            texts[keyword] = f"{texts[keyword]}\n{text}" if keyword in texts else text
        for keyword, text in texts.items():
            info.add_itxt(keyword, text)
        if data.resources:
            info.add_text(*png_profile(data.resources), zip=True)
        return options | {"compress_level": PNG_LEVEL, "exif": exif, "pnginfo": info}
    if format == "TIFF":
        return options | {"compression": "tiff_lzw", "tiffinfo": {_PREDICTOR: _HORIZONTAL}}
    options |= {"quality": quality, "exif": exif, "xmp": data.xmp}
    return options | ({"subsampling": "4:4:4", "speed": 8} if format == "AVIF" else {"method": 4})


def _is_keyword(text: str) -> bool:
    """Whether a PNG can have it (PNG 11.3.3.2)."""
    return 0 < len(text) < 80 and text.isprintable() and max(text) <= "\xff"


@functools.cache
def srgb_profile() -> bytes:
    """The sRGB profile that outputs carry, the same at any time."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = (2000, 1, 1, 0, 0, 0)  # else the time of day would be in every file (ICC.1, 7.2.8)
    return data[:24] + b"".join(value.to_bytes(2, "big") for value in made) + data[36:]


@contextlib.contextmanager
def _appearing(path: Path) -> Iterator[BinaryIO]:
    """`replacing`, with a sentence for people where the disk refuses."""
    try:
        with replacing(path, tidy=False) as file:
            yield file
    except OSError as error:
        raise NotWrittenError(path.name, error) from error


def _encode(write: Callable[[BinaryIO], None], file: BinaryIO, path: Path, format: str) -> None:
    try:
        write(file)
    except OSError:
        raise
    except Exception as error:  # encoders raise anything
        raise PhotoError(f"{path.name} cannot be written as {format} ({error}).") from error
