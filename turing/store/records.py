"""What participants did, as plain rows: the one reader, for the analysis and for export."""

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlite_utils import Database

from turing.errors import TuringError
from turing.store.store import Store
from turing.study.trials import ORIGINAL, was_right

Row = dict[str, Any]

LAST_LOOK = "last look"  # the event that a version had all participants of its last look
SIMULATED = "simulated"  # the event that marks a store with synthetic participants
SCREENED_OUT = "screened out"  # the event that ends a participation before the trials


def when_screened_out(people: str) -> str:
    """SQL for when a row of `people`, as the table of participants is called there, was screened
    out, NULL for never: few events of one person, found by their index."""
    return (
        f"(SELECT min(at) FROM events WHERE participant = {people}.id AND what = '{SCREENED_OUT}')"
    )


_PARTICIPANTS = f"""
SELECT p.version, p.part, p.id AS participant, p.number, p.preview, p.consented, p.finished,
    p.withdrawn, {when_screened_out("p")} AS screened_out, p.query, count(t.id) AS trials,
    count(c.trial) AS answered
FROM participants p LEFT JOIN trials t ON t.participant = p.id
LEFT JOIN choices c ON c.trial = t.id
WHERE p.version IN (SELECT value FROM json_each(:versions)) GROUP BY p.id ORDER BY p.id
"""

_TRIALS = """
SELECT p.id AS participant,
    EXISTS (SELECT 1 FROM events WHERE what = 'simulated') AS simulated,
    t.position, t.practice, t.catch,
    CASE WHEN t.practice THEN 'practice' WHEN t.catch THEN 'catch' ELSE 'scored' END AS kind,
    t.kind AS protocol, f.dataset, f.sha256 AS photo, f.id AS photo_id, f.file AS photo_file,
    t.model, s.sha256 AS stimulus, s.parts, s.left, s.right, s.left_sha256, s.right_sha256,
    v.exposure_ms, v.frames, v.dropped_frames, v.refresh_hz, v.drawn_width, v.drawn_height,
    v.device_pixel_ratio, v.layout, c.choice, w.confidence, w.marks, c.rt_ms, c.shown_ms,
    c.received AS answered,
    nullif(max(c.received - lag(c.received, 1, p.consented)
        OVER (PARTITION BY p.id ORDER BY t.position), -1), -1) AS server_ms  -- none if set back
FROM participants p JOIN trials t ON t.participant = p.id
JOIN stimuli s ON s.id = t.stimulus JOIN photos f ON f.id = t.photo
LEFT JOIN choices c ON c.trial = t.id LEFT JOIN views v ON v.trial = t.id
LEFT JOIN evidence w ON w.trial = t.id
WHERE p.version IN (SELECT value FROM json_each(:versions)) ORDER BY p.id, t.position
"""

_EVENTS = """
SELECT e.participant, e.at, e.what, e.detail FROM events e
LEFT JOIN participants p ON p.id = e.participant
WHERE e.participant IS NULL OR p.version IN (SELECT value FROM json_each(:versions))
ORDER BY e.at, e.id
"""

_ANSWERS = """
SELECT a.participant, a.question, a.answer FROM answers a
JOIN participants p ON p.id = a.participant
WHERE p.version IN (SELECT value FROM json_each(:versions)) AND NOT EXISTS (SELECT 1 FROM plates
    WHERE participant = a.participant AND a.question = 'plate ' || place)
ORDER BY a.participant, a.question
"""

_PLATES = """
SELECT l.participant, l.deficiency, l.gap, a.answer, a.received FROM plates l
JOIN participants p ON p.id = l.participant
LEFT JOIN answers a ON a.participant = l.participant AND a.question = 'plate ' || l.place
WHERE p.version IN (SELECT value FROM json_each(:versions)) ORDER BY l.participant, l.place
"""

_OF_PERSON = ("version", "part", "number", "preview", "consented", "finished", "withdrawn")
_TIMES = ("consented", "finished", "withdrawn", "screened_out")
_NOT_EXPORTED = ("kind", "photo_id", "stimulus", "left_sha256", "right_sha256")


class Records(NamedTuple):
    """Rows of one moment, of everybody: those who left and previews too.

    The analysis and the export pick columns of them and change none. Times are texts, as
    `iso_time` writes them.

    participants: one a person; `query` (outside IDs) and `answers` are dicts, `plates`
        tuples (deficiency, gap, answer), `trials` and `answered` count practice and catch trials
        too.
    trials: one a trial, unanswered ones too; `kind` is practice, scored or catch; `left` and
        `right` are a model's name, ORIGINAL or WILD (`right` is None where a trial has one part),
        their hashes those of what made them; `correct` is a bool, None where there is no telling.
        `turing.report.exports.choices.COLUMNS` explains the others.
    answers: participant, question, answer.
    events: participant, at, what, detail, by time; `at` in milliseconds of Unix time.
    """

    participants: list[Row]
    trials: list[Row]
    answers: list[Row]
    events: list[Row]


