"""Tables of scores in Markdown, made from what `evaluate` measured: rows as its JSON has them."""

from collections.abc import Mapping, Sequence

from colorize.evaluation.report import FIGURES

# of which less or more is better, then colorfulness, which is to be like the truth's
_ORDER = sorted(FIGURES, key=lambda figure: figure.startswith("colorfulness"))


def summary_table(rows: Sequence[dict], figure: str = "mse") -> str:
    """One figure, models down and datasets across; the lowest MSE of each dataset is bold."""
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    models = list(dict.fromkeys(_label(row) for row in rows))
    values = {(_label(row), row["dataset"]): row[figure] for row in rows}
    best = {
        dataset: min(
            (v for (_, d), v in values.items() if d == dataset and v is not None), default=None
        )
        for dataset in datasets
    }
    lines = [_line(["model", *datasets]), _line(["---", *["---:"] * len(datasets)])]
    for model in models:
        cells = []
        for dataset in datasets:
            value = values.get((model, dataset))
            text = _text(figure, value)
            is_best = value is not None and value == best[dataset]
            cells.append(f"**{text}**" if is_best else text)
        lines.append(_line([model, *cells]))
    return "\n".join(lines) + "\n"


def full_table(rows: Sequence[dict]) -> str:
    """Every figure of every row, grouped by dataset."""
    head = ["dataset", "model", "photos", *(FIGURES[figure].heading for figure in _ORDER)]
    lines = [_line(head), _line(["---", "---", *["---:"] * (len(head) - 2)])]
    for row in rows:
        figures = [_text(figure, row[figure]) for figure in _ORDER]
        lines.append(_line([row["dataset"], _label(row), str(row["photos"]), *figures]))
    return "\n".join(lines) + "\n"


def judge_table(rows: Sequence[dict]) -> str:
    """How often the judge is right and the interval of it, models down and datasets across."""
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    models = list(dict.fromkeys(_label(row) for row in rows))
    cells = {(_label(row), row["dataset"]): _accuracy(row) for row in rows}
    lines = [_line(["model", *datasets]), _line(["---", *["---:"] * len(datasets)])]
    for model in models:
        lines.append(_line([model, *(cells.get((model, dataset), "–") for dataset in datasets)]))
    return "\n".join(lines) + "\n"


def _accuracy(row: dict) -> str:
    interval = "" if row["low"] is None else f" ({row['low']:.2f}–{row['high']:.2f})"
    return f"{row['accuracy']:.2f}{interval}"


def _label(row: dict) -> str:
    name = row["model"] if row["decoding"] is None else f"{row['model']}, {row['decoding']}"
    return name if row["shipped"] else f"{name} (not shipped)"


def _text(figure: str, value: float | None) -> str:
    return "–" if value is None else f"{value:.{FIGURES[figure].digits}f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def update_document(text: str, rows: Sequence[dict]) -> str:
    """A Markdown text with the tables of `evaluate` made anew.

    They stand between `<!-- mse -->` and `<!-- /mse -->` (summary) and between
    `<!-- scores -->` and `<!-- /scores -->` (every figure). ValueError where neither is there.
    """
    return with_tables(text, {"mse": summary_table(rows), "scores": full_table(rows)})


def update_judged(text: str, rows: Sequence[dict]) -> str:
    """A Markdown text with the table of `judge` made anew, between `<!-- judge -->` and its end."""
    return with_tables(text, {"judge": judge_table(rows)})


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """A Markdown text with the tables that stand between `<!-- NAME -->` and `<!-- /NAME -->`
    made anew, by name. ValueError where none of them is there."""
    updated = text
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, found, rest = updated.partition(begin)
        _, closed, after = rest.partition(end)
        if found and closed:
            updated = f"{before}{begin}\n\n{table}\n{end}{after}"
    if updated == text and not any(f"<!-- {name} -->" in text for name in tables):
        names = " or ".join(f"<!-- {name} -->" for name in tables)
        raise ValueError(f"expected {names} with its end, found none")
    return updated
