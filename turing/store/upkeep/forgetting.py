"""Deleting all that is known of a participant, by their number or by their receipt."""

import base64
import hashlib
import re
import sqlite3
from pathlib import Path

from turing.errors import TuringError
from turing.store.store import Store, note, now_ms


def forget(store: Store, participant: int) -> dict[str, int]:
    """Delete all that is known of a participant; returns the rows deleted by table.

    Their number is not given again. Backups made before still hold them; snapshots that an app
    keeps elsewhere do so for 30 days at most.
    """
    with store.writing() as db:
        deleted = forget_within(db, participant, store.path)
    overwrite_deleted(store)
    return deleted


def forget_within(db: sqlite3.Connection, participant: int, path: Path) -> dict[str, int]:
    """`forget` within a transaction, after which `overwrite_deleted` is due."""
    forgotten = db.execute(
        "SELECT 1 FROM forgotten WHERE participant = ?", (participant,)
    ).fetchone()
    found = (
        not forgotten
        and db.execute(
            "INSERT INTO forgotten (participant, uid, version, part, preview, number, at) "
            "SELECT id, uid, version, part, preview, number, ? FROM participants WHERE id = ?",
            (now_ms(), participant),
        ).rowcount
    )
    if not found:
        was = "was forgotten before" if forgotten else "was never there"
        raise TuringError(f"{path}: participant {participant} {was}")
    deleted = delete_forgotten(db)
    note(db, None, "forgotten", f"participant {participant}")
    return deleted


def overwrite_deleted(store: Store) -> None:
    """What was deleted is overwritten (secure_delete); the log's copy goes now, too."""
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def receipt_of(uid: str) -> str:
    """Ten letters and digits that stand for a participant and tell nothing of them."""
    code = base64.b32encode(hashlib.sha256(f"receipt\x1f{uid}".encode()).digest()).decode()
    return f"{code[:5]}-{code[5:10]}"


def by_receipt(store: Store, receipt: str) -> int:
    """The participant whose receipt it is, however typed; TuringError where there is none."""
    typed = re.sub(r"[^A-Z2-7]", "", receipt.upper())
    with store.reading() as db:
        rows = db.execute("SELECT id, uid FROM participants").fetchall()
    for participant, uid in rows:
        if receipt_of(uid).replace("-", "") == typed:
            return participant
    raise TuringError(f"{store.path}: no participant has the receipt {receipt!r}")


def delete_forgotten(db: sqlite3.Connection) -> dict[str, int]:
    """Delete the rows of all who are listed in `forgotten`, within a transaction."""
    listed = "SELECT participant FROM forgotten"
    of_trials = f"trial IN (SELECT id FROM trials WHERE participant IN ({listed}))"
    conditions = {
        "views": of_trials,
        "choices": of_trials,
        "trials": f"participant IN ({listed})",
        "answers": f"participant IN ({listed})",
        "events": f"participant IN ({listed})",
        "participants": f"id IN ({listed})",
    }
    return {
        table: db.execute(f"DELETE FROM {table} WHERE {condition}").rowcount
        for table, condition in conditions.items()
    }
