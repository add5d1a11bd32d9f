"""Photo in, Colorization out: lightness kept, ab predicted by a checkpoint's network."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from colorize.color.render import lightness
from colorize.color.resample import resize_picture
from colorize.errors import ColorizeError
from colorize.inference import options
from colorize.inference.colorization import Colorization, Prediction, timed
from colorize.inference.hints.spots import Spot, find_spots, hint_planes, weakened
from colorize.inference.hints.strokes import Stroke, check_strokes_inside, parse_strokes
from colorize.inference.options import LARGEST_SIZE, SMALLEST_SIZE, Hint
from colorize.inference.predict import (
    SMALLEST_SIDE,
    decode,
    resize,
    run_carefully,
    run_network,
)
from colorize.inference.variants import Scene
from colorize.inference.zerogpu import on_zerogpu
from colorize.models.checkpoint import load_checkpoint
from colorize.photo.opening import Photo

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

_LONGEST = 4  # the long side is at most so many times the working size
_MOST_PIXELS = 2**20  # that a network sees of one photo; over bins, each costs 1.3 kB
_BATCH_PIXELS = 2**18


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
        strokes: Sequence[Stroke | Mapping[str, Any]] = (),
        variant: str = "natural",
        seed: int | None = None,
        careful: bool = False,
    ) -> Colorization:
        """Colorizes what `Photo.open` takes: a path, file object, PIL image, array or Photo.

        saturation multiplies ab; temperature is the decoding's of models over bins (None: the
        record's); size is the working size, the short side in pixels (None: the record's);
        hints are `(x, y, "#rrggbb")` in pixels of the upright photo, at most 200, of which the
        colour counts and not the lightness; strokes are what `parse_strokes` takes, for every
        model. Each colours the whole thing it lies on. variant is one of `options.VARIANTS`
        (`Colorization.variants` has those that suit the photo); with a seed it is another
        plausible colouring, of models over bins. careful runs the network four times, on the
        photo and its mirror image at two sizes, and takes the mean. Raises PhotoError for what
        is no photo, ColorizeError for settings that the model does not take.
        """
        self.check(
            saturation=saturation,
            temperature=temperature,
            size=size,
            hints=hints,
            seed=seed,
            variant=variant,
        )
        strokes = parse_strokes(strokes)
        seconds: dict[str, float] = {}
        with timed(seconds, "open"):
            photo = Photo.open(photo)
        with timed(seconds, "network"):
            prediction = self.predict([photo], size, [hints], [strokes], careful=careful)[0]
        return self.finish(
            photo,
            prediction,
            saturation=saturation,
            temperature=temperature,
            seed=seed,
            variant=variant,
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
        variant: str = "natural",
    ) -> None:
        """Raises ColorizeError, in one sentence, for settings that this model does not take."""
        options.check(
            self.record,
            saturation=saturation,
            temperature=temperature,
            size=size,
            hints=hints,
            seed=seed,
            variant=variant,
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
        strokes: Sequence[Sequence[Stroke]] = (),
        before: Sequence[Prediction | None] = (),
        careful: bool = False,
    ) -> list[Prediction]:
        """Runs the network on each photo, those of like shape in one batch.

        `hints`, `strokes` and `before` have an entry for each photo, or are empty; `before` is
        its prediction without hints, at that size, where it is there already. Raises
        ColorizeError for a hint outside its photo and where the memory does not suffice.
        """
        hints, strokes = hints or [()] * len(photos), strokes or [()] * len(photos)
        for photo, some, drawn in zip(photos, hints, strokes, strict=True):
            options.check_inside(some, photo.size)
            check_strokes_inside(drawn, photo.size)
        plain, shown = list(before) or [None] * len(photos), {}
        L = [
            known.L if known else network_input(photo, self.working_shape(photo.size, size))
            for photo, known in zip(photos, plain, strict=True)
        ]
        spots = [
            find_spots(some, one, photo.size, drawn)
            for some, one, photo, drawn in zip(hints, L, photos, strokes, strict=True)
        ]
        asked = [n for n, some in enumerate(spots) if some and self.record.takes_hints]
        weak = [n for n in asked if any(spot.strength < 1 for spot in spots[n])]
        jobs = [(n, ()) for n, known in enumerate(plain) if known is None]
        jobs += [(n, spots[n]) for n in asked if n not in weak]
        for (n, some), output in zip(jobs, self._outputs(L, jobs, careful), strict=True):
            if some:
                shown[n] = output
            else:
                plain[n] = Prediction(output, L[n])
        # What a weak stroke asks for depends on what is there.
        jobs = [(n, weakened(spots[n], self._decoded(plain[n]))) for n in weak]
        shown |= dict(zip(weak, self._outputs(L, jobs, careful), strict=True))
        return [
            Prediction(shown.get(n, one.output), one.L, tuple(spots[n]), one if spots[n] else None)
            for n, one in enumerate(plain)
        ]

    def _outputs(
        self, L: Sequence[Tensor], jobs: Sequence[tuple[int, Sequence[Spot]]], careful: bool
    ) -> list[Tensor]:
        """The outputs for some of the `L` with spots, those of like shape in one batch."""
        by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for place, (number, _) in enumerate(jobs):
            by_shape[tuple(L[number].shape)].append(place)
        outputs: dict[int, Tensor] = {}
        for (_, height, width), places in by_shape.items():
            batch = max(1, _BATCH_PIXELS // (height * width))
            for start in range(0, len(places), batch):
                some = places[start : start + batch]
                seen = torch.stack([L[jobs[place][0]] for place in some])
                found = self._run(seen, [jobs[place][1] for place in some], careful)
                outputs |= dict(zip(some, found, strict=True))
        return [outputs[place] for place in range(len(jobs))]

    def describe(self, L: Tensor) -> Tensor | None:
        """Features `(C, H / 16, W / 16)` of L `(1, H, W)` in [0, 100], of a network that has them.

        They cover the photo padded right and below; None of other networks.
        """
        if not hasattr(self.network, "describe"):
            return None
        centre, scale = self.record.lightness
        with torch.inference_mode():
            return (
                self.network.describe((L[None].to(self.device) - centre) / scale)[0].float().cpu()
            )

    def _decoded(self, prediction: Prediction) -> Tensor:
        """ab `(2, H, W)` of a prediction by the record's decoding."""
        with torch.inference_mode():
            ab = decode(self.network, self.record, prediction.output[None].float())
            return resize(ab, prediction.shape)[0]

    def _run(self, L: Tensor, spots: Sequence[Sequence[Spot]], careful: bool) -> list[Tensor]:
        shape = tuple(L.shape[-2:])
        given: tuple[Tensor, ...] = ()
        if any(spots):
            given = (torch.stack([hint_planes(some, shape) for some in spots]).to(self.device),)
        try:
            run = run_carefully if careful else run_network
            outputs = run(self.network, self.record, L.to(self.device), *given).cpu()
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
        variant: str = "natural",
        seconds: dict[str, float] | None = None,
        scene: Scene | None = None,
    ) -> Colorization:
        """The Colorization of a photo from its prediction; the network is not run.

        scene: that of an earlier one of the same prediction, but for hints, and temperature.
        """
        look = saturation, temperature, seed, variant
        return Colorization(self, photo, prediction, *look, seconds or {}, scene)


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
    return tuple(max(SMALLEST_SIDE, round(side * scale)) for side in (height, width))


def network_input(photo: Photo, shape: tuple[int, int]) -> Tensor:
    """L `(1, h, w)` in [0, 100] of a photo at `shape`, area-averaged."""
    return lightness(resize_picture(photo.pixels, shape[::-1], Image.Resampling.BILINEAR))


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate" in str(error)
