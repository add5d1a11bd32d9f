"""Where the border of a scanned print, and the scanner's bed around it, end.

From each side of the picture inwards: a flat layer (bed, paper; up to three), until the first pixel
of each column that is of another tone. Where these places lie on a line, as those of a print do and
those of a sky do not, the picture begins there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import median_filter

from colorize.color.resample import shrink

_LONGEST = 512  # pixels of the side at which is looked
_LEAST = 64
_LAYERS = 3
_REACHES = 0.3  # of the columns at least, in which a layer ends before it is too deep
_BAND = 4  # rows that say what a layer's tone is
_GAP = 8  # rows at most that a shadow or a soft edge between two layers takes
_FLAT, _FLAT_SHARE = 9, 0.88  # levels around its tone in which so many of a layer's pixels lie
_LEAVES = 16  # levels from a layer's tone, where it ends
_WHITE, _LEAVES_WHITE = 225, 7  # the same of paper that is white and all around a photo
_DEEPEST = 0.35  # share of the picture that the border of one side takes at most
_NARROWEST = 3  # pixels
_STRAIGHT = 1.5  # pixels around the line
_SHARES = {2: 0.85, 3: 0.7, 4: 0.6}  # of a side's places that are on it, by the number of sides
_DOUBTFUL = 0.3  # such a share will do where others have told of a border
_TILT = np.tan(np.radians(12))
_SQUARE = np.tan(np.radians(3))  # by which opposite and adjacent sides may differ
_ALIKE = 25  # levels between the tones of sides
_INSET = 0.002  # of its size, which is cut from each side of a picture beside its border
_LEVEL = 0.003  # of its size, by which a side may fall and be cut as it is
_PAIRS = 24  # places from which lines are tried


@dataclass(frozen=True)
class Border:
    """The corners of the picture inside its border, x and y in shares of width and height:
    top left, top right, bottom right, bottom left. On sides without a border they are 0 or 1.

    shape: height and width of what it was found in.
    """

    corners: tuple[tuple[float, float], ...]
    shape: tuple[int, int]

    def inside(self, shape: tuple[int, int], margin: float = 1.0) -> np.ndarray:
        """float32 `(h, w)`: 0 in the border and up to `margin` pixels in, then 1 from a pixel on.

        Along a side without border it is 1.
        """
        height, width = shape
        y, x = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
        found = np.ones(shape, np.float32)
        points = np.multiply(self.corners, (width, height))
        for here, there in zip(points, np.roll(points, -1, axis=0), strict=True):
            if _is_along_edge(here, there, width, height):
                continue
            across, down = there - here
            off = (across * (y - here[1]) - down * (x - here[0])) / np.hypot(across, down)
            found *= np.clip(off - margin, 0, 1)
        return found

    @property
    def tilt(self) -> float:
        """Degrees by which the picture's upper edge falls to the right."""
        across, down = np.subtract(self.corners[1], self.corners[0]) * self.shape[::-1]
        return float(np.degrees(np.arctan2(down, across)))

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """The picture inside, upright: uint8 `(h, w[, 3])` or uint16 `(h, w)`.

        A little less than that, so that nothing of the edge is left. A straight one is cut out, a
        tilted one is resampled (bicubic).
        """
        height, width = pixels.shape[:2]
        middle = np.mean(self.corners, axis=0)
        shares = middle + (np.array(self.corners) - middle) * (1 - 2 * _INSET)
        points = shares * (width, height)
        falls = np.abs(points - np.roll(points, -1, axis=0)).min(axis=1)
        if falls.max() < max(1, max(width, height) * _LEVEL):
            left, top = np.ceil(points[[0, 3]].mean(0)[0]), np.ceil(points[[0, 1]].mean(0)[1])
            right, bottom = points[[1, 2]].mean(0)[0], points[[2, 3]].mean(0)[1]
            return np.ascontiguousarray(pixels[int(top) : int(bottom), int(left) : int(right)])
        across, down = (
            max(1, round(np.hypot(*(points[there] - points[here]))))
            for here, there in ((0, 1), (0, 3))
        )
        image = Image.fromarray(pixels.astype(np.float32) if pixels.dtype == np.uint16 else pixels)
        quad = tuple(points[[0, 3, 2, 1]].ravel())
        turned = image.transform(
            (across, down), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC
        )
        if pixels.dtype == np.uint16:
            return np.asarray(turned).round().clip(0, 65_535).astype(np.uint16)
        return np.array(turned)


