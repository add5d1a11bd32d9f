"""All that participants did, in files that other programs read, with a dictionary."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from turing.report.exports.choices import COLUMNS, blinded, meaning, table, wordings
from turing.report.exports.people import EVENTS, PARTICIPANTS, events, participants
from turing.report.exports.writers import Columns, write_lines, write_table, writer_of
from turing.store.files import new_folder
from turing.store.records import Row
from turing.store.store import Store


class Exported(NamedTuple):
    """What was written: a row a choice, the dictionary of all columns, how many choices; everybody
    who started, and events."""

    path: Path
    dictionary: Path
    rows: int
    participants: Path
    events: Path


def export(
    store: Store,
    path: Path | str,
    *,
    version: int | None = None,
    everything: bool = False,
    blind: bool = False,
) -> Exported:
    """Write a row for each choice, and beside it NAME.participants and NAME.events of the same
    kind, and NAME.columns.csv, which explains the columns of all three.

    path: ends in .csv, .json or .parquet, which is the format; a file there is replaced.
    everything: with previews and with those who left, who are never to be counted.
    blind: models and photos under codes, and no outside IDs, so that the file gives no key away.
    """
    path = Path(path)
    writer_of(path)
    rows = table(store, version=version, everything=everything)
    if blind:
        rows = blinded(store, rows)
    people = participants(store, version=version, everything=everything, blind=blind)
    asked = wordings(store)
    tables = {
        "choices": (path, rows, _columns(rows, COLUMNS, asked)),
        "participants": (
            _beside(path, "participants"),
            people,
            _columns(people, PARTICIPANTS, asked),
        ),
        "events": (
            _beside(path, "events"),
            events(store, version=version, everything=everything),
            EVENTS,
        ),
    }
    with new_folder(path.parent):
        for target, of, columns in tables.values():
            write_table(target, columns, of)
    dictionary = path.with_name(f"{path.stem}.columns.csv")
    explained = [
        (name, column, *about)
        for name, (_, _, columns) in tables.items()
        for column, about in columns.items()
    ]
    write_lines(dictionary, ("table", "column", "type", "meaning"), explained)
    return Exported(path, dictionary, len(rows), tables["participants"][0], tables["events"][0])


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}.{name}{path.suffix}")


def _columns(rows: Sequence[Row], known: Columns, asked: Mapping[str, str]) -> Columns:
    """Those of the rows, which may have more or fewer than are known; these where there is none."""
    names = rows[0] if rows else known
    return {column: known.get(column) or meaning(column, asked) for column in names}
