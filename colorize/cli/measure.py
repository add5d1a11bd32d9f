"""The commands that measure models beyond their scores, from `judge` to `score-hints`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from colorize.cli.base import Data, Datasets, Device, Model, Models, Split, command, warn, wrong_use
from colorize.cli.shared import (
    check_json,
    find_models,
    load_models,
    read_document,
    write_json,
    write_text,
)
from colorize.errors import ColorizeError
from colorize.inference.options import MOST_HINTS
from colorize.models.record import find_record, read_record, write_record

if TYPE_CHECKING:
    from rich.table import Table

    from colorize.data.datasets import Dataset
    from colorize.evaluation.report import Report

_Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
]
_Split = Annotated[Split, typer.Option(help="Which photos of each dataset.")]
_Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of what is left to chance.")]


@command("judge")
def judge(
    data: Data,
    dataset: Datasets = None,
    model: Models = None,
    split: _Split = Split.test,
    json_file: _Json = None,
    document: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Renew the table of a Markdown file.")
    ] = None,
    backbone_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The judge's weights. [default: those of fusion]"),
    ] = None,
    seed: _Seed = 0,
    device: Device = "auto",
) -> None:
    """Ask a classifier which photos are colorized.

    It learns to tell originals from a model's colorizations, on some photos, and is asked about
    the others. How often it is right stands in for people: 0.5 is perfect, 1 is always found out.

    \b
    python -m colorize judge --data DATA --split val
    python -m colorize judge --data DATA --model fusion --json judge.json
    """
    from colorize.cli.tables import figures_table
    from colorize.evaluation.markdown import update_judged

    with wrong_use():
        text = read_document(document, update_judged)
    datasets, files = _asked(data, dataset, model, json_file)
    from colorize.evaluation.judge import judge, open_eye

    with wrong_use():
        eye = open_eye(backbone_file)
    models, chosen = load_models(files, device)
    report = judge(models, datasets, split.value, chosen, eye, seed)
    _show(report, json_file, figures_table(report.rows))
    _say(report.settings["notes"])
    if document is not None:
        write_text(document, update_judged(text, report.as_json()["rows"]))


@command("decodings")
def decodings(
    data: Data,
    dataset: Datasets = None,
    model: Models = None,
    split: _Split = Split.val,
    temperature: Annotated[
        list[float] | None,
        typer.Option(
            metavar="T", min=0, max=10, help="Repeat for more. [default: 0 0.2 0.38 0.6 1]"
        ),
    ] = None,
    gain: Annotated[
        list[float] | None,
        typer.Option(metavar="G", min=0.1, max=10, help="Repeat for more. [default: 1 to 1.6]"),
    ] = None,
    chroma: Annotated[
        list[float] | None,
        typer.Option(
            metavar="C",
            min=1,
            max=10,
            help="How often a mean's chroma may be raised, up to that of the bins it is a mean of. "
            "Repeat for more. [default: 1]",
        ),
    ] = None,
    json_file: _Json = None,
    save: Annotated[
        bool, typer.Option("--save", help="Let the models' records ship the best one.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Compare decodings: temperatures, chroma gains, and raising a mean's chroma to its bins'.

    The best one has 0.85 to 1.1 of the true photos' colorfulness at an MSE at most 15% above that
    of the mean (T = 1).

    \b
    python -m colorize decodings --data DATA --model classifier
    python -m colorize decodings --data DATA --model classifier --temperature 0.6 --gain 1.2 --save
    """
    from colorize.cli.tables import figures_table

    with wrong_use():
        if save and split is Split.test:
            raise ColorizeError("--save: a decoding is chosen on val, test is there to report")
    datasets, files = _asked(data, dataset, model, json_file)
    from colorize.evaluation.decodings import (
        CHROMAS,
        GAINS,
        TEMPERATURES,
        choose,
        decoding_of,
        sweep,
    )

    models, chosen = load_models(files, device)
    grid = (temperature or TEMPERATURES, gain or GAINS, chroma or CHROMAS)
    report = sweep(models, datasets, split.value, chosen, *grid)
    over_all = figures_table(row for row in report.rows if row.dataset == "all")
    _show(report, json_file, over_all)
    for file, (_, record) in zip(files, models, strict=True):
        row, is_good = choose(report.rows, record.name)
        lacks = "" if is_good else ", though none has the colour that is asked for at that MSE"
        typer.echo(f"{record.name}: best is {row.decoding or 'as it is'}{lacks}.")
        if save:
            write_record(replace(read_record(file), decoding=decoding_of(row)), file)
    _say(report.settings["notes"])


