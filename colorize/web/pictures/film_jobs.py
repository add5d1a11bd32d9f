"""Films of visitors: one is coloured at a time, the others wait; what is whole can be played."""

import itertools
import os
import shutil
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from colorize.errors import ColorizeError
from colorize.film.picture import Converter
from colorize.film.reading import Source
from colorize.film.run import Film, Progress, run
from colorize.film.settings import FilmSettings, check_model, make_settings
from colorize.models.record import Record
from colorize.web.pictures.encoding import encode
from colorize.web.session import Session
from colorize.web.workshop import Workshop

SECONDS, MEGABYTES = "COLORIZE_FILM_SECONDS", "COLORIZE_FILM_MEGABYTES"
_USUAL_SECONDS, _SECONDS_ON_GPU, _USUAL_MEGABYTES = 60, 600, 500
_MOST_OPEN, _MOST_OF_ONE = 16, 4  # films that wait or are worked on
_PART_SECONDS = 3.0
_FIRST_WIDTH = 640


@dataclass(frozen=True)
class Limits:
    """The longest and the largest film that the tab takes."""

    seconds: int
    megabytes: int

    @property
    def bytes(self) -> int:
        return self.megabytes * 2**20

    def check(self, film: Source, settings: FilmSettings) -> None:
        """ColorizeError, with what to do, for a film that goes beyond them, or whose part does."""
        size = film.file.stat().st_size
        if size > self.bytes:
            raise ColorizeError(
                f"{film.name} has {size / 2**20:.0f} MB; films of up to {self.megabytes} MB are "
                "coloured here. Save it smaller, or use python -m colorize film on your own machine"
            )
        length = film.about.seconds
        if length is None:
            return
        part = min(length, settings.last) - settings.first
        if part > self.seconds + 0.5:
            what = film.name if part == length else f"That part of {film.name}"
            raise ColorizeError(
                f"{what} lasts {ceil(part)} s; films of up to {self.seconds} s are coloured "
                "here. Choose a part of it, or use python -m colorize film on your own machine"
            )


def limits(environment: Mapping[str, str]) -> Limits:
    """Those of the environment; ColorizeError where it says no number."""
    seconds = _SECONDS_ON_GPU if torch.cuda.is_available() else _USUAL_SECONDS
    return Limits(
        _number(environment, SECONDS, seconds), _number(environment, MEGABYTES, _USUAL_MEGABYTES)
    )


def _number(environment: Mapping[str, str], name: str, usual: int) -> int:
    given = environment.get(name, "").strip() or str(usual)
    if not (given.isascii() and given.isdecimal() and len(given) <= 7):
        raise ColorizeError(f"{name}: expected a whole number, found {given[:40]}")
    return int(given)


class _StopError(Exception):
    """Somebody cancelled it, or left."""


@dataclass
class FilmJob:
    """A film that waits, is worked on or is done; parts: files, first: a JPEG or WebP."""

    number: int
    file: Path
    output: Path
    settings: FilmSettings
    model: str
    session: Session | None = None
    frames: int = 0
    of: int | None = None
    began: float = 0.0
    parts: list[tuple[float, Path]] = field(default_factory=list)
    first: tuple[bytes, str] | None = None
    error: str = ""
    film: Film | None = None
    is_cancelled: bool = False

    @property
    def is_over(self) -> bool:
        return bool(self.error or self.film or self.is_cancelled)

    def state(self) -> dict[str, Any]:
        """What the page shows, as JSON; left: seconds, None where it is too early to say."""
        left = None
        if self.began and self.of and self.frames >= 12 and not self.is_over:
            passed = time.monotonic() - self.began
            left = max(0, round(passed / self.frames * (self.of - self.frames)))
        doing = "working" if self.began else "waiting"
        if self.is_over:
            doing = "failed" if self.error else "done" if self.film else "cancelled"
        return {
            "number": self.number,
            "name": self.file.name,
            "state": doing,
            "frames": self.frames,
            "of": self.of,
            "left": left,
            "parts": [seconds for seconds, _ in self.parts],
            "start": self.settings.first,
            "hasFirst": self.first is not None,
            "error": self.error,
            "notices": list(self.film.notices) if self.film else [],
            "download": self.output.name,
        }

    def check_goes_on(self) -> None:
        """_StopError where nobody wants it any more."""
        if self.is_cancelled or (self.session is not None and self.session.is_closed):
            raise _StopError


