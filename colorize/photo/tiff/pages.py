"""Which page of a TIFF file is the photo: neither a thumbnail nor a mask, and no raw file."""

import contextlib
import json
import logging
import math
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import tifffile

MOST_PAGES = 1000  # counted; a damaged file could name millions
_DNG_VERSION, _MAKE, _SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 50706, 271, 254, 255
_PLANES = 33629  # MetaMorph's UIC2
_REDUCED, _MASK = 1, 4  # bits of the subfile type
_CR2 = (b"\x10\0\0\0CR\2", b"\0\0\0\x10CR\2")  # Canon's second raw format: directory, name, version
_MASK_COLOR, _SENSOR = 4, (32803, 34892)  # photometric interpretations

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else it prints


class CameraRawError(ValueError):
    """A camera's raw file: pictures in it are previews."""


class UnreadableError(ValueError):
    """What of TIFF is not read, in words that follow "a TIFF with"."""


def whole(value: object) -> int:
    """A whole number of a page. Raises ValueError for what a damaged page has instead."""
    if not isinstance(value, int):
        raise ValueError("a damaged directory")
    return int(value)


class Pages(NamedTuple):
    """The photo's page, the first page, and how many pictures there are (MOST_PAGES: or more)."""

    photo: tifffile.TiffPage
    first: tifffile.TiffPage
    count: int


def open_pages(stream: BinaryIO, chosen: int | None = None) -> Pages:
    """Find the photo; `chosen` is the number of a page that is to be it.

    Reads directories alone, no pixels. Raises CameraRawError, and anything at all for a damaged
    file (closing the stream is the caller's).
    """
    stream.seek(0)
    if stream.read(11)[4:] in _CR2:
        raise CameraRawError
    stream.seek(0)
    try:
        tiff = tifffile.TiffFile(stream, name="photo.tif")
        first = tiff.pages.first
    except TypeError as error:  # of a format a sample, for one
        raise UnreadableError("samples of several kinds, or a damaged directory") from error
    if _DNG_VERSION in first.tags:
        raise CameraRawError
    pages = list(_pages(tiff))
    pictures = [page for page in pages if _is_picture(page)]
    if not pictures:
        inner = [one for page in pages for one in _inner(page)]
        if any(page.photometric in _SENSOR for page in inner):
            raise CameraRawError
        pictures = [page for page in inner if _is_picture(page)]
    if not pictures and not inner:
        pictures = _largest(pages, tiff.filehandle.size)
    if not pictures or any(page.photometric in _SENSOR for page in pages):
        raise CameraRawError
    photo = pictures[0]
    if chosen is not None and chosen < len(pages):
        photo = pages[chosen]
    count = max(len(pictures), _stacked(first, tiff.filehandle.size))
    return Pages(photo, first, min(count, MOST_PAGES) if len(pages) < MOST_PAGES else MOST_PAGES)


def _stacked(page: tifffile.TiffPage, size: int) -> int:
    """How many pictures follow each other under one directory of a file of `size` bytes, as ImageJ,
    MetaMorph and tifffile store large stacks; 1 where it is a single one."""
    with contextlib.suppress(Exception):  # descriptions may be damaged
        if page.is_stk:
            return page.tags[_PLANES].count
        if page.is_imagej:
            said = re.search(r"^images=(\d{1,9})", page.imagej_description, re.MULTILINE)[1]
            count = int(said)
        else:
            count = math.prod(json.loads(page.shaped_description)["shape"]) // page.size
        return count if page.dataoffsets[0] + count * page.nbytes <= size else 1
    return 1


def _largest(pages: list[tifffile.TiffPage], size: int) -> list[tifffile.TiffPage]:
    """Of a file in which every page is called a reduced version or a mask, the largest ones; none
    where a camera's name and most of the file's `size` bytes are left, as in a raw file."""
    areas = [whole(page.imagewidth) * whole(page.imagelength) for page in pages]
    largest = [page for page, area in zip(pages, areas, strict=True) if area == max(areas)]
    held = sum(sum(page.databytecounts) for page in pages)
    return [] if _MAKE in pages[0].tags and held < size / 2 else largest


def _pages(tiff: tifffile.TiffFile) -> Iterator[tifffile.TiffPage]:
    """Pages up to the first that is damaged, or that was there before."""
    yield tiff.pages.first
    seen = {tiff.pages.first.offset}
    for number in range(1, MOST_PAGES):
        try:
            page = tiff.pages[number]
        except Exception:  # further pages may be damaged: they are not used
            return
        if page.offset in seen:
            return
        seen.add(page.offset)
        if isinstance(page, tifffile.TiffPage):
            yield page


def _inner(page: tifffile.TiffPage) -> list[tifffile.TiffPage]:
    """Pages of the page (SubIFDs)."""
    try:
        return [one for one in page.pages or () if isinstance(one, tifffile.TiffPage)]
    except Exception:
        return []


def _is_picture(page: tifffile.TiffPage) -> bool:
    kind = page.tags.valueof(_SUBFILE_TYPE, 0)
    kind = kind if isinstance(kind, int) else 0
    old = page.tags.valueof(_OLD_SUBFILE_TYPE, 1)
    reduced = kind & (_REDUCED | _MASK) or (kind == 0 and old == 2)
    return not reduced and page.photometric != _MASK_COLOR
