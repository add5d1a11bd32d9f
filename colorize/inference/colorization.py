"""One photo in colour: what is kept of its prediction, and what can be made of it again."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from colorize.color import bins
from colorize.color.deep import render_deep
from colorize.color.render import render
from colorize.color.resample import shrink
from colorize.inference import options, swatches
from colorize.inference.hints.spots import Spot, find_spots, pixel_at
from colorize.inference.hints.strokes import Stroke, check_strokes_inside, parse_strokes
from colorize.inference.hints.things import Ground
from colorize.inference.predict import decode, resize
from colorize.inference.reference.carrying import Carried
from colorize.inference.swatches import Swatch
from colorize.inference.variants import Scene
from colorize.models.record import Decoding, Record
from colorize.photo.opening import Photo
from colorize.photo.pixels import image_of
from colorize.photo.saving import Saved, is_deep, save_picture

if TYPE_CHECKING:
    from colorize.inference.colorizer import Colorizer

_OF_A_THING = 10.0  # of L by which a thing's may differ from that of a pixel of it
_MOVED = 10.0  # ab units from which on a place is the hints' and not the reference's


@dataclass(frozen=True)
class Prediction:
    """A network's raw output `(C, h, w)` for a photo, and what it saw: L `(1, H, W)`, hints.

    Where there are hints or strokes, `before` is what it gives without. Where there is a
    reference, `carried` is what that gives.
    """

    output: Tensor
    L: Tensor
    spots: tuple[Spot, ...] = ()
    before: "Prediction | None" = None
    carried: Carried | None = None

    def trusting(self, strength: float) -> "Prediction":
        """The same, with a reference of another strength, if there is one."""
        if self.carried is None or self.carried.strength == strength:
            return self
        before = self.before and self.before.trusting(strength)
        return replace(self, carried=replace(self.carried, strength=strength), before=before)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what the network saw."""
        return tuple(self.L.shape[-2:])


