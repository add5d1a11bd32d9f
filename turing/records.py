"""What participants did, as plain rows: for the analysis and for export."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from turing.errors import TuringError
from turing.store import Store
from turing.trials import correct_choice

Row = dict[str, Any]

_COUNTED = "p.preview = 0 AND p.withdrawn IS NULL"

_CHOICES = """
SELECT p.version, p.part, p.id AS participant, p.number, p.preview, p.consented, p.finished,
    p.withdrawn, t.position, t.practice, t.catch, t.kind AS protocol, f.dataset,
    f.sha256 AS photo, f.file AS photo_file, t.model, s.parts, s.left, s.right, c.choice, c.rt_ms,
    c.shown_ms, c.received AS answered,
    c.received - lag(c.received, 1, p.consented)
        OVER (PARTITION BY p.id ORDER BY t.position) AS server_ms
FROM choices c JOIN trials t ON t.id = c.trial JOIN participants p ON p.id = t.participant
JOIN stimuli s ON s.id = t.stimulus JOIN photos f ON f.id = t.photo
WHERE {} ORDER BY p.id, t.position
"""

_PARTICIPANTS = """
SELECT p.version, p.part, p.id AS participant, p.number, p.preview, p.consented, p.finished,
    p.withdrawn, p.query, count(t.id) AS trials, count(c.trial) AS answered
FROM participants p LEFT JOIN trials t ON t.participant = p.id
LEFT JOIN choices c ON c.trial = t.id WHERE {} GROUP BY p.id ORDER BY p.id
"""


def choice_rows(store: Store, *, version: int | None = None, everything: bool = False) -> list[Row]:
    """A row for each choice, by participant and position; `turing.export.COLUMNS` explains it.

    Without those who left and without previews, which are never counted, unless `everything`;
    of all versions of the study where none is named.
    """
    return [_choice(row) for row in _rows(store, _CHOICES, version, everything)]


def participant_rows(
    store: Store, *, version: int | None = None, everything: bool = False
) -> list[Row]:
    """A row for each participant: times, outside IDs (`query`) and `answers` as dicts, counts.

    `trials` and `answered` count practice and catch trials too. Left out as in `choice_rows`.
    """
    answers: dict[int, dict[str, str]] = {}
    with store.reading() as db:
        for participant, question, answer in db.execute(
            "SELECT participant, question, answer FROM answers"
        ):
            answers.setdefault(participant, {})[question] = answer
    return [
        _with_times(row)
        | {
            "query": json.loads(row["query"]),
            "answers": answers.get(row["participant"], {}),
            "preview": bool(row["preview"]),
        }
        for row in _rows(store, _PARTICIPANTS, version, everything)
    ]


def _rows(store: Store, sql: str, version: int | None, everything: bool) -> Iterator[Row]:
    conditions = ["TRUE" if everything else _COUNTED]
    if version is not None:
        conditions.append("p.version = :version")
    with store.reading() as db:
        built = [number for (number,) in db.execute("SELECT version FROM study ORDER BY version")]
        if version is not None and version not in built:
            raise unknown_version(store, built, [version])
        rows = Database(db).query(sql.format(" AND ".join(conditions)), {"version": version})
        yield from list(rows)


def unknown_version(store: Store, built: Sequence[int], asked: Sequence[int]) -> TuringError:
    """The error for versions that a store does not have."""
    known, found = (", ".join(map(str, versions)) or "none" for versions in (built, asked))
    return TuringError(f"{store.path}: expected a version of {known}, found {found}")


def _choice(row: Row) -> Row:
    parts = (row["left"], row["right"])[: row.pop("parts")]
    right = correct_choice(row["protocol"], parts)
    return _with_times(row) | {
        "preview": bool(row["preview"]),
        "practice": bool(row["practice"]),
        "catch": bool(row["catch"]),
        "left": _name(parts[0]),
        "right": _name(parts[1]) if len(parts) == 2 else None,
        "correct": None if right is None else row["choice"] == right,
    }


def _name(part: str | None) -> str:
    return "original" if part is None else part


def _with_times(row: Row) -> Row:
    times = ("consented", "finished", "withdrawn")
    if "position" in row:
        times += ("answered",)
    return row | {key: row[key] and iso_time(row[key]) for key in times}


def iso_time(ms: int) -> str:
    """Unix time in milliseconds as 2026-07-04T12:00:00.123Z."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
