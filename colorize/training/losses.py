"""Training losses by name. The network's raw output against true ab, a scalar out."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from colorize.color import bins
from colorize.color.lab import lab_from_rgb
from colorize.data.cache import PhotoCache
from colorize.errors import ColorizeError
from colorize.training.settings import Settings

Loss = Callable[[Tensor, Tensor], Tensor]


def make_loss(settings: Settings, ab_scale: float, photos: PhotoCache) -> Loss:
    """The loss of a run: output (ab / `ab_scale` or logits), ab `(N, 2, H, W)` -> scalar."""
    if settings.loss == "mse":
        return lambda output, ab: (output - ab / ab_scale).square().mean()
    if settings.loss == "half-sum":  # second paper, 3.3: summed over the pixels of a photo
        return lambda output, ab: (output - ab / ab_scale).square().sum((1, 2, 3)).mean() / 2
    if settings.loss == "one-hot":
        return bins.one_hot_cross_entropy
    weights = _class_weights(settings, photos)
    weight = settings.mse_weight if settings.loss == "soft+mse" else 0.0
    loss = partial(_over_bins, class_weights=weights, mse_weight=weight)
    return partial(_by_chroma, loss=loss, more=settings.chroma_weight)


def _class_weights(settings: Settings, photos: PhotoCache) -> Tensor | None:
    if settings.rebalance == 1:
        return None
    try:
        return bins.rebalancing_weights(bin_distribution(photos), settings.rebalance)
    except ValueError as error:
        raise ColorizeError(f"--set rebalance={settings.rebalance:g}: {error}") from error


def _over_bins(
    logits: Tensor, ab: Tensor, class_weights: Tensor | None, mse_weight: float
) -> Tensor:
    """Soft cross entropy, and half the squared distance of the mean (T = 1) in bin widths.

    `(N, H, W)`, a number a pixel.
    """
    loss = bins.soft_cross_entropy(logits, ab, class_weights, reduction="none")
    if mse_weight:
        distance = (bins.annealed_mean(logits, 1) - ab) / bins.STEP
        loss = loss + mse_weight * distance.square().sum(1) / 2
    return loss


def _by_chroma(logits: Tensor, ab: Tensor, loss: Loss, more: float) -> Tensor:
    """The mean of a loss over pixels, each weighted by 1 + `more` a 50 of its true chroma."""
    values = loss(logits, ab)
    if not more:
        return values.mean()
    weights = 1 + more / 50 * ab.norm(dim=1)
    return (weights * values).sum() / weights.sum()


def bin_distribution(photos: Iterable[np.ndarray]) -> Tensor:
    """P~ `(313,)` of the training photos, every fourth row and column of each."""
    counts = torch.zeros(bins.COUNT, dtype=torch.long)
    for pixels in photos:
        rgb = torch.from_numpy(pixels[::4, ::4].copy()).permute(2, 0, 1)[None].float() / 255
        counts += bins.count_bins(lab_from_rgb(rgb)[:, 1:])
    return bins.smooth_counts(counts)
