"""The command `film` of the command line."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from colorize.cli.base import (
    FAILED,
    INTERRUPTED,
    Device,
    Model,
    Overwrite,
    Saturation,
    Variant,
    command,
    end,
    load_colorizer,
    printable,
    warn,
    wrong_use,
)
from colorize.cli.count import Count
from colorize.errors import ColorizeError
from colorize.models.record import find_record, read_record

if TYPE_CHECKING:
    from colorize.batch.plan import Kind, Plan, Task
    from colorize.film.run import Progress
    from colorize.film.settings import FilmSettings
    from colorize.inference.colorizer import Colorizer


class _StopError(Exception):
    """Ctrl-C was pressed."""


@command("film")
def film(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN", help="Films, and folders of films.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", help="A film's name for one film, else a folder."
        ),
    ],
    model: Model = "default",
    saturation: Saturation = 1.0,
    variant: Variant = "natural",
    reference: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="A photo in colour, whose colours are taken."),
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="S", help="Where it begins: seconds, or as 1:30.")
    ] = None,
    end_at: Annotated[
        str | None, typer.Option("--end", metavar="S", help="Where it ends, likewise.")
    ] = None,
    hint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,#RRGGBB@SECONDS",
            help="A colour at a pixel of the upright film, at a time; it goes through the shot. "
            "Can be given again and again.",
        ),
    ] = None,
    still: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SECONDS=FILE",
            help="A picture of the film at a time, in colour; its colours go through the shot. Can "
            "be given again and again.",
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="h264, vp9 or av1. [default: h264, in WebM vp9]",
            show_default=False,
        ),
    ] = None,
    quality: Annotated[int, typer.Option(metavar="N", help="1 to 100, of the picture.")] = 70,
    speed: Annotated[
        int,
        typer.Option(
            metavar="N", help="The network sees every N-th frame of a shot, or more. 1: every one."
        ),
    ] = 4,
    preview: Annotated[
        bool, typer.Option("--preview", help="The first 5 seconds, 320 pixels wide.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from the last finished shot; leave out films whose output is there, made "
            "from the same film with the same model and settings.",
        ),
    ] = False,
    overwrite: Overwrite = False,
    device: Device = "auto",
) -> None:
    """Colorize films and folders of films.

    The films stay as they are; sound, subtitles, chapters and times are copied. A film that fails
    is one line, and the others are done.

    \b
    python -m colorize film old.mp4 -o new.mp4
    python -m colorize film old.mp4 -o look.mp4 --start 60 --preview
    python -m colorize film old.mkv -o new.mkv --hint 120,80,#d02020@3.5
    python -m colorize film old.mp4 -o new.mp4 --still 12.5=painted.png
    python -m colorize film reels -o coloured --speed 8 --resume
    """
    from colorize.batch.plan import make_plan
    from colorize.film.reading import library
    from colorize.film.settings import check_model, make_settings, parse_film_hint, parse_still

    with wrong_use():
        settings = make_settings(
            {
                "saturation": saturation,
                "variant": variant,
                "reference": reference,
                "start": start,
                "end": end_at,
                "hints": tuple(parse_film_hint(text) for text in hint or ()),
                "stills": tuple(parse_still(text) for text in still or ()),
                "codec": codec,
                "quality": quality,
                "speed": speed,
                "preview": preview,
                "resume": resume,
                "overwrite": overwrite,
                "device": device,
            }
        )
    library()
    with wrong_use():
        _check_ending(inputs, output)
        plan = make_plan(inputs, output, _films())
        alone = {"hint": hint, "still": still, "reference": reference}
        for name, given in alone.items():
            if given and len(plan.tasks) != 1:
                raise ColorizeError(f"{name}: expected one film, found {len(plan.tasks)}")
        if reference is not None:
            _check_reference(reference)
        record_file = find_record(model)
        check_model(read_record(record_file), settings)
    for line in (*plan.failures, *plan.notices):
        warn(line)
    _carry_out(plan, settings, record_file)


def _check_reference(file: Path) -> None:
    from colorize.inference.reference.given import Reference  # torch

    Reference.open(file)


def _check_ending(inputs: list[Path], output: Path) -> None:
    """A name like a file's, with an ending that no film has, is hardly meant as a folder."""
    from colorize.film.settings import CONTAINERS, FILM_ENDINGS

    ending = output.suffix.lower()
    if len(inputs) > 1 or inputs[0].is_dir() or output.is_dir() or ending in FILM_ENDINGS:
        return
    if re.fullmatch(r"\.[a-z][a-z0-9]{2,3}", ending):
        raise ColorizeError(
            f"{output.name}: films are written as {', '.join(CONTAINERS)}; give it such an ending, "
            "or make a folder of that name first"
        )


