"""What a file carries that has no place in a result is named, whatever its format; what tells of
the file's own storage is not."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from colorize.photo.metadata.containers import segments
from colorize.photo.metadata.left_out import CREDENTIALS, VIDEO, VIEWS, what_has_no_place
from colorize.photo.opening import Photo
from colorize.photo.profiles import make_profile
from colorize.photo.saving import losses
from tests.support.photo_files import (
    COLOR,
    GREY,
    PLAIN,
    RGB,
    TRANSPARENT,
    XMP,
    encoded,
    heic,
    needs_avif,
    png_of,
    rows,
    tiff,
)

C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def box(name, body):
    return struct.pack(">I4s", 8 + len(body), name) + body


def jpeg(marker, body, after=b""):
    data = encoded(COLOR, "JPEG")
    return data[:2] + segments(marker, body) + data[2:] + after


def png(name, body=b"\1abc\0def\0"):
    return png_of((32, 24, 8, 2), (name, body), (b"IDAT", rows(RGB)), (b"IEND", b""))


def webp(name, body=b"jumb" * 3):
    whole = encoded(COLOR, "WEBP")[12:] + name + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(whole)) + b"WEBP" + whole


def in_blocks(data):
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def gif(label, first, rest=b"hello", image=COLOR):
    buffer = io.BytesIO()
    image.convert("P").save(buffer, "GIF", comment=b"Hochzeit")
    data = buffer.getvalue()
    at = data.index(b"\x21\xfe")
    return data[:at] + bytes([0x21, label, len(first)]) + first + in_blocks(rest) + data[at:]


def mpf(*kinds):
    """An index of the Multi-Picture Format: the photo, and others of these kinds."""
    entries = b"".join(struct.pack("<LLLHH", kind, 1, 0, 0, 0) for kind in (0x030000, *kinds))
    head = b"MPF\0II*\0\x08\0\0\0" + struct.pack("<HHHLL", 1, 0xB002, 7, len(entries), 26)
    return 0xE2, head + bytes(4) + entries


def with_field(tag, type, count, value):
    return tiff(RGB, photometric="rgb", extratags=[(tag, type, count, value, True)])


CREDENTIAL_BOX = box(b"uuid", C2PA_BOX + bytes(20))
NAMED = {
    "jpeg c2pa": (jpeg(0xEB, b"JP\0\1\0\0\0\1\0\0\0\x20jumb\0\0\0\x18jumdc2pa"), CREDENTIALS),
    "jpeg hdr": (jpeg(0xEB, b"HDR_RI ver=11\0"), "its segment APP11 (HDR_RI ver=11)"),
    "jpeg fpxr": (jpeg(0xE2, b"FPXR\0\0\1\0"), "its segment APP2 (FPXR)"),
    "jpeg stereo": (jpeg(0xE3, b"_JPSJPS_"), "its segment APP3 (_JPSJPS_)"),
    "jpeg app10": (jpeg(0xEA, b"UNICODE\0h\0i\0"), "its segment APP10 (UNICODE)"),
    "jpeg app15": (jpeg(0xEF, b"\1\2"), "its segment APP15"),
    "jpeg heat": (jpeg(0xE1, b"FLIR\0\1\0\0"), "its segment APP1 (FLIR)"),
    "jpeg second xmp": (
        jpeg(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8)),
        "the second part of its XMP metadata",
    ),
    "jpeg stereo view": (jpeg(*mpf(0x020002)), VIEWS),
    "jpeg gain map": (jpeg(*mpf(0x010001, 0)), VIEWS),
    "jpeg video": (jpeg(0xFE, b"a", b"\0\0\0\x18ftypmp42" + bytes(99)), VIDEO),
    "jpeg appended": (jpeg(0xFE, b"a", bytes(99) + b"SEFT"), "what the camera appended to it"),
    "jpeg paths": (
        jpeg(0xED, b"Photoshop 3.0\0" + b"8BIM\x07\xd0\0\0\0\0\0\4abcd"),
        "its clipping paths",
    ),
    "png c2pa": (png(b"caBX"), CREDENTIALS),
    "png scale": (png(b"sCAL"), "its chunk sCAL"),
    "png private": (png(b"prVW"), "its chunk prVW"),
    "webp c2pa": (webp(b"C2PA"), CREDENTIALS),
    "webp private": (webp(b"abcd"), "its chunk abcd"),
    "gif c2pa": (gif(0xFF, b"C2PA_GIF\1\0\0"), CREDENTIALS),
    "gif private": (gif(0xFF, b"FOOBAR  1.0"), "its extension FOOBAR"),
    "gif text": (gif(0x01, bytes(12)), "its plain text"),
    "heic c2pa": (heic(COLOR) + CREDENTIAL_BOX, CREDENTIALS),
    "tiff c2pa": (with_field(52545, 7, 4, b"jumb"), CREDENTIALS),
    "tiff layers": (with_field(37724, 7, 9, b"Adobe Pho"), "Photoshop's layers"),
    "tiff microscope": (with_field(34118, 2, 0, "AP_WD"), "what its microscope wrote (CZ_SEM)"),
    "tiff private": (with_field(65000, 2, 0, "hello"), "its field 65000"),
    "tiff known": (with_field(32932, 7, 4, b"abcd"), "its field Wang Annotation"),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_has_no_place_is_named(name):
    data, said = NAMED[name]
    photo = Photo.open(data)
    assert losses(photo) == [f"What has no place in the result was left out: {said}."]
    assert losses(photo, "jpg") == losses(photo)


@needs_avif
def test_content_credentials_of_avif_are_named():
    photo = Photo.open(encoded(COLOR, "AVIF") + CREDENTIAL_BOX)
    assert photo.metadata.lost == (CREDENTIALS,)


STORAGE = {
    "jpeg": jpeg(0xE0, b"JFXX\0\x13\1\1abc"),
    "jpeg previews": jpeg(*mpf(0x010001, 0x010002)),
    "jpeg adobe": jpeg(0xEE, b"Adobe\0\x64\0\0\0\0\1"),
    "jpeg damaged index": jpeg(0xE2, b"MPF\0II*\0\xff\0\0\0"),
    "jpeg text": jpeg(0xFE, b"FPXR"),
    "png time": png(b"tIME", struct.pack(">H5B", 1931, 1, 1, 1, 1, 1)),
    "png apple": png(b"iDOT"),
    "png end": png(b"tEXt", b"Title\0a") + b"\0\0\0\0prVW\0\0\0\0",
    "webp": encoded(TRANSPARENT, "WEBP"),
    "webp end": encoded(COLOR, "WEBP") + b"abcd\2\0\0\0ab",
    "gif": gif(0xFF, b"NETSCAPE2.0", b"\1\0\0"),
    "heic alpha": heic(TRANSPARENT),
    "tiff": tiff(RGB, photometric="rgb", tile=(16, 16), resolution=(300, 300)),
    "tiff palette": tiff(GREY, photometric="palette", colormap=np.zeros((3, 256), "u2")),
}


@pytest.mark.parametrize("name", STORAGE)
def test_what_tells_of_the_storage_is_not_named(name):
    assert losses(Photo.open(STORAGE[name])) == []


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("urn:mpeg:hevc:2015:auxid:1", []),
        ("urn:mpeg:hevc:2015:auxid:2", ["its depth map"]),
        ("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", []),
        ("urn:mpeg:mpegB:cicp:systems:auxiliary:depth", ["its depth map"]),
        ("urn:com:apple:photo:2020:aux:hdrgainmap", ["its gain map"]),
        ("urn:com:apple:photo:2018:aux:portraiteffectsmatte", ["its portraiteffectsmatte"]),
    ],
)
def test_pictures_beside_a_phones_photo_are_named(kind, said):
    properties = box(b"iprp", box(b"ipco", 2 * box(b"auxC", bytes(4) + kind.encode() + b"\0")))
    data = box(b"ftyp", b"heic\0\0\0\0") + box(b"meta", bytes(4) + properties)
    assert what_has_no_place(io.BytesIO(data), "HEIF") == said


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("listed", [b"\0\0\0\0\0\1", b"\1\0\0\0\0\0\0\1"], ids=["short", "long"])
@pytest.mark.parametrize(("kind", "said"), [(b"tmap", ["its gain map"]), (b"av01", [])])
def test_a_gain_map_that_an_item_applies_is_named(kind, said, listed, version):
    entry = bytes([version, 0, 0, 0]) + bytes(2 if version == 2 else 4) + b"\0\0" + kind + b"\0"
    meta = box(b"iinf", listed + box(b"infe", entry))
    data = box(b"ftyp", b"avif\0\0\0\0") + box(b"meta", bytes(4) + meta)
    assert what_has_no_place(io.BytesIO(data), "AVIF") == said


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF"])
def test_damage_ends_the_list_and_raises_nothing(format):
    whole = {
        "JPEG": NAMED["jpeg stereo view"][0],
        "PNG": NAMED["png c2pa"][0],
        "WEBP": NAMED["webp c2pa"][0],
        "GIF": NAMED["gif c2pa"][0],
    }.get(format, NAMED["heic c2pa"][0])
    assert what_has_no_place(io.BytesIO(whole), format)
    for end in range(0, len(whole), 7):
        stream = io.BytesIO(whole[:end])
        stream.seek(end // 2)
        assert len(what_has_no_place(stream, format)) <= 1
        assert stream.tell() == end // 2


def test_many_names_are_shortened():
    chunks = [(f"ab{chr(97 + n)}d".encode(), b"") for n in range(12)]
    data = png_of((32, 24, 8, 2), *chunks, (b"IDAT", rows(RGB)), (b"IEND", b""))
    lost = Photo.open(data).metadata.lost
    assert len(lost) == 9 and lost[-1] == "4 more"


def test_a_video_that_xmp_told_of_is_said_once():
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:c="http://ns.google.com/photos/1.0/camera/" c:MotionPhoto="1"/></rdf:RDF>'
        b"</x:xmpmeta>"
    )
    body = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    photo = Photo.open(jpeg(0xE1, body, b"\0\0\0\x18ftypmp42" + bytes(99)))
    assert losses(photo) == ["A video, sound, depth or gain map that came with it was left out."]


def test_the_profile_of_a_gif_is_applied():
    profile = make_profile(1.0)
    grey = Photo.open(gif(0xFF, b"ICCRGBG1012", profile, PLAIN)).pixels
    light = GREY / 255.0
    wanted = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(grey - wanted).max() <= 1


def test_captions_of_a_gif_are_kept():
    photo = Photo.open(gif(0xFF, b"MGKIPTC0000", b"\x1c\2\x78\0\5Braut"))
    assert photo.metadata.resources == {0x0404: b"\x1c\2\x78\0\5Braut"}
    assert photo.metadata.texts == (("Comment", "Hochzeit"),)
    assert photo.metadata.lost == ()


def test_what_stands_after_the_frames_of_a_gif_is_kept():
    plain = encoded(PLAIN, "GIF")
    xmp = b"\x21\xff\x0bXMP DataXMP" + XMP % 6 + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    comments = b"".join(b"\x21\xfe\5" + text + b"\0" for text in (b"Braut", b"Danke"))
    photo = Photo.open(plain[:-1] + comments + xmp + b";")
    assert photo.metadata.texts == (("Comment", "Braut"), ("Comment", "Danke"))
    assert photo.metadata.xmp == XMP % 6
    np.testing.assert_array_equal(photo.pixels, GREY.T[:, ::-1])


@pytest.mark.parametrize(
    ("tag", "type", "count", "value", "kept"),
    [
        (270, 1, 5, b"Braut", b"Braut\0"),
        (270, 7, 5, b"Braut", b"Braut\0"),
        (40091, 7, 4, b"h\0i\0", b"h\0i\0"),
        (18246, 4, 1, 3, b"\3\0"),
    ],
)
def test_captions_of_another_type_are_kept(tag, type, count, value, kept):
    photo = Photo.open(with_field(tag, type, count, value))
    assert photo.metadata.exif.image[tag].data == kept
    assert photo.metadata.lost == ()


def test_what_cameras_say_in_the_first_directory_is_kept():
    taken = "1931:05:02 12:00:00"
    photo = Photo.open(with_field(36867, 2, 0, taken))
    assert photo.metadata.exif.camera[36867].data == taken.encode() + b"\0"
    assert photo.metadata.lost == ()


@needs_avif
def test_of_a_sequence_the_first_frame_is_used_and_that_is_said():
    buffer = io.BytesIO()
    frames = {"save_all": True, "append_images": [COLOR.transpose(Image.Transpose.ROTATE_180)]}
    COLOR.save(buffer, "AVIF", quality=100, subsampling="4:4:4", **frames)
    assert buffer.getvalue()[8:12] == b"avis"
    photo = Photo.open(buffer.getvalue())
    assert np.abs(photo.pixels.astype(int) - RGB).max() <= 8
    assert photo.notices == ("Only the first of 2 frames is used.",)


def test_palettes_say_that_a_transfer_function_is_not_applied_and_heed_primaries():
    ramp = np.arange(256, dtype=np.uint16) * 257
    colors = np.stack([ramp, ramp * 0, ramp * 0])
    entries = tuple(int(value) for value in ramp)
    data = tiff(
        GREY, photometric="palette", colormap=colors, extratags=[(301, 3, 256, entries, True)]
    )
    said = "Its transfer function or primaries cannot be applied and were ignored."
    assert Photo.open(data).notices == (said,)
    wide = (680, 1000, 320, 1000, 265, 1000, 690, 1000, 150, 1000, 60, 1000)  # Display P3
    data = tiff(GREY, photometric="palette", colormap=colors, extratags=[(319, 5, 6, wide, True)])
    photo = Photo.open(data)
    # A red of P3 that is darker than 231 of 255 lies within sRGB but for its green and blue.
    red = GREY[12, 20].astype(float) / 255
    light = ((red + 0.055) / 1.055) ** 2.4 * 1.2249
    assert abs(photo.pixels[12, 20, 0] - 255 * (1.055 * light ** (1 / 2.4) - 0.055)) <= 2
    assert photo.notices == ()
