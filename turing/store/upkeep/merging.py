"""Two stores of one study into a third, or a copy into its store: nothing doubled, nothing lost."""

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from turing.errors import TuringError, WrongUseError
from turing.store import database
from turing.store.files import new_folder
from turing.store.records import SIMULATED
from turing.store.store import Store, facts, note
from turing.store.upkeep.copies import copy_pictures, has_more, look_at, pictures_of
from turing.store.upkeep.forgetting import delete_forgotten
from turing.study.counts import count
from turing.study.identity import outside_id


class Merged(NamedTuple):
    """The new store; how many participants and choices came from the second; what a person
    should know, one line each.
    """

    path: Path
    participants: int
    choices: int
    notes: tuple[str, ...]


def merge(first: Path | str, second: Path | str, out: Path | str) -> Merged:
    """Write a new store that holds the first and what the second has beyond it.

    They may be parts of one study, or copies of one store. Who is forgotten in one is forgotten.
    The result is closed; it has the first's name, part and keys, and gives the second's
    participants new numbers. TuringError where the two have no version of a study in common, or
    one has made-up participants and the other has not.
    """
    first, second, out = Path(first), Path(second), Path(out)
    if first.exists() and second.exists() and first.samefile(second):
        raise WrongUseError(f"{second}: expected two stores, found the same file twice")
    if out.suffix != ".sqlite":
        raise WrongUseError(f"{out}: expected a name that ends in .sqlite")
    if out.exists() or out.with_suffix("").exists():
        raise TuringError(f"{out}: is there already; take another name")
    with (
        new_folder(out.parent),
        tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder,
    ):
        # Copies, so that the two stay as they are, and an older one is brought up.
        copies = [Path(folder) / f"{number}.sqlite" for number in (1, 2)]
        for path, copy in zip((first, second), copies, strict=True):
            with look_at(path) as source:
                database.copy_database(source, copy)
        Store(copies[1]).close()
        with Store(copies[0]) as store:
            participants, choices, notes = _merge(store, copies[1], first, second)
        with look_at(copies[0]) as merged:
            pictures = pictures_of(merged)
            made = copies[0].with_suffix("")
            for path in (second, first):  # of files that both have, the first's stays
                faults = copy_pictures(path.with_suffix(""), made, pictures)
            made.replace(out.with_suffix(""))
            database.copy_database(merged, out)
    return Merged(out, participants, choices, (*notes, *faults))


class Joined(NamedTuple):
    """How many participants and choices a store got, and what a person should know."""

    participants: int
    choices: int
    notes: tuple[str, ...]


def join(store: Store, copy: Path, why: str) -> Joined | None:
    """Add to a store, which may be in use, what a copy of it has beyond it; None for nothing.

    Unlike `merge` it goes on as it is. Of its version and of whether it is open, what was decided
    last holds. `why` stands in the event `joined`. TuringError where it is no copy of this store.
    """
    with _attached(store, copy), store.writing() as db:
        own, other = facts(db), facts(db, "b")
        if own.uid != other.uid:
            raise TuringError(f"{copy}: expected a copy of {store.path}, found another store")
        has_version = _brings_its_version(db)
        has_state = _decided(db, "b") > _decided(db, "main")
        if not (has_version or has_state or has_more(db, "b", "main")):
            return None
        notes = tuple(_differences(db, store.path, copy))
        participants, choices = _take_over(db)
        if has_version:
            db.execute(
                "UPDATE store SET version = (SELECT v.version FROM study v JOIN b.study o "
                "USING (fingerprint) WHERE o.version = ?)",
                (other.version,),
            )
            _take_blocklist(db)
        if has_state:
            db.execute("UPDATE store SET state = ?", (other.state,))
        if participants:
            notes += tuple(_same_people(store, db))
        note(db, None, "joined", why)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # as after `forget`
    return Joined(participants, choices, notes)


def _merge(store: Store, second: Path, *names: Path) -> tuple[int, int, list[str]]:
    with _attached(store, second), store.writing() as db:
        _check_one_kind(db, *names)
        notes = list(_differences(db, *names))
        participants, choices = _take_over(db)
        notes += _same_people(store, db)
        db.execute("UPDATE store SET state = 'closed'")
        note(
            db, None, "merged", f"{count(participants, 'participant')}, {count(choices, 'choice')}"
        )
    return participants, choices, notes


