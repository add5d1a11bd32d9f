"""The tables of what a study may ask beside the choice, and of the mixed model."""

import math

from turing.analysis.analysis import Results
from turing.report.tables.table import Table
from turing.report.words import (
    DASH,
    interval,
    interval_title,
    name_of,
    number,
    percent,
    remarks,
)
from turing.statistics.mixed import Mixed
from turing.study.counts import count
from turing.study.trials import ORIGINAL

_FEW = 10  # people or photos, whose differences are hardly known


def thresholds_table(results: Results) -> Table:
    """How long each model must be shown to be told."""
    shown = [of for of in results.exposures if _is_shown(results, of.dataset)]
    notes = remarks((f"{name_of(of.dataset)}, {of.model}", of.threshold.note) for of in shown)
    adaptive = (
        " The exposures followed each participant's answers, one track a model: that the next "
        "exposure tells how one did before is the one hint at scored answers that a study gives."
    )
    return Table(
        "How long it takes to tell (ms)",
        ("Dataset", "Model", "Threshold", interval_title(results), "Logits an octave", "Answers"),
        [
            (
                name_of(of.dataset),
                of.model,
                number(of.threshold.estimate, 0),
                interval(of.threshold.low, of.threshold.high, 0),
                number(of.threshold.slope, 2),
                str(of.threshold.n),
            )
            for of in shown
        ],
        2,
        "The exposure at which three in four are right, by a psychometric function; longer is "
        "better for the model."
        + (adaptive if results.data.study.trials.has_staircase else "")
        + (notes and f" {notes}"),
    )


def exposures_table(results: Results) -> Table:
    """The fraction at each exposure; none of a staircase, which picks what it shows."""
    if results.data.study.trials.has_staircase:
        return Table("", (), [])
    return Table(
        "Fraction by exposure",
        ("Dataset", "Model", "Exposure (ms)", "Fraction", interval_title(results), "Answers"),
        [
            (
                name_of(of.dataset),
                of.model,
                str(ms),
                number(fraction.estimate),
                interval(fraction.low, fraction.high),
                str(fraction.n),
            )
            for of in results.exposures
            if _is_shown(results, of.dataset)
            for ms, fraction in of.fractions
        ],
        2,
    )


def sureness_table(results: Results) -> Table:
    """Confidence: meta-d' and how often each level was right."""
    by_root = "" if results.data.protocol == "single" else ", over the square root of 2"
    shown = [of for of in results.sureness if _is_shown(results, of.dataset)]
    notes = remarks((f"{name_of(of.dataset)}, {of.model}", of.found.note) for of in shown)
    return Table(
        "Do people know when they are right?",
        (
            "Dataset",
            "Model",
            "d'",
            "meta-d'",
            "meta-d' / d'",
            interval_title(results),
            "Area under the ROC",
            "Right: a guess",
            "unsure",
            "rather sure",
            "sure",
        ),
        [
            (
                name_of(of.dataset),
                of.model,
                number(of.d_prime, 2),
                number(of.meta_d_prime, 2),
                number(of.found.ratio, 2),
                interval(of.found.low, of.found.high, 2),
                number(of.found.area, 3),
                *(
                    f"{percent(share)} of {n}" if n else DASH
                    for share, n in zip(of.found.right, of.found.rated, strict=True)
                ),
            )
            for of in shown
        ],
        2,
        "meta-d' is the d' that the confidence ratings speak of (Maniscalco and Lau 2012): as "
        "large as d' where people know all that their choices rest on, smaller where they do not. "
        f"Here d' is z of the hits less z of the false alarms of what was rated{by_root}: leaning "
        "to one answer does not lower it, as it does where d' comes from a fraction."
        + (notes and f" {notes}"),
    )


def mixed_table(results: Results, found: Mixed) -> Table:
    """Marginal means of the mixed model beside the fractions, and its variances."""
    cells = {(cell.dataset, cell.model): cell for cell in results.cells}
    rows = []
    for (dataset, model), level in found.levels.items():
        cell = cells.get((dataset, model))
        beside = cell and not (cell.detection or model == ORIGINAL)
        rows.append(
            (
                dataset,
                "originals" if model == ORIGINAL else model,
                number(level.share),
                interval(level.low, level.high),
                f"{level.logit:+.2f}",
                number(cell.fraction.estimate) if beside else DASH,
                interval(cell.fraction.low, cell.fraction.high) if beside else DASH,
            )
        )
    seen = results.choices
    few = min(seen["participant"].nunique(), seen["photo_id"].nunique()) < _FEW
    note = found.note or (
        "One model of all scored answers: the logit of being right is the level of dataset and "
        "model, plus what the person and the photo add, which are crossed random effects. The mean "
        "is that over new people and photos. Standard deviations in logits: "
        f"people {number(found.sd_participant, 2)}, photos {number(found.sd_photo, 2)}. Fitted by "
        "variational Bayes (statsmodels); errors of the levels after Breslow and Clayton (1993)."
        + (
            " Of so few people or photos the standard deviations are mostly what the fit starts "
            "from: their logarithms are about normal, with mean 0 and deviation 1."
            if few
            else ""
        )
    )
    return Table(
        "A mixed model beside it",
        (
            "Dataset",
            "Model",
            "Marginal mean",
            "95% interval",
            "Logit",
            "Fraction",
            interval_title(results),
        ),
        sorted(rows, key=lambda row: _order(results, row)),
        2,
        note,
    )


def ties_note(results: Results, dataset: str | None) -> str:
    """How often both were found alike, for the note of a ranking."""
    (of,) = (of for of in results.preferences if of.dataset == dataset)
    if not (results.data.study.trials.ties and of.scores.n):
        return ""
    found, n = of.scores.ties, of.scores.n
    text = f"found alike in {found} of {count(n, 'choice')} ({percent(found / n)})"
    if of.scores.alike is not None:
        nu = math.exp(of.scores.alike.estimate)
        text += f"; two models of one score would be in {percent(nu / (2 + nu))} (Davidson 1970)"
    return text


def _is_shown(results: Results, dataset: str | None) -> bool:
    """Whether a row is not the same as another: all datasets where there is one."""
    return dataset is not None or len(results.data.study.stimuli.datasets) > 1


def _order(results: Results, row: tuple[str, ...]) -> tuple[int, int]:
    datasets = [dataset.name for dataset in results.data.study.stimuli.datasets]
    models = [*results.data.study.models, "originals"]
    return datasets.index(row[0]), models.index(row[1])
