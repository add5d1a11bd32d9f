"""How tasks are to be done and what became of each, told without a network. No torch here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from colorize.batch.plan import Task
from colorize.errors import ColorizeError, printable
from colorize.inference.hints.strokes import Stroke
from colorize.inference.options import Hint
from colorize.photo.opening import Photo, PhotoError

if TYPE_CHECKING:
    from colorize.inference.reference.given import Reference


@dataclass(frozen=True)
class Outcome:
    """What became of a task: `error` is empty when its result is there.

    `before`: an earlier run had made it. `seconds` of work on this photo, None if there was none.
    """

    task: Task
    error: str = ""
    notices: tuple[str, ...] = ()
    seconds: float | None = None
    before: bool = False


@dataclass(frozen=True)
class Settings:
    """How every photo is done.

    `look` holds saturation, temperature, seed, variant and borders; `hints`, `strokes` and
    `reference` go to every photo; `restore` stretches faded tones;
    `saving` is what `save_picture` takes (quality, strip, mark). An output that is there already
    is its task's failure; with `overwrite` it is replaced; with `resume` it stays where it is the
    whole result of the same model, and is replaced where it is half or another model's.
    """

    look: Mapping[str, Any] = field(default_factory=dict)
    saving: Mapping[str, Any] = field(default_factory=dict)
    size: int | None = None
    hints: Sequence[Hint] = ()
    strokes: Sequence[Stroke] = ()
    reference: "Reference | None" = None
    restore: bool = False
    overwrite: bool = False
    resume: bool = False


def check_target(task: Task, settings: Settings) -> bool:
    """Whether there is something where the result goes; ColorizeError where it is to stay."""
    try:
        if not task.target.exists():
            return False
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise ColorizeError(
            f"{task.target} cannot be written ({error.strerror}); choose another output"
        ) from error
    if task.source.exists() and task.target.samefile(task.source):
        raise ColorizeError("the result would replace the photo; choose another output")
    if not (settings.overwrite or settings.resume):
        raise ColorizeError(
            f"{task.target} exists already; --overwrite replaces it, --resume keeps it where it is "
            "whole"
        )
    return True


def check_start(task: Task, settings: Settings) -> None:
    """Whether there is a photo, PhotoError where there is none; and `check_target`."""
    if not task.source.exists():
        Photo.open(task.source)
    check_target(task, settings)


def refused(
    tasks: Sequence[Task],
    settings: Settings,
    check: Callable[[Task, Settings], object] = check_target,
) -> dict[Task, Outcome]:
    """The tasks that cannot be done, as `check` tells before anything is loaded."""
    found = {}
    for task in tasks:
        try:
            check(task, settings)
        except Exception as error:  # a folder that may not be looked into, too
            found[task] = Outcome(task, sentence(task, error))
    return found


def sentence(task: Task, error: Exception) -> str:
    """One line that names the file. What nobody foresaw is the file's failure as well."""
    name, text = printable(task.source.name), str(error)
    if isinstance(error, PhotoError) and text.startswith(name):
        told = f"{task.source}{text.removeprefix(name)}"
    elif isinstance(error, ColorizeError):
        told = f"{task.source}: {error}"
    else:
        text = str(getattr(error, "strerror", None) or error).partition("\n")[0]
        told = f"{task.source}: could not be colorized ({type(error).__name__}: {text})"
    return printable(told)
