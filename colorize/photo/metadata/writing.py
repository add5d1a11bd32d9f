"""Metadata ready for a file in colour: what is true of it, as far as its format has places."""

from dataclasses import replace
from typing import NamedTuple

from colorize import __version__
from colorize.photo.exif import (
    ASCII,
    BYTE,
    COLOR_SPACE,
    LONG,
    ORIENTATION,
    RATIONAL,
    SHORT,
    Exif,
    Field,
)
from colorize.photo.metadata.containers import (
    APP13,
    COMMENT,
    IPTC,
    PHOTOSHOP_NAME,
    pack_resources,
    read_resources,
    segments,
    true_iptc,
)
from colorize.photo.metadata.left_out import VIDEO, VIEWS
from colorize.photo.metadata.reading import Metadata
from colorize.photo.metadata.xmp import COMPANIONS_LEFT_OUT, EMPTY_XMP, disclosed_xmp

_SOFTWARE, _DESCRIPTION, _XMP = 305, 270, 700
_IPTC_TAG, _PHOTOSHOP_TAG, _UNDEFINED = 33723, 34377, 7
_RESOLUTION, _RESOLUTION_UNIT, _INCH = (282, 283), 296, 2
_PIXEL_SIZE = (40962, 40963)
_MOST_IN_JPEG = {"exif": 65_527, "xmp": 65_504}  # a segment's 65,533 bytes less its name


class Outgoing(NamedTuple):
    """Metadata ready to be written; a TIFF file's EXIF holds the XMP packet and IPTC too.

    `resources` is a block of Photoshop's resources, or empty; `texts` as in Metadata.
    """

    exif: Exif
    xmp: bytes
    dpi: tuple[float, float] | None
    notices: list[str]
    resources: bytes = b""
    texts: tuple[tuple[str, str], ...] = ()


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
    Source Type"), EXIF's Software which model made the colours. `strip` keeps nothing else. What
    the format cannot hold, and what would be false of the picture, is left out; what is missed then
    is named in the notices.
    """
    if strip:
        metadata = Metadata()
    notices = []
    disclosed = disclosed_xmp(metadata.xmp) if metadata.xmp else None
    xmp = None
    if disclosed:
        xmp = disclosed.packet
        notices.extend(disclosed.notices)
    elif metadata.xmp:
        notices.append("Its XMP metadata is damaged or too large and was left out.")
    if format == "JPEG" and xmp and len(xmp) > _MOST_IN_JPEG["xmp"]:
        notices.append("Its XMP metadata is too large for a JPEG file and was left out.")
        xmp = None
    if xmp is None and (empty := disclosed_xmp(EMPTY_XMP)):
        xmp = empty.packet
    is_said = COMPANIONS_LEFT_OUT in notices
    lost = [one for one in metadata.lost if not (is_said and one in (VIDEO, VIEWS))]
    if lost:
        notices.append(f"What has no place in the result was left out: {', '.join(lost)}.")
    resources, texts, description = _beside(metadata, format, notices)
    if format == "BMP" and (metadata.exif or metadata.xmp):
        notices.append("Its EXIF and XMP metadata was left out: BMP holds none.")

    software = f"Colorize {__version__} ({model}, {weights_hash[:8]})"
    exif = _outgoing_exif(metadata, size, software)
    if description:
        text = description.encode() + b"\0"
        exif = replace(exif, image=exif.image | {_DESCRIPTION: Field(ASCII, len(text), text)})
    if format == "TIFF":  # which has no other place for these
        more = {_XMP: Field(BYTE, len(xmp), xmp)} if xmp else {}
        if resources:
            more[_PHOTOSHOP_TAG] = Field(BYTE, len(resources), resources)
        if iptc := dict(read_resources(resources)).get(IPTC):
            more[_IPTC_TAG] = Field(_UNDEFINED, len(iptc), iptc)
        exif = replace(exif, image=exif.image | more)
    if format == "JPEG" and len(exif.pack()) > _MOST_IN_JPEG["exif"]:
        notices.append("Its EXIF metadata is too large for a JPEG file; the largest was left out.")
        while len(exif.pack()) > _MOST_IN_JPEG["exif"]:
            exif = exif.without_largest()
    return Outgoing(exif, xmp or b"", metadata.dpi, notices, resources, texts)


def jpeg_segments(data: Outgoing) -> bytes:
    """Segments of a JPEG file for Photoshop's resources and for texts."""
    out = segments(APP13, data.resources, PHOTOSHOP_NAME)
    for keyword, text in data.texts:
        comment = text if keyword == "Comment" else f"{keyword}: {text}"
        out += segments(COMMENT, comment.encode())
    return out


def png_profile(resources: bytes) -> tuple[str, str]:
    """Keyword and text of a PNG chunk for Photoshop's resources, as ImageMagick and exiv2 write."""
    return "Raw profile type iptc", f"\niptc\n{len(resources):8d}\n{resources.hex()}\n"


def _beside(
    metadata: Metadata, format: str, notices: list[str]
) -> tuple[bytes, tuple[tuple[str, str], ...], str | None]:
    """Photoshop's resources, the texts and an image description, as far as the format has them."""
    resources = dict(metadata.resources)
    if IPTC in resources:
        resources[IPTC] = true_iptc(resources[IPTC])
    packed = pack_resources(resources)
    if packed and format not in ("JPEG", "PNG", "TIFF"):
        notices.append(f"Its IPTC captions were left out: {format} holds none.")
        packed = b""
    texts = metadata.texts
    if not texts or format in ("JPEG", "PNG"):
        return packed, texts, None
    if format == "BMP":
        names = ", ".join(sorted({keyword for keyword, _ in texts})[:10])
        notices.append(f"Its comments and texts ({names}) were left out: BMP holds none.")
        return packed, (), None
    plain = ("Comment", "Description")
    lines = [text if key in plain else f"{key}: {text}" for key, text in texts]
    if metadata.exif and (own := metadata.exif.image.get(_DESCRIPTION)):  # goes before them
        lines.insert(0, own.data.decode("utf-8", "replace").strip("\0 \r\n"))
    return packed, (), "\n".join(line for line in lines if line).replace("\0", " ")


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
        camera[COLOR_SPACE] = exif.number(SHORT, 1)  # sRGB
        for tag, value in zip(_PIXEL_SIZE, size, strict=True):
            camera[tag] = exif.number(LONG, value)
    return replace(exif, image=image, camera=camera)
