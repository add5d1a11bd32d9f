"""Datasets of colour photos: folders, zip files, Fruits-360 and STL-10 layouts."""

import hashlib
import io
import random
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from colorize.errors import ColorizeError
from colorize.files import is_of_a_system
from colorize.photo.formats import PICTURE_ENDINGS
from colorize.photo.opening import Photo

SPLITS = ("train", "val", "test")
_OURS = {split: split for split in SPLITS}
_FRUITS_360 = {"train": "Training", "test": "Test"}
_SPLIT_FOLDERS = {*_OURS.values(), *_FRUITS_360.values()}
_STL10_FOLDER = "stl10_binary"
_STL10 = {"train": ("unlabeled_X.bin", "train_X.bin"), "test": ("test_X.bin",)}
_STL10_SHAPE = (3, 96, 96)
_LARGEST_MEMBER = 256 * 2**20
_LARGEST_RATIO = 200  # pictures are compressed already: a zip cannot do much more
_HARMLESS = 2**20  # bytes; below that a ratio says nothing


class DataError(ColorizeError):
    """A dataset that cannot be read: where, what was expected, what was found."""


@dataclass(frozen=True)
class PhotoFile:
    """One photo of a dataset: its name, unique in its split, and how to read its bytes.

    `stamp` changes when the file does. `read` raises DataError where the bytes cannot be had.
    """

    name: str
    read: Callable[[], bytes]
    stamp: str = ""

    def pixels(self) -> np.ndarray:
        """uint8 sRGB `(h, w, 3)`, upright. ColorizeError where it is no picture."""
        pixels = Photo.open(self.read()).pixels
        return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


@dataclass(frozen=True)
class Dataset:
    """A named dataset: its photos by split. A split it lacks is an empty list."""

    name: str
    photos: dict[str, list[PhotoFile]]


def some_of(photos: Sequence[PhotoFile], most: int | None, seed: int | str = 0) -> list[PhotoFile]:
    """At most so many, at random and the same for a seed; all in their order where they are few."""
    if most is None or most >= len(photos):
        return list(photos)
    return random.Random(seed).sample(photos, most)


def find_datasets(data: Path, names: Iterable[str] = ()) -> list[Dataset]:
    """The datasets of a folder: those named, or all in it that have a `train` or a `test`.

    A folder that is itself a dataset, or holds nothing but photos, is the one dataset of it.
    Raises DataError where a name is unknown, nothing is found or a zip is refused.
    """
    data = Path(data)
    if not data.is_dir():
        raise DataError(f"{data}: expected a folder of datasets, found no such folder")
    there = _names(data)
    if chosen := list(dict.fromkeys(names)):
        return [_named(data, name, there) for name in chosen]
    opened = ((name, _open(data, name, plain=False)) for name in there)
    found = [Dataset(name, photos) for name, photos in opened if photos]
    found = [dataset for dataset in found if dataset.photos["train"] or dataset.photos["test"]]
    if not found and (photos := _read_folder(data)):
        found = [Dataset(data.resolve().name, photos)]
    if not found:
        raise DataError(
            f"{data}: expected datasets (NAME/train, NAME/test or NAME.zip with these inside) "
            "or photos, found neither"
        )
    return found


def choose_photos(datasets: Iterable[Dataset], count: int) -> list[Dataset]:
    """The same datasets with `count` photos of `train` in all, where there are more.

    The hashes of the names choose: always the same ones, each dataset by its share, and a
    smaller choice lies within a larger one.
    """
    datasets = list(datasets)
    names = [
        (dataset.name, photo.name) for dataset in datasets for photo in dataset.photos["train"]
    ]
    names.sort(key=lambda both: hashlib.sha256("/".join(both).encode()).digest())
    chosen = set(names[:count])

    def kept(dataset: Dataset) -> list[PhotoFile]:
        return [p for p in dataset.photos["train"] if (dataset.name, p.name) in chosen]

    return [Dataset(d.name, d.photos | {"train": kept(d)}) for d in datasets]


def _names(data: Path) -> list[str]:
    entries = [
        entry
        for entry in data.iterdir()
        if not (entry.name.startswith(".") or is_of_a_system(entry.name))
    ]
    folders = {entry.name for entry in entries if entry.is_dir()}
    return sorted(folders | {entry.stem for entry in entries if entry.suffix == ".zip"})


def _named(data: Path, name: str, there: list[str]) -> Dataset:
    photos = _open(data, name) if name in there else None
    if not photos:
        known = ", ".join(there) or "none"
        raise DataError(f"{data}: no dataset {name!r} with photos in it; there are: {known}")
    return Dataset(name, photos)


def _open(data: Path, name: str, *, plain: bool = True) -> dict[str, list[PhotoFile]] | None:
    folder = data / name
    return _read_folder(folder, plain) if folder.is_dir() else _read_zip(data / f"{name}.zip")


def _read_folder(folder: Path, plain: bool = True) -> dict[str, list[PhotoFile]] | None:
    """The photos by split, or None; with `plain`, a folder without splits is cut into them."""
    if (folder / _STL10_FOLDER).is_dir():
        parts = {split: _stl10(folder / _STL10_FOLDER, _STL10[split]) for split in _STL10}
        return _with_val(parts["train"], parts["test"])
    tops = {top: _walk(folder / top) for top in _SPLIT_FOLDERS if (folder / top).is_dir()}
    if tops:
        return _by_split(tops)
    return (_cut(_walk(folder)) or None) if plain else None


