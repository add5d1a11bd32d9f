"""From the facts of a study to its results: exclusions, cells, comparisons and what else there is.

The turing fraction is equation 2 of the first paper; protocols are never pooled.
"""

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from turing.analysis.aspects.confidence import Sureness, sureness
from turing.analysis.aspects.exposures import Exposed, exposures
from turing.analysis.aspects.heterogeneity import Heterogeneity, heterogeneity
from turing.analysis.aspects.marks import Marked, marked
from turing.analysis.cells import Cell, cells_of, slices
from turing.analysis.data import StudyData
from turing.analysis.exclusions import Exclusions, exclusions, people_of
from turing.analysis.looks import Levels, Looking, looking
from turing.statistics import power
from turing.statistics.bradley_terry import BradleyTerry, Ranks, bradley_terry, resampled_ranks
from turing.statistics.detection import one_picture_difference
from turing.statistics.fractions import (
    Difference,
    Fraction,
    difference,
    holm,
    learning,
    naive_interval,
    position_bias,
    turing_fraction,
)
from turing.study.counts import count, people
from turing.study.trials import ALIKE, ORIGINAL

MOST_STEPS = 8  # of the curve of learning
FEW = 4  # people, fewer than whom no figure says much


@dataclass(frozen=True)
class Comparison:
    """Turing fraction of `a` minus that of `b`; for `preference` the score of `a` minus `b`'s."""

    dataset: str | None
    a: str
    b: str
    difference: Difference
    p_holm: float


@dataclass(frozen=True)
class Preference:
    """Bradley-Terry scores of a dataset (None = all)."""

    dataset: str | None
    scores: BradleyTerry
    ranks: Ranks


@dataclass(frozen=True)
class Photo:
    """How often a photo's colorization was told apart; people are independent within a photo."""

    dataset: str
    file: str
    model: str
    stimulus: str  # one in which it is coloured, where there is one
    parts: tuple[str, ...]  # of that stimulus, left or first part first
    shown: int
    correct: int
    low: float
    high: float
    unusual: bool  # the interval leaves out the fraction of its cell


@dataclass(frozen=True)
class Step:
    """A stretch of a participant's scored trials, counted from 1."""

    first: int
    last: int
    fraction: Fraction


@dataclass(frozen=True)
class Results:
    """All that a report says. `choices` are the scored ones of those who are counted, in a study
    with looks of those of the last look."""

    data: StudyData
    exclusions: Exclusions
    counted: frozenset[int]
    choices: pd.DataFrame
    cells: tuple[Cell, ...]
    cells_of_all: tuple[Cell, ...]  # nobody excluded but those who withdrew
    heterogeneity: tuple[Heterogeneity, ...]  # one a cell
    comparisons: tuple[Comparison, ...]
    preferences: tuple[Preference, ...]
    position: Fraction | None  # share of left or first parts picked; None where there is one part
    learning: Difference | None
    curve: tuple[Step, ...]
    photos: tuple[Photo, ...]
    exposures: tuple[Exposed, ...]  # one a cell, where they differ
    sureness: tuple[Sureness, ...]  # one a cell, where it was asked
    marked: tuple[Marked, ...]
    people: pd.DataFrame
    look: Looking | None
    notes: tuple[str, ...]

    @property
    def started(self) -> int:
        return len(self.data.participants)


