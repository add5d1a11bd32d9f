"""What all visitors of the app share: the loaded models, and pictures made from uploads.

Everything big lives in one bounded `Memory`; what it drops is made again when it is asked for.
Only a network that has to run waits for its turn. In the server, what may take long is awaited
first (`ready`), so that nobody who waits keeps one of its threads.
"""

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from skimage.measure import find_contours

from colorize.color.render import render, render_part
from colorize.color.resample import shrink
from colorize.color.toned import lab, unit
from colorize.errors import ColorizeError
from colorize.evaluation.metrics import ciede2000, colorfulness, psnr
from colorize.inference.colorizer import Colorization, Colorizer, Prediction
from colorize.inference.hints.strokes import Stroke
from colorize.inference.loaded import LoadedModels
from colorize.inference.options import OTHERS, VARIANTS, Hint, check
from colorize.inference.reference.given import Reference
from colorize.inference.swatches import Swatch
from colorize.inference.variants import Scene
from colorize.models.record import Record
from colorize.photo.opening import Photo, given_as
from colorize.photo.saving import output_format
from colorize.web.cache import USUAL, Memory, held
from colorize.web.network_queue import Turns, done
from colorize.web.photos.item import Taken, Upload

T = TypeVar("T")

_NETWORKS = 2  # that run at the same time
_WHOLE_PHOTOS = 4  # that are opened, or written in full size, at the same time
SCREEN = 1600  # longest side of what a screen is given, in pixels
SIDE_BY_SIDE = "side"
_SCENE = 12 * 2**20  # bytes of a `Scene`, roughly
_MEASURED = 512  # longest side at which figures are measured


