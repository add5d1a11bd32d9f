"""The tables of a study's file and what protects their rows.

Times are Unix time in milliseconds. A row that says what happened is never changed or deleted;
only the people listed in `forgotten` can be deleted.
"""

from collections.abc import Callable, Iterator, Sequence

from sqlite_utils import Database

APPLICATION_ID = 0x5455524E  # marks the file as ours

Migration = Callable[[Database], None]


def _first_tables(db: Database) -> None:
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    for name, (columns, key, nullable, foreign) in _TABLES.items():
        keys = {key} if isinstance(key, str) else set(key)
        db[name].create(
            columns, pk=key, not_null=set(columns) - keys - set(nullable), foreign_keys=foreign
        )
    for name, columns in _UNIQUE:
        db[name].create_index(columns, unique=True)
    for name, columns in _INDEXES:
        db[name].create_index(columns)
    for trigger in _triggers():
        db.execute(trigger)


# name: (columns, primary key, columns that may be NULL, foreign keys)
_TABLES: dict[str, tuple[dict[str, type], str | tuple[str, ...], tuple[str, ...], list]] = {
    "study": (  # one row a version; a changed study file or stimulus makes another
        {
            "version": int,
            "toml": str,
            "sha256": str,  # of the study file's meaning
            "seed": int,
            "design": str,  # JSON: what the trials are drawn from
            "fingerprint": str,  # SHA-256 of study, design and stimuli
            "program": str,
            "report": str,  # JSON: what `build` left out, and why
            "built": int,
        },
        "version",
        (),
        [],
    ),
    "store": (  # one row: the store itself
        {
            "id": int,
            "uid": str,
            "name": str,
            "part": int,
            "state": str,
            "trial_key": bytes,
            "preview_key": str,
            "version": int,
            "created": int,
        },
        "id",
        ("version",),
        [("version", "study", "version")],
    ),
    "photos": (
        {
            "id": int,
            "sha256": str,
            "dataset": str,
            "file": str,
            "width": int,
            "height": int,
            "phash": str,
            "chroma": float,
        },
        "id",
        (),
        [],
    ),
    "stimuli": (
        {
            "id": int,
            "sha256": str,  # of all that made it; also the name of its picture
            "photo": int,
            "parts": int,
            "left": str,
            "right": str,
            "left_sha256": str,
            "right_sha256": str,
            "settings": str,
            "png_sha256": str,
        },
        "id",
        ("left", "right", "left_sha256", "right_sha256"),
        [("photo", "photos", "id")],
    ),
    "study_stimuli": (
        {"version": int, "stimulus": int},
        ("version", "stimulus"),
        (),
        [("version", "study", "version"), ("stimulus", "stimuli", "id")],
    ),
    "participants": (
        {
            "id": int,
            "uid": str,
            "version": int,
            "part": int,
            "preview": int,
            "number": int,  # what the trials are drawn by: 1, 2, ... within version and part
            "token_hash": bytes,
            "query": str,  # JSON: the outside IDs
            "identity": bytes,  # keyed hash of identify_by's value
            "consented": int,
            "finished": int,
            "withdrawn": int,
        },
        "id",
        ("token_hash", "identity", "finished", "withdrawn"),
        [("version", "study", "version")],
    ),
    "trials": (
        {
            "id": int,
            "participant": int,
            "position": int,  # 0 = first, practice included
            "stimulus": int,
            "photo": int,
            "kind": str,  # the protocol
            "practice": int,
            "catch": int,
            "model": str,  # the cell that the choice counts in
            "picture": str,
        },
        "id",
        ("model",),
        [
            ("participant", "participants", "id"),
            ("stimulus", "stimuli", "id"),
            ("photo", "photos", "id"),
        ],
    ),
    "choices": (
        {"trial": int, "choice": int, "rt_ms": float, "shown_ms": float, "received": int},
        "trial",
        ("shown_ms",),
        [("trial", "trials", "id")],
    ),
    "answers": (
        {"participant": int, "question": str, "answer": str, "received": int},
        ("participant", "question"),
        (),
        [("participant", "participants", "id")],
    ),
    "events": (
        {"id": int, "participant": int, "at": int, "what": str, "detail": str},
        "id",
        ("participant",),
        [("participant", "participants", "id")],
    ),
    "forgotten": (
        {
            "participant": int,
            "uid": str,
            "version": int,
            "part": int,
            "preview": int,
            "number": int,
            "at": int,
        },
        "participant",
        (),
        [],
    ),
}

