"""Who is counted: the rules of the study file, applied in the analysis. Nothing is deleted.

No rule looks at scored trials' correctness: dropping people below 0.45 moved a true 0.500 to
0.570 in simulation.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from turing.analysis.data import StudyData
from turing.study.counts import count


class Exclusion(NamedTuple):
    """A rule and whom it leaves out."""

    rule: str  # the key in the study file, "withdrawn" or "screened_out"
    meaning: str
    participants: frozenset[int]


class TrialRule(NamedTuple):
    """A rule about single trials, and the scored ones of `StudyData.trials` that it leaves out."""

    rule: str
    meaning: str
    trials: frozenset[int]  # of the frame's index


class Exclusions(NamedTuple):
    """Every rule in force, even where it leaves out nobody."""

    rules: tuple[Exclusion, ...]
    of_trials: tuple[TrialRule, ...] = ()

    @property
    def trials(self) -> frozenset[int]:
        return frozenset().union(*(rule.trials for rule in self.of_trials))

    @property
    def participants(self) -> frozenset[int]:
        return frozenset().union(*(rule.participants for rule in self.rules))

    def alone(self, rule: Exclusion) -> int:
        """How many only this rule leaves out."""
        others = frozenset().union(*(r.participants for r in self.rules if r is not rule))
        return len(rule.participants - others)

    def reasons(self, participant: int) -> tuple[str, ...]:
        return tuple(r.rule for r in self.rules if participant in r.participants)


def exclusions(data: StudyData) -> Exclusions:
    """Apply [analysis] of the study file. A rule that has nothing to go by excludes nobody."""
    rules, answered = data.study.analysis, data.trials[data.trials["choice"].notna()]
    found = [
        Exclusion("withdrawn", "left the study and is never counted", _flagged(data, "withdrawn")),
    ]
    if data.study.participants.screen_out or data.participants["screened_out"].any():
        meaning = "was screened out before the trials, and is never counted"
        found.append(Exclusion("screened_out", meaning, _flagged(data, "screened_out")))
    if rules.min_catch_correct > 0:
        share = answered[answered["kind"] == "catch"].groupby("participant")["correct"].mean()
        found.append(
            Exclusion(
                "min_catch_correct",
                f"fewer than {rules.min_catch_correct:.0%} of catch trials right",
                _which(share < rules.min_catch_correct),
            )
        )
    if rules.min_median_rt_ms > 0:
        median = answered[answered["kind"] == "scored"].groupby("participant")["rt_ms"].median()
        found.append(
            Exclusion(
                "min_median_rt_ms",
                f"median response time under {rules.min_median_rt_ms:g} ms",
                _which(median < rules.min_median_rt_ms),
            )
        )
    if rules.max_focus_lost is not None:
        lost = answered[answered["kind"] == "scored"].groupby("participant")["focus_lost"].sum()
        found.append(
            Exclusion(
                "max_focus_lost",
                f"left the page for another more than {count(rules.max_focus_lost, 'time')}",
                _which(lost > rules.max_focus_lost),
            )
        )
    if rules.min_refresh_hz > 0:
        refresh = answered.groupby("participant")["refresh_hz"].median()
        found.append(
            Exclusion(
                "min_refresh_hz",
                f"a screen of fewer than {rules.min_refresh_hz:g} frames a second",
                _which(refresh < rules.min_refresh_hz),
            )
        )
    if rules.only_complete:
        left_open = data.trials["choice"].isna().groupby(data.trials["participant"]).any()
        found.append(Exclusion("only_complete", "did not answer every trial", _which(left_open)))
    for question, refused in rules.exclude_answers.items():
        of = data.answers[data.answers["question"] == question]
        found.append(
            Exclusion(
                f"exclude_answers.{question}",
                f"answered {question} with {' or '.join(refused)}",
                frozenset(of.loc[of["answer"].isin(refused), "participant"].astype(int)),
            )
        )
    return Exclusions(tuple(found), _of_trials(data, answered))


def _of_trials(data: StudyData, answered: pd.DataFrame) -> tuple[TrialRule, ...]:
    rules, scored, found = data.study.analysis, answered[answered["kind"] == "scored"], []
    if rules.max_rt_ms > 0:
        slow = scored.index[scored["rt_ms"] > rules.max_rt_ms]
        meaning = f"trials that took more than {rules.max_rt_ms:g} ms"
        found.append(TrialRule("max_rt_ms", meaning, frozenset(slow)))
    if rules.shown_again:
        again = scored.index[scored["shown_again"] > 0]
        meaning = "trials whose page was loaded anew, which shows the picture once more"
        found.append(TrialRule("shown_again", meaning, frozenset(again)))
    return tuple(found)


def _flagged(data: StudyData, column: str) -> frozenset[int]:
    return _which(data.participants[column].astype(bool))


def _which(flags: pd.Series) -> frozenset[int]:
    return frozenset(int(participant) for participant in flags.index[flags.to_numpy(dtype=bool)])


def people_of(data: StudyData, ruled_out: Exclusions) -> pd.DataFrame:
    """A row a participant: what was answered, how well, how fast, and why not counted."""
    trials = data.trials.assign(answered=data.trials["choice"].notna())
    by_kind = {kind: of.groupby("participant") for kind, of in trials.groupby("kind")}
    people = data.participants[["started", "finished", "withdrawn", "screened_out"]].copy()
    for kind, name in (("scored", ""), ("catch", "catch_")):
        if kind in by_kind:
            people[f"{name}trials"] = by_kind[kind].size()
            people[f"{name}answered"] = by_kind[kind]["answered"].sum()
            people[f"{name}correct"] = by_kind[kind]["correct"].sum(min_count=1)
        else:
            people[[f"{name}trials", f"{name}answered", f"{name}correct"]] = 0, 0, np.nan
    whole_numbers = ["trials", "answered", "catch_trials", "catch_answered"]
    people[whole_numbers] = people[whole_numbers].fillna(0).astype(int)
    of = by_kind.get("scored")
    people["median_rt_ms"] = of["rt_ms"].median() if of else np.nan
    people["complete"] = trials.groupby("participant")["answered"].all()
    people["complete"] = people["complete"].eq(True)
    people["excluded_by"] = [", ".join(ruled_out.reasons(int(n))) for n in people.index]
    return people