class Colorization:
    """One photo in colour. The network's output is kept, so that `adjusted` never runs it.

    `seconds` maps the stages that were run (open, network, decode, render, save) to seconds.
    """

    def __init__(
        self,
        colorizer: "Colorizer",
        photo: Photo,
        prediction: Prediction,
        saturation: float,
        temperature: float | None,
        seed: int | None,
        variant: str,
        seconds: dict[str, float],
        scene: Scene | None = None,
        borders: bool = True,
    ) -> None:
        self.photo, self.record, self.seconds = photo, colorizer.record, seconds
        self.saturation, self.temperature, self.seed = saturation, temperature, seed
        self.variant, self.borders = variant, borders
        self._colorizer, self._prediction, self._given = colorizer, prediction, scene

    def adjusted(
        self,
        *,
        saturation: float = 1.0,
        temperature: float | None = None,
        seed: int | None = None,
        variant: str = "natural",
    ) -> "Colorization":
        """The same prediction with another saturation, decoding temperature, seed or variant."""
        self._colorizer.check(
            saturation=saturation, temperature=temperature, seed=seed, variant=variant
        )
        return self._colorizer.finish(
            self.photo,
            self._prediction,
            saturation=saturation,
            temperature=temperature,
            seed=seed,
            variant=variant,
            seconds={key: self.seconds[key] for key in ("open", "network") if key in self.seconds},
            scene=self.scene if temperature == self.temperature else None,
            borders=self.borders,
        )

    def another(self, seed: int) -> "Colorization":
        """Another plausible colouring, the same for a seed; the network is not run.

        Things get colours that the model finds likely there. ColorizeError for a model that is
        not over bins.
        """
        return self.adjusted(saturation=self.saturation, temperature=self.temperature, seed=seed)

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the variants that this photo offers, "natural" first."""
        with torch.inference_mode():
            return self.scene.offered

    @cached_property
    def ab(self) -> np.ndarray:
        """float32 `(2, h, w)` at working size, in CIELAB units, saturation applied."""
        return self.ab_of(self.variant)

    def ab_of(self, variant: str) -> np.ndarray:
        """`ab` of one of the variants; hints, which hold in every one, are spread once."""
        with timed(self.seconds, "decode"), torch.inference_mode():
            ab, mask = self._hinted
            varied = self.scene.varied(ab, variant, self.seed)
            if self.borders and (border := self.photo.border):
                varied = varied * torch.from_numpy(border.inside(varied.shape[1:]))
            if mask is not None:  # in a border, too, if somebody wants it
                varied = torch.lerp(varied, ab, mask)
            return (varied * self.saturation).numpy()

    @cached_property
    def touched(self) -> np.ndarray | None:
        """float32 `(h, w)` in [0, 1]: how far hints and strokes colour each pixel of working size.

        None where there are none. The line of 0.5 is the outline of what they change.
        """
        mask = self._hinted[1]
        return None if mask is None else mask.numpy()

    def outline(self, *strokes: Stroke | Mapping[str, Any]) -> np.ndarray:
        """float32 `(h, w)` like `touched`, of what strokes would change; no network is run."""
        spots = self._spots_of(strokes)
        with torch.inference_mode():
            return self.scene.ground.recoloured(spots)[1].numpy()

    def painted(self, strokes: Sequence[Stroke | Mapping[str, Any]]) -> "Colorization":
        """A quick look at this photo with these strokes in place of its own.

        The network is not asked, so edges are less sure than what the Colorizer gives for them.
        """
        seen = self._prediction.before or self._prediction
        spots = self._spots_of(strokes)
        seen = replace(seen, spots=spots, before=seen if spots else None)
        return self._colorizer.finish(
            self.photo,
            seen,
            saturation=self.saturation,
            temperature=self.temperature,
            seed=self.seed,
            variant=self.variant,
            seconds=dict(self.seconds),
            scene=self.scene,  # the costly part: each further stroke is quick
            borders=self.borders,
        )

    def _spots_of(self, strokes: Sequence[Stroke | Mapping[str, Any]]) -> tuple[Spot, ...]:
        strokes = parse_strokes(strokes)
        check_strokes_inside(strokes, self.photo.size)
        return tuple(find_spots((), self._prediction.L, self.photo.size, strokes))

    @cached_property
    def scene(self) -> Scene:
        """What the photo shows before hints and variants, for colourings of one prediction and
        temperature to share.
        """
        if self._given is not None:
            return self._given
        seen = self._prediction.before or self._prediction
        logits = seen.output if self.record.over_bins else None
        return Scene(Ground(seen.L, self._decode(seen), logits, self._colorizer.describe))

    @cached_property
    def _hinted(self) -> tuple[Tensor, Tensor | None]:
        """ab `(2, h, w)` of the natural variant, and what of it hints changed `(h, w)`."""
        seen, scene = self._prediction, self.scene
        if not seen.spots:
            return scene.ground.ab, None
        asked = seen.output is not seen.before.output
        return scene.ground.recoloured(seen.spots, self._answer if asked else None)

    @property
    def _answer(self) -> Tensor:
        """ab `(2, h, w)` of the network that is shown the hints; what a reference gives stays where
        they move nothing.
        """
        seen = self._prediction
        if seen.carried is None:
            return self._decode(seen)
        after, before = (self._decode(replace(x, carried=None)) for x in (seen, seen.before))
        moved = ((after - before).norm(dim=0) / _MOVED).clamp(max=1)
        return torch.lerp(self.scene.ground.ab, after, moved)

    def _decode(self, seen: Prediction) -> Tensor:
        """ab `(2, h, w)` with the temperature of this colouring."""
        decoding = self.record.how
        if self.temperature is not None:
            decoding = decoding._replace(temperature=self.temperature)
        return decoded(self._colorizer.network, self.record, seen, decoding)

    def plausible_colours(self, x: float, y: float) -> list[Swatch]:
        """Colours for a hint at a pixel of the upright photo, the likeliest first.

        Then those that are likely for the thing that it is part of, in whose lightness all are
        shown. ColorizeError for a spot outside the photo.
        """
        options.check_inside([(x, y, "")], self.photo.size)
        seen = self._prediction
        ground = self.scene.ground
        with torch.inference_mode():
            spot = ground.spot_at(*pixel_at((x, y), ground.grid, self.photo.size))
            thing = torch.from_numpy(ground.masks([spot])[0])
            thing /= thing.sum()
            row, column = pixel_at((x, y), seen.shape, self.photo.size)
            L = float((resize(seen.L[None], ground.grid)[0, 0] * thing).sum())
            here = float(seen.L[0, row, column])  # which a thing's edges are not sure enough for
            L = min(max(L, here - _OF_A_THING), here + _OF_A_THING)
            if not self.record.over_bins:
                return swatches.plain(torch.from_numpy(self.ab[:, row, column]), L)
            row, column = pixel_at((x, y), seen.output.shape[-2:], self.photo.size)
            around = seen.output[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            p = around.float().softmax(0).mean((1, 2))
            return swatches.plausible(p, L, torch.einsum("bhw,hw->b", ground.small_p(), thing))

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
        with timed(self.seconds, "render"):
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

    def share(self, path: str | Path, longest: int = 2000, **options: Any) -> Saved:
        """Writes a JPEG for sharing: the photo in grey, and beside it in colour, marked.

        Each has a long side of at most `longest` pixels. Options are those of `save_picture`.
        """
        small = replace(self.photo, pixels=shrink(self.photo.pixels, longest), levels=None)
        alpha = None if self.photo.alpha is None else shrink(self.photo.alpha, longest)
        ab = torch.from_numpy(self.ab)
        height, width = small.pixels.shape[:2]
        gap = np.full((height, max(2, width // 100), 3), 255, np.uint8)
        halves = [_on_white(render(small.pixels, colour), alpha) for colour in (ab * 0, ab)]
        picture = np.concatenate((halves[0], gap, halves[1]), axis=1)
        photo = replace(small, pixels=picture, alpha=None)
        options = {"quality": 92, "mark": True} | options | {"format": "JPEG"}
        return self._written(picture, path, photo, options)

    def save(self, path: str | Path, **options: Any) -> Saved:
        """Writes the photo whole or not at all, with its metadata; never over the input.

        A photo that came with 16 bits a channel is written with 16, where the format holds them.
        Options are those of `saving.save_picture`: format, quality, strip, mark, overwrite.
        Raises PhotoError.
        """
        if is_deep(self.photo, path, options.get("format")):
            ab = torch.from_numpy(self.ab)
            with timed(self.seconds, "render"):
                picture = render_deep(self.photo.levels, ab)
        else:
            picture = self.pixels
        return self._written(picture, path, self.photo, options)

    def _written(
        self, picture: np.ndarray, path: str | Path, photo: Photo, options: Mapping[str, Any]
    ) -> Saved:
        with timed(self.seconds, "save"):
            return save_picture(
                picture,
                path,
                photo,
                model=self.record.name,
                weights_hash=self.record.weights["sha256"],
                **options,
            )


def _on_white(picture: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """A picture uint8 `(h, w, 3)` with its transparent parts white."""
    if alpha is None:
        return picture
    share = alpha[..., None] / np.float32(255)
    return np.rint(picture * share + 255 * (1 - share)).astype(np.uint8)


def decoded(
    network: nn.Module, record: Record, seen: Prediction, decoding: Decoding | None = None
) -> Tensor:
    """ab `(2, H, W)` of a prediction, with the colours of its reference."""
    ab = decode(network, record, seen.output[None].float(), decoding)
    ab = resize(ab, seen.shape)[0]
    return ab if seen.carried is None else seen.carried.over(ab, seen.L)


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - began
