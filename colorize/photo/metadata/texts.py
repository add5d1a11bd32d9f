"""Captions that are kept as texts with a keyword: PNG's chunks, APP12 of JPEG, what ImageJ and GDAL
write into TIFF."""

import codecs
import contextlib
import json
import re
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tifffile import TiffPage

Texts = list[tuple[str, str]]

PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_MOST = 1 << 20  # bytes of one text, as Pillow takes them
# What is told elsewhere, or was of the grey file: its software, its dates, its thumbnail.
_ELSEWHERE = re.compile(
    r"XML:com\.adobe\.xmp|Software|Raw profile type .*|Thumb::.*|date:(create|modify|timestamp)"
    r"|exif:(ColorSpace|Compression|ComponentsConfiguration|ExifOffset|InteroperabilityIndex"
    r"|JPEGInterchangeFormat(Length)?|MakerNote|Orientation|PhotometricInterpretation|Software"
    r"|YCbCrPositioning|BitsPerSample|SamplesPerPixel|thumbnail:.*"
    r"|(Exif)?Image(Width|Length)|Pixel[XY]Dimension)",
    re.DOTALL,
)
_IMAGEJ, _GDAL, _GEO_KEYS = 50839, 42112, 34735
# Lines of ImageJ's description that tell how its pixels are stored and shown.
_IMAGEJ_LINES = re.compile(
    r"(ImageJ|images|channels|slices|frames|hyperstack|mode|loop|min|max|vunit|cf|c\d)=.*"
)
_OF_SHAPES = ("shape", "axes", "truncated")  # as tifffile has them
# The root of an XML description, behind its declaration and comments.
_OF_PLANES = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml.*?\?>\s*)?(<!--.*?-->\s*)*<(\w+:)?(?P<root>OME|scn)[\s>]",
    re.DOTALL,
)
_NAMES_OF_PLANES = {b"OME": "OME-XML", b"scn": "Leica's SCN"}
_DUCKY_TEXTS = {2: "Comment", 3: "Copyright"}


def is_of_the_picture(keyword: str) -> bool:
    """Whether a text of this keyword is a caption, and true of the picture in colour too."""
    return not _ELSEWHERE.fullmatch(keyword)


def decoded_text(text: bytes) -> str:
    """A text that does not say how it is encoded: Unicode by its mark or form, else cp1252."""
    if text[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return text[: len(text) // 2 * 2].decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            return text.decode(encoding)
    return text.decode("latin-1")


def text_of_chunk(name: bytes, body: bytes) -> tuple[str, str] | None:
    """Keyword and text of a PNG's chunk (PNG 11.3.3); None for a damaged one, or a huge one."""
    keyword, _, rest = body.partition(b"\0")
    try:
        if name == b"tEXt":
            return keyword.decode("latin-1"), rest.decode("latin-1")
        if name == b"zTXt":
            return keyword.decode("latin-1"), _inflated(rest[1:]).decode("latin-1")
        flag, (_, _, data) = rest[0], rest[2:].split(b"\0", 2)
        data = _inflated(data) if flag else data
        return keyword.decode("latin-1"), data.decode("utf-8")
    except (ValueError, IndexError, zlib.error):
        return None


def _inflated(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(data, _MOST)
    if unpacker.unconsumed_tail:
        raise ValueError("too large")
    return text


def texts_of_app12(body: bytes) -> Texts | None:
    """Of Photoshop's "Ducky" and of the picture info that early digital cameras wrote; None where
    it is neither."""
    if body[:5] == b"Ducky":
        return _of_ducky(body[5:])
    text = body.replace(b"\0", b"\n").decode("latin-1").strip()
    if not re.search(r"picture ?info", text, re.IGNORECASE):
        return None
    lines = (line.strip() for line in text.splitlines())
    told = "\n".join(line for line in lines if line and line.isprintable())
    return [("Picture Info", told)]


def _of_ducky(body: bytes) -> Texts:
    """Tag and length (16 bits each) before each part; texts are a length and UTF-16."""
    found: Texts = []
    place = 0
    while place + 4 <= len(body):
        tag, length = struct.unpack(">HH", body[place : place + 4])
        part = body[place + 8 : place + 4 + length]
        if tag == 0:
            break
        if keyword := _DUCKY_TEXTS.get(tag):
            text = part.decode("utf-16-be", "replace").strip("\0 \r\n")
            found += [(keyword, text)] if text else []
        place += 4 + length
    return found


def texts_of_tiff(page: "TiffPage") -> tuple[Texts, list[str]]:
    """What ImageJ and GDAL write beside the description, and names of what has no place in text."""
    found: Texts = []
    lost: list[str] = []
    told = page.tags.valueof(_IMAGEJ)
    for name, value in (told if isinstance(told, dict) else {}).items():
        if name in ("Info", "Labels", "Properties"):
            lines = [f"{k}: {v}" for k, v in value.items()] if isinstance(value, dict) else value
            text = lines if isinstance(lines, str) else "\n".join(map(str, lines))
            found += [(name, text.strip("\0 \r\n"))] if text.strip("\0 \r\n") else []
        elif name in ("ROI", "Overlays", "Plot"):
            lost.append(f"ImageJ's {name if name == 'ROI' else name.lower()}")
    if _GEO_KEYS in page.tags:
        lost.append("its place on the map (GeoTIFF)")
    gdal = page.tags.valueof(_GDAL)
    if isinstance(gdal, str) and gdal.strip("\0 \r\n"):
        found.append(("GDAL_METADATA", gdal.strip("\0 \r\n")))
    return found, lost


def true_description(text: bytes) -> tuple[bytes, str]:
    """What of a TIFF's description is true of a picture in colour, and the name of what is not and
    says more than how the file is stored.

    ImageJ and tifffile would take the result for a stack, or for another shape, by theirs; OME-XML
    and Leica's tie planes to pixels throughout.
    """
    if found := _OF_PLANES.match(text):
        return b"", f"its description in {_NAMES_OF_PLANES[found['root']]}, which tells of planes"
    if text.startswith(b"ImageJ="):
        lines = text.strip(b"\0\r\n ").decode("utf-8", "replace").splitlines()
        kept = [line for line in lines if not _IMAGEJ_LINES.fullmatch(line)]
        return ("\n".join(kept).encode() + b"\0" if kept else b""), ""
    return _without_shape(text), ""


def _without_shape(text: bytes) -> bytes:
    """Without what tifffile writes of the grey array; what somebody else told there stays."""
    try:
        told = json.loads(text.strip(b"\0\r\n ")) if text.lstrip()[:1] == b"{" else None
    except (ValueError, RecursionError):
        return text
    if not isinstance(told, dict) or not isinstance(told.get("shape"), list):
        return text
    kept = {key: value for key, value in told.items() if key not in _OF_SHAPES}
    return json.dumps(kept, ensure_ascii=False).encode() + b"\0" if kept else b""