@dataclass(frozen=True)
class Look:
    """How a photo is to look: the model, its working size and what can change without it."""

    model: str
    size: int | None = None
    saturation: float = 1.0
    temperature: float | None = None
    seed: int | None = None
    hints: tuple[Hint, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    variant: str = "natural"
    borders: bool = True
    restore: bool = False
    reference: Upload | None = None
    trust: float = 1.0  # in the reference: 0 leaves what is predicted


class Made(NamedTuple):
    """A network's output, and the seconds that it took: 0 where it was remembered."""

    prediction: Prediction
    seconds: float


class Part(NamedTuple):
    """A part of a photo in full size."""

    rows: slice
    columns: slice


class Variant(NamedTuple):
    """A variant's name, and a picture of it, `(h, w, 3)` uint8."""

    name: str
    picture: np.ndarray


class Workshop:
    """Models by name, loaded when first needed; previews, files and figures of uploads."""

    def __init__(
        self, folder: Path, records: Iterable[Record], max_bytes: int = USUAL * 2**20
    ) -> None:
        self.folder = folder
        self.models = LoadedModels(records)
        self.memory = Memory(max_bytes)
        self.turns = Turns(_NETWORKS)
        self._running: dict[tuple[Hashable, ...], Future[Made]] = {}
        self._starting = threading.Lock()
        self._whole = ThreadPoolExecutor(_WHOLE_PHOTOS, "whole-photos")

    @property
    def records(self) -> dict[str, Record]:
        """Of all models, by name."""
        return self.models.records

    def record(self, model: str) -> Record:
        """CheckpointError for a model that is not of the list."""
        return self.models.record(model)

    def colorizer(self, model: str) -> Colorizer:
        """Loaded now if it is not yet; those who ask for other models do not wait for that."""
        return self.models.colorizer(model)

    def use_zerogpu(self, spaces: Any) -> None:
        """Load every model, and run their networks on ZeroGPU; before the app is launched."""
        self.models.use_zerogpu(spaces)

    def turn(self, who: str) -> AbstractContextManager[None]:
        """Keeps one of the places for networks while the block runs, after waiting for a turn."""
        return self.turns.turn(who)

    def take(self, upload: Upload) -> Taken:
        """Opens an upload; PhotoError says what is wrong with it."""
        return Taken.of(self.photo(upload), self._screen(upload, _MEASURED))

    def photo(self, upload: Upload, restored: bool = False) -> Photo:
        """The opened photo; PhotoError says what is wrong with it."""
        if restored:
            key = (*upload, "restored")
            return self.memory.recall(key, lambda: self.photo(upload).restored())
        return self.memory.recall((*upload, "photo"), upload.opened)

    def reference(self, upload: Upload) -> Reference:
        """An upload as a reference; ColorizeError for one that has no colours to take."""
        with given_as("reference"):
            photo = self.photo(upload)
        return Reference.open(photo)

    def sources(self, upload: Upload, look: Look) -> dict[str, Any]:
        """Where the colours are from that the look's reference gives: `Carried.sources`."""
        return self.predict(upload, look).carried.sources()

    def predict(self, upload: Upload, look: Look) -> Prediction:
        """The network's output for a photo: the network runs only when it is not remembered.

        Of the outputs with hints only the last one is remembered.
        """
        return self.start(upload, look).result().prediction

    def start(self, upload: Upload, look: Look, who: str = "") -> Future[Made]:
        """The output to come: remembered, on its way already, or a new job in the line of `who`.

        who: the visitor whose turn it takes; the upload's owner unless said.
        """
        key = self._key(upload, look)
        with self._starting:
            if key in self._running:
                return self._running[key]
            with suppress(KeyError):
                remembered: Future[Made] = Future()
                remembered.set_result(Made(self.memory[key], 0.0))
                return remembered
            made = self.turns.submit(who or upload.owner, partial(self._run, upload, look))
            self._running[key] = made
        made.add_done_callback(lambda _: self._running.pop(key))
        return made

    def _run(self, upload: Upload, look: Look) -> Made:
        colorizer, key = self.colorizer(look.model), self._key(upload, look)
        began = time.perf_counter()
        photo = self.photo(upload, look.restore)
        before = None
        if look.hints or look.strokes:
            self.memory.forget(*key[:-3])
        for less in (
            replace(look, hints=(), strokes=()),
            Look(look.model, look.size, restore=look.restore),
        ):
            with suppress(KeyError):
                before = before or self.memory[self._key(upload, less)]
        reference = None if look.reference is None else self.reference(look.reference)

        def predict() -> Prediction:
            given = ([look.hints], [look.strokes], [before], [reference])
            return _compact(colorizer.predict([photo], look.size, *given)[0], colorizer)

        def size(made: Prediction) -> int:  # what was there before hints is counted on its own
            return held(made if before is None else replace(made, before=None))

        return Made(self.memory.recall(key, predict, size), time.perf_counter() - began)

    async def made(self, upload: Upload, look: Look, who: str = "") -> Made:
        """Like `start`, when it is there."""
        return (await done(self.start(upload, look, who))).result()

    async def ready(self, upload: Upload, look: Look | None = None, preview: bool = False) -> None:
        """Returns when the photo is open and the output for `look` is there: what follows is quick.

        preview: a remembered picture of that look will do in place of the output.
        """
        if (*upload, "photo") not in self.memory:
            await self.whole(self.photo, upload)
        if look and not (preview and self._ab_key(upload, look) in self.memory):
            await self.made(upload, look)

    async def whole(self, function: Callable[..., T], *given: Any) -> T:
        """What a function returns that opens a photo or writes one in full size: in a thread.

        Only a few do at once, for the memory that they need.
        """
        return await asyncio.get_running_loop().run_in_executor(self._whole, function, *given)

    def _key(self, upload: Upload, look: Look) -> tuple[Hashable, ...]:
        kind = "hinted" if look.hints or look.strokes else "prediction"
        own = look.restore, look.reference, look.hints, look.strokes
        return (*upload, kind, look.model, look.size, *own)

    def _ab_key(self, upload: Upload, look: Look) -> tuple[Hashable, ...]:
        return (*upload, "ab", replace(look, saturation=1.0))

    def colorize(self, upload: Upload, look: Look) -> Colorization:
        """The photo in colour at full size; from the remembered output where there is one."""
        prediction = self.predict(upload, look).trusting(look.trust)
        return self.colorizer(look.model).finish(
            self.photo(upload, look.restore),
            prediction,
            saturation=look.saturation,
            temperature=look.temperature,
            seed=look.seed,
            variant=look.variant,
            scene=self._scene(upload, look, prediction),
            borders=look.borders,
        )

    def _scene(self, upload: Upload, look: Look, prediction: Prediction) -> Scene:
        """What looks at one photo share; of each visitor and model that of one photo is kept."""
        kept = (upload.owner, "scene", look.model, look.size)
        key = (*kept, *upload[1:], look.restore, look.temperature, look.reference, look.trust)
        if key not in self.memory:
            self.memory.forget(*kept)

        def make() -> Scene:
            plain = prediction.before or prediction
            colorizer, photo = self.colorizer(look.model), self.photo(upload, look.restore)
            return colorizer.finish(photo, plain, temperature=look.temperature).scene

        return self.memory.recall(key, make, lambda _: _SCENE)

    def variants(self, upload: Upload, look: Look, longest: int) -> Iterator[Variant]:
        """The variants that suit the photo, as small pictures, `(h, w, 3)` uint8."""
        result = self.colorize(upload, look)
        screen = self._screen(upload, longest, look.restore)
        for name in result.variants:
            yield Variant(name, render(screen, torch.from_numpy(result.ab_of(name))))

    def preview(self, upload: Upload, look: Look, longest: int) -> np.ndarray:
        """The photo in colour for a screen, `(h, w, 3)` uint8, h and w at most `longest`."""
        ab = torch.from_numpy(self._ab(upload, look)) * look.saturation
        return render(self._screen(upload, longest, look.restore), ab)

    def tile(self, upload: Upload, look: Look | None, part: Part) -> np.ndarray:
        """A part of the photo in full size, uint8 `(h, w[, 3])`: in colour, or without a look in
        grey."""
        rows, columns = part
        pixels = self.photo(upload, bool(look and look.restore)).pixels
        if look is None:
            grey = pixels[rows, columns]
            return grey if grey.ndim == 2 else render(grey, torch.zeros(2, 1, 1))
        ab = torch.from_numpy(self._ab(upload, look)) * look.saturation
        return render_part(pixels, ab, rows, columns)

    def grey(self, upload: Upload, longest: int) -> np.ndarray:
        """The photo without its colours, `(h, w[, 3])` uint8."""
        screen = self._screen(upload, longest)
        return screen if screen.ndim == 2 else render(screen, torch.zeros(2, 1, 1))

    def original(self, upload: Upload, longest: int) -> np.ndarray:
        """The photo as it came, `(h, w[, 3])` uint8."""
        return self._screen(upload, longest)

    def alpha(self, upload: Upload, longest: int) -> np.ndarray | None:
        """Its transparency in the size of a preview, `(h, w)` uint8."""
        alpha = self.photo(upload).alpha
        return None if alpha is None else shrink(alpha, longest)

    def uncertainty(self, upload: Upload, look: Look) -> np.ndarray | None:
        """float32 `(h, w)` in [0, 1] at working size, None where the model has none."""
        return self.colorize(upload, look).uncertainty

    def swatches(self, upload: Upload, look: Look, x: float, y: float) -> list[Swatch]:
        """Colours for a hint at a pixel of the full-size photo, what the model thinks first.

        ColorizeError for a spot outside the photo.
        """
        return self.colorize(upload, look).plausible_colours(x, y)

    def outline(self, upload: Upload, look: Look) -> list[np.ndarray]:
        """The outlines of what the look's strokes would change: `(n, 2)` each, x and y in pixels
        of the upright photo. No network is run.
        """
        plain = replace(look, hints=(), strokes=())
        mask = self.colorize(upload, plain).outline(*look.strokes)
        scale = np.divide(self.photo(upload).size, mask.shape[::-1])
        framed = np.pad(mask, 1)  # so that a line along the photo's edge is closed
        # Who is sure of nothing but the spot itself is shown what comes next.
        found = find_contours(framed, min(0.5, framed.max() / 2)) if framed.any() else []
        size = np.array(self.photo(upload).size)
        return [((line[:, ::-1] - 0.5) * scale).clip(0, size) for line in found if len(line) > 4]

    def figures(self, upload: Upload, look: Look) -> dict[str, float]:
        """PSNR in dB, mean CIEDE2000 and colorfulness against the photo's own colours.

        Measured with the long side at 512 pixels, as the differences that a person sees are.
        """
        truth = unit(self._screen(upload, _MEASURED))
        picture = unit(self.preview(upload, look, _MEASURED))
        return {
            "psnr": psnr(picture, truth),
            "ciede2000": ciede2000(lab(picture), lab(truth)),
            "colorfulness": colorfulness(picture),
        }

    def save(self, upload: Upload, look: Look, choice: str, to: Path) -> Path:
        """Writes the full-size file as `to` with the format's ending; choice: keep, jpg, png, webp,
        or side: a JPEG for sharing, grey beside colour."""
        if choice == SIDE_BY_SIDE:
            return self.colorize(upload, look).share(to.with_name(f"{to.name}.jpg")).path
        format, ending = output_format(self.photo(upload), choice)
        target = to.with_name(to.name + ending)
        return self.colorize(upload, look).save(target, format=format).path

    def temporary(self) -> tempfile.TemporaryDirectory:
        return tempfile.TemporaryDirectory(dir=self.folder, prefix="file-")

    def forget(self, owner: str) -> None:
        """Drops all that is remembered of an owner's uploads."""
        self.memory.forget(owner)

    def close(self) -> None:
        """Starts no other network."""
        self.turns.close()
        self._whole.shutdown(wait=False, cancel_futures=True)

    def _ab(self, upload: Upload, look: Look) -> np.ndarray:
        plain = replace(look, saturation=1.0)
        return self.memory.recall(
            self._ab_key(upload, look), lambda: self.colorize(upload, plain).ab
        )

    def _screen(self, upload: Upload, longest: int, restored: bool = False) -> np.ndarray:
        longest = min(longest, SCREEN)
        key = (*upload, "screen", longest, restored)
        return self.memory.recall(key, lambda: shrink(self.photo(upload, restored).pixels, longest))


def variant_for(record: Record, variant: str) -> str:
    """The variant, or the natural one where the model has no other colourings."""
    return variant if record.over_bins or variant not in OTHERS else VARIANTS[0]


def fit(look: Look, record: Record) -> Look:
    """The look without what its model does not take; ColorizeError where it is wrong."""
    if not record.over_bins:
        variant = variant_for(record, look.variant)
        look = replace(look, temperature=None, seed=None, variant=variant)
    if not record.takes_hints:
        look = replace(look, hints=())
    if not 0 <= look.trust <= 1:
        raise ColorizeError(f"trust: expected a number from 0 to 1, found {look.trust:g}")
    check(
        record,
        saturation=look.saturation,
        temperature=look.temperature,
        size=look.size,
        hints=look.hints,
        seed=look.seed,
        variant=look.variant,
    )
    return look


def _compact(prediction: Prediction, colorizer: Colorizer) -> Prediction:
    """Logits, the biggest thing here, in half precision: the best bin is 0, so little is lost."""
    if not colorizer.record.over_bins:
        return prediction
    output, before = prediction.output, prediction.before
    if output.dtype != torch.half:  # else it is remembered so already
        output = (output - output.amax(0, keepdim=True)).half()
    return replace(prediction, output=output, before=before and _compact(before, colorizer))
