"""Which photos a study can use: every one is opened, measured and matched, the rest reported."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from turing.errors import TuringError
from turing.stimuli import photos, render
from turing.stimuli.photos import External, Found, LeftOut
from turing.stimuli.progress import Progress
from turing.store.store import PhotoFacts
from turing.study.counts import count
from turing.study.study import Study
from turing.study.trials import Placed, Selection, TooFewPhotosError, select_photos

ALIKE = 0.8  # correlation of lightness from which on a colorization is taken to be of its photo

_THREADS = 2
_BATCH = 16  # photos between two calls of progress


class Source(NamedTuple):
    """A good photo: its file, and those of its external colorizations by model, with SHA-256."""

    facts: PhotoFacts
    path: Path
    external: dict[str, tuple[Path, str]]

    @property
    def place(self) -> Placed:
        return Placed(self.facts.dataset, self.facts.sha256)


class Survey(NamedTuple):
    """The good photos, in the order of datasets and names, and all others."""

    good: list[Source]
    left_out: list[LeftOut]


def survey(study: Study, progress: Progress) -> Survey:
    """Look at every photo of a study. TuringError has a line for each folder that is amiss."""
    found = photos.find_photos(study, render.ENDINGS)
    external = photos.match_external(study, found, render.ENDINGS)
    good: list[Source] = []
    left_out: list[LeftOut] = []
    look = partial(_look_at, external=external)
    for start in range(0, len(found), _BATCH):
        with ThreadPoolExecutor(_THREADS) as pool:
            for result in pool.map(look, found[start : start + _BATCH]):
                (good if isinstance(result, Source) else left_out).append(result)
        progress("photos", len(good) + len(left_out), len(found))
    kept, unfit = photos.usable([source.facts for source in good], study.stimuli.min_chroma)
    used = {(facts.dataset, facts.file) for facts in kept}
    good = [source for source in good if (source.facts.dataset, source.facts.file) in used]
    return Survey(good, left_out + unfit)


def select(study: Study, surveyed: Survey) -> Selection:
    """The photos for each purpose. TuringError says how many are missing for one participant."""
    good: dict[str, list[str]] = {dataset.name: [] for dataset in study.stimuli.datasets}
    for source in surveyed.good:
        good[source.facts.dataset].append(source.facts.sha256)
    try:
        return select_photos(
            good,
            per_dataset=study.stimuli.photos_per_dataset,
            per_participant=study.trials.per_participant,
            practice=study.trials.practice,
            catch=study.trials.catch,
            seed=study.study.seed,
        )
    except TooFewPhotosError as error:
        raise TuringError(
            f"{study.name}: {error}{_counted(surveyed.left_out)}; "
            "add photos or ask for fewer trials"
        ) from None


def _counted(left_out: Sequence[LeftOut]) -> str:
    """How many were left out for each reason, with the first as an example."""
    reasons = Counter(one.reason for one in left_out)
    first = {one.reason: one for one in reversed(left_out)}
    told = (
        f"{number} {reason}, as {first[reason].file}: {first[reason].detail}"
        for reason, number in reasons.items()
    )
    return f" (left out: {'; '.join(told)})" if left_out else ""


def report(study: Study, surveyed: Survey, selection: Selection) -> dict[str, Any]:
    """What became of the photos, to be kept with the study: see `report_lines`."""
    good = Counter(source.facts.dataset for source in surveyed.good)
    unfit = Counter(one.dataset for one in surveyed.left_out)
    used = {Placed(dataset, photo) for dataset, of in selection.scored.items() for photo in of}
    used |= {*selection.practice, *selection.catch}
    per_dataset = Counter(place.dataset for place in used)
    small = [
        source
        for source in surveyed.good
        if source.place in used
        and min(source.facts.width, source.facts.height) < study.stimuli.display_size
    ]
    return {
        "datasets": {
            name: {"found": good[name] + unfit[name], "good": good[name], "used": per_dataset[name]}
            for name in (dataset.name for dataset in study.stimuli.datasets)
        },
        "scored": {name: len(photos) for name, photos in selection.scored.items()},
        "missing": selection.missing,
        "enlarged": len(small),
        "left_out": [one._asdict() for one in surveyed.left_out],
    }


def report_lines(kept: Mapping[str, Any]) -> list[str]:
    """A report in words: what a person should know before the study is opened."""
    lines = [
        f"{name}: {counts['used']} of {count(counts['found'], 'photo')} "
        f"{'is' if counts['used'] == 1 else 'are'} used: {kept['scored'][name]} "
        f"scored, {counts['used'] - kept['scored'][name]} for practice and catch trials"
        for name, counts in kept["datasets"].items()
    ]
    lines += [
        f"{name}: {count(missing, 'scored photo')} fewer than photos_per_dataset asks for"
        for name, missing in kept["missing"].items()
    ]
    if practice := kept.get("practice_models"):
        lines.append(
            f"practice shows {' and '.join(practice)}, not under test: it would teach what gives "
            "a model away"
        )
    if kept["enlarged"]:
        lines.append(
            f"enlarged to display_size, as they are smaller: {count(kept['enlarged'], 'photo')}"
        )
    lines += [
        f"left out as {one['reason']}: {one['dataset']}/{one['file']}: {one['detail']}"
        for one in kept["left_out"]
    ]
    return lines


def _look_at(found: Found, external: Mapping[str, External]) -> Source | LeftOut:
    try:
        measured = render.measure(found.path)
        sha256 = photos.file_sha256(found.path)
    except TuringError as error:
        return LeftOut(found.dataset, found.file, "unreadable", str(error))
    matched = {}
    for model, pictures in external.items():
        path = pictures.of_photos.get(found)
        if problem := _mismatch(found, path, pictures.others):
            return LeftOut(found.dataset, found.file, "unmatched", f"{model}: {problem}")
        matched[model] = path, photos.file_sha256(path)
    return Source(PhotoFacts(sha256, found.dataset, found.file, *measured), found.path, matched)


def _mismatch(photo: Found, colorization: Path | None, others: list[str]) -> str | None:
    """Why somebody else's colorization cannot stand for the photo."""
    if colorization is None:
        name = Path(photo.file).with_suffix("").as_posix()
        return f"has no picture called {name}; it has for no photo: {photos.some_of(others)}"
    try:
        likeness = render.likeness(photo.path, colorization)
    except TuringError as error:
        return str(error)
    if likeness < ALIKE:
        return f"{colorization.name} shows something else (lightness correlates by {likeness:.2f})"
    return None
