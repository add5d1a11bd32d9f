"""Commands that say what a study found: results, report, power, simulate."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from turing.cli.base import (
    WRONG_USE,
    StoreFile,
    at_least,
    between,
    command,
    end,
    finite,
    progress_bars,
    say,
    wrong_use,
)
from turing.errors import TuringError, WrongUseError
from turing.store.files import unfinished
from turing.store.store import Store, facts
from turing.study.counts import count
from turing.study.study import Study

Version = Annotated[
    str | None,
    typer.Option(
        metavar="V",
        help="A version, or several of one protocol to be pooled: 1,2. "
        "[default: the one that new participants see]",
    ),
]


Unblind = Annotated[
    bool,
    typer.Option(
        "--unblind", help="Before a look is reached, too, which is written into the store."
    ),
]


@command("results")
def results(
    store: StoreFile,
    version: Version = None,
    unblind: Unblind = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Print the answer of a study, and the figures that it rests on.

    The turing fraction is the share of scored trials in which people were right; 0.5 is chance.

    \b
    python -m turing results studies/demo.sqlite
    python -m turing results studies/demo.sqlite --json > results.json
    """
    from turing.analysis.results_json import results_json
    from turing.report.of_store import store_results
    from turing.report.terminal import print_report

    versions = _versions(version)
    with Store(store) as opened:
        found = store_results(opened, versions, "results" if unblind else "")
    if as_json:
        typer.echo(json.dumps(results_json(found), indent=1, allow_nan=False))
    else:
        print_report(found, Console(soft_wrap=False))


@command("report")
def report(
    store: StoreFile,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="[default: NAME-report.html]"),
    ] = None,
    version: Version = None,
    unblind: Unblind = False,
) -> None:
    """Write the report as one HTML file, which needs nothing else and prints well.

    \b
    python -m turing report studies/demo.sqlite -o report.html
    """
    from turing.report.of_store import store_report, store_results

    versions = _versions(version)
    if output and output.suffix.lower() not in (".html", ".htm"):
        raise WrongUseError(f"{output}: expected a name that ends in .html")
    with Store(store) as opened:
        found = store_results(opened, versions, "report" if unblind else "")
        html = store_report(opened, found)
    output = output or Path(f"{found.data.study.name}-report.html")
    _check_can_write(output)
    with unfinished(output) as path:
        path.write_text(html, "utf-8")
        path.chmod(0o644)
    say(
        f"{output}: {count(len(found.counted), 'participant')} counted of {found.started} who "
        f"started"
    )


@command("power")
def power_(
    trials: Annotated[
        int, typer.Option(metavar="T", min=1, help="Scored trials of a person in the cell.")
    ] = 40,
    photos: Annotated[int, typer.Option(metavar="J", min=1, help="Photos of the cell.")] = 200,
    participants: Annotated[
        int | None, typer.Option(metavar="I", min=1, help="What so many people can show.")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            metavar="DELTA",
            callback=between(0, 0.5),
            help="How many people it takes to show a fraction within 0.5 ± DELTA.",
        ),
    ] = None,
    effect: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            callback=between(0, 1),
            help="How many people it takes to find a true fraction of P.",
        ),
    ] = None,
    looks: Annotated[
        str | None,
        typer.Option(metavar="N,N...", help="The levels of looks at so many participants."),
    ] = None,
    spending: Annotated[
        Literal["obrien-fleming", "pocock"], typer.Option(help="Of the error over the looks.")
    ] = "obrien-fleming",
    wanted: Annotated[
        float | None,
        typer.Option(
            "--power",
            metavar="X",
            callback=between(0, 1),
            help="The chance of success asked for. [default: 0.8]",
        ),
    ] = None,
) -> None:
    """Plan a study: what it can show, or how many people it takes. No store is needed.

    A cell is a model on a dataset, or on all of them: with 2 models and 40 trials, T is 20.

    \b
    python -m turing power --margin 0.1 --trials 20 --photos 100
    python -m turing power --effect 0.6 --trials 20 --photos 100
    python -m turing power --participants 40 --trials 40 --photos 200
    python -m turing power --looks 20,40,60 --trials 40 --photos 200
    """
    from turing.analysis.planning import look_lines, plan_lines

    if effect == 0.5:
        raise WrongUseError("--effect: expected another fraction than 0.5, which is no effect")
    if wanted is not None and margin is None and effect is None:
        raise WrongUseError("--power: expected --margin or --effect with it, found neither")
    with wrong_use():
        if looks is not None:
            lines = look_lines(_numbers(looks), trials, photos, spending)
        else:
            lines = plan_lines(trials, photos, participants, margin, effect, wanted or 0.8)
    for line in lines:
        say(line)


