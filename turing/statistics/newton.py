"""The last digits of a maximum that a search has come near to.

A search that looks at a function alone ends where that is flat, here or there on other processors.
"""

from collections.abc import Callable

import numpy as np

_MOST_STEPS = 100
_ENOUGH = 1e-10  # of the parameters, in one step
_FLATTEST = 1e-12  # curvature below which none counts as less


def climb(
    theta: np.ndarray, of: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], farthest: float
) -> tuple[np.ndarray, float] | None:
    """The maximum near `theta` `(k,)` by Newton's steps, and the least curvature there, > 0.

    of: the slope `(k,)` and the curvature `(k, k)`, the negative of the second derivatives. None
    where no maximum is found before a parameter is `farthest` from 0.
    """
    for _ in range(_MOST_STEPS):
        slope, curvature = of(theta)
        if not np.all(np.isfinite(curvature)):
            return None
        sizes, ways = np.linalg.eigh(curvature)
        step = ways @ (ways.T @ slope / np.maximum(np.abs(sizes), _FLATTEST))  # up always
        step /= max(1.0, np.abs(step).max())
        theta = theta + step
        if np.abs(theta).max() >= farthest:
            return None
        if np.abs(step).max() <= _ENOUGH * max(1.0, np.abs(theta).max()):
            return (theta, float(sizes[0])) if sizes[0] > 0 else None
    return None
