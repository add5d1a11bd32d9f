"""Pseudo-isochromatic plates: rings that people with a colour vision deficiency do not see.

The dots of the ring lie on a line of the CIE 1931 diagram through the white point and a copunctal
point, which is what one cone alone is responsible for: who lacks it confuses all colours of that
line. They lie on both sides of the white point at random, the other dots around it, as coloured
signs on grey do in Hardy, Rand and Rittler's plates (1954): neither lightness nor colour is higher
or lower on average in the ring for who confuses them. Every dot's lightness is drawn by itself,
and the grey version of all plates of one pattern is the same in every byte (`render.render`).

No medical test: colours on a screen are only about what they should be.
"""

import hashlib
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from colorize.color.lab import rgb_from_lab
from turing.errors import TuringError
from turing.stimuli import png
from turing.stimuli.photos import file_sha256
from turing.stimuli.render import BACKGROUND, display_lightness, render
from turing.store.beside import screening
from turing.store.files import unfinished
from turing.store.store import Store
from turing.study.screening import Deficiency, Plate, every_plate

SIZE = 360  # pixels of a side
_RADII = (9, 7.5, 6, 5, 4, 3)  # of dots, those that fit best first
_SPACING = 1.0
_LIGHTNESS = 40.0, 78.0
_CHROMA = 28.0  # of the ring's dots, at L 60
_JITTER = 2.5  # standard deviation of a and b, all dots: hides how a screen's colours are off
_RING = 72.0, 134.0  # radii; the gap is as wide as the ring is thick
_TOWARDS = {"left": (-1, 0), "up": (0, -1), "right": (1, 0), "down": (0, 1)}

# Smith and Pokorny's cone fundamentals (1975), CIE 1931 x, y: Wyszecki and Stiles, Color Science,
# 2nd edition, 8.2.5. The white point is D65.
_COPUNCTAL = {
    "protan": (0.7465, 0.2535),
    "deutan": (1.4000, -0.4000),
    "tritan": (0.1748, 0.0044),
}
_WHITE = np.array((0.3127, 0.3290))


class Dots(NamedTuple):
    """Dots that do not touch: `x`, `y`, `radius` in pixels, lightness `L`; all `(n,)`."""

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    L: np.ndarray


def render_missing_plates(store: Store) -> int:
    """Make the pictures of plates that a store lacks; how many. What was shown is never altered:
    TuringError where a plate would have another picture than before."""
    made = 0
    for plate in every_plate():
        path, known = store.picture_path(plate.sha256), screening.find_picture(store, plate.sha256)
        if known and path.is_file() and file_sha256(path) == known:
            continue
        data = picture(plate)
        png_sha256 = hashlib.sha256(data).hexdigest()
        if known not in (None, png_sha256):
            raise TuringError(
                f"{path}: expected the picture as it was built, found another; "
                "restore it from a backup"
            )
        try:
            path.parent.mkdir(exist_ok=True)
            with unfinished(path) as temporary:
                temporary.write_bytes(data)
        except OSError as error:
            raise TuringError(f"{path}: cannot be written ({error.strerror})") from error
        if not known:
            screening.add_picture(store, plate.sha256, png_sha256)
        made += 1
    return made


def picture(plate: Plate) -> bytes:
    """The plate's PNG, whose length is that of every plate."""
    return png.encode(pixels(plate), stored=True)


def pixels(plate: Plate) -> np.ndarray:
    """uint8 sRGB `(SIZE, SIZE, 3)` of a plate: a disc of dots on the page's grey."""
    ground = _ground(plate.pattern)
    ab = _colours(plate, ground.dots)[:, ground.whose] * ground.covered
    return render(ground.L, torch.from_numpy(ab).float())


class _Ground(NamedTuple):
    """What all plates of a pattern share: dots, how much of each pixel one covers, in [0, 1], and
    which, both `(SIZE, SIZE)`, and L `(1, SIZE, SIZE)`."""

    dots: Dots
    covered: np.ndarray
    whose: np.ndarray
    L: Tensor


@cache
def _ground(pattern: int) -> _Ground:
    dots = dots_of(pattern)
    covered, whose = _coverage(dots)
    seed = hashlib.sha256(f"plate {pattern}".encode()).hexdigest()
    return _Ground(dots, covered, whose, display_lightness(_greys(dots, covered, whose), seed))


