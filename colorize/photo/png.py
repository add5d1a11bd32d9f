"""What PNG files say beside their pixels, as the third edition of the specification wants it read:
which colour space holds, damaged chunks that are passed over, all 16 bits of colour."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import ImageFile, PngImagePlugin

from colorize.photo.metadata.texts import PNG_TEXTS, text_of_chunk
from colorize.photo.profiles import SRGB_PRIMARIES, decode_srgb, make_profile

_SIGNATURE = 8
_MOST_CHUNKS = 100_000
_CHECKED = 64 << 20  # bytes of ancillary chunks whose sums are checked
_COLOR_CHUNKS = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"iCCP")
_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"pHYs": 9}
_REFERENCE_WHITE = 203 / 10_000  # of HDR pictures, in PQ's range (ITU-R BT.2408)
_D65 = (0.3127, 0.3290)
# ITU-T H.273, tables 2 and 3
_PRIMARIES = {
    1: SRGB_PRIMARIES,
    4: ((0.310, 0.316), (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: ((0.310, 0.316), (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


class Chunks(NamedTuple):
    """The colour chunks of a PNG, and the file without its damaged ancillary chunks; its texts, all
    of them: several may have one keyword."""

    color: dict[bytes, bytes]
    stream: BinaryIO
    notices: list[str]
    texts: list[tuple[str, str]]


def read_chunks(stream: BinaryIO) -> Chunks:
    """Walk through the chunks; the stream is left at its start.

    Ancillary chunks whose check sum or length is wrong are left out, with a notice, as libpng and
    browsers do (PNG 13.2). Damage to critical chunks is left to the decoder.
    """
    color: dict[bytes, bytes] = {}
    spoilt: list[tuple[int, int, str]] = []
    texts: list[tuple[str, str]] = []
    place, checked = _SIGNATURE, 0
    for _ in range(_MOST_CHUNKS):
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8:
            break
        length, name = struct.unpack(">I4s", head)
        ancillary, end = bool(name[0] & 32), place + 12 + length
        checked += length if ancillary else 0
        if ancillary and name.isalpha() and checked <= _CHECKED:
            body = stream.read(length)
            if len(body) < length:
                break
            whole = stream.read(4) == struct.pack(">I", zlib.crc32(name + body))
            if not whole or length != _LENGTHS.get(name, length):
                spoilt.append((place, end, name.decode("ascii")))
            elif name in _COLOR_CHUNKS:
                color.setdefault(name, body)
            elif name in PNG_TEXTS and (text := text_of_chunk(name, body)):
                texts.append(text)
        place = end
        if name == b"IEND":
            break
    stream.seek(0)
    if not spoilt:
        return Chunks(color, stream, [], texts)
    kept, after = [], 0
    for start, end, _ in spoilt:
        stream.seek(after)
        kept.append(stream.read(start - after))
        after = end
    stream.seek(after)
    kept.append(stream.read())
    names = ", ".join(sorted({name for _, _, name in spoilt}))
    notice = f"Damaged parts of the file were left out ({names})."
    return Chunks(color, io.BytesIO(b"".join(kept)), [notice], texts)


def color_profile(color: dict[bytes, bytes], notices: list[str]) -> bytes | None:
    """The profile that the chunks of a PNG stand for: b"" for sRGB, None where the file's own
    profile (iCCP) holds. The order is cICP, iCCP, sRGB, gAMA with cHRM (PNG 4.3)."""
    if b"cICP" in color and (profile := _of_code_points(color[b"cICP"], notices)) is not None:
        return profile
    if b"iCCP" in color:
        return None
    if b"sRGB" in color:
        return b""
    primaries = _chromaticities(color.get(b"cHRM", b""))
    gamma = (
        int.from_bytes(color.get(b"gAMA", b""), "big") if len(color.get(b"gAMA", b"")) == 4 else 0
    )
    if not gamma and not primaries:
        return b""
    try:
        return make_profile(100_000 / gamma if gamma else decode_srgb, primaries or SRGB_PRIMARIES)
    except ValueError:
        notices.append("Its gamma or primaries are impossible and were ignored.")
        return b""


def _chromaticities(chunk: bytes) -> tuple[tuple[float, float], ...] | None:
    if len(chunk) != 32:
        return None
    numbers = [value / 100_000 for value in struct.unpack(">8I", chunk)]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _of_code_points(chunk: bytes, notices: list[str]) -> bytes | None:
    """None where the code points are unknown or not those of RGB: the next in order holds."""
    if len(chunk) != 4 or chunk[2] != 0:
        return None
    primaries, transfer, _, full = chunk
    curve = _transfer(transfer)
    if primaries not in _PRIMARIES or curve is None:
        return None
    if (primaries, transfer, full) == (1, 13, 1):
        return b""
    if transfer in (16, 18):
        notices.append(
            "It is a picture of high dynamic range; what is brighter than paper white was clipped."
        )
    if full:
        return make_profile(curve, _PRIMARIES[primaries])
    return make_profile(lambda x: curve(np.clip((x * 255 - 16) / 219, 0, 1)), _PRIMARIES[primaries])


def _transfer(code: int) -> Callable[[np.ndarray], np.ndarray] | None:
    """Linear light of values in [0, 1] (ITU-T H.273, table 3)."""
    if code in (1, 6, 14, 15):
        return lambda x: np.where(x < 0.081, x / 4.5, ((x + 0.099) / 1.099) ** (1 / 0.45))
    if code in (4, 5):
        return lambda x: x ** (2.2 if code == 4 else 2.8)
    if code == 7:
        return lambda x: np.where(x < 0.0912, x / 4, ((x + 0.1115) / 1.1115) ** (1 / 0.45))
    return {8: lambda x: x, 13: decode_srgb, 16: _perceptual_quantizer, 18: _hybrid_log_gamma}.get(
        code
    )


def _perceptual_quantizer(x: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, with reference white as 1."""
    power = x ** (1 / 78.84375)
    light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return light ** (1 / 0.1593017578125) / _REFERENCE_WHITE


def _hybrid_log_gamma(x: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100, with reference white (a signal of 75%) as 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(x <= 0.5, x**2 / 3, (np.exp((x - c) / a) + b) / 12)
    return (scene / ((np.exp((0.75 - c) / a) + b) / 12)) ** 1.2


def sixteen_bits(
    image: ImageFile.ImageFile, again: Callable[[], ImageFile.ImageFile]
) -> np.ndarray | None:
    """uint16 (h, w, 2, 3 or 4): the channels of a 16-bit PNG in colour or with alpha, of which
    Pillow gives the high bytes; None for others. `again` opens the file anew.

    Pillow's reader of little-endian samples finds the low bytes.
    """
    stored = image.tile[0].args if image.tile else None
    if stored == "LA;16B":
        tile = image.tile[0]
        image.tile = [tile._replace(args="RGBA")]  # four bytes a pixel as well
        return np.asarray(image).view(">u2").astype(np.uint16)
    if stored not in ("RGB;16B", "RGBA;16B"):
        return None
    with again() as low:
        low.tile = [low.tile[0]._replace(args=stored.replace("16B", "16L"))]
        pixels = np.asarray(low).astype(np.uint16)
    pixels |= np.asarray(image).astype(np.uint16) << np.uint16(8)
    return pixels


def open_png(stream: BinaryIO) -> ImageFile.ImageFile:
    """Pillow's reader of a stream, from its start."""
    stream.seek(0)
    return PngImagePlugin.PngImageFile(stream, "")
