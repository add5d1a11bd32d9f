"""Plots of what a study may ask beside the choice, as SVG to stand inside a page."""

import numpy as np
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from turing.analysis.analysis import Results
from turing.report.plots.drawing import (
    GRID,
    MODELS,
    MUTED,
    NARROW,
    PAPER,
    model_colors,
    new_figure,
    svg_of,
)
from turing.report.words import number
from turing.statistics.psychometric import TARGET, told

_MOST_TICKS = 7


def by_exposure(results: Results, width: float = NARROW) -> str:
    """Turing fraction against exposure with 95% intervals, and the fitted curves; all datasets.

    Exposures of a staircase have dots as large as they were often shown, and no intervals.
    """
    whole = [of for of in results.exposures if of.dataset is None]
    adaptive = results.data.study.trials.has_staircase
    figure, axes = new_figure(width, 2.6)
    axes.set_xscale("log")
    axes.axhline(0.5, color=MUTED, lw=1, ls=(0, (4, 3)))
    axes.axhline(TARGET, color=GRID, lw=1)
    colors = model_colors(results)
    every = sorted({ms for of in whole for ms, _ in of.fractions})
    for place, of in enumerate(whole):
        color, found = colors[of.model], of.threshold
        aside = 1 + 0.02 * (place - (len(whole) - 1) / 2)  # so that intervals do not hide
        for ms, fraction in of.fractions:
            if not (adaptive or np.isnan(fraction.low)):
                axes.plot([ms * aside] * 2, [fraction.low, fraction.high], color=color, lw=1.4)
            size = min(2 + fraction.n**0.5 / 2, 8) if adaptive else 5
            axes.plot([ms * aside], [fraction.estimate], "o", color=color, ms=size, mec=PAPER)
        if 0 < found.estimate < np.inf and every:
            along = np.geomspace(every[0], every[-1], 100)
            axes.plot(along, told(along, found), color=color, lw=1.4, alpha=0.7)
    ticks = every[:: max(1, -(-len(every) // _MOST_TICKS))]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([str(ms) for ms in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(min(0.4, axes.get_ylim()[0]), 1.02)
    axes.set_xlabel("exposure (ms)")
    axes.set_ylabel("turing fraction")
    described = "; ".join(f"{of.model} {number(of.threshold.estimate, 0)} ms" for of in whole)
    return svg_of(figure, f"Turing fraction by exposure, thresholds: {described}", "exposure")


def roc(results: Results, width: float = NARROW) -> str:
    """Receiver operating characteristics from the ratings, all datasets; the diagonal is chance."""
    whole = [of for of in results.sureness if of.dataset is None]
    figure, axes = new_figure(width, 2.9)
    axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=(0, (4, 3)))
    colors = model_colors(results)
    for of in whole:
        alarms, hits = np.array(of.found.roc).T
        axes.plot(alarms, hits, color=colors.get(of.model, MODELS[0]), marker="o", ms=4, lw=1.4)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    single = results.data.protocol == "single"
    axes.set_xlabel('originals called "colorized"' if single else "false alarms")
    axes.set_ylabel('colorizations called "colorized"' if single else "hits")
    described = "; ".join(f"{of.model} {number(of.found.area, 2)}" for of in whole)
    return svg_of(figure, f"ROC from confidence ratings, areas: {described}", "roc")
