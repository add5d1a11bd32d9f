"""What participants did, as plain rows: the one reader, for the analysis and for export."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlite_utils import Database

from turing.errors import TuringError
from turing.store.store import Store
from turing.study.trials import Parts, Protocol, correct_choice

Row = dict[str, Any]

_PARTICIPANTS = """
SELECT version, part, id AS participant, number, preview, consented, finished, withdrawn, query
FROM participants WHERE version IN (SELECT value FROM json_each(:versions)) ORDER BY id
"""

_TRIALS = """
SELECT p.id AS participant, t.position, t.practice, t.catch, t.kind AS protocol, f.dataset,
    t.photo AS photo_id, f.sha256 AS photo, f.file AS photo_file, t.model, s.sha256 AS stimulus,
    s.parts, s.left, s.right, s.left_sha256, s.right_sha256, c.choice, c.rt_ms, c.shown_ms,
    c.received, c.received - lag(c.received, 1, p.consented)
        OVER (PARTITION BY p.id ORDER BY t.position) AS server_ms
FROM participants p JOIN trials t ON t.participant = p.id
JOIN stimuli s ON s.id = t.stimulus JOIN photos f ON f.id = t.photo
LEFT JOIN choices c ON c.trial = t.id
WHERE p.version IN (SELECT value FROM json_each(:versions)) ORDER BY p.id, t.position
"""

_ANSWERS = """
SELECT a.participant, a.question, a.answer FROM answers a
JOIN participants p ON p.id = a.participant
WHERE p.version IN (SELECT value FROM json_each(:versions)) ORDER BY a.participant, a.question
"""

_OF_BOTH = ("version", "part", "participant", "number", "preview")
_TIMES = ("consented", "finished", "withdrawn")


class Records(NamedTuple):
    """Rows of one moment, of everybody: those who left and previews too. Times are Unix ms.

    participants: one a person; `query` is a dict.
    trials: one a trial, unanswered ones too; `parts` as a Trial has them, `shas` the hash
        of what made each; `correct` is a bool, None where there is no telling.
    answers: participant, question, answer.
    """

    participants: list[Row]
    trials: list[Row]
    answers: list[Row]


def read_records(db: sqlite3.Connection, versions: Sequence[int]) -> Records:
    """Everything of these versions, within a transaction."""

    def rows(sql: str) -> list[Row]:
        return list(Database(db).query(sql, {"versions": json.dumps(list(versions))}))

    people = [
        row | {"query": json.loads(row["query"]), "preview": bool(row["preview"])}
        for row in rows(_PARTICIPANTS)
    ]
    return Records(people, [_trial(row) for row in rows(_TRIALS)], rows(_ANSWERS))


def was_right(protocol: Protocol, parts: Parts, choice: float | None) -> bool | None:
    """Whether a choice was right; None where there is none, or none is right."""
    right = correct_choice(protocol, parts)
    return None if choice is None or right is None else choice == right


def choice_rows(store: Store, *, version: int | None = None, everything: bool = False) -> list[Row]:
    """A row for each choice, by participant and position; `export.COLUMNS` explains it.

    Without those who left and without previews, which are never counted, unless `everything`;
    of all versions of the study where none is named.
    """
    found = _read(store, version)
    people = {
        row["participant"]: {key: row[key] for key in _OF_BOTH} | _iso(row, _TIMES)
        for row in _counted(found.participants, everything)
    }
    return [
        people[row["participant"]] | _choice(row)
        for row in found.trials
        if row["choice"] is not None and row["participant"] in people
    ]


def participant_rows(
    store: Store, *, version: int | None = None, everything: bool = False
) -> list[Row]:
    """A row for each participant: times, outside IDs (`query`) and `answers` as dicts, counts.

    `trials` and `answered` count practice and catch trials too. Left out as in `choice_rows`.
    """
    found = _read(store, version)
    people = {
        row["participant"]: row | _iso(row, _TIMES) | {"answers": {}, "trials": 0, "answered": 0}
        for row in found.participants
    }
    for row in found.answers:
        people[row["participant"]]["answers"][row["question"]] = row["answer"]
    for row in found.trials:
        people[row["participant"]]["trials"] += 1
        people[row["participant"]]["answered"] += row["choice"] is not None
    return _counted(list(people.values()), everything)


def built_versions(store: Store) -> list[int]:
    """Every version's number, ascending."""
    with store.reading() as db:
        return versions_in(db)


def versions_in(db: sqlite3.Connection) -> list[int]:
    """Every version's number, ascending, within a transaction."""
    return [version for (version,) in db.execute("SELECT version FROM study ORDER BY version")]


def check_versions(store: Store, built: Sequence[int], asked: Sequence[int]) -> None:
    """TuringError where some of the versions asked for, or all, are not there."""
    unknown = [version for version in asked if version not in built]
    if unknown or not asked:
        known, found = (", ".join(map(str, versions)) or "none" for versions in (built, unknown))
        raise TuringError(f"{store.path}: expected a version of {known}, found {found}")


def iso_time(ms: int) -> str:
    """Unix time in milliseconds as 2026-07-04T12:00:00.123Z."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(store: Store, version: int | None) -> Records:
    with store.reading() as db:
        built = versions_in(db)
        if version is not None:
            check_versions(store, built, [version])
        return read_records(db, built if version is None else [version])


def _counted(people: Sequence[Row], everything: bool) -> list[Row]:
    return [p for p in people if everything or not (p["preview"] or p["withdrawn"])]


def _trial(row: Row) -> Row:
    shown = row.pop("parts")
    parts = (row.pop("left"), row.pop("right"))[:shown]
    return row | {
        "practice": bool(row["practice"]),
        "catch": bool(row["catch"]),
        "parts": parts,
        "shas": (row.pop("left_sha256"), row.pop("right_sha256"))[:shown],
        "correct": was_right(row["protocol"], parts, row["choice"]),
    }


_NOT_EXPORTED = ("photo_id", "stimulus", "parts", "shas", "received")


def _choice(row: Row) -> Row:
    left, right = (*("original" if part is None else part for part in row["parts"]), None)[:2]
    kept = {key: value for key, value in row.items() if key not in _NOT_EXPORTED}
    return kept | {"left": left, "right": right, "answered": iso_time(row["received"])}


def _iso(row: Row, keys: Sequence[str]) -> Row:
    return {key: row[key] and iso_time(row[key]) for key in keys}