@dataclass(frozen=True)
class _Side:
    """The picture's edge on one side: row = offset + slope * column, in its own rotation."""

    offset: float
    slope: float
    tone: float
    ends: np.ndarray  # the row of each column where the border ends


def find_border(pixels: np.ndarray) -> Border | None:
    """The border of a picture uint8 `(h, w[, 3])`; None where it has none, or where it is unsure.

    At least two sides need one, of one tone.
    """
    step = max(1, max(pixels.shape[:2]) // (2 * _LONGEST))  # the rest would cost more than it says
    small = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step])).convert("L")
    grey = shrink(np.asarray(small), _LONGEST).astype(np.int16)
    if min(grey.shape) < _LEAST:
        return None
    sides = _sides_of(grey, _LEAVES)
    if (sides is None or None in sides) and _is_on_white(grey):
        finer = _sides_of(grey, _LEAVES_WHITE)  # as a photo may be nearly as light as its paper
        sides = finer if finer and None not in finer else sides
    if sides is None:
        return None
    lines = [_line_of(side, turns, grey.shape) for turns, side in enumerate(sides)]
    top, right, bottom, left = lines
    corners = [
        _crossing(*two) for two in ((top, left), (top, right), (bottom, right), (bottom, left))
    ]
    shares = np.divide(corners, grey.shape[::-1]).clip(0, 1)
    return Border(tuple((float(x), float(y)) for x, y in shares), pixels.shape[:2])


def _sides_of(grey: np.ndarray, leaves: int) -> list[_Side | None] | None:
    """Top, right, bottom, left of a border that ends `leaves` levels from its tone."""
    return _of_one_print([_edges(np.rot90(grey, turns), leaves) for turns in range(4)])


def _is_on_white(grey: np.ndarray) -> bool:
    """Whether all around there is white."""
    around = (np.rot90(grey, turns)[:_NARROWEST] for turns in range(4))
    return all(np.median(side) >= _WHITE for side in around)


def _edges(grey: np.ndarray, leaves: int) -> list[_Side]:
    """Where the border at the top may end, the outermost first."""
    height, width = grey.shape
    deepest = int(height * _DEEPEST)
    grey = np.ascontiguousarray(grey[: deepest + _GAP + _BAND])
    end, found = np.zeros(width, int), []
    for layer in range(_LAYERS):
        reaches = end < deepest
        if reaches.mean() < _REACHES:
            break
        start, tone = _next_layer(grey, end, reaches, layer)
        if tone is None:
            break
        end = _end_of(grey, start, tone, leaves)
        reaches &= end < deepest
        fit = _straight(end, reaches) if reaches.mean() >= _REACHES else None
        if fit is not None and np.median(end[reaches]) >= _NARROWEST:
            found.append(_Side(*fit, float(np.median(tone[reaches])), end))
    return found


