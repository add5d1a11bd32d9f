"""Who takes part: tokens, outside IDs, who is let in, and let in again."""

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from turing.errors import TuringError
from turing.store.records import SCREENED_OUT, when_screened_out
from turing.store.store import Facts, Store, Version, facts, note, now_ms
from turing.study.identity import is_unfilled, outside_id
from turing.study.study import Participants, Study
from turing.study.trials import Placed, Trial

LONGEST_ID = 500  # characters

HOUR_MS = 3_600_000
UNDER_WAY_MS = 2 * HOUR_MS  # who started before that is not expected back

_AS_SENT = "Please open the study by the link exactly as it was sent to you."
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes in base64url


class RefusedError(TuringError):
    """A call that is refused: an HTTP status, a code for programs, a sentence for people."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class FullError(RefusedError):
    """Refused for now, for a study's limit: `key` is its name in the study file."""

    def __init__(self, key: str) -> None:
        super().__init__(503, "full", "Many people are taking part just now; please wait a little.")
        self.key = key


class Person(NamedTuple):
    """A participant's row, as far as it is needed at every call."""

    id: int
    uid: str
    version: int
    query: str
    identity: bytes | None
    finished: int | None
    withdrawn: int | None
    screened_out: int | None


class Place(NamedTuple):
    """What a new participant's trials are drawn by, and is known again by."""

    version: int
    preview: bool
    number: int
    part: int
    trial_key: bytes
    identity: bytes | None


def new_token() -> str:
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def by_token(db: sqlite3.Connection, token: str | None) -> Person | None:
    row = (
        token
        and db.execute(
            "SELECT id, uid, version, query, identity, finished, withdrawn, "
            f"{when_screened_out('participants')} FROM participants WHERE token_hash = ?",
            (_hash(token),),
        ).fetchone()
    )
    return Person(*row) if row else None


def known(db: sqlite3.Connection, token: str | None) -> Person:
    """The participant with that token, who may have left; RefusedError where there is none."""
    person = by_token(db, token)
    if person is None:
        raise RefusedError(401, "token", "This participant is not known here; start anew.")
    return person


def taking_part(db: sqlite3.Connection, token: str | None) -> Person:
    """The participant with that token; RefusedError where there is none, who has left, or who was
    screened out."""
    person = known(db, token)
    check_taking_part(person)
    return person


def check_taking_part(person: Person) -> None:
    """RefusedError for who has left, or was screened out."""
    if person.withdrawn is not None:
        raise RefusedError(409, "withdrawn", "You have left the study.")
    if person.screened_out is not None:
        raise RefusedError(409, "screened", "This study is for other participants.")


def screen_out(db: sqlite3.Connection, participant: int, why: str, now: int) -> None:
    """End a participation before the trials, once and for good: its state is `screened_out` from
    then on, and it is never counted. `why` is for the researcher: a question, or a check.
    """
    db.execute(  # not by `note`, which has had enough after a thousand events
        "INSERT INTO events (participant, at, what, detail) SELECT :who, :at, :what, :why "
        "WHERE NOT EXISTS (SELECT 1 FROM events WHERE participant = :who AND what = :what)",
        {"who": participant, "at": now, "what": SCREENED_OUT, "why": why},
    )


def admit(
    store: Store,
    db: sqlite3.Connection,
    token: str,
    query: Mapping[str, Any],
    preview: str | None,
    now: int,
    only_back: bool = False,
) -> tuple[Person | Place, str]:
    """Who has come back, or a place for who is new; and the token that is theirs.

    An ID in the query says more than the token: who brings the token of somebody with another
    ID, from a browser that both used, is a new person, under a token of their own. Where the study
    has resume = "id" the ID alone says it; only_back: nobody new is let in.
    """
    own = facts(db)
    person = by_token(db, token)
    identity, is_somebody, by_id = None, False, False
    if preview is None and own.version is not None:
        study = store.version(db, person.version if person else own.version).study
        given, by_id = asked(study, query), study.participants.resume == "id"
        identity = identity_of(study, own.trial_key, given)
        is_somebody = is_unfilled(study, given)  # whom the panel meant to name
    if person and not is_somebody and (identity is None or identity == person.identity):
        note(db, person.id, "resumed")
        return person, token
    if person:
        token = new_token()
    if identity and (same := _identified(db, identity)):
        released = next((number for number, held in same.items() if held is None), None)
        if released is None and not by_id:
            raise RefusedError(409, "already", "Somebody with this ID has taken part already.")
        back = next(iter(same)) if released is None else released
        db.execute("UPDATE participants SET token_hash = ? WHERE id = ?", (_hash(token), back))
        note(db, back, "returned")
        return known(db, token), token
    if identity and _is_in(db, "took_part", identity):
        raise RefusedError(409, "already", "Somebody with this ID has taken part already.")
    if only_back:
        raise RefusedError(404, "unknown", "Nobody with this ID has started here.")
    check_open(own, preview)
    is_preview = preview is not None
    if not is_preview:
        if identity and _is_in(db, "blocked", identity):
            raise RefusedError(409, "blocked", "This study is for people who are new to it.")
        asks = store.version(db, own.version).study.participants
        if asks.needs_id and identity is None:
            raise RefusedError(422, "id", f"Your link has no {asks.identify_by}. {_AS_SENT}")
        check_room(db, asks, now)
    number = _next_number(db, own, is_preview)
    return Place(own.version, is_preview, number, own.part, own.trial_key, identity), token


