"""PNG files that hold a picture and nothing else: IHDR, IDAT, IEND."""

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PAETH = 4  # the filter that suits photos
_LEVEL = 6


def encode(pixels: np.ndarray, stored: bool = False) -> bytes:
    """The PNG of uint8 sRGB `(h, w, 3)`.

    The length of one that is `stored` (in deflate's blocks without compression) follows from h
    and w alone.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"expected uint8 (h, w, 3), found {pixels.dtype} {pixels.shape}")
    height, width = pixels.shape[:2]
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0] = 0 if stored else _PAETH
    rows[:, 1:] = (pixels if stored else _paeth(pixels)).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 0 if stored else _LEVEL)
    return SIGNATURE + b"".join(
        _chunk(name, of) for name, of in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    )


def chunks(png: bytes) -> list[tuple[str, bytes]]:
    """Every chunk's name and data, in order. ValueError for what is no whole PNG."""
    if not png.startswith(SIGNATURE):
        raise ValueError("expected a PNG")
    found, place = [], len(SIGNATURE)
    while place < len(png):
        length = int.from_bytes(png[place : place + 4])
        name, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length
        if place > len(png) or _chunk(name, data)[-4:] != png[place - 4 : place]:
            raise ValueError("expected a whole PNG, found a damaged one")
        found.append((name.decode("latin-1"), data))
    return found


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _paeth(pixels: np.ndarray) -> np.ndarray:
    """Each byte less the neighbour (left, up, upper left) nearest to left + up - upper left."""
    around = np.zeros((pixels.shape[0] + 1, pixels.shape[1] + 1, 3), np.int16)
    around[1:, 1:] = pixels
    left, up, corner = around[1:, :-1], around[:-1, 1:], around[:-1, :-1]
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    predicted = np.where(
        (to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner)
    )
    return (pixels - predicted).astype(np.uint8)
