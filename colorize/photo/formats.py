"""What is known of each file format: endings, first bytes, and what it can hold."""

import re

ENDINGS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "AVIF": (".avif",),
    "GIF": (".gif",),
    "HEIF": (".heic", ".heif", ".hif"),
}
PICTURE_ENDINGS = frozenset(ending for endings in ENDINGS.values() for ending in endings)
READABLE = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC"
WRITABLE = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF")
WITH_ALPHA = ("PNG", "WEBP", "TIFF", "AVIF")
WITH_16_BITS = ("PNG", "TIFF")
LARGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}  # of libjpeg and of the WebP container

_SIGNATURES = {
    rb"\xff\xd8\xff": "JPEG",
    rb"\x89PNG\r\n\x1a\n(?!....CgBI)": "PNG",
    rb"RIFF....WEBP": "WEBP",
    rb"II\*\0|MM\0\*|II\+\0|MM\0\+": "TIFF",
    rb"BM": "BMP",
    rb"GIF8[79]a": "GIF",
    rb"....ftyp(avi[fs]|(mif1|msf1).*avif)": "AVIF",
    rb"....ftyp(he[iv][cmsx]|mif[123]|miaf|msf1|avci|j2ki|jpeg|vvic|unif)": "HEIF",
}
FOR_FILMS = "python -m colorize film takes films"
_OTHERS = {
    rb"%PDF": "a PDF; save its page as a picture first",
    rb"%!PS": "a PostScript file; export it as PNG first",
    rb"\x89PNG\r\n\x1a\n": "a PNG as programs of iPhones keep it (CgBI); export it as PNG first",
    rb"\x89PNG": "a PNG that was copied as text, which changed it; copy it again as it is",
    rb"8BPS": "a Photoshop file; export it as PNG or TIFF first",
    rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51": "a JPEG 2000 picture; save it as PNG or JPEG first",
    rb"\0\0\0\x0cJXL |\xff\x0a": "a JPEG XL picture; save it as PNG or JPEG first",
    rb"FUJIFILM|IIRO|IIU\0|....ftypcrx": "a camera's raw file; export it as JPEG or TIFF first",
    rb"gimp xcf ": "a GIMP file; export it as PNG or TIFF first",
    rb"P[1-7Ff]\s": "a Netpbm picture; save it as PNG first",
    rb"SIMPLE  =": "a FITS picture; save it as a plain 16-bit TIFF or as PNG first",
    rb"v/1\x01|#\?RADIANCE": "a picture of high dynamic range; save it as 16-bit TIFF or PNG first",
    rb"PK\x03\x04": "a ZIP archive; unpack it first",
    rb"(\xef\xbb\xbf)?\s*<": "a web page or a drawing (HTML, SVG); give the picture file itself",
    rb"....ftyp|RIFF|\x1a\x45\xdf\xa3|\0\0\x01[\xb3\xba]|FLV|OggS|\x30\x26\xb2\x75": "a film or a "
    f"sound; {FOR_FILMS}",
    rb"[\t\r\n\x20-\x7e]+$": "text, not a picture; give a picture file",
}


def sniff(head: bytes) -> str | None:
    """Pillow's name of the readable format of a file that begins with `head` (64 bytes do)."""
    return _first_match(_SIGNATURES, head)


def describe(head: bytes) -> str:
    """What a file that is no readable picture seems to be, and what to do."""
    if not head:
        return "empty (0 bytes); copy it again from where it came"
    return _first_match(_OTHERS, head) or f"not a known picture; give a {READABLE} file"


def _first_match(meanings: dict[bytes, str], head: bytes) -> str | None:
    found = (what for start, what in meanings.items() if re.match(start, head, re.DOTALL))
    return next(found, None)
