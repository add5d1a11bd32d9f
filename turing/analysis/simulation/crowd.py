"""Synthetic participants: what each would pick and how fast. Nothing here knows a store.

logit P(right) = level(dataset, model) + person + photo, the last two normal with the given
standard deviations; the level is such that the mean over people and photos is the given fraction.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtri

from turing.errors import TuringError
from turing.statistics.power import SD_PARTICIPANT, SD_PHOTO
from turing.study.screening import ANSWERS, NOT_SEEN, Deficiency
from turing.study.trials import ALIKE, Protocol, correct_choice

Manner = Literal["careful", "careless", "leaves", "withdraws"]

PLATE_SEEN = 0.98  # share of plates that who sees all colours finds
SEEN_THROUGH = 0.97  # share of catch trials that a careful person gets right
MEDIAN_MS, CARELESS_MS = 1600.0, 180.0
DEFICIENT = 0.04  # 8% of men, 0.4% of women (Birch 2012), of half each
_PROTAN = 0.25  # share of those
_LARGEST_LOGIT = 750.0  # of the smallest float above 0


SEEN_MS = 120.0  # exposure at which half of what tells is seen, where exposures differ
SEEN_SLOPE = 1.5  # logits an octave of it
SURE = (0.4, 0.9, 1.5)  # evidence (z) from which on the ratings 2, 3 and 4 are given
_MARK_SD = 0.05  # of a part's size


class Reply(NamedTuple):
    """What a synthetic participant does in a trial; `evidence` is that for the choice, in z."""

    choice: int
    rt_ms: float
    evidence: float = 0.0

    @property
    def confidence(self) -> int:
        """From 1, a guess."""
        return 1 + sum(abs(self.evidence) > limit for limit in SURE)


@dataclass(frozen=True)
class Skills:
    """The truth behind a simulation.

    `fractions` has true turing fractions by (dataset, model); None for the dataset means every
    one that is not named, None for the model likewise. In `single` they are shares of colorized
    pictures, and originals are told as a model that is not named: no model is in them.
    """

    fractions: Mapping[tuple[str | None, str | None], float] = field(default_factory=dict)
    default: float = 0.75
    sd_participant: float = SD_PARTICIPANT
    sd_photo: float = SD_PHOTO
    left: float = 0.0  # logits towards the left or first part
    alike: float = 0.5  # Davidson's nu, in `preference` where two may be found alike
    careless: float = 0.0  # share of people who press keys without looking
    leaves: float = 0.0  # share who close the page half-way
    withdraws: float = 0.0  # share who press Leave
    deficient: float = DEFICIENT  # share with a red-green deficiency, who fail plates

    def __post_init__(self) -> None:
        named = {"/".join(filter(None, of)): share for of, share in self.fractions.items()}
        for name, fraction in {**named, "of all others": self.default}.items():
            if not 0 < fraction < 1:
                raise TuringError(
                    f"skill {name}: expected a fraction between 0 and 1, found {fraction:g}"
                )
        shares = self.careless, self.leaves, self.withdraws
        if not (min(shares) >= 0 and sum(shares) <= 1):
            raise TuringError(
                "careless, leaves, withdraws: expected shares of 0 or more, 1 at most together, "
                f"found {shares}"
            )
        if not 0 <= self.deficient <= 1:
            raise TuringError(f"deficient: expected a share from 0 to 1, found {self.deficient:g}")
        for name in ("sd_participant", "sd_photo"):
            if not 0 <= getattr(self, name) < math.inf:
                raise TuringError(f"{name}: expected 0 or more, found {getattr(self, name):g}")
        if not math.isfinite(self.left):
            raise TuringError(f"left: expected a number, found {self.left:g}")
        if not 0 <= self.alike < math.inf:
            raise TuringError(f"alike: expected 0 or more, found {self.alike:g}")

    def fraction(self, dataset: str, model: str | None) -> float:
        for key in ((dataset, model), (None, model), (dataset, None)):
            if key in self.fractions:
                return self.fractions[key]
        return self.default


class Person:
    """One participant, the same for the same seed and number."""

    def __init__(self, skills: Skills, protocol: Protocol, seed: int, number: int) -> None:
        self._skills, self._protocol, self._seed = skills, protocol, seed
        self._rng = np.random.default_rng([seed, 1, number])
        self._effect = self._rng.normal(0, skills.sd_participant)
        self._hand = np.random.default_rng([seed, 4, number])
        self._pace = float(np.exp(self._rng.normal(0, 0.3)))
        self._eyes = np.random.default_rng([seed, 6, number])
        self.vision: Deficiency | None = None
        if self._eyes.random() < skills.deficient:
            self.vision = "protan" if self._eyes.random() < _PROTAN else "deutan"
        self.manner = self._manner()

    def _manner(self) -> Manner:
        drawn, end = self._rng.random(), 0.0
        shares: tuple[tuple[Manner, float], ...] = (
            ("careless", self._skills.careless),
            ("leaves", self._skills.leaves),
            ("withdraws", self._skills.withdraws),
        )
        for manner, share in shares:
            end += share
            if drawn < end:
                return manner
        return "careful"

    def stays_for(self, trials: int) -> int:
        """After how many trials this person is gone: all of them, or some share."""
        if self.manner in ("leaves", "withdraws"):
            return int(self._rng.integers(1, max(2, trials)))
        return trials

    def reply(
        self,
        dataset: str,
        photo: int | str,
        parts: tuple[str | None, ...],
        model: str | None,
        catch: bool = False,
        exposure_ms: int | None = None,
        ties: bool = False,
    ) -> Reply:
        """Pick a part; `parts` and `model` are those of `turing.study.trials.Trial`.

        With an exposure in ms the skill is that at the longest ones, and less is seen in less time.
        """
        if self.manner == "careless":
            return Reply(int(self._rng.integers(2)), self._time(CARELESS_MS))
        right = correct_choice(self._protocol, parts)
        if catch and right is not None:
            knows = self._rng.random() < SEEN_THROUGH
            return Reply(right if knows else 1 - right, self._time(MEDIAN_MS * 0.8))
        skills = self._skills
        if right is None:
            left, other = (self._realness(dataset, photo, part) for part in parts)
            chance = expit(left - other + skills.left)
            drawn = self._rng.random()
            if ties:
                drawn *= 1 + skills.alike * np.sqrt(chance * (1 - chance))
                if drawn >= 1:
                    return Reply(ALIKE, self._time(MEDIAN_MS))
            return Reply(int(drawn >= chance), self._time(MEDIAN_MS), _evidence(chance, drawn))
        effect = self._effect + self._photo_effect(str(photo))
        mean = skills.fraction(dataset, parts[0] if self._protocol == "single" else model)
        level = level_of(mean, float(np.hypot(skills.sd_participant, skills.sd_photo)))
        lean = 0.0 if self._protocol == "single" else skills.left * (1 if right == 0 else -1)
        chance = expit(level + effect + lean)
        if exposure_ms:
            chance = 0.5 + (chance - 0.5) * expit(SEEN_SLOPE * np.log2(exposure_ms / SEEN_MS))
        drawn = self._rng.random()
        is_right = drawn < chance
        pace = 1.3 - 0.6 * abs(chance - 0.5)
        time = self._time(MEDIAN_MS * pace)
        return Reply(right if is_right else 1 - right, time, _evidence(chance, drawn))

    def plate(self, deficiency: str, gap: str) -> str:
        """What is said of a plate, one of `turing.study.screening.ANSWERS`.

        Red-green deficient people find gaps of their own kind's plates by chance, and half of the
        other red-green ones; tritan plates they see, as everybody does all.
        """
        missed = 1 - PLATE_SEEN
        if self.vision and deficiency != "tritan":
            missed = 1.0 if deficiency == self.vision else 0.5
        if self._eyes.random() >= missed:
            return gap
        guesses = (NOT_SEEN,) if missed < 0.5 else ANSWERS
        return guesses[int(self._eyes.integers(len(guesses)))]

    def marks(self, photo: int | str, part: int | None) -> list[dict[str, float]]:
        """One or two places in the accused part, about a spot that is the photo's."""
        if part is None:
            return []
        words = [ord(letter) for letter in str(photo)]
        spot = np.random.default_rng([self._seed, 5, *words]).uniform(0.15, 0.85, 2)
        at = self._hand.normal(spot, _MARK_SD, (int(self._hand.integers(1, 3)), 2)).clip(0, 1)
        return [{"part": part, "x": round(x, 4), "y": round(y, 4)} for x, y in at.tolist()]

    def _time(self, median: float) -> float:
        pace = 1.0 if self.manner == "careless" else self._pace
        return round(float(median * pace * np.exp(self._rng.normal(0, 0.35))), 1)

    def _realness(self, dataset: str, photo: int | str, model: str | None) -> float:
        """In `preference`: the model that is harder to tell apart looks more real."""
        effect = self._photo_effect(f"{photo}/{model}") / np.sqrt(2)
        return effect - float(logit(self._skills.fraction(dataset, model)))

    def _photo_effect(self, photo: str) -> float:
        """The same for everybody who sees the photo."""
        words = [ord(letter) for letter in photo]
        return float(
            np.random.default_rng([self._seed, 2, *words]).normal(0, self._skills.sd_photo)
        )


def _evidence(chance: float, drawn: float) -> float:
    """In z, of N(z(chance), 1): above 0 where `drawn`, from 0 to 1, is below the chance."""
    return float(ndtri(chance) - ndtri(drawn))


@lru_cache(maxsize=1024)
def level_of(fraction: float, sd: float) -> float:
    """The logit at which the mean of expit(level + N(0, sd^2)) is `fraction`, in (0, 1)."""
    nodes, weights = hermegauss(60)
    weights = weights / weights.sum()
    fraction = min(fraction, 1 - 1e-12)  # nearer to 1 than the weights' sum may be
    farthest = _LARGEST_LOGIT + sd * nodes.max()
    return float(brentq(lambda x: weights @ expit(x + sd * nodes) - fraction, -farthest, farthest))
