"""From numbers of any type to 8 or 16 bits: what is black, what is white, what lies beyond."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

_UNSIGNED, _SIGNED = 1, 2
# White of floats: the share of positive values that it must reach to, and the least highest value
# (a picture of 0 to 255 whose highest is 4 would be black: it has another scale).
_WHITES = {1.0: (0.75, 0.0), 255.0: (0.95, 16.0), 65_535.0: (0.95, 4096.0)}
_OVER = 1.1  # so far values may leave any scale: resampled pictures do


@dataclass
class Range:
    """The least and highest finite value, and how many values lie where."""

    low: float = np.inf
    high: float = -np.inf
    positive: int = 0
    within: dict[float, int] = field(default_factory=lambda: dict.fromkeys(_WHITES, 0))

    def add(self, values: np.ndarray) -> None:
        finite = values if values.dtype.kind in "iu" else values[np.isfinite(values)]
        if finite.dtype == np.float16:  # which ends before 65535
            finite = finite.astype(np.float32)
        if not finite.size:
            return
        self.low = min(self.low, float(finite.min()))
        self.high = max(self.high, float(finite.max()))
        positive = finite[finite > 0]
        self.positive += positive.size
        for white in self.within:
            self.within[white] += int(np.count_nonzero(positive <= _OVER * white))


@dataclass(frozen=True)
class Scale:
    """`low` is black and `high` is white; `type` is uint8 or uint16. `plain` numbers are no tones
    and stay. `whole` is the highest value that the stored type has, where it is a whole number."""

    low: float
    high: float
    type: type
    plain: bool = False
    whole: float | None = None

    def apply(self, values: np.ndarray) -> tuple[np.ndarray, int]:
        """The values as `type`, and how many were clipped. What is no number counts as black."""
        top = float(np.iinfo(self.type).max)
        if self.plain or (values.dtype == self.type and (self.low, self.high) == (0, top)):
            return values.astype(self.type, copy=False), 0
        if values.dtype.kind == "u" and values.itemsize <= 2:
            scaled = values * np.float32(top / self.high)
            return np.minimum(np.rint(scaled), top).astype(self.type), 0
        with np.errstate(invalid="ignore", over="ignore"):  # a signalling NaN
            scaled = values.astype(np.float64)
            scaled -= self.low
            scaled *= top / ((self.high - self.low) or 1)
            beyond = ~((scaled >= -0.5) & (scaled <= top + 0.5))
            scaled = np.clip(np.nan_to_num(scaled, nan=0.0, posinf=top, neginf=0.0), 0, top)
        return np.rint(scaled).astype(self.type), int(np.count_nonzero(beyond))

    def clipping(self, share: float) -> str:
        """The sentence for values beyond the scale."""
        part = f"{share:.1%}" if share >= 0.001 else "A few"
        return (
            f"{part} of its values lie outside {self.low:g} to {self.high:g} or are no numbers; "
            "they were clipped to black or white."
        )


def scale_of(
    values: Callable[[], Iterable[np.ndarray]], bits: int, kind: int, notices: list[str]
) -> Scale:
    """The scale of unsigned (1), signed (2) or floating point (3) numbers of `bits` bits.

    Unsigned numbers of up to 16 bits have their type's, as TIFF 6.0 says. Others have the first of
    1, 255, 65535 and the type's highest value that they fit; numbers that fit none run from the
    least to the highest. `values` gives all numbers, and is asked only where they matter. Adds a
    sentence where the scale is a guess. Raises ValueError if no value is finite.
    """
    if kind == _UNSIGNED and bits <= 16:
        return Scale(0, 2**bits - 1, np.uint8 if bits <= 8 else np.uint16, whole=2**bits - 1)
    found = Range()
    for part in values():
        found.add(part)
    if not np.isfinite(found.low):
        raise ValueError("no value is a finite number")
    if kind in (_UNSIGNED, _SIGNED):
        return _of_integers(found, bits, kind, notices)
    for white, (share, least) in _WHITES.items():
        inside = found.low >= -(_OVER - 1) * min(found.high, white)
        most = found.within[white] >= share * found.positive
        if inside and (most or found.high <= _OVER * white) and found.high >= least:
            return Scale(0, white, np.uint16)
    return _stretched(found, notices)


def _of_integers(found: Range, bits: int, kind: int, notices: list[str]) -> Scale:
    whole = float(2 ** (bits - (kind == _SIGNED)) - 1)
    if found.low < 0:
        return _stretched(found, notices, whole)
    known = [white for white in (1.0, 255.0, 65_535.0) if white < whole]
    for white in known:
        if found.high <= white:
            break
    else:
        white = whole
        if kind == _SIGNED and bits > 16 and found.high < whole / 4:
            return _stretched(found, notices, whole)
    usual = (1.0, 255.0, 65_535.0) if kind == _SIGNED else (whole,)
    if white not in usual:
        notices.append(f"Its {bits}-bit values were read with {white:.0f} as white.")
    return Scale(0, white, np.uint16, whole=whole)


def _stretched(found: Range, notices: list[str], whole: float | None = None) -> Scale:
    notices.append(f"Its values run from {found.low:g} to {found.high:g} and were scaled to fit.")
    return Scale(found.low, found.high, np.uint16, whole=whole)
