"""How long each trial of a participant is to be shown, where a study's trials differ in it.

Levels of a list are drawn and written at the start. The next exposure of a staircase follows from
the answers that stand, and from nothing else: a second try or a reload changes none.
"""

import sqlite3
from collections.abc import Sequence

from turing.store.people import Place
from turing.store.store import Version
from turing.study.draws import Draws
from turing.study.timing import FIRST_RUNG, LADDER, Step, balanced, staircase_ms, tracks
from turing.study.trials import Trial, was_right


def draw(version: Version, place: Place, drawn: Sequence[Trial]) -> tuple[int, ...]:
    """The level of each trial of a new participant; none for a study with one, or staircases."""
    levels, seed = version.study.trials.exposures, version.design.seed
    if not levels:
        return ()
    draws = Draws.of_participant(
        place.trial_key, "exposures", seed, place.part, place.number, place.preview
    )
    return balanced(levels, drawn, draws)


def write(db: sqlite3.Connection, participant: int, drawn: Sequence[int]) -> None:
    """Write what `draw` found, within a transaction."""
    db.executemany(
        "INSERT INTO exposures (trial, exposure_ms) SELECT id, ? FROM trials "
        "WHERE participant = ? AND position = ?",
        [(exposure_ms, participant, position) for position, exposure_ms in enumerate(drawn)],
    )


def exposure_ms(db: sqlite3.Connection, participant: int, position: int, version: Version) -> int:
    """Of the trial at a position, the answers before it given; 0 = until answered."""
    asked = version.study.trials.exposure_ms
    if isinstance(asked, int):
        return asked
    if version.study.trials.has_staircase:
        return _staircase_ms(db, participant, position)
    (found,) = db.execute(
        "SELECT e.exposure_ms FROM exposures e JOIN trials t ON t.id = e.trial "
        "WHERE t.participant = ? AND t.position = ?",
        (participant, position),
    ).fetchone()
    return found


def _staircase_ms(db: sqlite3.Connection, participant: int, position: int) -> int:
    """A catch trial is shown like the scored one before it, so that nothing tells it."""
    rows = db.execute(
        "SELECT t.position, t.model, t.kind, s.parts, s.left, s.right, c.choice FROM trials t "
        "JOIN stimuli s ON s.id = t.stimulus LEFT JOIN choices c ON c.trial = t.id "
        "WHERE t.participant = ? AND NOT t.practice AND NOT t.catch ORDER BY t.position",
        (participant,),
    ).fetchall()
    named = tracks([model for _, model, *_ in rows])
    until = [place for place, row in enumerate(rows) if row[0] <= position]
    if not until:
        return LADDER[FIRST_RUNG]
    steps = []
    for track, (_, _, protocol, parts, left, right, choice) in zip(
        named[: until[-1]], rows, strict=False
    ):
        was = was_right(protocol, (left, right)[:parts], choice)
        if was is not None:
            steps.append(Step(track, was))
    return staircase_ms(named[until[-1]], steps)