@command("simulate")
def simulate(
    store: StoreFile,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="[default: simulated, beside the store]"
        ),
    ] = None,
    participants: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="How many come.")
    ] = 40,
    skill: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[DATASET/]MODEL=P",
            help="The true turing fraction of a model, of a dataset, or of both.",
        ),
    ] = None,
    fraction: Annotated[
        float,
        typer.Option(metavar="P", callback=between(0, 1), help="The true fraction of all others."),
    ] = 0.75,
    sd_people: Annotated[
        float,
        typer.Option(metavar="X", callback=at_least(0), help="How much people differ, in logits."),
    ] = 0.5,
    sd_photos: Annotated[
        float,
        typer.Option(metavar="X", callback=at_least(0), help="How much photos differ, in logits."),
    ] = 0.8,
    left: Annotated[
        float,
        typer.Option(
            metavar="X", callback=finite(), help="A leaning to the left or first part, in logits."
        ),
    ] = 0.0,
    careless: Annotated[
        float,
        typer.Option(
            metavar="X", callback=at_least(0), help="The share who press keys without looking."
        ),
    ] = 0.05,
    leave: Annotated[
        float,
        typer.Option(
            metavar="X", callback=at_least(0), help="The share who close the page half-way."
        ),
    ] = 0.05,
    deficient: Annotated[
        float,
        typer.Option(
            metavar="X",
            callback=at_least(0),
            help="The share with a red-green deficiency, who fail plates of [screening].",
        ),
    ] = 0.04,
    withdraw: Annotated[
        float, typer.Option(metavar="X", callback=at_least(0), help="The share who press Leave.")
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="The same seed, the same people.")
    ] = 0,
) -> None:
    """Fill a copy of a study with synthetic participants, to try the analysis.

    The copy starts without participants; STORE itself stays as it is.

    \b
    python -m turing simulate studies/demo.sqlite --skill fusion=0.7 --skill baseline=0.95
    python -m turing results studies/simulated/demo.sqlite
    """
    from turing.analysis.simulation.crowd import Skills
    from turing.analysis.simulation.simulate import empty_copy, named_skills
    from turing.analysis.simulation.simulate import simulate as fill

    if (together := careless + leave + withdraw) > 1:
        raise WrongUseError(
            "--careless, --leave, --withdraw: expected shares of 1 at most together, "
            f"found {together:g}"
        )
    with Store(store) as opened:
        study = _study_of(opened)
    if deficient > 1:
        raise WrongUseError(f"--deficient: expected a share of 1 at most, found {deficient:g}")
    with wrong_use():
        skills = Skills(
            named_skills(skill or (), study),
            default=fraction,
            sd_participant=sd_people,
            sd_photo=sd_photos,
            left=left,
            careless=careless,
            leaves=leave,
            withdraws=withdraw,
            deficient=deficient,
        )
    copy = empty_copy(store, output or store.parent / "simulated")
    with Store(copy.path) as opened, progress_bars() as progress:
        done = fill(
            opened, skills, participants, seed, lambda n: progress("participants", n, participants)
        )
    kinds = ", ".join(f"{n} {manner}" for manner, n in sorted(done.manners.items()))
    if done.screened_out:
        kinds += f"; {done.screened_out} screened out"
    say(
        f"{copy.path}: {count(done.participants, 'participant')} ({kinds}), "
        f"{count(done.choices, 'choice')}"
    )
    if copy.kept_before:
        say(f"What was there before is kept as {copy.kept_before}")
    say(f"python -m turing results {copy.path}")


def _study_of(store: Store) -> Study:
    with store.reading() as db:
        number = facts(db).version
        if number is None:
            raise TuringError(f"{store.path}: expected a study that is built, found none")
        return store.version(db, number).study


def _versions(text: str | None) -> list[int] | None:
    if text is None:
        return None
    numbers = [part.strip() for part in text.split(",")]
    if not all(number.isdecimal() and len(number) < 10 for number in numbers):
        end(WRONG_USE, f"--version: expected a number, or several like 1,2, found {text}")
    return [int(number) for number in numbers]


def _check_can_write(file: Path) -> None:
    if file.is_dir():
        raise TuringError(f"{file}: expected a file's name, found a folder")
    if not file.absolute().parent.is_dir():
        raise TuringError(f"{file}: there is no folder {file.parent}; make it first")


def _numbers(text: str) -> list[int]:
    """20,40,60 as numbers; ValueError where it is none."""
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"looks: expected numbers as 20,40,60, found {text}") from None
