"""The plots of a study's results, as SVG to stand inside a page."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from turing.analysis.analysis import Results
from turing.analysis.cells import Cell
from turing.analysis.published import printed_fraction
from turing.report.plots.drawing import (
    GRID,
    INK,
    MODELS,
    MUTED,
    NARROW,
    PAPER,
    WIDE,
    model_colors,
    new_figure,
    row_labels,
    svg_of,
)
from turing.report.tables.results import response_times
from turing.report.words import interval, interval_title, name_of, number, shown_cells
from turing.study import counts

_MARKERS = "osD^vPX*"


def forest(results: Results, width: float = WIDE) -> str:
    """Turing fraction with its 95% interval, a row a dataset and model, chance as a line.

    Open diamonds are the first paper's figures of the same names.
    """
    cells = shown_cells(results.cells)
    narrow = width < WIDE
    figure, axes = new_figure(width, 0.75 + (0.5 if narrow else 0.34) * len(cells))
    delta = results.data.study.analysis.delta
    axes.axvspan(0.5 - delta, 0.5 + delta, color=GRID, alpha=0.35, lw=0)
    axes.axvline(0.5, color=MUTED, lw=1, ls=(0, (4, 3)))
    colors = model_colors(results)
    lowest = 0.5 - delta
    for row, cell in enumerate(cells):
        color, fraction = colors[cell.model], cell.fraction
        known = [x for x in (fraction.low, fraction.estimate) if not np.isnan(x)]
        lowest = min([lowest, *known])
        if not np.isnan(fraction.low):
            axes.plot([fraction.low, fraction.high], [row, row], color=color, lw=2.2)
        axes.plot(
            [fraction.estimate],
            [row],
            color=color,
            marker=_marker(results, cell),
            ms=6.5,
            mec=PAPER,
        )
        if paper := printed_fraction(cell.dataset, cell.model, results.data.protocol):
            diamond = {"marker": "D", "ms": 4.5, "mfc": PAPER, "mec": INK, "clip_on": False}
            axes.plot([paper.fraction], [row + 0.27], **diamond)
            lowest = min(lowest, paper.fraction)
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.set_xlim(max(0.0, np.floor(lowest * 10 - 0.3) / 10), 1.01)
    row_labels(axes, [_row_label(cell.dataset, cell.model, narrow) for cell in cells])
    axes.set_xlabel("turing fraction (0.5 = chance, 1 = always told apart)" if not narrow else "")
    if not narrow:
        _figures_beside(axes, cells)
    return svg_of(
        figure,
        f"Turing fraction with {interval_title(results)}s: "
        + "; ".join(
            f"{name_of(c.dataset)}, {c.model} {number(c.fraction.estimate)}" for c in cells
        ),
        "forest" + ("-narrow" if narrow else ""),
    )


def _row_label(dataset: str | None, model: str, narrow: bool) -> str:
    """Dataset and model, cut where they would leave the plot no room."""
    most = 16 if narrow else 20
    names = [n if len(n) <= most else f"{n[: most - 1]}…" for n in (name_of(dataset), model)]
    return ("\n" if narrow else ", ").join(names)


def _figures_beside(axes: Axes, cells: Sequence[Cell]) -> None:
    """Estimate and interval at the right of each row, as forest plots have them."""
    for row, cell in enumerate(cells):
        fraction = cell.fraction
        axes.annotate(
            f"{number(fraction.estimate, 2)} {interval(fraction.low, fraction.high, 2)}",
            (1.0, row),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=9,
        )


def preference(results: Results, width: float = WIDE) -> str:
    """Bradley-Terry scores with their intervals, a row a dataset and model."""
    one = len(results.preferences) == 2
    rows = [
        (of.dataset, str(model), score)
        for of in results.preferences
        if not (one and of.dataset is None)
        for model, score in of.scores.scores.items()
    ]
    narrow = width < WIDE
    figure, axes = new_figure(width, 0.75 + (0.5 if narrow else 0.34) * len(rows))
    axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
    colors = model_colors(results)
    for row, (_, model, score) in enumerate(rows):
        if not np.isnan(score.low):
            axes.plot([score.low, score.high], [row, row], color=colors[model], lw=2.2)
        axes.plot([score.estimate], [row], color=colors[model], marker="o", ms=6.5, mec=PAPER)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    row_labels(axes, [_row_label(dataset, model, narrow) for dataset, model, _ in rows])
    axes.set_xlabel("score (logits; higher looks more real)")
    return svg_of(
        figure,
        f"Scores with {interval_title(results)}s: "
        + "; ".join(f"{name_of(d)}, {m} {s.estimate:+.2f}" for d, m, s in rows),
        "preference" + ("-narrow" if narrow else ""),
    )


def learning_curve(results: Results, width: float = NARROW) -> str:
    """Turing fraction over a participant's trials, all models together."""
    figure, axes = new_figure(width, 2.3)
    axes.axhline(0.5, color=MUTED, lw=1, ls=(0, (4, 3)))
    for step in results.curve:
        middle, fraction = (step.first + step.last) / 2, step.fraction
        if not np.isnan(fraction.low):
            axes.plot([middle, middle], [fraction.low, fraction.high], color=MODELS[0], lw=1.6)
        axes.plot([middle], [fraction.estimate], color=MODELS[0], marker="o", ms=5, mec=PAPER)
    axes.set_ylim(min(0.4, axes.get_ylim()[0]), 1.02)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("scored trial")
    axes.set_ylabel("turing fraction")
    axes.grid(axis="y", color=GRID, lw=0.6)
    steps = "; ".join(
        f"{s.first} to {s.last}: {number(s.fraction.estimate)}" for s in results.curve
    )
    return svg_of(figure, f"Turing fraction over the trials: {steps}", "learning")