def check_open(own: Facts, preview: str | None) -> None:
    """RefusedError where nobody new is let in."""
    if preview is not None:
        is_key = hmac.compare_digest(own.preview_key.encode(), preview.encode())
        if own.version is None or not is_key:
            raise RefusedError(404, "unknown", "This preview link is not valid.")
    elif own.version is None or own.state == "built":
        raise RefusedError(404, "unknown", "There is no such study.")
    elif own.state == "closed":
        raise RefusedError(410, "closed", "This study is over. Thank you for your interest.")


def check_room(db: sqlite3.Connection, asks: Participants, now: int) -> None:
    """RefusedError where as many people are under way, or came, as the study's limits allow."""
    (started, open_) = db.execute(
        "SELECT ifnull(sum(consented > :hour), 0), "
        "ifnull(sum(finished IS NULL AND withdrawn IS NULL AND "
        f"{when_screened_out('participants')} IS NULL), 0) "
        "FROM participants "
        "WHERE NOT preview AND consented BETWEEN :under_way AND :now",
        {"hour": now - HOUR_MS, "under_way": now - UNDER_WAY_MS, "now": now},
    ).fetchone()
    for key, count in (("max_open", open_), ("max_an_hour", started)):
        if count >= getattr(asks, key):
            raise FullError(key)


def note_full(db: sqlite3.Connection, key: str, now: int) -> None:
    """Write down, once an hour, that a limit turned people away."""
    db.execute(
        "INSERT INTO events (participant, at, what, detail) SELECT NULL, :at, 'full', :key "
        "WHERE NOT EXISTS (SELECT 1 FROM events WHERE participant IS NULL AND what = 'full' "
        "AND detail = :key AND at > :hour)",
        {"at": now, "key": key, "hour": now - HOUR_MS},
    )


def limits_that_bit(db: sqlite3.Connection) -> list[tuple[str, int, int]]:
    """The limits that turned people away: key, in how many hours, when last (Unix ms)."""
    return db.execute(
        "SELECT detail, count(*), max(at) FROM events WHERE participant IS NULL "
        "AND what = 'full' GROUP BY detail ORDER BY detail"
    ).fetchall()


def enter(
    db: sqlite3.Connection,
    token: str,
    query: Mapping[str, Any],
    version: Version,
    place: Place,
    drawn: tuple[Trial, ...],
    now: int,
) -> Person:
    """Write a new participant and all their trials, none where none were drawn."""
    kept = asked(version.study, query)
    (participant,) = db.execute(
        "SELECT 1 + max(ifnull((SELECT max(id) FROM participants), 0), "
        "ifnull((SELECT max(participant) FROM forgotten), 0))"
    ).fetchone()
    db.execute(
        "INSERT INTO participants (id, uid, version, part, preview, number, token_hash, query, "
        "identity, consented) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            participant,
            secrets.token_hex(16),
            place.version,
            place.part,
            place.preview,
            place.number,
            _hash(token),
            json.dumps(kept, ensure_ascii=False),
            place.identity,
            now,
        ),
    )
    db.executemany(
        "INSERT INTO trials (participant, position, stimulus, photo, kind, practice, catch, "
        "model, picture) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                participant,
                position,
                *version.stimuli[Placed(trial.dataset, trial.photo), trial.parts],
                version.study.protocol,
                trial.kind == "practice",
                trial.kind == "catch",
                trial.model,
                secrets.token_hex(16),
            )
            for position, trial in enumerate(drawn)
        ],
    )
    return known(db, token)