def _check_one_kind(db: sqlite3.Connection, first: Path, second: Path) -> None:
    """Figures of real participants and of made-up ones together say nothing."""
    made_up = [
        path
        for path, schema in ((first, "main"), (second, "b"))
        if db.execute(f"SELECT 1 FROM {schema}.events WHERE what = ?", (SIMULATED,)).fetchone()
    ]
    if len(made_up) == 1:
        raise TuringError(
            f"{made_up[0]}: has made-up participants, by `turing simulate`, and the other store "
            "has not; merge stores of one kind"
        )


@contextlib.contextmanager
def _attached(store: Store, second: Path) -> Iterator[None]:
    connection = store.connection
    connection.execute("ATTACH ? AS b", (f"{second.absolute().as_uri()}?mode=ro",))
    try:
        yield
    finally:
        connection.execute("DETACH b")


def _take_over(db: sqlite3.Connection) -> tuple[int, int]:
    """All rows that the second has beyond the first; how many participants and choices."""
    for sql in _WHAT_IS_SHOWN:
        db.execute(sql)
    _forget_together(db)
    db.execute(_PARTICIPANTS, {"taken": _largest_id(db)})
    participants = db.execute("SELECT changes()").fetchone()[0]
    for sql in _WHAT_THEY_DID:
        db.execute(sql)
    there = _names_in_second(db)
    for table, sql in _BESIDE_CHOICES.items():  # before them: those of trials that have none here
        if table in there:
            db.execute(sql)
    choices = db.execute(_CHOICES).rowcount
    if "took_part" in there:
        db.execute(_TOOK_PART)
    delete_forgotten(db)
    return participants, choices


def _brings_its_version(db: sqlite3.Connection) -> bool:
    """Whether the study that the second shows now was never built in the first."""
    row = db.execute(
        "SELECT 1 FROM b.store s JOIN b.study o ON o.version = s.version "
        "WHERE o.fingerprint NOT IN (SELECT fingerprint FROM main.study)"
    ).fetchone()
    return row is not None


def _names_in_second(db: sqlite3.Connection) -> set[str]:
    """Of its tables: one that an older program made has fewer."""
    return {name for (name,) in db.execute("SELECT name FROM b.sqlite_master")}


def _take_blocklist(db: sqlite3.Connection) -> None:
    """The second's, which belongs to its version of the study."""
    if "blocked" in _names_in_second(db):
        db.execute("DELETE FROM main.blocked")
        db.execute(
            "INSERT INTO main.blocked (identity, since) SELECT identity, since FROM b.blocked"
        )


def _decided(db: sqlite3.Connection, schema: str) -> int:
    """When the study was opened or closed last, 0 = never."""
    return db.execute(
        f"SELECT ifnull(max(at), 0) FROM {schema}.events WHERE participant IS NULL "
        "AND what IN ('open', 'closed')"
    ).fetchone()[0]


def _differences(db: sqlite3.Connection, first: Path, second: Path) -> Iterator[str]:
    """TuringError where the two are not of one study; else what is worth knowing."""
    own, other = facts(db), facts(db, "b")
    if own.name != other.name:
        raise TuringError(
            f"{second}: expected a store of {own.name}, as {first} is, found one of {other.name}"
        )
    (common,) = db.execute("SELECT count(*) FROM study JOIN b.study USING (fingerprint)").fetchone()
    if not common:
        raise TuringError(
            f"{second}: has no version of the study in common with {first}: "
            "the study files, the photos or the models differ"
        )
    if own.uid != other.uid and own.part == other.part:
        yield (
            f"both are part {own.part}: photos and models are balanced within each, not over both "
            "(`build --part` numbers the apps)"
        )
    (only,) = db.execute(
        "SELECT count(*) FROM b.study WHERE fingerprint NOT IN (SELECT fingerprint FROM study)"
    ).fetchone()
    if only:
        yield f"{second} has {only} other version(s) of the study; they are taken over"
    (rendered,) = db.execute(
        "SELECT count(*) FROM stimuli a JOIN b.stimuli o USING (sha256) "
        "WHERE a.png_sha256 <> o.png_sha256"
    ).fetchone()
    if rendered:
        yield (
            f"{count(rendered, 'stimulus was', 'stimuli were')} rendered with other bytes; "
            f"{first}'s pictures are kept"
        )
    (twice,) = db.execute(
        "SELECT count(*) FROM trials t JOIN choices c ON c.trial = t.id "
        "JOIN b.trials u USING (picture) JOIN b.choices d ON d.trial = u.id "
        "WHERE c.choice <> d.choice"
    ).fetchone()
    if twice:
        yield (
            f"{count(twice, 'trial was', 'trials were')} answered in both files, differently; "
            f"{first}'s answer stands"
        )


