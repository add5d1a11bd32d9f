"""Looks at a study before its end: which one it has come to, who is in it, at which levels.

Until a look there are no figures, and then those of its own participants alone: whoever watches a
fraction grow and stops when it pleases errs more often than the level says.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from turing.analysis.data import StudyData
from turing.analysis.exclusions import Exclusions, exclusions
from turing.analysis.frames import load_data
from turing.statistics.sequential import Look, Spending, looks
from turing.store.records import LAST_LOOK, finished, was_over
from turing.store.store import Store, facts, note
from turing.study.counts import count

UNBLINDED = "unblinded"  # the event that somebody saw figures before their time


class Levels(NamedTuple):
    """Confidence of the interval that has to lie within the margin, and of all others."""

    narrow: float = 0.90
    wide: float = 0.95


@dataclass(frozen=True)
class Looking:
    """Where a study with looks stands. `finished` are counted participants who came to the end, in
    that order: look k is about the first so many of them."""

    planned: tuple[Look, ...]  # two-sided at 5%
    equivalence: tuple[Look, ...]  # one-sided at 5%: two one-sided tests
    finished: tuple[int, ...]
    is_unblinded: bool = False
    was_over: bool = False  # though some may have left since

    @property
    def reached(self) -> int:
        if self.was_over:
            return len(self.planned)
        return sum(look.participants <= len(self.finished) for look in self.planned)

    @property
    def is_over(self) -> bool:
        return self.reached == len(self.planned)

    @property
    def is_blind(self) -> bool:
        """Whether what more is known than the last look says stays hidden."""
        return not (self.is_over or self.is_unblinded)

    @property
    def participants(self) -> frozenset[int]:
        """Those of the last look that was reached."""
        last = self.planned[self.reached - 1].participants if self.reached else 0
        return frozenset(self.finished[:last])

    @property
    def levels(self) -> Levels:
        if not self.reached:
            return Levels()
        at = self.reached - 1
        return Levels(1 - 2 * self.equivalence[at].level, 1 - self.planned[at].level)

    def sentences(self) -> list[str]:
        """What a reader must know of it before the figures."""
        done, last = len(self.finished), self.planned[-1].participants
        if self.is_unblinded:
            said = [
                "Seen before their time: these figures are of all answers so far, not of a look, "
                "and no verdict of theirs keeps the study's error rate"
            ]
        elif not self.reached:
            first = self.planned[0].participants
            said = [
                f"No figures before the first look, at {count(first, 'counted participant')} who "
                f"finished: "
                f"{count(done, 'has', 'have')}. Until then there are counts, drop-out, catch "
                f"trials and speed"
            ]
        else:
            look = self.planned[self.reached - 1]
            said = [
                f"Look {self.reached} of {len(self.planned)}, at the first "
                f"{count(look.participants, 'counted participant')} who finished; intervals of "
                f"fractions, models and ranks are "
                f"{self.levels.wide:.2%} ones, which hold at all looks together"
            ]
            if not self.is_over:
                following = self.planned[self.reached].participants
                said.append(
                    f"The next figures come at {following}; {count(done, 'has', 'have')} finished"
                )
        if done > last:
            said.append(
                f"Overrun: {done} counted participants finished where "
                f"{count(last, 'was', 'were')} planned; the "
                f"first {last} are in these figures"
            )
        return said


def looking(data: StudyData, ruled_out: Exclusions, unblind: bool = False) -> Looking | None:
    """None for a study without looks."""
    rules = data.study.analysis
    if not rules.looks:
        return None
    apart, alike = _levels(rules.looks, rules.spending)
    by_end = data.participants["finished"].dropna().sort_values(kind="stable")
    counted = [int(n) for n in by_end.index if int(n) not in ruled_out.participants]
    return Looking(
        apart,
        alike,
        tuple(counted),
        unblind and len(counted) < rules.looks[-1] and not data.was_over,
        data.was_over,
    )


@lru_cache(maxsize=64)
def _levels(
    participants: tuple[int, ...], spending: Spending
) -> tuple[tuple[Look, ...], tuple[Look, ...]]:
    """For "told apart", two-sided, and for the margin, one-sided: each takes a while."""
    return looks(participants, spending), looks(participants, spending, two_sided=False)


def note_last_look(store: Store) -> bool:
    """Whether the version that new participants see has just come to its last look.

    That is written down once, so that a study that is opened again stays open.
    """
    with store.reading() as db:
        version = facts(db).version
        planned = () if version is None else store.version(db, version).study.analysis.looks
        if not planned or was_over(db, version) or finished(db, version) < planned[-1]:
            return False  # without reading all that was answered
    data = load_data(store)
    found = looking(data, exclusions(data))
    if found is None or not found.is_over:
        return False
    with store.writing() as db:
        note(db, None, LAST_LOOK, f"version {version}")
    return True


def note_unblinding(store: Store, what: str) -> None:
    """Write down that figures were seen before their time, and by which command."""
    with store.writing() as db:
        note(db, None, UNBLINDED, what)
