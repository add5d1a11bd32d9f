"""Figures as people read them, and the answer of a study in sentences."""

import math
from collections.abc import Iterable

from scipy.special import expit

from turing.analysis.analysis import Comparison, Results
from turing.analysis.aspects.heterogeneity import SIGNIFICANT
from turing.analysis.cells import Cell
from turing.study.counts import count, people

ALL = "all datasets"
DASH = "–"  # stands for what there is no figure for


def number(value: float, digits: int = 3) -> str:
    """-0.12, 1.50; infinities and what is missing too."""
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value + 0.0:.{digits}f}"


def remarks(said: Iterable[tuple[str, str]]) -> str:
    """Notes on rows given as (row, note): each note once, after all rows that have it."""
    rows: dict[str, list[str]] = {}
    for row, note in said:
        if note:
            rows.setdefault(note, []).append(row)
    return " ".join(f"{'; '.join(of)}: {note}." for note, of in rows.items())


def signed(value: float, digits: int = 3) -> str:
    """+0.12, -1.50, +0.00: what is to be read as above or below 0."""
    return DASH if math.isnan(value) else f"{round(value, digits) + 0.0:+.{digits}f}"


def interval(low: float, high: float, digits: int = 3) -> str:
    if math.isnan(low) or math.isnan(high):
        return DASH
    return f"[{number(low, digits)}, {number(high, digits)}]"


def interval_title(results: Results) -> str:
    """95% interval, or the confidence that a look has."""
    if results.look is None or results.look.is_unblinded or not results.look.reached:
        return "95% interval"
    return f"{100 * results.look.levels.wide:.4g}% interval"


def p_value(p: float) -> str:
    if math.isnan(p):
        return DASH
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float) -> str:
    return DASH if math.isnan(share) else f"{share:.0%}"


def name_of(dataset: str | None) -> str:
    return ALL if dataset is None else dataset


def shown_cells(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Without the rows of all datasets where there is only one."""
    one = len({cell.dataset for cell in cells} - {None}) == 1
    return tuple(cell for cell in cells if not (one and cell.dataset is None))


def answer(results: Results) -> list[str]:
    """What the study found, one sentence a cell, or one a comparison for `preference`."""
    if results.preferences:
        return _preferences(results)
    return [cell_sentence(cell, remark(results, cell)) for cell in shown_cells(results.cells)]


def remark(results: Results, cell: Cell) -> str:
    """What is to be said of a cell at chance whose photos or datasets are not."""
    if not cell.verdict.startswith("indistinguishable"):
        return ""
    (of,) = (h for h in results.heterogeneity if (h.dataset, h.model) == (cell.dataset, cell.model))
    return f"at chance on average, {of.differs} differ" if of.differs else ""


def cell_sentence(cell: Cell, said: str = "") -> str:
    """landscapes, fusion: told apart, 0.93 [0.88, 0.96], 40 people, 200 photos; `said` follows the
    verdict in brackets."""
    fraction = cell.fraction
    figures = number(fraction.estimate, 2)
    bounds = interval(fraction.low, fraction.high, 2)
    figures += " (no interval)" if bounds == DASH else f" {bounds}"
    return (
        f"{name_of(cell.dataset)}, {cell.model}: {cell.verdict}{said and f' ({said})'}, {figures}, "
        f"{people(fraction.participants)}, "
        f"{count(fraction.photos, 'photo')}"
    )


def _preferences(results: Results) -> list[str]:
    preferences, comparisons = results.preferences, results.comparisons
    level = 1 - results.look.levels.wide if results.look else SIGNIFICANT
    one = len(preferences) == 2
    sentences = []
    for of in preferences:
        if one and of.dataset is None:
            continue
        if of.scores.note:
            sentences.append(f"{name_of(of.dataset)}: no ranking, {of.scores.note}")
        sentences += [
            comparison_sentence(c, level, of.scores.ties > 0)
            for c in comparisons
            if c.dataset == of.dataset
        ]
    return sentences


def comparison_sentence(
    pair: Comparison, level: float = SIGNIFICANT, has_ties: bool = False
) -> str:
    """fruits: fusion looks more real than baseline, would be picked in 86% of pairs [79%, 91%]"""
    found = pair.difference
    share, low, high = (float(expit(x)) for x in (found.estimate, found.low, found.high))
    bounds = "no interval" if math.isnan(low) else f"[{percent(low)}, {percent(high)}]"
    sure = pair.p_holm < level
    says = "looks more real than" if sure else "not shown to look more real than"
    return (
        f"{name_of(pair.dataset)}: {pair.a} {says} {pair.b}, "
        f"would be picked in {percent(share)} of pairs "
        f"{'that are not found alike ' if has_ties else ''}{bounds}"
    )