def read_records(db: sqlite3.Connection, versions: Sequence[int]) -> Records:
    """Everything of these versions, within a transaction."""

    def rows(sql: str) -> list[Row]:
        return list(Database(db).query(sql, {"versions": json.dumps(list(versions))}))

    people = {row["participant"]: _person(row) for row in rows(_PARTICIPANTS)}
    answers = rows(_ANSWERS)
    for row in answers:
        people[row["participant"]]["answers"][row["question"]] = row["answer"]
    events = rows(_EVENTS)
    plates: dict[int, list[tuple[str, str, str | None]]] = {}
    screened: dict[int, int] = {}  # when the last plate was answered, in the order of places
    for row in rows(_PLATES):
        of = plates.setdefault(row["participant"], [])
        of.append((row["deficiency"], row["gap"], row["answer"]))
        if row["received"] is not None:
            screened[row["participant"]] = row["received"]
    for number, person in people.items():
        person["plates"] = plates.get(number, [])
    found, lost = rows(_TRIALS), focus_lost(events)
    trials = [
        _trial(row, people[row["participant"]])
        | {
            "shown_again": again,
            "focus_lost": lost.get((row["participant"], row["position"]), 0),
        }
        for row, again in zip(found, _shown_again(found, events, screened), strict=True)
    ]
    return Records(list(people.values()), trials, answers, events)


def read_version(store: Store, version: int | None = None) -> Records:
    """Everything of one version, of all of them where none is named."""
    with store.reading() as db:
        built = versions_in(db)
        if version is not None:
            check_versions(store, built, [version])
        return read_records(db, built if version is None else [version])


def read_events(store: Store, version: int | None = None) -> list[Row]:
    """What happened beside the choices, of a version's people or of all, and of nobody, by time:
    participant, at, what, detail."""
    with store.reading() as db:
        versions = versions_in(db) if version is None else [version]
        rows = Database(db).query(_EVENTS, {"versions": json.dumps(versions)})
        return [row | {"at": iso_time(row["at"])} for row in rows]


def counted(rows: Sequence[Row], everything: bool = False) -> list[Row]:
    """Those of people who are counted: not of previews, of those who left and of those who were
    screened out, unless all are."""
    left = ("preview", "withdrawn", "screened_out")
    return [row for row in rows if everything or not any(row.get(key) for key in left)]


def choices(trials: Sequence[Row]) -> list[Row]:
    """A row for each choice, by participant and position, without what is of use only here."""
    return [
        {key: value for key, value in row.items() if key not in _NOT_EXPORTED}
        for row in trials
        if row["choice"] is not None
    ]


def choice_rows(store: Store, *, version: int | None = None, everything: bool = False) -> list[Row]:
    """The `choices` of a version, or of all, of people who are `counted`."""
    return choices(counted(read_version(store, version).trials, everything))


def participant_rows(
    store: Store, *, version: int | None = None, everything: bool = False
) -> list[Row]:
    """The participants of a version, or of all, who are `counted`."""
    return counted(read_version(store, version).participants, everything)


def finished(db: sqlite3.Connection, version: int) -> int:
    """How many of a version came to the end, counted or not, within a transaction."""
    (people,) = db.execute(
        "SELECT count(*) FROM participants WHERE version = ? AND finished IS NOT NULL "
        "AND NOT preview",
        (version,),
    ).fetchone()
    return people


def was_over(db: sqlite3.Connection, version: int) -> bool:
    """Whether a version has come to its last look, though some may have left since."""
    row = db.execute(
        "SELECT 1 FROM events WHERE what = ? AND detail = ?", (LAST_LOOK, f"version {version}")
    ).fetchone()
    return row is not None


def holds_simulated(db: sqlite3.Connection) -> bool:
    """Whether participants of a store are synthetic, within a transaction."""
    row = db.execute("SELECT 1 FROM events WHERE what = ?", (SIMULATED,)).fetchone()
    return row is not None


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


def _person(row: Row) -> Row:
    times = {key: _time(row[key]) for key in _TIMES}
    query = json.loads(row["query"])
    return row | times | {"preview": bool(row["preview"]), "query": query, "answers": {}}


def _trial(row: Row, person: Row) -> Row:
    """A trial's row as everybody has it from here on."""
    parts = (row["left"], row["right"])[: row.pop("parts")]
    is_original_alone = parts == (None,)  # no model is in it: shown for all of them
    named = [ORIGINAL if part is None else part for part in parts]
    left, right = (*named, None)[:2]
    return (
        {key: person[key] for key in _OF_PERSON}
        | row
        | {
            "simulated": bool(row["simulated"]),
            "practice": bool(row["practice"]),
            "catch": bool(row["catch"]),
            "stimulus_sha256": row["stimulus"],
            "model": None if is_original_alone else row["model"],
            "left": left,
            "right": right,
            "correct": was_right(row["protocol"], parts, row["choice"]),
            "answered": _time(row["answered"]),
        }
    )


def focus_lost(events: Iterable[Row]) -> dict[tuple[int, int], int]:
    """How often the page was left for another, by participant and trial's position."""
    found = {}
    for event in events:
        if event["what"] == "focus lost":  # trial 3, 2
            position, count = event["detail"].removeprefix("trial ").split(", ")
            found[event["participant"], int(position)] = int(count)
    return found


def _shown_again(
    trials: Sequence[Row], events: Iterable[Row], screened: Mapping[int, int]
) -> list[int]:
    """How often the page was loaded anew while each trial was open; by participant and position.

    The first is open from the start, or from when `screened` has that somebody's plates were done.
    """
    loads: dict[int, list[int]] = {}
    for event in events:
        if event["what"] == "resumed":
            loads.setdefault(event["participant"], []).append(event["at"])
    counts, person, since = [], None, 0.0
    for row in trials:
        if row["participant"] != person:
            person = row["participant"]
            since = screened.get(person, -math.inf)
        until = math.inf if row["answered"] is None else row["answered"]
        counts.append(sum(since < at <= until for at in loads.get(person, ())))
        since = until  # nothing after an open trial was seen yet
    return counts


def _time(ms: int | None) -> str | None:
    return None if ms is None else iso_time(ms)
