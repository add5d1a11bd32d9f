"""Plots as SVG, to stand inside a page: they take the page's colours, light or dark.

Figures are made and drawn without pyplot, so that nothing is shared between threads.
"""

import io
import re
from collections.abc import Sequence
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from turing.analysis.analysis import Results
from turing.analysis.cells import Cell
from turing.analysis.published import printed_fraction
from turing.report.tables import response_times
from turing.report.words import interval, name_of, number, shown_cells

WIDE, NARROW = 7.6, 3.7  # inches: a page's width, a phone's

# Matplotlib draws in these; the page's CSS variables take their place.
INK, MUTED, GRID, PAPER = "#0a0001", "#0a0002", "#0a0003", "#0a0004"
MODELS = tuple(f"#0a001{i}" for i in range(8))
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    PAPER: "--paper",
    **{color: f"--model-{i}" for i, color in enumerate(MODELS)},
}
_OUTSIDE = (INK, "#5b6470", "#d5d9df", "#ffffff")
# Okabe and Ito 2008: told apart by the colour-blind too.
_OUTSIDE_MODELS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5195", "#8c6d00", "#56b4e9")
_FALLBACK = dict(
    zip(_VARIABLES, ("#1d2129", *_OUTSIDE[1:], *_OUTSIDE_MODELS, "#666666"), strict=True)
)
_MARKERS = "osD^vPX*"


def forest(results: Results, width: float = WIDE) -> str:
    """Turing fraction with its 95% interval, a row a dataset and model, chance as a line.

    Open diamonds are the first paper's figures of the same names.
    """
    cells = shown_cells(results.cells)
    narrow = width < WIDE
    figure, axes = _figure(width, 0.75 + (0.5 if narrow else 0.34) * len(cells))
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
    _labels(axes, [_row_label(cell.dataset, cell.model, narrow) for cell in cells])
    axes.set_xlabel("turing fraction (0.5 = chance, 1 = always told apart)" if not narrow else "")
    if not narrow:
        _figures_beside(axes, cells)
    return _svg(
        figure,
        "Turing fraction with 95% intervals: "
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
    """Bradley-Terry scores with 95% intervals, a row a dataset and model."""
    one = len(results.preferences) == 2
    rows = [
        (of.dataset, str(model), score)
        for of in results.preferences
        if not (one and of.dataset is None)
        for model, score in of.scores.scores.items()
    ]
    narrow = width < WIDE
    figure, axes = _figure(width, 0.75 + (0.5 if narrow else 0.34) * len(rows))
    axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
    colors = model_colors(results)
    for row, (_, model, score) in enumerate(rows):
        if not np.isnan(score.low):
            axes.plot([score.low, score.high], [row, row], color=colors[model], lw=2.2)
        axes.plot([score.estimate], [row], color=colors[model], marker="o", ms=6.5, mec=PAPER)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    _labels(axes, [_row_label(dataset, model, narrow) for dataset, model, _ in rows])
    axes.set_xlabel("score (logits; higher looks more real)")
    return _svg(
        figure,
        "Scores with 95% intervals: "
        + "; ".join(f"{name_of(d)}, {m} {s.estimate:+.2f}" for d, m, s in rows),
        "preference" + ("-narrow" if narrow else ""),
    )


def learning_curve(results: Results, width: float = NARROW) -> str:
    """Turing fraction over a participant's trials, all models together."""
    figure, axes = _figure(width, 2.3)
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
    return _svg(figure, f"Turing fraction over the trials: {steps}", "learning")


def times(results: Results, width: float = NARROW) -> str:
    """Response times on a log scale: median, quartiles, 5th to 95th percentile."""
    rows = response_times(results)
    figure, axes = _figure(width, 0.8 + 0.42 * len(rows))
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
    _labels(axes, [_row_label(model, outcome, narrow=True) for model, outcome, _ in rows])
    _seconds(axes)
    axes.set_xlabel("seconds")
    medians = "; ".join(f"{m}, {o}: median {np.median(ms) / 1000:.2f} s" for m, o, ms in rows)
    return _svg(figure, f"Response times: {medians}", "times")


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
    figure, axes = _figure(width, 2.3)
    axes.hist(shares, bins=np.linspace(0, 1, 21), color=MODELS[0], edgecolor=PAPER, lw=0.8)
    axes.axvline(0.5, color=MUTED, lw=1, ls=(0, (4, 3)))
    axes.set_xlim(max(0, min([0.4, *shares]) - 0.05), 1.0)
    axes.set_xlabel("share right")
    axes.set_ylabel("people")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", color=GRID, lw=0.6)
    return _svg(figure, f"Share right of {len(shares)} people", "people")


def photos(results: Results, width: float = NARROW) -> str:
    """Fraction of every photo, the least told apart first, a series a model."""
    figure, axes = _figure(width, 2.3)
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
    return _svg(figure, f"Turing fraction of {len(results.photos)} photos", "photos")


def model_colors(results: Results) -> dict[str, str]:
    """The colour of each model, as the plots draw it."""
    models = results.data.study.models
    return {model: MODELS[i % len(MODELS)] for i, model in enumerate(models)}


def css_color(color: str) -> str:
    """What a page has for a plot's colour; outside a page a fixed one."""
    return f"var({_VARIABLES[color]}, {_FALLBACK[color]})"


def _marker(results: Results, cell: Cell) -> str:
    return _MARKERS[results.data.study.models.index(cell.model) % len(_MARKERS)]


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GRID)
    axes.tick_params(colors=INK, labelsize=9, length=3, color=GRID)
    axes.xaxis.label.set(color=MUTED, fontsize=9)
    axes.yaxis.label.set(color=MUTED, fontsize=9)
    return figure, axes


def _labels(axes: Axes, labels: Sequence[str]) -> None:
    """One label a row, from the top."""
    drawn = [drawable(label) for label in labels]
    axes.set_yticks(range(len(drawn)), drawn, parse_math=False)
    axes.tick_params(axis="y", length=0)


def drawable(text: str) -> str:
    """Text with a box for each letter that the plots' font lacks; tables have it whole."""
    known = get_font(findfont("DejaVu Sans")).get_charmap()
    return "".join(c if c == "\n" or ord(c) in known else "\u25a1" for c in text)


def _svg(figure: Figure, description: str, name: str) -> str:
    """The figure as an <svg> element, its ids its own, its colours the page's."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    ids = dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))
    short = {old: f"{name}-{i}" for i, old in enumerate(ids)}
    svg = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{short[m[1]]}"', svg)
    svg = re.sub(r'href="#([^"]+)"', lambda m: f'href="#{short[m[1]]}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{short[m[1]]})", svg)
    for color in _VARIABLES:
        svg = svg.replace(color, css_color(color))
    opening = svg[: svg.index(">")]
    size = re.search(r'viewBox="([^"]+)"', opening)
    box = size[1] if size else "0 0 1 1"
    label = escape(description, quote=True)
    attributes = (
        f'viewBox="{box}" role="img" aria-label="{label}" class="plot"'
        ' stroke-linejoin="round" stroke-linecap="butt"'
        ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    return f"<svg {attributes}{svg[svg.index('>') :]}".strip()
