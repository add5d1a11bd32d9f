"""Studies of people and photos that differ: logit P(right) = level + person + photo."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import expit

SD_PARTICIPANT, SD_PHOTO = 0.5, 0.8


class SimulatedStudy(NamedTuple):
    correct: np.ndarray
    participant: np.ndarray
    photo: np.ndarray


def population_mean(level):
    """E[expit(level + u + v)]: the share of right choices of a new person at a new photo."""
    nodes, weights = hermegauss(60)
    sd = np.hypot(SD_PARTICIPANT, SD_PHOTO)
    return float(np.sum(weights * expit(level + sd * nodes)) / weights.sum())


@cache
def level_of(truth):
    """The level at which the population mean is `truth`."""
    return brentq(lambda x: population_mean(x) - truth, -20, 20)


def simulate_study(rng, truth, participants, trials, photos):
    """Everybody sees `trials` of the photos, each once; `truth` is the population mean."""
    level = level_of(truth)
    participant = np.repeat(np.arange(participants), trials)
    photo = rng.permuted(np.tile(np.arange(photos), (participants, 1)), axis=1)[:, :trials].ravel()
    person_effect = rng.normal(0, SD_PARTICIPANT, participants)
    photo_effect = rng.normal(0, SD_PHOTO, photos)
    right = expit(level + person_effect[participant] + photo_effect[photo])
    return SimulatedStudy(rng.random(len(right)) < right, participant, photo)
