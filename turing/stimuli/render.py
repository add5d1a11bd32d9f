"""A study's pictures: a photo's parts, each made by the same `render(L, ab)`, in one PNG.

This and `plates` alone import colorize in this package.
"""

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize import __version__
from colorize.color.lab import lab_from_rgb, linear_from_srgb, rgb_from_lab
from colorize.color.render import lightness
from colorize.color.resample import enlarged_part, resize_picture
from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer
from colorize.models.record import Record, find_record, list_checkpoints, read_record
from colorize.photo.formats import PICTURE_ENDINGS
from colorize.photo.opening import Photo
from turing.errors import TuringError
from turing.stimuli import png
from turing.stimuli.photos import perceptual_hash
from turing.stimuli.rounding import round_to_luminance
from turing.study.trials import WILD, Protocol

PROGRAM = f"colorize-turing {__version__}"
RENDERER = 1  # to be raised when the same input gives other pictures
ENDINGS = PICTURE_ENDINGS
CONTROL = re.compile(r"control-([1-9]\d{0,3})")
LONGEST = 3  # a strip's long side is at most so many times the display size
BACKGROUND = 119  # sRGB of L 50, the page's

_MEASURED, _COMPARED = 256, 64  # short sides at which photos are measured, and compared
_GRAIN = 0.7  # of the way from a grey level to where the next one begins
_MARGIN = 0.002  # in L, from a grey level's ends: whoever computes L anew finds the same level
_WILD_GRID, _WILD_CHROMA = 4, 75.0


def _luminance(L: Tensor) -> Tensor:
    """Linear light in [0, 1] of L in [0, 100], any shape."""
    lab = torch.zeros(3, 1, L.numel(), dtype=L.dtype)
    lab[0, 0] = L.flatten()
    return linear_from_srgb(rgb_from_lab(lab))[1].reshape(L.shape)


# The 256 grey levels of 8-bit sRGB: their L, the L half-way between neighbours, how far the grain
# may go, the luminance at which each begins and ends, and what each level of a channel adds to it.
_LEVELS = torch.arange(256, dtype=torch.float64) / 255
_GREYS = lab_from_rgb(_LEVELS.expand(3, 1, 256))[0, 0]
_EDGES = (_GREYS[1:] + _GREYS[:-1]) / 2
_STEPS = F.pad(torch.diff(_GREYS), (1, 1))
_ROOM = _GRAIN * torch.minimum(_STEPS[1:], _STEPS[:-1]) / 2
_LOW = F.pad(_luminance(_EDGES + _MARGIN), (1, 0), value=-1).numpy()
_HIGH = F.pad(_luminance(_EDGES - _MARGIN), (0, 1), value=2).numpy()
_CHANNELS = np.array([[0.212671], [0.715160], [0.072169]]) * linear_from_srgb(_LEVELS).numpy()


class Measured(NamedTuple):
    """What decides whether a photo is used: its size in pixels, perceptual hash, mean chroma."""

    width: int
    height: int
    phash: str
    chroma: float


@dataclass(frozen=True, eq=False)
class Displayed:
    """A photo at display size.

    `pixels` uint8 sRGB `(h, w, 3)`; `L` `(1, h, w)`, that of every part; `external` maps models to
    somebody else's pictures of it.
    """

    photo: Photo
    sha256: str
    pixels: np.ndarray
    L: Tensor
    external: dict[str, Path]


def open_photo(path: Path) -> Photo:
    """An upright sRGB photo, transparency laid on white. TuringError for what is no photo."""
    with _own_errors():
        photo = Photo.open(path)
    if photo.alpha is None:
        return photo
    picture = Image.new("RGB", photo.size, "white")
    picture.paste(Image.fromarray(photo.pixels).convert("RGB"), mask=Image.fromarray(photo.alpha))
    return replace(photo, pixels=np.asarray(picture), alpha=None)


def measure(path: Path) -> Measured:
    """TuringError for what is no photo."""
    photo = open_photo(path)
    pixels = _resized(photo, min(_MEASURED, *photo.size))
    lab = _lab(pixels)
    grey = lab[0].mul(2.55).round().byte().numpy()
    return Measured(*photo.size, perceptual_hash(grey), float(lab[1:].norm(dim=0).mean()))


def likeness(photo: Path, colorization: Path) -> float:
    """How well the lightness of two pictures agrees: their correlation, stretched to one shape."""
    first = lightness(_resized(open_photo(photo), _COMPARED))
    height, width = first.shape[1:]
    pixels = open_photo(colorization).pixels
    second = lightness(resize_picture(pixels, (width, height), Image.Resampling.BILINEAR))
    pair = torch.stack((first.flatten(), second.flatten()))
    return float(torch.corrcoef(pair).nan_to_num()[0, 1])


