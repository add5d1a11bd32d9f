"""Which files a command line means and where each result goes. Nothing is decoded here."""

import itertools
import os
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from colorize.batch.names import anywhere, check_pattern, fitted, name_by, numbered
from colorize.errors import ColorizeError
from colorize.files import is_of_a_system
from colorize.photo.formats import ENDINGS, PICTURE_ENDINGS, sniff
from colorize.photo.opening import Photo
from colorize.photo.saving import instead, output_format

_NO_PIXELS = np.zeros((1, 1), np.uint8)
_HEAD = 64  # bytes of a file that tell its format


class PlanError(ColorizeError):
    """Inputs and an output that do not go together: said before any work is done."""


@dataclass(frozen=True)
class Task:
    """A photo's file, where its colour version goes, and in which format (Pillow's name).

    The format is None where the file is no picture that can be read. `was` is the photo's own
    where a result cannot keep it and nobody has chosen another, else empty.
    """

    source: Path
    target: Path
    format: str | None
    was: str = ""


@dataclass
class Plan:
    """Tasks in order; files in folders that end like no file of the kind; what ends like one and
    is none, as a pipe; files and folders there that a system wrote for itself; folders not to be
    read; lines on outputs that got a number and on formats that are not kept."""

    tasks: list[Task] = field(default_factory=list)
    skipped: int = 0
    no_files: int = 0
    of_systems: int = 0
    failures: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """What a command takes: the endings of its files, and what makes the task of a file, of where
    it goes, and of whether that name was chosen by a person (else its ending may change)."""

    endings: Set[str]
    task: Callable[[Path, Path, bool], Task]


def photos(choice: str = "keep") -> Kind:
    """Photos, written in a format for `output_format`; with "keep", the ending of a chosen name
    decides."""
    return Kind(PICTURE_ENDINGS, lambda *given: _task(*given, choice))


PHOTOS = photos()


def make_plan(
    inputs: Sequence[Path],
    out: Path,
    kind: Kind = PHOTOS,
    name: str | None = None,
    model: str = "",
) -> Plan:
    """The tasks for files and folders `inputs`.

    `out` is a file when there is one input file and `out` ends like one of the kind, else a
    folder; a file of a folder goes to its path relative to that folder. Where files of folders
    have one output, all but one of them get a number and a line in the notices. `name` is a
    pattern of `names` for the results in a folder, which have the files' names unless said.

    PlanError where `out` lies in an input folder, where a file that is named outright has the
    output of another input, or where an output is another input.
    """
    plan = Plan()
    one_file = len(inputs) == 1 and not _is_dir(inputs[0])
    if name is not None:
        check_pattern(name)
    if one_file and _ends_like(kind, out) and not _is_dir(out):
        if name is not None:
            raise PlanError(f"name: {out} is a file's name already; give a folder, or leave it out")
        plan.tasks.append(kind.task(inputs[0], out, True))
        _tell_formats(plan)
        return plan
    if _is_file(out):
        raise PlanError(f"{out}: expected a folder for the results, found a file")
    walked: set[str] = set()
    named: set[Path] = set()
    for given in inputs:
        if not _is_dir(given):
            named.add(given)
            plan.tasks.append(kind.task(given, out / given.name, False))
            continue
        for file in sorted(_walk(given, walked, plan, kind)):
            plan.tasks.append(kind.task(file, out / file.relative_to(given), False))
    _refuse_output_in_input(out, walked)
    if name is not None:
        plan.tasks = _renamed(plan.tasks, name, model)
    _number(plan, named)
    _refuse_collisions(plan.tasks)
    _tell_formats(plan)
    return plan


def _walk(folder: Path, walked: set[str], plan: Plan, kind: Kind) -> Iterator[Path]:
    """The files of a folder that end like those of a kind, those of its subfolders included.

    Links are followed, each folder is entered once, and a real one rather by its own path than
    by a link. Adds to `walked` the folders entered, to `plan` what is skipped or cannot be read.
    """
    entered: set[str] = set()
    waiting, linked = [folder], []
    while waiting or linked:
        here = waiting.pop() if waiting else linked.pop(0)
        if _place(here) in entered:
            continue
        entered.add(_place(here))
        try:
            entries = sorted(here.iterdir())
        except OSError as error:
            plan.failures.append(f"{here}: cannot be read ({error.strerror})")
            continue
        for entry in entries:
            if is_of_a_system(entry.name):
                plan.of_systems += 1
            elif _is_dir(entry):
                (linked if entry.is_symlink() else waiting).append(entry)
            elif not _ends_like(kind, entry):
                plan.skipped += 1
            elif _is_file(entry) or entry.is_symlink():
                yield entry
            else:
                plan.no_files += 1
    walked |= entered


