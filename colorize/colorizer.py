"""Photo in, Colorization out: lightness kept, ab predicted by a checkpoint's network."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize import bins
from colorize.checkpoint import load_checkpoint
from colorize.errors import ColorizeError
from colorize.photo import Photo, save_picture
from colorize.predict import decode, resize, run_network
from colorize.render import lightness, render

SMALLEST_SIZE, LARGEST_SIZE = 32, 1024
_SMALLEST_SIDE = 8  # what every network takes
_LONGEST = 4  # the long side is at most so many times the working size

Hint = tuple[float, float, str]


@dataclass(frozen=True)
class Prediction:
    """A network's raw output `(C, h, w)` for a photo, and the (height, width) that it saw."""

    output: Tensor
    shape: tuple[int, int]


class Colorizer:
    """A checkpoint ready to colorize. Safe to share between threads.

    model: a name in checkpoints/, a path, or "default"; device: "auto" (a GPU when there is
    one), or any name that torch knows. Raises CheckpointError.
    """

    def __init__(self, model: str | Path = "default", device: str = "auto") -> None:
        self.device = choose_device(device)
        self.network, self.record = load_checkpoint(model, self.device)

    def __call__(
        self,
        photo: Any,
        *,
        saturation: float = 1.0,
        temperature: float | None = None,
        size: int | None = None,
        hints: Sequence[Hint] = (),
    ) -> "Colorization":
        """Colorizes a path, file object, PIL image, array `(h, w[, 3 or 4])` or Photo.

        saturation multiplies ab; temperature is the decoding's of models over bins (None: the
        record's); size is the working size, the short side in pixels (None: the record's);
        hints are `(x, y, "#rrggbb")` in pixels of the upright photo. Raises PhotoError for what
        is no photo, ColorizeError for settings that the model does not take.
        """
        self.check(saturation=saturation, temperature=temperature, size=size, hints=hints)
        seconds: dict[str, float] = {}
        with _timed(seconds, "open"):
            photo = Photo.open(photo)
        with _timed(seconds, "network"):
            prediction = self.predict([photo], size)[0]
        return self.finish(
            photo, prediction, saturation=saturation, temperature=temperature, seconds=seconds
        )

    def check(
        self,
        *,
        saturation: float = 1.0,
        temperature: float | None = None,
        size: int | None = None,
        hints: Sequence[Hint] = (),
    ) -> None:
        """Raises ColorizeError, in one sentence, for settings that this model does not take."""
        name = self.record.name
        if not 0 <= saturation <= 10:
            raise ColorizeError(f"saturation: expected a number from 0 to 10, found {saturation}")
        if temperature is not None and not self.record.over_bins:
            raise ColorizeError(f"{name} is not a model over bins: it has no temperature")
        if temperature is not None and not 0 <= temperature <= 10:
            raise ColorizeError(f"temperature: expected 0 to 10, found {temperature}")
        if size is not None and not SMALLEST_SIZE <= size <= LARGEST_SIZE:
            raise ColorizeError(
                f"size: expected {SMALLEST_SIZE} to {LARGEST_SIZE} pixels, found {size}"
            )
        if hints:
            raise ColorizeError(f"{name} cannot follow colour hints; choose another model")

    def predict(self, photos: Sequence[Photo], size: int | None = None) -> list[Prediction]:
        """Runs the network on each photo, those of like shape in one batch."""
        by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, photo in enumerate(photos):
            by_shape[working_shape(photo.size, size or self.record.size)].append(number)
        predictions: dict[int, Prediction] = {}
        for shape, numbers in by_shape.items():
            L = torch.stack([network_input(photos[number], shape) for number in numbers])
            batch = run_network(self.network, self.record, L.to(self.device)).cpu()
            for number, output in zip(numbers, batch, strict=True):
                predictions[number] = Prediction(output, shape)
        return [predictions[number] for number in range(len(photos))]

    def finish(
        self,
        photo: Photo,
        prediction: Prediction,
        *,
        saturation: float = 1.0,
        temperature: float | None = None,
        seconds: dict[str, float] | None = None,
    ) -> "Colorization":
        """The Colorization of a photo from its prediction; the network is not run."""
        return Colorization(self, photo, prediction, saturation, temperature, seconds or {})


