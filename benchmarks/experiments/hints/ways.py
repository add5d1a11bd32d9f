"""Ways to spread the colour of a hint, with the same weights.

    python -m benchmarks.experiments.hints.ways --data DATA --photos 10

PSNR in dB of whole photos by the number of hints, the share that a thing follows and how much all
else moves are those of `python -m colorize score-hints`, on the same photos and spots. With
`--json FILE` a dataset that is in the file is not measured again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from torch import Tensor
from tqdm import tqdm

from benchmarks.experiments.kept import of_each, of_split
from colorize.data.datasets import Dataset, some_of
from colorize.evaluation.hint_scores import score_photos
from colorize.inference.colorization import Colorization
from colorize.inference.colorizer import Colorizer
from colorize.inference.hints.spots import Spot, follow
from colorize.inference.hints.things import Ground
from colorize.inference.variants import Scene

COUNTS = (0, 1, 5, 10, 20)


class Way:
    """What a photo shows before hints, and another way than the Colorizer's to add them."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.ab = ground, ground.ab

    def recoloured(
        self, spots: Sequence[Spot], answered: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """`Ground.recoloured`, without a mask."""
        raise NotImplementedError


class NetworkAlone(Way):
    """The network is shown the hints (Zhang et al. 2017), and its answer is the result."""

    def recoloured(
        self, spots: Sequence[Spot], answered: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        return self.ab if answered is None else answered, None


class SpreadAlongL(Way):
    """The same, and what it misses a hint by is spread along L: what was done before things."""

    def recoloured(
        self, spots: Sequence[Spot], answered: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        ab = self.ab if answered is None else answered
        return follow(ab, spots, self.ground.L, self.ab), None


class OptimisationAlone(Way):
    """Levin, Lischinski and Weiss 2004 over the predicted ab; the network is not asked."""

    def recoloured(
        self, spots: Sequence[Spot], answered: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        return Ground(self.ground.L, self.ab).recoloured(spots)


WAYS: dict[str, type[Way] | None] = {
    "the network shown the hints": NetworkAlone,
    "and the difference at them spread along L (before)": SpreadAlongL,
    "optimisation alone, from L and the predicted ab": OptimisationAlone,
    "things, told by all of these and the features (now)": None,
}


class Spreader(Colorizer):
    """A Colorizer that spreads the colours of hints in one of `WAYS`."""

    way: type[Way] | None = None

    def finish(self, *given: Any, **look: Any) -> Colorization:
        found = super().finish(*given, **look)
        if self.way is None:
            return found
        scene = Scene(self.way(found.scene.ground))
        return super().finish(*given, **look | {"scene": scene})


Figures = dict[str, list[float]]


def measure(
    colorizer: Spreader, dataset: Dataset, split: str, photos: int, counts: Sequence[int] = COUNTS
) -> dict[str, Figures]:
    """By way: PSNR in dB by the number of hints, a photo each, and `follows`, `moves` by things."""
    pixels, found = [file.pixels() for file in some_of(dataset.photos[split], photos)], {}
    for name, way in WAYS.items():
        colorizer.way = way
        given = tqdm(pixels, f"{dataset.name}, {name}", leave=False, disable=None)
        scores = score_photos(colorizer, given, counts)
        things = scores.get(1)
        found[name] = {str(count): score.psnr for count, score in scores.items()} | {
            "follows": things.follows if things else [],
            "moves": things.moves if things else [],
        }
    return found


def table(found: dict[str, dict[str, Figures]], counts: Sequence[int] = COUNTS) -> list[str]:
    """The lines of a table in Markdown, means over photos and over things."""
    columns = [str(count) for count in counts] + ["follows", "moves"]
    heads = [*columns[:-2], "follows", "lowest quarter", "outside"]
    lines = [f"| | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
    for name in WAYS:
        all_of_it = [
            np.concatenate([of[name][column] for of in found.values()]) for column in columns
        ]
        *dbs, follows, moves = all_of_it
        figures = [f"{db.mean():.2f}" for db in dbs]
        figures += (
            [f"{follows.mean():.2f}", f"{np.quantile(follows, 0.25):.2f}", f"{moves.mean():.1f}"]
            if len(follows) and len(moves)
            else ["–"] * 3
        )
        lines.append(f"| {name} | {' | '.join(figures)} |")
    return lines


def main(
    data: Annotated[Path, typer.Option(help="The folder of the datasets.")],
    dataset: Annotated[list[str] | None, typer.Option(help="Only these.")] = None,
    split: Annotated[str, typer.Option(help="val to choose, test to report.")] = "val",
    photos: Annotated[int, typer.Option(help="Of each dataset, at most.")] = 10,
    model: Annotated[str, typer.Option(help="A checkpoint that takes hints.")] = "default",
    file: Annotated[Path | None, typer.Option("--json", help="Keep the figures.")] = None,
) -> None:
    """Prints a table."""
    asked = of_split(data, split, dataset or ())
    colorizer = Spreader(model, device="cpu")
    found = of_each(asked, file, lambda one: measure(colorizer, one, split, photos))
    first = [of[next(iter(WAYS))] for of in found.values()]
    number, things = (sum(len(of[name]) for of in first) for name in ("0", "follows"))
    typer.echo("\n".join([f"{number} photos, {things} things", "", *table(found)]))


if __name__ == "__main__":
    typer.run(main)
