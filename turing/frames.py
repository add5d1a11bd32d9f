"""From a store to data frames, in one transaction: all figures are of one moment."""

import json
import sqlite3
from collections.abc import Sequence

import pandas as pd

from turing.errors import TuringError
from turing.records import unknown_version
from turing.store import Store, facts
from turing.study import Study
from turing.study_data import ORIGINAL, TRIAL_COLUMNS, StudyData, correct_of, one_protocol

SIMULATED = "simulated"  # the event that marks a store with synthetic participants

_PARTICIPANTS = """
SELECT id AS participant, consented AS started, finished, withdrawn
FROM participants WHERE NOT preview AND version IN ({versions}) ORDER BY id
"""

_TRIALS = """
SELECT t.participant, t.position, p.dataset, t.photo, p.file, s.parts, s.left, s.right,
       s.left_sha256, s.right_sha256, t.model, c.choice, c.rt_ms, s.sha256 AS stimulus,
       CASE WHEN t.practice THEN 'practice' WHEN t.catch THEN 'catch' ELSE 'scored' END AS kind
FROM participants u JOIN trials t ON t.participant = u.id
JOIN stimuli s ON s.id = t.stimulus JOIN photos p ON p.id = t.photo
LEFT JOIN choices c ON c.trial = t.id
WHERE NOT u.preview AND u.version IN ({versions}) ORDER BY t.participant, t.position
"""

_ANSWERS = """
SELECT a.participant, a.question, a.answer FROM answers a
JOIN participants u ON u.id = a.participant
WHERE NOT u.preview AND u.version IN ({versions}) ORDER BY a.participant, a.question
"""


def load_data(store: Store, versions: Sequence[int] | None = None) -> StudyData:
    """What the participants of a version did, by default of the one that new participants see.

    Several versions are pooled where they ask the same of the same pictures; else TuringError.
    """
    with store.reading() as db:
        chosen = _chosen(store, db, versions)
        studies = [store.version(db, version).study for version in chosen]
        one_protocol([study.protocol for study in studies])
        _check_alike(studies)
        participants, trials, answers = (
            pd.read_sql_query(
                query.format(versions=", ".join("?" * len(chosen))), db, params=chosen
            )
            for query in (_PARTICIPANTS, _TRIALS, _ANSWERS)
        )
        program, report = db.execute(
            "SELECT program, report FROM study WHERE version = ?", (chosen[-1],)
        ).fetchone()
        everybody = db.execute(
            "SELECT version, count(*) FROM participants WHERE NOT preview GROUP BY version"
        ).fetchall()
        (simulated,) = db.execute(
            "SELECT EXISTS (SELECT 1 FROM events WHERE what = ?)", (SIMULATED,)
        ).fetchone()
    study = studies[-1]
    for column in ("started", "finished"):
        participants[column] = pd.to_datetime(participants[column], unit="ms", utc=True)
    participants["withdrawn"] = participants["withdrawn"].notna()
    _check_same_models(trials, study)
    return StudyData(
        study,
        tuple(chosen),
        participants.set_index("participant"),
        _trials(trials, study),
        answers,
        program,
        json.loads(report),
        bool(simulated),
        {version: n for version, n in everybody if version not in chosen},
    )


def built_versions(store: Store) -> list[int]:
    """Every version's number, ascending."""
    with store.reading() as db:
        return _versions(db)


def _versions(db: sqlite3.Connection) -> list[int]:
    return [version for (version,) in db.execute("SELECT version FROM study ORDER BY version")]


def _chosen(store: Store, db: sqlite3.Connection, versions: Sequence[int] | None) -> list[int]:
    built = _versions(db)
    present = facts(db).version
    if present is None:
        raise TuringError(f"{store.path}: expected a study that is built, found none")
    chosen = [present] if versions is None else sorted(set(versions))
    unknown = [version for version in chosen if version not in built]
    if unknown or not chosen:
        raise unknown_version(store, built, unknown)
    return chosen


def _check_alike(studies: Sequence[Study]) -> None:
    for key, values in (
        ("stimuli.display_size", {study.stimuli.display_size for study in studies}),
        ("trials.exposure_ms", {study.trials.exposure_ms for study in studies}),
    ):
        if len(values) > 1:
            found = " and ".join(map(str, sorted(values)))
            raise TuringError(
                f"expected versions with one {key}, found {found}: analyse them apart, "
                "with --version"
            )


def _check_same_models(trials: pd.DataFrame, study: Study) -> None:
    """A model's name must mean one checkpoint, an external one's one picture of each photo."""
    external = [model.name for model in study.stimuli.external]
    shown = pd.concat(
        trials[["photo", side, f"{side}_sha256"]].set_axis(["photo", "model", "sha256"], axis=1)
        for side in ("left", "right")
    ).dropna()
    shown["photo"] = shown["photo"].where(shown["model"].isin(external), 0)
    pictures = shown.groupby(["model", "photo"])["sha256"].nunique()
    for model in pictures.index[pictures > 1].get_level_values("model"):
        raise TuringError(
            f"expected versions in which {model} is the same, found several of that name: "
            "analyse them apart, with --version"
        )


def _trials(trials: pd.DataFrame, study: Study) -> pd.DataFrame:
    trials["left"] = trials["left"].fillna(ORIGINAL).astype(object)
    right = trials["right"].fillna(ORIGINAL).astype(object)
    trials["right"] = right.where(trials["parts"] == 2, None)
    trials["model"] = trials["model"].astype(object).where(trials["model"].notna(), None)
    for column in ("choice", "rt_ms"):
        trials[column] = trials[column].astype("float64")
    trials["correct"] = correct_of(trials, study.protocol)
    return trials[list(TRIAL_COLUMNS)]
