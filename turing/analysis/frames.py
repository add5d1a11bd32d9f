"""From a store to data frames, in one transaction: all figures are of one moment."""

import json
import sqlite3
from collections.abc import Sequence

import pandas as pd

from turing.analysis.data import TRIAL_COLUMNS, StudyData, one_protocol
from turing.errors import TuringError
from turing.store.beside.viewing import viewings
from turing.store.records import (
    Row,
    check_versions,
    holds_simulated,
    read_records,
    versions_in,
    was_over,
)
from turing.store.store import Store, facts
from turing.study.screening import screened
from turing.study.study import Study
from turing.study.trials import ORIGINAL

_TYPES = dict.fromkeys(("participant", "position", "photo_id"), "int64")
_TYPES |= dict.fromkeys(("focus_lost", "shown_again"), "int64")
_MAY_LACK = ("choice", "correct", "rt_ms", "refresh_hz", "exposure_ms", "confidence")
_TYPES |= dict.fromkeys(_MAY_LACK, "float64")  # NaN = none


def load_data(store: Store, versions: Sequence[int] | None = None) -> StudyData:
    """What the participants of a version did, by default of the one that new participants see.

    Several versions are pooled where they ask the same of the same pictures; else TuringError.
    """
    with store.reading() as db:
        chosen = _chosen(store, db, versions)
        studies = [store.version(db, version).study for version in chosen]
        one_protocol([study.protocol for study in studies])
        _check_alike(studies)
        records = read_records(db, chosen)
        program, report = db.execute(
            "SELECT program, report FROM study WHERE version = ?", (chosen[-1],)
        ).fetchone()
        everybody = db.execute(
            "SELECT version, count(*) FROM participants WHERE NOT preview GROUP BY version"
        ).fetchall()
        simulated, over = holds_simulated(db), was_over(db, chosen[-1])
    study = studies[-1]
    people = [row for row in records.participants if not row["preview"]]
    counted = {row["participant"] for row in people}
    trials = [row for row in records.trials if not row["preview"]]
    answers = [row for row in records.answers if row["participant"] in counted]
    viewed = {who: seen for who, seen in viewings(records.events).items() if who in counted}
    _check_same_models(trials, study)
    _check_known(trials, study, chosen[-1])
    return StudyData(
        study,
        tuple(chosen),
        _participants(people),
        pd.DataFrame(trials, columns=TRIAL_COLUMNS, dtype=object).astype(_TYPES),
        pd.DataFrame(answers, columns=["participant", "question", "answer"]),
        program,
        json.loads(report),
        simulated,
        over,
        {version: n for version, n in everybody if version not in chosen},
        {who: dict(seen.device) for who, seen in viewed.items() if seen.device},
        {who: dict(seen.screen) for who, seen in viewed.items() if seen.screen},
        {
            row["participant"]: found
            for row in people
            if (found := screened(row["plates"])).answered
        },
    )


def _chosen(store: Store, db: sqlite3.Connection, versions: Sequence[int] | None) -> list[int]:
    present = facts(db).version
    if present is None:
        raise TuringError(f"{store.path}: expected a study that is built, found none")
    chosen = [present] if versions is None else sorted(set(versions))
    check_versions(store, versions_in(db), chosen)
    return chosen


def _check_alike(studies: Sequence[Study]) -> None:
    if len(studies) > 1 and any(study.analysis.looks for study in studies):
        raise TuringError(
            "expected versions without looks, found analysis.looks: analyse them apart, with "
            "--version, for the error of looks is spent in one version"
        )
    for key, values in (
        ("stimuli.display_size", {study.stimuli.display_size for study in studies}),
        ("trials.exposure_ms", {study.trials.exposure_ms for study in studies}),
        ("trials.ties", {study.trials.ties for study in studies}),
    ):
        if len(values) > 1:
            found = " and ".join(sorted(map(str, values), key=lambda text: (len(text), text)))
            raise TuringError(
                f"expected versions with one {key}, found {found}: analyse them apart, "
                "with --version"
            )


def _check_same_models(trials: Sequence[Row], study: Study) -> None:
    """A model's name must mean one checkpoint, an external one's one picture of each photo."""
    external = {model.name for model in study.stimuli.external}
    made: dict[tuple[str, str | None], str] = {}
    for row in trials:
        for side in ("left", "right"):
            model, sha256 = row[side], row[f"{side}_sha256"]
            if sha256 is None:
                continue
            key = model, row["photo"] if model in external else None
            if made.setdefault(key, sha256) != sha256:
                raise TuringError(
                    f"expected versions in which {model} is the same, found several of that "
                    "name: analyse them apart, with --version"
                )


def _check_known(trials: Sequence[Row], study: Study, version: int) -> None:
    """The last version says which models and datasets there are figures of."""
    known = {ORIGINAL, None, *study.models, *(dataset.name for dataset in study.stimuli.datasets)}
    for row in trials:
        for name in (row["dataset"], row["left"], row["right"]):
            if row["kind"] == "scored" and name not in known:
                raise TuringError(
                    f"expected versions of the same models and datasets, found {name}, which "
                    f"version {version} does not have: analyse them apart, with --version"
                )


def _participants(people: Sequence[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "participant": [row["participant"] for row in people],
            "started": [row["consented"] for row in people],
            "finished": [row["finished"] for row in people],
            "withdrawn": [row["withdrawn"] is not None for row in people],
            "screened_out": [row["screened_out"] is not None for row in people],
        }
    )
    for column in ("started", "finished"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame.astype({"withdrawn": bool, "screened_out": bool}).set_index("participant")