def _by_split(tops: dict[str, list[PhotoFile]]) -> dict[str, list[PhotoFile]] | None:
    """Photos by split from photos by top folder; None where there are none."""
    if not any(tops.values()):
        return None
    if tops.keys() & _OURS.keys():
        return {split: tops.get(split, []) for split in SPLITS}
    parts = {split: tops.get(folder, []) for split, folder in _FRUITS_360.items()}
    return _with_val(parts["train"], parts["test"])


def _is_photo(path: PurePosixPath) -> bool:
    """By its ending; what begins with a dot, or is a system's, is not meant for people."""
    hidden = any(part.startswith(".") or is_of_a_system(part) for part in path.parts)
    return path.suffix.lower() in PICTURE_ENDINGS and not hidden


def _walk(folder: Path) -> list[PhotoFile]:
    files = {PurePosixPath(file.relative_to(folder).as_posix()): file for file in folder.rglob("*")}
    photos = []
    for path in sorted(files, key=str):
        if _is_photo(path) and files[path].is_file():
            status = files[path].stat()
            stamp = f"{status.st_size} {status.st_mtime_ns}"
            photos.append(PhotoFile(str(path), _File(files[path]), stamp))
    return photos


@dataclass(frozen=True)
class _File:
    file: Path

    def __call__(self) -> bytes:
        try:
            return self.file.read_bytes()
        except OSError as error:
            raise DataError(f"{self.file}: cannot be read ({error.strerror})") from error


def _read_zip(archive: Path) -> dict[str, list[PhotoFile]] | None:
    try:
        opened = zipfile.ZipFile(archive)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{archive}: expected a zip file, found {error}") from error
    members = {PurePosixPath(member.filename): member for member in opened.infolist()}
    for path, member in members.items():
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            raise DataError(f"{archive}: the path {member.filename!r} leaves the archive; refused")
    photos = sorted((path for path in members if _is_photo(path)), key=str)
    root = _root(photos)
    tops: dict[str, list[PhotoFile]] = {}
    for path in photos:
        inside = path.parts[len(root) :]
        if path.parts[: len(root)] == root and inside[0] in _SPLIT_FOLDERS:
            member = members[path]
            _check_member(archive, member)
            photo = PhotoFile(
                "/".join(inside[1:]), _Member(opened, member), f"{member.CRC} {member.file_size}"
            )
            tops.setdefault(inside[0], []).append(photo)
    return _by_split(tops)


def _root(paths: Iterable[PurePosixPath]) -> tuple[str, ...]:
    """What lies around the split folders: many zips hold one folder with all inside."""
    roots = (
        path.parts[:depth]
        for path in paths
        for depth, part in enumerate(path.parts[:-1])
        if part in _SPLIT_FOLDERS
    )
    return min(roots, key=len, default=())


@dataclass(frozen=True)
class _Member:
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def __call__(self) -> bytes:
        try:
            return self.archive.read(self.info)
        except (
            OSError,  # the disk
            EOFError,
            zlib.error,
            zipfile.BadZipFile,
            RuntimeError,  # a password is needed
            NotImplementedError,  # a method of compression
        ) as error:
            raise DataError(
                f"{self.archive.filename}: {self.info.filename} cannot be read ({error})"
            ) from error


def _check_member(archive: Path, member: zipfile.ZipInfo) -> None:
    size, ratio = member.file_size, member.file_size / max(member.compress_size, 1)
    if size > _LARGEST_MEMBER or (size > _HARMLESS and ratio > _LARGEST_RATIO):
        raise DataError(
            f"{archive}: {member.filename} unpacks to {size} bytes ({ratio:.0f} times its size), "
            "which no photo does; refused"
        )


def _stl10(folder: Path, names: tuple[str, ...]) -> list[PhotoFile]:
    """STL-10's binary files, as torchvision's `STL10(root, download=True)` leaves them."""
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    if file is None:
        return []
    status, length = file.stat(), int(np.prod(_STL10_SHAPE))
    count, rest = divmod(status.st_size, length)
    if rest:
        raise DataError(f"{file}: expected a multiple of {length} bytes, found {rest} over")
    return [
        PhotoFile(f"{file.stem}/{i:06d}.bmp", _Stl10(file, i * length), f"{status.st_mtime_ns}")
        for i in range(count)
    ]


@dataclass(frozen=True)
class _Stl10:
    file: Path
    offset: int

    def __call__(self) -> bytes:
        count = int(np.prod(_STL10_SHAPE))
        try:
            columns_first = np.fromfile(self.file, np.uint8, count, offset=self.offset)
        except OSError as error:
            raise DataError(f"{self.file}: cannot be read ({error.strerror})") from error
        buffer = io.BytesIO()
        picture = Image.fromarray(columns_first.reshape(_STL10_SHAPE).transpose(2, 1, 0))
        picture.save(buffer, "BMP")
        return buffer.getvalue()


def _with_val(train: list[PhotoFile], test: list[PhotoFile]) -> dict[str, list[PhotoFile]]:
    """A layout without `val`: a twentieth of `train`, by the hash of each photo's name."""
    parts: dict[str, list[PhotoFile]] = {"train": [], "val": [], "test": test}
    for photo in train:
        parts["val" if _share(photo.name.encode()) >= 0.95 else "train"].append(photo)
    return parts


def _cut(photos: list[PhotoFile]) -> dict[str, list[PhotoFile]]:
    """A plain folder: 90/5/5 by the hash of each file, so that doubles stay together."""
    parts: dict[str, list[PhotoFile]] = {split: [] for split in SPLITS} if photos else {}
    for photo in photos:
        try:
            share = _share(photo.read())
        except DataError:
            share = 0.0  # said when it is wanted
        parts["train" if share < 0.9 else "val" if share < 0.95 else "test"].append(photo)
    return parts


def _share(content: bytes) -> float:
    """A number in [0, 1] that only the content decides."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8]) / 2**64
