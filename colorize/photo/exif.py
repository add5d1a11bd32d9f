"""EXIF blocks, read and packed field by field as raw bytes.

A block is a TIFF stream (TIFF 6.0, section 2; CIPA DC-008, 4.5). Types, byte order and maker notes
come through, and a broken field costs that field alone.
"""

import io
import re
import struct
from dataclasses import dataclass, field, replace
from typing import BinaryIO, NamedTuple

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, UTF8 = 1, 2, 3, 4, 5, 129
_UNDEFINED = 7
ORIENTATION, EXIF_IFD, GPS_IFD, INTEROPERABILITY = 274, 34665, 34853, 40965
COLOR_SPACE, _INDEX = 40961, 1
_UNCALIBRATED, _ADOBE = 0xFFFF, 2

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, UTF8: 1}
_SIZES |= {13: 4, 16: 8, 17: 8, 18: 8}  # IFD, and those of BigTIFF
WHOLE = {
    1: "B",
    7: "B",
    3: "H",
    4: "L",
    6: "b",
    8: "h",
    9: "l",
    13: "L",
    16: "Q",
    17: "q",
    18: "Q",
}
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8}  # bytes that turn with the order
_WORDS |= {13: 4, 16: 8, 17: 8, 18: 8}
# What IFD0 says about the photo, by type; the rest of it describes how one file stores its pixels.
_KEPT_IN_IFD0 = {
    **dict.fromkeys((11, 269, 270, 271, 272, 285, 306, 315, 316, 33432), ASCII),
    **dict.fromkeys((282, 283), RATIONAL),  # resolution
    **dict.fromkeys((296, 18246, 18249), SHORT),  # its unit, rating
    **dict.fromkeys((40091, 40092, 40093, 40094, 40095), BYTE),  # Windows' title, comment, ...
}
# What TIFF/EP (ISO 12234-2) has in the first directory and EXIF in its own: exposure, dates, lens.
_OF_CAMERA = frozenset(
    (
        *(33434, 33437, 34850, 34852, 34855, 36867, 36868, 37396, 37510, 42016),
        *(*range(37377, 37387), *range(37520, 37523), *range(41985, 41997), *range(42032, 42038)),
    )
)
_CONTROLS = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")  # no text has them
_MOST_IN_IFD = 4 << 20
_MICRO_VIDEO = 0x8897  # Xiaomi's


class Field(NamedTuple):
    """A value of an IFD, its bytes in the byte order of the block that it is from."""

    type: int
    count: int
    data: bytes


Fields = dict[int, Field]


