"""A study's file: every fact about its stimuli and its participants, once.

The study NAME is the file DIR/NAME.sqlite, its pictures lie in DIR/NAME/. `build` writes with
`create_store`, `add_photo`, `add_stimulus` and `freeze`, all of which may be called again.
"""

import contextlib
import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from turing.errors import TuringError
from turing.store.connections import Connections
from turing.store.files import unfinished
from turing.study import trials
from turing.study.draws import KEY_BYTES
from turing.study.study import Study, parse_study
from turing.study.trials import Design, Parts, Placed

State = Literal["built", "open", "closed"]

DEFAULT_FOLDER = Path("studies")
KEY_PUBLISHED = "key published"  # an event


@dataclass(frozen=True)
class PhotoFacts:
    """An original. `sha256` is of the file's bytes, `file` its path in its dataset's folder.

    Sizes are in pixels of the file, `phash` is a perceptual hash in hex, `chroma` the mean.
    """

    sha256: str
    dataset: str
    file: str
    width: int
    height: int
    phash: str
    chroma: float


@dataclass(frozen=True)
class StimulusFacts:
    """What makes a stimulus, so that anything else makes another one.

    parts: as `turing.study.trials` has them (a model's name, None = original, WILD), left or first
        part first; one part for `single`.
    hashes: of the same length: SHA-256 of a checkpoint's weights or of an external picture,
        None where there is neither.
    settings: how it was rendered (size, version of the renderer, ...), as JSON.
    """

    photo_sha256: str
    dataset: str
    parts: Parts
    hashes: tuple[str | None, ...]
    settings: Mapping[str, Any]

    @cached_property
    def sha256(self) -> str:
        """The stimulus's name, and its picture's: `Store.picture_path`."""
        return hashlib.sha256(_json(asdict(self)).encode()).hexdigest()


class Version(NamedTuple):
    """A frozen study, with all that its participants' trials follow from."""

    number: int
    study: Study
    design: Design
    stimuli: Mapping[tuple[Placed, Parts], tuple[int, int]]  # -> ids of stimulus and photo


class Facts(NamedTuple):
    """The store's own row."""

    uid: str
    name: str
    part: int
    state: State
    trial_key: bytes
    preview_key: str
    version: int | None


