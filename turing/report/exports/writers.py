"""A table as CSV, JSON or Parquet, so that other programs read in it what was meant."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from turing.errors import TuringError, WrongUseError
from turing.store.files import unfinished
from turing.store.records import Row

Columns = Mapping[str, tuple[str, str]]  # name: (type, meaning), in order

# A spreadsheet may cut a line at commas, semicolons, tabs or line ends, whatever wrote it meant,
# and drops characters that nobody sees.
_UNSEEN = r""" "'\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xa0\u200b-\u200f\u2060\ufeff"""
_STARTS_A_FORMULA = re.compile(rf"""^(?=[\s{_UNSEEN}]*[=+\-@＝＋－＠])|^(?=[\t\r\n])""")
_FORMULA_WITHIN = re.compile(rf"""(?<=[,;\t\r\n])(?=[{_UNSEEN}]*[=+\-@＝＋－＠])""")


def write_table(path: Path, columns: Columns, rows: Sequence[Row]) -> None:
    """Write rows to a file whose ending is the format, whole or not at all."""
    with unfinished(path) as target:
        writer_of(path)(target, columns, rows)


def write_plain_csv(path: Path, columns: Columns, rows: Sequence[Row]) -> None:
    """Write rows as CSV without a byte order mark, which programs take for a part of the head."""
    with unfinished(path) as target:
        _write_lines(target, list(columns), _cells(columns, rows), "utf-8")
        target.chmod(0o644)


def write_lines(path: Path, head: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file as it is, whole or not at all."""
    with unfinished(path) as target:
        _write_lines(target, head, lines)


def writer_of(path: Path) -> Callable[[Path, Columns, Sequence[Row]], None]:
    """What writes a file of this name; WrongUseError where nothing does."""
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        endings = ", ".join(_WRITERS)
        raise WrongUseError(f"{path}: expected a name that ends in one of {endings}")
    return writer


def _write_csv(path: Path, columns: Columns, rows: Sequence[Row]) -> None:
    _write_lines(path, list(columns), _cells(columns, rows))


def _cells(columns: Columns, rows: Sequence[Row]) -> Iterator[list[Any]]:
    return ([_cell(row[name]) for name in columns] for row in rows)


def _write_lines(
    path: Path, head: Sequence[str], lines: Iterable[Sequence[Any]], encoding: str = "utf-8-sig"
) -> None:
    """By default with a byte order mark, by which Excel knows UTF-8."""
    with path.open("w", encoding=encoding, newline="") as file:
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


def _write_json(path: Path, columns: Columns, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(rows, file, ensure_ascii=False, indent=1)


def _write_parquet(path: Path, columns: Columns, rows: Sequence[Row]) -> None:
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
    frame = frame.astype({c: types.get(kind, "boolean") for c, (kind, _) in columns.items()})
    frame.to_parquet(path, index=False)


_WRITERS: dict[str, Callable[[Path, Columns, Sequence[Row]], None]] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}
