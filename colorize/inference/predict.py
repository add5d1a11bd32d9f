"""Runs a network as its record says: L in, ab at the network's resolution out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.color import bins
from colorize.models.record import Decoding, Record


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
    decoding: Decoding | None = None,
) -> Tensor:
    """ab `(N, 2, h, w)` in CIELAB units from a raw output, by the record's decoding or another.

    Networks that give ab directly look at the gain alone.
    """
    temperature, gain, limit = record.how if decoding is None else decoding
    if not record.over_bins:
        return output * (record.ab_scale * gain)
    ab = bins.vivid_mean(output, temperature, limit, getattr(network, "bin_colours", None))
    return ab if gain == 1 else ab * gain


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """`(N, C, h, w)` to `size` (height, width): area-like when smaller, bicubic when larger."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    smaller = size[0] <= x.shape[-2] and size[1] <= x.shape[-1]
    mode = "bilinear" if smaller else "bicubic"
    return F.interpolate(x, size, mode=mode, align_corners=False, antialias=smaller)
