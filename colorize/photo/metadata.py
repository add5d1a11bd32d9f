"""What a photo file says about itself: EXIF, XMP and resolution in, and out again with the colours
disclosed as a guess."""

import io
import math
from dataclasses import dataclass, replace
from typing import BinaryIO, NamedTuple
from xml.dom import minidom
from xml.parsers import expat

from PIL import Image

from colorize import __version__
from colorize.photo.exif import (
    ASCII,
    BYTE,
    LONG,
    ORIENTATION,
    RATIONAL,
    SHORT,
    Exif,
    Field,
    read_exif,
)

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_XMP_NOTE = "http://ns.adobe.com/xmp/note/"
# The wrapper of XMP part 1, 7.3
_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{}<?xpacket end="w"?>'
_EMPTY_XMP = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
    '<rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
).encode()

_SOFTWARE, _XMP, _COLOR_SPACE = 305, 700, 40961
_RESOLUTION, _RESOLUTION_UNIT, _INCH = (282, 283), 296, 2
_PIXEL_SIZE = (40962, 40963)
_MOST_XMP = 2 << 20
_MOST_IN_JPEG = {"exif": 65_527, "xmp": 65_504}  # a segment's 65,533 bytes less its name


@dataclass(frozen=True)
class Metadata:
    """What is kept of a photo's metadata; `dpi` is (across, down) of the upright photo."""

    exif: Exif | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


class Outgoing(NamedTuple):
    """Metadata ready to be written; a TIFF file's EXIF holds the XMP packet too."""

    exif: Exif
    xmp: bytes
    dpi: tuple[float, float] | None
    notices: list[str]


def read_metadata(image: Image.Image) -> tuple[Metadata, int]:
    """What to keep of an image's metadata, and its orientation (1 to 8, EXIF 4.6.5).

    Never raises for damaged metadata: what cannot be read is left out. A TIFF is best read before
    its pixels are loaded (Pillow closes the file), a PNG after (EXIF may come last).
    """
    xmp = _xmp_of(image)
    exif, orientation = None, None
    stream = _exif_stream(image)
    if stream is not None:
        place = stream.tell()
        exif, orientation = read_exif(stream)
        stream.seek(place)
    if orientation is None and xmp is not None:
        orientation = _xmp_orientation(xmp)
    orientation = orientation if orientation in range(2, 9) else 1
    return Metadata(exif, xmp, _dpi_of(image, swapped=orientation >= 5)), orientation


def outgoing(
    metadata: Metadata,
    format: str,
    size: tuple[int, int],
    *,
    strip: bool,
    model: str,
    weights_hash: str,
) -> Outgoing:
    """The metadata of a colorized picture of `size` (width, height).

    The XMP says DigitalSourceType = algorithmicallyEnhanced (IPTC Photo Metadata Standard, "Digital
    Source Type"), EXIF's Software which model made the colours. `strip` keeps nothing else.
    """
    if strip:
        metadata = Metadata()
    notices = []
    xmp = _disclosed_xmp(metadata.xmp) if metadata.xmp else None
    if metadata.xmp and xmp is None:
        notices.append("Its XMP metadata is damaged or too large and was left out.")
    if format == "JPEG" and xmp and len(xmp) > _MOST_IN_JPEG["xmp"]:
        notices.append("Its XMP metadata is too large for a JPEG file and was left out.")
        xmp = None
    xmp = xmp or _disclosed_xmp(_EMPTY_XMP) or b""

    software = f"Colorize {__version__} ({model}, {weights_hash[:8]})"
    exif = _outgoing_exif(metadata, size, software)
    if format == "TIFF":  # which has no other place for XMP
        exif = replace(exif, image=exif.image | {_XMP: Field(BYTE, len(xmp), xmp)})
    if format == "JPEG" and len(exif.pack()) > _MOST_IN_JPEG["exif"]:
        notices.append("Its EXIF metadata is too large for a JPEG file; the largest was left out.")
        while len(exif.pack()) > _MOST_IN_JPEG["exif"]:
            exif = exif.without_largest()
    return Outgoing(exif, xmp, metadata.dpi, notices)


