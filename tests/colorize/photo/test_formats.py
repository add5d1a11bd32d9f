import pytest

from colorize.photo.formats import (
    ENDINGS,
    LARGEST_SIDE,
    PICTURE_ENDINGS,
    WITH_ALPHA,
    describe,
    sniff,
)


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"RIFF\x24\n\0\nWEBPVP8 ", "WEBP"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"II+\0\x08\0\0\0", "TIFF"),
        (b"GIF89a\x01\0\x01\0", "GIF"),
        (b"BM\x36\0\0\0", "BMP"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypmif2\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypavci\0\0\0\0mif1avci", "HEIF"),
        (b"RIFF\x24\0\0\0WAVEfmt ", None),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", None),
        (b"", None),
    ],
)
def test_format_is_told_by_first_bytes(head, format):
    assert sniff(head) == format


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"", "empty"),
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\xef\xbb\xbf<svg xmlns=", "drawing"),
        (b"\0\0\0\x18ftypmp42", "film"),
        (b"RIFF\x24\0\0\0AVI LIST", "film"),
        (b"\0\0\0\x18ftypcrx ", "raw"),
        (b"gimp xcf v011\0", "GIMP"),
        (b"P6\n640 480\n255\n\0", "Netpbm"),
        (b"PF\n640 480\n-1.0\n\0", "Netpbm"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\4CgBI\x50\0\x20\6", "iPhones"),
        (b"\x89PNG\n\x1a\n\0\0\0\rIHDR", "copied as text"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"v/1\x01\2\0\0\0", "high dynamic range"),
        (b"#?RADIANCE\n", "high dynamic range"),
        (b"Dear Sir,\r\nplease find", "text"),
        (bytes(range(64)), "not a known picture"),
    ],
)
def test_others_are_described(head, word):
    assert word in describe(head)


def test_endings_are_lower_case_and_belong_to_one_format():
    assert sum(len(endings) for endings in ENDINGS.values()) == len(PICTURE_ENDINGS)
    assert all(ending == ending.lower() and ending[0] == "." for ending in PICTURE_ENDINGS)
    assert {*WITH_ALPHA, *LARGEST_SIDE} <= ENDINGS.keys()
