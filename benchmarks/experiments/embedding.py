"""What a trained fusion network owes to its embedding.

    python -m benchmarks.experiments.embedding --data DATA

The network is not trained again: its embedding is put in the place of another photo's, or of
nothing, and what that does to the error is shown as a table in Markdown.
"""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

from colorize.data.datasets import find_datasets
from colorize.errors import ColorizeError
from colorize.evaluation.scores import contestants, mean_of, read_photos, score_photos, with_split
from colorize.models.checkpoint import load_checkpoint


class Changed(nn.Module):
    """A backbone whose embeddings `(N, features)` and maps are changed on their way out."""

    def __init__(self, backbone: nn.Module, change: str) -> None:
        super().__init__()
        self.backbone, self.features, self.change = backbone, backbone.features, change

    def forward(self, L: Tensor) -> Tensor:
        return self._changed(self.backbone(L))

    def maps(self, L: Tensor) -> list[Tensor]:
        return [self._changed(one) for one in self.backbone.maps(L)]

    def _changed(self, embedding: Tensor) -> Tensor:
        if self.change == "nothing":
            return torch.zeros_like(embedding)
        return embedding.roll(1, 0)  # the photo before in the batch, of the same dataset


def table(model: str, data: Path, split: str) -> list[str]:
    """The lines of a Markdown table: MSE by dataset with the photo's embedding and with others.

    Raises ColorizeError for a model without an embedding.
    """
    network, record = load_checkpoint(model)
    if record.network != "fusion":
        raise ColorizeError(f"{record.name} has no embedding; name a fusion network")
    cpu = torch.device("cpu")
    entries = [replace(contestants(network, record, cpu)[-1], model="its own")]
    for change in ("another photo's", "nothing"):
        other, _ = load_checkpoint(model)
        other.backbone = Changed(other.backbone, change)
        entries.append(replace(contestants(other, record, cpu)[-1], model=change))
    asked, _ = with_split(find_datasets(data), split)
    scores: dict[str, list[list[float]]] = {}
    for dataset in asked:
        by_entry = score_photos(entries, read_photos(dataset, split, []), figures=("mse",))
        scores[dataset.name] = [[row["mse"] for row in by_entry[entry]] for entry in entries]
    scores["all"] = [list(chain(*lists)) for lists in zip(*scores.values(), strict=True)]
    lines = [f"| embedding | {' | '.join(scores)} |", f"| --- |{' ---: |' * len(scores)}"]
    for place, entry in enumerate(entries):
        cells = (f"{mean_of(lists[place]):.5f}" for lists in scores.values())
        lines.append(f"| {entry.model} | {' | '.join(cells)} |")
    return lines


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Datasets.")],
    model: Annotated[str, typer.Option(metavar="NAME", help="A fusion network.")] = "fusion",
    split: Annotated[str, typer.Option(help="Which photos of each dataset.")] = "test",
) -> None:
    """Say what a fusion network owes to its embedding."""
    try:
        typer.echo("\n".join(table(model, data, split)))
    except ColorizeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
