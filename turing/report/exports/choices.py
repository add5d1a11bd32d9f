"""Every choice as a row of a table."""

import hmac
from collections.abc import Iterable, Mapping, Sequence

from turing.report.exports.writers import Columns
from turing.store.records import Row, choices, counted, read_version, versions_in
from turing.store.store import Store
from turing.study.trials import ORIGINAL, WILD

OF_PERSON: Columns = {
    "study": ("text", "the study's name"),
    "version": ("integer", "the version of the study that the participant saw"),
    "part": ("integer", "which app the participant was at, where a study runs on several"),
    "participant": ("integer", "the participant, within this file"),
    "number": (
        "integer",
        "what the participant's trials were drawn by, within version and part; 0 = none were",
    ),
    "simulated": ("boolean", "whether the participants are made up, by `turing simulate`"),
    "preview": ("boolean", "a preview, never to be counted"),
    "consented": ("time", "when the participant agreed and started (UTC)"),
    "finished": ("time", "when the participant came to the end (UTC); empty = did not"),
    "withdrawn": ("time", "when the participant left the study (UTC); never to be counted"),
}
COLUMNS: Columns = {
    **OF_PERSON,
    "position": ("integer", "place among the participant's trials, 0 = first, practice included"),
    "practice": ("boolean", "a practice trial, with feedback, never to be counted"),
    "catch": ("boolean", "a catch trial: original against a wildly wrong colouring"),
    "protocol": ("text", "pick-original, pick-fake-sequential, single or preference"),
    "dataset": ("text", "the photo's dataset"),
    "photo": ("text", "SHA-256 of the photo's file"),
    "photo_file": ("text", "the photo's file in its dataset's folder"),
    "model": (
        "text",
        "the model that the choice counts for; empty = none (catch, preference), "
        "or every one (an original alone)",
    ),
    "left": ("text", f"what was left, first or alone: a model, {ORIGINAL} or {WILD}"),
    "right": ("text", "what was right or second; empty for single"),
    "stimulus_sha256": ("text", "what was shown, as the pre-registration lists it"),
    "choice": ("integer", "the part picked: 0 left or first, 1 right or second; single: 0 real"),
    "correct": ("boolean", "whether the choice was right; empty where there is no right one"),
    "rt_ms": ("number", "response time in ms, by the participant's clock"),
    "exposure_ms": ("integer", "how long each part was to be shown in ms; 0 = until answered"),
    "focus_lost": ("integer", "how often the page was left for another while the trial was open"),
    "shown_again": (
        "integer",
        "how often the page was loaded anew since the answer before: the picture may be seen again",
    ),
    "shown_ms": ("number", "how long the picture was shown in ms, by the participant's clock"),
    "frames": ("integer", "frames of the screen that showed a timed picture, all parts together"),
    "dropped_frames": ("integer", "frames that came late while it was shown"),
    "refresh_hz": ("number", "the screen's refresh rate, as it was measured before"),
    "drawn_width": ("number", "a part's width on the page in CSS pixels"),
    "drawn_height": ("number", "a part's height on the page in CSS pixels"),
    "device_pixel_ratio": ("number", "pixels of the screen in a CSS pixel"),
    "layout": ("text", "how the parts stood: beside, stacked or single"),
    "answered": ("time", "when the server had the choice (UTC)"),
    "server_ms": (
        "integer",
        "ms since the choice before, or the start, by the server's clock; none if that went back",
    ),
}
QUERY = "query."
ANSWER = "answer."
_GIVES_AWAY = ("photo_file", "stimulus_sha256")
_SIDES = ("model", "left", "right")


def table(store: Store, *, version: int | None = None, everything: bool = False) -> list[Row]:
    """A row for each choice, with outside IDs (query.NAME) and answers (answer.ID) beside."""
    found = read_version(store, version)
    people = {
        row["participant"]: beside(QUERY, row["query"]) | beside(ANSWER, row["answers"])
        for row in found.participants
    }
    names = {key for row in people.values() for key in row}
    columns = dict.fromkeys(in_order(names))
    study = {"study": store.facts().name}
    return [
        {key: row[key] for key in COLUMNS} | columns | people[row["participant"]]
        for row in (study | row for row in choices(counted(found.trials, everything)))
    ]


def beside(prefix: str, values: dict[str, str]) -> Row:
    """IDs or answers of a person as columns."""
    return {prefix + key: value for key, value in values.items()}


def in_order(names: Iterable[str]) -> list[str]:
    """Columns of `beside`: IDs, then answers."""
    return sorted(names, key=lambda name: (name.startswith(ANSWER), name))


def blinded(store: Store, rows: Sequence[Row]) -> list[Row]:
    """The rows of `table` with models and photos under codes, and without what gives a key away."""
    key = store.facts().trial_key
    with store.reading() as db:  # of all that is built: the same codes in every export
        built = [store.version(db, number).study for number in versions_in(db)]
        photos = _codes(key, "photo", (of for (of,) in db.execute("SELECT sha256 FROM photos")))
    models = _codes(key, "model", (name for study in built for name in study.models))
    codes = dict.fromkeys(_SIDES, models) | {"photo": photos}
    return [
        {
            column: codes[column].get(value, value) if column in codes else value
            for column, value in row.items()
            if column not in _GIVES_AWAY and not column.startswith(QUERY)
        }
        for row in rows
    ]


def _codes(key: bytes, kind: str, names: Iterable[str | None]) -> dict[str, str]:
    """model-1, model-2, ...: in no order that tells."""
    named = {name for name in names if name not in (None, ORIGINAL, WILD)}
    ranked = sorted(
        named, key=lambda name: hmac.digest(key, f"{kind}\x1f{name}".encode(), "sha256")
    )
    return {name: f"{kind}-{number}" for number, name in enumerate(ranked, 1)}


def wordings(store: Store) -> dict[str, str]:
    """What was asked, by a question's column: in all versions, where they ask otherwise."""
    asked: dict[str, dict[str, None]] = {}
    with store.reading() as db:
        built = [store.version(db, number).study for number in versions_in(db)]
    for question in (question for study in built for question in study.questions):
        offered = f" ({' | '.join(question.choices)})" if question.choices else ""
        said = f'"{question.ask}"{offered}, {question.when} the trials'
        asked.setdefault(ANSWER + question.id, {})[said] = None
    return {column: "; or ".join(said) for column, said in asked.items()}


def meaning(column: str, asked: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Type and meaning of a column of `table`; `asked` are the `wordings` of questions."""
    if column.startswith(QUERY):
        return "text", "an ID from the address that the participant came by"
    if column.startswith(ANSWER):
        said = (asked or {}).get(column)
        return "text", "the participant's answer to " + (said or "this question")
    return COLUMNS[column]
