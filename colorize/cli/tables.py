"""Tables for the terminal."""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from colorize.evaluation.report import FIGURES, HintsRow, Report, ScoreRow
from colorize.models.published import FETCHABLE
from colorize.models.record import Record

_WIDE = 160  # columns where nobody's screen says how many there are
_IN_LABEL = ("model", "decoding", "shipped", "temperature", "gain", "chroma")
_IN_SHORT = ("mse", "ciede2000", "colorfulness")


def console() -> Console:
    """Standard output: as wide as the screen, plain text where it is none."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDE, highlight=False)


def models_table(records: Sequence[Record]) -> Table:
    """Name, title, what it is, and the scores over all test photos, shipped decoding."""
    table = Table("name", "title", "what it is", "licence, size", box=None, pad_edge=False)
    for figure in _IN_SHORT:
        table.add_column(FIGURES[figure].heading, justify="right")
    for record in records:
        row = next((r for r in record.scores if r["dataset"] == "all" and r["shipped"]), {})
        name = f"{record.name} (default)" if record.default else record.name
        figures = [_text(figure, row.get(figure)) for figure in _IN_SHORT]
        table.add_row(*map(escape, (name, record.title, record.line, record.facts)), *figures)
    return table


def fetchable_table(there: Collection[str]) -> Table:
    """What `fetch` can bring; `there`: the names of checkpoints that are there already."""
    table = Table("name", "what it is", box=None, pad_edge=False)
    for heading in ("MB fetched", "MB kept"):
        table.add_column(heading, justify="right")
    for heading in ("licence", "from"):
        table.add_column(heading)
    for name, one in FETCHABLE.items():
        label = f"{name} (there)" if name in there else name
        sizes = str(one.megabytes), str(one.kept)
        table.add_row(label, one.summary, *sizes, one.licence, one.repository)
    return table


def score_tables(report: Report[ScoreRow]) -> list[Table]:
    """One table a dataset of what `evaluate` gives; a star marks a decoding not shipped."""
    tables = []
    for dataset in dict.fromkeys(row.dataset for row in report.rows):
        rows = [row for row in report.rows if row.dataset == dataset]
        title = f"{escape(dataset)}, {rows[0].photos} photos"
        table = Table(title=title, title_justify="left", title_style="bold")
        table.add_column("model")
        for figure in FIGURES.values():
            table.add_column(figure.heading, justify="right")
        for row in rows:
            figures = [_text(figure, getattr(row, figure)) for figure in FIGURES]
            table.add_row(escape(_label(asdict(row))), *figures)
        tables.append(table)
    return tables


def hints_table(report: Report[HintsRow]) -> Table:
    """A row a dataset and number of hints of what `score_datasets` gives."""
    table = Table("dataset", box=None, pad_edge=False)
    for heading in (
        "hints",
        "photos",
        "PSNR",
        "within CIEDE2000 10",
        "median CIEDE2000",
        "thing follows",
        "outside moves",
    ):
        table.add_column(heading, justify="right")
    for row in report.rows:
        table.add_row(
            escape(row.dataset),
            str(row.hints),
            str(row.photos),
            _text("psnr", row.psnr),
            "–" if row.followed is None else f"{row.followed:.1%}",
            _text("ciede2000", row.ciede2000),
            "–" if row.thing_follows is None else f"{row.thing_follows:.2f}",
            "–" if row.outside_moves is None else f"{row.outside_moves:.1f}",
        )
    return table


def figures_table(rows: Iterable[Any]) -> Table:
    """Any rows of one kind: a column a field, a star at a decoding that does not ship."""
    rows = [
        {"model": _label(row), **{k: v for k, v in row.items() if k not in _IN_LABEL}}
        for row in map(asdict, rows)
    ]
    table = Table()
    for key in rows[0] if rows else ():
        is_name = isinstance(rows[0][key], str)
        table.add_column(key.replace("_", " "), justify="left" if is_name else "right")
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    return table


def _label(row: dict[str, Any]) -> str:
    decoding = f", {row['decoding']}" if row.get("decoding") else ""
    return f"{row['model']}{decoding}{'' if row.get('shipped', True) else ' *'}"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _text(figure: str, value: float | None) -> str:
    return "–" if value is None else f"{value:.{FIGURES[figure].on_screen}f}"
