"""The 313 ab bins of Zhang, Isola and Efros 2016: soft encoding, rebalancing, decoding.

Their implementation searches the nearest bins of every pixel and builds the dense target
(N, 313, H, W). Here one table, made once, holds the 5 bins and weights of every whole ab
value, and the loss gathers 5 log-probabilities a pixel.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

COUNT = 313
NEIGHBOURS = 5
SIGMA = 5.0
TEMPERATURE = 0.38  # Zhang et al. 2016, section 2.3
_PART = 2048  # pixels whose 313 numbers stay in the cache
STEP = 10  # the width of a bin
_REACH = 110  # the table covers [-110, 110] in a and b, step 1

# a: first and last b of its bins (the gamut of sRGB on a grid of step 10).
_ROWS = {
    -90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100),
    -40: (-40, 100), -30: (-50, 100), -20: (-50, 100), -10: (-60, 100), 0: (-70, 100),
    10: (-80, 90), 20: (-80, 90), 30: (-90, 90), 40: (-100, 90), 50: (-100, 80),
    60: (-110, 80), 70: (-110, 80), 80: (-110, 70), 90: (-110, 70), 100: (-90, 0),
}  # fmt: skip


@cache
@torch.inference_mode(False)  # kept for later: autograd must be able to use it
def centres() -> Tensor:
    """Centres of the bins, float32 `(313, 2)` of (a, b); a rising, then b rising."""
    points = [(a, b) for a, (low, high) in _ROWS.items() for b in range(low, high + 1, STEP)]
    return torch.tensor(points, dtype=torch.float32)


def encode_exactly(ab: Tensor) -> tuple[Tensor, Tensor]:
    """Bins `(n, 5)` and weights `(n, 5)` of ab `(n, 2)`, nearest first.

    Gaussian weights of sigma 5 over the 5 nearest bins, normalised (section 2.2). By search:
    what `encode` looks up.
    """
    distances = torch.cdist(ab.double(), centres().to(ab.device).double())
    nearest, index = distances.topk(NEIGHBOURS, largest=False, sorted=True)
    weights = torch.exp(-nearest.square() / (2 * SIGMA**2))
    return index, (weights / weights.sum(1, keepdim=True)).float()


@cache
@torch.inference_mode(False)
def _table(device: torch.device) -> tuple[Tensor, Tensor]:
    """Bins `(221 * 221, 5)` and weights of every whole ab value in [-110, 110]^2."""
    axis = torch.arange(-_REACH, _REACH + 1, dtype=torch.float64)
    index, weights = encode_exactly(torch.cartesian_prod(axis, axis))
    return index.to(device), weights.to(device)


def encode(ab: Tensor) -> tuple[Tensor, Tensor]:
    """Soft encoding by table: ab `(N, 2, H, W)` to bins and weights `(N, 5, H, W)`.

    ab is rounded to whole units. Over colours drawn evenly from sRGB that moves 3.5% of the
    weight to another bin (at most 11%), and the mean of the 5 bins by 0.43 (at most 1.8),
    against a bin's width of 10; one colour in ten, between two bins, gets the other one first.
    """
    size = 2 * _REACH + 1
    whole = ab.round().long().clamp_(-_REACH, _REACH) + _REACH
    cell = whole[:, 0] * size + whole[:, 1]
    index, weights = _table(ab.device)
    return index[cell].movedim(-1, 1), weights[cell].movedim(-1, 1)


def soft_cross_entropy(
    logits: Tensor,
    ab: Tensor,
    class_weights: Tensor | None = None,
    reduction: Literal["mean", "none"] = "mean",
) -> Tensor:
    """Zhang et al. 2016, equation 2: the mean over pixels of -v sum_k w_k log p[bin_k].

    logits `(N, 313, H, W)`, ab `(N, 2, H, W)`; `class_weights` `(313,)` gives v by the pixel's
    nearest bin, None means v = 1. `reduction="none"` gives each pixel's, `(N, H, W)`.
    """
    index, weights = (x.movedim(1, -1) for x in encode(ab))
    log_p = logits.movedim(1, -1).log_softmax(-1)  # the bins last: no copies in channels_last
    loss = -(weights.to(log_p) * log_p.gather(-1, index)).sum(-1)
    if class_weights is not None:
        loss = loss * class_weights.to(log_p)[index[..., 0]]
    return loss.mean() if reduction == "mean" else loss


def one_hot_cross_entropy(logits: Tensor, ab: Tensor) -> Tensor:
    """Cross entropy against the nearest bin alone, as the second paper trained (3.4)."""
    return F.cross_entropy(logits, encode(ab)[0][:, 0])


def count_bins(ab: Tensor) -> Tensor:
    """How many pixels of ab `(N, 2, H, W)` have each bin as their nearest, int64 `(313,)`."""
    return torch.bincount(encode(ab)[0][:, 0].flatten(), minlength=COUNT)


def smooth_counts(counts: Tensor) -> Tensor:
    """P~ `(313,)`, which sums to 1: counts smoothed in ab with a Gaussian of sigma 5.

    Zhang et al. 2016, section 2.2. Raises ValueError where nothing was counted.
    """
    if not counts.sum() > 0:
        raise ValueError("expected the counts of at least one pixel, found none")
    points = centres().double()
    kernel = torch.exp(-torch.cdist(points, points).square() / (2 * SIGMA**2))
    smoothed = (kernel / kernel.sum(0)) @ counts.to(kernel)
    return (smoothed / smoothed.sum()).float()


def rebalancing_weights(distribution: Tensor, lam: float = 0.5) -> Tensor:
    """Zhang et al. 2016, equation 4: w = 1 / ((1 - lam) P~ + lam / 313), with E[w] = 1.

    distribution `(313,)` is P~, lam in [0, 1]: 0 divides by the frequency, 1 is no rebalancing.
    Raises ValueError where lam = 0 meets a bin that never occurs.
    """
    if not 0 <= lam <= 1:
        raise ValueError(f"expected lambda in [0, 1], found {lam}")
    mixed = (1 - lam) * distribution.double() + lam / COUNT
    if (mixed <= 0).any():
        raise ValueError("lambda = 0 needs every bin in the training data; take lambda > 0")
    weights = 1 / mixed
    return (weights / (distribution.double() * weights).sum()).float()


def annealed_mean(logits: Tensor, temperature: float, points: Tensor | None = None) -> Tensor:
    """Zhang et al. 2016, equation 5: logits `(N, 313, H, W)` to ab `(N, 2, H, W)`.

    Softmax of log p / T, then the mean of the bin centres: T = 1 is the mean, T = 0 the mode.
    `points` `(313, 2)` replaces the centres. Raises ValueError where T is negative or NaN.
    """
    if not temperature >= 0:
        raise ValueError(f"expected a temperature of 0 or more, found {temperature}")
    points = (centres() if points is None else points).to(logits.device)
    if temperature == 0:
        return points[logits.argmax(1)].movedim(-1, 1)
    if logits.requires_grad and torch.is_grad_enabled():
        rows = logits.float().movedim(1, -1)  # the bins last: the fastest way back
        if temperature != 1:
            rows = (rows - rows.amax(-1, keepdim=True)) / temperature
        return (rows.softmax(-1) @ points).movedim(-1, 1)
    return _expectation(logits, temperature, points)


def vivid_mean(
    logits: Tensor, temperature: float, limit: float, points: Tensor | None = None
) -> Tensor:
    """The annealed mean, its chroma raised to that of the colours it is a mean of.

    Colours of unlike hues average to a greyer one than any of them: where the bins are sure,
    nothing changes; where they differ, ab `(N, 2, H, W)` is multiplied by E[chroma] / chroma of
    E[ab], at most by `limit`. Arguments and errors as of `annealed_mean`; no gradients.
    """
    if limit <= 1 or temperature == 0:
        return annealed_mean(logits, temperature, points)
    if not temperature > 0:
        raise ValueError(f"expected a temperature of 0 or more, found {temperature}")
    points = (centres() if points is None else points).to(logits.device)
    values = torch.cat((points, points.norm(dim=1, keepdim=True)), 1)
    ab, chroma = _expectation(logits, temperature, values).split((2, 1), 1)
    return ab * (chroma / ab.norm(dim=1, keepdim=True).clamp(min=1e-6)).clamp(1, limit)


def _expectation(logits: Tensor, temperature: float, values: Tensor) -> Tensor:
    """The mean `(N, k, H, W)` of the bins' `values` `(313, k)` by softmax of log p / T, T > 0."""
    sums = torch.cat((values, torch.ones_like(values[:, :1])), 1).T
    parts = []
    for x in _in_parts(logits):  # below 0, so that nothing overflows, however low T is
        weighed = sums @ (x / temperature).exp_()
        parts.append(weighed[:, :-1] / weighed[:, -1:])
    return torch.cat(parts, 2).unflatten(2, logits.shape[2:])


def entropy(logits: Tensor) -> Tensor:
    """Uncertainty in [0, 1], `(N, H, W)`: entropy of p over log 313; 1 is every bin alike."""
    parts = []
    for x in _in_parts(logits):
        p = x.exp()
        total = p.sum(1)
        parts.append(total.log() - (p * x).sum(1) / total)
    entropies = torch.cat(parts, 1).unflatten(1, logits.shape[2:])
    return (entropies / math.log(COUNT)).clamp(0, 1)


def _in_parts(logits: Tensor) -> Iterator[Tensor]:
    """Logits less their highest, float32 `(N, 313, n)`, of a few pixels at a time.

    A part stays in the cache, which makes what is done with it five times faster.
    """
    flat = logits.flatten(2)
    for part in flat.split(max(1, _PART // len(flat)), 2):
        part = part.float()
        yield part - part.amax(1, keepdim=True)
