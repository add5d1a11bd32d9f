"""Names of what a file carries that has no place in a result: content credentials, further views,
depth, sound, and what programs write for themselves. What only tells how the file stored its pixels
has no name here."""

import re
import struct
from collections.abc import Callable, Collection, Iterator
from typing import BinaryIO

from PIL import ExifTags, TiffTags

from colorize.photo.metadata.boxes import auxiliary_kinds, has_tone_map, read_boxes
from colorize.photo.metadata.containers import (
    APP1,
    APP12,
    APP13,
    COMMENT,
    PHOTOSHOP_NAME,
    read_segments,
    webp_chunks,
)

CREDENTIALS = "its content credentials (C2PA), which hold for that file alone"
VIDEO = "a video or sound that follows the picture"
VIEWS = "further pictures that follow it (views, a depth or gain map)"
_APP0, _APP2, _APP11, _APP14, _APP15 = 0xE0, 0xE2, 0xEB, 0xEE, 0xEF
_KNOWN_SEGMENTS = {  # what they begin with, by marker: read elsewhere, or of the storage
    _APP0: (b"JFIF\0", b"JFXX\0", b"AVI1"),
    APP1: (b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"),
    _APP2: (b"ICC_PROFILE\0", b"MPF\0"),
    APP12: (b"",),
    APP13: (PHOTOSHOP_NAME, b"Adobe_CM"),
    _APP14: (b"Adobe",),
}
_KNOWN_CHUNKS = (
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV mDCv cLLI cLLi sBIT bKGD hIST sPLT "
    b"pHYs tIME tEXt zTXt iTXt eXIf acTL fcTL fdAT iDOT vpAg oFFs caNv"
).split()
_KNOWN_OF_WEBP = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP ")
ICC_OF_GIF, IPTC_OF_GIF = b"ICCRGBG1012", (b"MGKIPTC0000", b"MGK8BIM0000")
XMP_OF_GIF, GIF_COMMENT = b"XMP DataXMP", 0xFE
_KNOWN_OF_GIF = (b"NETSCAPE2.0", b"ANIMEXTS1.0", XMP_OF_GIF, ICC_OF_GIF, *IPTC_OF_GIF)
_TRAILER_OF_XMP = 257  # bytes that lead readers of blocks to their end (XMP part 3, 1.1.2)
_C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_AUXILIARY = {"alpha": "", "auxid:1": "", "depth": "its depth map", "auxid:2": "its depth map"}
_AUXILIARY |= {"hdrgainmap": "its gain map"}
# MP attributes (CIPA DC-007, 5.2.3.3.1): a picture's type in its lowest 24 bits.
_MP_ENTRIES, _PREVIEWS = 0xB002, (0x010001, 0x010002, 0x030000)
_FOLLOWING_VIDEO = re.compile(rb"\0\0\0.ftyp(mp4|isom|iso\d|qt  |avc1|3gp|M4[AV])", re.DOTALL)
_SAMSUNG = b"SEFT"  # what its cameras append ends so
_PIECE, _OVERLAP, _MOST = 1 << 20, 32, 1 << 30
_MOST_NAMES, _MOST_CHUNKS, _MOST_OF_GIF = 8, 100_000, 16 << 20
_CAPTION, _PATHS = 0x03F0, range(2000, 2999)  # of Photoshop's resources

# Fields of TIFF and of EXIF's first directory that are read elsewhere, or tell of the storage
# alone: baseline and extension tags, palettes, tiles, JPEG, YCbCr, SGI's sizes, sensors, IPTC,
# Photoshop's resources, profile, printing, GDAL, GeoTIFF, ImageJ, Windows' padding.
_KNOWN_FIELDS = frozenset(
    (
        *(254, 255, *range(256, 267), 273, 274, *range(277, 282), 284, *range(286, 302), 305, 317),
        *(318, 319, *range(320, 333), 334, *range(336, 348), *range(512, 522), *range(529, 533)),
        *(700, *range(32995, 32999), 33421, 33422, 33550, 33629, 33723, 33922, 34264, 34377, 34665),
        *(34675, 34735, 34736, 34737, 34853, 34967, 40965, 42112, 42113, 50341, 50838, 50839),
        *(59932, 59933),
    )
)
_OWN_NAMES = {
    34118: "what its microscope wrote (CZ_SEM)",
    34680: "what its microscope wrote (FEI)",
    34682: "what its microscope wrote (FEI)",
    37724: "Photoshop's layers",
    51123: "what Micro-Manager wrote",
    52545: CREDENTIALS,
}


def what_has_no_place(stream: BinaryIO, format: str | None) -> list[str]:
    """Names of it in a file of this format (Pillow's name), each once; the stream's place stays.
    Nothing is raised for a damaged file: what comes after the damage is not named."""
    name = _BY_FORMAT.get(format or "")
    if name is None:
        return []
    place = stream.tell()
    try:
        return _each_once(name(stream))
    except (OSError, ValueError, IndexError, struct.error):
        return []
    finally:
        stream.seek(place)


def names_of_fields(tags: Collection[int]) -> list[str]:
    """Those of fields of a first directory that were not kept."""
    return _each_once(
        _OWN_NAMES.get(tag) or f"its field {_name_of_tag(tag)}"
        for tag in sorted(tags)
        if tag not in _KNOWN_FIELDS
    )


def names_of_resources(numbers: Collection[int]) -> list[str]:
    """Those of Photoshop's image resources that were not kept."""
    names = ["its clipping paths"] if any(number in _PATHS for number in numbers) else []
    return [*names, *(["Photoshop's caption"] if _CAPTION in numbers else [])]


def _name_of_tag(tag: int) -> str:
    known = TiffTags.lookup(tag).name
    return ExifTags.TAGS.get(tag, str(tag)) if known == "unknown" else known


def _each_once(names: Iterator[str]) -> list[str]:
    found = list(dict.fromkeys(name for name in names if name))
    if len(found) <= _MOST_NAMES:
        return found
    return [*found[:_MOST_NAMES], f"{len(found) - _MOST_NAMES} more"]


def _of_jpeg(stream: BinaryIO) -> Iterator[str]:
    has_note, has_second_part = False, False
    for marker, body in read_segments(stream):
        has_note |= b"HasExtendedXMP" in body
        has_second_part |= body.startswith(b"http://ns.adobe.com/xmp/extension/\0")
        if marker == _APP2 and body.startswith(b"MPF\0"):
            yield _of_views(body[4:])
        if not _APP0 <= marker <= _APP15 or marker == COMMENT:
            continue
        if marker == _APP11 and b"jumb" in body[:64]:
            yield CREDENTIALS
        elif not body.startswith(_KNOWN_SEGMENTS.get(marker, ())):
            begins = body[:32].partition(b"\0")[0].decode("ascii", "replace").strip()
            label = f" ({begins})" if len(begins) > 2 and begins.isprintable() else ""
            yield f"its segment APP{marker - _APP0}{label}".replace("\ufffd", "?")
    if has_second_part and not has_note:
        yield "the second part of its XMP metadata"
    yield _of_end(stream)


def _of_views(block: bytes) -> str:
    """Of the Multi-Picture Format (CIPA DC-007): nothing where all others are previews."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return ""
    (place,) = struct.unpack(order + "L", block[4:8])
    (count,) = struct.unpack(order + "H", block[place : place + 2])
    for at in range(place + 2, place + 2 + 12 * min(count, 100), 12):
        tag, _, size, start = struct.unpack(order + "HHLL", block[at : at + 12])
        if tag == _MP_ENTRIES:
            entries = block[start + 16 : start + size]  # the first is the photo
            kinds = [one for one, *_ in struct.iter_unpack(order + "LLLHH", entries)]
            return VIEWS if any(kind & 0xFFFFFF not in _PREVIEWS for kind in kinds) else ""
    return ""


def _of_end(stream: BinaryIO) -> str:
    stream.seek(0)
    before = b""
    for _ in range(_MOST // _PIECE):
        piece = stream.read(_PIECE)
        if not piece:
            break
        if _FOLLOWING_VIDEO.search(before + piece):
            return VIDEO
        before = (before + piece)[-_OVERLAP:]
    return "what the camera appended to it" if before.endswith(_SAMSUNG) else ""


def _of_png(stream: BinaryIO) -> Iterator[str]:
    stream.seek(8)
    for _ in range(_MOST_CHUNKS):
        if len(head := stream.read(8)) < 8:
            return
        length, name = struct.unpack(">I4s", head)
        if name == b"caBX":
            yield CREDENTIALS
        elif name.isalpha() and name not in _KNOWN_CHUNKS:
            yield f"its chunk {name.decode('ascii')}"
        if name == b"IEND":
            return
        stream.seek(length + 4, 1)


def _of_webp(stream: BinaryIO) -> Iterator[str]:
    for name, _, _ in webp_chunks(stream):
        if name == b"C2PA":
            yield CREDENTIALS
        elif name.strip().isalnum() and name not in _KNOWN_OF_WEBP:
            yield f"its chunk {name.decode('ascii').strip()}"


def _of_gif(stream: BinaryIO) -> Iterator[str]:
    for kind, name, _ in gif_extensions(stream):
        if kind == 0x01:
            yield "its plain text"
        elif name.startswith(b"C2PA_GIF"):
            yield CREDENTIALS
        elif kind == 0xFF and name not in _KNOWN_OF_GIF:
            yield f"its extension {name[:8].decode('ascii', 'replace').strip()}"


def gif_extensions(stream: BinaryIO) -> Iterator[tuple[int, bytes, bytes]]:
    """Label, name (of an application's) and data of a GIF's extensions, before, between and after
    its frames."""
    stream.seek(10)
    _skip_palette(stream, (stream.read(3) or b"\0")[0])
    left = _MOST_OF_GIF
    while left > 0 and (start := stream.read(1)) in (b"\x21", b"\x2c"):
        if start == b"\x2c":  # a frame
            flags = stream.read(9)[8:]
            _skip_palette(stream, flags[0] if flags else 0)
            stream.seek(1, 1)
            while (size := stream.read(1)) not in (b"", b"\0"):
                stream.seek(size[0], 1)
            continue
        kind = (stream.read(1) or b"\0")[0]
        blocks = []
        while (size := stream.read(1)) not in (b"", b"\0") and left > 0:
            blocks.append(stream.read(size[0]))
            left -= size[0] + 1
        name = blocks.pop(0) if kind == 0xFF and blocks else b""
        if name == XMP_OF_GIF:  # which is not in blocks: their sizes are letters of it
            whole = b"".join(bytes([len(block)]) + block for block in blocks)
            yield kind, name, whole[:-_TRAILER_OF_XMP]
            continue
        yield kind, name, b"".join(blocks)


def _skip_palette(stream: BinaryIO, flags: int) -> None:
    stream.seek(3 << (flags & 7) + 1 if flags & 0x80 else 0, 1)


def profile_of_gif(stream: BinaryIO) -> bytes | None:
    """The colour profile in a GIF's extension; the stream's place stays."""
    place = stream.tell()
    found = {name: data for _, name, data in gif_extensions(stream)}
    stream.seek(place)
    return found.get(ICC_OF_GIF)


def _of_boxes(stream: BinaryIO) -> Iterator[str]:
    meta = b""
    for name, body in read_boxes(stream):
        if name == b"uuid" and body.startswith(_C2PA_BOX):
            yield CREDENTIALS
        meta = body if name == b"meta" else meta
    if has_tone_map(meta):
        yield _AUXILIARY["hdrgainmap"]
    for kind in auxiliary_kinds(meta):
        known = (said for end, said in _AUXILIARY.items() if kind.endswith(end))
        yield next(known, f"its {kind.rpartition(':')[2]}")


_BY_FORMAT: dict[str, Callable[[BinaryIO], Iterator[str]]] = {
    "JPEG": _of_jpeg,
    "MPO": _of_jpeg,
    "PNG": _of_png,
    "WEBP": _of_webp,
    "GIF": _of_gif,
    "AVIF": _of_boxes,
    "HEIF": _of_boxes,
}
