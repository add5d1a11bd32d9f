"""Strips and tiles of a TIFF page as arrays of the numbers that they hold.

tifffile tells how a page is laid out. Its segments are decompressed here within the size that the
layout gives (tifffile's own inflates to the end): by zlib, and by the libtiff and libjpeg that
Pillow carries.
"""

import io
import math
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import tifffile
from PIL import TiffImagePlugin

from colorize.photo.codecs.jpeg import JpegFile
from colorize.photo.metadata.containers import unread_kind
from colorize.photo.tiff.pages import UnreadableError, whole

NONE, FAX, OLD_JPEG, JPEG, DEFLATE = 1, (2, 3, 4), 6, 7, (8, 32946)
LIBTIFF = (5, 32773, 34925, 50000)  # LZW, PackBits, LZMA, Zstandard
READABLE = (NONE, *FAX, JPEG, *DEFLATE, *LIBTIFF)
GREYS, RGB, CMYK, YCBCR = (0, 1), 2, 5, 6
_INT, _FLOAT = 2, 3  # sample formats
_NO_DATA = 42113  # GDAL's
_PHOTOMETRIC, _EXTRA_SAMPLES = 262, 338
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_STRIP_BITS = 1 << 24  # unpacked at a time
_STRIP_SAMPLES = 1 << 18  # given out at a time: copies of them stay small


class Segment(NamedTuple):
    """Samples (rows, columns, samples of this plane), and where they belong."""

    plane: int
    rows: slice
    columns: slice
    samples: np.ndarray


class Layout(NamedTuple):
    """How the numbers of a page lie in its segments; `planes` is 1 where pixels are whole."""

    width: int
    height: int
    planes: int
    samples: int
    bits: int
    kind: int
    order: str
    compression: int
    predictor: int
    photometric: int
    subsampling: tuple[int, int]
    tile: tuple[int, int] | None
    rows: int
    reverse: bool

    @property
    def across(self) -> int:
        """The width in samples of a row of a segment, before it is cropped."""
        return (self.tile[0] if self.tile else self.width) * self.samples

    @property
    def subsampled(self) -> bool:
        """Whether colour lies in blocks; a JPEG's decoder unfolds its own."""
        return (
            self.photometric == YCBCR
            and self.subsampling != (1, 1)
            and self.compression != JPEG
            and self.samples == 3
        )


def layout_of(page: tifffile.TiffPage) -> Layout:
    """Raises UnreadableError, with what cannot be read."""
    compression, planar = whole(page.compression), whole(page.planarconfig) or 1
    if compression not in READABLE:
        name = getattr(page.compression, "name", compression)
        raise UnreadableError(f"{name} compression")
    if not isinstance(page.bitspersample, int):
        raise UnreadableError(f"samples of {page.bitspersample} bits")
    if not isinstance(page.sampleformat, int):
        raise UnreadableError("samples of several kinds")
    samples = whole(page.samplesperpixel)
    bits, kind = whole(page.bitspersample), whole(page.sampleformat)
    kind = 1 if kind in (0, 4) else kind  # 4: not said
    if kind not in (1, _INT, _FLOAT):
        raise UnreadableError("complex numbers")
    if not 1 <= bits <= 64 or (bits not in (16, 32, 64) and kind == _FLOAT):
        raise UnreadableError(f"{bits}-bit {'floating point' if kind == _FLOAT else 'samples'}")
    if kind == _INT and bits not in (8, 16, 32, 64):
        raise UnreadableError(f"signed {bits}-bit samples")
    if compression == JPEG and (bits, kind) != (8, 1):
        raise UnreadableError(f"{bits}-bit JPEG compression")
    if compression in FAX and (bits, samples) != (1, 1):
        raise UnreadableError("fax compression of more than black and white")
    if page.imagedepth != 1:
        raise UnreadableError("several slices in a page")
    if samples < 1 or planar not in (1, 2):
        raise ValueError("no samples")
    predictor = whole(page.predictor)
    if compression in (JPEG, NONE, *FAX):
        predictor = 1
    if predictor not in (1, 2, 3) or (predictor == 3) > (kind == _FLOAT):
        raise UnreadableError(f"predictor {predictor}")
    if predictor == 2 and bits not in (8, 16, 32, 64):
        raise UnreadableError(f"a predictor of {bits}-bit samples")
    given = page.subsampling if page.photometric == YCBCR else None
    subsampling = tuple(
        whole(one) for one in given or ((2, 2) if page.photometric == YCBCR else ())
    )
    tile = (whole(page.tilewidth), whole(page.tilelength)) if page.is_tiled else None
    if tile and not (0 < tile[0] <= 1 << 16 and 0 < tile[1] <= 1 << 16):
        raise ValueError("tiles of no size")
    width, height = whole(page.imagewidth), whole(page.imagelength)
    layout = Layout(
        width=width,
        height=height,
        planes=samples if planar == 2 else 1,
        samples=1 if planar == 2 else samples,
        bits=bits,
        kind=kind,
        order=page.parent.byteorder,
        compression=compression,
        predictor=predictor,
        photometric=photometric_of(page),
        subsampling=subsampling,
        tile=tile,
        rows=min(whole(page.rowsperstrip) or height, height),
        reverse=whole(page.fillorder) == 2 and compression != JPEG,
    )
    if layout.photometric == YCBCR and layout.subsampling != (1, 1):
        blocks = all(one in (1, 2, 4) for one in layout.subsampling)
        if planar == 2 or not blocks or (layout.subsampled and (bits > 16 or predictor != 1)):
            raise UnreadableError("colour of fewer pixels in a rare layout")
    if layout.reverse and bits > 8 and compression == NONE:
        raise UnreadableError("bits in reversed order")
    return layout


