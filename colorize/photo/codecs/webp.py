"""WebP files whose container says another length than they have."""

import io
import struct
from typing import BinaryIO

_HEAD = 12  # RIFF, length, WEBP
_MOST_CHUNKS = 100_000
_BESIDE = (b"EXIF", b"XMP ")
_KNOWN = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", *_BESIDE)


def with_true_length(stream: BinaryIO) -> tuple[BinaryIO, list[str]]:
    """The file, or a copy with its lengths put right, and sentences on what that lacks.

    libwebp refuses a file that is shorter than it says, as where a writer left out the last padding
    byte, and one whose length was never filled in. Metadata that are cut off are left out; pixels
    that are, are left to the decoder. The stream's place is its start.
    """
    stream.seek(0)
    data = stream.read(_HEAD)
    length = stream.seek(0, io.SEEK_END)
    end = 8 + struct.unpack("<I", data[4:8])[0] if len(data) == _HEAD else 0
    if _HEAD < end <= length and _ends_at(stream, end):
        stream.seek(0)
        return stream, []
    stream.seek(0)
    data, place = stream.read(), _HEAD
    stream.seek(0)
    chunks, cut = [], []
    while place + 8 <= length and len(chunks) < _MOST_CHUNKS:
        name, size = struct.unpack("<4sI", data[place : place + 8])
        if name not in _KNOWN:
            break
        if place + 8 + size > length:
            if name not in _BESIDE:
                return stream, []
            cut.append(name.decode().strip())
            break
        body = data[place + 8 : place + 8 + size]
        chunks.append(data[place : place + 8] + body + bytes(size % 2))
        place += 8 + size + size % 2
    content = b"".join(chunks)
    whole = b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WEBP" + content
    said = [f"Damaged parts of the file were left out ({', '.join(cut)})."] if cut else []
    return io.BytesIO(whole), said


def _ends_at(stream: BinaryIO, end: int) -> bool:
    """Whether the chunks fill the file up to there."""
    place = _HEAD
    for _ in range(_MOST_CHUNKS):
        if place + 8 > end:
            break
        stream.seek(place + 4)
        size = int.from_bytes(stream.read(4), "little")
        place += 8 + size + size % 2
    return place <= end
