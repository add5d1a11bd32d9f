"""The weights by which colours of a reference are trusted, fitted on `val`.

    python -m benchmarks.experiments.reference_weights --data DATA --photos 13

Of each photo and its three references (`benchmarks/experiments/reference.py`): the trust a in
[0, 1], a logistic curve of the witnesses, with which own + a (carried - own) comes nearest to the
true ab, in the mean distance over places. Half of the photos are measured with the weights of the
other half; what ships is fitted on all.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from torch import Tensor

from benchmarks.experiments.kept import of_split
from benchmarks.experiments.reference import cases
from colorize.color.lab import lab_from_rgb
from colorize.color.toned import unit
from colorize.inference.colorization import decoded
from colorize.inference.colorizer import Colorizer
from colorize.inference.predict import resize
from colorize.inference.reference.carrying import OVER_BINS, WITHOUT, witnesses
from colorize.inference.reference.given import Reference
from colorize.inference.reference.matching import WITNESSES, Matcher, match
from colorize.photo.opening import Photo

_EVERY = 4  # so many-th place is fitted
_SOFT = 2.0  # ab units below which a distance counts less
_RIDGE = 0.015
_STEPS = 40
_OF_BINS = 2  # witnesses at the end that only networks over bins have


class _Pair(NamedTuple):
    """Of a photo and a reference, by place: witnesses `(k, n)`, ab `(2, n)` each."""

    photo: int
    kind: str
    witnesses: Tensor
    own: Tensor
    carried: Tensor
    truth: Tensor


@torch.inference_mode()
def pairs(data: Path, split: str, photos: int) -> list[_Pair]:
    """Of the default model, which is over bins."""
    colorizer = Colorizer("default", device="cpu")
    matcher = Matcher(colorizer.network, colorizer.record, colorizer.device)
    found = []
    datasets = of_split(data, split)
    given = [case for one in datasets for case in cases(one, datasets, split, photos)]
    for number, (truth, references) in enumerate(given):
        (plain,) = colorizer.predict([Photo.open(truth)])
        own = decoded(colorizer.network, colorizer.record, plain)
        places = matcher.places(torch.cat((plain.L, own)))
        true = resize(lab_from_rgb(torch.from_numpy(unit(truth)))[None, 1:], places.grid)[0]
        for kind, pixels in references.items():
            given = matcher.places_of_reference(Reference.open(pixels).lab())
            matches, before = match(places, given), places.lab[1:]
            seen = witnesses(matches, places, plain.output)
            values = seen, before, matches.ab, true.flatten(1)
            found.append(_Pair(number, kind, *(one[:, ::_EVERY] for one in values)))
    return found


def fit(some: Sequence[_Pair], number: int) -> Tensor:
    """The weights of the first `number` witnesses, and a constant."""
    X = torch.cat([one.witnesses[:number] for one in some], 1)
    mean, deviation = X.mean(1, keepdim=True), X.std(1, keepdim=True)
    Z = torch.cat(((X - mean) / deviation, torch.ones(1, X.shape[1])))
    way = torch.cat([one.carried - one.own for one in some], 1)
    wanted = torch.cat([one.truth - one.own for one in some], 1)
    shares = torch.cat([torch.full((one.own.shape[1],), 1 / one.own.shape[1]) for one in some])
    shares /= shares.sum()
    weights = torch.zeros(number + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        missed = ((weights @ Z).sigmoid() * way - wanted).square().sum(0)
        value = (shares * (missed + _SOFT**2).sqrt()).sum() + _RIDGE * weights[:-1].square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    plain = weights.detach()[:-1] / deviation[:, 0]
    return torch.cat((plain, weights.detach()[-1:] - plain @ mean))


def distances(some: Sequence[_Pair], weights: Tensor) -> dict[str, tuple[float, float]]:
    """By kind of reference, the mean distance from the truth, without and with."""
    found: dict[str, list[tuple[float, float]]] = {}
    for one in some:
        trust = (weights[:-1] @ one.witnesses[: len(weights) - 1] + weights[-1]).sigmoid()
        both = one.own, one.own + trust * (one.carried - one.own)
        missed = [float((ab - one.truth).norm(dim=0).mean()) for ab in both]
        found.setdefault(one.kind, []).append(tuple(missed))
    return {kind: tuple(np.mean(values, axis=0)) for kind, values in found.items()}


def main(
    data: Annotated[Path, typer.Option(help="The folder of the datasets.")],
    split: Annotated[str, typer.Option()] = "val",
    photos: Annotated[int, typer.Option(help="Of each dataset, at most.")] = 13,
) -> None:
    """Prints the weights of both kinds of networks, and what they give."""
    found = pairs(data, split, photos)
    halves = [[one for one in found if one.photo % 2 == half] for half in (0, 1)]
    every = len(WITNESSES) + 1 + _OF_BINS
    for what, number, ships in (
        ("over bins", every, OVER_BINS),
        ("without", every - _OF_BINS, WITHOUT),
    ):
        typer.echo(f"{what}: {[round(x, 3) for x in fit(found, number).tolist()]}")
        others = ships.differs, ships.likely, ships.likely_own
        shipped = torch.tensor((*(*ships.of_match, *others)[:number], ships.constant))
        for fitted, measured in (halves, halves[::-1]):
            before, after = distances(measured, shipped), distances(measured, fit(fitted, number))
            for kind, (without, as_shipped) in before.items():
                typer.echo(
                    f"  {kind}: {without:.2f} without, {as_shipped:.2f} as shipped, "
                    f"{after[kind][1]:.2f} with those of the other half"
                )


if __name__ == "__main__":
    typer.run(main)