def _forget_together(db: sqlite3.Connection) -> None:
    """List who is forgotten in the second, too, under the number that they have here."""
    strangers = _largest_id(db)
    rows = db.execute(
        "SELECT o.uid, o.version, o.part, o.preview, o.number, o.at, p.id FROM b.forgotten o "
        "LEFT JOIN participants p USING (uid) WHERE o.uid NOT IN (SELECT uid FROM forgotten)"
    ).fetchall()
    for *row, present in rows:
        strangers += present is None
        db.execute(
            "INSERT INTO forgotten (uid, version, part, preview, number, at, participant) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, strangers if present is None else present),
        )


def _largest_id(db: sqlite3.Connection) -> int:
    return db.execute(
        "SELECT max(ifnull((SELECT max(id) FROM participants), 0), "
        "ifnull((SELECT max(participant) FROM forgotten), 0))"
    ).fetchone()[0]


def _same_people(store: Store, db: sqlite3.Connection) -> Iterator[str]:
    """Outside IDs that more than one participant has."""
    seen: dict[tuple[str, str], list[int]] = {}
    for participant, version, query in db.execute(
        "SELECT id, version, query FROM participants WHERE NOT preview ORDER BY id"
    ).fetchall():
        study = store.version(db, version).study
        name, value = study.participants.identify_by, outside_id(study, json.loads(query))
        if value:
            seen.setdefault((name, value), []).append(participant)
    for (name, value), participants in seen.items():
        if len(participants) > 1:
            numbers = ", ".join(map(str, participants))
            note(db, None, "same ID", f"participants {numbers}")
            yield f"{name} {value!r} took part more than once: participants {numbers}"


_VERSION = (
    "(SELECT v.version FROM study v JOIN b.study o USING (fingerprint) "
    "WHERE o.version = {}.version)"
)
_PHOTO = "(SELECT f.id FROM photos f JOIN b.photos o USING (sha256, dataset) WHERE o.id = {}.photo)"
_STIMULUS = "(SELECT s.id FROM stimuli s JOIN b.stimuli o USING (sha256) WHERE o.id = {}.stimulus)"
_PERSON = (
    "(SELECT p.id FROM participants p JOIN b.participants o USING (uid) "
    "WHERE o.id = {}.participant)"
)

_WHAT_IS_SHOWN = (
    "INSERT INTO photos (sha256, dataset, file, width, height, phash, chroma) "
    "SELECT sha256, dataset, file, width, height, phash, chroma FROM b.photos o WHERE NOT EXISTS "
    "(SELECT 1 FROM photos WHERE sha256 = o.sha256 AND dataset = o.dataset)",
    "INSERT INTO stimuli (sha256, photo, parts, left, right, left_sha256, right_sha256, settings, "
    f"png_sha256) SELECT sha256, {_PHOTO.format('x')}, parts, left, right, left_sha256, "
    "right_sha256, settings, png_sha256 FROM b.stimuli x "
    "WHERE sha256 NOT IN (SELECT sha256 FROM stimuli)",
    "INSERT INTO study (toml, sha256, seed, design, fingerprint, program, report, built) "
    "SELECT toml, sha256, seed, design, fingerprint, program, report, built FROM b.study "
    "WHERE fingerprint NOT IN (SELECT fingerprint FROM study) ORDER BY version",
    "INSERT INTO study_stimuli (version, stimulus) SELECT version, stimulus FROM "
    f"(SELECT {_VERSION.format('x')} AS version, {_STIMULUS.format('x')} AS stimulus "
    "FROM b.study_stimuli x) EXCEPT SELECT version, stimulus FROM study_stimuli",
)

_PARTICIPANTS = (
    "INSERT INTO participants (id, uid, version, part, preview, number, token_hash, query, "
    "identity, consented, finished, withdrawn) SELECT :taken + row_number() OVER (ORDER BY id), "
    f"uid, {_VERSION.format('x')}, part, preview, number, "
    # Who came to both with one token goes on where this store has them; the other's opens nothing.
    "CASE WHEN token_hash IN (SELECT token_hash FROM participants) THEN randomblob(32) "
    "ELSE token_hash END, query, identity, consented, finished, withdrawn FROM b.participants x "
    "WHERE uid NOT IN (SELECT uid FROM participants) "
    "AND uid NOT IN (SELECT uid FROM forgotten)"
)