def asked(study: Study, query: Mapping[str, Any]) -> dict[str, str]:
    """What the study asks of a link; whatever else stands there is nobody's business.

    RefusedError where an ID is no text of 500 characters at most.
    """
    kept = {key: query[key] for key in study.participants.query if key in query}
    for key, value in kept.items():
        if not isinstance(value, str) or "\x00" in value:
            raise RefusedError(422, "invalid", f"Your link's {key} is no text. {_AS_SENT}")
        if len(value) > LONGEST_ID:
            sentence = f"Your link's {key} has more than {LONGEST_ID} characters. {_AS_SENT}"
            raise RefusedError(422, "invalid", sentence)
    return kept


def identity_of(study: Study, key: bytes, query: Mapping[str, str]) -> bytes | None:
    """The keyed hash of the ID that a study lets take part once; None where there is none."""
    name = study.participants.identify_by
    value = outside_id(study, query)
    return hmac.digest(key, f"identity\x1f{name}\x1f{value}".encode(), "sha256") if value else None


def block(db: sqlite3.Connection, study: Study, ids: Iterable[str]) -> None:
    """Make these the IDs that nobody may start with, in the place of earlier ones.

    Their keyed hashes are kept, not they. Who has started goes on.
    """
    key, name = facts(db).trial_key, study.participants.identify_by
    found = {identity_of(study, key, {name: each}) for each in ids}
    db.execute("DELETE FROM blocked")
    db.executemany(
        "INSERT INTO blocked (identity, since) VALUES (?, ?)",
        [(each, now_ms()) for each in sorted(filter(None, found))],
    )


def mark_took_part(db: sqlite3.Connection, person: Person) -> None:
    """Keep, of all that is known of a person, that their ID has taken part; nothing without one."""
    if person.identity:
        db.execute("INSERT OR IGNORE INTO took_part (identity) VALUES (?)", (person.identity,))


def _is_in(db: sqlite3.Connection, table: Literal["blocked", "took_part"], identity: bytes) -> bool:
    row = db.execute(f"SELECT 1 FROM {table} WHERE identity = ?", (identity,)).fetchone()
    return row is not None


def release(store: Store, outside_id: str) -> int:
    """Let a person in again whose browser lost its token; returns the participant.

    Whoever starts next with that ID goes on where the participant stopped; the old token is
    worth nothing any more.
    """
    with store.writing() as db:
        own = facts(db)
        study = store.version(db, own.version).study if own.version else None
        name = study.participants.identify_by if study else ""
        if not study or not name:
            raise TuringError(f"{store.path}: nobody to release: the study has no identify_by")
        identity = identity_of(study, own.trial_key, {name: outside_id})
        same = list(_identified(db, identity)) if identity else []
        if identity and not same and _is_in(db, "took_part", identity):
            raise TuringError(
                f"{store.path}: who had {name} {outside_id!r} has left the study, and stays so"
            )
        if not same:
            raise TuringError(f"{store.path}: no participant has {name} {outside_id!r}")
        participant = same[0]
        (withdrawn,) = db.execute(
            "SELECT withdrawn FROM participants WHERE id = ?", (participant,)
        ).fetchone()
        if withdrawn is not None:
            raise TuringError(
                f"{store.path}: participant {participant} has left the study, and stays so"
            )
        db.execute("UPDATE participants SET token_hash = NULL WHERE id = ?", (participant,))
        note(db, participant, "released")
    return participant


def _identified(db: sqlite3.Connection, identity: bytes) -> dict[int, bytes | None]:
    """Participants with that identity and their token's hash: None where one was released."""
    rows = db.execute("SELECT id, token_hash FROM participants WHERE identity = ?", (identity,))
    return dict(rows.fetchall())


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _next_number(db: sqlite3.Connection, own: Facts, preview: bool) -> int:
    """One more than any participant had, those who were forgotten too."""
    same = "version = :version AND part = :part AND preview = :preview"
    (number,) = db.execute(
        f"SELECT 1 + max(ifnull((SELECT max(number) FROM participants WHERE {same}), 0), "
        f"ifnull((SELECT max(number) FROM forgotten WHERE {same}), 0))",
        {"version": own.version, "part": own.part, "preview": preview},
    ).fetchone()
    return number
