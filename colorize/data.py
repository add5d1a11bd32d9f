"""Datasets of colour photos: folders, zip files, Fruits-360 and STL-10 layouts."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from colorize.errors import ColorizeError
from colorize.photo import PICTURE_ENDINGS, Photo

SPLITS = ("train", "val", "test")
_FRUITS_360 = {"train": "Training", "test": "Test"}
_STL10 = {"train": ("unlabeled_X.bin", "train_X.bin"), "test": ("test_X.bin",)}
_STL10_SIDE = 96
_LARGEST_MEMBER = 256 * 2**20
_LARGEST_RATIO = 200  # pictures are compressed already: a zip cannot do much more


class DataError(ColorizeError):
    """A dataset that cannot be read: where, what was expected, what was found."""


@dataclass(frozen=True)
class PhotoFile:
    """One photo of a dataset: its name, unique in the dataset, and how to read its bytes."""

    name: str
    read: Callable[[], bytes]

    def pixels(self) -> np.ndarray:
        """uint8 sRGB `(h, w, 3)`, upright. PhotoError where it is no picture."""
        pixels = Photo.open(io.BytesIO(self.read())).pixels
        return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


@dataclass(frozen=True)
class Dataset:
    """A named dataset: its photos by split. A split it lacks is an empty list."""

    name: str
    photos: dict[str, list[PhotoFile]]


def find_datasets(data: Path, names: Iterable[str] = ()) -> list[Dataset]:
    """The datasets of a folder: those named, or all in it that have a `train` or a `test`.

    A folder that is itself a dataset, or holds nothing but photos, is the one dataset of it.
    Raises DataError where a name is unknown or nothing is found.
    """
    data = Path(data)
    if not data.is_dir():
        raise DataError(f"{data}: expected a folder of datasets, found no such folder")
    names = list(names)
    if names:
        return [_open(data, name) for name in names]
    found = [_open(data, name) for name in _names(data) if _has_splits(data, name)]
    if not found and (whole := _read_folder(data)) is not None:
        found = [Dataset(data.resolve().name, whole)]
    if not found:
        raise DataError(
            f"{data}: expected datasets (NAME/train, NAME/test or NAME.zip with these inside) "
            "or photos, found neither"
        )
    return found


def _names(data: Path) -> list[str]:
    entries = [entry for entry in data.iterdir() if not entry.name.startswith(".")]
    return sorted({e.stem if e.suffix == ".zip" else e.name for e in entries if _may_hold(e)})


def _may_hold(entry: Path) -> bool:
    return entry.is_dir() or entry.suffix == ".zip"


def _has_splits(data: Path, name: str) -> bool:
    folder = data / name
    if not folder.is_dir():
        return True
    inside = {entry.name for entry in folder.iterdir()}
    return bool(inside & {"train", "test", "Training", "Test", "stl10_binary"})


def _open(data: Path, name: str) -> Dataset:
    folder, archive = data / name, data / f"{name}.zip"
    photos = None
    if folder.is_dir():
        photos = _read_folder(folder)
    elif archive.is_file():
        photos = _read_zip(archive)
    if photos is None:
        known = ", ".join(_names(data)) or "none"
        raise DataError(f"{data}: no dataset {name!r} with photos in it; there are: {known}")
    return Dataset(name, photos)


def _read_folder(folder: Path) -> dict[str, list[PhotoFile]] | None:
    if any((folder / split).is_dir() for split in SPLITS):
        return {split: _walk(folder / split) for split in SPLITS}
    if (folder / "stl10_binary").is_dir():
        parts = {split: _stl10(folder / "stl10_binary", _STL10[split]) for split in _STL10}
        return _with_val(parts["train"], parts["test"])
    if any((folder / name).is_dir() for name in _FRUITS_360.values()):
        parts = {split: _walk(folder / name) for split, name in _FRUITS_360.items()}
        return _with_val(parts["train"], parts["test"])
    photos = _walk(folder)
    return _cut(photos) if photos else None


def _walk(folder: Path) -> list[PhotoFile]:
    if not folder.is_dir():
        return []
    files = (file for file in folder.rglob("*") if file.suffix.lower() in PICTURE_ENDINGS)
    named = sorted((file.relative_to(folder).as_posix(), file) for file in files)
    return [PhotoFile(name, file.read_bytes) for name, file in named]


def _read_zip(archive: Path) -> dict[str, list[PhotoFile]] | None:
    try:
        opened = zipfile.ZipFile(archive)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{archive}: expected a zip file, found {error}") from error
    photos: dict[str, list[PhotoFile]] = {split: [] for split in SPLITS}
    for member in sorted(opened.infolist(), key=lambda member: member.filename):
        path = PurePosixPath(member.filename)
        _check_member(archive, member, path)
        if path.parts[0] in SPLITS and path.suffix.lower() in PICTURE_ENDINGS:
            name = "/".join(path.parts[1:])
            photos[path.parts[0]].append(PhotoFile(name, _Member(opened, member)))
    return photos if any(photos.values()) else None


@dataclass(frozen=True)
class _Member:
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def __call__(self) -> bytes:
        try:
            return self.archive.read(self.info)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise DataError(
                f"{self.archive.filename}: {self.info.filename} cannot be read ({error})"
            ) from error


def _check_member(archive: Path, member: zipfile.ZipInfo, path: PurePosixPath) -> None:
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
        raise DataError(f"{archive}: the path {member.filename!r} leaves the archive; refused")
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > _LARGEST_MEMBER or ratio > _LARGEST_RATIO:
        raise DataError(
            f"{archive}: {member.filename} unpacks to {member.file_size} bytes "
            f"({ratio:.0f} times its size), which no photo does; refused"
        )


def _stl10(folder: Path, names: tuple[str, ...]) -> list[PhotoFile]:
    """STL-10's binary files, as torchvision's `STL10(root, download=True)` leaves them."""
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    if file is None:
        return []
    length = 3 * _STL10_SIDE**2
    count, rest = divmod(file.stat().st_size, length)
    if rest:
        raise DataError(f"{file}: expected a multiple of {length} bytes, found {rest} over")
    return [PhotoFile(f"{file.stem}/{i:06d}.bmp", _Stl10(file, i)) for i in range(count)]


@dataclass(frozen=True)
class _Stl10:
    file: Path
    index: int

    def __call__(self) -> bytes:
        from PIL import Image

        shape = (3, _STL10_SIDE, _STL10_SIDE)
        offset = self.index * int(np.prod(shape))
        columns_first = np.fromfile(self.file, np.uint8, int(np.prod(shape)), offset=offset)
        buffer = io.BytesIO()
        Image.fromarray(columns_first.reshape(shape).transpose(2, 1, 0)).save(buffer, "BMP")
        return buffer.getvalue()


def _with_val(train: list[PhotoFile], test: list[PhotoFile]) -> dict[str, list[PhotoFile]]:
    """A layout without `val`: a twentieth of `train`, by the hash of each photo's name."""
    chosen = [_share(photo.name.encode()) >= 0.95 for photo in train]
    return {
        "train": [photo for photo, is_val in zip(train, chosen, strict=True) if not is_val],
        "val": [photo for photo, is_val in zip(train, chosen, strict=True) if is_val],
        "test": test,
    }


def _cut(photos: list[PhotoFile]) -> dict[str, list[PhotoFile]]:
    """A plain folder: 90/5/5 by the hash of each file, so that doubles stay together."""
    parts: dict[str, list[PhotoFile]] = {split: [] for split in SPLITS}
    for photo in photos:
        share = _share(photo.read())
        parts["train" if share < 0.9 else "val" if share < 0.95 else "test"].append(photo)
    return parts


def _share(content: bytes) -> float:
    """A number in [0, 1) that only the content decides."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8]) / 2**64
