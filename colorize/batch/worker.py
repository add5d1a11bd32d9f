"""One photo's way from file to file, or that of a few in one batch; each failure is a sentence."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

from colorize.batch.existing import Existing, existing_result
from colorize.batch.outcome import Outcome, Settings, check_target, sentence
from colorize.batch.plan import Task
from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer, Prediction
from colorize.photo.opening import Photo
from colorize.photo.saving import NotWrittenError


class Worker:
    """Does tasks with one colorizer. Safe to share between threads, which overlap all but a GPU's
    network: one batch at a time has its memory.
    """

    def __init__(self, colorizer: Colorizer, settings: Settings) -> None:
        self.colorizer, self.settings = colorizer, settings
        on_cpu = colorizer.device.type == "cpu"
        self._network = nullcontext() if on_cpu else threading.Lock()

    def do(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """An Outcome for each task, in order; photos of like shape go through the network at once.

        Whatever one photo does, the others are done.
        """
        opened = [self._open(task) for task in tasks]
        photos = [one.photo for one in opened if one.photo]
        began = time.perf_counter()
        predictions = iter(self._predict(photos))
        share = (time.perf_counter() - began) / max(1, len(photos))
        for number, one in enumerate(opened):
            opened[number] = None  # a photo that is done is not kept for the others
            if one.outcome:
                yield one.outcome
                continue
            began = time.perf_counter() - share - one.seconds
            try:
                notices = self._finish(one, next(predictions))
            except Exception as error:
                yield Outcome(one.task, sentence(one.task, error), seconds=_since(began))
            else:
                notices = (*one.photo.notices, *notices)
                yield Outcome(one.task, notices=notices, seconds=_since(began))

    def _open(self, task: Task) -> "_OpenedTask":
        began = time.perf_counter()
        try:
            if self._is_done(task):
                return _OpenedTask(task, outcome=Outcome(task, before=True))
            photo = Photo.open(task.source)
            photo = photo.restored() if self.settings.restore else photo
            return _OpenedTask(task, photo, seconds=_since(began))
        except Exception as error:
            text = sentence(task, error)
            return _OpenedTask(task, outcome=Outcome(task, text, seconds=_since(began)))

    def _is_done(self, task: Task) -> bool:
        """Whether the task's result is there; ColorizeError where it may not be written.

        Told before the photo is opened.
        """
        found = None
        if check_target(task, self.settings) and self.settings.resume:
            found = existing_result(task, self.colorizer.record)
        if found is Existing.UNMARKED and not self.settings.overwrite:
            raise ColorizeError(
                f"{task.target} exists already and names no model that made it; "
                "--overwrite replaces it"
            )
        return found is Existing.DONE

    def _predict(self, photos: Sequence[Photo]) -> list[Prediction | None]:
        """Predictions; None for those to be made one by one, so that one's failure is its own."""
        if len(photos) > 1:
            with suppress(Exception):
                return list(self._run(photos))
        return [None] * len(photos)

    def _run(self, photos: Sequence[Photo]) -> list[Prediction]:
        settings = self.settings
        with self._network:
            hints, strokes, references = (
                [x] * len(photos) for x in (settings.hints, settings.strokes, settings.reference)
            )
            given = {"references": references} if settings.reference else {}
            return self.colorizer.predict(photos, settings.size, hints, strokes, **given)

    def _finish(self, one: "_OpenedTask", prediction: Prediction | None) -> Sequence[str]:
        if prediction is None:
            prediction = self._run([one.photo])[0]
        result = self.colorizer.finish(one.photo, prediction, **self.settings.look)
        task, settings = one.task, self.settings
        saving = {**settings.saving, "overwrite": settings.overwrite or settings.resume}
        try:
            task.target.parent.mkdir(parents=True, exist_ok=True)
            return result.save(task.target, format=task.format, **saving).notices
        except (OSError, NotWrittenError) as error:
            refused = error.error if isinstance(error, NotWrittenError) else error
            # Of the result, which may have the photo's name.
            raise ColorizeError(str(NotWrittenError(task.target, refused))) from error


@dataclass(frozen=True)
class _OpenedTask:
    """A task with its photo, or with what became of it already."""

    task: Task
    photo: Photo | None = None
    outcome: Outcome | None = None
    seconds: float = 0.0


def _since(began: float) -> float:
    return time.perf_counter() - began
