"""Photo in, Colorization out: lightness kept, ab predicted by a checkpoint's network."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize.color import bins
from colorize.color.render import lightness, render
from colorize.color.resample import resize_picture, shrink
from colorize.errors import ColorizeError
from colorize.inference import options, swatches
from colorize.inference.colourings import perturbed
from colorize.inference.hints import Spot, find_spots, follow, hint_planes, pixel_at
from colorize.inference.options import LARGEST_SIZE, SMALLEST_SIZE, Hint
from colorize.inference.predict import decode, resize, run_network
from colorize.inference.swatches import Swatch
from colorize.inference.zerogpu import on_zerogpu
from colorize.models.checkpoint import load_checkpoint
from colorize.models.record import Decoding
from colorize.photo.opening import Photo
from colorize.photo.pixels import image_of
from colorize.photo.saving import Saved, save_picture

__all__ = [
    "LARGEST_SIZE",
    "SMALLEST_SIZE",
    "Colorization",
    "Colorizer",
    "Hint",
    "Prediction",
    "choose_device",
    "working_shape",
]

_SMALLEST_SIDE = 8  # what every network takes
_LONGEST = 4  # the long side is at most so many times the working size
_MOST_PIXELS = 2**20  # that a network sees of one photo; over bins, each costs 1.3 kB
_BATCH_PIXELS = 2**18


@dataclass(frozen=True)
class Prediction:
    """A network's raw output `(C, h, w)` for a photo, and what it saw: L `(1, H, W)`, hints."""

    output: Tensor
    L: Tensor
    spots: tuple[Spot, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what the network saw."""
        return tuple(self.L.shape[-2:])


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
        seed: int | None = None,
    ) -> "Colorization":
        """Colorizes what `Photo.open` takes: a path, file object, PIL image, array or Photo.

        saturation multiplies ab; temperature is the decoding's of models over bins (None: the
        record's); size is the working size, the short side in pixels (None: the record's);
        hints are `(x, y, "#rrggbb")` in pixels of the upright photo, at most 200, of which the
        colour counts and not the lightness; with a seed it is another plausible colouring, of
        models over bins. Raises PhotoError for what is no photo, ColorizeError for settings
        that the model does not take.
        """
        self.check(
            saturation=saturation, temperature=temperature, size=size, hints=hints, seed=seed
        )
        seconds: dict[str, float] = {}
        with _timed(seconds, "open"):
            photo = Photo.open(photo)
        with _timed(seconds, "network"):
            prediction = self.predict([photo], size, [hints])[0]
        return self.finish(
            photo,
            prediction,
            saturation=saturation,
            temperature=temperature,
            seed=seed,
            seconds=seconds,
        )

    def check(
        self,
        *,
        saturation: float = 1.0,
        temperature: float | None = None,
        size: int | None = None,
        hints: Sequence[Hint] = (),
        seed: int | None = None,
    ) -> None:
        """Raises ColorizeError, in one sentence, for settings that this model does not take."""
        options.check(
            self.record,
            saturation=saturation,
            temperature=temperature,
            size=size,
            hints=hints,
            seed=seed,
        )

    def working_shape(
        self, photo_size: tuple[int, int], size: int | None = None
    ) -> tuple[int, int]:
        """Height and width that the network sees for a photo of (width, height).

        size: the working size, None for the record's.
        """
        return working_shape(photo_size, size or self.record.size, self.record.stretch)

    def predict(
        self,
        photos: Sequence[Photo],
        size: int | None = None,
        hints: Sequence[Sequence[Hint]] = (),
    ) -> list[Prediction]:
        """Runs the network on each photo, those of like shape in one batch.

        `hints` has a list of them for each photo, or is empty. Raises ColorizeError for a hint
        outside its photo and where the memory does not suffice.
        """
        hints = hints or [()] * len(photos)
        for photo, some in zip(photos, hints, strict=True):
            options.check_inside(some, photo.size)
        by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, photo in enumerate(photos):
            by_shape[self.working_shape(photo.size, size)].append(number)
        predictions: dict[int, Prediction] = {}
        for shape, numbers in by_shape.items():
            batch = max(1, _BATCH_PIXELS // (shape[0] * shape[1]))
            for start in range(0, len(numbers), batch):
                some = numbers[start : start + batch]
                L = [network_input(photos[number], shape) for number in some]
                spots = [
                    tuple(find_spots(hints[number], one, photos[number].size))
                    for number, one in zip(some, L, strict=True)
                ]
                outputs = self._run(torch.stack(L), spots)
                for number, *seen in zip(some, outputs, L, spots, strict=True):
                    predictions[number] = Prediction(*seen)
        return [predictions[number] for number in range(len(photos))]

    def _run(self, L: Tensor, spots: Sequence[Sequence[Spot]]) -> list[Tensor]:
        shape = tuple(L.shape[-2:])
        given: tuple[Tensor, ...] = ()
        if any(spots):
            given = (torch.stack([hint_planes(some, shape) for some in spots]).to(self.device),)
        try:
            outputs = run_network(self.network, self.record, L.to(self.device), *given).cpu()
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            raise ColorizeError(
                f"{self.record.name} needs more memory than {self.device} has at "
                f"{shape[1]} x {shape[0]} pixels; take a smaller size"
            ) from error
        # Copies, so that one photo's prediction does not keep its whole batch alive.
        return [output.clone() for output in outputs] if len(L) > 1 else [outputs[0]]

    def finish(
        self,
        photo: Photo,
        prediction: Prediction,
        *,
        saturation: float = 1.0,
        temperature: float | None = None,
        seed: int | None = None,
        seconds: dict[str, float] | None = None,
    ) -> "Colorization":
        """The Colorization of a photo from its prediction; the network is not run."""
        return Colorization(self, photo, prediction, saturation, temperature, seed, seconds or {})


class Colorization:
    """One photo in colour. The network's output is kept, so that `adjusted` never runs it.

    `seconds` maps the stages that were run (open, network, decode, render, save) to seconds.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        photo: Photo,
        prediction: Prediction,
        saturation: float,
        temperature: float | None,
        seed: int | None,
        seconds: dict[str, float],
    ) -> None:
        self.photo, self.record, self.seconds = photo, colorizer.record, seconds
        self.saturation, self.temperature, self.seed = saturation, temperature, seed
        self._colorizer, self._prediction = colorizer, prediction

    def adjusted(
        self,
        *,
        saturation: float = 1.0,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> "Colorization":
        """The same prediction with another saturation, decoding temperature or seed."""
        self._colorizer.check(saturation=saturation, temperature=temperature, seed=seed)
        return self._colorizer.finish(
            self.photo,
            self._prediction,
            saturation=saturation,
            temperature=temperature,
            seed=seed,
            seconds={key: self.seconds[key] for key in ("open", "network") if key in self.seconds},
        )

    def another(self, seed: int) -> "Colorization":
        """Another plausible colouring, the same for a seed; the network is not run.

        Each region gets colours that the model finds likely there. ColorizeError for a model
        that is not over bins.
        """
        return self.adjusted(saturation=self.saturation, temperature=self.temperature, seed=seed)

    @cached_property
    def ab(self) -> np.ndarray:
        """float32 `(2, h, w)` at working size, in CIELAB units, saturation applied."""
        seen = self._prediction
        output, decoding = seen.output[None], self.record.how
        if self.temperature is not None:
            decoding = decoding._replace(temperature=self.temperature)
        with _timed(self.seconds, "decode"), torch.inference_mode():
            if self.seed is not None:  # a mode is wanted, and the record's decoding may be the mean
                output = perturbed(output, seen.L, self.seed)
                mode = bins.TEMPERATURE if self.temperature is None else self.temperature
                decoding = Decoding(mode)
            ab = decode(self._colorizer.network, self.record, output, decoding)
            ab = follow(resize(ab, seen.shape)[0], seen.spots, seen.L)
            return (ab * self.saturation).numpy()

    def plausible_colours(self, x: float, y: float) -> list[Swatch]:
        """Colours for a hint at a pixel of the upright photo, the likeliest first.

        ColorizeError for a spot outside the photo.
        """
        options.check_inside([(x, y, "")], self.photo.size)
        seen = self._prediction
        row, column = pixel_at((x, y), seen.shape, self.photo.size)
        L = float(seen.L[0, row, column])
        if not self.record.over_bins:
            return swatches.plain(torch.from_numpy(self.ab[:, row, column]), L)
        row, column = pixel_at((x, y), seen.output.shape[-2:], self.photo.size)
        around = seen.output[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        return swatches.plausible(around.float().softmax(0).mean((1, 2)), L)

    @cached_property
    def uncertainty(self) -> np.ndarray | None:
        """float32 `(h, w)` in [0, 1]: entropy over the bins, None where there are none."""
        if not self.record.over_bins:
            return None
        with torch.inference_mode():
            entropy = bins.entropy(self._prediction.output[None])[None]
            return resize(entropy, self._prediction.shape)[0, 0].clamp(0, 1).numpy()

    @cached_property
    def pixels(self) -> np.ndarray:
        """uint8 sRGB `(H, W, 3)` at the input's size, without its alpha."""
        ab = torch.from_numpy(self.ab)
        with _timed(self.seconds, "render"):
            return render(self.photo.pixels, ab)

    @cached_property
    def image(self) -> Image.Image:
        """The colour photo at the input's size: RGB, or RGBA where the photo has alpha."""
        picture = image_of(self.pixels).convert("RGB")
        if self.photo.alpha is not None:
            picture.putalpha(Image.fromarray(self.photo.alpha))
        return picture

    def preview(self, longest: int) -> Image.Image:
        """RGB with a long side of at most `longest` pixels, for a screen; alpha laid on white."""
        picture = Image.fromarray(
            render(shrink(self.photo.pixels, longest), torch.from_numpy(self.ab))
        )
        if self.photo.alpha is None:
            return picture
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=Image.fromarray(shrink(self.photo.alpha, longest)))
        return white

    def save(self, path: str | Path, **options: Any) -> Saved:
        """Writes the photo whole or not at all, with its metadata; never over the input.

        Options are those of `saving.save_picture`: format, quality, strip, mark, overwrite.
        Raises PhotoError.
        """
        picture = self.pixels
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
    """ "auto" is a GPU when there is one all the time. ColorizeError for one that is not here."""
    if device == "auto":
        has_gpu = torch.cuda.is_available() and not on_zerogpu()
        return torch.device("cuda" if has_gpu else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ColorizeError(f"No device {device!r} here; try auto or cpu") from error
    return chosen


def working_shape(photo_size: tuple[int, int], size: int, stretch: bool = False) -> tuple[int, int]:
    """Height and width that the network sees for a photo of (width, height).

    The short side becomes `size`, the aspect kept. A strip of a photo is cut short at four times
    that, no photo is over a megapixel, and no side is under 8 pixels. With `stretch` both sides
    become `size`, whatever the aspect.
    """
    if stretch:
        return size, size
    width, height = photo_size
    scale = min(
        size / min(width, height),
        _LONGEST * size / max(width, height),
        sqrt(_MOST_PIXELS / (width * height)),
    )
    return tuple(max(_SMALLEST_SIDE, round(side * scale)) for side in (height, width))


def network_input(photo: Photo, shape: tuple[int, int]) -> Tensor:
    """L `(1, h, w)` in [0, 100] of a photo at `shape`, area-averaged."""
    return lightness(resize_picture(photo.pixels, shape[::-1], Image.Resampling.BILINEAR))


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate" in str(error)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - began
