"""Runs a network as its record says: L in, ab at the network's resolution out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize import bins
from colorize.record import Record


def run_network(
    network: nn.Module, record: Record, L: Tensor, hints: Tensor | None = None
) -> Tensor:
    """The raw output for L `(N, 1, H, W)` in [0, 100]: ab over the record's scale, or logits.

    `hints` `(N, 3, H, W)` are `hinting.hint_planes`, for networks that take them.
    """
    centre, scale = record.lightness
    with torch.inference_mode():
        L = (L - centre) / scale
        return (network(L) if hints is None else network(L, hints)).float()


def decode(
    network: nn.Module,
    record: Record,
    output: Tensor,
    temperature: float | None = None,
    gain: float | None = None,
) -> Tensor:
    """ab `(N, 2, h, w)` in CIELAB units from a raw output.

    `temperature` is the annealed mean's and `gain` multiplies ab (None: the record's own).
    Networks that give ab directly have no temperature and do not look at it.
    """
    gain = record.gain if gain is None else gain
    if not record.over_bins:
        return output * (record.ab_scale * gain)
    temperature = record.temperature if temperature is None else temperature
    ab = bins.annealed_mean(output, temperature, getattr(network, "bin_colours", None))
    return ab if gain == 1 else ab * gain


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """`(N, C, h, w)` to `size` (height, width): area-like when smaller, bicubic when larger."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    smaller = size[0] <= x.shape[-2] and size[1] <= x.shape[-1]
    mode = "bilinear" if smaller else "bicubic"
    return F.interpolate(x, size, mode=mode, align_corners=False, antialias=smaller)