class Colorization:
    """One photo in colour. The network's output is kept, so that `adjusted` never runs it."""

    def __init__(
        self,
        colorizer: Colorizer,
        photo: Photo,
        prediction: Prediction,
        saturation: float,
        temperature: float | None,
        seconds: dict[str, float],
    ) -> None:
        self.photo, self.record, self.seconds = photo, colorizer.record, seconds
        self.saturation, self.temperature = saturation, temperature
        self._colorizer, self._prediction = colorizer, prediction

    def adjusted(
        self, *, saturation: float = 1.0, temperature: float | None = None
    ) -> "Colorization":
        """The same prediction with another saturation or decoding temperature."""
        self._colorizer.check(saturation=saturation, temperature=temperature)
        return self._colorizer.finish(
            self.photo,
            self._prediction,
            saturation=saturation,
            temperature=temperature,
            seconds={key: self.seconds[key] for key in ("open", "network") if key in self.seconds},
        )

    @cached_property
    def ab(self) -> np.ndarray:
        """float32 `(2, h, w)` at working size, in CIELAB units, saturation applied."""
        with _timed(self.seconds, "decode"), torch.inference_mode():
            output = self._prediction.output[None]
            ab = decode(self._colorizer.network, self.record, output, self.temperature)
            return (resize(ab, self._prediction.shape)[0] * self.saturation).numpy()

    @cached_property
    def uncertainty(self) -> np.ndarray | None:
        """float32 `(h, w)` in [0, 1]: entropy over the bins, None where there are none."""
        if not self.record.over_bins:
            return None
        entropy = bins.entropy(self._prediction.output[None])[None]
        return resize(entropy, self._prediction.shape)[0, 0].clamp(0, 1).numpy()

    @cached_property
    def image(self) -> Image.Image:
        """The colour photo at the input's size: RGB, or RGBA where the photo has alpha."""
        with _timed(self.seconds, "render"):
            picture = Image.fromarray(render(self.photo.pixels, torch.from_numpy(self.ab)))
        if self.photo.alpha is not None:
            picture.putalpha(Image.fromarray(self.photo.alpha))
        return picture

    def preview(self, longest: int) -> Image.Image:
        """The colour photo with a long side of at most `longest` pixels, for a screen."""
        small = shrink(self.photo.pixels, longest)
        return Image.fromarray(render(small, torch.from_numpy(self.ab)))

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes the photo whole or not at all, with its metadata; never over the input.

        Options are those of `photo.save_picture`: format, quality, strip, mark, overwrite.
        """
        picture = np.asarray(self.image)[..., :3]
        with _timed(self.seconds, "save"):
            return save_picture(
                picture,
                path,
                self.photo,
                model=self.record.name,
                weights_hash=self.record.weights["sha256"],
                **options,
            )


def choose_device(device: str = "auto") -> torch.device:
    """ "auto" is a GPU when there is one. ColorizeError for a device that is not here."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise ColorizeError(f"No device {device!r} here; try auto or cpu") from error
    return chosen


def working_shape(photo_size: tuple[int, int], size: int) -> tuple[int, int]:
    """Height and width that the network sees for a photo of (width, height).

    The short side becomes `size`, the aspect kept; a strip of a photo is cut short at four
    times that, and no side is under 8 pixels.
    """
    width, height = photo_size
    scale = min(size / min(width, height), _LONGEST * size / max(width, height))
    return tuple(max(_SMALLEST_SIDE, round(side * scale)) for side in (height, width))


def network_input(photo: Photo, shape: tuple[int, int]) -> Tensor:
    """L `(1, h, w)` in [0, 100] of a photo, resized as the training photos were."""
    image = Image.fromarray(photo.pixels)
    small = image.resize(shape[::-1], Image.Resampling.BILINEAR, reducing_gap=3)
    return lightness(np.array(small))


def shrink(pixels: np.ndarray, longest: int) -> np.ndarray:
    """uint8 pixels with a long side of at most `longest`."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3))


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - began
