import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from colorize.inference.hints import spreading
from colorize.inference.hints.spreading import Spreading


def steps(height=40, width=60):
    """A guide of two even halves, many edges apart."""
    guide = np.zeros((1, height, width), np.float32)
    guide[:, :, width // 2 :] = 5
    return guide


def one_pixel(shape, row, column):
    where = np.zeros(shape, bool)
    where[row, column] = True
    return where


def test_values_are_kept_where_they_are_given():
    where = one_pixel((40, 60), 20, 10) | one_pixel((40, 60), 20, 50)
    values = np.where(where, np.arange(60.0), 0)[None].repeat(2, 0)
    values[1] *= -1
    spread = Spreading(steps(), 20).from_pixels(values, where)
    assert spread.dtype == np.float32 and spread.shape == (2, 40, 60)
    assert spread[:, 20, 10] == pytest.approx([10, -10], abs=1e-4)
    assert spread[:, 20, 50] == pytest.approx([50, -50], abs=1e-4)


def test_a_value_spreads_over_its_side_and_hardly_over_the_edge():
    where = one_pixel((40, 60), 20, 24)
    spread = Spreading(steps(), 20).from_pixels(where[None] * 30.0, where)[0]
    assert spread.max() == 30 and spread.min() >= 0
    beside, beyond = spread[20, 29], spread[20, 30]
    assert beside > 3 * beyond > 0
    row = spread[20, 24::-1]
    assert (np.diff(row) < 1e-3).all()  # it fades with the distance


def test_a_longer_reach_reaches_further():
    where = one_pixel((40, 60), 20, 10)
    far = [
        Spreading(steps(), reach).from_pixels(where[None] * 1.0, where)[0, 20, 25]
        for reach in (5, 20, 80)
    ]
    assert far == sorted(far) and far[2] > 5 * far[0]


def test_it_is_the_minimum_that_it_says():
    guide = np.random.default_rng(0).normal(0, 0.7, (2, 9, 11))
    where = one_pixel((9, 11), 4, 4) | one_pixel((9, 11), 1, 9)
    values = np.where(where, 7.0, 0)[None]
    found = Spreading(guide, 6.0).from_pixels(values, where)[0]
    height, width = where.shape
    rows, right = [], []
    for row in range(height):
        for column in range(width):
            entry, weights = np.zeros(where.shape), 1 / 36
            for r, c in (
                (row, column + 1),
                (row + 1, column),
                (row, column - 1),
                (row - 1, column),
            ):
                if 0 <= r < height and 0 <= c < width:
                    difference = guide[:, row, column] - guide[:, r, c]
                    link = 0.02 + 0.98 * np.exp(-(difference @ difference))
                    entry[r, c], weights = -link, weights + link
            entry[row, column] = weights
            if where[row, column]:
                entry[:] = 0
                entry[row, column] = 1
            rows.append(entry.ravel())
            right.append(values[0, row, column])
    exact = spsolve(sparse.csc_array(np.array(rows)), np.array(right)).reshape(where.shape)
    assert np.abs(found - exact).max() < 0.1


def test_smoothing_averages_within_a_region():
    noise = np.random.default_rng(1).standard_normal((1, 40, 60))
    noise[0, :, :30] += 3
    smooth = Spreading(steps(), 10).smoothed(noise)[0]
    assert smooth[:, :28].mean() == pytest.approx(3, abs=0.3)
    assert smooth[:, 32:].mean() == pytest.approx(0, abs=0.3)
    assert smooth[5:35, 5:25].std() < 0.3


def dense(guide, reach):
    """The matrix of the energy, entry by entry."""
    height, width = guide.shape[1:]
    matrix = np.eye(height * width) / reach**2
    for row in range(height):
        for column in range(width):
            for r, c in ((row + 1, column), (row, column + 1)):
                if r < height and c < width:
                    difference = guide[:, row, column] - guide[:, r, c]
                    link = 0.02 + 0.98 * np.exp(-(difference @ difference))
                    p, q = row * width + column, r * width + c
                    matrix[[p, q], [p, q]] += link
                    matrix[[p, q], [q, p]] -= link
    return matrix


def test_smoothing_and_likeness_are_what_a_dense_solver_finds():
    guide = np.random.default_rng(1).normal(0, 0.7, (3, 9, 11))
    values = np.random.default_rng(2).normal(0, 20, (2, 9, 11))
    matrix, found = dense(guide, 3.0), Spreading(guide, 3.0)
    exact = np.linalg.solve(matrix, values.reshape(2, -1).T / 9).T.reshape(values.shape)
    assert np.allclose(found.smoothed(values), exact, atol=1e-4)
    seeds = [np.array([17]), np.array([3, 4, 60])]
    right = np.zeros((2, 99))
    right[0, 17], right[1, [3, 4, 60]] = 1, 1
    exact = np.linalg.solve(matrix, right.T).T.reshape(2, 9, 11)
    exact /= exact.max((1, 2), keepdims=True)
    likeness = found.likeness(seeds)
    assert likeness.dtype == np.float32 and np.allclose(likeness, exact, atol=1e-5)


def test_a_guide_too_large_to_factor_is_solved_alike(monkeypatch):
    guide, values = steps(), np.random.default_rng(3).normal(0, 20, (1, 40, 60))
    direct = Spreading(guide, 5.0).smoothed(values)
    monkeypatch.setattr(spreading, "_DIRECT", 0)
    assert np.abs(Spreading(guide, 5.0).smoothed(values) - direct).max() < 0.5
