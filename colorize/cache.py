"""Decoded photos in one memory-mapped uint8 file, so that no epoch decodes them again."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from colorize.data import Dataset, PhotoFile
from colorize.photo import PhotoError

_VERSION = 1


class PhotoCache(Sequence):
    """Photos of one split as uint8 `(h, w, 3)` views into a memory map, in dataset order.

    `datasets` says for each photo which dataset it is from; `skipped` lists files that are no
    photos, as "dataset/name: reason".
    """

    def __init__(self, file: Path, index: dict) -> None:
        self._pixels = np.memmap(file, np.uint8, "r")
        self._index = index
        self._ends = np.cumsum([h * w * 3 for h, w in index["shapes"]])
        self.datasets: list[str] = index["datasets"]
        self.skipped: list[str] = index["skipped"]

    def __len__(self) -> int:
        return len(self._index["shapes"])

    def __getitem__(self, number: int) -> np.ndarray:
        height, width = self._index["shapes"][number]
        end = self._ends[number]
        return self._pixels[end - height * width * 3 : end].reshape(height, width, 3)


def open_cache(
    datasets: Sequence[Dataset], split: str, short_side: int, folder: Path
) -> PhotoCache:
    """The cache of a split, decoded now where `folder` has none yet.

    Photos with a longer short side than `short_side` are scaled down to it. The file is named by
    a hash of what went in; half-written ones are never opened.
    """
    entries = [(dataset.name, photo) for dataset in datasets for photo in dataset.photos[split]]
    named = [[name, photo.name] for name, photo in entries]
    key = hashlib.sha256(json.dumps([_VERSION, split, short_side, named]).encode()).hexdigest()[:16]
    file, index_file = folder / f"{split}-{key}.u8", folder / f"{split}-{key}.json"
    if not index_file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        index = _decode_all(entries, short_side, file, split)
        temporary = index_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(index), encoding="utf-8")
        temporary.replace(index_file)
    return PhotoCache(file, json.loads(index_file.read_text(encoding="utf-8")))


def _decode_all(
    entries: list[tuple[str, PhotoFile]], short_side: int, file: Path, split: str
) -> dict:
    index: dict = {"shapes": [], "datasets": [], "skipped": []}
    temporary = file.with_suffix(".part")
    with temporary.open("wb") as out, ThreadPoolExecutor() as pool:
        decoded = pool.map(lambda entry: _decode(entry[1], short_side), entries)
        progress = tqdm(decoded, f"decoding {split}", total=len(entries), unit="photo")
        for (name, photo), pixels in zip(entries, progress, strict=True):
            if isinstance(pixels, PhotoError):
                index["skipped"].append(f"{name}/{photo.name}: {pixels}")
                continue
            out.write(pixels.tobytes())
            index["shapes"].append(pixels.shape[:2])
            index["datasets"].append(name)
    temporary.replace(file)
    return index


def _decode(photo: PhotoFile, short_side: int) -> np.ndarray | PhotoError:
    try:
        pixels = photo.pixels()
    except PhotoError as error:
        return error
    scale = short_side / min(pixels.shape[:2])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in (pixels.shape[1], pixels.shape[0])]
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    return pixels
