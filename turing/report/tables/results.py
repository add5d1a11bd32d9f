"""The tables of a report, as text in cells, for the terminal and for HTML alike."""

import math

import numpy as np

from turing.analysis.analysis import Results
from turing.report.tables.aspects import ties_note
from turing.report.tables.table import Table
from turing.report.words import (
    DASH,
    interval,
    interval_title,
    name_of,
    number,
    p_value,
    percent,
    remarks,
    shown_cells,
    signed,
)
from turing.statistics.fractions import Difference, Fraction
from turing.study.trials import ORIGINAL


def cells_table(results: Results) -> Table:
    """Turing fraction per dataset and model, with the honest and the naive interval."""
    cells = shown_cells(results.cells)
    notes = ((f"{name_of(cell.dataset)}, {cell.model}", cell.note) for cell in cells)
    return Table(
        "Turing fraction",
        (
            "Dataset",
            "Model",
            "Verdict",
            "Fraction",
            interval_title(results),
            "Naive interval",
            "Right",
            "People",
            "Photos",
            "Fooled",
            "d'",
            "Effective n",
        ),
        [
            (
                name_of(cell.dataset),
                cell.model,
                cell.verdict,
                number(cell.fraction.estimate),
                interval(cell.fraction.low, cell.fraction.high),
                interval(*cell.naive),
                f"{cell.correct} of {cell.fraction.n}",
                str(cell.fraction.participants),
                str(cell.fraction.photos),
                number(1 - cell.fraction.estimate),
                number(cell.d_prime, 2),
                number(cell.fraction.n_effective, 0),
            )
            for cell in cells
        ],
        3,
        remarks(notes),
    )


def comparisons_table(results: Results) -> Table:
    """Every two models, with Holm's adjusted p-values."""
    pairs = results.comparisons
    one = len({pair.dataset for pair in pairs} - {None}) == 1
    pairs = [pair for pair in pairs if not (one and pair.dataset is None)]
    preference = results.data.protocol == "preference"
    notes = remarks(
        (f"{name_of(pair.dataset)}, {pair.a} against {pair.b}", pair.difference.note)
        for pair in pairs
    )
    return Table(
        "Which model looks more real" if preference else "Models against each other",
        (
            "Dataset",
            "Model",
            "Against",
            "Difference in logits" if preference else "Difference",
            interval_title(results),
            "p (Holm)",
            "p",
        ),
        [
            (
                name_of(pair.dataset),
                pair.a,
                pair.b,
                signed(pair.difference.estimate),
                interval(pair.difference.low, pair.difference.high),
                p_value(pair.p_holm),
                p_value(pair.difference.p_value),
            )
            for pair in pairs
        ],
        3,
        "An interval and its p are of one pair alone; p (Holm) allows for all pairs that are "
        "compared, so that it can be above 0.05 where an interval leaves out 0."
        + (notes and f" {notes}"),
    )


def preference_table(results: Results) -> Table:
    """Bradley-Terry scores and resampled ranks."""
    rows, notes = [], []
    one = len(results.preferences) == 2
    for of in results.preferences:
        if one and of.dataset is None:
            continue
        for note in filter(None, (of.scores.note, of.ranks.note)):
            notes.append(f"{name_of(of.dataset)}: {note}.")
        if alike := ties_note(results, of.dataset):
            notes.append(f"{name_of(of.dataset)}: {alike}.")
        for place, (model, score) in enumerate(of.scores.scores.items(), 1):
            low, high = of.ranks.ranks.get(model, (0, 0))
            rows.append(
                (
                    name_of(of.dataset),
                    str(model),
                    str(place),
                    f"{low} to {high}" if low else DASH,
                    signed(score.estimate, 2),
                    interval(score.low, score.high, 2),
                )
            )
    return Table(
        "Ranking (Bradley-Terry)",
        ("Dataset", "Model", "Rank", "95% of resampled ranks", "Score", interval_title(results)),
        rows,
        2,
        " ".join(dict.fromkeys(notes)),
    )


def detection_table(results: Results) -> Table:
    """What one-picture trials say about sensitivity and leaning."""
    found = [(cell, cell.detection) for cell in shown_cells(results.cells) if cell.detection]
    return Table(
        "Sensitivity and leaning",
        (
            "Dataset",
            "Model",
            "Colorized found",
            "Originals accused",
            "d'",
            interval_title(results),
            "Criterion",
            "Unbiased fraction",
            interval_title(results),
        ),
        [
            (
                name_of(cell.dataset),
                cell.model,
                percent(of.hit_rate),
                percent(of.false_alarm_rate),
                number(of.d_prime, 2),
                interval(of.low, of.high, 2),
                signed(of.criterion, 2),
                number(of.unbiased_fraction),
                interval(of.unbiased_low, of.unbiased_high),
            )
            for cell, of in found
        ],
        2,
        'A criterion above 0 is a leaning to say "real".',
    )


