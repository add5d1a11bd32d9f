"""Values spread over a picture along a guide: far over even places, hardly over edges.

After Levin, Lischinski and Weiss 2004, "Colorization using Optimization": neighbours that the
guide shows alike get like values. A term that draws to 0 keeps values near where they are from.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, cg, splu

_FLOOR = 0.02  # of a link over the strongest edge: texture must not cut a region to pieces
_EXACT = 1e-2  # of the solution that conjugate gradients stop at
_DIRECT = 2**16  # pixels of a guide at most whose matrix is factored: 20 ms for 10,000 of them
_MOST_STEPS = 500
_TINY = 1e-8


class Spreading:
    """Links between the pixels of a guide `(c, h, w)`, given in units of what counts as an edge.

    The link of two neighbours is exp(-|difference|^2); `reach` is how far, in pixels, a value
    gets on even ground before it has faded.
    """

    def __init__(self, guide: np.ndarray, reach: float) -> None:
        self._shape = guide.shape[1:]
        self._links, self._reach = _links(guide), reach

    def from_pixels(self, values: np.ndarray, where: np.ndarray) -> np.ndarray:
        """float32 `(k, h, w)`: `values` `(k, h, w)` where `where` `(h, w)`, and on from there.

        Minimises sum link (x_p - x_q)^2 + sum x_p^2 / reach^2 with x given at `where`.
        """
        fixed = where.ravel()
        flat = np.where(fixed, values.reshape(len(values), -1), 0).astype(float)
        free = sparse.diags_array((~fixed).astype(float))
        matrix = free @ self._matrix @ free + sparse.diags_array(fixed.astype(float))
        right = np.where(fixed, 0, -(self._matrix @ flat.T).T)
        return self._solve(matrix, right, _EXACT) + flat.astype(np.float32).reshape(values.shape)

    def smoothed(self, values: np.ndarray) -> np.ndarray:
        """float32 `(k, h, w)`: `values` averaged over what lies near along the guide.

        Minimises sum link (x_p - x_q)^2 + sum (x_p - value_p)^2 / reach^2.
        """
        return self._solved(values.reshape(len(values), -1) / self._reach**2)

    def likeness(self, seeds: Sequence[np.ndarray]) -> np.ndarray:
        """float32 `(k, h, w)` in (0, 1]: how near each pixel is to seeds, along the guide.

        seeds: for each of k answers the pixels, as numbers row by row, that have 1 in the most;
        elsewhere it is what `from_pixels` leaves of a 1 there. One factoring serves all.
        """
        right = np.zeros((len(seeds), self._shape[0] * self._shape[1]))
        for row, pixels in zip(right, seeds, strict=True):
            row[pixels] = 1
        found = self._solved(right)
        return (found / found.max((1, 2), keepdims=True)).clip(_TINY, 1)

    def _solved(self, right: np.ndarray) -> np.ndarray:
        """float32 `(k, h, w)`: the matrix's answers to `right` `(k, h * w)`."""
        if right.shape[1] > _DIRECT:
            return self._solve(self._matrix, right, _EXACT)
        return self._factors.solve(right.T).T.astype(np.float32).reshape(-1, *self._shape)

    @cached_property
    def _factors(self) -> SuperLU:
        """Of the symmetric, diagonally dominant matrix, which needs no pivoting: Cholesky's way."""
        return splu(
            self._matrix.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    @cached_property
    def _matrix(self) -> sparse.csr_array:
        laplacian = sparse.diags_array(self._links.sum(1)) - self._links
        return (laplacian + sparse.eye_array(len(laplacian.indptr) - 1) / self._reach**2).tocsr()

    def _solve(self, matrix: sparse.sparray, right: np.ndarray, tolerance: float) -> np.ndarray:
        """Conjugate gradients, a row of `right` `(k, h * w)` at a time."""
        scaling = sparse.diags_array(1 / matrix.diagonal())
        rows = [cg(matrix, row, rtol=tolerance, maxiter=_MOST_STEPS, M=scaling)[0] for row in right]
        return np.stack(rows).astype(np.float32).reshape(-1, *self._shape)


def _links(guide: np.ndarray) -> sparse.csr_array:
    """The symmetric matrix `(h * w, h * w)` of the links of each pixel to its four neighbours."""
    number = np.arange(guide[0].size).reshape(guide.shape[1:])
    across, down = _likeness(np.diff(guide, axis=2)), _likeness(np.diff(guide, axis=1))
    links = np.concatenate((across.ravel(), down.ravel()))
    first = np.concatenate((number[:, :-1].ravel(), number[:-1].ravel()))
    second = np.concatenate((number[:, 1:].ravel(), number[1:].ravel()))
    half = sparse.coo_array((links, (first, second)), shape=(number.size, number.size))
    return (half + half.T).tocsr()


def _likeness(difference: np.ndarray) -> np.ndarray:
    return _FLOOR + (1 - _FLOOR) * np.exp(-np.square(difference.astype(float)).sum(0))
