"""Rebalanced decoding without rebalanced training.

    python -m benchmarks.experiments.rebalanced --data DATA

Cross entropy weighted by class has its optimum at p' ~ w p (Zhang et al. 2016, equation 2, solved
for one pixel). So a classifier that was trained without weights, multiplied by w, shows what
training with them tends to. Prints a table in Markdown, of the photos of `val`.
"""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from colorize.color import bins
from colorize.data.datasets import Dataset, find_datasets
from colorize.errors import ColorizeError
from colorize.evaluation.scores import (
    SIZE,
    Contestant,
    mean_of,
    read_photos,
    score_photos,
    with_split,
)
from colorize.inference.predict import run_network
from colorize.models.checkpoint import load_checkpoint
from colorize.training.losses import bin_distribution

SPLIT = "val"
TEMPERATURES = (0.38, 1.0)
_FIGURES = ("mse", "ciede2000", "colorfulness", "colorfulness_truth")


def contestants(model: str, weights: dict[str, Tensor]) -> list[Contestant]:
    """A model over bins, its probabilities times `weights` `(313,)` by name, at each temperature.

    ColorizeError for a model that is not over bins.
    """
    network, record = load_checkpoint(model)
    if not record.over_bins:
        raise ColorizeError(f"{record.name} is not a model over bins; name one that is")
    seen: list[Tensor] = []  # the last L, and the logits for it

    def decoded(log_weights: Tensor, temperature: float) -> Callable[[Tensor], Tensor]:
        def colorize(L: Tensor) -> Tensor:
            if not seen or seen[0] is not L:
                seen[:] = L, run_network(network, record, L)
            return bins.annealed_mean(seen[1] + log_weights, temperature)

        return colorize

    size = max(SIZE, record.size)
    return [
        Contestant(
            f"{record.name}, {name}",
            f"T = {temperature:g}",
            False,
            size,
            decoded(one.log().view(1, -1, 1, 1), temperature),
        )
        for name, one in weights.items()
        for temperature in TEMPERATURES
    ]


def table(models: list[str], datasets: list[Dataset], lambdas: list[float]) -> list[str]:
    """The lines of the table, over all photos of `val`."""
    asked, _ = with_split(datasets, SPLIT)
    train = chain.from_iterable(read_photos(dataset, "train", []) for dataset in asked)
    distribution = bin_distribution(train)
    weights = {
        "not rebalanced" if lam == 1 else f"lambda = {lam:g}": bins.rebalancing_weights(
            distribution, lam
        )
        for lam in (1.0, *lambdas)
    }
    entries = [entry for model in models for entry in contestants(model, weights)]
    photos = chain.from_iterable(read_photos(dataset, SPLIT, []) for dataset in asked)
    scores = score_photos(entries, photos, figures=_FIGURES)
    lines = ["| model | T | MSE | CIEDE2000 | colorfulness | of the truth |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for entry in entries:
        mse, difference, *colour = (mean_of([r[f] for r in scores[entry]]) for f in _FIGURES)
        cells = [entry.model, entry.decoding.removeprefix("T = "), f"{mse:.5f}"]
        cells += [f"{difference:.2f}", *(f"{value:.1f}" for value in colour)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Datasets.")],
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Over bins. [default: classifier]")
    ] = None,
    lam: Annotated[
        list[float] | None, typer.Option("--lambda", help="Repeat for more. [default: 0.5]")
    ] = None,
    dataset: Annotated[list[str] | None, typer.Option(metavar="NAME")] = None,
) -> None:
    """Compare decodings with rebalanced probabilities."""
    try:
        datasets = find_datasets(data, dataset or ())
        lines = table(model or ["classifier"], datasets, lam or [0.5])
    except ColorizeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo("\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
