"""The commands that take a folder of datasets: train, evaluate, sheet."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from colorize.cli.base import (
    INTERRUPTED,
    Data,
    Datasets,
    Device,
    Models,
    Split,
    check_can_write,
    command,
    wrong_use,
)
from colorize.cli.shared import (
    check_json,
    distinct,
    find_models,
    load_models,
    read_document,
    write_json,
    write_text,
)
from colorize.errors import ColorizeError
from colorize.evaluation.report import Report, ScoreRow
from colorize.models.record import Record, write_record
from colorize.training.settings import describe_settings, make_settings

_EPOCHS = 40  # where no length is given: what the second paper trained (3.4)


@command("train", epilog=f"\b\nSettings, by --set:\n{describe_settings()}")
def train(
    network: Annotated[
        str, typer.Option(metavar="NAME", help="Which network; a wrong name lists them.")
    ],
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="RUN", help="The folder of the run.")
    ],
    dataset: Datasets = None,
    minutes: Annotated[
        float | None, typer.Option(metavar="M", help="How long to train, by the clock.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help=f"How long. [default: {_EPOCHS}, without --minutes]"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run.")
    ] = False,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting; see below.")
    ] = None,
) -> None:
    """Train a network.

    Ctrl-C ends it cleanly, and --resume goes on. The folder of the run holds its settings, log,
    picture grids and best weights, which `export` makes a checkpoint of.

    \b
    python -m colorize train --network baseline --data DATA --output runs/1 --minutes 12
    python -m colorize train --network fusion --data DATA --dataset animals --dataset people \\
        --output runs/2 --epochs 20 --set batch=16 --set repeat=people:2
    """
    from colorize.cli.interrupts import interruptible
    from colorize.data.datasets import find_datasets

    with wrong_use():
        if minutes is not None and epochs is not None:
            raise ColorizeError("Give --minutes or --epochs, not both")
        if minutes is not None and not 0 < minutes < float("inf"):
            raise ColorizeError(f"minutes: expected a number above 0, found {minutes}")
        settings = make_settings(network, changes or ())
        datasets = find_datasets(data, dataset or ())
    from colorize.training.allocator import keep_freed_memory
    from colorize.training.train import Budget, train

    keep_freed_memory()
    budget = Budget(epochs=epochs or _EPOCHS) if minutes is None else Budget(minutes=minutes)
    with interruptible() as stopped:
        done = train(settings, datasets, output, budget, resume=resume, stopped=stopped)
    if not done:
        raise typer.Exit(INTERRUPTED)
    if os.environ.get("RANK", "0") == "0":  # one of several processes speaks
        typer.echo(f"Done. `python -m colorize export {output} -o NAME` makes it a checkpoint.")


@command("evaluate")
def evaluate(
    data: Data,
    dataset: Datasets = None,
    model: Models = None,
    split: Annotated[Split, typer.Option(help="Which photos of each dataset.")] = Split.test,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
    document: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Renew the tables of a Markdown file: those whose marks stand in it. "
            "Repeat for more.",
        ),
    ] = None,
    save_scores: Annotated[
        bool, typer.Option("--save-scores", help="Write the scores into the models' records.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Score models on datasets.

    Grey photos and the mean colour of the training photos stand beside them. A model over bins
    is scored as it ships and, with a star, at its mean (T = 1).

    \b
    python -m colorize evaluate --data DATA --json scores.json
    python -m colorize evaluate --data DATA --dataset people --model fusion --split val
    """
    from colorize.cli.tables import console, score_tables
    from colorize.data.datasets import find_datasets
    from colorize.evaluation.markdown import update_document

    with wrong_use():
        if save_scores and (split is not Split.test or dataset):
            raise ColorizeError("--save-scores goes with the test photos of all datasets")
        datasets = find_datasets(data, dataset or ())
        check_json(json_file)
        texts = {file: read_document(file, update_document) for file in document or ()}
        files = find_models(model)
    from colorize.evaluation.scores import evaluate

    models, chosen = load_models(files, device)
    report = evaluate(models, datasets, split.value, chosen)
    write_json(json_file, report)
    for table in score_tables(report):
        console().print(table)
    for note in report.settings["notes"]:
        typer.echo(f"Note: {note}.")
    for file, text in texts.items():
        write_text(file, update_document(text, report.as_json()["rows"]))
    if save_scores:
        for file, (_, record) in zip(files, models, strict=True):
            _save_scores(file, record, report)


def _save_scores(file: Path, record: Record, report: Report[ScoreRow]) -> None:
    name = file.stem
    scores = [asdict(replace(row, model=name)) for row in report.of(record.name)]
    training = {key: value for key, value in record.training.items() if key != "note"}
    write_record(replace(record, name=name, scores=scores, training=training), file)


@command("sheet")
def sheet(
    data: Data,
    dataset: Annotated[str, typer.Option(metavar="NAME", help="One of its datasets.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The PNG to write.")
    ],
    model: Models = None,
    split: Annotated[Split, typer.Option(help="Which photos of the dataset.")] = Split.test,
    photos: Annotated[int, typer.Option(metavar="N", min=1, help="At most how many.")] = 48,
    seed: Annotated[int, typer.Option(metavar="N", help="Another one chooses others.")] = 0,
    device: Device = "auto",
) -> None:
    """Draw a sheet of photos for the eye.

    Each stands there in grey, by each model and as it is.

    \b
    python -m colorize sheet --data DATA --dataset people -o sheet.png --photos 16
    python -m colorize sheet --data DATA --dataset people --model fusion --model baseline -o 2.png
    """
    from colorize.data.datasets import find_datasets

    with wrong_use():
        if output.suffix.lower() != ".png":
            raise ColorizeError(f"{output}: expected a name that ends in .png")
        check_can_write(output)
        (found,) = find_datasets(data, [dataset])
        files = found.photos[split.value]
        if not files:
            raise ColorizeError(f"{dataset} has no photos in {split.value!r}")
        records = find_models(model)
    from colorize.evaluation.sheet import choose, make_sheet, write_sheet
    from colorize.inference.colorizer import Colorizer, choose_device

    with wrong_use():
        choose_device(device)
    colorizers = [Colorizer(record, device) for record in records]
    named = distinct([(model, model.record) for model in colorizers], records)
    models = {record.name: model for model, record in named}
    write_sheet(make_sheet(choose(files, photos, seed), models), output)
    typer.echo(str(output))
