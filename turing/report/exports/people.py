"""Everybody who started, and what happened beside the choices, as rows of two tables."""

from collections import Counter

from turing.analysis.exclusions import exclusions, people_of
from turing.analysis.frames import load_data
from turing.errors import TuringError
from turing.report.exports.choices import ANSWER, OF_PERSON, QUERY, beside, in_order
from turing.report.exports.writers import Columns
from turing.store.beside.viewing import Viewing, viewings
from turing.store.records import (
    Row,
    built_versions,
    focus_lost,
    holds_simulated,
    read_events,
    read_version,
)
from turing.store.store import Store, facts
from turing.study.screening import screened

PARTICIPANTS: Columns = {
    **OF_PERSON,
    "participant": ("integer", "the participant, as in the table of choices"),
    "screened_out": ("time", "when it ended before the trials (UTC), by an answer or a check"),
    "trials": ("integer", "scored trials that were drawn for the participant"),
    "answered": ("integer", "scored trials with a choice"),
    "catch_trials": ("integer", "catch trials that were drawn"),
    "catch_answered": ("integer", "catch trials with a choice"),
    "catch_correct": ("integer", "catch trials that were right"),
    "median_rt_ms": ("number", "median response time of scored trials in ms"),
    "focus_lost": ("integer", "how often the page was left for another while a trial was open"),
    "reloads": ("integer", "how often the page was loaded anew"),
    "hidden_ms": ("integer", "for how long the page could not be seen while a trial was open, ms"),
    "viewport_width": ("number", "of the window that showed the page, at the start, in CSS pixels"),
    "viewport_height": ("number", "its height"),
    "screen_width": ("number", "of the whole screen in CSS pixels"),
    "screen_height": ("number", "its height"),
    "device_pixel_ratio": ("number", "pixels of the screen in a CSS pixel"),
    "pointer": ("text", "fine (mouse, trackpad), coarse (finger) or none"),
    "color_gamut": ("text", "colours that the screen shows, about: srgb, p3 or rec2020"),
    "color_scheme": ("text", "light or dark: what the browser asked pages for"),
    "forced_colors": ("boolean", "a mode of high contrast; the ground of the trials stays grey"),
    "visibility": ("text", "visible or hidden: whether the page could be seen at the start"),
    "fullscreen": ("boolean", "whether the page filled the screen at the start"),
    "device_changes": ("integer", "how often any of these changed; table events, device"),
    "fullscreen_left": ("integer", "how often the full screen was left while a trial was open"),
    "screen_dark": ("boolean", "whether a step of grey near black was seen on the screen"),
    "screen_light": ("boolean", "whether one near white was seen"),
    "screen_saturation": ("boolean", "whether a step of saturation was seen"),
    "plates_shown": ("integer", "plates of the colour screening"),
    "plates_correct": ("integer", "those whose gap was found; empty = none was answered"),
    "plates_missed": ("text", "the deficiencies whose plates were not all right: protan, ..."),
    "plates": ("text", "every plate in its order: deficiency gap:answer, none = no ring was seen"),
    "excluded_by": ("text", "the rules of the study file that leave the participant out"),
}
EVENTS: Columns = {
    "study": ("text", "the study's name"),
    "version": ("integer", "the version that the participant saw; empty = of nobody"),
    "participant": ("integer", "the participant, as in the table of choices; empty = of nobody"),
    "at": ("time", "when the server noted it (UTC)"),
    "what": ("text", "opened, resumed (the page was loaded anew), focus lost, device, hidden, ..."),
    "detail": ("text", "the trial's position, and what was tried; of a device JSON"),
}
_FIGURES = ("trials", "answered", "catch_trials", "catch_answered", "catch_correct", "median_rt_ms")


def participants(
    store: Store, *, version: int | None = None, everything: bool = False, blind: bool = False
) -> list[Row]:
    """A row for everybody who started, with why they are not counted.

    Who left is there without IDs and answers, previews are not, unless `everything` is asked for;
    blind leaves out outside IDs. A participant without a preview has the figures of the analysis.
    """
    found = read_version(store, version)
    happened = read_events(store, version)
    lost, reloads = Counter[int](), Counter[int]()
    for (number, _), count in focus_lost(happened).items():
        lost[number] += count
    for event in happened:
        reloads[event["participant"]] += event["what"] == "resumed"
    seen = viewings(happened)
    with store.reading() as db:
        study = {"study": facts(db).name, "simulated": holds_simulated(db)}
    figures = _figures(store, version)
    rows = []
    for person in found.participants:
        if person["preview"] and not everything:
            continue
        number = person["participant"]
        row = study | person | figures.get(number, dict.fromkeys((*_FIGURES, "excluded_by")))
        row |= {"focus_lost": lost[number], "reloads": reloads[number]} | _viewing(seen.get(number))
        row |= _screening(person)
        is_kept = everything or not person["withdrawn"]
        ids = beside(QUERY, person["query"]) if is_kept and not blind else {}
        rows.append(row | ids | (beside(ANSWER, person["answers"]) if is_kept else {}))
    return _alike(rows)


def _viewing(said: Viewing | None) -> Row:
    """On what a participant looked, as far as the page said it."""
    seen = said or Viewing()
    screen = {f"screen_{step}": was_seen for step, was_seen in seen.screen.items()}
    return {
        **seen.device,
        **screen,
        "device_changes": seen.changes,
        "hidden_ms": seen.hidden_ms,
        "fullscreen_left": seen.fullscreen_left,
    }


def _screening(person: Row) -> Row:
    """What came of the colour screening."""
    found = screened(person["plates"])
    told = (f"{kind} {gap}:{answer or ''}" for kind, gap, answer in person["plates"])
    return {
        "plates_shown": found.shown or None,
        "plates_correct": found.correct if found.answered else None,
        "plates_missed": " ".join(found.missed) or None,
        "plates": ", ".join(told) or None,
    }


def events(store: Store, *, version: int | None = None, everything: bool = False) -> list[Row]:
    """What happened beside the choices, in the order of time; of previews only with
    `everything`."""
    people = {row["participant"]: row for row in read_version(store, version).participants}
    rows = []
    for event in read_events(store, version):
        person = people.get(event["participant"], {})
        if person.get("preview") and not everything:
            continue
        study = {"study": store.facts().name, "version": person.get("version")}
        rows.append({key: (study | event)[key] for key in EVENTS})
    return rows


def _figures(store: Store, version: int | None) -> dict[int, Row]:
    """What the analysis says of each participant, by number."""
    found: dict[int, Row] = {}
    for one in built_versions(store) if version is None else [version]:
        try:
            data = load_data(store, [one])
        except TuringError:
            continue
        frame = people_of(data, exclusions(data))
        frame = frame[[*_FIGURES, "excluded_by"]].astype(object).where(frame.notna(), None)
        found |= {int(n): dict(row) for n, row in frame.iterrows()}
    for row in found.values():
        if row["catch_correct"] is not None:
            row["catch_correct"] = int(row["catch_correct"])
    return found


def _alike(rows: list[Row]) -> list[Row]:
    """With the same columns: those of all, then IDs, then answers."""
    names = {key for row in rows for key in row if key.startswith((QUERY, ANSWER))}
    columns = [*PARTICIPANTS, *in_order(names)]
    return [{key: row.get(key) for key in columns} for row in rows]
