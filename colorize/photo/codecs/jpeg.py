"""JPEG files whose end is missing, but none of their pixels."""

import io
import re
from typing import Any, BinaryIO, NamedTuple

from PIL import ImageChops, JpegImagePlugin
from PIL.ImageFile import ImageFile

from colorize.photo.metadata.containers import FRAMES

_END = b"\xff\xd9"
# What could follow, each beginning with other bits; there is no marker in it.
_NOISES = [
    bytes([first, *((number * step + 31) % 251 for number in range(4096))])
    for first, step in ((0xE5, 197), (0x9A, 89), (0x5A, 131), (0x36, 61))
]
_SCAN, _ALL = 0xDA, frozenset(range(64))
_AFTER_SCAN = re.compile(rb"\xff(?=[^\x00\xff\xd0-\xd7])", re.DOTALL)


class JpegFile(JpegImagePlugin.JpegImageFile):
    """Pillow's reader, which also takes a file that lacks its end alone, and does
    not take zeros that stand for the rest of a file for pixels."""

    def load(self) -> Any:
        tile, stream = self.tile, self.fp
        if not tile or stream is None:
            return super().load()
        place = stream.tell()
        try:
            if _ends_in_nothing(stream):
                raise ValueError("truncated: it ends in zeros")
            stream.seek(place)
            return super().load()
        except (OSError, ValueError) as error:
            if "truncated" not in str(error):
                raise
            stream.seek(0)
            whole = _mended(stream.read(), tile)
            stream.seek(place)
            if whole is None:
                raise
            self.im, self.tile = whole.im, []
            return self.im.pixel_access(self.readonly)


def _ends_in_nothing(stream: BinaryIO) -> bool:
    """Whether a file was never written to its end: zeros come where that should be."""
    stream.seek(-1, io.SEEK_END)
    if stream.read() != b"\0":
        return False
    stream.seek(0)
    return _scans(stream.read()).endless


def _mended(data: bytes, tile: list[Any]) -> ImageFile | None:
    """The picture, decoded as `tile` says, of a file that lacks its end alone; None where more is
    missing: then what follows its bytes would change its pixels, or coefficients never came."""
    written = data.rstrip(b"\0\xff")
    if not _scans(written).complete:
        return None
    rest = data[len(written) :].removesuffix(b"\xff")
    for end in (b"", rest) if rest in (b"\0", b"\xff\0") else (b"",):  # it may be of the data
        try:
            plain = _decoded(written + end + _END, tile)
            others = (_decoded(written + end + noise + _END, tile) for noise in _NOISES)
            if not any(ImageChops.difference(plain, other).getbbox() for other in others):
                return plain
        except Exception:  # Pillow's decoders raise anything at all for a damaged file
            return None
    return None


def _decoded(data: bytes, tile: list[Any]) -> ImageFile:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    image.tile = [image.tile[0]._replace(args=tile[0].args)]
    image.load()
    return image


class _Scans(NamedTuple):
    """Whether scans have begun for all coefficients, to their last bit, of all components; whether
    the last one goes on to the end of the data."""

    complete: bool
    endless: bool


def _scans(data: bytes) -> _Scans:
    missing: dict[int, set[int]] = {}
    place = 2
    while place + 2 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == _END[1]:
            break
        if marker == 0xFF or marker in range(0xD0, 0xD8):  # a fill byte, or a restart
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        body, place = data[place + 4 : place + 2 + length], place + 2 + length
        if marker in FRAMES and len(body) >= 6:  # T.81, B.2.2
            missing = {one: set(_ALL) for one in body[6 : 6 + 3 * body[5] : 3]}
        if marker != _SCAN or not body:
            continue
        told = body[1 + 2 * body[0] : 4 + 2 * body[0]]  # B.2.3
        if len(told) < 3:
            return _Scans(False, endless=False)
        first, last, bits = told
        for one in body[1 : 1 + 2 * body[0] : 2]:
            if bits & 15 == 0:
                missing.get(one, set()).difference_update(range(first, last + 1))
        after = _AFTER_SCAN.search(data, place)
        place = after.start() if after else len(data)
    complete = bool(missing) and not any(missing.values())
    return _Scans(complete, endless=place >= len(data))
