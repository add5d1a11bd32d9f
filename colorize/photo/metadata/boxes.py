"""Boxes of HEIF and AVIF files (ISO/IEC 14496-12, 23008-12): what they say of the picture."""

import io
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO, NamedTuple

from colorize.photo.metadata.geometry import OF_BOXES

_HEAD = 8
_MOST_BOXES = 10_000
_MOST_READ = 1 << 20  # bytes of one box


class CodePoints(NamedTuple):
    """Primaries and transfer of ITU-T H.273, tables 2 and 3."""

    primaries: int
    transfer: int


def properties_of(stream: BinaryIO) -> list[tuple[bytes, bytes]]:
    """The properties of the photo in a file, which may follow its pixels; the stream's place
    stays."""
    place = stream.tell()
    meta = next((body for name, body in read_boxes(stream) if name == b"meta"), b"")
    stream.seek(place)
    return _properties(meta)


def primary_properties(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and bodies of the properties of the primary item, in order; those of damaged boxes and
    of files without items are missing."""
    return properties_of(io.BytesIO(data))


def _properties(meta: bytes) -> list[tuple[bytes, bytes]]:
    try:
        inner = dict(_boxes(meta[4:]))
        shared = dict(_boxes(inner[b"iprp"]))
        properties = list(_boxes(shared[b"ipco"]))
        version, primary = inner[b"pitm"][0], inner[b"pitm"][4:]
        item = int.from_bytes(primary[: 4 if version else 2], "big")
        places = dict(_associations(shared[b"ipma"]))[item]
    except (KeyError, IndexError, struct.error):
        return []
    return [properties[place - 1] for place in places if 0 < place <= len(properties)]


def code_points(properties: list[tuple[bytes, bytes]]) -> CodePoints | None:
    """Of the colour information box (nclx) among a picture's properties."""
    for name, body in properties:
        if name == b"colr" and body[:4] == b"nclx" and len(body) >= 8:
            return CodePoints(*struct.unpack(">HH", body[4:8]))
    return None


def bits_a_channel(properties: list[tuple[bytes, bytes]]) -> int | None:
    """Of the first channel, as the pixel information box says."""
    return next((body[5] for name, body in properties if name == b"pixi" and len(body) > 5), None)


def orientation_of(properties: list[tuple[bytes, bytes]]) -> int:
    """As EXIF counts, by the boxes that turn and mirror a picture (23008-12, 6.5.10 and 6.5.12)."""
    quarters, mirrored = 0, False
    for name, body in properties:
        if name == b"irot" and body:
            quarters += (-1 if mirrored else 1) * (body[0] & 3)
        elif name == b"imir" and body:
            quarters += 0 if body[0] & 1 else 2  # left to right, or top to bottom
            mirrored = not mirrored
    return OF_BOXES[quarters % 4, mirrored]


def clean_aperture(properties: list[tuple[bytes, bytes]]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of what is to be seen of the stored picture (14496-12, 12.1.4.2);
    None where it is the whole, or nothing."""
    found = dict(properties)
    if not {b"ispe", b"clap"} <= found.keys() or len(found[b"clap"]) < 32:
        return None
    size = struct.unpack(">II", found[b"ispe"][4:12].ljust(8, b"\0"))
    numbers = struct.unpack(">IIIIiIiI", found[b"clap"][:32])
    if 0 in numbers[1::2]:
        return None
    sides = [Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
    starts, ends = [], []
    for whole, side, offset in zip(size, sides[:2], sides[2:], strict=True):
        start = round(offset + (whole - side) / 2)
        starts.append(max(start, 0))
        ends.append(min(start + round(side), whole))
    if tuple(starts) == (0, 0) and tuple(ends) == size:
        return None
    is_empty = any(end <= start for start, end in zip(starts, ends, strict=True))
    return None if is_empty else (*starts, *ends)


def read_boxes(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Names and bodies of a file's outermost boxes; of large ones (its pixels) the beginning."""
    place = 0
    for _ in range(_MOST_BOXES):
        stream.seek(place)
        head = stream.read(2 * _HEAD)
        if len(head) < _HEAD:
            return
        size, name = struct.unpack(">I4s", head[:_HEAD])
        start = _HEAD
        if size == 1:  # a wide one
            size, start = int.from_bytes(head[_HEAD:], "big"), 2 * _HEAD
        stream.seek(place + start)
        yield name, stream.read(min(size - start, _MOST_READ) if size else _MOST_READ)
        if size < start:  # to the end of the file, or damaged
            return
        place += size


def auxiliary_kinds(meta: bytes) -> list[str]:
    """What the pictures beside the photo are (alpha, depth, gain map, ...): the names (URNs) of
    the auxiliary types in the body of a meta box, each once."""
    try:
        shared = dict(_boxes(dict(_boxes(meta[4:]))[b"iprp"]))[b"ipco"]
    except (KeyError, struct.error):
        return []
    named = [body[4:].partition(b"\0")[0] for name, body in _boxes(shared) if name == b"auxC"]
    return list(dict.fromkeys(name.decode("ascii", "replace") for name in named))


def has_tone_map(meta: bytes) -> bool:
    """Whether an item in the body of a meta box makes another picture of the photo and a gain map
    (ISO 21496-1, in AVIF and HEIC)."""
    listed = dict(_boxes(meta[4:])).get(b"iinf", b"")
    start = 8 if listed[:1] not in (b"", b"\0") else 6
    entries = (body for name, body in _boxes(listed[start:]) if name == b"infe")
    return any(body[:1] in (b"\2", b"\3") and b"tmap" in body[8:14] for body in entries)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and bodies of the boxes that follow each other, up to the first that is damaged."""
    place = 0
    for _ in range(_MOST_BOXES):
        if place + _HEAD > len(data):
            return
        size, name = struct.unpack(">I4s", data[place : place + _HEAD])
        start = place + _HEAD
        if size == 1:  # a wide one
            size, start = int.from_bytes(data[start : start + 8], "big"), start + 8
        end = place + size if size else len(data)
        if end < start:
            return
        yield name, data[start:end]
        place = end


def _associations(body: bytes) -> Iterator[tuple[int, list[int]]]:
    """Items and the places of their properties, from 1 (23008-12, 9.3.2)."""
    version, wide = body[0], body[3] & 1
    (count,) = struct.unpack(">I", body[4:8])
    place, width = 8, 4 if version else 2
    for _ in range(min(count, _MOST_BOXES)):
        item = int.from_bytes(body[place : place + width], "big")
        number, place = body[place + width], place + width + 1
        step = 2 if wide else 1
        entries = [body[at : at + step] for at in range(place, place + number * step, step)]
        mask = 0x7FFF if wide else 0x7F
        yield item, [int.from_bytes(entry, "big") & mask for entry in entries]
        place += number * step
