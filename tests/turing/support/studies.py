"""Built studies with tiny pictures, for tests of the store and of what stands on it."""

import hashlib
import io
import shutil
import tempfile
from functools import cache
from pathlib import Path

from PIL import Image

from turing.store.store import PhotoFacts, StimulusFacts, Store, create_store
from turing.study.study import parse_study
from turing.study.trials import WILD, every_stimulus, select_photos

STUDY = """
[study]
name = "{name}"
title = "Which photo is real?"
protocol = "{protocol}"
language = "{language}"
seed = 7
[stimuli]
photos_per_dataset = 0
display_size = 32
models = {models}
datasets = [{{ name = "hills", folder = "hills" }}, {{ name = "apples", folder = "apples" }}]
[trials]
per_participant = {per_participant}
practice = {practice}
catch = {catch}
exposure_ms = {exposure_ms}
break_every = {break_every}
{trials}
[participants]
query = ["PROLIFIC_PID", "SESSION_ID"]
identify_by = "PROLIFIC_PID"
require_id = {require_id}
max_open = {max_open}
max_an_hour = {max_an_hour}
{asks}
completion_code = "C0L0R"
return_url = "https://example.org/back?cc={{code}}&pid={{PROLIFIC_PID}}"
show_score = {show_score}
[texts]
consent = "Will you take part?"
instructions = "Look."
[[questions]]
id = "colour_vision"
when = "before"
ask = "Do you have a colour vision deficiency?"
choices = ["no", "yes"]
[[questions]]
id = "hints"
when = "after"
ask = "What gave them away?"
required = false
{rest}"""

DEFAULTS = {
    "name": "tiny",
    "protocol": "pick-original",
    "language": "en",
    "models": '["plain", "bright"]',
    "per_participant": 6,
    "practice": 1,
    "catch": 1,
    "exposure_ms": 1000,
    "break_every": 3,
    "show_score": "true",
    "require_id": "false",
    "max_open": 1000,
    "max_an_hour": 2000,
    "asks": "",  # more lines of [participants]
    "trials": "",  # more lines of [trials]
    "rest": "",  # more sections
}

BEFORE = {"colour_vision": "no"}


def study_text(**changes):
    return STUDY.format(**DEFAULTS | changes)


@cache
def _template(changes) -> tempfile.TemporaryDirectory:
    directory = tempfile.TemporaryDirectory()
    build(directory.name, **dict(changes)).close()
    return directory


def built(directory, **changes) -> Store:
    """A copy of a study that was built once, which is faster; its keys are the same everywhere."""
    template = _template(tuple(sorted(changes.items())))
    shutil.copytree(template.name, directory, dirs_exist_ok=True)
    return Store(Path(directory) / f"{(DEFAULTS | changes)['name']}.sqlite")


def build(directory, *, photos=6, part=1, checkpoints="1", program="0.1.0", **changes) -> Store:
    """A study of `photos` photos in each of two datasets; other `checkpoints`, other hashes."""
    study = parse_study(study_text(**changes))
    store = create_store(directory, study.name, part)
    found = {}
    for dataset in ("hills", "apples"):
        for number in range(photos):
            sha256 = sha(f"{dataset}{number}".encode())
            store.add_photo(
                PhotoFacts(sha256, dataset, f"{number}.jpg", 40, 30, "00ff" * 4, 12.5 + number)
            )
            found.setdefault(dataset, []).append(sha256)
    trials = study.trials
    design = study.design(
        select_photos(
            found,
            per_dataset=0,
            per_participant=trials.per_participant,
            practice=trials.practice,
            catch=trials.catch,
            seed=study.study.seed,
        )
    )
    ids = [add(store, place, parts, checkpoints) for place, parts in every_stimulus(design)]
    store.freeze(study, design, ids, program)
    return store


def add(store, place, parts, checkpoints="1") -> int:
    """Render and add a stimulus, or find it."""
    hashes = tuple(None if part in (None, WILD) else sha(part + checkpoints) for part in parts)
    facts = StimulusFacts(place.photo, place.dataset, parts, hashes, {"size": 32})
    png = picture(facts.sha256, len(parts))
    path = store.picture_path(facts.sha256)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(png)
    return store.add_stimulus(facts, sha(png))


def picture(seed, parts) -> bytes:
    """A PNG of grey noise that follows from `seed`."""
    noise = hashlib.shake_256(seed.encode()).digest(32 * 32 * parts)
    buffer = io.BytesIO()
    Image.frombytes("L", (32 * parts, 32), noise).save(buffer, "PNG")
    return buffer.getvalue()


def sha(data) -> str:
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


def rows(store, table):
    """All rows of a table as dicts."""
    with store.reading() as db:
        cursor = db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]
