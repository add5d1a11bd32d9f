"""Colour spaces in numbers: matrix profiles read for 16 bits, and profiles made of what PNG and BMP
files say instead of one.

LittleCMS, as Pillow offers it, takes 16 bits of grey alone; curves and a matrix take any.
"""

import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

LEVELS = 65_536
LUMINANCE = np.float32([0.212671, 0.715160, 0.072169])  # of linear sRGB, as in color/lab.py
# Bradford-adapted sRGB primaries in the connection space, D50 (as in the ICC's own sRGB profile).
_SRGB_D50 = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.7141]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
SRGB_PRIMARIES = ((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))  # white, R, G, B
_ADOBE_RGB = ((0.3127, 0.3290), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 563 / 256  # and gamma
_TABLE = 4096  # entries of a made curve
_ROUNDING = 5e-4  # by which a profile's own sRGB may be off, an eighth of an 8-bit step
_REFERENCE_WHITE = 203 / 10_000  # of HDR pictures, in PQ's range (ITU-R BT.2408)
_D65 = (0.3127, 0.3290)
# ITU-T H.273, tables 2 and 3
_PRIMARIES = {
    1: SRGB_PRIMARIES,
    4: ((0.310, 0.316), (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: ((0.310, 0.316), (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


class Space(NamedTuple):
    """Linear light of every 16-bit level of red, green and blue (float32 (3, 65536)), and the
    matrix from there to linear sRGB."""

    curves: np.ndarray
    matrix: np.ndarray

    def linear(self, pixels: np.ndarray) -> np.ndarray:
        """Linear sRGB float32 (..., 3) of uint16 pixels, not clipped."""
        light = np.stack([self.curves[c][pixels[..., c]] for c in range(3)], axis=-1)
        return light @ self.matrix.T.astype(np.float32)


@cache
def srgb_space() -> Space:
    curve = decode_srgb(np.linspace(0, 1, LEVELS)).astype(np.float32)
    return Space(np.stack([curve] * 3), np.eye(3))


def decode_srgb(values: np.ndarray) -> np.ndarray:
    """Linear light in [0, 1] of sRGB values in [0, 1] (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encode_srgb(light: np.ndarray) -> np.ndarray:
    """sRGB values in [0, 1] of linear light, clipped to [0, 1]."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def grey_levels(luminance: np.ndarray) -> np.ndarray:
    """uint16 sRGB levels of the greys of a luminance in [0, 1]."""
    return np.rint(encode_srgb(luminance) * np.float32(LEVELS - 1)).astype(np.uint16)


def lightness_of(luminance: np.ndarray) -> np.ndarray:
    """uint16 L* of CIELAB (0 to 65535 for 0 to 100) of luminance in [0, 1]."""
    light = np.clip(luminance, 0, 1).astype(np.float32)
    scale = np.where(light > 216 / 24_389, 1.16 * np.cbrt(light) - 0.16, light * (24_389 / 2700))
    return np.rint(scale * 65_535).astype(np.uint16)


def space_of(profile: bytes) -> Space | None:
    """The space of an ICC profile of curves, with a matrix for RGB; None for one of tables, of
    another kind, or damaged. Its black becomes black, as by black point compensation."""
    try:
        space = _space_of(profile)
        return srgb_space() if _is_srgb(space) else space
    except (struct.error, ValueError, IndexError, KeyError, np.linalg.LinAlgError):
        return None


def _is_srgb(space: Space | None) -> bool:
    """Whether it is sRGB but for the rounding of its numbers."""
    if space is None or np.abs(space.matrix - np.eye(3)).max() > 1e-3:
        return False
    return bool(np.abs(encode_srgb(space.curves) - np.linspace(0, 1, LEVELS)).max() < _ROUNDING)


def _space_of(profile: bytes) -> Space | None:
    (count,) = struct.unpack(">I", profile[128:132])
    tags = {}
    for at in range(132, 132 + 12 * min(count, 200), 12):
        name, place, size = struct.unpack(">4sII", profile[at : at + 12])
        tags[name] = profile[place : place + size]
    if profile[16:20] == b"GRAY":
        curve = _without_black(_curve(tags[b"kTRC"]))
        return Space(np.stack([curve] * 3), np.eye(3))
    if profile[16:20] != b"RGB " or profile[20:24] != b"XYZ " or any(t[:3] == b"A2B" for t in tags):
        return None
    curves = np.stack([_without_black(_curve(tags[name + b"TRC"])) for name in (b"r", b"g", b"b")])
    columns = [_fixed(tags[name + b"XYZ"][8:20]) for name in (b"r", b"g", b"b")]
    return Space(curves, np.linalg.inv(_SRGB_D50) @ np.array(columns).T)


def _fixed(data: bytes) -> list[float]:
    return [value / 65_536 for (value,) in struct.iter_unpack(">i", data)]


def _without_black(curve: np.ndarray) -> np.ndarray:
    black, white = float(curve[0]), float(curve[-1])
    if not np.isfinite(curve).all() or white <= black:
        raise ValueError("a curve that does not rise")
    return ((curve - black) * (white / (white - black))).astype(np.float32)


def _curve(tag: bytes) -> np.ndarray:
    """All levels through a curve of type curv or para (ICC.1:2022, 10.6 and 10.18)."""
    x = np.linspace(0, 1, LEVELS)
    if tag[:4] == b"curv":
        (count,) = struct.unpack(">I", tag[8:12])
        if count == 0:
            return x
        values = np.frombuffer(tag[12 : 12 + 2 * count], ">u2").astype(float)
        if len(values) != count:
            raise ValueError("truncated curve")
        if count == 1:
            return x ** (values[0] / 256)
        return np.interp(x, np.linspace(0, 1, count), values / 65_535)
    if tag[:4] != b"para":
        raise ValueError("no curve")
    (kind,) = struct.unpack(">H", tag[8:10])
    g, a, b, c, d, e, f = (_fixed(tag[12 : 12 + 4 * (1, 3, 4, 5, 7)[kind]]) + [0.0] * 7)[:7]
    if kind == 0:
        return x**g
    if kind in (1, 2):
        bend, rest = -b / a, c if kind == 2 else 0.0
        return np.where(x >= bend, np.maximum(a * x + b, 0) ** g + rest, rest)
    return np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)


def make_profile(
    curve: float | Callable[[np.ndarray], np.ndarray] = decode_srgb,
    primaries: Sequence[tuple[float, float]] = SRGB_PRIMARIES,
) -> bytes:
    """An RGB profile of a curve (its gamma, or linear light of values in [0, 1]) and of the
    chromaticities (x, y) of white, red, green and blue. Raises ValueError for impossible ones."""
    if callable(curve):
        values = np.rint(np.clip(curve(np.linspace(0, 1, _TABLE)), 0, 1) * 65_535)
        trc = b"curv" + struct.pack(">II", 0, _TABLE) + values.astype(">u2").tobytes()
    else:
        if not 0.01 <= curve <= 100:
            raise ValueError("an impossible gamma")
        trc = b"para" + struct.pack(">IHHi", 0, 0, 0, round(curve * 65_536))
    tags = {b"desc": b"mluc" + struct.pack(">III", 0, 0, 12), b"cprt": b"text\0\0\0\0-\0"}
    tags[b"wtpt"] = _xyz(_D50)
    for name, column in zip((b"r", b"g", b"b"), _colorants(primaries).T, strict=True):
        tags[name + b"XYZ"], tags[name + b"TRC"] = _xyz(column), trc
    place, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI", place + len(body), bytes(4), 0x04200000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return head.ljust(128, b"\0") + table + body


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(one * 65_536)) for one in values)


def _colorants(primaries: Sequence[tuple[float, float]]) -> np.ndarray:
    """XYZ of red, green and blue (columns), their white adapted to D50."""
    if any(y <= 0 for _, y in primaries):
        raise ValueError("impossible primaries")
    white, *colors = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in primaries)
    matrix = np.stack(colors, axis=1)
    try:
        matrix = matrix * np.linalg.solve(matrix, white)
    except np.linalg.LinAlgError as error:
        raise ValueError("impossible primaries") from error
    cones = _BRADFORD @ white
    adapted = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / cones) @ _BRADFORD @ matrix
    if not np.isfinite(adapted).all() or np.abs(adapted).max() > 100:
        raise ValueError("impossible primaries")
    return adapted


def adobe_rgb() -> bytes:
    """The profile of Adobe RGB (1998)."""
    primaries, gamma = _ADOBE_RGB
    return make_profile(gamma, primaries)


def profile_of_code_points(
    primaries: int, transfer: int, notices: list[str], *, full: bool = True
) -> bytes | None:
    """The profile of code points of ITU-T H.273: b"" for sRGB, None where they are unknown.

    full: whether levels run from 0 to 255, else from 16 to 235.
    """
    curve = _transfer(transfer)
    if primaries not in _PRIMARIES or curve is None:
        return None
    if (primaries, transfer, full) == (1, 13, True):
        return b""
    if transfer in (16, 18):
        notices.append(
            "It is a picture of high dynamic range; what is brighter than paper white was clipped."
        )
    if full:
        return make_profile(curve, _PRIMARIES[primaries])
    return make_profile(lambda x: curve(np.clip((x * 255 - 16) / 219, 0, 1)), _PRIMARIES[primaries])


def _transfer(code: int) -> Callable[[np.ndarray], np.ndarray] | None:
    """Linear light of values in [0, 1] (ITU-T H.273, table 3)."""
    if code in (1, 6, 14, 15):
        return lambda x: np.where(x < 0.081, x / 4.5, ((x + 0.099) / 1.099) ** (1 / 0.45))
    if code in (4, 5):
        return lambda x: x ** (2.2 if code == 4 else 2.8)
    if code == 7:
        return lambda x: np.where(x < 0.0912, x / 4, ((x + 0.1115) / 1.1115) ** (1 / 0.45))
    return {8: lambda x: x, 13: decode_srgb, 16: _perceptual_quantizer, 18: _hybrid_log_gamma}.get(
        code
    )


def _perceptual_quantizer(x: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, with reference white as 1."""
    power = x ** (1 / 78.84375)
    light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return light ** (1 / 0.1593017578125) / _REFERENCE_WHITE


def _hybrid_log_gamma(x: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100, with reference white (a signal of 75%) as 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(x <= 0.5, x**2 / 3, (np.exp((x - c) / a) + b) / 12)
    return (scene / ((np.exp((0.75 - c) / a) + b) / 12)) ** 1.2
