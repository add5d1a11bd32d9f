"""Everybody who started, and what happened beside the choices, as rows of two tables."""

from collections import Counter

from turing.analysis.exclusions import exclusions, people_of
from turing.analysis.frames import load_data
from turing.errors import TuringError
from turing.report.exports.choices import ANSWER, OF_PERSON, QUERY, beside, in_order
from turing.report.exports.writers import Columns
from turing.store.records import (
    Row,
    built_versions,
    focus_lost,
    holds_simulated,
    read_events,
    read_version,
)
from turing.store.store import Store, facts

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
    "excluded_by": ("text", "the rules of the study file that leave the participant out"),
}
EVENTS: Columns = {
    "study": ("text", "the study's name"),
    "version": ("integer", "the version that the participant saw; empty = of nobody"),
    "participant": ("integer", "the participant, as in the table of choices; empty = of nobody"),
    "at": ("time", "when the server noted it (UTC)"),
    "what": ("text", "opened, resumed (the page was loaded anew), focus lost, retried, ..."),
    "detail": ("text", "the trial's position, and what was tried"),
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
    with store.reading() as db:
        study = {"study": facts(db).name, "simulated": holds_simulated(db)}
    figures = _figures(store, version)
    rows = []
    for person in found.participants:
        if person["preview"] and not everything:
            continue
        number = person["participant"]
        row = study | person | figures.get(number, dict.fromkeys((*_FIGURES, "excluded_by")))
        row |= {"focus_lost": lost[number], "reloads": reloads[number]}
        is_kept = everything or not person["withdrawn"]
        ids = beside(QUERY, person["query"]) if is_kept and not blind else {}
        rows.append(row | ids | (beside(ANSWER, person["answers"]) if is_kept else {}))
    return _alike(rows)


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
