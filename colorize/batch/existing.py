"""Whether an output that is there already is a task's whole result, told without its pixels."""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image

from colorize.batch.plan import Task
from colorize.models.record import Record
from colorize.photo.decoding import quiet_pillow
from colorize.photo.formats import sniff
from colorize.photo.metadata import read_metadata
from colorize.photo.metadata.boxes import clean_aperture, properties_of
from colorize.photo.metadata.geometry import swaps

_SOFTWARE = 305  # EXIF's tag
_MARK = re.compile(r"Colorize \S+ \((?P<model>.*), (?P<hash>[0-9a-f]{8})\)").fullmatch
_PARTS = ((273, 279), (324, 325))  # offsets and byte counts of a TIFF's strips or tiles
_END = {"JPEG": b"\xff\xd9", "PNG": b"\0\0\0\0IEND\xaeB`\x82"}


class Existing(Enum):
    """What lies where a task's result goes."""

    ABSENT = "nothing"
    DONE = "the result, whole and of the same model"
    STALE = "a half file, or the result of another model or photo"
    UNMARKED = "a whole picture that names no model"


class _Header(NamedTuple):
    """What a picture file says before its pixels are decoded; sizes are (width, height)."""

    format: str
    size: tuple[int, int]
    upright: tuple[int, int]
    software: str
    whole: bool


def existing_result(task: Task, record: Record) -> Existing:
    """What lies at `task.target`, told by its size, header and metadata.

    A result names its model and the hash of the weights (EXIF Software); with which settings it
    was made is not in it. BMP files can hold no such mark: theirs are STALE.
    """
    if not task.target.exists():
        return Existing.ABSENT
    found = _header(task.target)
    if found is None or not found.whole or found.format == "BMP":
        return Existing.STALE
    mark = _MARK(found.software)
    if mark is None:
        return Existing.UNMARKED
    model = record.name.encode("ascii", "replace").decode(), record.weights["sha256"][:8]
    if mark.groups() != model or found.format != task.format:
        return Existing.STALE
    return Existing.DONE if found.size in _upright_sizes(task.source) else Existing.STALE


def header_size(file: Path) -> tuple[int, int]:
    """(width, height) of a picture, turned upright, by its header; (1, 1) where there is none."""
    header = _header(file)
    return header.upright if header else (1, 1)


def _upright_sizes(source: Path) -> tuple[tuple[int, int], ...]:
    header = _header(source)
    if header is None:
        return ()
    if header.format == "PNG":  # what turns it may stand behind its pixels
        return header.size, header.size[::-1]
    return (header.upright,)


def _header(file: Path) -> _Header | None:
    """None where the file is no picture."""
    try:
        with quiet_pillow(), file.open("rb") as stream, _image(stream) as image:
            size = image.size
            if not all(size):
                return None
            if image.format == "AVIF" and (seen := clean_aperture(properties_of(stream))):
                size = (seen[2] - seen[0], seen[3] - seen[1])
            turned = image.format != "TIFF" and swaps(read_metadata(image)[1])  # Pillow turns TIFF
            upright = size[::-1] if turned else size
            software = str(image.getexif().get(_SOFTWARE, "")).rstrip("\0")
            return _Header(image.format, size, upright, software, _is_whole(image, stream))
    except Exception:  # Pillow's decoders raise anything at all for a damaged file
        return None


@contextmanager
def _image(stream: BinaryIO) -> Iterator[Image.Image]:
    format = sniff(stream.read(64))
    stream.seek(0)
    if format == "HEIF":
        from pillow_heif import HeifImageFile

        with HeifImageFile(stream, "") as image:
            yield image
        return
    with Image.open(stream, formats=[format or ""]) as image:
        yield image


def _is_whole(image: Image.Image, stream: BinaryIO) -> bool:
    """Whether the file is as long as its own parts say, and ends as its format does."""
    length = stream.seek(0, 2)
    if image.format in _END:
        stream.seek(-len(_END[image.format]), 2)
        return stream.read() == _END[image.format]
    if image.format == "TIFF":
        tags = image.tag_v2
        ends = [
            offset + count
            for offsets, counts in _PARTS
            for offset, count in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=True)
        ]
        return max(ends, default=length + 1) <= length
    stream.seek(0)
    if image.format in ("WEBP", "BMP"):
        head = stream.read(8)
        size = struct.unpack("<I", head[4:] if image.format == "WEBP" else head[2:6])[0]
        return size + (8 if image.format == "WEBP" else 0) <= length
    return _boxes_end(stream, length) == length


def _boxes_end(stream: BinaryIO, length: int) -> int:
    """Where the last box of an AVIF file ends (ISO 14496-12, 4.2); past `length` if cut off."""
    place = 0
    while place < length:
        stream.seek(place)
        size = int.from_bytes(stream.read(4))
        stream.seek(4, 1)
        if size == 1:
            size = int.from_bytes(stream.read(8))
        if size == 0:  # to the end of the file
            return length
        place += max(size, 8)
    return place
