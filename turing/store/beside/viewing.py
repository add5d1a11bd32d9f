"""On what participants look: what their page says of it, as events, and how to read these.

`device` is noted at the start and where it changed, `screen` what steps of grey and of saturation
were seen on it, `hidden` and `left full screen` where a trial was not seen as it should be.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from turing.store.store import note

DEVICE, SCREEN = "device", "screen"
HIDDEN, LEFT_FULLSCREEN = "hidden", "left full screen"


class Viewing(NamedTuple):
    """A participant's device as it was at the start, how often it changed, which steps were seen
    on its screen, and for how long the page could not be seen (ms) or how often it left the full
    screen while a trial was open."""

    device: Mapping[str, Any] = MappingProxyType({})
    changes: int = 0
    screen: Mapping[str, bool] = MappingProxyType({})
    hidden_ms: int = 0
    fullscreen_left: int = 0


def note_device(
    db: sqlite3.Connection, participant: int, device: Mapping[str, Any] | None, at: int
) -> None:
    """Write down what the page says of the device, where it is not what it said last."""
    known = {key: value for key, value in (device or {}).items() if value is not None}
    if not known:
        return
    said = json.dumps(known, sort_keys=True)
    last = db.execute(
        "SELECT detail FROM events WHERE participant = ? AND what = ? ORDER BY id DESC LIMIT 1",
        (participant, DEVICE),
    ).fetchone()
    if last != (said,):
        note(db, participant, DEVICE, said, at)


def note_screen(
    db: sqlite3.Connection, participant: int, screen: Mapping[str, Any] | None, at: int
) -> None:
    """Write down which steps somebody sees on the screen."""
    if screen:
        note(db, participant, SCREEN, json.dumps(dict(screen), sort_keys=True), at)


def note_absence(
    db: sqlite3.Connection,
    participant: int,
    trial: str,
    absence: Mapping[str, Any] | None,
    at: int,
) -> None:
    """Write down that a trial was not seen as it should be while it was open."""
    absence = absence or {}
    if hidden_ms := absence.get("hidden_ms"):
        note(db, participant, HIDDEN, f"{trial}, {hidden_ms:.0f} ms", at)
    if times := absence.get("fullscreen_left"):
        note(db, participant, LEFT_FULLSCREEN, f"{trial}, {times}", at)


def viewings(events: Iterable[Mapping[str, Any]]) -> dict[int, Viewing]:
    """What events, in the order of time, say of each participant's device."""
    found: dict[int, Viewing] = {}
    for event in events:
        who, what, detail = event["participant"], event["what"], event["detail"]
        known = found.get(who, Viewing())
        if what == DEVICE:
            if known.device:
                found[who] = known._replace(changes=known.changes + 1)
            else:
                found[who] = known._replace(device=json.loads(detail))
        elif what == SCREEN:
            found[who] = known._replace(screen=json.loads(detail))
        elif what == HIDDEN:
            found[who] = known._replace(hidden_ms=known.hidden_ms + _count(detail))
        elif what == LEFT_FULLSCREEN:
            found[who] = known._replace(fullscreen_left=known.fullscreen_left + _count(detail))
    return found


def _count(detail: str) -> int:
    """trial 3, 2 or trial 3, 500 ms"""
    return int(detail.rpartition(", ")[2].removesuffix(" ms"))
