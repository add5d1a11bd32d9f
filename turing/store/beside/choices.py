"""The choice in a trial: written once, with what was measured and said beside it."""

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from turing.store.beside import evidence, exposures, viewing
from turing.store.people import RefusedError
from turing.store.store import Version, note
from turing.study import trials
from turing.study.trials import Protocol


class Said(NamedTuple):
    """What somebody answers in a trial, as `Sessions.answer` takes it."""

    trial: str
    choice: int
    rt_ms: float
    shown_ms: float | None = None
    focus_lost: int = 0
    view: Mapping[str, Any] | None = None
    confidence: int | None = None
    marks: evidence.Marks | None = None
    device: Mapping[str, Any] | None = None
    absence: Mapping[str, Any] | None = None


class Written(NamedTuple):
    """Whether this choice, or the same one before, stands; `correct` only in practice."""

    stands: bool
    correct: bool | None


class Open(NamedTuple):
    """A trial without a choice."""

    position: int
    picture: str
    protocol: Protocol
    practice: int


def present(db: sqlite3.Connection, participant: int) -> list[Open]:
    """The present trial and the next one, as far as there are."""
    rows = db.execute(
        "SELECT position, picture, kind, practice FROM trials t WHERE participant = ? "
        "AND NOT EXISTS (SELECT 1 FROM choices WHERE trial = t.id) ORDER BY position LIMIT 2",
        (participant,),
    )
    return [Open(*row) for row in rows]


def write(
    db: sqlite3.Connection,
    participant: int,
    version: Version,
    said: Said,
    is_screened: bool,
    now: int,
) -> Written:
    """Write a choice for the present trial, within a transaction. The first stands.

    is_screened: whether all plates are answered. RefusedError where the trial is not open, or
    where something is said that the study does not ask.
    """
    evidence.check_asked(version.study, said.choice, said.confidence, said.marks)
    row = db.execute(
        "SELECT t.id, t.practice, t.position, t.kind, s.parts, s.left, s.right, c.choice "
        "FROM trials t JOIN stimuli s ON s.id = t.stimulus "
        "LEFT JOIN choices c ON c.trial = t.id WHERE t.picture = ? AND t.participant = ?",
        (said.trial, participant),
    ).fetchone()
    number, practice, position, protocol, parts, left, right, first = row or (None,) * 8
    if first is None:
        open_ = present(db, participant)
        if not (is_screened and open_ and open_[0].position == position):
            raise RefusedError(404, "unknown", "This trial is not open.")
        exposure_ms = exposures.exposure_ms(db, participant, position, version)
        _insert(db, participant, number, position, said, exposure_ms, now)
    else:
        again = "retried" if first == said.choice else "refused"
        note(db, participant, again, f"trial {position}, choice {said.choice}", now)
    correct = trials.was_right(protocol, (left, right)[:parts], said.choice) if practice else None
    return Written(first in (None, said.choice), correct)


def _insert(
    db: sqlite3.Connection,
    participant: int,
    trial: int,
    position: int,
    said: Said,
    exposure_ms: int,
    now: int,
) -> None:
    db.execute(
        "INSERT INTO choices (trial, choice, rt_ms, shown_ms, received) VALUES (?, ?, ?, ?, ?)",
        (trial, said.choice, float(said.rt_ms), said.shown_ms, now),
    )
    seen = {"trial": trial, "exposure_ms": exposure_ms} | dict(said.view or {})
    db.execute(
        f"INSERT INTO views ({', '.join(seen)}) VALUES ({', '.join('?' * len(seen))})",
        tuple(seen.values()),
    )
    evidence.keep(db, trial, said.confidence, said.marks)
    if said.focus_lost:
        note(db, participant, "focus lost", f"trial {position}, {said.focus_lost}", now)
    viewing.note_absence(db, participant, f"trial {position}", said.absence, now)
    viewing.note_device(db, participant, said.device, now)
