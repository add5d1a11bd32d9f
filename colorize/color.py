"""sRGB <-> CIELAB (D65, 2 degree observer) and chroma into gamut, on float32 tensors.

Channels first and batched: `(..., 3, H, W)`. L is in [0, 100], a and b about [-110, 110],
sRGB in [0, 1]. Constants are those of scikit-image's `rgb2lab`, so that results agree.
Powers are taken of clamped values: their gradient is finite on the branch not chosen, too.
"""

import torch
from torch import Tensor

# IEC 61966-2-1, D65: the rows are X, Y, Z of linear R, G, B.
_XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
_SRGB_KNEE, _LINEAR_KNEE = 0.04045, 0.0031308  # below them the curve is a straight line
_EPSILON = 0.008856  # CIE 15: below it f is a straight line
_SLOPE = 7.787
_OFFSET = 16.0 / 116.0
_KNEE = 0.2068966  # f at _EPSILON
_GAMUT_TOLERANCE = 1e-4  # in linear light; under a twentieth of an 8-bit step
_BISECTIONS = 14


def _apply(matrix: Tensor, x: Tensor) -> Tensor:
    """A 3 x 3 matrix on the channel axis of `(..., 3, H, W)`."""
    return torch.einsum("ij,...jhw->...ihw", matrix.to(x), x)


def _matrix() -> Tensor:
    return torch.tensor(_XYZ_FROM_RGB, dtype=torch.float64)


def linear_from_srgb(rgb: Tensor) -> Tensor:
    """sRGB in [0, 1] to linear light in [0, 1], any shape (IEC 61966-2-1)."""
    curve = ((rgb.clamp(min=_SRGB_KNEE) + 0.055) / 1.055) ** 2.4
    return torch.where(rgb > _SRGB_KNEE, curve, rgb / 12.92)


def srgb_from_linear(linear: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB in [0, 1], any shape (IEC 61966-2-1)."""
    curve = 1.055 * linear.clamp(min=_LINEAR_KNEE) ** (1 / 2.4) - 0.055
    return torch.where(linear > _LINEAR_KNEE, curve, linear * 12.92)


def _f(t: Tensor) -> Tensor:
    return torch.where(t > _EPSILON, t.clamp(min=_EPSILON) ** (1 / 3), _SLOPE * t + _OFFSET)


def _f_inverse(f: Tensor) -> Tensor:
    return torch.where(f > _KNEE, f * f * f, (f - _OFFSET) / _SLOPE)


def lab_from_rgb(rgb: Tensor) -> Tensor:
    """sRGB `(..., 3, H, W)` in [0, 1] to L in [0, 100], a, b, same shape."""
    _check(rgb, 3)
    xyz_over_white = _matrix() / torch.tensor(_WHITE, dtype=torch.float64)[:, None]
    x, y, z = _f(_apply(xyz_over_white, linear_from_srgb(rgb))).unbind(-3)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=-3)


def _linear_from_lab(L: Tensor, ab: Tensor) -> Tensor:
    """Linear RGB `(..., 3, H, W)`, outside [0, 1] where Lab is outside sRGB."""
    fy = (L + 16) / 116
    f = torch.cat((fy + ab[..., :1, :, :] / 500, fy, fy - ab[..., 1:, :, :] / 200), dim=-3)
    rgb_from_xyz = torch.linalg.inv(_matrix()) * torch.tensor(_WHITE, dtype=torch.float64)
    return _apply(rgb_from_xyz, _f_inverse(f))


def rgb_from_lab(lab: Tensor) -> Tensor:
    """L, a, b `(..., 3, H, W)` to sRGB in [0, 1], same shape.

    Outside sRGB, chroma is scaled towards neutral until the colour lies inside; lightness and
    hue are kept (see `into_gamut`).
    """
    _check(lab, 3)
    L, ab = lab[..., :1, :, :], lab[..., 1:, :, :]
    linear = _linear_from_lab(L, ab)
    outside = _outside(linear)
    if outside.any():
        inside = _scale_chroma(_pixels(L, outside), _pixels(ab, outside))
        fixed = _linear_from_lab(_pixels(L, outside), inside)[..., 0, :]
        linear = linear.movedim(-3, -1).index_put((outside,), fixed.T).movedim(-1, -3)
    return srgb_from_linear(linear.clamp(0, 1)).clamp(0, 1)


def into_gamut(L: Tensor, ab: Tensor) -> Tensor:
    """The ab nearest to `ab` in chroma, of the same hue, for which (L, a, b) lies in sRGB.

    L `(..., 1, H, W)` in [0, 100], ab `(..., 2, H, W)`; returns ab of the same shape. Colours
    inside sRGB are returned as they are; channels are never clipped one by one.
    """
    _check(L, 1)
    _check(ab, 2)
    outside = _outside(_linear_from_lab(L, ab))
    if not outside.any():
        return ab
    inside = _scale_chroma(_pixels(L, outside), _pixels(ab, outside))[..., 0, :]
    return ab.movedim(-3, -1).index_put((outside,), inside.T).movedim(-1, -3)


def _pixels(x: Tensor, mask: Tensor) -> Tensor:
    """The masked pixels of `(..., C, H, W)` as a picture one pixel high, `(C, 1, n)`."""
    return x.movedim(-3, -1)[mask].T[:, None]


def _outside(linear: Tensor) -> Tensor:
    low, high = linear.aminmax(dim=-3)
    return (low < -_GAMUT_TOLERANCE) | (high > 1 + _GAMUT_TOLERANCE)


def _scale_chroma(L: Tensor, ab: Tensor) -> Tensor:
    """Bisection on the chroma of pixels outside the gamut: `(1, 1, n)`, `(2, 1, n)`."""
    low, high = torch.zeros_like(L), torch.ones_like(L)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        out = _outside(_linear_from_lab(L, ab * middle))[..., None, :, :]
        low, high = torch.where(out, low, middle), torch.where(out, middle, high)
    return ab * low


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