class Store(Connections):
    """An open store."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(Path(path))
        self._versions: dict[str, Version] = {}

    @property
    def pictures(self) -> Path:
        """The folder of the stimuli's pictures."""
        return self.path.with_suffix("")

    def picture_path(self, stimulus_sha256: str) -> Path:
        return self.pictures / f"{stimulus_sha256}.png"

    # What `build` writes

    def add_photo(self, photo: PhotoFacts) -> int:
        """The photo's id; the row of an earlier call with the same file and dataset stands."""
        with self.writing() as db:
            row = db.execute(
                "SELECT id FROM photos WHERE sha256 = ? AND dataset = ?",
                (photo.sha256, photo.dataset),
            ).fetchone()
            return row[0] if row else _insert(db, "photos", asdict(photo))

    def add_stimulus(self, stimulus: StimulusFacts, png_sha256: str) -> int:
        """The stimulus's id; its photo has been added, its picture lies at `picture_path`.

        A row of an earlier call stands. TuringError where that has another `png_sha256`: what
        was shown is never altered.
        """
        if len(stimulus.parts) not in (1, 2) or len(stimulus.hashes) != len(stimulus.parts):
            raise ValueError(f"expected one or two parts, each with its hash, found {stimulus}")
        with self.writing() as db:
            if row := _stimulus(db, stimulus.sha256):
                if row[1] != png_sha256:
                    raise TuringError(
                        f"{self.picture_path(stimulus.sha256)}: expected the picture as it was "
                        "built, found another; restore it from a backup"
                    )
                return row[0]
            photo = db.execute(
                "SELECT id FROM photos WHERE sha256 = ? AND dataset = ?",
                (stimulus.photo_sha256, stimulus.dataset),
            ).fetchone()
            left, right = (*stimulus.parts, None)[:2]
            left_sha256, right_sha256 = (*stimulus.hashes, None)[:2]
            return _insert(
                db,
                "stimuli",
                {
                    "sha256": stimulus.sha256,
                    "photo": photo[0],
                    "parts": len(stimulus.parts),
                    "left": left,
                    "right": right,
                    "left_sha256": left_sha256,
                    "right_sha256": right_sha256,
                    "settings": _json(stimulus.settings),
                    "png_sha256": png_sha256,
                },
            )

    def find_stimulus(self, stimulus_sha256: str) -> tuple[int, str] | None:
        """Id and `png_sha256` of a stimulus, None where it was never added."""
        with self.reading() as db:
            return _stimulus(db, stimulus_sha256)

    def freeze(
        self,
        study: Study,
        design: Design,
        stimuli: Iterable[int],
        program: str,
        report: Mapping[str, Any] | None = None,
        with_it: Callable[[sqlite3.Connection], object] | None = None,
    ) -> int:
        """Make this the version that new participants see; returns its number, 1 or more.

        The same study, design and stimuli are the same version. `stimuli` are the ids of all
        that `every_stimulus(design)` lists. `report` says what was left out, and why; `with_it`
        writes what comes into force in the same moment.
        """
        ids = sorted(set(stimuli))
        with self.writing() as db:
            of_ids = "id IN (SELECT value FROM json_each(?)) ORDER BY sha256"
            rows = db.execute(f"SELECT sha256 FROM stimuli WHERE {of_ids}", (_json(ids),))
            names = [name for (name,) in rows]
            # In its own order: the draw depends on that of the datasets.
            frozen = json.dumps(asdict(design), ensure_ascii=False)
            fingerprint = hashlib.sha256(_json([study.sha256, frozen, names]).encode()).hexdigest()
            same = "SELECT version FROM study WHERE fingerprint = ?"
            row = db.execute(same, (fingerprint,)).fetchone()
            version = row[0] if row else None
            if version is None:
                version = _insert(
                    db,
                    "study",
                    {
                        "toml": study.source,
                        "sha256": study.sha256,
                        "seed": design.seed,
                        "design": frozen,
                        "fingerprint": fingerprint,
                        "program": program,
                        "report": _json(report or {}),
                        "built": now_ms(),
                    },
                )
                db.executemany(
                    "INSERT INTO study_stimuli (version, stimulus) VALUES (?, ?)",
                    [(version, stimulus) for stimulus in ids],
                )
                found = _stimuli_of(db, version)
                if set(found) != set(trials.every_stimulus(design)) or len(found) != len(ids):
                    raise ValueError("stimuli: expected one for each of every_stimulus(design)")
            db.execute("UPDATE store SET version = ?", (version,))
            if with_it:
                with_it(db)
        return version

    # The study and its state

    def facts(self) -> Facts:
        with self.reading() as db:
            return facts(db)

    def version(self, db: sqlite3.Connection, number: int) -> Version:
        """A version by its number, within a transaction."""
        (fingerprint,) = db.execute(
            "SELECT fingerprint FROM study WHERE version = ?", (number,)
        ).fetchone()
        known = self._versions.get(fingerprint)
        if known is None or known.number != number:
            toml, design = db.execute(
                "SELECT toml, design FROM study WHERE version = ?", (number,)
            ).fetchone()
            source = f"{self.path} (version {number})"
            known = Version(
                number, parse_study(toml, source), _design(design), _stimuli_of(db, number)
            )
            self._versions[fingerprint] = known
        return known

    def open_study(self) -> None:
        """Let participants in. TuringError where nothing is built, or the trial key published."""
        self._set_state("open")

    def close_study(self) -> None:
        """Let nobody in any more; who has started may finish."""
        self._set_state("closed")

    def note_key_published(self) -> None:
        """Write down that everybody may know the trial key: the study is never opened again."""
        with self.writing() as db:
            if facts(db).state != "closed":
                raise TuringError(f"{self.path}: expected a closed study; close it first")
            note(db, None, KEY_PUBLISHED)

    def _set_state(self, state: State) -> None:
        with self.writing() as db:
            present = facts(db)
            if state == "open" and is_key_published(db):
                raise TuringError(
                    f"{self.path}: the study was published with its trial key, which tells every "
                    "right answer; to ask more people give the study file another name and build it"
                )
            if present.version is None:
                raise TuringError(f"{self.path}: expected a study that is built, found none")
            if state == "closed" and present.state == "built":
                raise TuringError(f"{self.path}: the study was never opened")
            if present.state != state:
                db.execute("UPDATE store SET state = ?", (state,))
                note(db, None, state)


