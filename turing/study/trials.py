"""Who sees what, where, in which order: pure functions of (design, key, part, number).

Everything is drawn from HMAC-SHA256 with the study's secret key of 32 bytes, so that nobody can
compute sides or order from the seed, and the same participant gets the same trials for ever.

A trial shows parts: a model's name, None for the original, WILD for a wildly wrong colouring.
`pick-original` is the first paper's protocol (4.3), `pick-fake-sequential` that of Zhang et al.
2016 (4.1).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from turing.study.draws import Draws

Protocol = Literal["pick-original", "pick-fake-sequential", "single", "preference"]
Kind = Literal["practice", "scored", "catch"]
Parts = tuple[str | None, ...]

WILD = "*wild"  # no model can have this name
ALIKE = 2  # the choice that finds both parts alike, where a study allows it
CONFIDENCE_LEVELS = 4  # of a rating after a choice, 1 = a guess
ORIGINAL = "original"  # what rows and reports call the part None; no model may have this name
SIDE_BLOCK = 20  # scored trials in which either side comes up equally often
ROUND = 120  # participants whose photos are balanced together


class TooFewPhotosError(ValueError):
    """Not enough photos for one participant; `missing` says how many more it takes."""

    def __init__(self, missing: int, message: str) -> None:
        super().__init__(message)
        self.missing = missing


class Placed(NamedTuple):
    """A photo and the dataset that it stands for."""

    dataset: str
    photo: str


class Selection(NamedTuple):
    """Which photos a study uses; `missing` counts what a dataset has fewer than was asked."""

    scored: dict[str, tuple[str, ...]]
    practice: tuple[Placed, ...]
    catch: tuple[Placed, ...]
    missing: dict[str, int]


@dataclass(frozen=True)
class Design:
    """All that the trials of a study follow from, but the key."""

    protocol: Protocol
    models: tuple[str, ...]
    photos: Mapping[str, tuple[str, ...]]  # dataset -> scored photos
    practice: tuple[Placed, ...]
    catch: tuple[Placed, ...]
    per_participant: int
    seed: int
    practice_models: tuple[str, ...] = ()  # the study's own where none are given

    def __post_init__(self) -> None:
        if self.per_participant < 1:
            raise ValueError(f"per_participant: expected 1 or more, found {self.per_participant}")
        if len(self.models) < (2 if self.protocol == "preference" else 1):
            raise ValueError(f"too few models for {self.protocol}: found {list(self.models)}")
        photos = [photo for of in self.photos.values() for photo in of]
        used = [*photos, *(place.photo for place in (*self.practice, *self.catch))]
        if len(set(used)) < len(used):
            raise ValueError("expected every photo once, in one dataset and for one purpose")
        _check_enough(len(photos), self.per_participant, 0, 0)


class Trial(NamedTuple):
    """`model` is the cell that a choice counts in: None for catch trials and `preference`."""

    kind: Kind
    dataset: str
    photo: str
    parts: Parts  # left or first part, then right or second; one part for `single`
    model: str | None


def select_photos(
    photos: Mapping[str, Sequence[str]],
    *,
    per_dataset: int,
    per_participant: int,
    practice: int,
    catch: int,
    seed: int,
) -> Selection:
    """Choose by seed: up to `per_dataset` (0 = all) scored photos a dataset, others set aside.

    `photos` are the good ones, by content hash, so that file names and order do not matter.
    Practice and catch photos are taken from what a dataset has to spare, else from the largest.
    """
    every = [photo for of in photos.values() for photo in of]
    if len(set(every)) < len(every):
        raise ValueError("expected every photo once, in one dataset")
    _check_enough(len(every), per_participant, practice, catch)

    def rank(photo: str) -> bytes:
        return hashlib.sha256(f"{seed}\x1f{photo}".encode()).digest()

    ranked = {dataset: sorted(of, key=rank) for dataset, of in photos.items()}
    scored = {dataset: min(per_dataset or len(of), len(of)) for dataset, of in ranked.items()}
    aside: list[Placed] = []
    taken = dict.fromkeys(ranked, 0)
    for _ in range(practice + catch):
        spare = {d: len(of) - taken[d] - scored[d] for d, of in ranked.items()}
        dataset = max(ranked, key=lambda d: (spare[d] > 0, -taken[d] if spare[d] else scored[d]))
        taken[dataset] += 1
        scored[dataset] = min(scored[dataset], len(ranked[dataset]) - taken[dataset])
        aside.append(Placed(dataset, ranked[dataset][-taken[dataset]]))
    if (left := sum(scored.values())) < per_participant:
        raise TooFewPhotosError(
            per_participant - left,
            f"one participant needs {per_participant} scored photos, found {left} "
            f"with at most {per_dataset} a dataset: {per_participant - left} missing",
        )
    missing = {d: per_dataset - n for d, n in scored.items() if n < per_dataset}
    chosen = {d: tuple(of[: scored[d]]) for d, of in ranked.items()}
    return Selection(chosen, tuple(aside[:practice]), tuple(aside[practice:]), missing)


def _check_enough(found: int, per_participant: int, practice: int, catch: int) -> None:
    needed = per_participant + practice + catch
    if found < needed:
        others = f" ({per_participant} scored, {practice} for practice, {catch} for catch trials)"
        raise TooFewPhotosError(
            needed - found,
            f"one participant needs {needed} photos{others if practice or catch else ''}, "
            f"found {found}: {needed - found} missing",
        )


def participant_trials(
    design: Design, key: bytes, number: int, part: int = 1, preview: bool = False
) -> tuple[Trial, ...]:
    """Every trial of participant `number` (1, 2, ...), practice first, in the order shown.

    Previews are numbered on their own, so that they leave no gap in what the others see.
    """
    if number < 1:
        raise ValueError(f"number: expected 1 or more, found {number}")

    def draws(purpose: str, of: int = number) -> Draws:
        return Draws.of_participant(key, purpose, design.seed, part, of, preview)

    first = number - (number - 1) % ROUND
    scored = _allot(design, [draws("photos", of) for of in range(first, number + 1)], first)
    shown = _arrange(design, scored, draws("sides"))
    practice = _aside(design, "practice", draws("practice"))
    catch = _aside(design, "catch", draws("catch"))
    for slot, trial in zip(
        _catch_slots(len(shown), len(catch), draws("slots")), catch, strict=True
    ):
        shown.insert(slot, trial)
    return (*practice, *shown)


def correct_choice(protocol: Protocol, parts: Parts) -> int | None:
    """The part that is right to pick (for `single`: 0 real, 1 colorized); None where none is."""
    if protocol == "single":
        return 0 if parts[0] is None else 1
    if None not in parts:
        return None
    original = parts.index(None)
    return 1 - original if protocol == "pick-fake-sequential" else original


def was_right(protocol: Protocol, parts: Parts, choice: float | None) -> bool | None:
    """Whether a choice was right; None where there is none, or none is right."""
    right = correct_choice(protocol, parts)
    return None if choice is None or right is None else choice == right


def accused_part(protocol: Protocol, choice: int) -> int | None:
    """The part that a choice holds to be colorized, or less real; None where it accuses none."""
    if choice == ALIKE:
        return None
    if protocol == "single":
        return 0 if choice == 1 else None
    return choice if protocol == "pick-fake-sequential" else 1 - choice


def every_stimulus(design: Design) -> list[tuple[Placed, Parts]]:
    """Every picture that some participant may be shown, in a fixed order, each once."""
    scored = [Placed(dataset, photo) for dataset, of in design.photos.items() for photo in of]
    shown = [
        (place, parts)
        for places, treatments in (
            (scored, _treatments(design.protocol, design.models)),
            (design.practice, _practice_treatments(design)),
            (design.catch, [_CATCH]),
        )
        for place in places
        for treatment in treatments
        for parts in _ways(design.protocol, treatment)
    ]
    return list(dict.fromkeys(shown))


def offers_break(position: int, break_every: int) -> bool:
    """Whether a pause comes before trial `position` (0 = first after practice).

    Catch trials count like any other: a break must not tell where they are.
    """
    return break_every > 0 and position > 0 and position % break_every == 0


# A treatment is what a photo may be shown as: two parts, of which `single` shows either.
_Treatment = tuple[str | None, str]
_CATCH: _Treatment = (None, WILD)


def _treatments(protocol: Protocol, models: tuple[str, ...]) -> list[_Treatment]:
    return (
        list(combinations(models, 2)) if protocol == "preference" else [(None, m) for m in models]
    )


def _practice_treatments(design: Design) -> list[_Treatment]:
    own = _treatments(design.protocol, design.practice_models)
    return own or _treatments(design.protocol, design.models)


def _ways(protocol: Protocol, treatment: _Treatment) -> tuple[Parts, ...]:
    """The two ways to show a treatment; a catch trial of `single` has one."""
    a, b = treatment
    if protocol == "single":
        return ((b,),) if treatment == _CATCH else ((a,), (b,))
    return (a, b), (b, a)


def _trial(kind: Kind, place: Placed, treatment: _Treatment, parts: Parts) -> Trial:
    cell = treatment[1] if treatment[0] is None and kind != "catch" else None
    return Trial(kind, *place, parts, cell)


def _quotas(sizes: Sequence[int], total: int, order: Sequence[int]) -> list[int]:
    """Share `total` among datasets as evenly as their sizes allow, the rest in `order`."""
    quotas = [0] * len(sizes)
    while total:
        open_ = [k for k in order if quotas[k] < sizes[k]][:total]
        share = min(total // len(open_), min(sizes[k] - quotas[k] for k in open_))
        for k in open_:
            quotas[k] += share
        total -= share * len(open_)
    return quotas


def _allot(design: Design, draws: Sequence[Draws], first: int) -> list[tuple[Placed, int]]:
    """Photos and treatments (by index) of the last of several participants in a row.

    Each takes the photos that those before have seen least, and gets models for them, in equal
    numbers, so that photo x model evens out too (an assignment problem).
    """
    datasets = list(design.photos)
    sizes = [len(design.photos[name]) for name in datasets]
    n_treatments = len(_treatments(design.protocol, design.models))
    counts = [np.zeros((size, n_treatments)) for size in sizes]
    allotted: list[tuple[Placed, int]] = []
    for number, draw in enumerate(draws, first - 1):
        turn = number % len(datasets)
        order = [*range(turn, len(datasets)), *range(turn)]
        quotas = _quotas(sizes, design.per_participant, order)
        slot = number // len(datasets)
        allotted = []
        for k in order:
            treatment = (slot + np.arange(quotas[k])) % n_treatments
            slot += quotas[k]
            least = np.lexsort((draw.words(sizes[k]), counts[k].sum(axis=1)))[: quotas[k]]
            ties = draw.words(len(least), len(least)) / 2**64 / (2 * len(least) + 1)
            chosen = linear_sum_assignment(counts[k][np.ix_(least, treatment)] + ties)[1]
            counts[k][least, treatment[chosen]] += 1
            name = datasets[k]
            allotted += [
                (Placed(name, design.photos[name][photo]), int(t))
                for photo, t in zip(least, treatment[chosen], strict=True)
            ]
    return allotted


def _arrange(design: Design, allotted: Sequence[tuple[Placed, int]], draws: Draws) -> list[Trial]:
    """Scored trials in the order shown.

    In every treatment, every dataset of it and every block of trials, the two ways to show a
    treatment come up equally often, up to one. To that end trials of one treatment are laid side
    by side, the way to show them alternates, and neighbours go into one block together.
    """
    treatments = _treatments(design.protocol, design.models)
    mixed = [allotted[i] for i in draws.order(len(allotted))]
    mixed.sort(key=lambda item: (item[1], item[0].dataset))
    start = draws.below(2)
    trials = [
        _trial(
            "scored", place, treatments[t], _ways(design.protocol, treatments[t])[(start + i) % 2]
        )
        for i, (place, t) in enumerate(mixed)
    ]
    pairs = [trials[i : i + 2] for i in range(0, len(trials) - 1, 2)]
    pairs = [pairs[i] for i in draws.order(len(pairs))]
    dealt = [trial for pair in pairs for trial in pair] + trials[2 * len(pairs) :]
    blocks = [dealt[i : i + SIDE_BLOCK] for i in range(0, len(dealt), SIDE_BLOCK)]
    return [block[i] for block in blocks for i in draws.order(len(block))]


def _aside(design: Design, kind: Kind, draws: Draws) -> list[Trial]:
    """Practice or catch trials in random order, both ways to show them equally often."""
    practice = kind == "practice"
    treatments = _practice_treatments(design) if practice else [_CATCH]
    turn, start = draws.below(len(treatments)), draws.below(2)
    trials = []
    for i, place in enumerate(design.practice if practice else design.catch):
        treatment = treatments[(turn + i) % len(treatments)]
        ways = _ways(design.protocol, treatment)
        trials.append(_trial(kind, place, treatment, ways[(start + i) % len(ways)]))
    return [trials[i] for i in draws.order(len(trials))]


def _catch_slots(scored: int, catch: int, draws: Draws) -> list[int]:
    """Ascending positions of catch trials among all: every position but the first alike.

    They are scattered by a smallest distance on the circle of positions, turned at random.
    """
    if not catch:
        return []
    circle = scored + catch - 1
    apart = max(1, circle // (2 * catch))
    slack = circle - catch * apart
    bars = sorted(draws.order(slack + catch - 1)[: catch - 1])
    steps = np.diff([-1, *bars, slack + catch - 1]) - 1 + apart
    turned = (draws.below(circle) + np.cumsum(steps)) % circle
    return sorted(int(slot) + 1 for slot in turned)
