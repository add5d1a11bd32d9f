"""What a photo file says about itself, wherever its format keeps it."""

import contextlib
import io
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image

from colorize.photo.exif import (
    ORIENTATION,
    RATIONAL,
    Exif,
    Field,
    is_adobe_rgb,
    read_exif,
    read_fields,
    whole_number,
)
from colorize.photo.metadata.boxes import clean_aperture, orientation_of, properties_of
from colorize.photo.metadata.containers import (
    APP1,
    APP12,
    APP13,
    COMMENT,
    IPTC,
    KEPT_RESOURCES,
    PHOTOSHOP_NAME,
    first_resources,
    iptc_in_order,
    read_resources,
    read_segments,
    webp_chunks,
)
from colorize.photo.metadata.geometry import Size, swaps, turned_size
from colorize.photo.metadata.left_out import (
    GIF_COMMENT,
    IPTC_OF_GIF,
    XMP_OF_GIF,
    gif_extensions,
    names_of_fields,
    names_of_resources,
    what_has_no_place,
)
from colorize.photo.metadata.texts import (
    Texts,
    decoded_text,
    is_of_the_picture,
    texts_of_app12,
    texts_of_tiff,
    true_description,
)
from colorize.photo.metadata.turning import turned, without_places
from colorize.photo.metadata.xmp import XMP_KEYWORD, is_readable, xmp_orientation

if TYPE_CHECKING:
    from colorize.photo.tiff.pages import Pages

_XMP, _IPTC_TAG, _PHOTOSHOP_TAG = 700, 33723, 34377
_RESOLUTION, _RESOLUTION_UNIT, _INCH, _CENTIMETRE = (282, 283), 296, 2, 3
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_DESCRIPTION = 270
_SECOND = "a second {} that readers pass over"
_MOST_OF_WEBP = 16 << 20


@dataclass(frozen=True)
class Metadata:
    """What is kept of a photo's metadata; `dpi` is (across, down) of the upright photo.

    `resources` are Photoshop's by number, IPTC-IIM under 0x0404. `texts` are pairs of keyword and
    text, the keyword "Comment" for comments without one. `lost` names what has no place anywhere.
    """

    exif: Exif | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    resources: dict[int, bytes] = field(default_factory=dict)
    texts: tuple[tuple[str, str], ...] = ()
    lost: tuple[str, ...] = ()

    def of_part(self) -> "Metadata":
        """For a part of the picture: without what points to places in the whole."""
        exif, xmp, lost = without_places(self.exif, self.xmp)
        return replace(self, exif=exif, xmp=xmp, lost=tuple(dict.fromkeys((*self.lost, *lost))))


def read_metadata(
    image: Image.Image, texts: Texts | None = None, blocks: Sequence[bytes] = ()
) -> tuple[Metadata, int]:
    """What to keep of an image's metadata, and its orientation (1 to 8, EXIF 4.6.5).

    Never raises for damaged metadata: what cannot be read is left out. A TIFF is best read before
    its pixels are loaded (Pillow closes the file), a PNG after (EXIF may come last). texts, blocks:
    of a PNG's chunks and its EXIF, where the file itself was read: Pillow keeps one of a keyword.
    """
    found = _Found.of(image, texts, blocks)
    exif, orientation = None, None
    if (stream := found.chosen_exif()) is not None:
        place = stream.tell()
        exif, orientation = read_exif(stream)
        _, fields = read_fields(stream)
        found.lost += names_of_fields(fields.keys() - exif.image.keys() - exif.camera.keys())
        stream.seek(place)
    chosen = found.chosen_xmp()
    # An AVIF turns by its own boxes, which Pillow gives as EXIF, a HEIC is upright when decoded.
    by_boxes = image.format in ("AVIF", "HEIF")
    orientation = _orientation(orientation, None if by_boxes else chosen)
    dpi = _dpi_of(image.info.get("dpi"), swapped=swaps(orientation))
    resources = {key: found.resources[key] for key in KEPT_RESOURCES if key in found.resources}
    found.lost += names_of_resources(found.resources)
    turn, size, is_part = _turn_of(image, orientation)
    exif, of_planes = _described(exif)
    exif, xmp, lost = turned(exif, chosen, turn, size)
    lost = tuple(dict.fromkeys(found.lost + of_planes + lost))
    metadata = Metadata(exif, xmp, dpi, resources, tuple(found.texts), lost)
    return metadata.of_part() if is_part else metadata, orientation