def times(results: Results, width: float = NARROW) -> str:
    """Response times on a log scale: median, quartiles, 5th to 95th percentile."""
    rows = response_times(results)
    figure, axes = new_figure(width, 0.8 + 0.42 * len(rows))
    colors = model_colors(results)
    axes.set_xscale("log")
    for row, (model, outcome, ms) in enumerate(rows):
        at = np.maximum(np.quantile(ms, (0.05, 0.25, 0.5, 0.75, 0.95)), 1) / 1000
        color = colors.get(model, MODELS[0])
        axes.plot(at[[0, 4]], [row, row], color=color, lw=1)
        axes.plot(at[[1, 3]], [row, row], color=color, lw=5, alpha=0.45, solid_capstyle="butt")
        face = color if outcome != "wrong" else PAPER
        axes.plot([at[2]], [row], marker="o", ms=6, mfc=face, mec=color)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    row_labels(axes, [_row_label(model, outcome, narrow=True) for model, outcome, _ in rows])
    _seconds(axes)
    axes.set_xlabel("seconds")
    medians = "; ".join(f"{m}, {o}: median {np.median(ms) / 1000:.2f} s" for m, o, ms in rows)
    return svg_of(figure, f"Response times: {medians}", "times")


def _seconds(axes: Axes) -> None:
    low, high = axes.get_xlim()
    every = 1 if high < 10 * low else 3
    ticks = [
        t
        for t in (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 30, 60, 120, 300, 600)
        if low <= t <= high
    ][::every]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{t:g}" for t in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def people(results: Results, width: float = NARROW) -> str:
    """How many participants have which share right, over all models."""
    shares = results.choices.groupby("participant")["correct"].mean().to_numpy()
    figure, axes = new_figure(width, 2.3)
    axes.hist(shares, bins=np.linspace(0, 1, 21), color=MODELS[0], edgecolor=PAPER, lw=0.8)
    axes.axvline(0.5, color=MUTED, lw=1, ls=(0, (4, 3)))
    axes.set_xlim(max(0, min([0.4, *shares]) - 0.05), 1.0)
    axes.set_xlabel("share right")
    axes.set_ylabel("people")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", color=GRID, lw=0.6)
    return svg_of(figure, f"Share right of {counts.people(len(shares))}", "people")


def photos(results: Results, width: float = NARROW) -> str:
    """Fraction of every photo, the least told apart first, a series a model."""
    figure, axes = new_figure(width, 2.3)
    colors = model_colors(results)
    axes.axhline(0.5, color=MUTED, lw=1, ls=(0, (4, 3)))
    for model in results.data.study.models:
        of = [photo.correct / photo.shown for photo in results.photos if photo.model == model]
        if of:
            at = (np.arange(len(of)) + 0.5) / len(of)
            axes.plot(at, of, ".", color=colors[model], ms=4.5)
    axes.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    axes.set_xlabel("photos of a model, the least told apart first")
    axes.set_ylabel("turing fraction")
    axes.set_ylim(-0.03, 1.03)
    axes.grid(axis="y", color=GRID, lw=0.6)
    return svg_of(
        figure, f"Turing fraction of {counts.count(len(results.photos), 'photo')}", "photos"
    )


def _marker(results: Results, cell: Cell) -> str:
    return _MARKERS[results.data.study.models.index(cell.model) % len(_MARKERS)]
