"""Enlarging ab along the edges of L: a fast guided filter that keeps what the network said.

He and Sun 2015, "Fast Guided Filter": the coefficients of He, Sun and Tang 2013 (equations 5, 6)
are computed at low resolution and enlarged. Here the filter adds only what is finer than the
network's ab; that stays as it is.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

RADIUS = 1  # of the windows, in pixels of the network's output; chosen on `val`, as epsilon
EPSILON = 30.0  # squared units of L: edges in L weaker than its root guide little


def coefficients(ab: Tensor, L: Tensor, radius: int = RADIUS, epsilon: float = EPSILON) -> Tensor:
    """`(4, h, w)` from ab `(2, h, w)` and L `(1, h, w)` at the same resolution.

    The first two are the slopes of a and b over L in the windows around each pixel, the others
    what is left of ab: enlarged, slope * L + rest is ab.
    """

    def mean(x: Tensor) -> Tensor:
        """Over windows, which end at the border of the picture."""
        side = 2 * radius + 1
        return F.avg_pool2d(x[None], side, 1, radius, count_include_pad=False)[0]

    L_mean, ab_mean = mean(L), mean(ab)
    variance = mean(L * L) - L_mean.square()
    slope = mean((mean(L * ab) - L_mean * ab_mean) / (variance.clamp(min=0) + epsilon))
    return torch.cat((slope, ab - slope * L))