def _next_layer(
    grey: np.ndarray, end: np.ndarray, reaches: np.ndarray, layer: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """The row at which a flat layer begins in each column, and its tone there; None: no layer."""
    columns = np.arange(grey.shape[1])
    for gap in range(_GAP if layer else _GAP // 2):
        start = end + gap
        rows = np.minimum(start + np.arange(_BAND)[:, None], len(grey) - 1)
        band = grey[rows, columns]
        tone = np.median(band, axis=0)
        if (np.abs(band - tone)[:, reaches] <= _FLAT).mean() < _FLAT_SHARE:
            continue  # which spares most photos what follows
        tone[~reaches] = np.median(tone[reaches])
        tone = median_filter(tone, size=max(3, len(tone) // 6), mode="nearest")
        if (np.abs(band - tone)[:, reaches] <= _FLAT).mean() >= _FLAT_SHARE:
            return start, tone
    return end, None


def _end_of(grey: np.ndarray, start: np.ndarray, tone: np.ndarray, leaves: int) -> np.ndarray:
    """The first of two rows of another tone in each column, at least `start`."""
    other = np.abs(grey - tone) > leaves
    other &= np.arange(len(grey))[:, None] >= start
    other[:-1] &= other[1:]
    return np.where(other.any(axis=0), other.argmax(axis=0), len(grey))


def _straight(ends: np.ndarray, reaches: np.ndarray) -> tuple[float, float] | None:
    """Offset and slope of the line on which most places lie."""
    x = np.flatnonzero(reaches)
    y = ends[x].astype(float)
    tried = np.linspace(0, len(x) - 1, min(_PAIRS, len(x))).astype(int)
    one, other = (tried[axis] for axis in np.triu_indices(len(tried), 1))
    apart = x[other] - x[one]
    far = apart > len(x) / 8
    if not far.any():
        return None
    one, other, apart = one[far], other[far], apart[far]
    slopes = (y[other] - y[one]) / apart
    offsets = y[one] - slopes * x[one]
    near = np.abs(offsets[:, None] + slopes[:, None] * x - y) <= _STRAIGHT
    best = near[near.sum(axis=1).argmax()]
    slope, offset = np.polyfit(x[best], y[best], 1)
    return (float(offset), float(slope)) if abs(slope) <= _TILT else None


def _of_one_print(edges: list[list[_Side]]) -> list[_Side | None] | None:
    """For each side an edge of the border of one rectangle, of one tone; None where two lack it.

    Of several the innermost: a print's paper lies within the scanner's bed.
    """
    best, rank, alike = None, (1, 0.0), []
    for like in (edge for some in edges for edge in some):
        chosen = _straight_ones([_last_alike(some, like) for some in edges])
        depths = [_middle(side) for side in chosen if side]
        if (len(depths), sum(depths)) > rank:
            best, rank = chosen, (len(depths), sum(depths))
            alike = [_last_alike(some, like) for some in edges]
    if best is None:
        return None
    return [side or _doubtful(best, alike, turns) for turns, side in enumerate(best)]


def _doubtful(
    sides: Sequence[_Side | None], others: Sequence[_Side | None], turns: int
) -> _Side | None:
    """An edge much of which is lost, as where the picture is as dark as its border: it will do
    where other sides have told that there is one."""
    tried = [others[turns] if place == turns else side for place, side in enumerate(sides)]
    return others[turns] if _share_on_line(tried, turns) >= _DOUBTFUL else None


def _straight_ones(sides: list[_Side | None]) -> list[_Side | None]:
    """Without those of which too few places lie on their line."""
    while (count := sum(side is not None for side in sides)) >= 2:
        crooked = [_share_on_line(sides, turns) < _SHARES[count] for turns in range(4)]
        if not any(crooked):
            return sides
        sides = [None if out else side for side, out in zip(sides, crooked, strict=True)]
    return [None] * 4


def _last_alike(edges: Sequence[_Side], like: _Side) -> _Side | None:
    alike = [
        edge
        for edge in edges
        if abs(edge.tone - like.tone) <= _ALIKE and abs(edge.slope - like.slope) <= _SQUARE
    ]
    return alike[-1] if alike else None


def _share_on_line(sides: Sequence[_Side | None], turns: int) -> float:
    """Of the places of a side, between its neighbours, those that lie on its line."""
    side = sides[turns]
    if side is None:
        return 1.0
    width = len(side.ends)
    # rot90 turns counterclockwise: the next side comes from the right, the one before is left.
    right, left = sides[(turns + 1) % 4], sides[(turns + 3) % 4]
    first = round(_middle(left)) if left else 0
    last = width - round(_middle(right)) if right else width
    x = np.arange(first + 2, max(first + 3, last - 2))
    x = x[x < width]
    return float((np.abs(side.offset + side.slope * x - side.ends[x]) <= _STRAIGHT).mean())


def _middle(side: _Side) -> float:
    return side.offset + side.slope * len(side.ends) / 2


Line = tuple[np.ndarray, np.ndarray]  # two points (x, y)


def _line_of(side: _Side | None, turns: int, shape: tuple[int, int]) -> Line:
    """The line of a side in the picture itself."""
    height, width = shape
    across = width if turns % 2 == 0 else height
    offset, slope = (side.offset, side.slope) if side else (0.0, 0.0)
    ends = [(0.0, offset), (float(across), offset + slope * across)]
    return tuple(np.array(_turned_back(x, y, turns, width, height)) for x, y in ends)


def _turned_back(x: float, y: float, turns: int, width: int, height: int) -> tuple[float, float]:
    """A point of `rot90(picture, turns)` in the picture of width x height."""
    return ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[turns]


def _crossing(one: Line, other: Line) -> tuple[float, float]:
    (a, b), (c, d) = one, other
    matrix = np.column_stack((b - a, c - d))
    share = np.linalg.solve(matrix, c - a)[0]
    return tuple(a + share * (b - a))


def _is_along_edge(here: np.ndarray, there: np.ndarray, width: int, height: int) -> bool:
    """Whether a side of the quadrilateral is the picture's own edge."""
    return any(
        abs(here[axis] - edge) < 1e-6 and abs(there[axis] - edge) < 1e-6
        for axis, edges in ((0, (0, width)), (1, (0, height)))
        for edge in edges
    )
