"""The mixed model: variances and means of simulated studies, and what it takes."""

import subprocess
import sys

import numpy as np
import pytest

from tests.turing.support.simulated import SD_PARTICIPANT, SD_PHOTO, simulate_study
from turing.statistics import mixed as module
from turing.statistics.mixed import mixed


def test_variances_and_marginal_mean_of_a_large_study():
    study = simulate_study(np.random.default_rng(0), 0.7, 100, 40, 120)
    found = mixed(study.correct, ["cell"] * len(study.correct), study.participant, study.photo)
    assert found.sd_participant == pytest.approx(SD_PARTICIPANT, abs=0.15)
    assert found.sd_photo == pytest.approx(SD_PHOTO, abs=0.2)
    level = found.levels["cell"]
    assert level.low < level.share < level.high
    assert level.share == pytest.approx(study.correct.mean(), abs=0.02)
    assert level.logit > np.log(level.share / (1 - level.share))  # a typical person and photo


@pytest.mark.slow
def test_intervals_hold_the_truth():
    """Their errors are not statsmodels', which are too small."""
    rng, held = np.random.default_rng(1), []
    for _ in range(60):
        study = simulate_study(rng, 0.7, 25, 20, 60)
        found = mixed(study.correct, ["c"] * len(study.correct), study.participant, study.photo)
        held.append(found.levels["c"].low <= 0.7 <= found.levels["c"].high)
    assert np.mean(held) >= 0.85


def test_cells_have_levels_of_their_own():
    rng = np.random.default_rng(2)
    easy, hard = (simulate_study(rng, truth, 30, 20, 40) for truth in (0.9, 0.6))
    columns = [np.concatenate(pair) for pair in zip(easy, hard, strict=True)]
    cells = [("a", "easy")] * len(easy.correct) + [("a", "hard")] * len(hard.correct)
    found = mixed(columns[0], cells_of(cells), *columns[1:])
    assert found.levels["a", "hard"].high < found.levels["a", "easy"].low


def cells_of(labels):
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    return array


def test_one_person_is_none():
    found = mixed([1, 0, 1], ["c"] * 3, [1, 1, 1], [1, 2, 3])
    assert found.levels == {} and found.note.startswith("fewer than two")


@pytest.mark.parametrize(("answer", "which"), [(1, "right"), (0, "wrong")])
def test_answers_that_are_all_alike_are_none(answer, which):
    found = mixed([answer] * 4, ["cell"] * 4, [1, 1, 2, 2], [1, 2, 1, 2])
    assert (found.levels, found.note) == ({}, f"all answers are {which}: no mixed model")


def test_without_statsmodels_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    found = mixed([1, 0], ["c"] * 2, [1, 2], [1, 2])
    assert found.levels == {} and "pip install 'colorize-turing[mixed]'" in found.note


def test_it_is_loaded_on_first_use():
    code = "import sys, turing.statistics.mixed; sys.exit('statsmodels' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
