"""Which page is the photo, what is read of it beside pixels, and what is refused by name."""

import io
import itertools
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, TiffImagePlugin

from colorize.photo.opening import Photo, PhotoError
from colorize.photo.profiles import make_profile
from tests.support.tiff_files import page, tiff

y, x = np.mgrid[:24, :32]
SCAN = (x * 7 + y).astype(np.uint8)
SMALL = SCAN[::4, ::4]
REDUCED, MASK = {254: (4, [1])}, {254: (4, [4])}


def grey(samples, tags=(), photometric=1, **options):
    return page(np.ascontiguousarray(samples)[..., None], photometric, tags=tags, **options)


def opened(*pages, **options):
    return Photo.open(tiff(*pages, **options))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    "before",
    [
        [grey(SMALL, REDUCED)],
        [grey(SMALL, REDUCED), grey(SMALL, REDUCED)],
        [grey(SMALL, {255: (3, [2])})],
        [grey(SCAN // 2, MASK)],
        [grey(SCAN // 200, photometric=4)],
    ],
)
def test_thumbnails_and_masks_before_the_scan_are_passed_over(before, big):
    photo = opened(*before, grey(SCAN), big=big)
    np.testing.assert_array_equal(photo.pixels, SCAN)
    assert photo.notices == ()


def test_reduced_pages_after_the_scan_are_not_counted():
    photo = opened(grey(SCAN), grey(SMALL, REDUCED), grey(SMALL, REDUCED))
    np.testing.assert_array_equal(photo.pixels, SCAN)
    assert photo.notices == ()


@pytest.mark.parametrize("count", [2, 5])
def test_of_several_scans_the_first_is_read_and_that_is_said(count):
    photo = opened(grey(SMALL, REDUCED), *[grey(SCAN - n) for n in range(count)])
    np.testing.assert_array_equal(photo.pixels, SCAN)
    assert photo.notices == (f"Only the first of {count} frames is used.",)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_pillow_image_is_read_at_its_page(number):
    data = tiff(*[grey(SCAN - 5 * n) for n in range(3)])
    with Image.open(io.BytesIO(data)) as image:
        image.seek(number)
        np.testing.assert_array_equal(Photo.open(image).pixels, SCAN - 5 * number)


@pytest.mark.parametrize(
    "pages",
    [
        [grey(SMALL, REDUCED | {271: (2, list(b"Leaf\0"))})],
        [grey(SCAN, {50706: (1, [1, 4, 0, 0])})],
        [grey(SMALL, REDUCED), grey(SCAN, photometric=32803)],
        [grey(SCAN, photometric=34892)],
    ],
)
def test_raw_files_of_cameras_are_told(pages):
    with pytest.raises(PhotoError, match="a camera's raw file"):
        opened(*pages)


@pytest.mark.parametrize("kind", [1, 3, 4, 5])
@pytest.mark.parametrize("make", [{}, {271: (2, list(b"Epson\0"))}])
def test_a_file_whose_only_page_is_called_reduced(kind, make):
    photo = opened(grey(SCAN, {254: (4, [kind])} | make))
    np.testing.assert_array_equal(photo.pixels, SCAN)
    photo = opened(grey(SMALL, {254: (4, [kind])}), grey(SCAN, {254: (4, [kind])}))
    np.testing.assert_array_equal(photo.pixels, SCAN)
    assert photo.notices == ()


@pytest.mark.parametrize("order", "<>")
def test_pixels_that_begin_as_a_camera_raw_file_does(order):
    pixels = SCAN.copy()
    pixels[0, :3] = [*b"CR", 2]
    data = tiff(grey(pixels, order=order, rows=24), order=order)
    assert data[8:11] == b"CR\2"
    np.testing.assert_array_equal(Photo.open(data).pixels, pixels)
    directory = 16
    canon = b"II*\0" + struct.pack("<I", directory) + b"CR\2\0" + bytes(4) + data[16:]
    with pytest.raises(PhotoError, match="a camera's raw file"):
        Photo.open(canon)


@pytest.mark.parametrize("compression", [1, 5, 8, 7])
@pytest.mark.parametrize("tile", [16, None])
def test_segments_that_were_never_written_are_zero(compression, tile):
    fields, parts, tiled = grey(SCAN, compression=compression, tile=tile, rows=8)
    parts = [b"" if number == 1 else part for number, part in enumerate(parts)]
    data = tiff((fields, parts, tiled))
    place = 324 if tiled else 273
    at = data.index(struct.pack("<HHI", place, 4, len(parts))) + 8
    (offsets,) = struct.unpack("<I", data[at : at + 4])
    data = data[: offsets + 4] + bytes(4) + data[offsets + 8 :]
    expected = SCAN.copy()
    expected[(slice(0, 16), slice(16, 32)) if tile else slice(8, 16)] = 0
    difference = Photo.open(data).pixels.astype(int) - expected
    assert np.abs(difference).max() <= (2 if compression == 7 else 0)


@pytest.mark.parametrize(("said", "value"), [("255", 255), ("7", 7), ("nan", 0), ("x", 0)])
def test_segments_that_were_never_written_have_the_value_for_no_data(said, value):
    tags = {42113: (2, [*said.encode(), 0])}
    fields, parts, tiled = grey(SCAN, tags, rows=8)
    photo = opened((fields, [parts[0], b"", parts[2]], tiled))
    assert (photo.pixels[8:16] == value).all()


def test_a_file_of_which_nothing_was_written_is_damaged():
    fields, parts, tiled = grey(SCAN, rows=8)
    with pytest.raises(PhotoError, match="damaged"):
        opened((fields, [b""] * len(parts), tiled))


@pytest.mark.parametrize(
    ("marker", "bits", "name"),
    [
        (0xF7, 8, "JPEG-LS"),
        (0xC3, 8, "lossless JPEG"),
        (0xC5, 8, "hierarchical JPEG"),
        (0xC1, 12, "12-bit JPEG"),
    ],
)
def test_kinds_of_jpeg_that_are_not_read_are_named(marker, bits, name):
    frame = struct.pack(">BHHB", bits, 24, 32, 1) + bytes([1, 0x11, 0])
    data = b"\xff\xd8\xff" + bytes([marker]) + struct.pack(">H", len(frame) + 2) + frame
    data += b"\xff\xda\0\x08\1\1\0\0\x3f\0scan\xff\xd9"
    fields, _, tiled = grey(SCAN, compression=7, rows=24)
    for file in (tiff((fields, [data], tiled)), data):
        with pytest.raises(PhotoError, match=f"{name}.* cannot be read"):
            Photo.open(file)


def test_a_jpeg_whose_height_follows_its_pixels_is_named():
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(buffer, "JPEG")
    data = buffer.getvalue()
    place = data.index(b"\xff\xc0") + 5
    late = data[:place] + b"\0\0" + data[place + 2 : -2] + b"\xff\xdc\0\4\0\x18\xff\xd9"
    with pytest.raises(PhotoError, match=r"late-height .* cannot be read"):
        Photo.open(late)


# ---- colour spaces without a profile

GAMMA = [round((n / 255) ** 1.5 * 65_535) for n in range(256)]
P3 = {
    318: (5, [3127, 10_000, 3290, 10_000]),
    319: (5, [*itertools.chain(*((n, 1000) for n in (680, 320, 265, 690, 150, 60)))]),
}


def rationals(tags):
    return {tag: (4 if type == 5 else type, values) for tag, (type, values) in tags.items()}


def with_rationals(data, tags):
    """The file in which these fields, written as twice as many LONGs, are RATIONALs."""
    for tag, (type, values) in tags.items():
        if type == 5:
            entry = struct.pack("<HHI", tag, 4, len(values))
            assert entry in data
            data = data.replace(entry, struct.pack("<HHI", tag, 5, len(values) // 2))
    return data


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("curves", [1, 3])
def test_a_transfer_function_is_applied(photometric, curves):
    table = GAMMA if photometric else GAMMA[::-1]
    stored = SCAN if photometric else 255 - SCAN
    photo = opened(grey(stored, {301: (3, table * curves)}, photometric=photometric))
    light = (SCAN / 255) ** 1.5
    expected = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(photo.pixels - expected * 255).max() <= 1
    assert photo.notices == ()


@pytest.mark.parametrize(
    "table", [GAMMA + GAMMA + GAMMA[::-1], GAMMA[::-1], [0] * 256, GAMMA[:100], [9] * 512]
)
def test_a_transfer_function_that_cannot_be_applied_is_said(table):
    photo = opened(grey(SCAN, {301: (3, table)}))
    np.testing.assert_array_equal(photo.pixels, SCAN)
    assert any("transfer function" in notice for notice in photo.notices)


def test_primaries_are_applied():
    """Display P3 by fields alone: as its profile, by LittleCMS."""
    colors = np.dstack([SCAN, SCAN[::-1], SCAN[:, ::-1]])
    data = tiff(page(colors, 2, tags=rationals(P3)))
    photo = Photo.open(with_rationals(data, P3))
    profile = make_profile(primaries=((0.3127, 0.329), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)))
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    expected = ImageCms.profileToProfile(
        Image.fromarray(colors), own, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert np.abs(photo.pixels.astype(int) - np.asarray(expected)).max() <= 1
    assert np.abs(photo.pixels.astype(int) - colors).max() > 10


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("type", [1, 3, 4])
def test_the_orientation_of_the_photos_page_holds(orientation, type):
    stored = {
        1: SCAN,
        2: SCAN[:, ::-1],
        3: SCAN[::-1, ::-1],
        4: SCAN[::-1],
        5: SCAN.T,
        6: SCAN.T[::-1],
        7: SCAN.T[::-1, ::-1],
        8: SCAN.T[:, ::-1],
    }[orientation]
    thumbnail = grey(SMALL, REDUCED | {274: (3, [3])})
    deep = stored.astype(np.uint16) * 257
    photo = opened(thumbnail, grey(deep, {274: (type, [orientation])}))
    np.testing.assert_array_equal(photo.pixels, SCAN)
    assert photo.lightness.shape == SCAN.shape


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_what_describes_the_photo_is_kept_of_every_header(order, big):
    text = list(b"Agfa\0")
    tags = {271: (2, text), 700: (1, list(b"<x/>"))}
    photo = opened(grey(SMALL, REDUCED | tags), grey(SCAN), order=order, big=big)
    assert photo.metadata.exif.image[271].data == b"Agfa\0"
    assert photo.metadata.xmp == b"<x/>"


RGB16 = np.zeros((24, 32, 3), np.uint16)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (grey(SCAN, {259: (3, [34712])}), "JPEG_?2000 compression"),
        (grey(SCAN, {259: (3, [50002])}), "JPEGXL compression"),
        (grey(SCAN, {259: (3, [34661])}), "JBIG compression"),
        (grey(SCAN, {259: (3, [32809])}), "THUNDERSCAN compression"),
        (grey(SCAN, {259: (3, [60_000])}), "60000 compression"),
        (grey(SCAN, {339: (3, [5])}, bits=64), "complex numbers"),
        (grey(SCAN, {258: (3, [24]), 339: (3, [3])}), "24-bit floating point"),
        (grey(SCAN, photometric=32844), "LOGL colours"),
        (grey(SCAN, photometric=10), "ITULAB colours"),
        (page(RGB16, 2, tags={258: (3, [5, 6, 5])}), r"samples of \(5, 6, 5\) bits"),
        (page(RGB16, 2, tags={339: (3, [1, 2, 3])}), "several kinds"),
        (grey(SCAN, {32997: (4, [3])}), "several slices"),
        (page(np.zeros((24, 32, 4), np.uint8), 5, tags={332: (3, [2])}), "printing inks"),
        (grey(SCAN, photometric=2), "1 channels where 3 belong"),
        (page(np.zeros((24, 32, 3), np.float32), 6, tags={530: (3, [1, 1])}), "YCbCr of 32 bits"),
        (page(np.zeros((24, 32, 3), np.uint32), 8), "CIELAB of 32 bits"),
    ],
)
def test_what_is_not_read_is_refused_by_name(one, words):
    with pytest.raises(PhotoError, match=f"^photo is a TIFF with .*{words}.* which cannot be read"):
        opened(one)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("compression", [1, 5, 8, 32773])
def test_size_is_checked_before_anything_is_decoded(compression, big):
    fields, parts, tiled = grey(SCAN, compression=compression)
    huge = (fields | {256: (4, [60_000]), 257: (4, [60_000])}, parts, tiled)
    with pytest.raises(PhotoError, match="megapixels"):
        opened(huge, big=big)


@pytest.mark.parametrize("compression", [5, 8, 32773])
def test_a_segment_never_unpacks_to_more_than_its_rows(compression):
    """A bomb: 24 rows are promised, a hundred thousand lie in the segment."""
    many = np.zeros((100_000, 32, 1), np.uint8)
    _, parts, _ = page(many, 1, compression=compression, rows=100_000)
    fields, _, tiled = grey(SCAN, compression=compression, rows=24)
    photo = opened((fields, parts, tiled))
    assert photo.size == (32, 24)


@pytest.mark.parametrize("compression", [1, 5, 7, 8, 32773])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_files_that_are_cut_off(compression, share):
    fields, parts, tiled = grey(SCAN, compression=compression, rows=24)
    parts = [part[: int(len(part) * share)] for part in parts]
    with pytest.raises(PhotoError, match="damaged"):
        opened((fields, parts, tiled))


def test_old_jpeg_compression_is_left_to_libtiff():
    buffer = io.BytesIO()
    Image.fromarray(SCAN).convert("RGB").save(buffer, "JPEG", quality=98, subsampling=0)
    stream = buffer.getvalue()
    fields, _, _ = page(np.zeros((24, 32, 3), np.uint8), 6, rows=24, tags={530: (3, [1, 1])})
    fields |= {259: (3, [6]), 513: (4, [8]), 514: (4, [len(stream)]), 274: (3, [3])}
    photo = opened((fields, [stream], False))
    assert np.abs(photo.pixels.astype(int) - SCAN[::-1, ::-1]).max() <= 6


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_fax(compression, photometric):
    pixels = (SCAN // 40 % 2).astype(bool)
    buffer = io.BytesIO()
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = photometric
    Image.fromarray(pixels).save(buffer, "TIFF", compression=compression, tiffinfo=tags)
    with Image.open(io.BytesIO(buffer.getvalue())) as image:
        expected = np.asarray(image.convert("L"))
    np.testing.assert_array_equal(Photo.open(buffer.getvalue()).pixels, expected)


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
def test_compressions_that_libtiff_has(compression):
    buffer = io.BytesIO()
    try:
        Image.fromarray(SCAN).save(buffer, "TIFF", compression=compression)
    except OSError:
        pytest.skip("this Pillow's libtiff has it not")
    np.testing.assert_array_equal(Photo.open(buffer.getvalue()).pixels, SCAN)


def test_bits_in_reversed_order():
    reversed_bits = np.packbits(np.unpackbits(SCAN[..., None], axis=2)[..., ::-1], axis=2)
    photo = opened(grey(reversed_bits[..., 0], {266: (3, [2])}))
    np.testing.assert_array_equal(photo.pixels, SCAN)


def test_directories_in_a_circle_end():
    data = bytearray(tiff(grey(SCAN)))
    (start,) = struct.unpack("<I", data[4:8])
    data[-4:] = struct.pack("<I", start)
    np.testing.assert_array_equal(Photo.open(bytes(data)).pixels, SCAN)


@pytest.mark.parametrize("extra", [0, 1, 2])
def test_channels_without_a_meaning_are_left_out_and_said(extra):
    samples = np.dstack([SCAN] * 3 + [SCAN // 2, np.full_like(SCAN, 255)])
    tags = {338: (3, [0, extra])} if extra else {}
    photo = opened(page(samples, 2, tags=tags))
    np.testing.assert_array_equal(photo.pixels, SCAN)
    assert (photo.alpha is not None) == bool(extra)
    assert any("channels" in notice for notice in photo.notices)


@pytest.mark.parametrize("tags", [{}, {338: (3, [0])}])
def test_a_second_sample_of_a_grey_scan_without_a_meaning_is_left_out_and_said(tags):
    photo = opened(page(np.dstack([SCAN, SCAN // 2]), 1, tags=tags))
    np.testing.assert_array_equal(photo.pixels, SCAN)
    assert photo.alpha is None and any("channel" in notice for notice in photo.notices)


@pytest.mark.parametrize("writer", ["imagej", "tifffile", "metamorph"])
def test_stacks_under_one_directory_are_said(writer):
    stack = np.stack([SCAN, SCAN[::-1], SCAN // 2])
    buffer = io.BytesIO()
    if writer == "metamorph":
        told = {33628: (4, [0, 0]), 33629: (4, [0] * 18)}  # UIC1, and UIC2 of six numbers a plane
        fields, parts, tiled = page(SCAN[..., None], 1, tags=told)
        data = bytearray(tiff((fields, parts, tiled)))
        at = data.index(struct.pack("<HHI", 33629, 4, 18))
        data[at : at + 8] = struct.pack("<HHI", 33629, 5, 3)
        data = bytes(data)
    else:
        options = {"photometric": "minisblack", "metadata": {"axes": "CYX"}}
        tifffile.imwrite(buffer, stack, imagej=writer == "imagej", **options)
        data = buffer.getvalue()
        first = tifffile.TiffFile(io.BytesIO(data)).pages.first.offset
        end = first + 2 + 12 * struct.unpack("<H", data[first : first + 2])[0]
        data = data[:end] + bytes(4) + data[end + 4 :]  # no directory follows
        assert len(tifffile.TiffFile(io.BytesIO(data)).pages) == 1
    photo = Photo.open(data)
    assert photo.notices == ("Only the first of 3 frames is used.",)
    np.testing.assert_array_equal(photo.pixels, SCAN)


def test_a_description_of_a_stack_that_is_not_there_is_not_believed():
    text = b"ImageJ=1.54f\nimages=900\nslices=900\n\0"
    assert Photo.open(tiff(page(SCAN[..., None], 1, tags={270: (2, list(text))}))).notices == ()
