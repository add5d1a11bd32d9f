"""Old photos from new ones: what years and scanners do to L. ab is never touched."""

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

_GAMMA = 0.4  # log of the exponent, either way
_BLACK, _WHITE = 20.0, 75.0  # how far a fade lifts black and lowers white, at the most
_NOISE = 5.0  # deviation in units of L, at the most
_VIGNETTE = 0.35  # share of the light that is lost in the corners, at the most
_QUANTUM = 6.0  # step of JPEG's coarser coefficients in units of L, at the most
_SCRATCH = 0.01  # share of the columns that are scratched, at the most
_EACH = 0.5  # how often each of these is there


def degrade(L: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """L `(N, 1, H, W)` in [0, 100], a `share` of the photos aged; the others as they were.

    Fading, gamma, vignette, blur, grain, scratches and JPEG, each on half of the aged photos at
    a strength of its own. The same for the same state of `generator`, which is of L's device.
    """

    def strength(highest: float) -> Tensor:
        """One number in [0, highest] a photo, 0 for half of them: `(N, 1, 1, 1)`."""
        drawn = torch.rand(2, len(L), 1, 1, 1, device=L.device, generator=generator)
        return highest * drawn[0] * (drawn[1] < _EACH)

    def normal(*shape: int) -> Tensor:
        return torch.randn(len(L), 1, *shape, device=L.device, generator=generator)

    height, width = L.shape[-2:]
    aged = torch.rand(len(L), 1, 1, 1, device=L.device, generator=generator) < share
    old = (L / 100).clamp(1e-4, 1) ** torch.exp(strength(_GAMMA) * normal(1, 1).sign())
    old = old * (1 - strength(_VIGNETTE) * _distance(height, width, L.device))
    old = torch.lerp(old, _blurred(old), strength(1.0))
    black, white = strength(_BLACK), 100 - strength(100 - _WHITE)
    old = black + old * (white - black)
    old = old + strength(_NOISE) * normal(height, width)
    scratched = normal(1, width) > math.sqrt(2) * torch.erfinv(1 - 2 * strength(_SCRATCH))
    old = torch.where(scratched, old + 25, old)
    step = strength(_QUANTUM)
    old = torch.where(step > 0, _quantised(old, step.clamp(min=0.1)), old)
    return torch.where(aged, old.clamp(0, 100), L)


def _distance(height: int, width: int, device: torch.device) -> Tensor:
    """Squared distance to the centre `(H, W)`, 1 in the corners."""
    rows, columns = (torch.linspace(-1, 1, side, device=device) for side in (height, width))
    return (rows[:, None].square() + columns.square()) / 2


def _blurred(x: Tensor) -> Tensor:
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=x.device) / 16
    x = F.pad(x, (2, 2, 2, 2), mode="replicate")
    return F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, 5)), kernel.view(1, 1, 5, 1))


def _quantised(L: Tensor, step: Tensor) -> Tensor:
    """L with the DCT of its 8x8 blocks rounded to `step`, finer for the low frequencies."""
    height, width = L.shape[-2:]
    padded = F.pad(L, (0, -width % 8, 0, -height % 8), mode="replicate")
    rows, columns = padded.shape[-2] // 8, padded.shape[-1] // 8
    blocks = padded.view(-1, rows, 8, columns, 8).transpose(2, 3)
    dct, coarseness = _dct(L.device)
    step = step[..., None] * coarseness
    coefficients = (dct @ blocks @ dct.T / step).round() * step
    blocks = dct.T @ coefficients @ dct
    return blocks.transpose(2, 3).reshape(padded.shape)[..., :height, :width]


@cache
def _dct(device: torch.device) -> tuple[Tensor, Tensor]:
    """The orthonormal DCT-II of 8 samples, and how coarsely each coefficient is kept."""
    k, n = torch.arange(8.0)[:, None], torch.arange(8.0)
    matrix = torch.cos(math.pi * (n + 0.5) * k / 8) / 2
    matrix[0] /= math.sqrt(2)
    return matrix.to(device), (1 + k + n).to(device)
