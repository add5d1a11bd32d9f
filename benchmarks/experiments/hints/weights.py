"""The weights by which hints find their things, fitted on `val`.

    python -m benchmarks.experiments.hints.weights --data DATA --photos 6

Of each photo hints from the truth at random pixels, and one hint in the middle of each thing, as
`python -m colorize score-hints` gives them, and of what is larger, as a sky or a wall. What is made
as small as it can be: ten times the logarithm of the squared distance from the true ab (so dB) with
random hints, and with one in a thing how little the thing follows and how much all else moves. Half
of the photos are measured with the weights of the other half; what ships is fitted on all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from skimage.graph import cut_threshold, rag_mean_color
from skimage.segmentation import slic
from torch import Tensor
from tqdm import tqdm

from benchmarks.experiments.hints.ways import COUNTS
from benchmarks.experiments.kept import of_split
from colorize.data.datasets import some_of
from colorize.evaluation.hint_scores import (
    far_off,
    find_things,
    in_the_middle,
    true_ab,
    true_hints,
)
from colorize.inference.colorization import Prediction, decoded
from colorize.inference.colorizer import Colorizer
from colorize.inference.hints import weighing
from colorize.inference.hints.things import Ground
from colorize.inference.hints.weighing import Blend, Weights, Wishes
from colorize.inference.options import Hint
from colorize.inference.predict import resize
from colorize.photo.opening import Photo

_EVERY = 7  # so many-th pixel of the grid is fitted
_FLOOR = 1.0  # ab units squared, below which no error counts as less
_FOLLOWS, _MOVES = 4.0, 0.6  # dB that a thing that does not follow costs, and a unit outside
_LARGE = (0.15, 0.7)  # of the photo, of what is larger than a thing
_CELLS = 60  # superpixels that it is made of
_STEP_AB = 10.0  # ab units that weigh as much as the way from one to the next
_ALIKE, _WRONG = 7.0, 8.0  # ab units up to which neighbours are one; from which its colour is off
_MOST_LARGE = 2  # of a photo
_RIDGE = 0.01
_STEPS = 60

KINDS = {  # what is known of a photo: the weights that ship
    "asked": weighing.ASKED,
    "unasked": weighing.UNASKED,
    "without features": weighing.WITHOUT_FEATURES,
    "walk alone": weighing.WALK_ALONE,
}


class Case(NamedTuple):
    """Hints on a photo, by n pixels of the grid: what witnesses say `(k, 1, n)`, colours
    `(2, 1, n)`.

    `thing` and `outside` `(1, n)` are empty for random hints.
    """

    photo: int
    witnesses: dict[str, Tensor]
    wishes: Wishes
    before: Tensor
    truth: Tensor
    thing: Tensor
    outside: Tensor


class Figures(NamedTuple):
    """Means: dB of what is left with random hints (less is better), of things the share that they
    follow, and ab units that all else moves."""

    left: Tensor
    follows: Tensor
    moves: Tensor

    @property
    def loss(self) -> Tensor:
        return self.left + _FOLLOWS * (1 - self.follows) + _MOVES * self.moves


def figures(cases: Iterable[Case], weights: Weights, blend: Blend) -> Figures:
    """Of some cases, with these weights."""
    left, follows, moves = [], [], []
    for case in cases:
        mask, shares = weighing.parts(weighing.odds_of(case.witnesses, weights), blend)
        change = mask * weighing.wanted(case.wishes, shares, case.before, blend)
        if not len(case.thing):
            missed = (case.before + change - case.truth).square().sum(0).mean()
            left.append(10 * (missed + _FLOOR).log10())
            continue
        way = case.wishes.ab[:, :, None] - case.before
        gone = (change * way).sum(0) / way.square().sum(0).clamp(min=1e-3)
        follows.append(gone[case.thing].clamp(0, 1).mean())
        if case.outside.any():
            moves.append(change[:, case.outside].norm(dim=0).mean())
    return Figures(
        *(torch.stack(x).mean() if x else torch.zeros(()) for x in (left, follows, moves))
    )


def fit(
    cases: Sequence[Case], start: Weights, blend: Blend | None = None, steps: int = _STEPS
) -> tuple[Weights, Blend]:
    """What makes the loss smallest, from `start` on; with this blend where one is given."""
    names = start.asked
    first = torch.tensor([start.constant, *(getattr(start, name) for name in names)])
    scale = torch.tensor([1.0, *(_deviation(cases, name) for name in names)])
    z = (first * scale).requires_grad_()
    kept = _free(weighing.BLEND).requires_grad_()

    def now() -> tuple[Weights, Blend]:
        constant, *others = z / scale
        named = dict(zip(names, others, strict=True))
        return Weights(constant, **{"walk": 0.0, "far": 0.0} | named), (blend or _blend(kept))

    optimizer = torch.optim.LBFGS(
        [z] if blend else [z, kept], max_iter=steps, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = figures(cases, *now()).loss + _RIDGE * z[1:].square().mean()
        value.backward()
        return value

    optimizer.step(loss)
    with torch.no_grad():
        return tuple(type(one)(*(float(x) for x in one)) for one in now())


def _deviation(cases: Sequence[Case], name: str) -> float:
    return float(torch.cat([case.witnesses[name].flatten() for case in cases]).std())


def _free(blend: Blend) -> Tensor:
    """The blend as numbers without bounds."""
    given = torch.tensor(blend)
    return torch.stack((given[0].log(), given[1].logit()))


def _blend(free: Tensor) -> Blend:
    return Blend(free[0].exp(), free[1].sigmoid())


@torch.no_grad()
def collect(colorizer: Colorizer, photos: Iterable[np.ndarray]) -> dict[str, list[Case]]:
    """By kind, the cases of photos uint8 sRGB `(h, w, 3)`."""
    found: dict[str, list[Case]] = {kind: [] for kind in KINDS}
    for number, pixels in enumerate(photos):
        for kind, case in _cases_of(colorizer, pixels, number):
            found[kind].append(case)
    return found


def _cases_of(colorizer: Colorizer, pixels: np.ndarray, number: int) -> Iterator[tuple[str, Case]]:
    photo = Photo.open(pixels)
    (plain,) = colorizer.predict([photo])
    ground = colorizer.finish(photo, plain, borders=False).scene.ground
    alone = Ground(ground.L, ground.ab)  # as of a network without bins
    truth = true_ab(pixels, plain.shape)
    before, small = torch.from_numpy(ground.small_ab), resize(truth[None], ground.grid)[0]
    hints = true_hints(pixels, max(COUNTS), plain.shape, np.random.default_rng([0, number]))
    for some, *where in _given(photo, hints, plain, truth, ground):
        (seen,) = colorizer.predict([photo], None, [some], before=[plain])
        answered = decoded(colorizer.network, colorizer.record, seen)
        said = ground.witnesses(seen.spots, answered, KINDS["asked"].asked)
        said_alone = alone.witnesses(seen.spots, None, KINDS["walk alone"].asked)
        wishes, colours = ground.wishes(seen.spots), (_thin(before), _thin(small))
        for kind, weights in KINDS.items():
            of_kind = said_alone if kind == "walk alone" else said
            witnesses = {name: _thin(of_kind[name]) for name in weights.asked}
            yield kind, Case(number, witnesses, wishes, *colours, *where)


def _given(
    photo: Photo, hints: list[Hint], plain: Prediction, truth: Tensor, ground: Ground
) -> Iterator[tuple[list[Hint], Tensor, Tensor]]:
    """Hints, and of those in a thing the thing and what lies outside it, on the pixels fitted."""
    nothing = torch.zeros(0, dtype=torch.bool)
    for count in COUNTS[1:]:
        yield hints[:count], nothing, nothing
    colours = truth.numpy(), ground.ab.numpy()
    for thing in (*find_things(*colours), *find_large(*colours)):
        hint, outside = in_the_middle(thing, truth, plain.L, photo.size)
        masks = (torch.from_numpy(mask)[None, None].float() for mask in (thing, outside))
        yield [hint], *(_thin(resize(mask, ground.grid)[0] > 0.5)[0] for mask in masks)


def find_large(true: np.ndarray, predicted: np.ndarray) -> list[np.ndarray]:
    """Masks `(h, w)` of what is larger than `find_things` finds, the largest first.

    Superpixels of the true ab `(2, h, w)`, those that touch and are alike as one.
    """
    span = max(float(np.ptp(true)), 1.0)
    pixels = np.moveaxis(np.concatenate((true, np.zeros_like(true[:1]))), 0, -1).astype(float)
    cells = slic(
        pixels[..., :2], _CELLS, _STEP_AB / span, sigma=1, convert2lab=False, start_label=0
    )
    labels = cut_threshold(cells, rag_mean_color(pixels, cells), _ALIKE)
    return far_off(labels, true - predicted, _LARGE, _WRONG)[:_MOST_LARGE]


def _thin(x: Tensor) -> Tensor:
    """`(c, h, w)` to `(c, 1, n)`."""
    return x.flatten(1)[:, None, ::_EVERY].clone()


def main(
    data: Annotated[Path, typer.Option(help="The folder of the datasets.")],
    split: Annotated[str, typer.Option()] = "val",
    photos: Annotated[int, typer.Option(help="Of each dataset, at most.")] = 6,
    model: Annotated[str, typer.Option(help="A checkpoint that takes hints.")] = "default",
) -> None:
    """Prints the weights of each kind, and what they give."""
    files = [file for one in of_split(data, split) for file in some_of(one.photos[split], photos)]
    colorizer = Colorizer(model, device="cpu")
    found = collect(colorizer, (file.pixels() for file in tqdm(files, disable=None)))
    blend = None  # of those who are asked, and then of all
    for kind, cases in found.items():
        blend = _tell(kind, cases, blend, typer.echo)


def _tell(
    kind: str, cases: Sequence[Case], blend: Blend | None, say: Callable[[str], None]
) -> Blend:
    """Says what the weights of a kind are and give; the blend."""
    halves = [[case for case in cases if case.photo % 2 == half] for half in (0, 1)]
    for fitted, measured in (halves, halves[::-1]):
        ways = {
            "as shipped": (KINDS[kind], weighing.BLEND),
            "of the other half": fit(fitted, KINDS[kind], blend),
        }
        for way, values in ways.items():
            left, follows, moves = figures(measured, *values)
            say(f"{kind}, {way}: {left:.2f} dB left, follows {follows:.3f}, outside {moves:.2f}")
    found = fit(cases, KINDS[kind], blend)
    for values in found:
        say(f"  {values._replace(**{k: round(v, 4) for k, v in values._asdict().items()})}")
    return found[1]


if __name__ == "__main__":
    typer.run(main)
