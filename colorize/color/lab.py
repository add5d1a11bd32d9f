"""sRGB <-> CIELAB (D65, 2 degree observer) and chroma into gamut, on float32 tensors.

Channels first and batched: `(..., 3, H, W)`. L is in [0, 100], a and b about [-110, 110],
sRGB in [0, 1]. Constants are those of scikit-image's `rgb2lab`, so that results agree.
A curve with a straight foot is written as the curve of what lies above the knee plus the line of
what lies below: no branch, which would cost more than the powers, and every gradient is finite.
"""

from functools import cache

import torch
from torch import Tensor

# IEC 61966-2-1, D65: the rows are X, Y, Z of linear R, G, B.
XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
_SRGB_KNEE, _LINEAR_KNEE = 0.04045, 0.0031308  # below them the curve is a straight line
EPSILON = 0.008856  # CIE 15: below it f is a straight line
SLOPE = 7.787
KNEE = 0.2068966  # f at EPSILON
GAMUT_TOLERANCE = 1e-4  # in linear light; under a twentieth of an 8-bit step
BISECTIONS = 6


def _apply(matrix: Tensor, x: Tensor) -> Tensor:
    """A 3 x 3 matrix on the channel axis of `(..., 3, H, W)`."""
    return (matrix.to(x) @ x.flatten(-2)).view(x.shape)


def _matrix() -> Tensor:
    return torch.tensor(XYZ_FROM_RGB, dtype=torch.float64)


def linear_from_srgb(rgb: Tensor) -> Tensor:
    """sRGB in [0, 1] to linear light in [0, 1], any shape (IEC 61966-2-1)."""
    curve = ((rgb.clamp(min=_SRGB_KNEE) + 0.055) / 1.055) ** 2.4
    return curve + (rgb - _SRGB_KNEE).clamp(max=0) / 12.92