def heterogeneity_table(results: Results) -> Table:
    """What the mean of a cell hides."""
    several = len(results.data.study.stimuli.datasets) > 1
    single = results.data.protocol == "single"
    rows = []
    for of in results.heterogeneity:
        if not several and of.dataset is None:
            continue
        sure = of.reliable
        rows.append(
            (
                name_of(of.dataset),
                of.model,
                number(of.photos.sd, 2),
                p_value(of.photos.p_value),
                f"{sure.above} and {sure.below} of {sure.groups}" if sure else DASH,
                number(of.people.sd, 2),
                *([number(of.datasets.sd, 2) if of.datasets else DASH] if several else []),
            )
        )
    return Table(
        "What the mean hides",
        (
            "Dataset",
            "Model",
            "SD of photos",
            "p of no difference",
            "Photos surely above and below 0.5",
            "SD of people",
            *(["SD of datasets"] if several else []),
        ),
        rows,
        2,
        "SD: of the true fractions of single photos, people or datasets, beyond what chance makes "
        "of a few answers each. Sure: an exact test of each photo at a false discovery rate of 5%. "
        f"{DASH}: not to be had, as of photos or people with one answer each"
        + (
            ", and of colorized pictures shown alone, which no chance level stands beside."
            if single
            else "."
        ),
    )


def protocol_tables(results: Results) -> list[Table]:
    """What stands after the main table: what it hides, sensitivity (`single`), then models
    compared."""
    found = [heterogeneity_table(results), comparisons_table(results)]
    if results.data.protocol == "single":
        found.insert(1, detection_table(results))
    return [table for table in found if table.rows]


def without_table(results: Results) -> Table:
    """The same cells with and without the exclusions."""
    counted = {(cell.dataset, cell.model): cell for cell in results.cells}
    rows = []
    for cell in shown_cells(results.cells_of_all):
        row = [name_of(cell.dataset), cell.model]
        same = counted.get((cell.dataset, cell.model))
        for of in (same, cell):
            row += (
                [
                    number(of.fraction.estimate),
                    interval(of.fraction.low, of.fraction.high),
                    str(of.fraction.participants),
                ]
                if of
                else [DASH] * 3
            )
        rows.append(row)
    return Table(
        "With and without exclusions",
        (
            "Dataset",
            "Model",
            "With",
            interval_title(results),
            "People",
            "Without",
            interval_title(results),
            "People",
        ),
        rows,
        2,
    )


def times_table(results: Results) -> Table:
    """Response times in seconds: quartiles by model, right and wrong."""
    rows = [
        (model, outcome, str(len(ms)), *(f"{q / 1000:.2f}" for q in quartiles(ms)))
        for model, outcome, ms in response_times(results)
    ]
    return Table(
        "Response times (seconds)",
        ("Model", "Answer", "Answers", "First quarter", "Median", "Third quarter"),
        rows,
        2,
    )


def response_times(results: Results) -> list[tuple[str, str, np.ndarray]]:
    """(model, right or wrong, milliseconds); for `preference` one row."""
    choices = results.choices
    if results.data.protocol == "preference":
        return [("all", "any", choices["rt_ms"].to_numpy())] if len(choices) else []
    found = []
    shown = choices["model"].fillna(ORIGINAL)
    for model in (*results.data.study.models, ORIGINAL):
        for outcome, correct in (("right", 1), ("wrong", 0)):
            of = choices[(shown == model) & (choices["correct"] == correct)]
            if len(of):
                found.append((model, outcome, of["rt_ms"].to_numpy()))
    return found


def quartiles(ms: np.ndarray) -> tuple[float, float, float]:
    return tuple(np.quantile(ms, (0.25, 0.5, 0.75)))


def checks_table(results: Results) -> Table:
    """Position bias and learning."""
    found: dict[str, Fraction | Difference] = {}
    if results.position is not None:
        part = "first" if results.data.protocol == "pick-fake-sequential" else "left"
        found[f"Share of picks of the {part} part (0.5 = no leaning)"] = results.position
    if results.learning is not None:
        found["Fraction in the second half of the trials minus the first"] = results.learning
    known = {what: of for what, of in found.items() if not math.isnan(of.estimate)}
    return Table(
        "Position and learning",
        ("", "Estimate", "95% interval"),
        [(what, *_of(of)) for what, of in known.items()],
        note=remarks((what, of.note) for what, of in known.items()),
    )


def _of(found: Fraction | Difference) -> tuple[str, str]:
    digits = number(found.estimate)
    if isinstance(found, Difference) and not math.isnan(found.estimate):
        digits = signed(found.estimate)
    return digits, interval(found.low, found.high)
