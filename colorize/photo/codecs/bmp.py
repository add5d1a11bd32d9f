"""BMP files: the colour space in their header, and pixels that Pillow's reader takes amiss."""

import io
import struct
from typing import Any, BinaryIO

import numpy as np
from PIL import BmpImagePlugin, ImagePalette

from colorize.photo.profiles import make_profile

_LINKED, _EMBEDDED, _CALIBRATED = b"KNIL", b"DEBM", bytes(4)
_END_OF_LINE, _END, _DELTA = 0, 1, 2  # what a count of zero escapes to
_PACKED = {1: "P;1", 4: "P;4", 8: "P"}  # Pillow's names of places in a palette, by their bits


class BmpFile(BmpImagePlugin.BmpImageFile):
    """Pillow's reader, put right where it would give other pixels than the file has.

    A palette of greys it takes for the greys themselves, whatever the bits of a place in it; and
    its run-length decoder loses empty rows and odd runs.
    """

    def _open(self) -> None:
        super()._open()
        self.fp.seek(14)
        header = self.fp.read(16)
        place = 10 if header[0] == 12 else 14  # OS/2's first header has short sizes
        bits = int.from_bytes(header[place : place + 2], "little")
        if self.mode in ("1", "L") and (self.mode, bits) not in (("1", 1), ("L", 8)):
            greys = (0, 255) if self.mode == "1" else range(256)
            self._mode = "P"
            self.palette = ImagePalette.raw("RGB", bytes(grey for grey in greys for _ in range(3)))
            tile = self.tile[0]
            self.tile = [tile._replace(args=(_PACKED[bits], *tile.args[1:]))]

    def load(self) -> Any:
        if self.tile and self.tile[0].codec_name == "bmp_rle":
            place, (_, is_nibbles, _) = self.tile[0][2:]
            width, height = self.size
            self.fp.seek(place)
            codes = self.fp.read(4 * (width + 1) * height)  # more would tell of no pixel
            rows = unpacked(codes, width, height, is_nibbles=is_nibbles)
            self.tile = [self.tile[0]._replace(codec_name="raw", offset=0, args=(self.mode, 0, 1))]
            self.fp = io.BytesIO(rows)
        return super().load()


def unpacked(data: bytes, width: int, height: int, *, is_nibbles: bool) -> bytearray:
    """Rows from the top of BMP's run-length codes: RLE4 (`is_nibbles`) or RLE8 (Microsoft, "Bitmap
    Compression"). What they pass over is 0. Raises ValueError where they end before the picture."""
    out = bytearray(width * height)
    x = y = place = 0
    while y < height and place + 2 <= len(data):
        count, value = data[place], data[place + 1]
        place += 2
        if count:
            pair = bytes((value >> 4, value & 15)) if is_nibbles else bytes((value, value))
            run = (pair * (count // 2 + 1))[:count]
        elif value == _END_OF_LINE:
            x, y = 0, y + 1
            continue
        elif value == _END:
            return out
        elif value == _DELTA:
            if place + 2 > len(data):
                break
            x, y, place = x + data[place], y + data[place + 1], place + 2
            continue
        else:
            size = (value + 1) // 2 if is_nibbles else value
            run = data[place : place + size]
            if len(run) < size:
                break
            if is_nibbles:
                run = bytes(half for byte in run for half in (byte >> 4, byte & 15))[:value]
            place += size + size % 2
        run = run[: max(0, width - x)]
        start = (height - 1 - y) * width + x
        out[start : start + len(run)] = run
        x += len(run)
    if y < height - 1 or (y == height - 1 and x < width):
        raise ValueError("truncated runs")
    return out


def profile_of_bmp(stream: BinaryIO, notices: list[str]) -> bytes | None:
    """The profile that a BMP file of version 4 or 5 carries or describes; where it is in another
    file, a notice."""
    stream.seek(14)
    header = stream.read(124)
    size = int.from_bytes(header[:4], "little")
    if size not in (108, 124) or len(header) < size:
        return None
    kind = header[56:60]
    if kind == _CALIBRATED:
        return _calibrated(header)
    if kind == _LINKED:
        notices.append("Its colour profile lies in another file and was not applied.")
    if kind == _EMBEDDED and size == 124:
        place, length = struct.unpack("<II", header[112:120])
        stream.seek(14 + place)
        return stream.read(min(length, 16 << 20))
    return None


def _calibrated(header: bytes) -> bytes | None:
    """Endpoints (XYZ, 2.30) and gammas (16.16) of a BMP header, where they are filled in."""
    ends = np.array(struct.unpack("<9i", header[60:96])).reshape(3, 3) / 2**30
    gammas = np.array(struct.unpack("<3I", header[96:108])) / 65_536
    gamma = float(gammas.mean())
    sums = ends.sum(axis=1)
    if not gammas.all() or (sums <= 0).any():
        return None
    white = ends.sum(axis=0)
    chromaticities = [(x / s, y / s) for (x, y, _), s in zip(ends, sums, strict=True)]
    try:
        return make_profile(
            gamma, [(white[0] / white.sum(), white[1] / white.sum()), *chromaticities]
        )
    except ValueError:
        return None