def srgb_from_linear(linear: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB in [0, 1], any shape (IEC 61966-2-1)."""
    curve = 1.055 * linear.clamp(min=_LINEAR_KNEE) ** (1 / 2.4) - 0.055
    return curve + (linear - _LINEAR_KNEE).clamp(max=0) * 12.92


def f_from_ratio(t: Tensor) -> Tensor:
    """f of X/Xn, Y/Yn or Z/Zn (CIE 15), any shape."""
    return t.clamp(min=EPSILON) ** (1 / 3) + (t - EPSILON).clamp(max=0) * SLOPE


def ratio_from_f(f: Tensor) -> Tensor:
    """X/Xn, Y/Yn or Z/Zn of its f, any shape."""
    above = f.clamp(min=KNEE)
    return above * above * above + (f - KNEE).clamp(max=0) / SLOPE


def lab_from_rgb(rgb: Tensor) -> Tensor:
    """sRGB `(..., 3, H, W)` in [0, 1] to L in [0, 100], a, b, same shape."""
    _check(rgb, 3)
    xyz_over_white = _matrix() / torch.tensor(_WHITE, dtype=torch.float64)[:, None]
    x, y, z = f_from_ratio(_apply(xyz_over_white, linear_from_srgb(rgb))).unbind(-3)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=-3)


def _f_from_lab(L: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """f(Y/Yn) `(..., 1, H, W)`, and f of X/Xn, Y/Yn, Z/Zn less that, `(..., 3, H, W)`."""
    zero = torch.zeros_like(L)
    return (L + 16) / 116, torch.cat((ab[..., :1, :, :] / 500, zero, ab[..., 1:, :, :] / -200), -3)


def linear_from_f(f: Tensor) -> Tensor:
    """Linear RGB `(..., 3, H, W)`, outside [0, 1] where the colour is outside sRGB."""
    return _apply(rgb_from_ratios(), ratio_from_f(f))


@cache
@torch.inference_mode(False)  # kept for later: autograd must be able to use it
def rgb_from_ratios() -> Tensor:
    """From X/Xn, Y/Yn, Z/Zn to linear RGB."""
    matrix = torch.linalg.inv(_matrix()) * torch.tensor(_WHITE, dtype=torch.float64)
    # The white of the matrix is not quite D65's, by 5e-5: rows that sum to 1 keep grey grey.
    return matrix / matrix.sum(1, keepdim=True)


def rgb_from_lab(lab: Tensor) -> Tensor:
    """L, a, b `(..., 3, H, W)` to sRGB in [0, 1], same shape.

    Outside sRGB, chroma is scaled towards neutral until the colour lies inside; lightness and
    hue are kept (see `into_gamut`).
    """
    return srgb_from_linear(linear_from_lab(lab)).clamp(0, 1)


def linear_from_lab(lab: Tensor) -> Tensor:
    """As `rgb_from_lab`, but linear light in [0, 1]."""
    _check(lab, 3)
    grey, colour = _f_from_lab(lab[..., :1, :, :], lab[..., 1:, :, :])
    linear = linear_from_f(grey + colour)
    outside = _places(_excess(linear) > 0)
    if len(outside):
        grey, colour = _pixels(grey, outside), _pixels(colour, outside)
        fixed = linear_from_f(grey + colour * scale_into_gamut(grey, colour))
        linear = _with_pixels(linear, outside, fixed)
    return linear.clamp(0, 1)


def into_gamut(L: Tensor, ab: Tensor) -> Tensor:
    """The ab nearest to `ab` in chroma, of the same hue, for which (L, a, b) lies in sRGB.

    L `(..., 1, H, W)` in [0, 100], ab `(..., 2, H, W)`; returns ab of the same shape. Colours
    inside sRGB are returned as they are; channels are never clipped one by one.
    """
    _check(L, 1)
    _check(ab, 2)
    grey, colour = _f_from_lab(L, ab)
    outside = _places(_excess(linear_from_f(grey + colour)) > 0)
    if not len(outside):
        return ab
    scale = scale_into_gamut(_pixels(grey, outside), _pixels(colour, outside))
    return _with_pixels(ab, outside, _pixels(ab, outside) * scale)


def _places(mask: Tensor) -> Tensor:
    """Where a mask is true, as indices into its elements."""
    return mask.view(-1).nonzero()[:, 0]


def _pixels(x: Tensor, places: Tensor) -> Tensor:
    """Some pixels of `(..., C, H, W)` as a picture one pixel high, `(C, 1, n)`."""
    planes = x.movedim(-3, 0)
    return planes.reshape(len(planes), -1).index_select(1, places)[:, None]


def _with_pixels(x: Tensor, places: Tensor, pixels: Tensor) -> Tensor:
    """`x` `(..., C, H, W)` with some pixels replaced by `(C, 1, n)`."""
    planes = x.movedim(-3, 0)
    replaced = planes.reshape(len(planes), -1).index_copy(1, places, pixels[:, 0])
    return replaced.view(planes.shape).movedim(0, -3)


def _excess(linear: Tensor) -> Tensor:
    """By how much linear RGB `(..., 3, H, W)` lies outside [0, 1], `(..., H, W)`."""
    return torch.maximum(linear.amax(-3) - 1, -linear.amin(-3)) - GAMUT_TOLERANCE


@torch.no_grad()
def scale_into_gamut(grey: Tensor, colour: Tensor) -> Tensor:
    """In [0, 1], `(1, 1, n)`: what takes pixels outside the gamut to its surface.

    As `_f_from_lab` gives them. Bisection, then the line between the two ends: on random L and ab,
    within 0.002 of the chroma sought in the mean, 0.1 for 999 of 1,000, 0.8 at worst near black.
    """
    low, width = torch.zeros_like(grey), 1.0
    for _ in range(BISECTIONS):
        width /= 2
        low += width * (_excess_at(grey, colour, low + width) <= 0)
    inside = -_excess_at(grey, colour, low).clamp(max=0)
    outside = _excess_at(grey, colour, low + width).clamp(min=1e-9)
    return low + width * inside / (inside + outside)


def _excess_at(grey: Tensor, colour: Tensor, scale: Tensor) -> Tensor:
    return _excess(linear_from_f(torch.addcmul(grey, colour, scale)))


def grey_lightness_table() -> Tensor:
    """L of the 256 grey values of 8-bit sRGB, float32 `(256,)`: the fast way for grey files."""
    grey = (torch.arange(256, dtype=torch.float64) / 255).expand(3, 1, 256)
    return lab_from_rgb(grey)[0, 0].float()


def to_uint8(rgb: Tensor) -> Tensor:
    """[0, 1] to uint8, rounded."""
    return rgb.mul(255).round_().clamp_(0, 255).to(torch.uint8)


def _check(x: Tensor, channels: int) -> None:
    if x.ndim < 3 or x.shape[-3] != channels or not x.is_floating_point():
        raise ValueError(
            f"expected a float tensor (..., {channels}, H, W), found {x.dtype} {tuple(x.shape)}"
        )