@command("robustness")
def robustness(
    data: Data,
    dataset: Datasets = None,
    model: Models = None,
    split: _Split = Split.val,
    json_file: _Json = None,
    seed: _Seed = 0,
    device: Device = "auto",
) -> None:
    """Measure models on aged photos and across working sizes.

    The MSE where the grey photo is faded, noisy, scratched and so on, beside that of the photo as
    it is; and how much a photo's colours differ between working sizes from 192 to 384.

    \b
    python -m colorize robustness --data DATA --model fusion --json robustness.json
    """
    from colorize.cli.tables import figures_table

    datasets, files = _asked(data, dataset, model, json_file)
    from colorize.evaluation.robustness import measure

    models, chosen = load_models(files, device)
    report = measure(models, datasets, split.value, chosen, seed)
    _show(report, json_file, figures_table(report.rows))
    _say(report.settings["notes"])


@command("bleeding")
def bleeding(
    data: Data,
    dataset: Datasets = None,
    model: Models = None,
    split: _Split = Split.val,
    json_file: _Json = None,
    device: Device = "auto",
) -> None:
    """Measure how far colours bleed over edges.

    The difference (CIEDE2000) to the true photo near its strong colour edges and elsewhere, by
    the way in which the network's small picture becomes a large one.

    \b
    python -m colorize bleeding --data DATA --model fusion
    """
    from colorize.cli.tables import figures_table

    datasets, files = _asked(data, dataset, model, json_file)
    from colorize.evaluation.bleeding import measure

    models, chosen = load_models(files, device)
    report = measure(models, datasets, split.value, chosen)
    _show(report, json_file, figures_table(report.rows))
    _say(report.settings["notes"])


@command("score-hints")
def score_hints(
    data: Data,
    dataset: Datasets = None,
    model: Model = "default",
    split: _Split = Split.test,
    counts: Annotated[
        str, typer.Option("--hints", metavar="N,N...", help="Hints a photo.")
    ] = "0,1,5,20",
    photos: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="At most how many a dataset.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Working size. [default: the model's]")
    ] = None,
    seed: _Seed = 0,
    json_file: _Json = None,
    device: Device = "auto",
) -> None:
    """Score how a model follows colour hints.

    Hints are taken from the true photos, at random spots: PSNR of the whole photo by how many
    there are, and the share of hinted spots that come out within CIEDE2000 10 of the wish. Of one
    hint in the middle of a thing: how far the thing follows, and how much all else moves (ab).

    \b
    python -m colorize score-hints --data DATA --split val
    python -m colorize score-hints --data DATA --dataset people --hints 0,1,5,20,50 --json h.json
    """
    from colorize.data.datasets import find_datasets

    with wrong_use():
        numbers = _counts(counts)
        file = find_record(model)
        record = read_record(file)
        if not record.takes_hints:
            raise ColorizeError(f"{record.name} cannot follow colour hints; choose another model")
        datasets = find_datasets(data, dataset or ())
        check_json(json_file)
    from colorize.cli.tables import hints_table
    from colorize.evaluation.hint_scores import score_datasets
    from colorize.inference.colorizer import Colorizer, choose_device

    with wrong_use():
        choose_device(device)
        colorizer = Colorizer(file, device)
        colorizer.check(size=size)
    report = score_datasets(
        colorizer, datasets, split.value, numbers, seed=seed, size=size, most=photos, say=warn
    )
    _show(report, json_file, hints_table(report))


def _counts(text: str) -> list[int]:
    """The numbers of "0,1,5", each once, the smallest first."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) <= MOST_HINTS for word in words):
        raise ColorizeError(
            f"hints: expected numbers up to {MOST_HINTS} like 0,1,5,20, found {text!r}"
        )
    return sorted({int(word) for word in words})


def _asked(
    data: Path, dataset: list[str] | None, model: list[str] | None, json_file: Path | None
) -> tuple[list["Dataset"], list[Path]]:
    """The datasets and the models' record files; wrong use where one is not there."""
    from colorize.data.datasets import find_datasets

    with wrong_use():
        check_json(json_file)
        return find_datasets(data, dataset or ()), find_models(model)


def _show(report: "Report", json_file: Path | None, table: "Table") -> None:
    """The figures as JSON, where asked for, and their table."""
    from colorize.cli.tables import console

    write_json(json_file, report)
    console().print(table)


def _say(notes: list[str]) -> None:
    for note in notes:
        typer.echo(f"Note: {note}.")
