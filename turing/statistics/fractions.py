"""What the choices of a study say: arrays in, numbers out.

Choices are crossed: a participant sees many photos, a photo is seen by many participants. Every
interval here is made for that: the variance is that of Cameron, Gelbach and Miller 2011 (two-way
clusters, A + B - C), its degrees of freedom are Satterthwaite's (1946), and a share gets Wilson's
interval (1927) at the effective number of choices (Korn and Graubard 1998).

Arrays are one-dimensional, one entry a choice. Labels of participants, photos and models may be
anything that can be told apart; none may be missing. What cannot be computed is NaN, and the note
says why. Wrong input raises ValueError.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

Verdict = Literal[
    "indistinguishable",
    "indistinguishable, but detectable",
    "told apart",
    "reversed",
    "undecided",
]

# Correlations of two choices that share a participant or a photo, where the data show none
# (all right or all wrong): typical figures for shares near the ends.
_PLANNED_PARTICIPANT, _PLANNED_PHOTO = 0.02, 0.05


class Fraction(NamedTuple):
    """A share with its interval; `df` is infinite where the normal quantile was used."""

    estimate: float
    low: float
    high: float
    n: int
    participants: int
    photos: int
    n_effective: float
    df: float
    note: str = ""


class Difference(NamedTuple):
    """A difference with its interval and the two-sided p-value of no difference."""

    estimate: float
    low: float
    high: float
    p_value: float
    df: float
    note: str = ""


class Crossed(NamedTuple):
    """Variance components of a sum over crossed choices, and how many there were of each."""

    by_participant: float  # A
    by_photo: float  # B
    by_pair: float  # C
    n: int
    participants: int
    photos: int

    def degrees_of_freedom(self, variance: float) -> float:
        """Satterthwaite's nu, no less than the smaller cluster count allows, below n."""
        a, b = self.by_participant, self.by_photo
        spread = a**2 / (self.participants - 1) + b**2 / (self.photos - 1)
        satterthwaite = variance**2 / spread if spread > 0 else np.inf
        floor = min(self.participants, self.photos) - 1
        return float(min(self.n - 1, max(floor, satterthwaite)))


def label_codes(labels: ArrayLike, name: str) -> tuple[np.ndarray, int]:
    """Labels as whole numbers 0..k-1, and k. ValueError names the array and the missing label."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one label a choice, found shape {array.shape}")
    if array.dtype == object:
        missing = [i for i, label in enumerate(array) if label is None or label != label]
    else:
        missing = np.flatnonzero(array != array)
    if len(missing):
        raise ValueError(f"{name}: expected a label for every choice, none at row {missing[0]}")
    if array.dtype == object:
        seen: dict[Any, int] = {}
        return np.array([seen.setdefault(x, len(seen)) for x in array], dtype=int), len(seen)
    distinct, code = np.unique(array, return_inverse=True)
    return code, len(distinct)


def zero_or_one(values: ArrayLike, name: str) -> np.ndarray:
    """Truth values, 0 or 1, as float64 (n,)."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected 0 or 1 for every choice, found other things") from None
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one value a choice, found shape {array.shape}")
    wrong = array[(array != 0) & (array != 1)]
    if len(wrong):
        raise ValueError(f"{name}: expected 0 or 1 for every choice, found {wrong[0]:g}")
    return array


