"""Rounding to 8 bits that leaves no trace of a colour in its lightness.

Rounding the channels one by one moves L by up to 0.25, and how much follows from the colour: the
half of a pair that is smoother in colour, or greyer, is told by the noise in its L alone.
"""

from itertools import product

import numpy as np

_PIXELS = 2**13  # at a time, so that temporaries stay in the cache
_COLOUR_WEIGHT = 1e-5  # of a squared level of colour against a squared grey step of luminance

# Levels of red, green and blue: the eye sees blue least, and it moves luminance least. The second
# is for the few pixels, all at the border of the gamut, for which the first finds nothing.
_REACHES = ((2, 1, 5), (8, 4, 16))


def round_to_luminance(
    rgb: np.ndarray, low: np.ndarray, target: np.ndarray, high: np.ndarray, luminance: np.ndarray
) -> np.ndarray:
    """Near `rgb`, the 8-bit colours whose luminance is nearest to `target`, within (low, high).

    rgb `(3, n)` in [0, 255]; low, target, high `(n,)`, luminance in [0, 1], the bounds a grey step
    apart; luminance `(3, 256)`: what each level of each channel adds. Returns uint8 `(3, n)`.
    """
    out = np.empty(rgb.shape, np.uint8)
    for start in range(0, rgb.shape[1], _PIXELS):
        pending = np.arange(start, min(start + _PIXELS, rgb.shape[1]))
        for reach in _REACHES:
            bounds = low[pending], target[pending], high[pending]
            out[:, pending], found = _nearest(rgb[:, pending], *bounds, luminance, reach)
            pending = pending[~found]
            if not pending.size:
                break
    return out


def _nearest(
    rgb: np.ndarray,
    low: np.ndarray,
    target: np.ndarray,
    high: np.ndarray,
    luminance: np.ndarray,
    reach: tuple[int, int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """The best colours within reach, and which of them lie within the bounds."""
    nearest = np.rint(rgb).astype(np.int64)
    blue_edges = (luminance[2, 1:] + luminance[2, :-1]) / 2
    least, most = np.maximum(nearest[2] - reach[2], 0), np.minimum(nearest[2] + reach[2], 255)
    best, cheapest = nearest.copy(), np.full(target.shape, np.inf)
    for to_red, to_green in product(*(range(-of, of + 1) for of in reach[:2])):
        red = np.clip(nearest[0] + to_red, 0, 255)
        green = np.clip(nearest[1] + to_green, 0, 255)
        others = luminance[0, red] + luminance[1, green]
        blue = np.clip(np.searchsorted(blue_edges, target - others), least, most)
        found = others + luminance[2, blue]
        candidate = np.stack((red, green, blue))
        cost = ((found - target) / (high - low)) ** 2
        cost += _COLOUR_WEIGHT * ((candidate - rgb) ** 2).sum(0)
        cost[(found <= low) | (found >= high)] += 1
        cheaper = cost < cheapest
        cheapest[cheaper] = cost[cheaper]
        best[:, cheaper] = candidate[:, cheaper]
    return best.astype(np.uint8), cheapest < 1