def display(path: Path, sha256: str, size: int, external: dict[str, Path]) -> Displayed:
    """A photo resized, once, to a short side of `size` pixels, before L and ab part."""
    photo = open_photo(path)
    pixels = _resized(photo, size)
    return Displayed(photo, sha256, pixels, display_lightness(pixels, sha256), external)


def display_size(photo_size: tuple[int, int], size: int) -> tuple[int, int]:
    """(width, height) of a photo of (width, height) on the screen."""
    short, long = sorted(photo_size)
    scale = min(size / short, LONGEST * size / long)
    return tuple(max(1, round(side * scale)) for side in photo_size)


def display_lightness(pixels: np.ndarray, seed: str) -> Tensor:
    """L `(1, h, w)` of uint8 sRGB `(h, w, 3)`: the nearest grey level, and a little grain.

    The grain (at most 0.15) hides where in a grey level a colour can be rounded to, which would
    follow from the colour; it follows from `seed`.
    """
    with torch.inference_mode():
        grey = torch.bucketize(lightness(pixels).double(), _EDGES)
        bytes_ = hashlib.shake_256(seed.encode()).digest(grey.numel())
        grain = torch.frombuffer(bytearray(bytes_), dtype=torch.uint8).reshape(grey.shape)
        return (_GREYS[grey] + _ROOM[grey] * (grain / 127.5 - 1)).float()


def render(L: Tensor, ab: Tensor) -> np.ndarray:
    """uint8 sRGB `(h, w, 3)` of L `(1, h, w)`, from `display_lightness`, and ab `(2, any, any)`.

    ab is resized, chroma scaled into gamut, and the rounding keeps L: the grey versions of two
    pictures with one L are equal in every byte.
    """
    height, width = L.shape[1:]
    with torch.inference_mode():
        ab = enlarged_part(ab.float(), (height, width), slice(0, height), slice(0, width))
        rgb = rgb_from_lab(torch.cat((L, ab))).mul(255).flatten(1).double().numpy()
        exact = L.flatten().double()
        grey = torch.bucketize(exact, _EDGES).numpy()
        target = _luminance(exact).numpy()
    rounded = round_to_luminance(rgb, _LOW[grey], target, _HIGH[grey], _CHANNELS)
    return np.ascontiguousarray(rounded.reshape(3, height, width).transpose(1, 2, 0))


def compose(parts: Sequence[np.ndarray], canvas: tuple[int, int] | None) -> bytes:
    """The PNG of one or two parts, side by side.

    With a canvas (width, height) it lies in the middle of one, and its length follows from that.
    """
    picture = np.concatenate(parts, axis=1)
    if canvas is None:
        return png.encode(picture)
    sheet = np.full((canvas[1], canvas[0], 3), BACKGROUND, np.uint8)
    height, width = picture.shape[:2]
    top, left = (canvas[1] - height) // 2, (canvas[0] - width) // 2
    sheet[top : top + height, left : left + width] = picture
    return png.encode(sheet, stored=True)


class Colours:
    """Where the colours of a study's parts come from. Networks are loaded when first used.

    Models are names of checkpoints; of external colorizations, as `Displayed.external` has them;
    or `control-SIZE`: the original's own ab at a short side of SIZE pixels and back, which shows
    what a model's resolution alone gives away.
    """

    def __init__(self, models: Sequence[str], device: str = "auto") -> None:
        """Of checkpoints and controls. TuringError has a line for each that cannot be used."""
        self._device = device
        self._colorizers: dict[str, Colorizer] = {}
        self.records: dict[str, Record] = {}
        faults = []
        for model in models:
            try:
                if not CONTROL.fullmatch(model):
                    self.records[model] = read_record(find_record(model))
            except ColorizeError as error:
                faults.append(f"stimuli.models: {error}")
        if faults:
            raise TuringError("\n".join(faults))

    def made_of(self, part: str | None) -> tuple[str | None, dict[str, Any] | None]:
        """SHA-256 of a checkpoint's weights, and how it is run; None where there is none."""
        record = self.records.get(part)
        if record is None:
            return None, None
        keys = ("network", "arguments", "size", "decoding", "lightness", "ab_scale")
        stretched = {"stretch": True} if record.stretch else {}  # not there in earlier studies
        settings = {key: getattr(record, key) for key in keys} | stretched
        return record.weights["sha256"], settings

    def origins(self, models: Iterable[str]) -> dict[str, dict[str, str]]:
        """Licence, source and SHA-256 of the weights, of those models that are checkpoints."""
        return {
            model: {
                "licence": record.licence,
                "source": record.source,
                "sha256": record.weights["sha256"],
            }
            for model in models
            if (record := self.records.get(model))
        }

    def ab(self, part: str | None, photos: Sequence[Displayed]) -> list[Tensor]:
        """ab `(2, h, w)` of each photo, at whatever resolution it comes."""
        if part in self.records:
            return self._predicted(part, [shown.photo for shown in photos])
        return [self._of_one(part, shown) for shown in photos]

    def _of_one(self, part: str | None, shown: Displayed) -> Tensor:
        if part is None:
            return _lab(shown.pixels)[1:]
        if part == WILD:
            return _wild(shown.sha256)
        if part in shown.external:
            pixels = open_photo(shown.external[part]).pixels
            size = shown.pixels.shape[1::-1]
            return _lab(_three_channels(resize_picture(pixels, size, Image.Resampling.LANCZOS)))[1:]
        return _reduced(_lab(shown.pixels)[1:], int(CONTROL.fullmatch(part)[1]))

    def _predicted(self, model: str, photos: Sequence[Photo]) -> list[Tensor]:
        with _own_errors():
            if model not in self._colorizers:
                self._colorizers[model] = Colorizer(model, self._device)
            colorizer = self._colorizers[model]
            predictions = zip(photos, colorizer.predict(photos), strict=True)
            return [torch.from_numpy(colorizer.finish(*both).ab) for both in predictions]