def _outgoing_exif(metadata: Metadata, size: tuple[int, int], software: str) -> Exif:
    exif = metadata.exif or Exif()
    image, camera = dict(exif.image), dict(exif.camera)
    image[ORIENTATION] = exif.number(SHORT, 1)
    text = software.replace("\0", " ").encode("ascii", "replace") + b"\0"
    image[_SOFTWARE] = Field(ASCII, len(text), text)
    if metadata.dpi:
        for tag, value in zip(_RESOLUTION, metadata.dpi, strict=True):
            image[tag] = exif.number(RATIONAL, round(value * 1000), 1000)
        image[_RESOLUTION_UNIT] = exif.number(SHORT, _INCH)
    if camera:
        camera[_COLOR_SPACE] = exif.number(SHORT, 1)  # sRGB
        for tag, value in zip(_PIXEL_SIZE, size, strict=True):
            camera[tag] = exif.number(LONG, value)
    return replace(exif, image=image, camera=camera)


def _exif_stream(image: Image.Image) -> BinaryIO | None:
    """The TIFF stream that holds an image's EXIF: a block of its own, or a TIFF file itself."""
    block = image.info.get("exif")
    if isinstance(block, bytes):
        while block.startswith(b"Exif\0\0"):
            block = block[6:]
        return io.BytesIO(block)
    if "Raw profile type exif" in image.info:  # ImageMagick's, in a PNG
        lines = str(image.info["Raw profile type exif"]).split("\n")[3:]
        try:
            return io.BytesIO(bytes.fromhex("".join(lines)).removeprefix(b"Exif\0\0"))
        except ValueError:
            return None
    return getattr(image, "fp", None) if image.format == "TIFF" else None


def _dpi_of(image: Image.Image, swapped: bool) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    if not all(math.isfinite(value) and 1 <= value <= 65_535 for value in (across, down)):
        return None
    return (down, across) if swapped else (across, down)


def _xmp_of(image: Image.Image) -> bytes | None:
    xmp = image.info.get("xmp")
    return xmp.strip(b"\0 \r\n") or None if isinstance(xmp, bytes) else None


def _parse_xmp(xmp: bytes) -> tuple[minidom.Document, list[minidom.Element]]:
    """The document and its top descriptions. Raises ValueError for all that is no plain XMP."""

    def refuse(*_: object) -> None:
        raise ValueError("an XMP packet has no document type")

    if len(xmp) > _MOST_XMP:
        raise ValueError("too large")
    try:
        # Entities need a document type, so one that is refused cannot expand or fetch anything.
        guard = expat.ParserCreate()
        guard.StartDoctypeDeclHandler = refuse
        guard.Parse(xmp, True)
        document = minidom.parseString(xmp)
        rdf = document.getElementsByTagNameNS(_RDF, "RDF")[0]
    except (expat.ExpatError, IndexError, LookupError, RecursionError) as error:
        raise ValueError(str(error)) from error
    nodes = [node for node in rdf.childNodes if node.nodeType == node.ELEMENT_NODE]
    if not nodes:
        nodes = [rdf.appendChild(document.createElementNS(_RDF, "rdf:Description"))]
        nodes[0].setAttribute("xmlns:rdf", _RDF)
        nodes[0].setAttributeNS(_RDF, "rdf:about", "")
    return document, nodes


def _take(nodes: list[minidom.Element], namespace: str, name: str) -> str | None:
    """Remove a simple property wherever it stands, as attribute or element; its (last) value."""
    value = None
    for node in nodes:
        if node.hasAttributeNS(namespace, name):
            value = node.getAttributeNS(namespace, name)
            node.removeAttributeNS(namespace, name)
        for child in list(node.childNodes):
            if (child.namespaceURI, child.localName) == (namespace, name):
                value = "".join(text.data for text in child.childNodes if text.nodeType == 3)
                node.removeChild(child)
    return value


def _xmp_orientation(xmp: bytes) -> int | None:
    try:
        return int(_take(_parse_xmp(xmp)[1], _TIFF, "Orientation") or 1)
    except ValueError:
        return None


def _disclosed_xmp(xmp: bytes) -> bytes | None:
    """The packet with the disclosure in it and the orientation reset; None if it is damaged."""
    try:
        document, nodes = _parse_xmp(xmp)
        _take(nodes, _TIFF, "Orientation")
        _take(nodes, _XMP_NOTE, "HasExtendedXMP")  # further segments, which are not kept
        _take(nodes, _IPTC, "DigitalSourceType")
        nodes[0].setAttribute("xmlns:Iptc4xmpExt", _IPTC)
        nodes[0].setAttributeNS(_IPTC, "Iptc4xmpExt:DigitalSourceType", DIGITAL_SOURCE_TYPE)
        return _PACKET.format(document.documentElement.toxml()).encode()
    except (ValueError, RecursionError):
        return None
