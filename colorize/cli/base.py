"""What the commands of the command line share: the app, its errors and common options."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from colorize.errors import ColorizeError, printable

if TYPE_CHECKING:
    from colorize.inference.colorizer import Colorizer

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="colorize",
    help="Colour for black-and-white photos. `COMMAND --help` explains each with an example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Split(StrEnum):
    """The parts of a dataset."""

    train = "train"
    val = "val"
    test = "test"


Model = Annotated[str, typer.Option(metavar="NAME", help="A name that `models` lists, or a path.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="NAME", help="A name or a path. [default: all models]"),
]
Data = Annotated[Path, typer.Option(metavar="DIR", help="A folder of datasets.")]
Datasets = Annotated[
    list[str] | None,
    typer.Option("--dataset", metavar="NAME", help="One of its datasets. [default: all]"),
]
Device = Annotated[
    str, typer.Option(metavar="NAME", help="auto (a GPU if there is one), cpu, cuda, cuda:1 ...")
]
Saturation = Annotated[
    float, typer.Option(metavar="X", help="0 is grey, 1 as predicted, at most 10.")
]
Variant = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="natural, vivid, soft, warm, cool, or other colours of models over bins: other-1, "
        "other-2 (in the tab: Another, A third).",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]


def command(name: str, **options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a command whose errors are one line: 1 for a failure, 130 when interrupted."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            try:
                function(*args, **kwargs)
            except ColorizeError as error:
                end(FAILED, str(error))
            except BrokenPipeError:  # the reader of a pipe has had enough
                raise
            except OSError as error:
                where = f"{error.filename}: " if error.filename else ""
                end(FAILED, f"{where}{error.strerror or error}; check the path and the free space")
            except KeyboardInterrupt:
                end(INTERRUPTED, "Interrupted.")

        return app.command(name, **options)(run)

    return register


@contextmanager
def wrong_use() -> Iterator[None]:
    """What is refused in the block is a mistake in the command: exit 2, before any work."""
    try:
        yield
    except ColorizeError as error:
        end(WRONG_USE, str(error))


def end(code: int, line: str) -> NoReturn:
    """One line on standard error, and out."""
    warn(line)
    raise typer.Exit(code)


def warn(line: str) -> None:
    """A line on standard error."""
    typer.echo(printable(line), err=True)


def load_colorizer(record_file: Path, device: str) -> "Colorizer":
    """A model on a device; one that is not here is a mistake in the command."""
    from colorize.inference.colorizer import Colorizer, choose_device

    with wrong_use():
        choose_device(device)
    return Colorizer(record_file, device)


def check_can_write(file: Path) -> None:
    """ColorizeError where a file of this name cannot be made, before work is done for it."""
    if file.is_dir():
        raise ColorizeError(f"{file}: expected a file's name, found a folder")
    if not file.parent.is_dir():
        raise ColorizeError(f"{file}: there is no folder {file.parent}; make it first")