def analyse(data: StudyData, unblind: bool = False) -> Results:
    """Everything that the study's protocol allows to say, and its looks by now.

    unblind: all that is known, whatever the looks.
    """
    ruled_out = exclusions(data)
    look = looking(data, ruled_out, unblind)
    levels = Levels()
    scored = data.trials[(data.trials["kind"] == "scored") & data.trials["choice"].notna()]
    withdrawn = ruled_out.rules[0].participants
    everyone = scored[~scored["participant"].isin(withdrawn)]
    counted = _kept(everyone, ruled_out)["participant"]
    if look and not look.is_unblinded:
        levels = look.levels
        everyone = everyone[everyone["participant"].isin(_within(data, look))]
    choices = _kept(everyone, ruled_out)
    is_preference = data.protocol == "preference"
    cells = () if is_preference else cells_of(choices, data, levels)
    preferences = _preferences(choices, data, levels.wide) if is_preference else ()
    return Results(
        data=data,
        exclusions=ruled_out,
        counted=frozenset(counted.astype(int)),
        choices=choices,
        cells=cells,
        cells_of_all=() if is_preference else cells_of(everyone, data, levels),
        heterogeneity=heterogeneity(choices, cells, data),
        comparisons=_ranked(preferences)
        if is_preference
        else _comparisons(choices, data, levels.wide),
        preferences=preferences,
        position=None if data.protocol == "single" else _position(choices),
        learning=None if is_preference else _learning(choices),
        curve=() if is_preference else _curve(choices),
        photos=() if is_preference else _photos(choices, cells),
        exposures=exposures(choices, data, levels.wide),
        sureness=sureness(choices, data, levels.wide),
        marked=marked(choices),
        people=_people(data, ruled_out, look),
        look=look,
        notes=_notes(data, cells, choices, look),
    )


def _kept(scored: pd.DataFrame, ruled_out: Exclusions) -> pd.DataFrame:
    """Without the participants and the trials that a rule leaves out."""
    out = scored["participant"].isin(ruled_out.participants) | scored.index.isin(ruled_out.trials)
    return scored[~out]


def _within(data: StudyData, look: Looking) -> frozenset[int]:
    """The participants of a look, and those who are not counted and had finished by then."""
    finished = data.participants["finished"]
    until = finished[list(look.participants)].max() if look.participants else pd.NaT
    by_then = finished.index[finished <= until]
    others = {int(n) for n in by_then} - set(look.finished)
    return look.participants | frozenset(others)


def _people(data: StudyData, ruled_out: Exclusions, look: Looking | None) -> pd.DataFrame:
    """Without what was right where a look is still to come."""
    people = people_of(data, ruled_out)
    return people.assign(correct=np.nan) if look and look.is_blind else people


def _comparisons(
    choices: pd.DataFrame, data: StudyData, confidence: float
) -> tuple[Comparison, ...]:
    """Every two models. Holm over all pairs of all datasets, and over those of the whole."""
    compared = one_picture_difference if data.protocol == "single" else difference
    choices = choices[choices["model"].notna()]
    found = [
        (
            dataset,
            a,
            b,
            compared(
                *(of[name] for name in ("correct", "model", "participant", "photo_id")),
                *(a, b, confidence),
            ),
        )
        for dataset, of in slices(choices, data)
        for a, b in combinations([m for m in data.study.models if (of["model"] == m).any()], 2)
    ]
    return _adjusted(found)


def _adjusted(found: list[tuple[str | None, str, str, Difference]]) -> tuple[Comparison, ...]:
    adjusted = np.full(len(found), np.nan)
    for whole in (False, True):
        family = [i for i, (dataset, *_) in enumerate(found) if (dataset is None) == whole]
        adjusted[family] = holm([found[i][3].p_value for i in family])
    return tuple(Comparison(*pair, float(p)) for pair, p in zip(found, adjusted, strict=True))


def _preferences(
    choices: pd.DataFrame, data: StudyData, confidence: float
) -> tuple[Preference, ...]:
    found = []
    for dataset, of in slices(choices, data):
        shown = of["left"], of["right"], of["choice"], of["participant"], of["photo_id"]
        ties = data.study.trials.ties
        scores = bradley_terry(*shown, confidence, ties)
        ranks = resampled_ranks(*shown, confidence=confidence, ties=ties)
        found.append(Preference(dataset, scores, ranks))
    return tuple(found)


def _ranked(preferences: tuple[Preference, ...]) -> tuple[Comparison, ...]:
    return _adjusted(
        [
            (preference.dataset, a, b, found)
            for preference in preferences
            for (a, b), found in preference.scores.comparisons.items()
        ]
    )


def _position(choices: pd.DataFrame) -> Fraction:
    """Of the choices that picked a part."""
    picked = choices[choices["choice"] != ALIKE]
    return position_bias(picked["choice"], picked["participant"], picked["photo_id"])


