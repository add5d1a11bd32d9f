"""HEIF and AVIF files with further properties of their picture, written by hand."""

import struct


def box(name, body):
    return struct.pack(">I4s", 8 + len(body), name) + body


def boxes(data):
    """Names and bodies of boxes that follow each other."""
    found, place = [], 0
    while place < len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        found.append((name, data[place + 8 : place + size]))
        place += size
    return found


def with_property(data, name, body):
    """The file of one picture (the only item with properties, or the first of them) with one more
    property, which is essential; its pixels begin later by as much as the file grows."""
    longer = 8 + len(body) + 1
    out = b""
    for outer, content in boxes(data):
        if outer == b"meta":
            content = content[:4] + b"".join(
                box(inner, _changed(inner, part, box(name, body), longer))
                for inner, part in boxes(content[4:])
            )
        out += box(outer, content)
    assert len(out) == len(data) + longer
    return out


def with_pixels_first(data, more=0):
    """The file with its description behind its pixels, and behind `more` bytes after these."""
    (_, kind), (_, meta), (_, pixels) = boxes(data)
    back = -len(box(b"meta", meta))
    inner = b"".join(box(name, _changed(name, part, b"", back)) for name, part in boxes(meta[4:]))
    pixels = box(b"mdat", pixels + bytes(more))
    return box(b"ftyp", kind) + pixels + box(b"meta", meta[:4] + inner)


def _changed(name, body, more, longer):
    if name == b"iprp" and more:
        (_, shared), (_, places) = boxes(body)
        known = [one for one, _ in boxes(shared)]
        number, count = len(known) + 1, places[10]
        assert places[:4] == bytes(4), "short entries"
        entries = list(places[11 : 11 + count])
        turns = [n for n, one in enumerate(entries) if known[(one & 127) - 1] in (b"irot", b"imir")]
        entries.insert(min(turns, default=count), 0x80 | number)  # turned last
        places = places[:10] + bytes([count + 1, *entries]) + places[11 + count :]
        return box(b"ipco", shared + more) + box(b"ipma", places)
    if name != b"iloc":
        return body
    version, sizes = body[0], body[4:6]
    assert sizes[0] == 0x44 and sizes[1] in (0, 0x40)
    base = sizes[1] >> 4
    out, place = body[:8], 8
    for _ in range(struct.unpack(">H", body[6:8])[0]):
        head = (4 if version == 0 else 6) + base
        method = body[place + 3] & 15 if version else 0  # 1: within the box idat
        shift = 0 if method else longer
        out, place = out + body[place : place + head], place + head
        if base and not method:
            out = out[:-4] + struct.pack(">I", struct.unpack(">I", out[-4:])[0] + longer)
            shift = 0
        (extents,) = struct.unpack(">H", body[place : place + 2])
        out, place = out + body[place : place + 2], place + 2
        for _ in range(extents):
            start, length = struct.unpack(">II", body[place : place + 8])
            out += struct.pack(">II", start + shift, length)
            place += 8
    return out


def aperture(width, height, across=0, down=0, parts=1):
    """The body of a clean aperture: its size, and how far its middle is from the picture's."""
    numbers = (width, height, across, down)
    return b"".join(struct.pack(">iI", round(number * parts), parts) for number in numbers)
