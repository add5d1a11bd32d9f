"""A study as an open data set: a folder by the rules of Psych-DS, with what recomputes its figures.

https://psych-ds.github.io (schema 1.5.1). A stranger needs nothing of this program: the scripts
bring what they need.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from turing.analysis.analysis import Results, analyse
from turing.analysis.frames import load_data
from turing.errors import TuringError
from turing.publish import metadata, methods, tables
from turing.publish.tables import Tables, Wanted
from turing.report.exports.writers import write_plain_csv
from turing.store import preregistration
from turing.store.files import new_folder
from turing.store.store import Facts, Store
from turing.study.screening import every_plate

# What the rules do not speak of: a validator leaves it alone.
_IGNORED = (
    *("data/trials_data.*", "data/participants_data.*", "analysis/", "stimuli/"),
    *("study.toml", "preregistration.json", "key.json", "methods.md", ".psychds-ignore"),
)


class Published(NamedTuple):
    """The folder, and what is in it; `key` is whether the trial key is revealed."""

    folder: Path
    participants: int
    trials: int
    stimuli: int
    key: bool
    counted: int  # trials


def publish(
    store: Store,
    folder: Path | str,
    *,
    version: int | None = None,
    ids: bool = False,
    texts: bool = False,
    prompt: str = "",
) -> Published:
    """Write the data set of a version, by default of the one that new participants see.

    ids: with outside IDs; texts: with answers in free text; prompt: what a trial asked.
    The folder is there whole or not at all. That of a closed study has the trial key, and the study
    is never opened again. TuringError where there is a folder already, where a picture is not as it
    was built, and before the last look of a study that is not closed.
    """
    folder = Path(folder)
    if folder.exists() or folder.is_symlink():
        raise TuringError(f"{folder}: is there already; take another name")
    if not store.pictures.is_dir():
        raise TuringError(
            f"{store.pictures}: expected the folder of the study's pictures, found none; it lies "
            "beside the store and has its name"
        )
    results = analyse(load_data(store, None if version is None else [version]))
    own = store.facts()
    _check_unblinded(store, results, own)
    practice = _practice_models(store, results.data.versions[-1])
    made = tables.tables(store, results, Wanted(ids, texts, prompt, practice))
    with (
        new_folder(folder.absolute().parent),
        tempfile.TemporaryDirectory(
            prefix=f".{folder.name}.", dir=folder.absolute().parent
        ) as temporary,
    ):
        draft = Path(temporary) / folder.name
        draft.mkdir()
        methods_of = methods.paragraphs(results, made, practice, prompt)
        (draft / "methods.md").write_text(methods_of, "utf-8")
        stimuli = _write(draft, store, results, made, own)
        if own.state == "closed":
            store.note_key_published()
        draft.rename(folder)
    return Published(
        folder,
        len(made.participants),
        len(made.trials),
        stimuli,
        own.state == "closed",
        len(results.choices),
    )


def _practice_models(store: Store, version: int) -> tuple[str, ...]:
    with store.reading() as db:
        return store.version(db, version).design.practice_models


def _check_unblinded(store: Store, results: Results, own: Facts) -> None:
    """All answers are in the data set: before the last look they would be seen too early."""
    if results.look and results.look.is_blind and own.state != "closed":
        raise TuringError(
            f"{store.path}: expected a study that has come to its last look, found "
            f"{results.look.reached} of {len(results.look.planned)} looks; close it first"
        )


def _write(draft: Path, store: Store, results: Results, made: Tables, own: Facts) -> int:
    """Everything; how many stimuli."""
    name = own.name
    (draft / "data").mkdir()
    for table, rows, columns in (
        ("trials", made.trials, made.trial_columns),
        ("participants", made.participants, made.participant_columns),
    ):
        file = draft / "data" / f"{table}_data.csv"
        described = {key: (column.type, column.meaning) for key, column in columns.items()}
        write_plain_csv(file, described, rows)
        sidecar = metadata.sidecar(table, results, columns)
        _write_json(file.with_suffix(".json"), sidecar)
        # Psych-DS wants keywords in names of data files, which ours have not: the same once more.
        for ending in (".csv", ".json"):
            shutil.copyfile(
                file.with_suffix(ending), draft / "data" / _keyworded(name, table, ending)
            )
    _write_json(draft / "dataset_description.json", metadata.description(results, made))
    version = results.data.versions[-1]
    (draft / "study.toml").write_bytes(results.data.study.source.encode())
    registered = _preregistration(store, version)
    shutil.copyfile(registered, draft / "preregistration.json")
    if own.state == "closed":
        _write_json(draft / "key.json", _key(own))
    (draft / "README.md").write_text(
        metadata.readme(results, made, own.state == "closed", _names(name)), "utf-8"
    )
    (draft / ".psychds-ignore").write_text("".join(f"{each}\n" for each in _IGNORED), "utf-8")
    _write_scripts(draft / "analysis", results)
    return _copy_stimuli(store, json.loads(registered.read_text("utf-8")), draft / "stimuli")


def _keyworded(study: str, table: str, ending: str) -> str:
    letters = "".join(letter for letter in study if letter.isalnum())
    return f"study-{letters}_description-{table}_data{ending}"


def _names(study: str) -> dict[str, str]:
    """Our names of data files, and those of the same files by Psych-DS."""
    return {
        f"data/{table}_data.csv": f"data/{_keyworded(study, table, '.csv')}"
        for table in ("trials", "participants")
    }


def _preregistration(store: Store, version: int) -> Path:
    """The file, which is as it was written; TuringError where it is not."""
    path = store.pictures / f"preregistration-{version}.json"
    if path.exists():
        preregistration.verify(path)
        return path
    return preregistration.write(store, version)


def _key(own: Facts) -> dict[str, Any]:
    """What the pre-registration's `trial_key_sha256` is of."""
    return {
        "study": own.name,
        "part": own.part,
        "trial_key": own.trial_key.hex(),
        "sha256": hashlib.sha256(own.trial_key).hexdigest(),
        "meaning": "The SHA-256 of the key's bytes (trial_key in hex) is trial_key_sha256 of "
        "preregistration.json: order and sides of all trials were fixed before the first "
        "participant came. They follow from it by HMAC-SHA256; README.md says how to check.",
    }


