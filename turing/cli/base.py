"""What the commands of the command line share: the app, its errors and common arguments."""

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from turing.errors import TuringError, WrongUseError

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
LARGEST = 2**63 - 1  # whole number that SQLite holds

app = typer.Typer(
    name="turing",
    help="The colorization Turing test. `COMMAND --help` explains each with an example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="The study file, *.toml.")]
StoreFolder = Annotated[
    Path,
    typer.Option(
        "--store", metavar="DIR", envvar="TURING_STORE", help="The folder of the studies' stores."
    ),
]
StoreFile = Annotated[
    Path, typer.Argument(metavar="STORE", help="A study's store: studies/NAME.sqlite.")
]


def command(name: str, **options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a command whose errors are one line each: exit 1 or 2, 130 when interrupted."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            try:
                function(*args, **kwargs)
            except WrongUseError as error:
                end(WRONG_USE, _in_lines(str(error), kwargs))
            except TuringError as error:
                end(FAILED, _in_lines(str(error), kwargs))
            except BrokenPipeError:  # the reader of a pipe has had enough
                raise
            except FileExistsError as error:  # where a folder was to be made
                where = printable(str(error.filename))
                end(FAILED, f"{where}: expected a folder, found a file")
            except OSError as error:
                where = f"{printable(str(error.filename))}: " if error.filename else ""
                end(FAILED, f"{where}{error.strerror or error}; check the path and the free space")
            except KeyboardInterrupt:
                end(INTERRUPTED, "Interrupted.")

        return app.command(name, **options)(run)

    return register


def between(low: float, high: float = math.inf) -> Callable[[float | None], float | None]:
    """Checks a number of the command line: finite, above `low` and below `high`."""
    what = f"between {low:g} and {high:g}" if high < math.inf else f"above {low:g}"
    return _checking(lambda x: low < x < high, f"a number {what}")


def at_least(low: float) -> Callable[[float | None], float | None]:
    """Checks a number of the command line: finite, `low` or more."""
    return _checking(lambda x: low <= x < math.inf, f"a number, {low:g} or more")


def finite() -> Callable[[float | None], float | None]:
    """Checks a number of the command line."""
    return _checking(math.isfinite, "a number")


def _checking(
    holds: Callable[[float], bool], expected: str
) -> Callable[[float | None], float | None]:
    def check(value: float | None) -> float | None:
        if value is not None and not holds(value):
            raise typer.BadParameter(f"expected {expected}, found {value:g}")
        return value

    return check


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each thing that is done, on a terminal, gone when all are."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what.capitalize(), total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield progress


@contextmanager
def wrong_use() -> Iterator[None]:
    """What is refused in the block is a mistake in the command: exit 2, before any work."""
    try:
        yield
    except ValueError as error:
        end(WRONG_USE, str(error))


def _in_lines(text: str, given: Mapping[str, Any]) -> str:
    """A message in which no name of a given file breaks a line."""
    for path in (each for each in given.values() if isinstance(each, Path)):
        for name in (*path.absolute().parts, path.stem):
            text = text.replace(name, printable(name))
    return text


def end(code: int, text: str) -> NoReturn:
    """Lines on standard error, and out."""
    for line in text.splitlines():
        warn(line)
    raise typer.Exit(code)


def warn(line: str) -> None:
    """A line on standard error."""
    typer.echo(printable(line), err=True)


def say(line: str) -> None:
    """A line on standard output."""
    typer.echo(printable(line))


def printable(text: str) -> str:
    """Without what would break the line or steer the terminal, as names and texts may."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
