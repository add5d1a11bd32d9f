"""Decoded photos in one memory-mapped uint8 file, so that no epoch decodes them again."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from colorize.data.datasets import Dataset, PhotoFile
from colorize.errors import ColorizeError
from colorize.files import replacing

_VERSION = 2


class PhotoCache(Sequence):
    """Photos of one split as uint8 `(h, w, 3)` views into a memory map, in dataset order.

    `datasets` says for each photo which dataset it is from; `skipped` lists files that are no
    photos, as "dataset/name: reason". Pickled, for another process, it is no more than a path.
    """

    def __init__(self, file: Path, index: dict[str, Any]) -> None:
        self._file, self._index = file, index
        self._ends = [0, *accumulate(h * w * 3 for h, w in index["shapes"])]
        self._pixels = np.memmap(file, np.uint8, "r") if self._ends[-1] else None
        self.datasets: list[str] = index["datasets"]
        self.skipped: list[str] = index["skipped"]

    def __reduce__(self) -> tuple:
        return PhotoCache, (self._file, self._index)

    def __len__(self) -> int:
        return len(self._index["shapes"])

    def __getitem__(self, number: int) -> np.ndarray:
        number = range(len(self))[number]
        pixels = self._pixels[self._ends[number] : self._ends[number + 1]]
        return pixels.reshape(*self._index["shapes"][number], 3)


def open_cache(
    datasets: Sequence[Dataset],
    split: str,
    short_side: int,
    folder: Path,
    stopped: Callable[[], bool] = lambda: False,
) -> PhotoCache:
    """The cache of a split, decoded now where `folder` has none yet.

    Photos with a longer short side than `short_side` are scaled down to it. The files are named
    by a hash of what went in; half-written ones are never opened. KeyboardInterrupt where
    `stopped` says, between two photos, that somebody wishes an end.
    """
    entries = [(dataset.name, photo) for dataset in datasets for photo in dataset.photos[split]]
    named = [[name, photo.name, photo.stamp] for name, photo in entries]
    key = hashlib.sha256(json.dumps([_VERSION, split, short_side, named]).encode()).hexdigest()[:16]
    file, index_file = folder / f"{split}-{key}.u8", folder / f"{split}-{key}.json"
    index = _read_index(index_file, file)
    if index is None:
        folder.mkdir(parents=True, exist_ok=True)
        index = _decode_all(entries, short_side, file, split, stopped)
        with replacing(index_file) as out:
            out.write(json.dumps(index).encode())
    return PhotoCache(file, index)


def _read_index(index_file: Path, file: Path) -> dict[str, Any] | None:
    """The index of a cache that is whole, else None."""
    try:
        index = json.loads(index_file.read_text(encoding="utf-8"))
        size = file.stat().st_size
    except (OSError, ValueError):
        return None
    return index if size == sum(h * w * 3 for h, w in index["shapes"]) else None


def _decode_all(
    entries: list[tuple[str, PhotoFile]],
    short_side: int,
    file: Path,
    split: str,
    stopped: Callable[[], bool],
) -> dict[str, Any]:
    index: dict[str, Any] = {"shapes": [], "datasets": [], "skipped": []}
    photos = _decoded([photo for _, photo in entries], short_side)
    progress = tqdm(photos, f"decoding {split}", total=len(entries), unit="photo")
    with closing(photos), replacing(file) as out:
        for (name, photo), pixels in zip(entries, progress, strict=True):
            if stopped():
                raise KeyboardInterrupt
            if isinstance(pixels, ColorizeError):
                index["skipped"].append(f"{name}/{photo.name}: {pixels}")
                continue
            out.write(pixels.tobytes())
            index["shapes"].append(pixels.shape[:2])
            index["datasets"].append(name)
    return index


def _decoded(photos: list[PhotoFile], short_side: int) -> Iterator[np.ndarray | ColorizeError]:
    """The photos in their order, decoded by several threads; an end leaves none waiting."""
    pool = ThreadPoolExecutor()
    try:
        yield from pool.map(lambda photo: _decode(photo, short_side), photos)
    finally:
        pool.shutdown(cancel_futures=True)


def _decode(photo: PhotoFile, short_side: int) -> np.ndarray | ColorizeError:
    try:
        pixels = photo.pixels()
    except ColorizeError as error:
        return error
    scale = short_side / min(pixels.shape[:2])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in (pixels.shape[1], pixels.shape[0])]
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    return pixels