class FilmJobs:
    """The films of all visitors, in the order in which they came."""

    def __init__(self, workshop: Workshop, limits: Limits) -> None:
        self.limits = limits
        self._workshop = workshop
        self._numbers = itertools.count(1)
        self._jobs: dict[int, FilmJob] = {}
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "films")

    def start(self, session: Session, file: Path, model: str, **options: Any) -> FilmJob:
        """Takes a film of a session on; its files go with the session's. ColorizeError says what
        is wrong with it, or that too many wait."""
        settings, record = self._checked(file, model, options)
        with self._lock:
            self._forget_old()
            number = next(self._numbers)
            folder = session.folder / f"film-{number}"
            folder.mkdir(parents=True)
            kept = folder / file.name
            job = FilmJob(
                number, kept, _output(folder, file, record.name), settings, model, session
            )
            self._admit(job)
        _keep(file, kept)
        stills = []
        for place, (seconds, still) in enumerate(settings.stills):
            stills.append((seconds, folder / f"still-{place}" / still.name))
            _keep(still, stills[-1][1])
        job.settings = replace(settings, stills=tuple(stills))
        self._submit(job)
        return job

    def submit(self, file: Path, folder: Path, model: str, **options: Any) -> "Future[FilmJob]":
        """The same for a program, which waits for it; the output goes into a folder."""
        settings, record = self._checked(file, model, options)
        with self._lock:
            self._forget_old()
            output = _output(folder, file, record.name)
            job = FilmJob(next(self._numbers), file, output, settings, model)
            self._admit(job)
        return self._submit(job)

    def _checked(
        self, file: Path, model: str, options: Mapping[str, Any]
    ) -> tuple[FilmSettings, Record]:
        settings, record = make_settings(options), self._workshop.record(model)
        check_model(record, settings)
        self.limits.check(Source(file), settings)
        return settings, record

    def job(self, session: Session, number: int) -> FilmJob | None:
        """One of a session's."""
        job = self._jobs.get(number)
        return job if job is not None and job.session is session else None

    def _admit(self, job: FilmJob) -> None:
        waiting = [one for one in self._jobs.values() if not one.is_over]
        own = [one for one in waiting if one.session is job.session and job.session is not None]
        if len(waiting) >= _MOST_OPEN or len(own) >= _MOST_OF_ONE:
            raise ColorizeError("Many films are waiting already. Try again in some minutes")
        self._jobs[job.number] = job

    def _submit(self, job: FilmJob) -> "Future[FilmJob]":
        return self._thread.submit(self._work, job)

    def _forget_old(self) -> None:
        for number, job in list(self._jobs.items()):
            if job.session.is_closed if job.session is not None else job.is_over:
                del self._jobs[number]

    def _work(self, job: FilmJob) -> FilmJob:
        job.began = time.monotonic()
        try:
            job.check_goes_on()
            colorizer = _InTurns(self._workshop, job)
            if job.session is not None:
                job.first = _first(colorizer, job)
            job.film = run(
                colorizer, job.file, job.output, job.settings, lambda now: _note(job, now),
                part_seconds=_PART_SECONDS,
            )  # fmt: skip
        except _StopError:
            job.is_cancelled = True
        except ColorizeError as error:
            job.error = str(error)
        except Exception as error:  # whatever it is, the next one is worked on
            job.error = f"{job.file.name} could not be coloured ({type(error).__name__})"
        if job.session is not None and job.session.is_closed:
            shutil.rmtree(job.file.parent, ignore_errors=True)
        return job


def _keep(file: Path, kept: Path) -> None:
    """What was uploaded goes after a while."""
    kept.parent.mkdir(exist_ok=True)
    try:
        os.link(file, kept)
    except OSError:
        shutil.copyfile(file, kept)


class _InTurns:
    """A Colorizer that waits for one of the places for networks at each frame."""

    def __init__(self, workshop: Workshop, job: FilmJob) -> None:
        self._workshop, self._job = workshop, job
        self._colorizer = workshop.colorizer(job.model)
        self._who = job.session.key if job.session is not None else f"film-{job.number}"
        self.record = self._colorizer.record
        self.working_shape = self._colorizer.working_shape

    def __call__(self, photo: Any, **options: Any) -> Any:
        self._job.check_goes_on()
        with self._workshop.turn(self._who):
            return self._colorizer(photo, **options)


def _note(job: FilmJob, now: Progress) -> None:
    job.check_goes_on()
    job.frames, job.of = now.frames, now.of
    if now.part is None:
        return
    # The parts are deleted once they are joined, maybe while one is played.
    kept = job.file.parent / f"part-{len(job.parts)}.mp4"
    if job.session is not None:
        with suppress(OSError):
            os.link(now.part, kept)
            job.parts.append((now.seconds, kept))


def _first(colorizer: _InTurns, job: FilmJob) -> tuple[bytes, str] | None:
    """The first frame in colour, which is seen long before the first part."""
    film = Source(job.file)
    converter = Converter(film.about, _FIRST_WIDTH)
    for frame in film.frames(job.settings.first, job.settings.last):
        look = {"saturation": job.settings.saturation, "variant": job.settings.variant}
        return encode(colorizer(converter.pixels(frame), **look).pixels)
    return None


def picture_at(file: Path, seconds: float) -> bytes:
    """A PNG of a film's picture at a time, upright, to be coloured by hand. ColorizeError where
    there is none."""
    film = Source(file)
    converter, found = Converter(film.about), None
    clock, shift = film.about.time_base, film.about.shift
    for start in (max(0.0, seconds - 1), 0.0):  # the one that is shown then began before
        for frame in film.frames(start, seconds + 1e-6):
            found = frame
        if found is not None:
            break
    if found is None or float((found.pts + found.duration) * clock - shift) < seconds - 1e-6:
        raise ColorizeError(f"{film.name} has no picture at {seconds:g} s")
    content = BytesIO()
    Image.fromarray(converter.pixels(found)).save(content, "PNG")
    return content.getvalue()


def _output(folder: Path, file: Path, model: str) -> Path:
    """MP4, for that is what browsers play; Matroska where its sound does not go into one."""
    from colorize.film.joining import natural_ending

    ending = natural_ending(Source(file))
    return folder / f"{file.stem}-{model}{ending if ending != '.mov' else '.mp4'}"
