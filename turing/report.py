"""The report of a study: the answer in words first, then everything that it rests on.

`html_report` is one file that asks for nothing else; every text of a participant or a researcher
is escaped. `print_report` is the same for a terminal.
"""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from turing import people_tables, plots, tables
from turing.analysis import Cell, Photo, Results
from turing.tables import Table
from turing.words import answer, cell_sentence, shown_cells

Pictures = Callable[[str], bytes | None]  # a stimulus's name to its PNG

GALLERY = 6  # photos of each kind
THUMBNAIL = 520, 400  # pixels, of a whole stimulus


class Line(NamedTuple):
    """A sentence of the answer; `kind` is a class of the page's style."""

    text: str
    kind: str
    whole: bool


class Picture(NamedTuple):
    """A stimulus with what people made of it."""

    source: str
    width: int
    height: int
    alt: str
    share: str
    dataset: str
    model: str
    parts: str
    file: str


class Gallery(NamedTuple):
    title: str
    pictures: Sequence[Picture]


def html_report(
    results: Results,
    pictures: Pictures,
    made: datetime,
    preregistration: str = "",
    top: str = "",
) -> str:
    """The whole report as one HTML file; `top` is HTML that stands under the title, if any."""
    study = results.data.study
    has_fractions = bool(results.cells)
    return (
        _environment()
        .get_template("report.html")
        .render(
            css=Markup(_css()),
            study=study,
            versions=", ".join(map(str, results.data.versions)),
            counted=len(results.counted),
            started=results.started,
            period=_period(results),
            made=f"{made:%Y-%m-%d %H:%M} UTC",
            top=Markup(top),
            simulated=results.data.simulated,
            notes=results.notes,
            answer=_lines(results),
            meanings=_meanings(results),
            forest=_forest(results),
            forest_caption=_forest_caption(results),
            main_table=tables.cells_table(results)
            if has_fractions
            else tables.preference_table(results),
            extra_tables=_extra_tables(results),
            people=people_tables.people_table(results),
            exclusions=people_tables.exclusions_table(results),
            without=tables.without_table(results),
            everybody=people_tables.participants_table(results),
            photos=tables.photos_table(results.photos),
            galleries=_galleries(results, pictures),
            times=tables.times_table(results),
            checks=tables.checks_table(results),
            questions=people_tables.answers_of(results),
            printed=tables.printed_table(results),
            plots=_plots(results),
            method=_method(results),
            preregistration=preregistration,
            source=study.source,
            program=results.data.program,
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("turing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _css() -> str:
    return (files("turing") / "templates" / "report.css").read_text("utf-8")


def _period(results: Results) -> str:
    started = results.data.participants["started"].dropna()
    if started.empty:
        return ""
    first, last = f"{started.min():%Y-%m-%d}", f"{started.max():%Y-%m-%d}"
    return first if first == last else f"{first} to {last}"


def _lines(results: Results) -> list[Line]:
    if results.preferences:
        return [
            Line(text, "indistinguishable" if " looks more " in text else "undecided", False)
            for text in answer(results)
        ]
    return [
        Line(cell_sentence(cell), _kind(cell), cell.dataset is None)
        for cell in shown_cells(results.cells)
    ]


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
    return [Markup(draw(results, width)) for width in (plots.WIDE, plots.NARROW)]


def _forest_caption(results: Results) -> str:
    if not results.cells:
        return "Bradley-Terry scores with 95% intervals; 0 is the mean of the models."
    delta = results.data.study.analysis.delta
    caption = (
        "Turing fraction (share of scored trials that were right) with 95% intervals. The dashed "
        f"line is chance, the band the margin of {delta:g} around it."
    )
    rows = tables.printed_table(results).rows
    if any(row[3] != tables.DASH for row in rows):
        caption += " Open diamonds are the first paper's figures, of four participants."
    return caption


def _extra_tables(results: Results) -> list[Table]:
    found = [tables.comparisons_table(results)]
    if results.data.protocol == "single":
        found.insert(0, tables.detection_table(results))
    return [table for table in found if table.rows]


def _plots(results: Results) -> dict[str, Markup | str]:
    drawn: dict[str, Any] = dict.fromkeys(("people", "photos", "times", "learning"), "")
    if len(results.choices):
        drawn["times"] = Markup(plots.times(results))
    if results.cells:
        drawn["people"] = Markup(plots.people(results))
        drawn["photos"] = Markup(plots.photos(results))
        drawn["learning"] = Markup(plots.learning_curve(results))
    return drawn


def _galleries(results: Results, pictures: Pictures) -> list[Gallery]:
    """Photos that fooled most and least, not the same twice."""
    photos = list(results.photos)
    hardest = photos[: min(GALLERY, (len(photos) + 1) // 2)]
    others = sorted(photos[len(hardest) :], key=lambda p: (-p.correct / p.shown, -p.shown))
    return [
        Gallery("Least told apart", _pictures(hardest, pictures)),
        Gallery("Most told apart", _pictures(others[:GALLERY], pictures)),
    ]


def _pictures(photos: Iterable[Photo], pictures: Pictures) -> list[Picture]:
    found = []
    for photo in photos:
        png = pictures(photo.stimulus)
        if png is None:
            continue
        source, width, height = _thumbnail(png)
        parts = " | ".join(tables.part_name(part) for part in photo.parts)
        share = f"{photo.correct} of {photo.shown}"
        alt = f"{photo.file} in {photo.dataset}, left to right: {parts}; {share} right"
        found.append(
            Picture(
                source,
                width,
                height,
                alt,
                share,
                photo.dataset,
                photo.model,
                parts,
                photo.file,
            )
        )
    return found


def _thumbnail(png: bytes) -> tuple[str, int, int]:
    """A small JPEG with whole chroma as a data address, and its size in pixels."""
    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("RGB")
    small.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=88, subsampling=0, optimize=True)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/jpeg;base64,{encoded}", *small.size


def _method(results: Results) -> list[str]:
    study = results.data.study
    protocols = {
        "pick-original": "Original and colorization stood side by side and people picked the "
        "original (the first paper's protocol, section 4.3).",
        "pick-fake-sequential": "Original and colorization came one after the other, for "
        f"{study.trials.exposure_ms} ms each, and people picked the colorization "
        "(Zhang et al. 2016, section 4.1).",
        "single": "One picture stood alone, half of them originals, and people said whether it "
        "was colorized. Originals count in the cell of the model whose trials they were.",
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
            "the left or first part. " + crossed + "; the intervals of ranks are from 1,000 draws "
            "of participants with replacement."
        )
    else:
        found.append(
            "The turing fraction is the share of scored trials that were right (equation 2 of the "
            "first paper); the fooling rate is 1 minus it. Lower is better for the model, 0.5 is "
            "chance. " + crossed + " and Wilson's interval (1927) at the effective number of "
            "choices (Korn and Graubard 1998). The naive interval is Wilson's as if all choices "
            "were independent: too narrow, but what papers print."
        )
    if results.comparisons:
        found.append(
            "p-values are adjusted by Holm's method over all pairs of models of all datasets"
            + (", and over those of all datasets together apart." if _several(results) else ".")
        )
    return found


def _several(results: Results) -> bool:
    return len(results.data.study.stimuli.datasets) > 1


def print_report(results: Results, console: Console) -> None:
    """The answer, then the tables, as wide as the terminal allows."""
    study = results.data.study
    console.print(
        f"[bold]{escape(study.study.title)}[/bold]  {escape(study.name)}, "
        f"version {', '.join(map(str, results.data.versions))}, {study.protocol}"
    )
    if results.data.simulated:
        console.print("[yellow]Simulated: some of these participants are synthetic.[/yellow]")
    for note in results.notes:
        console.print(f"[yellow]{escape(note)}[/yellow]")
    console.print()
    for sentence in answer(results) or ["No answers that count yet."]:
        console.print(f"  {escape(sentence)}", highlight=False)
    for table in (
        tables.cells_table(results),
        tables.preference_table(results),
        *_extra_tables(results),
        people_tables.people_table(results),
        people_tables.exclusions_table(results),
        tables.without_table(results),
        tables.times_table(results),
        tables.checks_table(results),
        tables.printed_table(results),
    ):
        print_table(table, console)


def print_table(table: Table, console: Console) -> None:
    """A table with as many of its columns as fit, from the left."""
    if not table.rows:
        return
    widths = [
        max(len(column), *(len(row[i]) for row in table.rows)) + 2
        for i, column in enumerate(table.columns)
    ]
    fit = next((i for i in range(len(widths)) if sum(widths[: i + 1]) + 1 > console.width), None)
    fit = max(fit or len(widths), table.text + 1)
    drawn = RichTable(box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    drawn.title = escape(table.title)
    for i, column in enumerate(table.columns[:fit]):
        words = i < table.text
        drawn.add_column(
            escape(column),
            justify="left" if words else "right",
            no_wrap=widths[i] < 50,
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*(escape(cell) for cell in row[:fit]))
    console.print()
    console.print(drawn)
    if hidden := table.columns[fit:]:
        console.print(f"[dim]In a wider window: {escape(', '.join(hidden))}[/dim]")
    if table.note:
        console.print(f"[dim]{escape(table.note)}[/dim]")