def _renamed(tasks: Sequence[Task], pattern: str, model: str) -> list[Task]:
    """The tasks with other names of their targets, in the same folders."""
    renamed = []
    for place, task in enumerate(tasks, 1):
        fields = {"name": task.target.stem, "model": model, "number": numbered(place, len(tasks))}
        target = task.target.with_name(name_by(pattern, fields) + task.target.suffix)
        renamed.append(replace(task, target=target))
    return renamed


def _task(source: Path, target: Path, chosen: bool, choice: str) -> Task:
    format = _format_of(source)
    if format is None:
        return Task(source, target, None)
    was = format if choice == "keep" and not chosen and instead(format) else ""
    if chosen and choice == "keep":
        ending = target.suffix.lower()
        format = next(name for name, endings in ENDINGS.items() if ending in endings)
    format, ending = output_format(Photo(_NO_PIXELS, format=format, name=target.name), choice)
    stem = target.stem if target.suffix.lower() in PICTURE_ENDINGS else target.name
    return Task(source, target.with_name(fitted(stem, ending)), format, was)


def _tell_formats(plan: Plan) -> None:
    """A line for each format that is not kept, however many photos have it."""
    for format in sorted({task.was for task in plan.tasks if task.was}):
        those = [task for task in plan.tasks if task.was == format]
        where = f"{those[0].source}: " if len(those) == 1 else ""
        plan.notices.append(where + instead(format, len(those)))


def _format_of(file: Path) -> str | None:
    """Pillow's name of a readable picture's format, told by its first bytes."""
    if not _is_file(file):  # a pipe would wait for ever
        return None
    try:
        with file.open("rb") as opened:
            return sniff(opened.read(_HEAD))
    except OSError:
        return None


def _refuse_output_in_input(out: Path, walked: set[str]) -> None:
    real = Path(_place(out))
    inside = next((folder for folder in (real, *real.parents) if str(folder) in walked), None)
    if inside:
        raise PlanError(f"{out}: lies in the input folder {inside}; give a folder outside it")


def _number(plan: Plan, named: Set[Path]) -> None:
    """Give a number to outputs of folders that are taken: the file whose name stays keeps it."""
    of_folders = [
        n for n, task in enumerate(plan.tasks) if task.format and task.source not in named
    ]
    taken = {_place_anywhere(task.target): task for task in plan.tasks if task.source in named}
    for n in sorted(of_folders, key=lambda n: _changes_its_name(plan.tasks[n])):
        task = plan.tasks[n]
        holder = taken.get(_place_anywhere(task.target))
        if holder is not None and holder.source not in named:
            free = _numbered(task.target, taken)
            plan.notices.append(
                f"{task.source}: becomes {free.name}, for {holder.source} becomes "
                f"{holder.target.name}"
            )
            task = plan.tasks[n] = replace(task, target=free)
        taken.setdefault(_place_anywhere(task.target), task)


def _changes_its_name(task: Task) -> bool:
    return task.source.name != task.target.name


def _numbered(target: Path, taken: Container[str]) -> Path:
    endings = (f"-{n}{target.suffix}" for n in itertools.count(2))
    names = (target.with_name(fitted(target.stem, ending)) for ending in endings)
    return next(name for name in names if _place_anywhere(name) not in taken)


def _refuse_collisions(tasks: Iterable[Task]) -> None:
    tasks = [task for task in tasks if task.format]
    sources = {_place(task.source): task.source for task in tasks}
    taken: dict[str, Task] = {}
    for task in tasks:
        place = _place(task.target)
        if place in taken:
            raise PlanError(
                f"{taken[place].source} and {task.source} would both become {task.target}"
            )
        taken[place] = task
        if place in sources and place != _place(task.source):
            raise PlanError(f"{task.source} would replace {sources[place]}, an input itself")


def refuse_target(file: Path, plan: Plan) -> None:
    """PlanError where a further file to be written is an output or an input of the plan."""
    place = _place(file)
    for task in plan.tasks:
        if place in (_place(task.source), _place(task.target)):
            raise PlanError(f"{file}: is a photo of this command; choose another name")


def _place(file: Path) -> str:
    """The same text for the same file, links followed; names that only differ in how their accents
    are written are one file on a Mac."""
    return unicodedata.normalize("NFC", os.path.normcase(os.path.realpath(file)))


def _place_anywhere(file: Path) -> str:
    """The same text also for names that are one on some other disk, where results are carried."""
    return anywhere(_place(file))


def _ends_like(kind: Kind, file: Path) -> bool:
    return file.suffix.lower() in kind.endings


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that is too long, for one
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
