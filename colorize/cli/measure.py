"""The commands that measure models beyond their scores: judge, decodings, robustness, bleeding."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from colorize.cli.base import Data, Datasets, Device, Models, Split, command, wrong_use
from colorize.cli.shared import (
    check_json,
    find_models,
    load_models,
    read_document,
    write_json,
    write_text,
)
from colorize.errors import ColorizeError

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
    from colorize.cli.tables import console, figures_table
    from colorize.data.datasets import find_datasets
    from colorize.evaluation.markdown import update_judged

    with wrong_use():
        datasets = find_datasets(data, dataset or ())
        check_json(json_file)
        text = read_document(document, update_judged)
        files = find_models(model)
    from colorize.evaluation.judge import judge, open_eye

    with wrong_use():
        eye = open_eye(backbone_file)
    models, chosen = load_models(files, device)
    result = judge(models, datasets, split.value, chosen, eye, seed)
    write_json(json_file, result)
    console().print(figures_table(result["rows"]))
    _say(result["settings"]["notes"])
    if document is not None:
        write_text(document, update_judged(text, result["rows"]))


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
    from colorize.cli.tables import console, figures_table
    from colorize.data.datasets import find_datasets

    with wrong_use():
        if save and split is Split.test:
            raise ColorizeError("--save: a decoding is chosen on val, test is there to report")
        datasets = find_datasets(data, dataset or ())
        check_json(json_file)
        files = find_models(model)
    from colorize.evaluation.decodings import (
        CHROMAS,
        GAINS,
        TEMPERATURES,
        choose,
        decoding_of,
        sweep,
    )
    from colorize.models.record import read_record, write_record

    models, chosen = load_models(files, device)
    grid = (temperature or TEMPERATURES, gain or GAINS, chroma or CHROMAS)
    result = sweep(models, datasets, split.value, chosen, *grid)
    write_json(json_file, result)
    console().print(figures_table(row for row in result["rows"] if row["dataset"] == "all"))
    for file, (_, record) in zip(files, models, strict=True):
        row, is_good = choose(result["rows"], record.name)
        lacks = "" if is_good else ", though none has the colour that is asked for at that MSE"
        typer.echo(f"{record.name}: best is {row['decoding'] or 'as it is'}{lacks}.")
        if save:
            write_record(replace(read_record(file), decoding=decoding_of(row)), file)
    _say(result["settings"]["notes"])


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
    from colorize.cli.tables import console, figures_table
    from colorize.data.datasets import find_datasets

    with wrong_use():
        datasets = find_datasets(data, dataset or ())
        check_json(json_file)
        files = find_models(model)
    from colorize.evaluation.robustness import measure

    models, chosen = load_models(files, device)
    result = measure(models, datasets, split.value, chosen, seed)
    write_json(json_file, result)
    console().print(figures_table(result["rows"]))
    _say(result["settings"]["notes"])


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
    from colorize.cli.tables import console, figures_table
    from colorize.data.datasets import find_datasets

    with wrong_use():
        datasets = find_datasets(data, dataset or ())
        check_json(json_file)
        files = find_models(model)
    from colorize.evaluation.bleeding import measure

    models, chosen = load_models(files, device)
    result = measure(models, datasets, split.value, chosen)
    write_json(json_file, result)
    console().print(figures_table(result["rows"]))
    _say(result["settings"]["notes"])


def _say(notes: list[str]) -> None:
    for note in notes:
        typer.echo(f"Note: {note}.")
