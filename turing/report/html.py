"""The report of a study as one HTML file: the answer in words, then all that it rests on.

It asks for nothing else, and every text of a participant or a researcher is escaped.
"""

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from turing.analysis.analysis import Results
from turing.analysis.cells import Cell
from turing.report.gallery import Pictures, galleries, photos_table
from turing.report.marks import heat_maps
from turing.report.plots import aspects as aspect_plots
from turing.report.plots import drawing
from turing.report.plots import results as plots
from turing.report.tables import aspects
from turing.report.tables import people as people_tables
from turing.report.tables import results as tables
from turing.report.tables import study as study_tables
from turing.report.tables.table import Table
from turing.report.words import (
    ALL,
    answer,
    cell_sentence,
    interval_title,
    remark,
    shown_cells,
)
from turing.statistics.mixed import Mixed
from turing.study.study import Study


class Preregistration(NamedTuple):
    """The file that `build` wrote, and what is to be said of it."""

    text: str
    remark: str
    as_written: bool = True


class Line(NamedTuple):
    """A sentence of the answer; `kind` is a class of the page's style."""

    text: str
    kind: str
    whole: bool


def html_report(
    results: Results,
    pictures: Pictures,
    made: datetime,
    preregistration: Preregistration | None = None,
    top: Markup | str = "",
    mixed: Mixed | None = None,
) -> str:
    """The whole report as one HTML file; `top` (HTML where it is Markup) is under the title, the
    mixed model in it where it is given.
    """
    study = results.data.study
    has_fractions = bool(results.cells)
    return render(
        "report.html",
        study=study,
        versions=", ".join(map(str, results.data.versions)),
        counted=len(results.counted),
        started=results.started,
        period=_period(results),
        made=f"{made:%Y-%m-%d %H:%M} UTC",
        top=top,
        simulated=results.data.simulated,
        notes=results.notes,
        answer=_lines(results),
        meanings=_meanings(results),
        forest=_forest(results),
        forest_caption=_forest_caption(results),
        main_table=tables.cells_table(results)
        if has_fractions
        else tables.preference_table(results),
        extra_tables=tables.protocol_tables(results) + _of_mixed(results, mixed),
        thresholds=aspects.thresholds_table(results),
        exposures=aspects.exposures_table(results),
        sureness=aspects.sureness_table(results),
        marks=heat_maps(results.marked, pictures),
        people=people_tables.people_table(results),
        viewing=people_tables.viewing_table(results),
        exclusions=people_tables.exclusions_table(results),
        without=tables.without_table(results),
        everybody=people_tables.participants_table(results),
        photos=photos_table(results.photos),
        galleries=galleries(results, pictures),
        times=tables.times_table(results),
        checks=tables.checks_table(results),
        built=study_tables.built_table(results),
        models=study_tables.models_table(results),
        questions=people_tables.answers_of(results),
        printed=study_tables.printed_table(results) if study_tables.has_printed(results) else None,
        plots=_plots(results),
        colors={m: drawing.css_color(color) for m, color in drawing.model_colors(results).items()},
        method=_method(results),
        preregistration=preregistration,
        source=study.source,
        program=results.data.program,
    )


def _period(results: Results) -> str:
    started = results.data.participants["started"].dropna()
    if started.empty:
        return ""
    first, last = f"{started.min():%Y-%m-%d}", f"{started.max():%Y-%m-%d}"
    return first if first == last else f"{first} to {last}"


def _lines(results: Results) -> list[Line]:
    if results.preferences:
        return [
            Line(
                text,
                "indistinguishable" if " looks more " in text else "undecided",
                text.startswith(f"{ALL}: "),
            )
            for text in answer(results)
        ]
    return [
        Line(cell_sentence(cell, remark(results, cell)), _kind(cell), cell.dataset is None)
        for cell in shown_cells(results.cells)
    ]


def _of_mixed(results: Results, mixed: Mixed | None) -> list[Table]:
    return [aspects.mixed_table(results, mixed)] if mixed else []


def _kind(cell: Cell) -> str:
    return cell.verdict.split(",")[0].replace(" ", "-")


def _meanings(results: Results) -> list[str]:
    """What the verdicts say, those that occur."""
    delta = results.data.study.analysis.delta
    low, high = 0.5 - delta, 0.5 + delta
    found = {
        "told apart": "told apart: people find the original more often than by guessing "
        "(the 95% interval lies above 0.5).",
        "reversed": "reversed: people take the colorization for the original more often than by "
        "guessing (the 95% interval lies below 0.5).",
        "indistinguishable": f"indistinguishable: the 90% interval lies within {low:g} to "
        f"{high:g}, the margin that the study set.",
        "indistinguishable, but detectable": "but detectable: within the margin, and yet not "
        "0.5 (the 95% interval leaves it out).",
        "undecided": "undecided: neither is shown; it takes more people, more photos or both.",
    }
    seen = {cell.verdict for cell in results.cells}
    if "indistinguishable, but detectable" in seen:
        seen.add("indistinguishable")
    return [meaning for verdict, meaning in found.items() if verdict in seen]


