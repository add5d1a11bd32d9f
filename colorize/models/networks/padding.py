"""Padding by reflection to a multiple, for networks that halve their input."""

import torch
from torch import Tensor


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """`(N, C, H, W)` padded right and below by reflection, however small H and W are."""
    for dim in (-2, -1):
        size = x.shape[dim]
        padded = -(-size // multiple) * multiple
        if padded > size:
            x = x.index_select(dim, _reflection(size, padded).to(x.device))
    return x


def _reflection(size: int, padded: int) -> Tensor:
    """Indices 0, 1, .. size-1, size-2, .. 0, 1, .. of length `padded`."""
    if size == 1:
        return torch.zeros(padded, dtype=torch.long)
    position = torch.arange(padded) % (2 * size - 2)
    return torch.minimum(position, 2 * size - 2 - position)
