"""Training runs side by side, as a table in Markdown.

    python -m benchmarks.experiments.runs RUN...

From each run's log: the epoch with the lowest MSE on `val`, whose weights the run keeps.
"""

import csv
import json
from pathlib import Path
from typing import Annotated

import typer

from colorize.errors import ColorizeError

_MSE = "val_mse"
_OTHERS = {"val_ciede2000": ("CIEDE2000", "{:.2f}"), "val_colorfulness": ("colorfulness", "{:.1f}")}


def table(runs: list[Path]) -> list[str]:
    """The lines of a table: a run each, with MSE by dataset, their mean, and other means.

    Raises ColorizeError, in one line, for a folder without an epoch that was looked at on `val`.
    """
    rows = [_best_epoch(run) for run in runs]
    keys = [key for key in rows[0] if key.startswith(f"{_MSE}_")] + [_MSE]
    names = [key.removeprefix(f"{_MSE}_") for key in keys[:-1]] + ["mean"]
    head = ["run", "photos shown", *names, *(name for name, _ in _OTHERS.values())]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    texts = dict.fromkeys(keys, "{:.5f}") | {key: text for key, (_, text) in _OTHERS.items()}
    for run, row in zip(runs, rows, strict=True):
        cells = [
            text.format(float(row[key])) if row.get(key) else "–" for key, text in texts.items()
        ]
        lines.append(f"| {run.name} | {int(row['photos_shown']):,} | {' | '.join(cells)} |")
    return lines


def _best_epoch(run: Path) -> dict[str, str]:
    """A run's figures by name, and how many photos it was shown in all."""
    try:
        with (run / "log.csv").open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row.get(_MSE)]
        settings = json.loads((run / "config.json").read_text(encoding="utf-8"))["settings"]
        best = min(rows, key=lambda row: float(row[_MSE]))
        return best | {"photos_shown": str(int(rows[-1]["step"]) * int(settings["batch"]))}
    except (OSError, ValueError, KeyError) as error:
        raise ColorizeError(
            f"{run}: expected the folder of a run with an epoch measured on val, found none "
            f"({error!r})"
        ) from error


def main(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")],
) -> None:
    """Put training runs side by side."""
    try:
        typer.echo("\n".join(table(runs)))
    except ColorizeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