@dataclass(frozen=True)
class Exif:
    """A photo's EXIF without thumbnail, orientation and all that describes one file's storage."""

    order: str = "<"
    image: Fields = field(default_factory=dict)
    camera: Fields = field(default_factory=dict)
    gps: Fields = field(default_factory=dict)

    def number(self, type: int, *values: int) -> Field:
        """A field of SHORT, LONG or (as pairs) RATIONAL values in this byte order."""
        data = struct.pack(f"{self.order}{len(values)}{'H' if type == SHORT else 'L'}", *values)
        return Field(type, len(data) // _SIZES[type], data)

    def pack(self) -> bytes:
        """The block, without "Exif\\0\\0" before it."""
        header = b"II*\0" if self.order == "<" else b"MM\0*"
        return header + self.number(LONG, 8).data + self._packed_at(8, {})

    def add_to_tiff(self, file: BinaryIO) -> None:
        """Add all fields to the first page of a TIFF file, open for reading and writing.

        Its directory is written anew at the end of the file, where the header then points. (Pillow
        can write these fields only into uncompressed files.)
        """
        file.seek(0)
        header = file.read(8)
        order = "<" if header[:2] == b"II" else ">"
        file.seek(struct.unpack(order + "L", header[4:])[0])
        entries = file.read(12 * struct.unpack(order + "H", file.read(2))[0])
        there = {
            struct.unpack(order + "H", entry[:2])[0]: entry
            for entry in (entries[at : at + 12] for at in range(0, len(entries), 12))
        }
        end = file.seek(0, io.SEEK_END)
        file.write(b"\0" * (end % 2))
        end += end % 2
        file.write(self._in_order(order)._packed_at(end, there))
        file.seek(4)
        file.write(struct.pack(order + "L", end))

    def without_largest(self) -> "Exif":
        """The same without its largest field."""
        parts = {"image": self.image, "camera": self.camera, "gps": self.gps}
        places = ((name, tag) for name, part in parts.items() for tag in part)
        name, tag = max(places, key=lambda place: len(parts[place[0]][place[1]].data))
        return replace(self, **{name: {k: v for k, v in parts[name].items() if k != tag}})

    def _packed_at(self, offset: int, there: dict[int, bytes]) -> bytes:
        """IFD0, Exif and GPS IFD for `offset`, with the entries that are there already."""
        parts = {tag: part for tag, part in ((EXIF_IFD, self.camera), (GPS_IFD, self.gps)) if part}
        image = self.image | dict.fromkeys(parts, self.number(LONG, 0))
        end = offset + len(_pack_ifd(image, offset, self.order, there))
        packed = b""
        for tag, part in parts.items():
            image[tag] = self.number(LONG, end + len(packed))
            packed += _pack_ifd(part, end + len(packed), self.order, {})
        return _pack_ifd(image, offset, self.order, there) + packed

    def _in_order(self, order: str) -> "Exif":
        if order == self.order:
            return self
        turned = (
            {tag: value._replace(data=_turned(value)) for tag, value in part.items()}
            for part in (self.image, self.camera, self.gps)
        )
        return Exif(order, *turned)


def read_exif(stream: BinaryIO, offset: int | None = None) -> tuple[Exif | None, int | None]:
    """The EXIF of a TIFF stream and the value of its orientation tag; None where there is none.

    `offset` is that of another directory than the first.
    """
    order, image = read_fields(stream, offset)
    if order is None:
        return None, None
    big = _is_big(stream)
    camera, gps = (_read_sub_ifd(stream, image.get(tag), order, big) for tag in (EXIF_IFD, GPS_IFD))
    for tag in (INTEROPERABILITY, _MICRO_VIDEO):
        camera.pop(tag, None)  # of camera files, of what follows the picture: no longer true
    camera = {tag: value for tag, value in image.items() if tag in _OF_CAMERA} | camera
    kept = {tag: as_kept for tag, value in image.items() if (as_kept := _kept(tag, value, order))}
    return Exif(order, kept, camera, gps), whole_number(image.get(ORIENTATION), order)


def read_fields(stream: BinaryIO, offset: int | None = None) -> tuple[str | None, Fields]:
    """The byte order of a TIFF stream and the fields of its first directory, or that at `offset`;
    None where it is no TIFF stream."""
    try:
        stream.seek(0)
        header = stream.read(16)
        order = {b"II": "<", b"MM": ">"}.get(header[:2])
        if order is None:
            return None, {}
        big = _is_big(stream)
        if offset is None:
            place = header[8:16] if big else header[4:8]
            (offset,) = struct.unpack(order + ("Q" if big else "L"), place)
        return order, _read_ifd(stream, offset, order, big)
    except (OSError, ValueError, OverflowError, struct.error):
        return None, {}


def is_adobe_rgb(stream: BinaryIO, offset: int | None = None) -> bool:
    """Whether the EXIF of a TIFF stream says so: as DCF's optional colour space (DCF 2.0, 4.3.2:
    uncalibrated, with the interoperability index R03), or by a number that some cameras write."""
    order, image = read_fields(stream, offset)
    if order is None:
        return False
    big = _is_big(stream)
    camera = _read_sub_ifd(stream, image.get(EXIF_IFD), order, big)
    space = whole_number(camera.get(COLOR_SPACE), order)
    index = _read_sub_ifd(stream, camera.get(INTEROPERABILITY), order, big).get(_INDEX)
    optional = index is not None and index.data[:3] == b"R03"
    return space == _ADOBE or (space == _UNCALIBRATED and optional)


def whole_number(value: Field | None, order: str) -> int | None:
    """The first value of a field of whole numbers, whatever their type."""
    letter = WHOLE.get(value.type) if value else None
    if value is None or letter is None:
        return None
    return struct.unpack(order + letter, value.data[: _SIZES[value.type]])[0]


def _is_big(stream: BinaryIO) -> bool:
    stream.seek(2)
    return 43 in stream.read(2)


def _kept(tag: int, value: Field, order: str) -> Field | None:
    """A field of the first directory that is kept, of its usual type; None for the others."""
    usual = _KEPT_IN_IFD0.get(tag)
    if value.type == usual or (usual, value.type) == (ASCII, UTF8):  # EXIF 3.0 allows either
        return value
    if usual == ASCII and value.type in (BYTE, _UNDEFINED) and not _CONTROLS.search(value.data):
        text = value.data.rstrip(b"\0") + b"\0"
        return Field(ASCII, len(text), text)
    if usual == BYTE and value.type == _UNDEFINED:
        return value._replace(type=BYTE)
    number = whole_number(value, order) if usual == SHORT else None
    if number is None or not 0 <= number < 1 << 16:
        return None
    return Field(SHORT, 1, struct.pack(order + "H", number))


def _read_sub_ifd(stream: BinaryIO, pointer: Field | None, order: str, big: bool) -> Fields:
    offset = whole_number(pointer, order)
    try:
        return {} if offset is None else _read_ifd(stream, offset, order, big)
    except (OSError, ValueError, OverflowError, struct.error):
        return {}


def _read_ifd(stream: BinaryIO, offset: int, order: str, big: bool) -> Fields:
    """The fields of the IFD at `offset`; those that are damaged are left out."""
    stream.seek(offset)
    counter, entry, place = ("Q", "HHQ8s", "Q") if big else ("H", "HHL4s", "L")
    width = struct.calcsize(order + counter)
    (entry_count,) = struct.unpack(order + counter, stream.read(width).ljust(width, b"\0"))
    size_of_entry, inline = struct.calcsize(order + entry), struct.calcsize(order + place)
    entries = stream.read(size_of_entry * min(entry_count, 65_535))
    fields, left = {}, _MOST_IN_IFD
    whole = entries[: len(entries) // size_of_entry * size_of_entry]
    for tag, type, count, data in struct.iter_unpack(order + entry, whole):
        size = _SIZES.get(type, 0) * count
        if not 0 < size <= left or tag in fields:  # of doubles the first, as libtiff has it
            continue
        if size > inline:
            try:
                stream.seek(struct.unpack(order + place, data)[0])
            except (OSError, ValueError, OverflowError):
                continue
            data = stream.read(size)
        if len(data) >= size:
            fields[tag] = Field(type, count, data[:size])
            left -= size
    return fields


def _pack_ifd(fields: Fields, offset: int, order: str, there: dict[int, bytes]) -> bytes:
    """An IFD for `offset` of its stream, its values after it, no IFD to follow. `there` are entries
    that are packed already, which `fields` replace."""
    entries, values = dict(there), b""
    end = offset + 2 + 12 * len(fields.keys() | there.keys()) + 4
    for tag, (type, count, data) in fields.items():
        if len(data) > 4:
            entries[tag] = struct.pack(order + "HHLL", tag, type, count, end + len(values))
            values += data + b"\0" * (len(data) % 2)
        else:
            entries[tag] = struct.pack(order + "HHL4s", tag, type, count, data)
    directory = b"".join(entries[tag] for tag in sorted(entries))
    return struct.pack(order + "H", len(entries)) + directory + bytes(4) + values


def _turned(value: Field) -> bytes:
    width = _WORDS.get(value.type, 1)
    return np.frombuffer(value.data, f"u{width}").byteswap().tobytes()