def _turn_of(image: Image.Image, orientation: int) -> tuple[int, Size, bool]:
    """How an image is, or was, turned upright; the size that it had before; whether it is a part
    that begins elsewhere than the stored picture."""
    stream = getattr(image, "fp", None)
    if image.format not in ("AVIF", "HEIF") or stream is None:
        return orientation, image.size, False
    boxes = properties_of(stream)
    seen = clean_aperture(boxes)
    is_part = seen is not None and seen[:2] != (0, 0)
    if image.format == "HEIF":  # turned and cut already
        orientation = orientation_of(boxes)
        return orientation, turned_size(orientation, *image.size), is_part
    size = (seen[2] - seen[0], seen[3] - seen[1]) if seen else image.size
    return orientation, size, is_part


def says_adobe_rgb(image: Image.Image) -> bool:
    """Whether an image's EXIF says that its colours are those of Adobe RGB (1998)."""
    stream = _Found.of(image).chosen_exif()
    return stream is not None and is_adobe_rgb(stream)


def read_tiff_metadata(stream: BinaryIO, pages: "Pages") -> tuple[Metadata, int]:
    """The same of a TIFF file: of the photo's page, and of the first where that has none."""
    order, fields = read_fields(stream, pages.photo.offset)
    _, first = read_fields(stream, pages.first.offset)
    exif, _ = read_exif(stream, pages.photo.offset)
    if pages.first.offset != pages.photo.offset:
        other, _ = read_exif(stream, pages.first.offset)
        if exif and other:
            image = {k: v for k, v in other.image.items() if k not in (*_RESOLUTION, 296)}
            camera, gps = exif.camera or other.camera, exif.gps or other.gps
            exif = replace(exif, image=image | exif.image, camera=camera, gps=gps)
    fields = {tag: first[tag] for tag in (_XMP, _IPTC_TAG, _PHOTOSHOP_TAG) if tag in first} | fields
    xmp = _stripped(fields[_XMP].data) if _XMP in fields else None
    own = whole_number(fields.get(ORIENTATION), order or "<")
    orientation = _orientation(own, xmp)
    resources = {}
    captions = [iptc_in_order(fields[_IPTC_TAG].data)] if _IPTC_TAG in fields else []
    if _PHOTOSHOP_TAG in fields:
        resources, more = first_resources(fields[_PHOTOSHOP_TAG].data)
        captions += more
    resources |= {IPTC: captions[0]} if captions else {}
    kept = exif.image.keys() | exif.camera.keys() if exif else set()
    lost = names_of_fields(fields.keys() - kept)
    lost += names_of_resources(resources) + _second_captions(captions)
    resources = {key: resources[key] for key in KEPT_RESOURCES if key in resources}
    dpi = _dpi_of(_resolution(exif, fields, order or "<"), swapped=swaps(orientation))
    texts, others = texts_of_tiff(pages.first)
    size = pages.photo.imagewidth, pages.photo.imagelength
    exif, of_planes = _described(exif)
    exif, xmp, misplaced = turned(exif, xmp, orientation, size)
    lost += others + of_planes + misplaced
    return Metadata(exif, xmp, dpi, resources, tuple(texts), tuple(lost)), orientation


def _described(exif: Exif | None) -> tuple[Exif | None, list[str]]:
    """With a description that is true of the picture in colour; the name of what is not."""
    if exif is None or _DESCRIPTION not in exif.image:
        return exif, []
    old = exif.image[_DESCRIPTION]
    text, lost = true_description(old.data)
    image = {tag: value for tag, value in exif.image.items() if tag != _DESCRIPTION}
    image |= {_DESCRIPTION: Field(old.type, len(text), text)} if text else {}
    return replace(exif, image=image), [lost] if lost else []


