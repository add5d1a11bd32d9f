"""The command line: `python -m colorize COMMAND`. Torch is imported when a command needs it."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from colorize import cli_data, cli_hints, cli_measure  # noqa: F401 - register their commands
from colorize.cli_base import FAILED, Device, Model, app, command, printable, warn, wrong_use
from colorize.errors import ColorizeError
from colorize.record import check_name, checkpoints_folder, find_record, list_checkpoints

if TYPE_CHECKING:
    from colorize.execute import Outcome


class Format(StrEnum):
    """What the colour photos are written as."""

    keep = "keep"
    jpg = "jpg"
    png = "png"
    webp = "webp"


def main() -> None:
    """The entry point. Exits 0 when all went well, 1 when something failed, 2 for wrong use."""
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no error
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()


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
    saturation: Annotated[
        float, typer.Option(metavar="X", help="0 is grey, 1 as predicted, at most 10.")
    ] = 1.0,
    temperature: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Of models over bins: 0 the likeliest colour, 1 the mean. [default: the model's]",
        ),
    ] = None,
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
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
    python -m colorize photo old.jpg -o new.jpg --hint 120,80,#d02020 --hint 300,40,#4070c0
    """
    from colorize.batch import make_plan
    from colorize.options import check, parse_hint
    from colorize.record import read_record

    with wrong_use():
        hints = [parse_hint(text) for text in hint or ()]
        plan = make_plan(inputs, output, format.value)
        if hints and len(plan.tasks) != 1:
            raise ColorizeError(f"hint: expected one photo, found {len(plan.tasks)}")
        record_file = find_record(model)
    record = read_record(record_file)
    look = {"saturation": saturation, "temperature": temperature, "seed": seed}
    with wrong_use():
        check(record, size=size, hints=hints, **look)
    for line in plan.failures:
        warn(line)
    done, failed = 0, len(plan.failures)
    if plan.tasks:
        from colorize.colorizer import Colorizer, choose_device
        from colorize.execute import execute

        with wrong_use():
            choose_device(device)
        colorizer = Colorizer(record_file, device)
        saving = {"quality": quality, "mark": mark, "strip": strip}
        outcomes = execute(
            colorizer,
            plan.tasks,
            look=look,
            saving=saving,
            size=size,
            hints=hints,
            overwrite=overwrite,
        )
        done = sum(_with_progress(outcomes, len(plan.tasks)))
        failed += len(plan.tasks) - done
    _sum_up(done, failed, plan.skipped, plan.tasks[0].target if len(plan.tasks) == 1 else None)
    if failed:
        raise typer.Exit(FAILED)


def _with_progress(outcomes: Iterator["Outcome"], total: int) -> Iterator[bool]:
    """Whether each photo was done. Failures and notices are lines, a bar is on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = total == 1 or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        for outcome in progress.track(outcomes, total):
            for line in _lines(outcome):
                console.print(printable(line), soft_wrap=True)
            yield not outcome.error


def _lines(outcome: "Outcome") -> Sequence[str]:
    if outcome.error:
        return [outcome.error]
    return [f"{outcome.task.source}: {notice}" for notice in outcome.notices]


def _sum_up(done: int, failed: int, skipped: int, target: Path | None) -> None:
    line = f"{done} colorized"
    if done and target:
        line += f": {target}"
    if failed:
        line += f", {failed} failed"
    if skipped:
        line += f", {skipped} skipped that do not end like a picture"
    typer.echo(printable(line))


@command("models")
def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """List the checkpoints.

    Name, what each is, and its scores over all test photos as it ships. MSE and CIEDE2000 are
    better when lower, colorfulness when near that of the true photos.

    \b
    python -m colorize models
    python -m colorize models --json
    """
    from colorize.terminal import console, models_table

    records = list_checkpoints()
    if as_json:
        typer.echo(json.dumps([asdict(record) for record in records], indent=1))
    elif records:
        console().print(models_table(records))
    else:
        typer.echo(f"There is no checkpoint in {checkpoints_folder()}.")


@command("import")
def import_(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="Whose weights: zhang.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The published weights.")],
    name: Annotated[
        str, typer.Option("--output", "-o", metavar="NAME", help="The checkpoint's name.")
    ],
) -> None:
    """Make a checkpoint of published weights.

    Only tensors are read from the file: no code in it is run.

    \b
    python -m colorize import zhang colorization_release_v2.pth -o zhang
    """
    with wrong_use():
        check_name(name)
    from colorize.importing import import_weights

    record = import_weights(network, file, name, checkpoints_folder())
    typer.echo(f"{checkpoints_folder() / record.name}.json: {record.title} can be used now.")


@command("export")
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run of `train`.")],
    name: Annotated[
        str, typer.Option("--output", "-o", metavar="NAME", help="The checkpoint's name.")
    ],
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Its name for people.")] = None,
    summary: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is, in one line.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Notes on its licence.")
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Make it the model that is used if none is named.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a checkpoint of that name.")
    ] = False,
) -> None:
    """Make a checkpoint of a training run's best weights.

    \b
    python -m colorize export runs/1 -o mine --title "Mine" --default
    """
    with wrong_use():
        check_name(name)
    from colorize.exporting import export_run

    texts: dict[str, Any] = {"title": title, "summary": summary, "licence": licence}
    folder = checkpoints_folder()
    record = export_run(run, name, folder, default=default, overwrite=overwrite, **texts)
    typer.echo(f"{folder / record.name}.json: {record.title} can be used now.")


_ORDER = (
    *("photo", "models", "train", "evaluate", "sheet"),
    *("judge", "decodings", "robustness", "bleeding", "score-hints", "export", "import"),
)
app.registered_commands.sort(key=lambda registered: _ORDER.index(registered.name))