def _learning(choices: pd.DataFrame) -> Difference:
    return learning(
        choices["correct"], choices["position"], choices["participant"], choices["photo_id"]
    )


def _curve(choices: pd.DataFrame) -> tuple[Step, ...]:
    """Turing fraction over a participant's scored trials, in stretches of like length."""
    nth = choices.groupby("participant")["position"].rank(method="first")
    if nth.empty:
        return ()
    ends = np.linspace(0, int(nth.max()), min(MOST_STEPS, int(nth.max())) + 1).round().astype(int)
    steps = []
    for before, last in pairwise(ends):
        of = choices[(nth > before) & (nth <= last)]
        steps.append(
            Step(
                int(before) + 1,
                int(last),
                turing_fraction(of["correct"], of["participant"], of["photo_id"]),
            )
        )
    return tuple(steps)


def _photos(choices: pd.DataFrame, cells: tuple[Cell, ...]) -> tuple[Photo, ...]:
    """Each photo as each model coloured it, the least told apart first; originals shown alone too,
    as of a model of that name."""
    expected = {}
    for cell in cells:
        told, accused = cell.fraction.estimate, np.nan
        if cell.detection:
            told, accused = cell.detection.hit_rate, cell.detection.false_alarm_rate
        expected[cell.dataset, cell.model] = told
        expected[cell.dataset, ORIGINAL] = 1 - accused
    found = []
    choices = choices.assign(model=choices["model"].fillna(ORIGINAL))
    for (dataset, _, model), of in choices.groupby(["dataset", "photo_id", "model"]):
        low, high = naive_interval(of["correct"])
        usual = low <= expected.get((dataset, model), np.nan) <= high
        picture = of.iloc[0]
        found.append(
            Photo(
                str(dataset),
                str(picture["photo_file"]),
                str(model),
                str(picture["stimulus"]),
                tuple(part for part in (picture["left"], picture["right"]) if part is not None),
                len(of),
                int(of["correct"].sum()),
                low,
                high,
                not usual,
            )
        )
    return tuple(sorted(found, key=lambda p: (p.correct / p.shown, -p.shown, p.file, p.model)))


def _notes(
    data: StudyData, cells: tuple[Cell, ...], choices: pd.DataFrame, look: Looking | None
) -> tuple[str, ...]:
    """What a reader must know before the figures."""
    notes = look.sentences() if look else []
    counted, planned = choices["participant"].nunique(), data.study.participants.planned
    if planned and not look and counted < planned:
        of_plan = f"{counted} of the {count(planned, 'planned participant')}"
        notes.append(f"{of_plan} {'is' if counted == 1 else 'are'} counted so far")
    if planned and not look and counted > planned:
        notes.append(
            f"Overrun: {counted} participants are counted where {count(planned, 'was', 'were')} "
            f"planned"
        )
    short: dict[str, list[str]] = {}  # what is said of which models
    for cell in cells:
        if cell.dataset is None and (note := _cannot_show(cell.fraction, data)):
            short.setdefault(note, []).append(cell.model)
    notes += [f"{', '.join(models)}: {note}" for note, models in short.items()]
    if 0 < counted < FEW:
        notes.append(
            f"Of {people(counted)}: intervals allow for so few, and those of d', "
            "of thresholds and of ratios may bound nothing"
        )
    if not len(choices) and not (look and look.is_blind):
        notes.append("Nobody is counted yet: no results")
    for version, others in data.elsewhere.items():
        notes.append(f"Not in these figures: {count(others, 'participant')} of version {version}")
    return tuple(dict.fromkeys(notes))


def _cannot_show(fraction: Fraction, data: StudyData) -> str:
    """Where so few people or photos cannot show `indistinguishable`, and how many could."""
    delta = data.study.analysis.delta
    trials = max(1, round(fraction.n / fraction.participants))
    photos = max(fraction.photos, trials)
    note = power.plan(fraction.participants, trials, photos, delta=delta).note
    if not note:
        return ""
    enough = power.participants_for_margin(delta, trials, photos)
    cure = (
        f"{enough} would do"
        if enough
        else f"with {count(photos, 'photo')} no number of people could"
    )
    return f"{note}; {cure}"