def _forest(results: Results) -> list[Markup]:
    draw = plots.forest if results.cells else plots.preference
    if not results.cells and not any(of.scores.scores for of in results.preferences):
        return []
    return [Markup(draw(results, width)) for width in (drawing.WIDE, drawing.NARROW)]


def _forest_caption(results: Results) -> str:
    intervals = f"{interval_title(results)}s"
    if not results.cells:
        return f"Bradley-Terry scores with {intervals}; 0 is the mean of the models."
    delta = results.data.study.analysis.delta
    caption = (
        f"Turing fraction (share of scored trials that were right) with {intervals}. The dashed "
        f"line is chance, the band the margin of {delta:g} around it."
    )
    if study_tables.has_printed(results):
        caption += " Open diamonds are the first paper's figures, of four participants."
    return caption


def _plots(results: Results) -> dict[str, Markup | str]:
    drawn: dict[str, Markup | str] = dict.fromkeys(
        ("people", "photos", "times", "learning", "exposures", "roc"), ""
    )
    if len(results.choices):
        drawn["times"] = Markup(plots.times(results))
    if results.exposures:
        drawn["exposures"] = Markup(aspect_plots.by_exposure(results))
    if results.sureness:
        drawn["roc"] = Markup(aspect_plots.roc(results))
    if results.cells:
        drawn["people"] = Markup(plots.people(results))
        drawn["photos"] = Markup(plots.photos(results))
        drawn["learning"] = Markup(plots.learning_curve(results))
    return drawn


def _method(results: Results) -> list[str]:
    study = results.data.study
    exposure = study.trials.exposure_ms
    shown = f"{exposure} ms" if isinstance(exposure, int) else "as long as is said below"
    protocols = {
        "pick-original": "Original and colorization stood side by side and people picked the "
        "original (the first paper's protocol, section 4.3).",
        "pick-fake-sequential": "Original and colorization came one after the other, for "
        f"{shown} each, and people picked the colorization "
        "(Zhang et al. 2016, section 4.1).",
        "single": "One picture stood alone, half of them originals, and people said whether it "
        "was colorized. The fraction is half the share of colorizations that were told, half that "
        "of the originals, which are the same pictures for all models and count for each.",
        "preference": "Two colorizations of one photo stood side by side and people picked the "
        "one that looked more real.",
    }
    crossed = (
        "Many people see a photo and a person sees many photos, so choices are not independent. "
        "Intervals use the variance of crossed clusters (Cameron, Gelbach and Miller 2011), "
        "degrees of freedom after Satterthwaite (1946)"
    )
    found = [protocols[study.protocol]]
    if study.protocol == "preference":
        found.append(
            "Scores are maximum-likelihood estimates of Bradley and Terry (1952) with a term for "
            "the left or first part"
            + (
                ", and of Davidson (1970) for two that are found alike. "
                if study.trials.ties
                else ". "
            )
            + crossed
            + "; the intervals of ranks are from 1,000 draws "
            "of participants and of photos with replacement (Owen 2007)."
        )
    else:
        found.append(
            (
                ""
                if study.protocol == "single"
                else "The turing fraction is the share of scored trials "
                "that were right (equation 2 of the first paper). "
            )
            + "The fooling rate is 1 minus the fraction. Lower is better for the model, 0.5 is "
            "chance. " + crossed + " and Wilson's interval (1927) at the effective number of "
            "choices (Korn and Graubard 1998). The naive interval is Wilson's as if all choices "
            "were independent: too narrow, but what papers print."
        )
    found += _beside_choices(study)
    if results.comparisons:
        found.append(
            "p-values are adjusted by Holm's method over all pairs of models of all datasets"
            + (", and over those of all datasets together apart." if _several(results) else ".")
        )
    return found


def _beside_choices(study: Study) -> list[str]:
    """How long pictures were shown, where that differs, and what was asked beside the choice."""
    asked, found = study.trials, []
    if asked.exposures:
        levels = ", ".join(map(str, asked.exposures))
        found.append(
            f"Pictures were shown for {levels} ms, in equal numbers for each model within a "
            "participant, in an order that was drawn."
        )
    if asked.has_staircase:
        found.append(
            "Exposures followed the answers, on one track a model: from 500 ms down by half an "
            "octave after each right answer until the first wrong one, from there down a quarter "
            "after three right ones in a row and up after each wrong one (Levitt 1971)."
        )
    around = [
        f"{what} of {ms} ms {where}"
        for what, ms, where in (
            ("a cross", asked.fixation_ms, "before"),
            ("a blank", asked.gap_ms, "before each picture"),
            ("a mask of coloured noise", asked.mask_ms, "after each"),
        )
        if ms
    ]
    if around:
        found.append(f"Around the pictures: {', '.join(around)}.")
    return found


def _several(results: Results) -> bool:
    return len(results.data.study.stimuli.datasets) > 1


def render(template: str, **values: Any) -> Markup:
    """A template of turing/report/templates with the report's style as `css`.

    Every value is escaped unless it is Markup.
    """
    return Markup(_environment().get_template(template).render(css=_css(), **values))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("turing.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _css() -> Markup:
    return Markup((files("turing.report") / "templates" / "report.css").read_text("utf-8"))