@dataclass
class _Found:
    """What an image holds, wherever its format has it: of EXIF and XMP all, the one first that
    readers use."""

    exif: list[BinaryIO] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    resources: dict[int, bytes] = field(default_factory=dict)
    texts: Texts = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls, image: Image.Image, texts: Texts | None = None, blocks: Sequence[bytes] = ()
    ) -> "_Found":
        found = cls()
        stream = getattr(image, "fp", None)
        block, xmp = image.info.get("exif"), image.info.get("xmp")
        for one in blocks:
            found.add_exif(one)
        if isinstance(block, bytes) and not blocks:
            found.add_exif(block)
        elif image.format == "TIFF" and stream is not None:
            found.exif.append(stream)
        if stream is not None:
            found.lost += what_has_no_place(stream, image.format)
        if image.format in ("JPEG", "MPO") and stream is not None:
            found.add_segments(stream)
        elif image.format == "GIF" and stream is not None:
            found.add_extensions(stream)
        elif isinstance(comment := image.info.get("comment"), bytes):
            found.add_text("Comment", comment)
        if image.format == "WEBP" and stream is not None:
            found.add_webp(stream)
        if texts is None and isinstance(xmp, bytes):  # Pillow has the last one
            found.add_xmp(xmp)
        if image.format in ("PNG", None):
            of_pillow = [pair for pair in image.info.items() if pair[0] != "compression"]
            found.add_texts(of_pillow if texts is None else texts)
        return found

    def chosen_exif(self) -> BinaryIO | None:
        """The first that can be read; another one is named. The places in them stay."""
        whole: list[tuple[BinaryIO, Exif]] = []
        for stream in self.exif:
            place = stream.tell()
            if (exif := read_exif(stream)[0]) is not None:
                whole.append((stream, exif))
            stream.seek(place)
        for stream, exif in whole[1:]:
            begins = isinstance(stream, io.BytesIO) and isinstance(whole[0][0], io.BytesIO)
            begins = begins and whole[0][0].getvalue().startswith(stream.getvalue())
            if not begins and (exif.image or exif.camera or exif.gps):
                self.lost.append(_SECOND.format("EXIF block"))
        return whole[0][0] if whole else None

    def chosen_xmp(self) -> bytes | None:
        """The first that can be read, else the first; another one is named."""
        packets = list(dict.fromkeys(self.xmp))
        if len(packets) < 2:
            return packets[0] if packets else None
        whole = [packet for packet in packets if is_readable(packet)]
        if len(whole) > 1:
            self.lost.append(_SECOND.format("XMP packet"))
        return (whole or packets)[0]

    def add_xmp(self, packet: bytes) -> None:
        if packet := packet.strip(b"\0 \r\n"):
            self.xmp.append(packet)

    def add_exif(self, block: bytes) -> None:
        while block[:5] == b"Exif\0":  # and one more byte, whatever it is
            block = block[6:]
        self.exif.append(io.BytesIO(block))

    def add_text(self, keyword: str, text: bytes) -> None:
        if decoded := decoded_text(text).strip("\0 \r\n"):
            self.texts.append((keyword, decoded))

    def add_segments(self, stream: BinaryIO) -> None:
        """Of a JPEG stream, whose place stays."""
        place, photoshop = stream.tell(), b""
        for marker, body in read_segments(stream):
            if marker == COMMENT:
                self.add_text("Comment", body)
            elif marker == APP13 and body.startswith(PHOTOSHOP_NAME):
                photoshop += body[len(PHOTOSHOP_NAME) :]
            elif marker == APP1 and body[:5] == b"Exif\0":
                self.add_exif(body)
            elif marker == APP1 and body.startswith(_XMP_NAME):
                self.add_xmp(body[len(_XMP_NAME) :])
            elif marker == APP12 and body:
                found = texts_of_app12(body)
                self.texts += found or ()
                self.lost += [] if found is not None else ["its segment APP12"]
        resources, captions = first_resources(photoshop)
        self.resources |= resources
        self.lost += _second_captions(captions)
        stream.seek(place)

    def add_webp(self, stream: BinaryIO) -> None:
        """Of a WebP, whose first of each counts; the stream's place stays."""
        place = stream.tell()
        for name, at, length in webp_chunks(stream):
            if name in (b"EXIF", b"XMP ") and length <= _MOST_OF_WEBP:
                stream.seek(at)
                body = stream.read(length)
                self.add_exif(body) if name == b"EXIF" else self.add_xmp(body)
        stream.seek(place)

    def add_extensions(self, stream: BinaryIO) -> None:
        """Of a GIF, before and after its frames; the stream's place stays."""
        place = stream.tell()
        for kind, name, data in gif_extensions(stream):
            if kind == GIF_COMMENT:
                self.add_text("Comment", data)
            elif name == XMP_OF_GIF:
                self.add_xmp(data)
            elif name in IPTC_OF_GIF:  # where ImageMagick keeps captions
                self.add_captions(data)
        stream.seek(place)

    def add_captions(self, data: bytes) -> None:
        """Photoshop's resources, or the IPTC among them alone."""
        found = dict(read_resources(data.removeprefix(PHOTOSHOP_NAME)))
        self.resources |= found or ({IPTC: data} if data[:1] == b"\x1c" else {})

    def add_texts(self, given: list[tuple[object, object]]) -> None:
        """Of a PNG's chunks."""
        for keyword, text in sorted(given, key=lambda pair: pair[0] != XMP_KEYWORD):
            if not isinstance(text, str) or not isinstance(keyword, str):
                continue
            if keyword.startswith("Raw profile type "):
                self.add_profile(keyword.removeprefix("Raw profile type ").lower(), text)
            elif keyword == XMP_KEYWORD:
                self.add_xmp(_packet_of(text))
            elif text.strip() and is_of_the_picture(keyword):
                self.texts.append((keyword, text))

    def add_profile(self, kind: str, text: str) -> None:
        """ImageMagick's way to keep what PNG had no chunks for."""
        try:
            data = bytes.fromhex("".join(text.split("\n")[3:]))
        except ValueError:
            self.lost.append(f"a damaged profile ({kind})")
            return
        if kind in ("exif", "app1") and data[:5] == b"Exif\0":
            self.add_exif(data)
        elif kind == "exif":
            self.exif.append(io.BytesIO(data))
        elif kind in ("xmp", "app1"):
            self.add_xmp(data.removeprefix(_XMP_NAME))
        elif kind in ("iptc", "8bim"):
            self.add_captions(data)
        elif kind not in ("icc", "icm"):
            self.lost.append(f"its profile ({kind})")