def create_store(directory: Path | str, name: str, part: int = 1) -> Store:
    """The store of study `name` in `directory`, made where there is none.

    `part` counts the apps that a study runs on, from 1. A store keeps its part and its keys.
    """
    if part < 1:
        raise TuringError(f"part: expected 1 or more, found {part}")
    path = store_path(directory, name)
    if not path.exists():
        _make_store(path, name, part)
    store = Store(path)
    with contextlib.ExitStack() as closing:
        closing.callback(store.close)
        with store.writing() as db:
            if db.execute("SELECT 1 FROM store").fetchone() is None:  # an empty file
                _insert_facts(db, name, part)
            found = facts(db)
        if found.name != name:
            raise TuringError(f"{path}: expected the store of {name}, found that of {found.name}")
        if found.part != part:
            raise TuringError(
                f"{path}: holds part {found.part} of the study; part {part} needs another folder"
            )
        closing.pop_all()
    return store


def _make_store(path: Path, name: str, part: int) -> None:
    """A new store takes its name with all its tables, or not at all."""
    temporary = path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            unfinished(path, replaces=False) as temporary,
            Store(temporary) as made,
            made.writing() as db,
        ):
            _insert_facts(db, name, part)
    except OSError as error:
        raise TuringError(f"{path}: cannot be written ({error.strerror})") from error
    except TuringError as error:
        raise type(error)(str(error).replace(str(temporary), str(path))) from error


def _insert_facts(db: sqlite3.Connection, name: str, part: int) -> None:
    given = {
        "uid": secrets.token_hex(16),
        "name": name,
        "part": part,
        "state": "built",
        "trial_key": secrets.token_bytes(KEY_BYTES),
        "preview_key": secrets.token_urlsafe(16),
        "created": now_ms(),
    }
    _insert(db, "store", given)


def store_path(directory: Path | str, name: str) -> Path:
    return Path(directory) / f"{name}.sqlite"


def facts(db: sqlite3.Connection, schema: str = "main") -> Facts:
    """The store's own row, within a transaction."""
    row = db.execute(f"SELECT {', '.join(Facts._fields)} FROM {schema}.store").fetchone()
    if row is None:
        raise TuringError("expected a study's store, found one that was never built")
    return Facts(*row)


def is_key_published(db: sqlite3.Connection) -> bool:
    """Whether participants could know the right answers, within a transaction."""
    return bool(db.execute("SELECT 1 FROM events WHERE what = ?", (KEY_PUBLISHED,)).fetchone())


def note(
    db: sqlite3.Connection,
    participant: int | None,
    what: str,
    detail: str = "",
    at: int | None = None,
) -> None:
    """Write an event down, within a transaction; a participant has a thousand at most."""
    db.execute(
        "INSERT INTO events (participant, at, what, detail) SELECT :who, :at, :what, :detail "
        "WHERE :who IS NULL OR (SELECT count(*) FROM events WHERE participant = :who) < 1000",
        {"who": participant, "at": now_ms() if at is None else at, "what": what, "detail": detail},
    )


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def _design(text: str) -> Design:
    fields = json.loads(text)
    for key in ("models", "practice_models"):
        fields[key] = tuple(fields[key])
    for key in ("practice", "catch"):
        fields[key] = tuple(Placed(*place) for place in fields[key])
    fields["photos"] = {dataset: tuple(photos) for dataset, photos in fields["photos"].items()}
    return Design(**fields)


def _stimulus(db: sqlite3.Connection, sha256: str) -> tuple[int, str] | None:
    return db.execute("SELECT id, png_sha256 FROM stimuli WHERE sha256 = ?", (sha256,)).fetchone()


def _stimuli_of(
    db: sqlite3.Connection, version: int
) -> dict[tuple[Placed, Parts], tuple[int, int]]:
    rows = db.execute(
        "SELECT p.dataset, p.sha256, s.parts, s.left, s.right, s.id, p.id FROM study_stimuli v "
        "JOIN stimuli s ON s.id = v.stimulus JOIN photos p ON p.id = s.photo WHERE v.version = ?",
        (version,),
    )
    return {
        (Placed(dataset, photo), (left, right)[:parts]): (stimulus, photo_id)
        for dataset, photo, parts, left, right, stimulus, photo_id in rows
    }


def _insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> int:
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    return db.execute(
        f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values())
    ).lastrowid


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
