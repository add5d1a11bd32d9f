"""The command that measures how colour hints are followed."""

import json
from pathlib import Path
from typing import Annotated

import typer

from colorize.cli.base import (
    Data,
    Datasets,
    Device,
    Model,
    Split,
    check_can_write,
    command,
    warn,
    wrong_use,
)
from colorize.errors import ColorizeError
from colorize.inference.options import MOST_HINTS
from colorize.models.record import find_record, read_record


@command("score-hints")
def score_hints(
    data: Data,
    dataset: Datasets = None,
    model: Model = "default",
    split: Annotated[Split, typer.Option(help="Which photos of each dataset.")] = Split.test,
    counts: Annotated[
        str, typer.Option("--hints", metavar="N,N...", help="Hints a photo.")
    ] = "0,1,5,20",
    photos: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="At most how many a dataset.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Working size. [default: the model's]")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Another one, other spots.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Score how a model follows colour hints.

    Hints are taken from the true photos, at random spots: PSNR of the whole photo by how many
    there are, and the share of hinted spots that come out within CIEDE2000 10 of the wish.

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
        if json_file is not None:
            check_can_write(json_file)
    from colorize.cli.tables import console, hints_table
    from colorize.evaluation.hint_scores import score_datasets
    from colorize.files import replacing
    from colorize.inference.colorizer import Colorizer, choose_device

    with wrong_use():
        choose_device(device)
        colorizer = Colorizer(file, device)
        colorizer.check(size=size)
    result = score_datasets(
        colorizer, datasets, split.value, numbers, seed=seed, size=size, most=photos, say=warn
    )
    console().print(hints_table(result))
    if json_file is not None:
        text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
        with replacing(json_file) as out:
            out.write(f"{text}\n".encode())


def _counts(text: str) -> list[int]:
    """The numbers of "0,1,5", each once, the smallest first."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) <= MOST_HINTS for word in words):
        raise ColorizeError(
            f"hints: expected numbers up to {MOST_HINTS} like 0,1,5,20, found {text!r}"
        )
    return sorted({int(word) for word in words})