def _second_captions(captions: list[bytes]) -> list[str]:
    """The name of captions (IPTC) that are there beside the first and differ, but for padding."""
    others = {one.rstrip(b"\0") for one in captions} - {b""}
    return [_SECOND.format("set of IPTC captions")] if len(others) > 1 else []


def _orientation(own: int | None, xmp: bytes | None) -> int:
    if own is None and xmp is not None:
        own = xmp_orientation(xmp)
    return own if own in range(2, 9) else 1


def _resolution(exif: Exif | None, fields: dict[int, Field], order: str) -> object:
    """Dots per inch of a TIFF page as it is stored."""
    unit = whole_number(fields.get(_RESOLUTION_UNIT), order) if _RESOLUTION_UNIT in fields else 2
    if exif is None or unit not in (_INCH, _CENTIMETRE):
        return None
    parts = [
        fields[tag].data for tag in _RESOLUTION if tag in fields and fields[tag].type == RATIONAL
    ]
    numbers = [struct.unpack(order + "LL", part[:8]) for part in parts]
    inch = 2.54 if unit == _CENTIMETRE else 1
    return [n / d * inch if d else math.nan for n, d in numbers]


def _dpi_of(dpi: object, swapped: bool) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ArithmeticError):
        return None
    if not all(math.isfinite(value) and 1 <= value <= 65_535 for value in (across, down)):
        return None
    return (down, across) if swapped else (across, down)


def _packet_of(text: str) -> bytes:
    """XMP of a text chunk: UTF-8, which readers of tEXt and zTXt take for Latin-1."""
    with contextlib.suppress(UnicodeError):
        packet = text.encode("latin-1")
        packet.decode("utf-8")
        return packet
    return text.encode("utf-8", "replace")


def _stripped(xmp: bytes) -> bytes | None:
    return xmp.strip(b"\0 \r\n") or None