_WHAT_THEY_DID = (
    *(
        f"UPDATE participants SET {end} = (SELECT {end} FROM b.participants o "
        f"WHERE o.uid = participants.uid) WHERE {end} IS NULL "
        f"AND uid IN (SELECT uid FROM b.participants WHERE {end} IS NOT NULL)"
        for end in ("finished", "withdrawn")
    ),
    "INSERT INTO trials (participant, position, stimulus, photo, kind, practice, catch, model, "
    f"picture) SELECT {_PERSON.format('x')}, position, {_STIMULUS.format('x')}, "
    f"{_PHOTO.format('x')}, kind, practice, catch, model, picture FROM b.trials x "
    f"WHERE picture NOT IN (SELECT picture FROM trials) AND {_PERSON.format('x')} IS NOT NULL "
    "ORDER BY id",
    "INSERT INTO answers (participant, question, answer, received) SELECT person, question, "
    f"answer, received FROM (SELECT *, {_PERSON.format('x')} AS person FROM b.answers x) y "
    "WHERE person IS NOT NULL AND NOT EXISTS (SELECT 1 FROM answers a "
    "WHERE a.participant = y.person AND a.question = y.question)",
    "INSERT INTO events (participant, at, what, detail) SELECT person, at, what, detail FROM "
    f"(SELECT *, {_PERSON.format('x')} AS person FROM b.events x) y "
    "WHERE (person IS NULL) = (participant IS NULL) AND NOT EXISTS (SELECT 1 FROM events e "
    "WHERE e.participant IS y.person AND e.at = y.at AND e.what = y.what "
    "AND e.detail = y.detail) ORDER BY id",
)

_TOOK_PART = (  # of another store they are keyed otherwise, and say nothing here
    "INSERT OR IGNORE INTO took_part (identity) SELECT identity FROM b.took_part "
    "WHERE (SELECT trial_key FROM main.store) = (SELECT trial_key FROM b.store)"
)

_OF_OPEN = (
    "JOIN b.trials u ON u.id = x.trial JOIN trials t USING (picture) "
    "WHERE t.id NOT IN (SELECT trial FROM {0})"
)
_UNANSWERED = " AND t.id NOT IN (SELECT trial FROM choices)"

_BESIDE_CHOICES = {
    "views": (
        "INSERT INTO views SELECT t.id, x.exposure_ms, x.frames, x.dropped_frames, x.refresh_hz, "
        "x.drawn_width, x.drawn_height, x.device_pixel_ratio, x.layout FROM b.views x "
        + _OF_OPEN.format("views")
        + _UNANSWERED
    ),
    "evidence": (
        "INSERT INTO evidence SELECT t.id, x.confidence, x.marks FROM b.evidence x "
        + _OF_OPEN.format("evidence")
        + _UNANSWERED
    ),
    "exposures": (
        "INSERT INTO exposures SELECT t.id, x.exposure_ms FROM b.exposures x "
        + _OF_OPEN.format("exposures")
    ),
}

_PLATES = (
    "INSERT INTO plates (participant, place, deficiency, gap, sha256, picture) "
    f"SELECT {_PERSON.format('x')}, place, deficiency, gap, sha256, picture FROM b.plates x "
    f"WHERE picture NOT IN (SELECT picture FROM plates) AND {_PERSON.format('x')} IS NOT NULL"
)

_BESIDE_CHOICES |= {
    "plate_pictures": "INSERT INTO plate_pictures SELECT sha256, png_sha256 FROM b.plate_pictures "
    "WHERE sha256 NOT IN (SELECT sha256 FROM plate_pictures)",
    "plates": _PLATES,
}

_CHOICES = (
    "INSERT INTO choices (trial, choice, rt_ms, shown_ms, received) "
    "SELECT t.id, c.choice, c.rt_ms, c.shown_ms, c.received FROM b.choices c "
    "JOIN b.trials u ON u.id = c.trial JOIN trials t USING (picture) "
    "WHERE t.id NOT IN (SELECT trial FROM choices) ORDER BY c.received"
)
