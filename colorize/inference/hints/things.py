"""The thing that a hint lies on, and its colour all over it: up to its edge and no further.

Witnesses say how far a pixel belongs to a hint: a walk over the photo that edges stop (Levin,
Lischinski and Weiss 2004, "Colorization using Optimization", with affinities from L and from what
the network predicts without hints), how near it is, how alike L, the predicted ab, the network's
logits and its backbone's features are there and at the hint, and how far the network itself goes
towards the hint's colour when it is shown it. The colours are then settled along L by the same
optimisation. All on a small grid, so that the sparse matrices are factored in some 20 ms each and
nothing has to be iterated.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from colorize.inference.hints import weighing
from colorize.inference.hints.spots import Spot, follow, weakened
from colorize.inference.hints.spreading import Spreading
from colorize.inference.hints.weighing import Weights, Wishes
from colorize.inference.predict import resize

_GRID = 80  # short side, in pixels, of the grid at most: half the app's working size
_KEPT = 12  # directions that logits are told apart by
_EVERY = 4  # so many-th pixel is looked at to find them
_WALK_AB, _WALK_L, _WALK_LOGITS = 8.0, 16.0, 0.5  # steps that count as an edge to a walk
_WALK_DIRECTIONS = 8
_ALONE_AB, _ALONE_L = 6.0, 8.0  # the same where there are no logits
_WALK_REACH = 0.5  # of a walk over even ground, as a share of the short side
_SETTLE_L, _SETTLE_AB = 6.0, 8.0  # steps in L and ab that count as an edge to a colour
_SETTLE_REACH = 2.2  # pixels of the grid over which colours settle
_MOST_SEEDS = 16  # pixels of a stroke that its things are told by
_FEATURE_STRIDE = 16  # pixels of L from feature to feature


class Ground:
    """What a photo shows before hints. Safe between threads.

    L `(1, h, w)` in [0, 100] and ab `(2, h, w)` as predicted without hints; logits
    `(313, h', w')`, which may be of lower resolution, or None of a model without bins; `describe`
    gives the features `(C, H / 16, W / 16)` of an L, padded, or None of a model without any.
    """

    def __init__(
        self,
        L: Tensor,
        ab: Tensor,
        logits: Tensor | None = None,
        describe: Callable[[Tensor], Tensor | None] = lambda L: None,
    ) -> None:
        self.L, self.ab, self._logits, self._describe = L, ab, logits, describe
        self._shape = tuple(L.shape[-2:])
        scale = min(1.0, _GRID / min(self._shape))
        self.grid = tuple(max(1, round(side * scale)) for side in self._shape)
        self._lock = threading.RLock()  # one factored matrix is not solved from two threads

    @property
    def over_bins(self) -> bool:
        """Whether it has logits."""
        return self._logits is not None

    def recoloured(
        self, spots: Sequence[Spot], answered: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """ab `(2, h, w)` with the spots' colours over their things, and a mask `(h, w)` in [0, 1]
        of how far each pixel takes part.
        """
        with self._lock:
            return self._recoloured(spots, answered)

    def _recoloured(self, spots: Sequence[Spot], answered: Tensor | None) -> tuple[Tensor, Tensor]:
        wishes, before = self.wishes(spots), torch.from_numpy(self.small_ab)
        mask, shares = weighing.parts(self._odds(spots, self._weights(answered), answered))
        change = mask * weighing.wanted(wishes, shares, before)
        mask = mask * shares[wishes.strengths > 0].sum(0)  # others keep what is there
        large = self.settled(torch.cat((change, mask[None])))
        ab = follow(self.ab + large[:2], spots, self.L, self.ab)
        return ab, large[2].clamp(0, 1)

    def masks(self, spots: Sequence[Spot]) -> np.ndarray:
        """float32 `(k, h', w')` in [0, 1]: the thing of each spot, on the grid.

        From what the network has predicted: it is not asked for features.
        """
        with self._lock:
            return self._odds(spots, self._of_variants).sigmoid().numpy()

    def changed(self, spots: Sequence[Spot]) -> Tensor:
        """What is added to ab `(2, h, w)` where each spot's thing gets its colour; the things of
        spots whose strength is 0 stay. As `masks`, without asking the network.
        """
        if not spots:
            return torch.zeros_like(self.ab)
        with self._lock:
            blend, before = weighing.BLEND_OF_VARIANTS, torch.from_numpy(self.small_ab)
            mask, shares = weighing.parts(self._odds(spots, self._of_variants), blend)
            return self.settled(mask * weighing.wanted(self.wishes(spots), shares, before, blend))

    def spot_at(self, row: int, column: int) -> Spot:
        """A spot at a place of the grid that changes nothing there."""
        height, width = self._shape
        return Spot(
            min(int((row + 0.5) * height / self.grid[0]), height - 1),
            min(int((column + 0.5) * width / self.grid[1]), width - 1),
            torch.from_numpy(self.small_ab[:, row, column]),
            strength=0.0,
        )

    def small_p(self) -> Tensor:
        """float32 `(313, h', w')`: the distribution over the bins, on the grid. Not kept."""
        return resize(self._logits.float().softmax(0)[None], self.grid)[0]

    def wishes(self, spots: Sequence[Spot]) -> Wishes:
        """The colours of the spots, and those that are there before."""
        ab = torch.stack([spot.ab for spot in spots], 1)
        seeds = self._seeds(spots)
        before = np.stack([self.small_ab[:, *one.T].mean(1) for one in seeds], 1)
        strengths = torch.tensor([spot.strength for spot in spots])
        return Wishes(ab, torch.from_numpy(before), strengths)

    def settled(self, change: Tensor) -> Tensor:
        """`(k, h', w')` along L, at the size of L: `(k, h, w)`."""
        smooth = torch.from_numpy(self._settling.smoothed(change.numpy()))
        return resize(smooth[None], self._shape)[0]

    def witnesses(
        self, spots: Sequence[Spot], answered: Tensor | None, names: Iterable[str]
    ) -> dict[str, Tensor]:
        """What each of the named witnesses says of each pixel of the grid, float32 `(k, h', w')`.

        `answered` is ab of the network that is shown the hints, for "missed" alone.
        """
        seeds, found = self._seeds(spots), {}
        for name in names:
            match name:
                case "walk":
                    places = [one[:, 0] * self.grid[1] + one[:, 1] for one in seeds]
                    found[name] = np.log(self._walking.likeness(places))
                case "far":
                    found[name] = np.stack([self._distance(one) for one in seeds])
                case "logits":
                    found[name] = np.stack([_alike(self._directions, one) for one in seeds])
                case "features":
                    found[name] = np.stack([_alike(self._features, one) for one in seeds])
                case "apart":
                    found[name] = np.stack([_apart(self.small_ab, one) for one in seeds])
                case "shade":
                    found[name] = np.stack([_apart(self._lightness, one) for one in seeds])
                case "missed":
                    ab = np.stack([spot.ab.numpy() for spot in weakened(spots, self.ab)])
                    small = resize(answered[None], self.grid)[0].numpy()
                    found[name] = np.linalg.norm(small - ab[..., None, None], axis=1)
        return {name: torch.from_numpy(x).float() for name, x in found.items()}

    def _odds(
        self, spots: Sequence[Spot], weights: Weights, answered: Tensor | None = None
    ) -> Tensor:
        """The logarithms of the odds, float32 `(k, h', w')`."""
        return weighing.odds_of(self.witnesses(spots, answered, weights.asked), weights)

    def _weights(self, answered: Tensor | None) -> Weights:
        if not self.over_bins:
            return weighing.WALK_ALONE
        if self._features is None:
            return weighing.WITHOUT_FEATURES
        return weighing.UNASKED if answered is None else weighing.ASKED

    @property
    def _of_variants(self) -> Weights:
        return weighing.OF_VARIANTS if self.over_bins else weighing.OF_VARIANTS_ALONE

    def _seeds(self, spots: Sequence[Spot]) -> list[np.ndarray]:
        """Each spot's pixels on the grid, `(n, 2)`: rows and columns."""
        scale, last = np.divide(self.grid, self._shape), np.array(self.grid) - 1
        found = (((np.array(spot.pixels) + 0.5) * scale).astype(int) for spot in spots)
        return [np.unique(np.minimum(one, last), axis=0) for one in found]

    def _distance(self, seeds: np.ndarray) -> np.ndarray:
        """From the nearest seed `(h', w')`, in short sides of the grid."""
        away = np.ones(self.grid, bool)
        away[seeds[:, 0], seeds[:, 1]] = False
        return distance_transform_edt(away) / min(self.grid)

    @cached_property
    def small_ab(self) -> np.ndarray:
        """float32 `(2, h', w')`: ab on the grid."""
        return resize(self.ab[None], self.grid)[0].numpy()

    @cached_property
    def _lightness(self) -> np.ndarray:
        """float32 `(1, h', w')`: L on the grid."""
        return resize(self.L[None], self.grid)[0].numpy()

    @cached_property
    def _components(self) -> np.ndarray:
        """float32 `(12, h', w')`: principal components of the logits, the first of deviation 1."""
        logits = self._logits.float()
        logits = (logits - logits.mean(0)).flatten(1)
        logits -= logits.mean(1, keepdim=True)
        some = logits[:, ::_EVERY]
        _, vectors = torch.linalg.eigh(some @ some.T)
        found = vectors.flip(1)[:, :_KEPT].T @ logits
        found /= found[0].square().mean().sqrt().clamp(min=1e-6)
        return resize(found.view(1, _KEPT, *self._logits.shape[-2:]), self.grid)[0].numpy()

    @cached_property
    def _directions(self) -> np.ndarray:
        """The same, each pixel's of length 1."""
        return _unit(self._components)

    @cached_property
    def _features(self) -> np.ndarray | None:
        """float32 `(C, h', w')`: what the network's features are in direction; None without."""
        scale = min(1.0, 2 * _GRID / min(self._shape))
        seen = tuple(max(8, round(side * scale)) for side in self._shape)
        found = self._describe(resize(self.L[None], seen)[0])
        if found is None:
            return None
        padded = [
            max(side, round(cells * _FEATURE_STRIDE * side / whole))
            for side, cells, whole in zip(self.grid, found.shape[-2:], seen, strict=True)
        ]
        found = F.interpolate(found[None], padded, mode="bilinear", align_corners=False)[0]
        return _unit(found[:, : self.grid[0], : self.grid[1]].numpy())

    @cached_property
    def _walking(self) -> Spreading:
        if not self.over_bins:
            guide = [self.small_ab / _ALONE_AB, self._lightness / _ALONE_L]
        else:
            logits = self._components[:_WALK_DIRECTIONS] / _WALK_LOGITS
            guide = [self.small_ab / _WALK_AB, self._lightness / _WALK_L, logits]
        return Spreading(np.concatenate(guide), _WALK_REACH * min(self.grid))

    @cached_property
    def _settling(self) -> Spreading:
        guide = np.concatenate((self._lightness / _SETTLE_L, self.small_ab / _SETTLE_AB))
        return Spreading(guide, _SETTLE_REACH)


def _unit(x: np.ndarray) -> np.ndarray:
    """`(C, h, w)` less its mean over the pixels, each pixel's of length 1."""
    x = x - x.mean((1, 2), keepdims=True)
    return x / (np.linalg.norm(x, axis=0) + 1e-6)


def _alike(directions: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """How alike `(h', w')` a pixel's of the `(C, h', w')` is to one around a seed: a cosine."""
    around = _around(directions, seeds)
    around /= np.linalg.norm(around, axis=1, keepdims=True) + 1e-6
    return np.tensordot(around, directions, 1).max(0)


def _apart(values: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """How far `(h', w')` a pixel's of the `(C, h', w')` is from the nearest around a seed."""
    return np.stack(
        [np.linalg.norm(values - one[:, None, None], axis=0) for one in _around(values, seeds)]
    ).min(0)


def _around(values: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The means `(n, C)` of `(C, h', w')` around some of the seeds."""
    steps = np.linspace(0, len(seeds) - 1, min(len(seeds), _MOST_SEEDS)).round().astype(int)
    means = []
    for row, column in seeds[steps]:
        near = slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2)
        means.append(values[:, *near].mean((1, 2)))
    return np.stack(means)
