"""Every choice as a row of a table, in a file that other programs read, with a dictionary."""

import csv
import hmac
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from turing.errors import TuringError, WrongUseError
from turing.store.files import new_folder, unfinished
from turing.store.records import Row, choices, counted, read_version
from turing.store.store import Store
from turing.study.trials import ORIGINAL, WILD

COLUMNS = {  # name: (type, meaning)
    "study": ("text", "the study's name"),
    "version": ("integer", "the version of the study that the participant saw"),
    "part": ("integer", "which app the participant was at, where a study runs on several"),
    "participant": ("integer", "the participant, within this file"),
    "number": ("integer", "what the participant's trials were drawn by, within version and part"),
    "simulated": ("boolean", "whether the participants are made up, by `turing simulate`"),
    "preview": ("boolean", "a preview, never to be counted"),
    "consented": ("time", "when the participant agreed and started (UTC)"),
    "finished": ("time", "when the participant came to the end (UTC); empty = did not"),
    "withdrawn": ("time", "when the participant left the study (UTC); never to be counted"),
    "position": ("integer", "place among the participant's trials, 0 = first, practice included"),
    "practice": ("boolean", "a practice trial, with feedback, never to be counted"),
    "catch": ("boolean", "a catch trial: original against a wildly wrong colouring"),
    "protocol": ("text", "pick-original, pick-fake-sequential, single or preference"),
    "dataset": ("text", "the photo's dataset"),
    "photo": ("text", "SHA-256 of the photo's file"),
    "photo_file": ("text", "the photo's file in its dataset's folder"),
    "model": (
        "text",
        "the model that the choice counts for; empty = none (catch, preference), "
        "or every one (an original alone)",
    ),
    "left": ("text", f"what was left, first or alone: a model, {ORIGINAL} or {WILD}"),
    "right": ("text", "what was right or second; empty for single"),
    "choice": ("integer", "the part picked: 0 left or first, 1 right or second; single: 0 real"),
    "correct": ("boolean", "whether the choice was right; empty where there is no right one"),
    "rt_ms": ("number", "response time in ms, by the participant's clock"),
    "exposure_ms": ("integer", "how long each part was to be shown in ms; 0 = until answered"),
    "shown_ms": ("number", "how long the picture was shown in ms, by the participant's clock"),
    "frames": ("integer", "frames of the screen that showed a timed picture, all parts together"),
    "dropped_frames": ("integer", "frames that came late while it was shown"),
    "refresh_hz": ("number", "the screen's refresh rate, as it was measured before"),
    "drawn_width": ("number", "a part's width on the page in CSS pixels"),
    "drawn_height": ("number", "a part's height on the page in CSS pixels"),
    "device_pixel_ratio": ("number", "pixels of the screen in a CSS pixel"),
    "layout": ("text", "how the parts stood: beside, stacked or single"),
    "answered": ("time", "when the server had the choice (UTC)"),
    "server_ms": (
        "integer",
        "ms since the choice before, or the start, by the server's clock; none if that went back",
    ),
}
_QUERY = "query."
_ANSWER = "answer."
_SIDES = ("model", "left", "right")
# A spreadsheet may cut a line at commas, semicolons, tabs or line ends, whatever wrote it meant.
_STARTS_A_FORMULA = re.compile(r"""^(?=[\s"']*[=+\-@＝＋－＠])|^(?=[\t\r\n])""")
_FORMULA_WITHIN = re.compile(r"""(?<=[,;\t\r\n])(?=[ "']*[=+\-@＝＋－＠])""")


class Exported(NamedTuple):
    """What was written: the table, its dictionary, and how many rows."""

    path: Path
    dictionary: Path
    rows: int


