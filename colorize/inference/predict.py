"""Runs a network as its record says: L in, ab at the network's resolution out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.color import bins
from colorize.models.record import Decoding, Record

SMALLEST_SIDE = 8  # pixels that every network takes
_SMALLER = 0.8  # the second size of a careful run
_LEAST = 1e-12  # a probability


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


def run_carefully(
    network: nn.Module, record: Record, L: Tensor, hints: Tensor | None = None
) -> Tensor:
    """As `run_network`, the mean over the photo and its mirror image, both a second time smaller.

    Of bins it is their probabilities that are averaged. With hints, which are not made smaller,
    it is over two and not four.
    """
    shape = tuple(L.shape[-2:])
    small = tuple(max(SMALLEST_SIDE, round(_SMALLER * side)) for side in shape)
    seen = [L] if hints is not None or small == shape else [L, resize(L, small)]
    outputs = (_output(network, record, one, hints, turn) for one in seen for turn in (False, True))
    total = next(outputs)
    for output in outputs:
        total = total + resize(output, tuple(total.shape[-2:]))
    mean = total / (2 * len(seen))
    # Bicubic steps can overshoot below zero.
    return mean.clamp_(min=_LEAST).log_() if record.over_bins else mean


def _output(
    network: nn.Module, record: Record, L: Tensor, hints: Tensor | None, turn: bool
) -> Tensor:
    """ab over the record's scale or probabilities, for L or for its mirror image, turned back."""
    given = [x.flip(-1) if turn else x for x in (L, hints) if x is not None]
    output = run_network(network, record, *given)
    output = output.softmax(1) if record.over_bins else output
    return output.flip(-1) if turn else output


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