def _copy_stimuli(store: Store, registered: Mapping[str, Any], folder: Path) -> int:
    """Every picture that the pre-registration lists, checked; how many. Plates of the colour
    screening lie in a folder of their own, by what they show."""
    folder.mkdir()
    for name, png_sha256 in registered["stimuli"].items():
        (folder / f"{name}.png").write_bytes(_picture(store, name, png_sha256))
    if plates := registered.get("screening", {}).get("pictures"):
        (folder / "plates").mkdir()
        for plate in (plate for plate in every_plate() if plate.sha256 in plates):
            content = _picture(store, plate.sha256, plates[plate.sha256])
            (folder / "plates" / f"{'-'.join(map(str, plate))}.png").write_bytes(content)
    return len(registered["stimuli"])


def _picture(store: Store, name: str, png_sha256: str) -> bytes:
    """As it was built; TuringError where it is not."""
    path = store.picture_path(name)
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != png_sha256:
        raise TuringError(
            f"{path}: expected the picture as it was built, found "
            f"{'another' if content else 'none'}; restore it from a backup"
        )
    return content


def _write_scripts(folder: Path, results: Results) -> None:
    """The two scripts, what they need to know of the study, and the statistics as they are here."""
    statistics = folder / "turing" / "statistics"
    statistics.mkdir(parents=True)
    ours = files("turing.publish.scripts")
    for name in ("figures.py", "model.R"):
        (folder / name).write_bytes((ours / name).read_bytes())
    (folder / "turing" / "__init__.py").write_text("", "utf-8")
    for module in files("turing.statistics").iterdir():
        if module.name.endswith(".py"):
            (statistics / module.name).write_bytes(module.read_bytes())
    _write_json(folder / "settings.json", metadata.settings(results))


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", "utf-8")
