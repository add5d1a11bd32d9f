"""The tables of a report, as text in cells, for the terminal and for HTML alike."""

import math
from collections import Counter

import numpy as np

from turing.analysis import published as printed
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
    shown_cells,
)
from turing.statistics import power
from turing.statistics.fractions import Difference, Fraction
from turing.study.trials import ORIGINAL


def cells_table(results: Results) -> Table:
    """Turing fraction per dataset and model, with the honest and the naive interval."""
    cells = shown_cells(results.cells)
    notes = [f"{name_of(cell.dataset)}, {cell.model}: {cell.note}." for cell in cells if cell.note]
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
        " ".join(notes),
    )


def comparisons_table(results: Results) -> Table:
    """Every two models, with Holm's adjusted p-values."""
    pairs = results.comparisons
    one = len({pair.dataset for pair in pairs} - {None}) == 1
    preference = results.data.protocol == "preference"
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
                f"{pair.difference.estimate:+.3f}",
                interval(pair.difference.low, pair.difference.high),
                p_value(pair.p_holm),
                p_value(pair.difference.p_value),
            )
            for pair in pairs
            if not (one and pair.dataset is None)
        ],
        3,
        "An interval and its p are of one pair alone; p (Holm) allows for all pairs that are "
        "compared, so that it can be above 0.05 where an interval leaves out 0.",
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
                    f"{score.estimate:+.2f}",
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
                f"{of.criterion:+.2f}",
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
        "of a few answers each. Sure: an exact test of each photo at a false discovery rate of 5%.",
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
    rows = []
    if (position := results.position) is not None:
        part = "first" if results.data.protocol == "pick-fake-sequential" else "left"
        rows.append((f"Share of picks of the {part} part (0.5 = no leaning)", *_of(position)))
    if results.learning is not None:
        rows.append(
            ("Fraction in the second half of the trials minus the first", *_of(results.learning))
        )
    known = [row for row in rows if row[1] != DASH]
    return Table("Position and learning", ("", "Estimate", "95% interval"), known)


def _of(found: Fraction | Difference) -> tuple[str, str]:
    digits = number(found.estimate)
    if isinstance(found, Difference) and not math.isnan(found.estimate):
        digits = f"{found.estimate:+.3f}"
    return digits, interval(found.low, found.high)


def has_printed(results: Results) -> bool:
    """Whether one of our figures has one of the first paper's of the same name beside it."""
    return any(row[3] != DASH for row in printed_table(results).rows)


def printed_table(results: Results) -> Table:
    """The first paper's table 5 beside our figures of the same names."""
    ours = {(cell.dataset or "", cell.model): cell.fraction for cell in results.cells}
    ours = {(dataset.casefold(), model): fraction for (dataset, model), fraction in ours.items()}
    same_protocol = results.data.protocol == printed.TABLE_5_PROTOCOL
    rows = []
    for row in printed.TABLE_5:
        fraction = ours.get((row.dataset, row.ours)) if same_protocol else None
        rows.append(
            (
                row.dataset,
                f"{row.model} ({row.ours} here)" if row.model != row.ours else row.model,
                f"{row.fraction:.4f}",
                number(fraction.estimate) if fraction else DASH,
                interval(fraction.low, fraction.high) if fraction else DASH,
            )
        )
    people = printed.TABLE_5_PARTICIPANTS
    margin = power.plan(people, 1000, 1000).margin
    note = (
        f"The paper had {people} participants and prints no interval. So few cannot show that a "
        "model is indistinguishable, whatever they answer: even with 1,000 trials each on 1,000 "
        f"photos, a fraction of 0.5 would be known to ± {margin:.3f} (90%). "
        f"Zhang et al. 2016 print {printed.ZHANG_2016_FOOLED:.0%} fooled, a fraction of "
        f"{1 - printed.ZHANG_2016_FOOLED:.2f}, with another protocol (one after the other, 1 s "
        "each). Fractions of different protocols do not compare."
    )
    if not same_protocol:
        note += f" This study's protocol is {results.data.protocol}."
    return Table(
        "The first paper's table 5",
        ("Dataset", "Model", "Printed", "Here", "95% interval"),
        rows,
        2,
        note,
    )


def built_table(results: Results) -> Table:
    """How many photos of each dataset were found, fit and used, and what was left out."""
    built = results.data.built_from
    missing, left_out = built.get("missing", {}), built.get("left_out", [])
    scored = built.get("scored", {})
    notes = [f"{name}: {n} fewer than the study file asks for." for name, n in missing.items()]
    if enlarged := built.get("enlarged", 0):
        notes.append(f"{enlarged} photos are smaller than the display size and were enlarged.")
    reasons = Counter(one["reason"] for one in left_out)
    notes += [f"Left out as {reason}: {n}." for reason, n in reasons.items()]
    return Table(
        "Photos of the study",
        ("Dataset", "Found", "Good", "Scored", "For practice and catch"),
        [
            (name, str(of["found"]), str(of["good"]), *_used(of["used"], scored.get(name)))
            for name, of in built.get("datasets", {}).items()
        ],
        note=" ".join(notes),
    )


def models_table(results: Results) -> Table:
    """Whose weights the models are, and which."""
    return Table(
        "Models of the study",
        ("Model", "Licence", "From", "SHA-256 of its weights"),
        [
            (name, of["licence"] or DASH, of["source"] or DASH, of["sha256"])
            for name, of in results.data.built_from.get("models", {}).items()
        ],
        text=4,
    )


def _used(used: int, scored: int | None) -> tuple[str, str]:
    """Photos that are scored and others; together where an older program built the study."""
    return (f"{used} in all", DASH) if scored is None else (str(scored), str(used - scored))