_UNIQUE = (
    ("study", ("fingerprint",)),
    ("photos", ("sha256", "dataset")),
    ("stimuli", ("sha256",)),
    ("participants", ("uid",)),
    ("participants", ("token_hash",)),
    ("trials", ("participant", "position")),
    ("trials", ("participant", "photo")),  # a photo at most once a participant
    ("trials", ("picture",)),
)

_INDEXES = (
    ("participants", ("identity",)),
    ("participants", ("version", "part", "preview", "number")),
    ("events", ("participant",)),
)

_PERSON_OF = {
    "participants": "OLD.id",
    "trials": "OLD.participant",
    "answers": "OLD.participant",
    "events": "OLD.participant",
    "choices": "(SELECT participant FROM trials WHERE id = OLD.trial)",
    "views": "(SELECT participant FROM trials WHERE id = OLD.trial)",
    "plates": "OLD.participant",
    "exposures": "(SELECT participant FROM trials WHERE id = OLD.trial)",
    "evidence": "(SELECT participant FROM trials WHERE id = OLD.trial)",
}

_IMMUTABLE = {  # table: columns that never change, "" for all
    "study": "",
    "photos": "",
    "stimuli": "",
    "study_stimuli": "",
    "trials": "",
    "choices": "",
    "answers": "",
    "events": "",
    "forgotten": "",
    "store": "id, uid, name, part, trial_key, created",
    "participants": ("id, uid, version, part, preview, number, query, identity, consented"),
}

_KEYS = {
    name: key if isinstance(key, tuple) else (key,) for name, (_, key, _, _) in _TABLES.items()
}


def _append_only(table: str, keys: Sequence[Sequence[str]], columns: str = "") -> Iterator[str]:
    """Triggers: rows are neither changed, deleted nor replaced by one of the same key."""
    of = f" OF {columns}" if columns else ""
    yield _refusal(f"{table}_never_change", f"BEFORE UPDATE{of} ON {table}", table)
    person = _PERSON_OF.get(table)
    forgotten = f"{person} IN (SELECT participant FROM forgotten)" if person else "FALSE"
    # NULL, an event of nobody, is not forgotten either.
    yield _refusal(
        f"{table}_never_deleted",
        f"BEFORE DELETE ON {table} WHEN NOT ifnull({forgotten}, FALSE)",
        table,
    )
    # INSERT OR REPLACE deletes without DELETE triggers where a connection has them so.
    for number, key in enumerate(keys):
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        yield _refusal(
            f"{table}_never_replaced_{number}",
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})",
            table,
        )


def _triggers() -> Iterator[str]:
    for table, columns in _IMMUTABLE.items():
        yield from _append_only(table, [_KEYS[table], *_unique_of(table)], columns)
    for column in ("finished", "withdrawn"):
        yield _refusal(
            f"participants_{column}_once",
            f"BEFORE UPDATE OF {column} ON participants "
            f"WHEN OLD.{column} IS NOT NULL AND NEW.{column} IS NOT OLD.{column}",
            "participants",
        )
    yield _refusal(
        "participants_token_of_one",
        "BEFORE UPDATE OF token_hash ON participants WHEN EXISTS (SELECT 1 FROM participants "
        "WHERE token_hash = NEW.token_hash AND id <> OLD.id)",
        "participants",
    )
    yield (
        "CREATE TRIGGER choices_in_range BEFORE INSERT ON choices "
        "WHEN NEW.choice NOT IN (0, 1) OR NEW.rt_ms < 0 OR NEW.shown_ms < 0 "
        "BEGIN SELECT RAISE(ABORT, 'choices: out of range'); END"
    )
    yield (
        "CREATE TRIGGER store_states BEFORE UPDATE OF state ON store "
        "WHEN NEW.state NOT IN ('built', 'open', 'closed') "
        "BEGIN SELECT RAISE(ABORT, 'store: no such state'); END"
    )


