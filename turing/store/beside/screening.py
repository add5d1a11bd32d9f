"""The plates of a participant's colour screening: drawn at the start, answered before trials."""

import secrets
import sqlite3
from typing import NamedTuple

from turing.store.people import Place, RefusedError, screen_out
from turing.store.store import Store, Version, note
from turing.study.screening import ANSWERS, Screened, participant_plates, screened

KIND = "plate"

# An answer's question is "plate 1", "plate 2", ...: no question of a study file has a space.
_QUESTION = f"'{KIND} ' || p.place"
_PLATES = (
    "SELECT p.place, p.picture, p.sha256, p.deficiency, p.gap, a.answer FROM plates p "
    "LEFT JOIN answers a ON a.participant = p.participant AND a.question = " + _QUESTION + " "
)


class Plate(NamedTuple):
    """A participant's plate: its place counts from 1, `sha256` is its picture's name on disk."""

    place: int
    picture: str
    sha256: str
    deficiency: str
    gap: str
    answer: str | None


def find_picture(store: Store, sha256: str) -> str | None:
    """The SHA-256 of the PNG that a plate has, None where it was never added."""
    with store.reading() as db:
        row = db.execute(
            "SELECT png_sha256 FROM plate_pictures WHERE sha256 = ?", (sha256,)
        ).fetchone()
    return row[0] if row else None


def add_picture(store: Store, sha256: str, png_sha256: str) -> None:
    """Add what a plate is shown as; it lies at `Store.picture_path` and is never altered."""
    with store.writing() as db:
        db.execute(
            "INSERT INTO plate_pictures (sha256, png_sha256) VALUES (?, ?)", (sha256, png_sha256)
        )


def draw(db: sqlite3.Connection, participant: int, version: Version, place: Place) -> None:
    """Write down the plates of a new participant."""
    count, seed = version.study.screening.plates, version.design.seed
    drawn = participant_plates(
        count, place.trial_key, seed, place.number, place.part, place.preview
    )
    db.executemany(
        "INSERT INTO plates (participant, place, deficiency, gap, sha256, picture) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            (participant, number, plate.deficiency, plate.gap, plate.sha256, secrets.token_hex(16))
            for number, plate in enumerate(drawn, 1)
        ],
    )


def plates_of(db: sqlite3.Connection, participant: int) -> list[Plate]:
    """All of a participant's, in the order shown."""
    rows = db.execute(_PLATES + "WHERE p.participant = ? ORDER BY p.place", (participant,))
    return [Plate(*row) for row in rows]


def answer(
    db: sqlite3.Connection,
    participant: int,
    plates: list[Plate],
    plate: Plate,
    choice: int,
    min_correct: int,
    now: int,
) -> bool:
    """Write what somebody says of a plate of theirs; the first answer stands, as with trials.

    Whether this answer stands. After the last one who has found too few goes no further.
    """
    if choice >= len(ANSWERS):
        raise RefusedError(422, "invalid", f"choice: expected 0 to {len(ANSWERS) - 1}")
    if plate.answer is not None:
        again = "retried" if plate.answer == ANSWERS[choice] else "refused"
        note(db, participant, again, f"plate {plate.place}, choice {choice}", now)
        return again == "retried"
    if any(before.answer is None for before in plates[: plate.place - 1]):
        raise RefusedError(404, "unknown", "This plate is not open.")
    db.execute(
        "INSERT INTO answers (participant, question, answer, received) VALUES (?, ?, ?, ?)",
        (participant, f"{KIND} {plate.place}", ANSWERS[choice], now),
    )
    found = result(plates_of(db, participant))
    if found.answered == found.shown and found.correct < min_correct:
        screen_out(db, participant, f"plates: {found.correct} of {found.shown}", now)
    return True


def picture(db: sqlite3.Connection, name: str) -> str | None:
    """The name on disk of a plate that is the present or the next one; None for none."""
    row = db.execute(
        "SELECT participant FROM plates l JOIN participants p ON p.id = l.participant "
        "WHERE picture = ? AND p.withdrawn IS NULL",
        (name,),
    ).fetchone()
    if row is None:
        return None
    still = [plate for plate in plates_of(db, row[0]) if plate.answer is None]
    return next((plate.sha256 for plate in still[:2] if plate.picture == name), None)


def result(plates: list[Plate]) -> Screened:
    return screened((plate.deficiency, plate.gap, plate.answer) for plate in plates)
