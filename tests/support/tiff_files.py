"""TIFF files written by hand, from the tables of the specification, in every way it has."""

import io
import itertools
import struct
import zlib

import numpy as np
from PIL import Image

LETTERS = {2: "B", 1: "B", 7: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}


def packbits(data):
    """TIFF 6.0, section 9, by literal runs alone."""
    return b"".join(
        bytes([len(data[at : at + 128]) - 1]) + data[at : at + 128]
        for at in range(0, len(data), 128)
    )


def lzw(data):
    """TIFF 6.0, section 13, by codes of single bytes; cleared before codes grow to 10 bits."""
    codes = []
    for at in range(0, len(data), 200):
        codes += [256, *data[at : at + 200]]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def jpeg(samples):
    """One segment of grey or three components as they are, without a colour transform."""
    buffer = io.BytesIO()
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    options = {"quality": 100, "subsampling": 0}
    if samples.shape[2] == 3:
        options["keep_rgb"] = True
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


COMPRESSIONS = {1: bytes, 32773: packbits, 5: lzw, 8: zlib.compress}


def bits_of(samples, bits):
    """Rows (h, n) of whole numbers of a few bits, every row beginning with a byte."""
    shifts = np.arange(bits - 1, -1, -1)
    unpacked = (samples.astype(np.int64)[..., None] >> shifts) & 1
    return np.packbits(unpacked.astype(np.uint8).reshape(len(samples), -1), axis=1).tobytes()


def segment(samples, bits, order, compression, predictor):
    """Bytes of samples (h, w, c) of a segment."""
    if compression == 7:
        return jpeg(samples)
    if predictor == 2:
        flat = samples.view(f"u{samples.itemsize}")
        flat = np.diff(flat, axis=1, prepend=flat[:, :1] * flat.dtype.type(0))
        samples = flat
    if predictor == 3:
        size, lines = samples.itemsize, samples.reshape(len(samples), -1)
        data = lines.astype(lines.dtype.newbyteorder(">")).view(np.uint8)
        data = data.reshape(len(lines), -1, size).swapaxes(1, 2).reshape(len(lines), -1)
        data = data.reshape(len(lines), -1, samples.shape[2])
        data = np.diff(data, axis=1, prepend=data[:, :1] * np.uint8(0)).tobytes()
    elif bits in (8, 16, 32, 64):
        data = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    else:
        data = bits_of(samples.reshape(len(samples), -1), bits)
    return COMPRESSIONS[compression](data)


def segments(samples, tile, rows):
    """Parts of samples (h, w, c); tiles are filled up with zeros."""
    if tile is None:
        return [samples[top : top + rows] for top in range(0, len(samples), rows)]
    height, width, _ = samples.shape
    padded = np.pad(samples, ((0, -height % tile), (0, -width % tile), (0, 0)))
    places = itertools.product(range(0, height, tile), range(0, width, tile))
    return [padded[top : top + tile, left : left + tile] for top, left in places]


def page(
    samples,
    photometric,
    bits=None,
    order="<",
    compression=1,
    planar=1,
    predictor=1,
    tile=None,
    rows=5,
    tags=(),
    parts=None,
):
    """Tags and segments of a page for `tiff`: samples (h, w, c) of the type that they have."""
    bits = bits or samples.itemsize * 8
    height, width, count = samples.shape
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    planes = [samples] if planar == 1 else [samples[..., n : n + 1] for n in range(count)]
    if parts is None:
        parts = [
            segment(np.ascontiguousarray(part), bits, order, compression, predictor)
            for plane in planes
            for part in segments(plane, tile, rows)
        ]
    fields = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [bits] * count),
        259: (3, [compression]),
        262: (3, [photometric]),
        277: (3, [count]),
        284: (3, [planar]),
        317: (3, [predictor]),
        339: (3, [kind] * count),
    }
    if tile is None:
        fields[278] = (4, [rows])
    else:
        fields |= {322: (3, [tile]), 323: (3, [tile])}
    return fields | dict(tags), parts, tile is not None


def tiff(*pages, order="<", big=False):
    """A file of pages, in either byte order, classic or BigTIFF."""
    word, entry = ("Q", "HHQ8s") if big else ("I", "HHI4s")
    inline = 8 if big else 4
    out = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    out += struct.pack(order + "HHQ", 8, 0, 0) if big else bytes(4)
    last = len(out) - inline
    for fields, parts, tiled in pages:
        fields, places = dict(fields), []
        for part in parts:
            places.append(len(out))
            out += part + bytes(len(part) % 2)
        fields.setdefault(324 if tiled else 273, (16 if big else 4, places))
        fields.setdefault(325 if tiled else 279, (4, [len(part) for part in parts]))
        entries = b""
        for tag, (type, values) in sorted(fields.items()):
            data = struct.pack(f"{order}{len(values)}{LETTERS[type]}", *values)
            if len(data) > inline:
                place = len(out)
                out += data + bytes(len(data) % 2)
                data = struct.pack(order + word, place)
            entries += struct.pack(order + entry, tag, type, len(values), data)
        out = out[:last] + struct.pack(order + word, len(out)) + out[last + inline :]
        out += struct.pack(order + ("Q" if big else "H"), len(fields)) + entries
        last = len(out)
        out += bytes(inline)
    return out