def dots_of(pattern: int) -> Dots:
    """The dots of a pattern, largest first, in random places of a disc."""
    rng = np.random.default_rng([pattern, SIZE])
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    room = SIZE / 2 - np.hypot(columns - SIZE / 2, rows - SIZE / 2)  # to the nearest dot or edge
    found = []
    for radius in _RADII:
        places = np.flatnonzero(room >= radius + _SPACING)
        while places.size:
            at = int(rng.choice(places))
            y, x = rows.flat[at], columns.flat[at]
            found.append((x, y, radius * rng.uniform(0.9, 1)))
            reach = radius + _RADII[0] + 2 * _SPACING + 1
            near = np.s_[
                max(0, int(y - reach)) : int(y + reach) + 1,
                max(0, int(x - reach)) : int(x + reach) + 1,
            ]
            away = np.hypot(columns[near] - x, rows[near] - y) - found[-1][2]
            room[near] = np.minimum(room[near], away)
            places = places[room.flat[places] >= radius + _SPACING]
    x, y, radius = np.array(found).T
    return Dots(x, y, radius, rng.uniform(*_LIGHTNESS, len(x)))


def in_ring(gap: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which of these places lie in a Landolt ring that is open at `gap`."""
    across, down = x - SIZE / 2, y - SIZE / 2
    inner, outer = _RING
    away = np.hypot(across, down)
    right, below = _TOWARDS[gap]
    along, beside = across * right + down * below, across * below - down * right
    is_open = (along > 0) & (abs(beside) < (outer - inner) / 2)
    return (away > inner) & (away < outer) & ~is_open


def confused(deficiency: Deficiency, L: np.ndarray, side: np.ndarray) -> np.ndarray:
    """a and b `(2, n)` of colours of lightness L that a deficiency confuses with grey.

    `side` is 1 towards the copunctal point, -1 away from it, 0 grey.
    """
    direction = np.array(_COPUNCTAL[deficiency]) - _WHITE
    direction /= np.hypot(*direction)
    along = np.zeros(len(L))
    for towards in (1, -1):
        steps = np.linspace(0, 0.2, 2001)
        line = _WHITE[:, None] + direction[:, None] * towards * steps
        chroma = np.hypot(*_ab(np.full(len(steps), 60.0), line))
        along[side == towards] = towards * steps[np.searchsorted(chroma, _CHROMA)]
    return _ab(L, _WHITE[:, None] + direction[:, None] * along)


def _ab(L: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """a and b `(2, n)` of L `(n,)`, not next to black, and chromaticity x, y `(2, n)`."""
    x, y = xy
    white_x, white_y = _WHITE
    f = (L + 16) / 116
    to_x = np.cbrt((x / y) / (white_x / white_y))
    to_z = np.cbrt(((1 - x - y) / y) / ((1 - white_x - white_y) / white_y))
    return np.stack((500 * f * (to_x - 1), 200 * f * (1 - to_z)))


def _colours(plate: Plate, dots: Dots) -> np.ndarray:
    """a and b `(2, n)` of every dot: all draws but the ring itself are the pattern's."""
    rng = np.random.default_rng([plate.pattern, SIZE, 1])
    side = rng.choice((-1, 1), len(dots.x))
    jitter = rng.normal(0, _JITTER, (2, len(dots.x)))
    side = np.where(in_ring(plate.gap, dots.x, dots.y), side, 0)
    return confused(plate.deficiency, dots.L, side) + jitter


def _coverage(dots: Dots) -> tuple[np.ndarray, np.ndarray]:
    covered, whose = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE), np.int64)
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    for number, (x, y, radius) in enumerate(zip(dots.x, dots.y, dots.radius, strict=True)):
        near = np.s_[
            max(0, int(y - radius - 2)) : int(y + radius) + 3,
            max(0, int(x - radius - 2)) : int(x + radius) + 3,
        ]
        share = np.clip(radius + 0.5 - np.hypot(columns[near] - x, rows[near] - y), 0, 1)
        closer = share > covered[near]
        covered[near] = np.where(closer, share, covered[near])
        whose[near] = np.where(closer, number, whose[near])
    return covered, whose


def _greys(dots: Dots, covered: np.ndarray, whose: np.ndarray) -> np.ndarray:
    """uint8 `(SIZE, SIZE, 3)`: the dots' lightness alone, on the page's grey."""
    lab = torch.zeros(3, 1, len(dots.L))
    lab[0, 0] = torch.from_numpy(dots.L)
    levels = rgb_from_lab(lab)[0, 0].numpy() * 255
    shade = covered * levels[whose] + (1 - covered) * BACKGROUND
    return np.repeat(np.rint(shade).astype(np.uint8)[..., None], 3, axis=2)
