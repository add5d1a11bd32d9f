"""What a participant adds to a choice: how sure they are, and what gave the picture away."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from turing.store.people import RefusedError
from turing.study import trials
from turing.study.study import Study

Marks = Sequence[Mapping[str, Any]]  # part, x, y


def check_asked(study: Study, choice: int, confidence: int | None, marks: Marks | None) -> None:
    """RefusedError where an answer says what this study does not ask."""
    asks = study.trials
    highest = trials.ALIKE if asks.ties else 1
    if choice > highest:
        raise RefusedError(422, "invalid", f"choice: expected 0 to {highest}, found {choice}")
    for key, given, is_asked in (
        ("confidence", confidence, asks.confidence),
        ("marks", marks, asks.marks),
    ):
        if given is not None and not is_asked:
            raise RefusedError(422, "invalid", f"{key}: expected none, this study asks for none")
    parts = 1 if study.protocol == "single" else 2
    if any(mark["part"] >= parts for mark in marks or ()):
        raise RefusedError(422, "invalid", f"marks: expected parts below {parts}")


def keep(db: sqlite3.Connection, trial: int, confidence: int | None, marks: Marks | None) -> None:
    """Write what was added to a choice, where anything was, within a transaction."""
    if confidence is not None or marks is not None:
        db.execute(
            "INSERT INTO evidence (trial, confidence, marks) VALUES (?, ?, ?)",
            (trial, confidence, None if marks is None else json.dumps(marks)),
        )
