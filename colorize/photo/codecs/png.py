"""What PNG files say beside their pixels, as the third edition of the specification wants it read:
which colour space holds, damaged chunks that are passed over, all 16 bits of colour, which are
written as well."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageFile, PngImagePlugin

from colorize.photo.metadata.texts import PNG_TEXTS, text_of_chunk
from colorize.photo.profiles import (
    SRGB_PRIMARIES,
    decode_srgb,
    make_profile,
    profile_of_code_points,
)

_SIGNATURE = 8
_MOST_CHUNKS = 100_000
_STRIP_BYTES = 1 << 21  # filtered at a time
_CHECKED = 64 << 20  # bytes of ancillary chunks whose sums are checked
_COLOR_CHUNKS = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"iCCP")
_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"pHYs": 9}


_UNKNOWN = "Its colour space (cICP) is not known and was read as sRGB."


class Chunks(NamedTuple):
    """The colour chunks of a PNG, and the file without its damaged ancillary chunks; its texts, all
    of them: several may have one keyword; its EXIF, of which the first counts."""

    color: dict[bytes, bytes]
    stream: BinaryIO
    notices: list[str]
    texts: list[tuple[str, str]]
    exif: list[bytes]


def read_chunks(stream: BinaryIO) -> Chunks:
    """Walk through the chunks; the stream is left at its start.

    Ancillary chunks whose check sum, length or place is wrong are left out, with a notice, as
    libpng and browsers do (PNG 13.2). Damage to critical chunks is left to the decoder.
    """
    color: dict[bytes, bytes] = {}
    spoilt: list[tuple[int, int, str]] = []
    texts: list[tuple[str, str]] = []
    exif: list[bytes] = []
    unread: set[str] = set()  # whose sum is right, and whose text is damaged
    place, checked, has_pixels = _SIGNATURE, 0, False
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
            is_late = has_pixels and name in _COLOR_CHUNKS  # it has to come before (PNG 5.6)
            if not whole or is_late or length != _LENGTHS.get(name, length):
                spoilt.append((place, end, name.decode("ascii")))
            elif name in _COLOR_CHUNKS:
                color.setdefault(name, body)
            elif name == b"eXIf":
                exif.append(body)
            elif name in PNG_TEXTS:
                text = text_of_chunk(name, body)
                texts += [text] if text else []
                unread |= set() if text else {name.decode("ascii")}
        place, has_pixels = end, has_pixels or name == b"IDAT"
        if name == b"IEND":
            break
    stream.seek(0)
    names = ", ".join(sorted(unread | {name for _, _, name in spoilt}))
    notices = [f"Damaged parts of the file were left out ({names})."] if names else []
    if not spoilt:
        return Chunks(color, stream, notices, texts, exif)
    kept, after = [], 0
    for start, end, _ in spoilt:
        stream.seek(after)
        kept.append(stream.read(start - after))
        after = end
    stream.seek(after)
    kept.append(stream.read())
    return Chunks(color, io.BytesIO(b"".join(kept)), notices, texts, exif)


def color_profile(
    color: dict[bytes, bytes], notices: list[str], usable: bool = True
) -> bytes | None:
    """The profile that the chunks of a PNG stand for: b"" for sRGB, None where the file's own
    profile (iCCP) holds. The order is cICP, iCCP, sRGB, gAMA with cHRM (PNG 4.3).

    usable: whether the file's own profile can be applied; else what follows it holds.
    """
    if b"cICP" in color and (profile := _of_code_points(color[b"cICP"], notices)) is not None:
        return profile
    if b"iCCP" in color and usable:
        return None
    if b"sRGB" in color:
        return b""
    if b"cICP" in color and not {b"gAMA", b"cHRM"} & color.keys():
        notices.append(_UNKNOWN)
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


def colors_of(info: dict[Any, Any]) -> dict[bytes, bytes]:
    """The colour chunks that Pillow noted of a PNG whose file is no longer at hand."""
    color = {}
    if isinstance(gamma := info.get("gamma"), float):
        color[b"gAMA"] = struct.pack(">I", round(gamma * 100_000))
    if isinstance(points := info.get("chromaticity"), tuple) and len(points) == 8:
        color[b"cHRM"] = struct.pack(">8I", *(round(point * 100_000) for point in points))
    if "srgb" in info:
        color[b"sRGB"] = b"\0"
    return color


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
    return profile_of_code_points(primaries, transfer, notices, full=bool(full))


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


def write_sixteen_bits(
    file: BinaryIO, samples: np.ndarray, level: int, options: dict[str, Any]
) -> None:
    """Write uint16 (h, w, 3 or 4), sRGB with or without alpha, which Pillow cannot.

    options: what Pillow's writer takes. It writes a picture of one pixel with all that stands
    beside pixels; header and pixels of it are replaced.
    """
    height, width, channels = samples.shape
    frame = io.BytesIO()
    Image.new("RGB", (1, 1)).save(frame, "PNG", **options)
    data, place = frame.getvalue(), _SIGNATURE
    file.write(data[:place])
    while place < len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if name == b"IHDR":
            kind = 2 if channels == 3 else 6  # PNG 11.2.1
            _write_chunk(file, name, struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
        elif name == b"IDAT":
            for part in _deflated(samples, level):
                _write_chunk(file, name, part)
        else:
            file.write(data[place:end])
        place = end


def _write_chunk(file: BinaryIO, name: bytes, body: bytes) -> None:
    file.write(struct.pack(">I", len(body)) + name + body)
    file.write(struct.pack(">I", zlib.crc32(body, zlib.crc32(name))))


def _deflated(samples: np.ndarray, level: int) -> Iterator[bytes]:
    """The rows, each by the filter (PNG 9.2) that leaves the least, in compressed parts."""
    height, width, channels = samples.shape
    across = 2 * channels  # bytes a pixel
    packer = zlib.compressobj(level)
    above = np.zeros((1, width * across), np.uint8)
    rows = max(1, _STRIP_BYTES // (width * across))
    for top in range(0, height, rows):
        strip = samples[top : top + rows].astype(">u2", order="C")
        lines = strip.view(np.uint8).reshape(len(strip), -1)
        left = np.pad(lines[:, :-across], ((0, 0), (across, 0)))
        filtered = np.stack([lines - left, lines - np.concatenate((above, lines[:-1]))])
        # As signed bytes: the heuristic of PNG 12.7.
        best = np.abs(filtered.view(np.int8).astype(np.int16)).sum(2, dtype=np.int64).argmin(0)
        chosen = filtered[best, np.arange(len(lines))]
        above = lines[-1:]
        if part := packer.compress(np.column_stack((best.astype(np.uint8) + 1, chosen)).tobytes()):
            yield part
    yield packer.flush()