def checkpoints() -> list[str]:
    """The names of all that can be put in a study, the default first."""
    with _own_errors():
        return [record.name for record in list_checkpoints()]


def practice_models(
    models: Sequence[str], protocol: Protocol, before: Sequence[str] = ()
) -> tuple[str, ...]:
    """Checkpoints that are not under test, for practice trials: as many as those need, or none.

    `before`: those of an earlier build; while they are there, others make no new version.
    """
    every = checkpoints()
    tested = {*models, *(every[:1] if "default" in models else ())}
    spare = [name for name in every if name not in tested]
    needed = 2 if protocol == "preference" else 1
    if len(before) == needed and set(before) <= set(spare):
        return tuple(before)
    return tuple(spare[:needed]) if len(spare) >= needed else ()


def lightness_of(pixels: np.ndarray) -> np.ndarray:
    """L in [0, 100], float32 `(h, w)`, of uint8 sRGB `(h, w, 3)`."""
    return lightness(pixels)[0].numpy()


def grey_version(pixels: np.ndarray) -> np.ndarray:
    """The grey level, uint8 `(h, w)`, of the lightness of each pixel of uint8 sRGB `(h, w, 3)`."""
    return torch.bucketize(lightness(pixels)[0].double(), _EDGES).byte().numpy()


@contextlib.contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except ColorizeError as error:
        raise TuringError(str(error)) from error


def _resized(photo: Photo, short_side: int) -> np.ndarray:
    """uint8 `(h, w, 3)` at a short side, as `display_size` says."""
    size = display_size(photo.size, short_side)
    if size == photo.size:
        return _three_channels(photo.pixels)
    return _three_channels(resize_picture(photo.pixels, size, Image.Resampling.LANCZOS))


def _three_channels(pixels: np.ndarray) -> np.ndarray:
    """A grey picture `(h, w)` as `(h, w, 3)`; one of three channels as it is."""
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def _lab(pixels: np.ndarray) -> Tensor:
    """L, a, b `(3, h, w)` of uint8 sRGB `(h, w, 3)`."""
    rgb = torch.from_numpy(np.divide(pixels, 255, dtype=np.float32))
    return lab_from_rgb(rgb.permute(2, 0, 1))


def _reduced(ab: Tensor, short_side: int) -> Tensor:
    """ab `(2, h, w)` at that short side, in pixels; as it is where it is smaller already."""
    height, width = ab.shape[1:]
    scale = short_side / min(height, width)
    if scale >= 1:
        return ab
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return enlarged_part(ab, size, slice(0, size[0]), slice(0, size[1]))


def _wild(seed: str) -> Tensor:
    """A few blotches `(2, 4, 4)` of saturated hues, which change fully from each to the next."""
    noise = np.frombuffer(hashlib.shake_256(seed.encode()).digest(2 * _WILD_GRID**2), "<u2")
    rows, columns = np.indices((_WILD_GRID, _WILD_GRID))
    hue = np.pi * (rows + columns) + noise.reshape(rows.shape) / 2**16 * np.pi
    return torch.from_numpy(_WILD_CHROMA * np.stack((np.cos(hue), np.sin(hue)))).float()
