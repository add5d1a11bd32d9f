"""The command `photo` of the command line."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from colorize.models.record import find_record

if TYPE_CHECKING:
    from colorize.batch.manifest import Manifest
    from colorize.batch.outcome import Outcome, Settings
    from colorize.batch.plan import Plan, Task
    from colorize.inference.reference.given import Reference


class Format(StrEnum):
    """What the colour photos are written as."""

    keep = "keep"
    jpg = "jpg"
    png = "png"
    webp = "webp"


class Engine(StrEnum):
    """What carries out the work."""

    local = "local"
    ray = "ray"


@command("photo")
def photo(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN", help="Photos, and folders of photos.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", help="A picture's name for one photo, else a folder."
        ),
    ],
    model: Model = "default",
    hint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,#RRGGBB",
            help="A colour at a pixel of the upright photo, for models that follow hints. "
            "Can be given again and again.",
        ),
    ] = None,
    strokes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON: a list of strokes, {points: [[x, y], ...], radius, color, strength}, in "
            "pixels of the upright photo. Every model takes them.",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="PHOTO",
            help="A photo in colour, whose colours are taken where both show the same.",
        ),
    ] = None,
    saturation: Saturation = 1.0,
    temperature: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Of models over bins: 0 the likeliest colour, 1 the mean. [default: the model's]",
        ),
    ] = None,
    variant: Variant = "natural",
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Of models over bins: another plausible colouring, one a number."
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Working size: the short side in pixels. [default: the model's]"
        ),
    ] = None,
    format: Annotated[
        Format, typer.Option(help="keep: as OUT ends, or as it came, GIF and HEIC as PNG.")
    ] = Format.keep,
    quality: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="Of JPEG, WebP and AVIF.")
    ] = 95,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Names of the results in a folder, of {name}, {model}, {number} and plain text. "
            "[default: {name}]",
        ),
    ] = None,
    overwrite: Overwrite = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Skip what this model has done before, whole and at the photo's size; do half "
            "files and those of other models again. Settings are not compared.",
        ),
    ] = False,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a CSV with a row a photo: input, output, model, seconds, error.",
        ),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(help="ray: on the cluster at RAY_ADDRESS, else in processes here."),
    ] = Engine.local,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Photos at a time. [default: one a core]"),
    ] = None,
    restore: Annotated[
        bool,
        typer.Option("--restore", help="Stretch faded tones; the file's metadata tell it."),
    ] = False,
    borders: Annotated[
        bool,
        typer.Option(
            "--borders/--colour-borders",
            help="Keep a scan's border without colour, or colour it like the rest.",
        ),
    ] = True,
    mark: Annotated[bool, typer.Option("--mark", help='Write a small "colorized" on it.')] = False,
    strip: Annotated[bool, typer.Option("--strip", help="Leave the photo's metadata out.")] = False,
    device: Device = "auto",
) -> None:
    """Colorize photos and folders of photos.

    The photos stay as they are. A file of a folder goes to OUT at its path in that folder. A
    photo that fails is one line, and the others are done.

    \b
    python -m colorize photo old.jpg -o new.jpg
    python -m colorize photo album scans/1.tif -o coloured --saturation 1.2
    python -m colorize photo album -o coloured --manifest coloured.csv --resume
    python -m colorize photo old.jpg -o new.jpg --hint 120,80,#d02020 --hint 300,40,#4070c0
    python -m colorize photo old.jpg -o new.jpg --strokes coat.json
    python -m colorize photo album -o coloured --variant warm
    python -m colorize photo old.jpg -o new.jpg --reference today.jpg
    """
    from colorize.batch.plan import make_plan, photos
    from colorize.inference.hints.strokes import read_strokes
    from colorize.inference.options import check, parse_hint
    from colorize.models.record import read_record

    with wrong_use():
        hints = [parse_hint(text) for text in hint or ()]
        drawn = read_strokes(strokes) if strokes else ()
        record_file = find_record(model)
        plan = make_plan(inputs, output, photos(format.value), name, record_file.stem)
        if hints and len(plan.tasks) != 1:
            raise ColorizeError(f"hint: expected one photo, found {len(plan.tasks)}")
        if drawn and len(plan.tasks) != 1:
            raise ColorizeError(f"strokes: expected one photo, found {len(plan.tasks)}")
        given = _opened_reference(reference, plan) if reference else None
        if manifest:
            _check_manifest(manifest, plan, resume=resume, overwrite=overwrite)
    record = read_record(record_file)
    look = {"saturation": saturation, "temperature": temperature, "seed": seed, "variant": variant}
    with wrong_use():
        check(record, size=size, hints=hints, **look)
    for line in (*plan.failures, *plan.notices):
        warn(line)
    count = Count(
        len(plan.tasks),
        failed=len(plan.failures),
        skipped=plan.skipped,
        no_files=plan.no_files,
        of_systems=plan.of_systems,
    )
    if plan.tasks:
        from colorize.batch.outcome import Settings, check_start, refused

        saving = {"quality": quality, "mark": mark, "strip": strip}
        look["borders"] = borders
        settings = Settings(look, saving, size, hints, drawn, given, restore, overwrite, resume)
        early = refused(plan.tasks, settings, check_start)
        tasks = [task for task in plan.tasks if task not in early]  # else nothing is loaded
        run = _local if engine is Engine.local else _on_ray
        with _loading(record.title):
            outcomes = run(record_file, tasks, settings, device, workers) if tasks else _nothing
        _carry_out(
            lambda stopped: itertools.chain(early.values(), outcomes(stopped)),
            plan.tasks, count, manifest, record.name, resume=resume,
        )  # fmt: skip
    _tell(count, plan)


def _opened_reference(file: Path, plan: "Plan") -> "Reference":
    from colorize.inference.reference.given import Reference

    if len(plan.tasks) != 1:
        raise ColorizeError(f"reference: expected one photo, found {len(plan.tasks)}")
    return Reference.open(file)


def _check_manifest(file: Path, plan: "Plan", *, resume: bool, overwrite: bool) -> None:
    from colorize.batch.manifest import check_manifest
    from colorize.batch.plan import refuse_target

    refuse_target(file, plan)
    check_manifest(file, resume=resume, overwrite=overwrite)


Outcomes = Callable[[Callable[[], bool]], Iterator["Outcome"]]  # of whether to stop


def _nothing(_: Callable[[], bool]) -> Iterator["Outcome"]:
    return iter(())


def _loading(title: str) -> AbstractContextManager[object]:
    """On a terminal a line says that the model is being loaded, for as long as it is."""
    from rich.console import Console

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    return console.status(f"Loading {title}…") if console.is_terminal else nullcontext()


def _local(
    record_file: Path,
    tasks: Sequence["Task"],
    settings: "Settings",
    device: str,
    workers: int | None,
) -> Outcomes:
    from colorize.batch.local import execute

    colorizer = load_colorizer(record_file, device)
    return lambda stopped: execute(colorizer, tasks, settings, workers=workers, stopped=stopped)


def _on_ray(
    record_file: Path,
    tasks: Sequence["Task"],
    settings: "Settings",
    device: str,
    workers: int | None,
) -> Outcomes:
    from colorize.batch.ray import execute_on_ray

    return lambda stopped: execute_on_ray(
        record_file, tasks, settings, device=device, workers=workers, stopped=stopped
    )


def _carry_out(
    outcomes: Outcomes,
    tasks: Sequence["Task"],
    count: Count,
    manifest: Path | None,
    model: str,
    *,
    resume: bool,
) -> None:
    """Counts, shows and lists the outcomes until all are there or Ctrl-C is pressed."""
    from colorize.batch.manifest import open_manifest
    from colorize.cli.interrupts import interruptible
    from colorize.files import clear_leftovers

    for folder in {task.target.parent for task in tasks}:
        clear_leftovers(folder)
    pairs = [(task.source, task.target) for task in tasks]
    listed = open_manifest(manifest, pairs, resume=resume) if manifest else nullcontext()
    with listed as rows, interruptible() as stopped:
        for outcome in _with_progress(outcomes(stopped), len(tasks)):
            count.add(outcome)
            if rows is not None:
                _write_row(rows, outcome, model)


def _tell(count: Count, plan: "Plan") -> None:
    """The last line, and the exit status."""
    if count.left:
        end(INTERRUPTED, f"Interrupted. {count.left_line()}")
    typer.echo(printable(count.line(plan.tasks[0].target if len(plan.tasks) == 1 else None)))
    if count.failed:
        raise typer.Exit(FAILED)


def _with_progress(outcomes: Iterator["Outcome"], total: int) -> Iterator["Outcome"]:
    """The outcomes as they come. Failures and notices are lines, a bar is on a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    rate = TextColumn("{task.fields[rate]}")
    columns = (BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    hidden = total == 1 or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        bar = progress.add_task("", total=total, rate="")
        for outcome in outcomes:
            for line in _lines(outcome):
                console.print(printable(line), soft_wrap=True)
            speed = progress.tasks[0].speed
            progress.update(bar, advance=1, rate=_rate(speed))
            yield outcome


def _rate(speed: float | None) -> str:
    """Two digits, or all before the point."""
    if not speed:
        return ""
    return f"{speed:.0f} photos/s" if speed >= 10 else f"{speed:.2g} photos/s"


def _lines(outcome: "Outcome") -> Sequence[str]:
    if outcome.error:
        return [outcome.error]
    return [f"{outcome.task.source}: {notice}" for notice in outcome.notices]


def _write_row(manifest: "Manifest", outcome: "Outcome", model: str) -> None:
    task = outcome.task
    if outcome.before and manifest.knows(task.source, task.target, model):
        return
    manifest.add(
        task.source, task.target, model, seconds=outcome.seconds, error=printable(outcome.error)
    )