def export(
    store: Store,
    path: Path | str,
    *,
    version: int | None = None,
    everything: bool = False,
    blind: bool = False,
) -> Exported:
    """Write a row for each choice, and beside it NAME.columns.csv, which explains the columns.

    path: ends in .csv, .json or .parquet, which is the format; a file there is replaced.
    everything: with previews and with those who left, who are never to be counted.
    blind: models and photos under codes, and no outside IDs, so that the file gives no key away.
    """
    path = Path(path)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        endings = ", ".join(_WRITERS)
        raise WrongUseError(f"{path}: expected a name that ends in one of {endings}")
    rows = table(store, version=version, everything=everything)
    if blind:
        rows = _blinded(store, rows)
    columns = list(rows[0]) if rows else list(COLUMNS)
    dictionary = path.with_name(f"{path.stem}.columns.csv")
    with new_folder(path.parent), unfinished(path) as target:
        write(target, columns, rows)
    with unfinished(dictionary) as target:
        explained = [(column, *_meaning(column)) for column in columns]
        _write_lines(target, ("column", "type", "meaning"), explained)
    return Exported(path, dictionary, len(rows))


def table(store: Store, *, version: int | None = None, everything: bool = False) -> list[Row]:
    """A row for each choice, with outside IDs (query.NAME) and answers (answer.ID) beside."""
    found = read_version(store, version)
    people = {
        row["participant"]: _beside(_QUERY, row["query"]) | _beside(_ANSWER, row["answers"])
        for row in found.participants
    }
    names = {key for row in people.values() for key in row}
    beside = dict.fromkeys(sorted(names, key=lambda key: (key.startswith(_ANSWER), key)))
    study = {"study": store.facts().name}
    return [
        {key: row[key] for key in COLUMNS} | beside | people[row["participant"]]
        for row in (study | row for row in choices(counted(found.trials, everything)))
    ]


def _beside(prefix: str, values: dict[str, str]) -> Row:
    return {prefix + key: value for key, value in values.items()}


def _blinded(store: Store, rows: Sequence[Row]) -> list[Row]:
    key = store.facts().trial_key
    models = _codes(key, "model", {row[side] for row in rows for side in _SIDES})
    photos = _codes(key, "photo", {row["photo"] for row in rows})
    codes = dict.fromkeys(_SIDES, models) | {"photo": photos}
    return [
        {
            column: codes[column].get(value, value) if column in codes else value
            for column, value in row.items()
            if column != "photo_file" and not column.startswith(_QUERY)
        }
        for row in rows
    ]


def _codes(key: bytes, kind: str, names: Iterable[str | None]) -> dict[str, str]:
    """model-1, model-2, ...: in no order that tells."""
    named = {name for name in names if name not in (None, ORIGINAL, WILD)}
    ranked = sorted(
        named, key=lambda name: hmac.digest(key, f"{kind}\x1f{name}".encode(), "sha256")
    )
    return {name: f"{kind}-{number}" for number, name in enumerate(ranked, 1)}


def _meaning(column: str) -> tuple[str, str]:
    if column.startswith(_QUERY):
        return "text", "an ID from the address that the participant came by"
    if column.startswith(_ANSWER):
        return "text", "the participant's answer to this question"
    return COLUMNS[column]


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    _write_lines(path, columns, ([_cell(row[column]) for column in columns] for row in rows))


def _write_lines(path: Path, head: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    # With a byte order mark, by which Excel knows UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)  # ends lines as RFC 4180 does, and so quotes both kinds
        writer.writerow(head)
        writer.writerows(lines)


def _cell(value: Any) -> Any:
    """A value as spreadsheets show it and do not run it: what starts a formula gets a '."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _neutral(value) if isinstance(value, str) else value


def _neutral(text: str) -> str:
    """A text with a ' before every formula that a spreadsheet could find in it."""
    words = text.lstrip()
    blank = text[: len(text) - len(words)]
    return _STARTS_A_FORMULA.sub("'", blank + _FORMULA_WITHIN.sub("'", words))


def _write_json(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(rows, file, ensure_ascii=False, indent=1)


def _write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise TuringError(
            "Parquet needs the package pyarrow, which CSV and JSON do not: "
            "pip install 'colorize-turing[parquet]', or pip install pyarrow"
        ) from None
    import pandas

    types = {"text": "string", "time": "string", "integer": "Int64", "number": "Float64"}
    frame = pandas.DataFrame(rows, columns=list(columns))
    frame = frame.astype({c: types.get(_meaning(c)[0], "boolean") for c in columns})
    frame.to_parquet(path, index=False)


_WRITERS: dict[str, Callable[[Path, Sequence[str], Sequence[Row]], None]] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}
