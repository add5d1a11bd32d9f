"""Where files keep what is no EXIF: segments of JPEG, Photoshop's image resources, IPTC-IIM."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

PHOTOSHOP_NAME, COMMENT = b"Photoshop 3.0\0", 0xFE
APP1, APP12, APP13 = 0xE1, 0xEC, 0xED
# Photoshop's image resources that describe the picture: IPTC, whether it is copyrighted, its URL.
IPTC, KEPT_RESOURCES = 0x0404, (0x0404, 0x040A, 0x040B)
_SEGMENT, _MOST_SEGMENTS, _MOST_CHUNKS = 65_533, 16 << 20, 100_000
# Frames of JPEG (ITU-T T.81, table B.1), and those among them that libjpeg leaves to others.
FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_UNREAD = {
    **dict.fromkeys((0xC3, 0xCB), "lossless JPEG"),
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical JPEG"),
    0xF7: "JPEG-LS",
}
# IPTC-IIM datasets that are false afterwards: image type (one grey component), a preview.
_FALSE_IPTC = ((2, 130), (2, 200), (2, 201), (2, 202))


def segments(marker: int, body: bytes, name: bytes = b"") -> bytes:
    """As many JPEG segments as the body needs, the name before each part."""
    out, most = b"", _SEGMENT - len(name)
    for start in range(0, len(body), most):
        part = name + body[start : start + most]
        out += bytes([0xFF, marker]) + struct.pack(">H", len(part) + 2) + part
    return out


def read_segments(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Markers and bodies of a JPEG stream before its first scan."""
    place, left = 2, _MOST_SEGMENTS
    while left > 0:
        stream.seek(place)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            return
        if head[1] == 0xFF:  # a fill byte
            place, left = place + 1, left - 1
            continue
        (length,) = struct.unpack(">H", head[2:])
        yield head[1], stream.read(max(length - 2, 0))
        place, left = place + 2 + max(length, 2), left - length - 4


def webp_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of the chunks of a WebP; what follows the file's end is none."""
    stream.seek(4)
    end = 8 + int.from_bytes(stream.read(4), "little")
    place = 12
    for _ in range(_MOST_CHUNKS):
        stream.seek(place)
        if place + 8 > end or len(head := stream.read(8)) < 8:
            return
        name, length = struct.unpack("<4sI", head)
        yield name, place + 8, length
        place += 8 + length + length % 2


def unread_kind(stream: BinaryIO) -> str:
    """What a JPEG stream is that libjpeg does not decode, "" where it does; the place stays."""
    place = stream.tell()
    found = ""
    for marker, body in read_segments(stream):
        if marker in _UNREAD:
            found = _UNREAD[marker]
        elif marker in FRAMES and body[:1] != b"\x08":
            found = f"{body[0]}-bit JPEG" if body else ""
        elif marker in FRAMES and body[1:3] == b"\0\0":  # T.81, B.2.5
            found = "late-height (DNL) JPEG"
    stream.seek(place)
    return found


def pack_resources(resources: dict[int, bytes]) -> bytes:
    """A block of Photoshop's image resources."""
    return b"".join(
        b"8BIM" + struct.pack(">HHI", key, 0, len(body)) + body + bytes(len(body) % 2)
        for key, body in resources.items()
        if body
    )


def read_resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Photoshop's image resources up to the first that is damaged."""
    place = 0
    while block[place : place + 4] == b"8BIM" and place + 12 <= len(block):
        (key,) = struct.unpack(">H", block[place + 4 : place + 6])
        name = block[place + 6] + 1
        place += 6 + name + name % 2
        if place + 4 > len(block):
            return
        (size,) = struct.unpack(">I", block[place : place + 4])
        body = block[place + 4 : place + 4 + size]
        if len(body) < size:
            return
        yield key, body
        place += 4 + size + size % 2


def first_resources(block: bytes) -> tuple[dict[int, bytes], list[bytes]]:
    """Photoshop's image resources, of those of one number the first; all that are IPTC."""
    found = [(key, body) for key, body in read_resources(block) if body]
    return dict(reversed(found)), [body for key, body in found if key == IPTC]


def iptc_in_order(iptc: bytes) -> bytes:
    """IPTC of a TIFF field, which some writers took for numbers and turned."""
    if iptc[:1] != b"\x1c" and iptc[3:4] == b"\x1c":
        whole = iptc[: len(iptc) // 4 * 4]
        return b"".join(whole[at : at + 4][::-1] for at in range(0, len(whole), 4))
    return iptc


def true_iptc(iptc: bytes) -> bytes:
    """IPTC-IIM without the datasets that are false of the picture in colour."""
    kept, place = b"", 0
    while iptc[place : place + 1] == b"\x1c" and place + 5 <= len(iptc):
        record, number, size = struct.unpack(">BBH", iptc[place + 1 : place + 5])
        end = place + 5 + size
        if size & 0x8000:  # an extended dataset: the size of the size
            wide = size & 0x7FFF
            end = place + 5 + wide + int.from_bytes(iptc[place + 5 : place + 5 + wide], "big")
        if record in (1, 2) and (record, number) not in _FALSE_IPTC:
            kept += iptc[place:end]
        place = end
    return kept
