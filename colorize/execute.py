"""Carries out a plan: photos opened, colorized in batches and saved, a failure at a time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from colorize.batch import Task
from colorize.colorizer import Colorizer, Prediction
from colorize.errors import ColorizeError
from colorize.options import Hint
from colorize.photo import Photo, PhotoError

_GROUP = {"cuda": 16}  # photos a batch; on a CPU a batch takes as long as its photos one by one
_GROUP_PIXELS = 50_000_000  # of the photos that are open at once


@dataclass(frozen=True)
class Outcome:
    """What became of a task: `error` is empty when the photo was saved."""

    task: Task
    error: str = ""
    notices: tuple[str, ...] = ()


def execute(
    colorizer: Colorizer,
    tasks: Sequence[Task],
    *,
    overwrite: bool = False,
    look: Mapping[str, Any],
    saving: Mapping[str, Any],
    size: int | None = None,
    hints: Sequence[Hint] = (),
) -> Iterator[Outcome]:
    """An Outcome for each task, in order; whatever one photo does, the others are done.

    `look` holds saturation, temperature and seed; `hints` go to every photo; `saving` is what
    `save_picture` takes (quality, strip, mark). No more than a few photos are in memory at once.
    An output that is there already is its task's failure, unless `overwrite`.
    """
    run = _Run(colorizer, overwrite, look, saving, size, hints)
    group: list[tuple[Task, Photo | str]] = []
    for task in tasks:
        group.append((task, run.open(task)))
        photos = [photo for _, photo in group if isinstance(photo, Photo)]
        pixels = sum(photo.size[0] * photo.size[1] for photo in photos)
        if len(group) >= _GROUP.get(colorizer.device.type, 1) or pixels >= _GROUP_PIXELS:
            yield from run.finish(group)
            group = []
    yield from run.finish(group)


@dataclass(frozen=True)
class _Run:
    colorizer: Colorizer
    overwrite: bool
    look: Mapping[str, Any]
    saving: Mapping[str, Any]
    size: int | None
    hints: Sequence[Hint]

    def open(self, task: Task) -> Photo | str:
        """The opened photo, or the sentence that says why there is none."""
        try:
            self._check_target(task)
            return Photo.open(task.source)
        except PhotoError as error:
            name, text = task.source.name, str(error)
            if text.startswith(name):  # without its folder, which is said here
                return f"{task.source}{text.removeprefix(name)}"
            return _sentence(task, error)
        except Exception as error:
            return _sentence(task, error)

    def finish(self, group: Sequence[tuple[Task, Photo | str]]) -> Iterator[Outcome]:
        photos = [photo for _, photo in group if isinstance(photo, Photo)]
        predictions = iter(self._predict(photos))
        for task, photo in group:
            if isinstance(photo, str):
                yield Outcome(task, error=photo)
                continue
            prediction = next(predictions)
            try:
                if prediction is None:
                    prediction = self._run([photo])[0]
                notices = self._save(task, photo, prediction)
            except Exception as error:
                yield Outcome(task, error=_sentence(task, error))
            else:
                yield Outcome(task, notices=(*photo.notices, *notices))

    def _predict(self, photos: Sequence[Photo]) -> list[Prediction | None]:
        """Predictions; None for those to be made one by one, so that one's failure is its own."""
        if len(photos) > 1:
            with suppress(Exception):
                return list(self._run(photos))
        return [None] * len(photos)

    def _run(self, photos: Sequence[Photo]) -> list[Prediction]:
        return self.colorizer.predict(photos, self.size, [self.hints] * len(photos))

    def _save(self, task: Task, photo: Photo, prediction: Prediction) -> Sequence[str]:
        result = self.colorizer.finish(photo, prediction, **self.look)
        task.target.parent.mkdir(parents=True, exist_ok=True)
        saved = result.save(
            task.target, format=task.format, overwrite=self.overwrite, **self.saving
        )
        return saved.notices

    def _check_target(self, task: Task) -> None:
        """Before the photo is opened; `save` makes sure once more."""
        if not task.target.exists():
            return
        if task.source.exists() and task.target.samefile(task.source):
            raise ColorizeError("the result would replace the photo; choose another output")
        if not self.overwrite:
            raise ColorizeError(f"{task.target} exists already; --overwrite replaces it")


def _sentence(task: Task, error: Exception) -> str:
    """One line that names the file. What nobody foresaw is the file's failure as well."""
    if isinstance(error, ColorizeError):
        return f"{task.source}: {error}"
    text = str(getattr(error, "strerror", None) or error).partition("\n")[0]
    return f"{task.source}: could not be colorized ({type(error).__name__}: {text})"
