"""A table of a report."""

from collections.abc import Sequence
from typing import NamedTuple


class Table(NamedTuple):
    """`text` is how many columns from the left are words; the others are figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: int = 1
    note: str = ""
