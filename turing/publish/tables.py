"""The two tables of a published study: every trial that was answered, and everybody who came."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from turing.analysis.analysis import Results
from turing.report.exports import people
from turing.report.exports.choices import ANSWER, COLUMNS, OF_PERSON, QUERY, meaning, wordings
from turing.store.records import Row, choices, counted, read_version
from turing.store.store import Store
from turing.study.study import Study
from turing.study.trials import ORIGINAL, WILD


class Column(NamedTuple):
    """What a column holds; `levels` are its values with their meanings, where they are few."""

    type: str
    meaning: str
    levels: Mapping[str, str] = {}


Columns = Mapping[str, Column]


class Wanted(NamedTuple):
    """Outside IDs and free texts, where they are to be published; what a trial asked."""

    ids: bool
    texts: bool
    prompt: str
    practice_models: Sequence[str] = ()


class Tables(NamedTuple):
    """Rows by random ID, so that their order tells nothing. Who left is in neither table."""

    trials: Sequence[Row]
    trial_columns: Columns
    participants: Sequence[Row]
    participant_columns: Columns
    withdrawn: int  # who left


_ID = Column("text", "the participant: letters and digits drawn at random for this data set")
_OF_TRIALS: Columns = {
    "row_id": Column("text", "the trial: participant_id and position"),
    "participant_id": _ID,
    "kind": Column(
        "text",
        "what the trial was for",
        {
            "practice": "with feedback, never counted",
            "catch": "the original against a wildly wrong colouring, which who looks can tell",
            "scored": "counted for a model",
        },
    ),
    "counted": Column("boolean", "whether the choice is in the figures, as methods.md says"),
}
_OF_PEOPLE: Columns = {
    "row_id": Column("text", "the participant: participant_id"),
    "participant_id": _ID,
    "simulated": Column(*OF_PERSON["simulated"]),
    "month": Column("text", "when the participant came: year and month (UTC)"),
    "minutes": Column("integer", "from consent to the end; empty = did not come to the end"),
    "finished": Column("boolean", "whether the participant came to the end"),
    "screened_out": Column(
        "boolean", "whether it ended before the trials, by an answer or a check"
    ),
    "counted": Column("boolean", "whether choices of the participant are in the figures"),
}
_NOT_OF_TRIALS = (set(OF_PERSON) - {"simulated"}) | {"practice", "catch", "answered", "server_ms"}
_FIGURES = tuple(key for key in people.PARTICIPANTS if key not in {*OF_PERSON, "screened_out"})
_CHOICES = {
    "pick-original": {"0": "the left part", "1": "the right part"},
    "pick-fake-sequential": {"0": "the first part", "1": "the second part"},
    "single": {"0": "real", "1": "colorized"},
    "preference": {"0": "the left part", "1": "the right part"},
}


def tables(store: Store, results: Results, wanted: Wanted) -> Tables:
    """Both tables of the version that `results` are of; previews are in neither."""
    version, study = results.data.versions[-1], results.data.study
    everybody = people.participants(store, version=version)
    staying = [row for row in everybody if row["withdrawn"] is None]
    ids = _random_ids([row["participant"] for row in staying])
    places = results.choices[["participant", "position"]]
    in_figures = {(int(who), int(at)) for who, at in places.itertuples(index=False)}
    simulated = {"simulated": results.data.simulated}
    trials = [
        _trial(row | simulated, ids[row["participant"]], in_figures)
        for row in choices(counted(read_version(store, version).trials))
        if row["participant"] in ids  # who came meanwhile is not
    ]
    of_people = (
        _OF_PEOPLE
        | {key: Column(*people.PARTICIPANTS[key]) for key in _FIGURES}
        | {name: _beside(name) for name in _ids_of(study) if wanted.ids}
        | _answers(store, study, wanted.texts)
    )
    kept = {who for who, _ in in_figures}
    persons = [_person(row, ids[row["participant"]], kept, of_people) for row in staying]
    return Tables(
        sorted(trials, key=lambda row: (row["participant_id"], row["position"])),
        _columns_of_trials(study, wanted),
        sorted(persons, key=lambda row: row["participant_id"]),
        of_people,
        len(everybody) - len(staying),
    )


def _random_ids(numbers: Sequence[int]) -> dict[int, str]:
    drawn: dict[str, int] = {}
    for number in numbers:
        while (name := f"p{secrets.token_hex(4)}") in drawn:
            pass
        drawn[name] = number
    return {number: name for name, number in drawn.items()}


def _trial(row: Row, person: str, in_figures: set[tuple[int, int]]) -> Row:
    own = {
        "row_id": f"{person}-{row['position']}",
        "participant_id": person,
        "kind": "practice" if row["practice"] else "catch" if row["catch"] else "scored",
        "counted": (row["participant"], row["position"]) in in_figures,
    }
    return own | {key: row[key] for key in COLUMNS if key not in _NOT_OF_TRIALS}


def _person(row: Row, person: str, kept: set[int], columns: Columns) -> Row:
    own = {
        "row_id": person,
        "participant_id": person,
        "month": row["consented"][:7],
        "minutes": _minutes(row["consented"], row["finished"]),
        "finished": row["finished"] is not None,
        "screened_out": row["screened_out"] is not None,
        "counted": row["participant"] in kept,
    }
    if own["screened_out"]:  # whose answers are nobody's business
        own |= {key: None for key in columns if key.startswith(ANSWER)}
    return {key: (row | own).get(key) for key in columns}


def _minutes(start: str, end: str | None) -> int | None:
    if end is None:
        return None
    passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return round(passed.total_seconds() / 60)


def _columns_of_trials(study: Study, wanted: Wanted) -> Columns:
    columns = dict(_OF_TRIALS)
    columns |= {key: Column(*COLUMNS[key]) for key in COLUMNS if key not in _NOT_OF_TRIALS}
    asked = f' "{wanted.prompt}"' if wanted.prompt else ""
    levels = dict(_CHOICES[study.protocol])
    if study.trials.model_dump().get("ties"):
        levels["2"] = "both alike"
    columns["choice"] = Column("integer", f"what was picked when asked{asked}", levels)
    practice = dict.fromkeys(wanted.practice_models, "a model of practice alone")
    models = dict.fromkeys(study.models, "a model") | practice
    parts = models | {ORIGINAL: "the photo itself", WILD: "a wildly wrong colouring"}
    datasets = {dataset.name: "a dataset" for dataset in study.stimuli.datasets}
    named = {"left": parts, "right": parts, "model": models, "dataset": datasets}
    return columns | {key: columns[key]._replace(levels=of) for key, of in named.items()}


def _ids_of(study: Study) -> list[str]:
    return [QUERY + name for name in study.participants.query]


def _beside(name: str) -> Column:
    return Column(*meaning(name))


def _answers(store: Store, study: Study, texts: bool) -> dict[str, Column]:
    """A column for each question, with its words; free text where it is asked for."""
    asked = wordings(store)
    return {
        (name := ANSWER + question.id): Column(
            *meaning(name, asked), levels=dict.fromkeys(question.choices, "as it was offered")
        )
        for question in study.questions
        if question.choices or texts
    }