def check_same_length(**arrays: ArrayLike) -> None:
    """ValueError with every length, unless all are equal."""
    lengths = {name: np.size(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"expected arrays of one length, found {found}")


def check_confidence(confidence: float) -> None:
    """ValueError unless strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, found {confidence}")


def crossed_variance(psi: np.ndarray, participant: ArrayLike, photo: ArrayLike) -> Crossed:
    """A, B and C of the sum of `psi` (n,), each choice's share in an estimate's error.

    Needs two participants and two photos or more. Cameron, Gelbach and Miller 2011, section 2.2.
    """
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    pairs, n_pairs = label_codes(people * n_photos + photos, "pair")

    def component(code: np.ndarray, k: int) -> float:
        return k / (k - 1) * float(np.sum(np.bincount(code, weights=psi, minlength=k) ** 2))

    return Crossed(
        component(people, n_people),
        component(photos, n_photos),
        component(pairs, n_pairs),
        len(psi),
        n_people,
        n_photos,
    )


def wilson_interval(p: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share `p` of `n` choices, `n` not always whole."""
    shrink = quantile**2 / n
    middle = p + shrink / 2
    half = quantile * np.sqrt(p * (1 - p) / n + shrink / (4 * n))
    low, high = (middle - half) / (1 + shrink), (middle + half) / (1 + shrink)
    return max(0.0, min(p, float(low))), min(1.0, max(p, float(high)))  # rounding at the ends


def _planned_n(weight: np.ndarray, people: np.ndarray, photos: np.ndarray) -> float:
    """Effective number of choices by the planning design effect, where none vary.

    `weight` (n,) has each choice's share in the estimate and sums to 1; the others are codes.
    """
    n = 1 / np.sum(weight**2)
    m_people, m_photos = (
        n * np.sum(np.bincount(code, weights=weight) ** 2) for code in (people, photos)
    )
    effect = 1 + (m_people - 1) * _PLANNED_PARTICIPANT + (m_photos - 1) * _PLANNED_PHOTO
    return float(n / effect)


def naive_interval(correct: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval as if all choices were independent: too narrow, and what papers print."""
    y = zero_or_one(correct, "correct")
    check_confidence(confidence)
    if not len(y):
        return np.nan, np.nan
    return wilson_interval(float(y.mean()), len(y), stats.norm.ppf((1 + confidence) / 2))


def turing_fraction(
    correct: ArrayLike, participant: ArrayLike, photo: ArrayLike, confidence: float = 0.95
) -> Fraction:
    """Share of choices that told the original from the colorization (first paper, equation 2).

    0.5 is chance, lower is better for the model. With all choices right or all wrong there is no
    variation to learn the clustering from, so a planned design effect takes its place.
    """
    y = zero_or_one(correct, "correct")
    check_same_length(correct=correct, participant=participant, photo=photo)
    check_confidence(confidence)
    people, n_people = label_codes(participant, "participant")
    photos, n_photos = label_codes(photo, "photo")
    n, p = len(y), float(y.mean()) if len(y) else np.nan

    def described(note: str) -> Fraction:
        return Fraction(p, np.nan, np.nan, n, n_people, n_photos, np.nan, np.nan, note)

    if not n:
        return described("no choices")
    if n_people == 1 or n_photos == 1:
        which = "participant" if n_people == 1 else "photo"
        return described(f"one {which}: described, no interval")

    alone = p * (1 - p) / n
    return fraction_of(p, (y - p) / n, np.full(n, 1 / n), alone, people, photos, confidence)


def fraction_of(
    p: float,
    psi: np.ndarray,
    weight: np.ndarray,
    least: float,
    people: np.ndarray,
    photos: np.ndarray,
    confidence: float,
) -> Fraction:
    """A share `p` of crossed choices with its interval, of two people and photos or more.

    Each choice (n,) has a `weight` in it and a share `psi` in its error; `least` is the variance
    that it has at least; people and photos are codes from 0.
    """
    n, n_people, n_photos = len(psi), int(people.max()) + 1, int(photos.max()) + 1
    upper = (1 + confidence) / 2
    if p in (0.0, 1.0):
        n_effective, df, note = _planned_n(weight, people, photos), np.inf, "planning design effect"
        quantile = stats.norm.ppf(upper)
    else:
        crossed = crossed_variance(psi, people, photos)
        a, b, c = crossed[:3]
        variance = max(a + b - c, a, b, least)
        n_effective, df, note = p * (1 - p) / variance, crossed.degrees_of_freedom(variance), ""
        quantile = stats.t.ppf(upper, df)
    low, high = wilson_interval(p, n_effective, quantile)
    return Fraction(p, low, high, n, n_people, n_photos, n_effective, df, note)


def difference(
    correct: ArrayLike,
    model: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    a: Any,
    b: Any,
    confidence: float = 0.95,
) -> Difference:
    """Turing fraction of model `a` minus that of `b`, shared participants and photos accounted for.

    Choices of other models are left out. ValueError where a model has no choices.
    """
    y = zero_or_one(correct, "correct")
    check_same_length(correct=correct, model=model, participant=participant, photo=photo)
    check_confidence(confidence)
    labels, people, photos = (np.asarray(x) for x in (model, participant, photo))
    of_a, of_b = labels == a, labels == b
    for name, of in ((a, of_a), (b, of_b)):
        if not np.any(of):
            raise ValueError(f"model: expected choices of {name!r}, found none")
    if a == b:
        raise ValueError(f"expected two models, found {a!r} twice")

    cells = [turing_fraction(y[of], people[of], photos[of], confidence) for of in (of_a, of_b)]
    estimate = cells[0].estimate - cells[1].estimate
    if any(min(cell.participants, cell.photos) < 2 for cell in cells):
        note = "a model with one participant or one photo: described, no interval"
        return Difference(estimate, np.nan, np.nan, np.nan, np.nan, note)

    psi = np.where(of_a, (y - cells[0].estimate) / cells[0].n, 0.0)
    psi -= np.where(of_b, (y - cells[1].estimate) / cells[1].n, 0.0)
    used = of_a | of_b
    crossed = crossed_variance(psi[used], people[used], photos[used])
    variance = max(crossed.by_participant + crossed.by_photo - crossed.by_pair, crossed.by_pair)
    if variance == 0:
        return _difference_at_the_ends(*cells)
    return t_interval(estimate, variance, crossed, confidence, bound=1.0)


def t_interval(
    estimate: float,
    variance: float,
    crossed: Crossed,
    confidence: float,
    bound: float = np.inf,
) -> Difference:
    """`estimate` -+ t sqrt(`variance`), kept within -+ `bound`, and the p-value of zero."""
    df = crossed.degrees_of_freedom(variance)
    error = np.sqrt(variance)
    half = stats.t.ppf((1 + confidence) / 2, df) * error
    low, high = max(-bound, estimate - half), min(bound, estimate + half)
    p_value = 2 * stats.t.sf(abs(estimate) / error, df)
    return Difference(float(estimate), float(low), float(high), float(p_value), df)


def _difference_at_the_ends(a: Fraction, b: Fraction) -> Difference:
    """Each model all right or all wrong: squares of Wilson's distances added (Newcombe 1998, 10).

    The p-value is the pooled score test's at the effective numbers of choices.
    """
    estimate = a.estimate - b.estimate
    low = estimate - np.hypot(a.estimate - a.low, b.high - b.estimate)
    high = estimate + np.hypot(a.high - a.estimate, b.estimate - b.low)
    p_value = 1.0
    if estimate:
        n_a, n_b = a.n_effective, b.n_effective
        pooled = (a.estimate * n_a + b.estimate * n_b) / (n_a + n_b)
        error = np.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
        p_value = float(2 * stats.norm.sf(abs(estimate) / error))
    return Difference(
        estimate, float(max(-1, low)), float(min(1, high)), p_value, np.inf, a.note or b.note
    )


def holm(p_values: ArrayLike) -> np.ndarray:
    """Holm's adjusted p-values (1979), in the order given; NaN is no test, and stays NaN."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or np.any((p < 0) | (p > 1)):
        raise ValueError("p_values: expected a list of numbers from 0 to 1")
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted


def verdict(
    correct: ArrayLike, participant: ArrayLike, photo: ArrayLike, delta: float = 0.1
) -> Verdict:
    """What a cell shows, `delta` being how far from chance still counts as chance.

    `indistinguishable` where the 90% interval lies within 0.5 -+ delta (two one-sided tests at 5%,
    Schuirmann 1987), "but detectable" where the 95% interval leaves out 0.5 all the same.
    """
    if not 0 < delta < 0.5:
        raise ValueError(f"delta: expected a number between 0 and 0.5, found {delta}")
    fractions = [turing_fraction(correct, participant, photo, level) for level in (0.90, 0.95)]
    return verdict_of(*fractions, delta)


def verdict_of(narrow: Fraction, wide: Fraction, delta: float) -> Verdict:
    """The `verdict` of one fraction's 90% and 95% intervals."""
    detected = wide.low > 0.5 or wide.high < 0.5
    if narrow.low > 0.5 - delta and narrow.high < 0.5 + delta:
        return "indistinguishable, but detectable" if detected else "indistinguishable"
    if detected:
        return "told apart" if wide.low > 0.5 else "reversed"
    return "undecided"


def position_bias(
    choice: ArrayLike, participant: ArrayLike, photo: ArrayLike, confidence: float = 0.95
) -> Fraction:
    """Share of choices of the left or first part (`choice` 0); 0.5 is no bias."""
    return turing_fraction(1 - zero_or_one(choice, "choice"), participant, photo, confidence)


def learning(
    correct: ArrayLike,
    position: ArrayLike,
    participant: ArrayLike,
    photo: ArrayLike,
    confidence: float = 0.95,
) -> Difference:
    """Turing fraction of each participant's second half of trials minus that of the first.

    `position` orders a participant's own trials; the middle one of an odd number is of the first.
    """
    y = zero_or_one(correct, "correct")
    check_same_length(correct=correct, position=position, participant=participant, photo=photo)
    people, n_people = label_codes(participant, "participant")
    counts = np.bincount(people, minlength=n_people)
    order = np.lexsort((np.asarray(position), people))
    rank = np.empty(len(y), dtype=int)
    rank[order] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    second = rank >= (counts[people] + 1) // 2
    if not np.any(second):
        nothing = "no participant with two choices"
        return Difference(np.nan, np.nan, np.nan, np.nan, np.nan, nothing)
    return difference(y, second, participant, photo, True, False, confidence)
