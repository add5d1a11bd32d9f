"""A study's photos: found in folders, told apart by their looks, the unusable ones left out."""

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import imagehash
import numpy as np
from PIL import Image

from colorize.errors import printable
from colorize.files import is_of_a_system
from turing.errors import TuringError
from turing.store.store import PhotoFacts
from turing.study.study import Study

# Bits of 64 in which the hashes of two photos differ. Measured: at most 8 after re-encoding,
# resizing or brightening, mostly 10 or fewer in a burst that moves by 2% of the picture; of half a
# million pairs of unrelated photos, one is that near.
NEAR = 10

Reason = Literal["unreadable", "unmatched", "near-grey", "near-duplicate"]


class Found(NamedTuple):
    """A picture file of a dataset; `file` is its path in the dataset's folder, with slashes."""

    dataset: str
    file: str
    path: Path


class External(NamedTuple):
    """An external model's pictures: the one of each photo that has one, the names of all others."""

    of_photos: dict[Found, Path]
    others: list[str]


class LeftOut(NamedTuple):
    """A photo that the study does not use, and why; `detail` is for people."""

    dataset: str
    file: str
    reason: Reason
    detail: str


def find_photos(study: Study, endings: Collection[str]) -> list[Found]:
    """The pictures in each dataset's folder and the folders below, by name.

    Raises TuringError, with a line for each dataset whose folder is missing or has none.
    """
    found: list[Found] = []
    faults = []
    for dataset in study.stimuli.datasets:
        folder = study.path(dataset.folder)
        files = list(pictures(folder, endings))
        found += [Found(dataset.name, file, folder / file) for file in files]
        if not files:
            what = "no pictures in it" if folder.is_dir() else "no such folder"
            faults.append(
                f"stimuli.datasets.folder ({dataset.name}): expected a folder of colour photos, "
                f"found {what}: {folder}"
            )
    if faults:
        raise TuringError("\n".join(map(printable, faults)))
    return found


def match_external(
    study: Study, photos: Sequence[Found], endings: Collection[str]
) -> dict[str, External]:
    """For each external model, its pictures. A folder is listed once: it may lie far away.

    A colorization is called like its photo, with any ending, in a folder named after the dataset
    or in none. Raises TuringError, with a line for each folder that is missing or ambiguous.
    """
    matched: dict[str, External] = {}
    faults = []
    for external in study.stimuli.external:
        folder = study.path(external.folder)
        files = list(pictures(folder, endings))
        of_photos, problem = _matches(photos, files, folder)
        taken = set(of_photos.values())
        others = [file for file in files if folder / file not in taken]
        matched[external.name] = External(of_photos, others)
        if not of_photos and not problem:
            expected = some_of(sorted({Path(photo.file).stem for photo in photos}))
            problem = (
                f"expected pictures called like the photos ({expected}, with any ending), found "
                f"{some_of(files)} in {folder}"
                if folder.is_dir()
                else f"expected a folder of colorizations, found no such folder: {folder}"
            )
        if problem:
            faults.append(f"stimuli.external.folder ({external.name}): {problem}")
    if faults:
        raise TuringError("\n".join(map(printable, faults)))
    return matched


def some_of(names: Sequence[str], most: int = 3) -> str:
    """The first names of several, and how many more there are."""
    more = len(names) - most
    return f"{', '.join(names[:most]) or 'none'}{f' and {more} more' if more > 0 else ''}"


def usable(
    photos: Sequence[PhotoFacts], min_chroma: float
) -> tuple[list[PhotoFacts], list[LeftOut]]:
    """The photos that a study can use, in order, and those that it leaves out.

    Left out is what is near-grey, or nearly the same as one before.
    """
    kept: list[PhotoFacts] = []
    left_out = []
    hashes = np.zeros((len(photos), 64), bool)
    for photo in photos:
        if photo.chroma < min_chroma:
            detail = f"mean chroma {photo.chroma:.2f}, below min_chroma = {min_chroma:g}"
            left_out.append(LeftOut(photo.dataset, photo.file, "near-grey", detail))
            continue
        bits = imagehash.hex_to_hash(photo.phash).hash.ravel()
        near = (hashes[: len(kept)] != bits).sum(axis=1) <= NEAR
        if near.any():
            like = kept[int(near.argmax())]
            detail = printable(f"nearly the same as {like.dataset}/{like.file}")
            left_out.append(LeftOut(photo.dataset, photo.file, "near-duplicate", detail))
            continue
        hashes[len(kept)] = bits
        kept.append(photo)
    return kept, left_out


def perceptual_hash(grey: np.ndarray) -> str:
    """64 bits in hex of a grey picture, uint8 `(h, w)`: the signs of its lowest frequencies."""
    return str(imagehash.phash(Image.fromarray(grey)))


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pictures(folder: Path, endings: Collection[str]) -> Iterator[str]:
    """Paths within the folder, sorted; hidden ones and those of systems are not looked at."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    for file in sorted(files, key=lambda file: file.parts):
        hidden = any(name.startswith(".") or is_of_a_system(name) for name in file.parts)
        if file.suffix.lower() in endings and not hidden:
            yield file.as_posix()


def _matches(
    photos: Sequence[Found], files: Sequence[str], folder: Path
) -> tuple[dict[Found, Path], str | None]:
    """What matches, and the first ambiguity."""
    by_stem: Mapping[str, list[str]] = defaultdict(list)
    for file in files:
        by_stem[_stem(file)].append(file)
    matched, taken = {}, {}
    for photo in photos:
        own = _stem(photo.file)
        stem = next(
            (s for s in (_stem(f"{photo.dataset}/{photo.file}"), own) if s in by_stem), None
        )
        if stem is None:
            continue
        if len(same := by_stem[stem]) > 1:
            return {}, f"expected one picture for {photo.file}, found {', '.join(same)}"
        if stem in taken:
            return {}, (
                f"expected one photo called like {same[0]}, found {taken[stem]} and "
                f"{photo.dataset}/{photo.file}; give each dataset a folder in {folder}"
            )
        taken[stem] = f"{photo.dataset}/{photo.file}"
        matched[photo] = folder / same[0]
    return matched, None


def _stem(file: str) -> str:
    """A path without its ending, in one spelling: Macs write é as e and an accent."""
    return unicodedata.normalize("NFC", Path(file).with_suffix("").as_posix())
