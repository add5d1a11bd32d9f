"""What networks of others take: a grey picture in sRGB, three times, and its way back to ab."""

import torch
from torch import Tensor

from colorize.color.lab import lab_from_rgb, ratio_from_f, srgb_from_linear

AB_SCALE = 110.0
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def grey_from_lightness(L: Tensor) -> Tensor:
    """sRGB in [0, 1] of the greys of L, as (L - 50) / 50; any shape, kept."""
    return srgb_from_linear(ratio_from_f((50 * L + 66) / 116)).clamp(0, 1)


def ab_from_rgb(rgb: Tensor) -> Tensor:
    """ab / 110 `(N, 2, H, W)` of sRGB `(N, 3, H, W)`, which is cut off at 0 and 1."""
    return lab_from_rgb(rgb.clamp(0, 1))[:, 1:] / AB_SCALE


def colours(values: tuple[float, float, float]) -> Tensor:
    """`(1, 3, 1, 1)`: a value a channel."""
    return torch.tensor(values).view(1, 3, 1, 1)