def photometric_of(page: tifffile.TiffPage) -> int:
    """What the page's samples mean; where it does not say, black is zero, as libtiff has it."""
    if _PHOTOMETRIC in page.tags:
        return whole(page.photometric)
    extra = page.tags.valueof(_EXTRA_SAMPLES, ())
    samples = whole(page.samplesperpixel) - (1 if isinstance(extra, int) else len(extra))
    if samples not in (1, 3):
        raise UnreadableError(f"{samples} channels of no meaning that is known")
    return RGB if samples == 3 else 1


def stream_at(stream: BinaryIO, page: tifffile.TiffPage) -> BinaryIO:
    """A copy of a classic TIFF file whose first page is this one, and is upright."""
    if page.parent.is_bigtiff:
        raise UnreadableError("old JPEG compression in BigTIFF")
    stream.seek(0)
    data = bytearray(stream.read())
    data[4:8] = struct.pack(page.parent.byteorder + "L", page.offset)
    if (orientation := page.tags.get(274)) is not None:
        at = orientation.valueoffset
        data[at : at + 2] = struct.pack(page.parent.byteorder + "H", 1)
    return io.BytesIO(data)


def segments(page: tifffile.TiffPage, layout: Layout, stream: BinaryIO) -> Iterator[Segment]:
    """The page's segments in order, cropped to the picture, one in memory at a time, in parts of
    whole rows where they are long.

    YCbCr in JPEG segments comes as RGB. A segment of no bytes was never written (GDAL's sparse
    files): it has the value that stands for no data, or zero. Raises ValueError or OSError where
    data are missing.
    """
    tables = page.jpegtables
    tables = bytes(tables) if layout.compression == JPEG and tables else b""
    options = {tag: whole(page.tags.valueof(tag, 0)) for tag in (292, 293)}
    offsets, counts = tuple(page.dataoffsets), tuple(page.databytecounts)
    step_down = layout.tile[1] if layout.tile else layout.rows
    step_across = layout.tile[0] if layout.tile else layout.width
    down = math.ceil(layout.height / step_down)
    across = math.ceil(layout.width / step_across)
    if min(len(offsets), len(counts)) < layout.planes * down * across:
        raise ValueError("truncated list of segments")
    is_lone = len(offsets) == 1 and offsets[0] > 0  # whose length can be told without a count
    if not any(counts) and not is_lone:
        raise ValueError("no segment was written")
    size = stream.seek(0, io.SEEK_END)
    for plane in range(layout.planes):
        for number in range(down * across):
            index = plane * down * across + number
            top, left = number // across * step_down, number % across * step_across
            bottom, right = (
                min(top + step_down, layout.height),
                min(left + step_across, layout.width),
            )
            rows = step_down if layout.tile else bottom - top
            if not 0 <= offsets[index] <= size:
                raise ValueError("a segment outside the file")
            if counts[index] or is_lone:
                stream.seek(offsets[index])
                data = stream.read(_length(layout, rows, counts[index] or size))
                array = _decoded(data, layout, rows, step_down, tables, options)
            else:
                array = _unwritten(page, layout, rows)
            array = array[: bottom - top, : right - left]
            step = max(1, _STRIP_SAMPLES // (array.shape[1] * array.shape[2]))
            for row in range(0, bottom - top, step):
                part = array[row : row + step]
                place = slice(top + row, top + row + len(part))
                yield Segment(plane, place, slice(left, right), part)


def _length(layout: Layout, rows: int, said: int) -> int:
    """How many bytes of a segment to read: of plain samples no more than its rows have."""
    if layout.compression != NONE or layout.subsampled:
        return said
    return min(said, rows * math.ceil(layout.across * layout.bits / 8))


def _unwritten(page: tifffile.TiffPage, layout: Layout, rows: int) -> np.ndarray:
    """A segment that was never written."""
    one = _type_of(layout)
    try:
        fill = float(page.tags.valueof(_NO_DATA, "0").strip("\0 "))
    except (AttributeError, ValueError):
        fill = 0.0
    if one.kind != "f" and not np.iinfo(one).min <= fill <= np.iinfo(one).max:
        fill = 0.0
    return np.full((rows, layout.across // layout.samples, layout.samples), fill, one)


def _decoded(
    data: bytes, layout: Layout, rows: int, most_rows: int, tables: bytes, options: dict[int, int]
) -> np.ndarray:
    width = layout.across // layout.samples
    if layout.reverse:
        data = data.translate(_REVERSED)
    if layout.compression == JPEG:
        return _from_jpeg(data, tables, layout, (width, rows), most_rows)
    if layout.subsampled:
        return _from_blocks(data, layout, rows, width, options)
    row_bytes = math.ceil(layout.across * layout.bits / 8)
    data = _inflated(data, layout, row_bytes, rows, options)
    if layout.predictor == 3:
        return _from_differences_of_bytes(data, layout, rows).reshape(rows, width, layout.samples)
    numbers = _numbers(data, layout, rows, row_bytes).reshape(rows, width, layout.samples)
    if layout.predictor == 2:
        kind = "i" if layout.kind == _INT else "u"
        whole = numbers.view(f"{kind}{layout.bits // 8}")
        whole = np.cumsum(whole, axis=1, dtype=whole.dtype)
        numbers = whole.view(numbers.dtype)
    return numbers


def _inflated(
    data: bytes, layout: Layout, row_bytes: int, rows: int, options: dict[int, int]
) -> bytes:
    """As many bytes as the rows have. Raises ValueError or OSError where there are fewer."""
    size = row_bytes * rows
    if layout.compression in DEFLATE:
        try:
            data = zlib.decompressobj().decompress(data, size)
        except zlib.error as error:
            raise ValueError("damaged Deflate data") from error
    elif layout.compression in (*FAX, *LIBTIFF):
        fax = layout.compression in FAX
        width = layout.across if fax else row_bytes
        data = _through_libtiff(data, layout.compression, width, rows, options if fax else None)
    if len(data) < size:
        raise ValueError("truncated segment")
    return data[:size]


def _through_libtiff(
    data: bytes, compression: int, width: int, rows: int, fax: dict[int, int] | None
) -> bytes:
    """Decompress rows of `width` bytes (pixels, for fax): as the grey TIFF of one strip that has
    these bytes as its pixels, which libtiff then never overruns."""
    entries = {
        256: width,
        257: rows,
        258: 8 if fax is None else 1,
        259: compression,
        262: 1,
        277: 1,
        278: rows,
        279: len(data),
        **{tag: value for tag, value in (fax or {}).items() if value},
    }
    start = 8 + 2 + 12 * (len(entries) + 1) + 4
    entries[273] = start
    directory = b"".join(struct.pack("<HHLL", tag, 4, 1, entries[tag]) for tag in sorted(entries))
    head = b"II*\0" + struct.pack("<LH", 8, len(entries)) + directory + bytes(4)
    with TiffImagePlugin.TiffImageFile(io.BytesIO(head + data)) as image:
        return image.tobytes()


def _type_of(layout: Layout) -> np.dtype:
    """Of the samples, in this machine's byte order."""
    letter = {1: "u", _INT: "i", _FLOAT: "f"}[layout.kind]
    return np.dtype(f"{letter}{next(n for n in (1, 2, 4, 8) if layout.bits <= 8 * n)}")


def _numbers(data: bytes, layout: Layout, rows: int, row_bytes: int) -> np.ndarray:
    """The samples of whole rows, in this machine's byte order."""
    if layout.bits in (8, 16, 32, 64):
        own = _type_of(layout)
        return np.frombuffer(data, own.newbyteorder(layout.order)).astype(own, copy=False)
    lines = np.frombuffer(data, np.uint8).reshape(rows, row_bytes)
    count, bits = layout.across, layout.bits
    numbers = np.empty((rows, count), _type_of(layout))
    step = max(1, _STRIP_BITS // (count * bits))
    for top in range(0, rows, step):
        unpacked = np.unpackbits(lines[top : top + step], axis=1, count=count * bits)
        unpacked = unpacked.reshape(-1, count, bits)
        part = numbers[top : top + step]
        part[...] = 0
        for bit in range(bits):  # most significant first
            part <<= part.dtype.type(1)
            part |= unpacked[..., bit]
    return numbers


def _from_differences_of_bytes(data: bytes, layout: Layout, rows: int) -> np.ndarray:
    """Floats of predictor 3: per row the differences of bytes, all first bytes first (Adobe
    Photoshop TIFF Technical Note 3)."""
    size = layout.bits // 8
    lines = np.frombuffer(data, np.uint8).reshape(rows, -1, layout.samples)
    lines = np.cumsum(lines, axis=1, dtype=np.uint8).reshape(rows, size, layout.across)
    return np.ascontiguousarray(lines.swapaxes(1, 2)).view(f">f{size}").astype(f"f{size}")


def _from_blocks(
    data: bytes, layout: Layout, rows: int, width: int, options: dict[int, int]
) -> np.ndarray:
    """YCbCr whose colour stands once for a block of pixels (TIFF 6.0, section 21)."""
    across, down = layout.subsampling
    wide, high = math.ceil(width / across), math.ceil(rows / down)
    unit = across * down + 2
    data = _inflated(data, layout, wide * unit * layout.bits // 8, high, options)
    blocks = _numbers(data, layout, high, len(data) // high).reshape(high, wide, unit)
    light = blocks[..., :-2].reshape(high, wide, down, across).swapaxes(1, 2)
    out = np.empty((high * down, wide * across, 3), blocks.dtype)
    out[..., 0] = light.reshape(high * down, wide * across)
    out[..., 1:] = blocks[..., -2:].repeat(down, axis=0).repeat(across, axis=1)
    return out[:rows, :width]


def _from_jpeg(
    data: bytes, tables: bytes, layout: Layout, size: tuple[int, int], most_rows: int
) -> np.ndarray:
    """A segment that is a JPEG stream, its tables perhaps apart (TIFF Technical Note 2)."""
    if tables:
        data = tables.removesuffix(b"\xff\xd9") + data.removeprefix(b"\xff\xd8")
    if kind := unread_kind(io.BytesIO(data)):
        raise UnreadableError(f"{kind} compression")
    with JpegFile(io.BytesIO(data)) as image:
        width, rows = size
        if image.width != width or not rows <= image.height <= most_rows:
            raise ValueError("damaged JPEG segment")
        mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(layout.samples)
        if image.mode != mode:
            raise ValueError("damaged JPEG segment")
        stored = mode
        if layout.photometric == YCBCR:
            stored = "YCbCr"
        elif layout.photometric == RGB and b"JFIF\0" in data[:64]:
            stored = ""  # some writers say RGB of what is stored as YCbCr
        tile = image.tile[0]
        image.tile = [tile._replace(args=(mode, stored))]
        return np.asarray(image).reshape(image.height, width, layout.samples)[:rows]