def _unique_of(table: str) -> list[tuple[str, ...]]:
    return [columns for name, columns in _UNIQUE if name == table]


def _refusal(name: str, event: str, table: str) -> str:
    return f"CREATE TRIGGER {name} {event} BEGIN SELECT RAISE(ABORT, '{table}: append-only'); END"


def _views(db: Database) -> None:
    """What the page measured while a trial was shown; the first files do not have it."""
    columns = {"trial": int, "exposure_ms": int, "frames": int, "dropped_frames": int}
    columns |= dict.fromkeys(("refresh_hz", "drawn_width", "drawn_height"), float)
    columns |= {"device_pixel_ratio": float, "layout": str}
    keys = [("trial", "trials", "id")]
    db["views"].create(columns, pk="trial", foreign_keys=keys)
    for trigger in _append_only("views", [("trial",)]):
        db.execute(trigger)


def _plates(db: Database) -> None:
    """The pictures of plates, and the plates of a participant's colour screening; what was said of
    them is in `answers`."""
    pictures = {"sha256": str, "png_sha256": str}  # as of `stimuli`
    db["plate_pictures"].create(pictures, pk="sha256", not_null={"png_sha256"})
    for trigger in _append_only("plate_pictures", [("sha256",)]):
        db.execute(trigger)
    columns = {"participant": int, "place": int}  # 1 = first
    columns |= dict.fromkeys(("deficiency", "gap", "sha256", "picture"), str)
    keys = [("participant", "participants", "id")]
    key = ("participant", "place")
    db["plates"].create(columns, pk=key, not_null=set(columns) - set(key), foreign_keys=keys)
    db["plates"].create_index(("picture",), unique=True)
    for trigger in _append_only("plates", [key, ("picture",)]):
        db.execute(trigger)


def _exposures_and_evidence(db: Database) -> None:
    """How long a trial is to be shown, where trials differ in it; what a participant adds to a
    choice; and a choice that finds both alike."""
    keys = [("trial", "trials", "id")]
    db["exposures"].create(
        {"trial": int, "exposure_ms": int},
        pk="trial",
        not_null={"exposure_ms"},
        foreign_keys=keys,
    )
    db["evidence"].create(
        {"trial": int, "confidence": int, "marks": str}, pk="trial", foreign_keys=keys
    )
    for table in ("exposures", "evidence"):
        for trigger in _append_only(table, [("trial",)]):
            db.execute(trigger)
    db.execute("DROP TRIGGER choices_in_range")
    db.execute(
        "CREATE TRIGGER choices_in_range BEFORE INSERT ON choices WHEN NEW.rt_ms < 0 "
        "OR NEW.shown_ms < 0 OR NEW.choice NOT IN (0, 1, 2) OR (NEW.choice = 2 AND "
        "(SELECT kind FROM trials WHERE id = NEW.trial) IS NOT 'preference') "
        "BEGIN SELECT RAISE(ABORT, 'choices: out of range'); END"
    )


def _blocked(db: Database) -> None:
    """Keyed hashes of the IDs that may not take part; `build` replaces them."""
    columns = {"identity": bytes, "since": int}
    db["blocked"].create(columns, pk="identity", not_null={"since"}, if_not_exists=True)


def _took_part(db: Database) -> None:
    """Keyed hashes of the IDs of people whose data were deleted as they left: nothing else is kept
    of them, no time either, and yet nobody takes part twice."""
    db["took_part"].create({"identity": bytes}, pk="identity", if_not_exists=True)


MIGRATIONS: tuple[Migration, ...] = (
    _first_tables,
    _views,
    _exposures_and_evidence,
    _plates,
    _blocked,
    _took_part,
)
