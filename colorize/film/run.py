"""A film from file to file: decoded once, coloured shot by shot, written part by part, joined."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from colorize.color.resample import resize_picture
from colorize.film.given import given_colours, grey_of_pixels
from colorize.film.joining import check_container, join
from colorize.film.parts import Part, Parts, made_of_film, make_folder, mark_of, was_made_of
from colorize.film.picture import Converter
from colorize.film.reading import FilmError, Frame, Source, library
from colorize.film.settings import PREVIEW_WIDTH, FilmHint, FilmSettings
from colorize.film.steady import Steady, SteadyColours
from colorize.film.writing import PartWriter, check_codec, write_error
from colorize.inference import options
from colorize.inference.colorizer import Colorizer
from colorize.inference.reference.given import Reference
from colorize.models.record import Record

PART_SECONDS = 10.0  # of a shot, at most: what is whole can be played
_MOST_WAITING = 6  # pictures that wait for the encoder


@dataclass(frozen=True)
class Progress:
    """How far a film is: frames done, of how many (None: not known), and the part that has just
    become whole, an MP4 of its own of so many seconds."""

    frames: int
    of: int | None
    part: Path | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Film:
    """A film in colour: its file, frames, shots and length in seconds.

    by_network: frames that the network saw; took: seconds of work; notices: sentences for people.
    """

    path: Path
    frames: int
    shots: int
    seconds: float
    by_network: int
    took: float
    notices: tuple[str, ...] = ()


def check_film(source: Path, output: Path, settings: FilmSettings) -> tuple[Source, str]:
    """The film, opened, and the codec that it is written with. FilmError before any work."""
    film = _opened(source, output)
    if output.is_dir():
        raise FilmError(f"{output}: expected a film's name, found a folder")
    if output.exists() and not settings.overwrite:
        raise FilmError(f"{output}: exists; choose another name or give --overwrite")
    codec = check_container(film, output, settings.codec)
    check_codec(codec)
    length = film.about.seconds
    if length is not None and settings.first >= length:
        raise FilmError(
            f"{film.name}: start: {settings.first:g} s lies behind its end, {length:.1f} s"
        )
    for seconds in settings.given_at if length is not None else ():
        if seconds >= length:
            raise FilmError(
                f"{film.name}: a hint or still is given at {seconds:g} s, behind its end, "
                f"{length:.1f} s"
            )
    given = [(hint.x, hint.y, hint.color) for hint in settings.hints]
    options.check_inside(given, film.about.size, "film")
    return film, codec


def _opened(source: Path, output: Path) -> Source:
    film = Source(source)
    if output.exists() and output.samefile(source):
        raise FilmError(f"{film.name}: would be replaced by itself; choose another output")
    return film


def is_done(source: Path, output: Path, settings: FilmSettings, record: Record) -> bool:
    """Whether `resume` has nothing to do: the output is there, of the same film, model and
    settings. FilmError where one is there that is of others."""
    if not settings.resume or settings.overwrite or not output.is_file():
        return False
    film = _opened(source, output)
    made_of = made_of_film(film, settings, record, check_container(film, output, settings.codec))
    if not was_made_of(output, made_of):
        raise FilmError(
            f"{output}: exists, and was not made of this film with this model and these settings; "
            "choose another name or give --overwrite"
        )
    return True


def run(
    colorizer: Colorizer,
    source: Path,
    output: Path,
    settings: FilmSettings,
    progress: Callable[[Progress], None] | None = None,
    part_seconds: float = PART_SECONDS,
) -> Film:
    """Colours a film. What `progress` raises ends the work; finished shots stay for `resume`.

    part_seconds: of a shot, that become a part at most.
    """
    began = time.perf_counter()
    film, codec = check_film(source, output, settings)
    work = _Work(
        colorizer, film, settings, codec, output, progress or (lambda _: None), part_seconds
    )
    try:
        return _carried_out(work, began)
    finally:
        work.parts.leave()


def _carried_out(work: "_Work", began: float) -> Film:
    work.carry_out()
    film, settings, output = work.film, work.settings, work.output
    parts = work.parts.done
    if not parts:
        raise FilmError(f"{film.name}: has no picture from {settings.first:g} s on")
    zero = parts[0].first if settings.first > 0 else round(film.about.shift / film.about.time_base)
    record = work.colorizer.record
    try:
        join(
            film,
            [(part, work.parts.path(part)) for part in parts],
            output,
            first=zero,
            last=settings.last,
            note=f"Colorized by a program: colours by {record.name} "
            f"({record.weights['sha256'][:12]}), not a record of the time; "
            + mark_of(made_of_film(film, settings, record, work.codec)),
        )
    except (library().FFmpegError, OSError) as error:
        raise write_error(error, output.name) from error
    work.parts.clear()
    return Film(
        output,
        sum(part.frames for part in parts),
        parts[-1].shot + 1,
        sum(part.seconds for part in parts),
        work.by_network,
        time.perf_counter() - began,
        tuple(work.notices()),
    )


@dataclass
class _Item:
    """A picture that waits for its colours."""

    pixels: np.ndarray
    pts: int
    duration: int


@dataclass
class _Work:
    colorizer: Colorizer
    film: Source
    settings: FilmSettings
    codec: str
    output: Path
    progress: Callable[[Progress], None]
    part_seconds: float
    by_network: int = 0
    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        width = PREVIEW_WIDTH if self.settings.preview else None
        self.converter = Converter(self.film.about, width)
        self.shape = self.colorizer.working_shape(self.converter.size)
        self.look = {
            "saturation": self.settings.saturation,
            "variant": self.settings.variant,
            "borders": False,  # found or not from frame to frame, they would flicker
        }
        if self.settings.reference is not None:
            self.look["reference"] = Reference.open(self.settings.reference)
        about = made_of_film(self.film, self.settings, self.colorizer.record, self.codec)
        more = {
            "time": self.film.file.stat().st_mtime_ns,
            "library": library().__version__,
        }
        make_folder(self.output.parent)
        self.parts = Parts(self.output, about | more, self.settings.resume)
        self._shots = self.parts.done[-1].shot + 1 if self.parts.done else 0

    def notices(self) -> Iterator[str]:
        yield from self.film.notices
        if self.converter.is_padded:
            (w, h), (width, height) = self.converter.size, self.converter.out_size
            yield f"{self.film.name} was made {width} x {height}: encoders take no {w} x {h} pixels"
        if self.settings.resume and self.parts.changed:
            yield f"{self.film.name} was begun anew: film, model or settings are others than before"

    def carry_out(self) -> None:
        """Makes the parts that are missing."""
        steady = SteadyColours(self._predict, self.settings.speed)
        given = given_colours(
            self.film, self.settings, lambda f: self._grey(self._item(f)), self._hinted
        )
        with ThreadPoolExecutor(1) as encoder, closing(self._writer(encoder)) as writer:
            for frame in self._frames():
                item = self._item(frame)
                grey, some = self._grey(item), given.get(frame.pts, ())
                for one in steady.add(item, grey, some, item.pixels.nbytes):
                    writer.send(one)
            for one in steady.finish():
                writer.send(one)
            with suppress(StopIteration):
                writer.send(None)

    def _frames(self) -> Iterator[Frame]:
        done = self.parts.done
        if not done:
            yield from self.film.frames(self.settings.first, self.settings.last)
            return
        about = self.film.about
        here = float(done[-1].last * about.time_base - about.shift)
        for frame in self.film.frames(max(0.0, here), self.settings.last):
            if frame.pts > done[-1].last:
                yield frame

    def _writer(self, encoder: ThreadPoolExecutor) -> Any:
        """A generator that is sent coloured frames, and None at the end; it is ready to be."""
        writing = self._written(encoder)
        next(writing)
        return writing

    def _written(self, encoder: ThreadPoolExecutor) -> Iterator[None]:
        total, done = self._total(), sum(part.frames for part in self.parts.done)
        part: _Open | None = None
        try:
            while (steady := (yield)) is not None:
                shot = steady.shot + self._shots
                if part is not None and (shot != part.shot or part.seconds >= self.part_seconds):
                    self._finish(part, shot != part.shot, done, total)
                    part = None
                if part is None:
                    part = _Open(self._part_writer(), shot, encoder, self.converter)
                part.add(steady, float(steady.item.duration * self.film.about.time_base))
                self.by_network += steady.by_network
                done += 1
                self.progress(Progress(done, total))
            if part is not None:
                self._finish(part, True, done, total)
                part = None
        except (library().FFmpegError, OSError) as error:
            raise write_error(error, self.output.name) from error
        finally:
            if part is not None:
                part.discard()

    def _part_writer(self) -> PartWriter:
        return PartWriter(self.parts.next_path(), self.converter, self.codec, self.settings.quality)

    def _finish(self, part: "_Open", shot_ends: bool, done: int, total: int | None) -> None:
        found = part.close(shot_ends)
        self.parts.add(found)
        self.progress(Progress(done, total, self.parts.path(found), found.seconds))

    def _total(self) -> int | None:
        about, settings = self.film.about, self.settings
        if about.frames is None or not about.seconds:
            return None
        length = max(0.0, min(settings.last, about.seconds) - settings.first)
        return max(1, round(about.frames * min(1.0, length / about.seconds)))

    def _item(self, frame: Frame) -> _Item:
        return _Item(self.converter.pixels(frame), frame.pts, frame.duration)

    def _grey(self, item: _Item) -> np.ndarray:
        small = resize_picture(item.pixels, self.shape[::-1], Image.Resampling.BILINEAR)
        return grey_of_pixels(small)

    def _predict(self, item: _Item) -> np.ndarray:
        return self.colorizer(item.pixels, **self.look).ab

    def _hinted(self, frame: Frame, hints: list[FilmHint]) -> tuple[np.ndarray, np.ndarray]:
        scale = self.converter.size[0] / self.film.about.size[0]
        some = [(hint.x * scale, hint.y * scale, hint.color) for hint in hints]
        found = self.colorizer(self._item(frame).pixels, hints=some, **self.look)
        return found.ab, found.touched


class _Open:
    """A part that is being written, on a thread of its own."""

    def __init__(
        self, writer: PartWriter, shot: int, encoder: ThreadPoolExecutor, converter: Converter
    ) -> None:
        self.shot, self.seconds = shot, 0.0
        self._writer, self._encoder, self._converter = writer, encoder, converter
        self._waiting: deque[Future] = deque()
        self._first: int | None = None
        self._last, self._frames = 0, 0

    def add(self, steady: Steady, seconds: float) -> None:
        while len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft().result()
        item = steady.item
        self._waiting.append(self._encoder.submit(self._write, steady))
        self._first = item.pts if self._first is None else self._first
        self._last, self._frames = item.pts, self._frames + 1
        self.seconds += seconds

    def _write(self, steady: Steady) -> None:
        item = steady.item
        picture = self._converter.encoded(item.pixels, torch.from_numpy(steady.ab))
        self._writer.add(picture, item.pts, item.duration)

    def close(self, shot_ends: bool) -> Part:
        self._drain()
        self._writer.close()
        name = self._writer.file.name
        return Part(name, self.shot, self._first, self._last, self._frames, self.seconds, shot_ends)

    def discard(self) -> None:
        with suppress(Exception):  # what is to be told is on its way
            self._drain()
        with suppress(Exception):
            self._writer.discard()

    def _drain(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()