def _films() -> "Kind":
    """Films: those whose name nobody chose end as their sound and subtitles allow."""
    from colorize.batch.plan import Kind, Task
    from colorize.film.joining import natural_ending
    from colorize.film.reading import Source
    from colorize.film.settings import FILM_ENDINGS

    def task(source: Path, target: Path, chosen: bool) -> Task:
        if chosen:
            return Task(source, target, "film")
        try:
            ending = natural_ending(Source(source))
        except ColorizeError:  # told when its turn comes
            return Task(source, target, None)
        if target.suffix.lower() in FILM_ENDINGS:
            return Task(source, target.with_suffix(ending), "film")
        return Task(source, target.with_name(target.name + ending), "film")

    return Kind(FILM_ENDINGS, task)


def _carry_out(plan: "Plan", settings: "FilmSettings", record_file: Path) -> None:
    from colorize.film.run import check_film, is_done

    count = Count(
        len(plan.tasks),
        failed=len(plan.failures),
        skipped=plan.skipped,
        no_files=plan.no_files,
        of_systems=plan.of_systems,
        like="a film",
    )
    ready: list[Task] = []
    record = read_record(record_file)
    for task in plan.tasks:
        try:
            if is_done(task.source, task.target, settings, record):
                count.before += 1
                continue
            check_film(task.source, task.target, settings)
            ready.append(task)
        except ColorizeError as error:
            warn(f"{task.source}: {_without_name(error, task.source)}")
            count.failed += 1
    colorizer = load_colorizer(record_file, settings.device) if ready else None
    last = ""
    for number, task in enumerate(ready):
        try:
            last = _one(colorizer, task, settings)
            count.done += 1
        except ColorizeError as error:
            warn(f"{task.source}: {_without_name(error, task.source)}")
            count.failed += 1
        except _StopError:
            left = len(ready) - number
            end(
                INTERRUPTED,
                f"Interrupted. {left} of {len(plan.tasks)} films are left; the same command with "
                "--resume goes on",
            )
    count.kept = "left as it is there" if count.before == 1 else "left as they are there"
    target = f"{plan.tasks[0].target} ({last})" if len(plan.tasks) == 1 else None
    typer.echo(printable(count.line(target)))
    if count.failed:
        raise typer.Exit(FAILED)


def _one(colorizer: "Colorizer", task: "Task", settings: "FilmSettings") -> str:
    from colorize.cli.interrupts import interruptible
    from colorize.film.run import run

    with interruptible() as stopped, _shown(task.source.name) as show:

        def progress(now: "Progress") -> None:
            if stopped():
                raise _StopError
            show(now)

        found = run(colorizer, task.source, task.target, settings, progress)
    for notice in found.notices:
        warn(f"{task.source}: {_without_name(notice, task.source)}")
    shots = "1 shot" if found.shots == 1 else f"{found.shots} shots"
    return f"{found.frames} frames, {shots}, {found.seconds:.1f} s"


@contextmanager
def _shown(name: str) -> Iterator[Callable[["Progress"], None]]:
    """A bar, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    columns = (
        TextColumn(printable(name)),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda now: bar.update(task, completed=now.frames, total=now.of)


def _without_name(what: Any, source: Path) -> str:
    """The sentence without the name that it begins with, which is told with its folder."""
    return str(what).removeprefix(printable(source.name)).lstrip(": ")
