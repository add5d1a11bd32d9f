"""What describes a picture goes along, what would be false of it afterwards does not, and what
cannot go along is named."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from colorize.photo.metadata.containers import segments
from colorize.photo.opening import Photo
from colorize.photo.saving import losses, output_format, save_picture
from tests.support.photo_files import needs_avif
from tests.support.tiff_files import page, tiff

GREY = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32).astype(np.uint8)
RGB = np.dstack([GREY, GREY // 2, GREY // 3])
CAPTION = "Köln, Hochzeit 1931"
KEEPS = {
    "iptc": {".jpg", ".png", ".tif"},
    "comment": {".jpg", ".png", ".tif", ".webp", ".avif"},
    "text": {".jpg", ".png", ".tif", ".webp", ".avif"},
}
ENDINGS = [".jpg", ".png", ".tif", ".webp", pytest.param(".avif", marks=needs_avif), ".bmp"]


def dataset(record, number, data):
    return bytes([0x1C, record, number]) + struct.pack(">H", len(data)) + data


IIM = dataset(1, 90, b"\x1b%G") + dataset(2, 120, CAPTION.encode())


def resource(key, data):
    return b"8BIM" + struct.pack(">HHI", key, 0, len(data)) + data + bytes(len(data) % 2)


def jpeg(*parts):
    """A grey JPEG with segments (marker, body) before its own."""
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "JPEG")
    data = buffer.getvalue()
    return data[:2] + b"".join(segments(*part) for part in parts) + data[2:]


def photoshop(block):
    return 0xED, b"Photoshop 3.0\0" + block


def xmp_of(attributes="", body="", spaces=""):
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" {spaces} '
        f'dc:source="album" {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )
    return 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()


def png(**texts):
    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    for keyword, text in texts.items():
        info.add_itxt(keyword.replace("_", " "), text)
    Image.fromarray(GREY).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def gif():
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "GIF", comment=CAPTION.encode())
    return buffer.getvalue()


def iptc_tiff(type=7, order="<"):
    data = IIM + bytes(-len(IIM) % 4)
    if type == 4:  # LONG, whose bytes some writers turn
        values = struct.unpack(f"{order}{len(data) // 4}I", data)
        return tiff(page(GREY[..., None], 1, order=order, tags={33723: (4, values)}), order=order)
    return tiff(page(GREY[..., None], 1, order=order, tags={33723: (type, data)}), order=order)


def png_with(*texts):
    """A PNG with these chunks, several of one keyword too."""
    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    for keyword, text in texts:
        info.add_text(keyword, text, zip=len(keyword) > 20)
    Image.fromarray(GREY).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def ducky(tag, text):
    """Photoshop's "Save for Web": quality, then a text of UTF-16."""
    body = struct.pack(">I", len(text)) + text.encode("utf-16-be")
    return 0xEC, b"Ducky" + struct.pack(">HHIHH", 1, 4, 60, tag, len(body)) + body + bytes(2)


def imagej(stack=1, **told):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.stack([GREY] * stack), imagej=True, metadata=told)
    return buffer.getvalue()


def gdal():
    item = f"<GDALMetadata><Item name='caption'>{CAPTION}</Item></GDALMetadata>".encode()
    return tiff(page(GREY[..., None], 1, tags={42112: (2, [*item, 0])}))


FILES = {
    "first text of two": ("text", png_with(("Title", CAPTION), ("Title", "Agfa"))),
    "second text of two": ("text", png_with(("Title", "Agfa"), ("Title", CAPTION))),
    "second text, packed": ("text", png_with(("A" * 30, "Agfa"), ("A" * 30, CAPTION))),
    "text on software": ("text", png_with(("Software licence", CAPTION))),
    "text on a date": ("text", png_with(("date:original", CAPTION))),
    "text of exif": ("text", png_with(("exif:UserComment", CAPTION))),
    "picture info": ("text", jpeg((0xEC, f"[picture info]\r\nID={CAPTION}\0".encode("latin-1")))),
    "comment for the web": ("text", jpeg(ducky(2, CAPTION))),
    "copyright for the web": ("text", jpeg(ducky(3, CAPTION))),
    "info of imagej": ("text", imagej(Info=CAPTION)),
    "labels of imagej": ("text", imagej(2, Labels=["first", CAPTION])),
    "metadata of gdal": ("text", gdal()),
    "iptc in jpeg": ("iptc", jpeg(photoshop(resource(0x0404, IIM)))),
    "iptc behind others": (
        "iptc",
        jpeg(photoshop(resource(1005, bytes(16)) + resource(0x0404, IIM))),
    ),
    "iptc in two segments": (
        "iptc",
        jpeg(photoshop(resource(0x0404, IIM)[:30]), photoshop(resource(0x0404, IIM)[30:])),
    ),
    "iptc in tiff": ("iptc", iptc_tiff()),
    "iptc in tiff, as numbers": ("iptc", iptc_tiff(4)),
    "iptc in tiff, as numbers, turned": ("iptc", iptc_tiff(4, ">")),
    "photoshop in tiff": (
        "iptc",
        tiff(page(GREY[..., None], 1, tags={34377: (1, list(resource(0x0404, IIM)))})),
    ),
    "comment in jpeg": ("comment", jpeg((0xFE, CAPTION.encode()))),
    "comment in utf-16": ("comment", jpeg((0xFE, CAPTION.encode("utf-16")))),
    "comment in latin-1": ("comment", jpeg((0xFE, CAPTION.encode("latin-1")))),
    "second comment": ("comment", jpeg((0xFE, b"first"), (0xFE, CAPTION.encode()))),
    "comment in gif": ("comment", gif()),
    "description in png": ("text", png(Description=CAPTION)),
    "title in png": ("text", png(Title=CAPTION, Author="Agfa")),
    "comment in png": ("text", png(Comment=CAPTION)),
    "private text in png": ("text", png(Archive_number=CAPTION)),
}


def saved(data, path, **options):
    photo = Photo.open(data)
    done = save_picture(RGB, path, photo, model="m", weights_hash="12345678", **options)
    return path.read_bytes(), [*photo.notices, *done.notices]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", FILES)
def test_captions_are_kept_or_named(name, ending, tmp_path):
    kind, data = FILES[name]
    out, notices = saved(data, tmp_path / f"new{ending}")
    kept = CAPTION.encode() in out or CAPTION.encode().hex().encode() in unpacked(out)
    assert kept == (ending in KEEPS[kind])
    assert any("left out" in notice for notice in notices) == (not kept)


def unpacked(data):
    """What compressed text chunks of a PNG hold."""
    found, place = b"", 8
    while data[:4] == b"\x89PNG" and place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        if data[place + 4 : place + 8] == b"zTXt":
            body = data[place + 8 : place + 8 + length]
            found += zlib.decompress(body[body.index(b"\0") + 2 :]).replace(b"\n", b"")
        place += 12 + length
    return found


@pytest.mark.parametrize("name", ["iptc in jpeg", "comment in jpeg", "title in png"])
def test_captions_go_there_and_back(name, tmp_path):
    _, data = FILES[name]
    metadata = Photo.open(data).metadata
    for ending in (".png", ".jpg", ".png"):
        data, _ = saved(data, tmp_path / f"new{ending}")
    again = Photo.open(data).metadata
    assert again.resources == metadata.resources
    assert len(metadata.texts) == sum(text in str(again.texts) for _, text in metadata.texts)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("name", ["iptc in jpeg", "comment in jpeg", "title in png"])
def test_strip_leaves_captions_out(name, ending, tmp_path):
    out, notices = saved(FILES[name][1], tmp_path / f"new{ending}", strip=True)
    assert CAPTION.encode() not in out
    assert CAPTION.encode().hex().encode() not in unpacked(out)
    assert notices == []


def test_what_the_iptc_said_of_the_grey_file_is_left_out(tmp_path):
    false = dataset(2, 130, b"1W") + dataset(2, 202, b"preview") + dataset(3, 60, b"\1\0")
    data = jpeg(photoshop(resource(0x0404, IIM + false) + resource(0x040C, b"thumbnail")))
    out, _ = saved(data, tmp_path / "new.jpg")
    assert CAPTION.encode() in out
    for part in (b"1W", b"preview", b"thumbnail"):
        assert part not in out


def test_what_texts_said_of_the_grey_file_is_left_out(tmp_path):
    data = png(Software="scanner", Title=CAPTION, **{"Thumb::Image::Width": "999"})
    out, _ = saved(data, tmp_path / "new.png")
    assert CAPTION.encode() in out
    assert b"scanner" not in out
    assert b"Thumb::" not in out


FALSE_TEXTS = (
    "date:create",
    "date:timestamp",
    "exif:ExifImageWidth",
    "exif:ColorSpace",
    "Software",
)


@pytest.mark.parametrize("keyword", FALSE_TEXTS)
def test_texts_on_the_grey_file_alone_are_left_out(keyword, tmp_path):
    out, notices = saved(png_with((keyword, "zzz"), ("Title", CAPTION)), tmp_path / "new.png")
    assert b"zzz" not in out and CAPTION.encode() in out and notices == []


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (jpeg((0xEC, b"Polaroid\0\1\2\3")), "APP12"),
        (png_with(("Raw profile type iptc", "\niptc\n 4\n1c02zz")), "damaged profile (iptc)"),
        (png_with(("Raw profile type APP13x", "\nx\n 4\n1c02")), "profile (app13x)"),
        (imagej(Overlays=[b"Iout" + bytes(60)]), "ImageJ's overlays"),
        (tiff(page(GREY[..., None], 1, tags={34735: (3, [1, 1, 0, 0])})), "GeoTIFF"),
    ],
)
def test_what_has_no_place_anywhere_is_named(data, name, tmp_path):
    _, notices = saved(data, tmp_path / "new.tif")
    assert any(name in notice and "left out" in notice for notice in notices)
    _, notices = saved(data, tmp_path / "bare.tif", strip=True)
    assert notices == []


def test_the_shape_that_tifffile_writes_does_not_stay(tmp_path):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.arange(768, dtype=np.uint16).reshape(24, 32) * 80)
    assert b'{"shape": [24, 32]}' in buffer.getvalue()
    out, notices = saved(buffer.getvalue(), tmp_path / "new.tif")
    assert b'"shape": [24, 32]}' not in out and notices == []
    with tifffile.TiffFile(io.BytesIO(out)) as file:
        assert file.series[0].shape == (24, 32, 3)


def test_a_description_and_texts_stand_together(tmp_path):
    """In formats that have one place for both; ImageJ does not take the result for a stack."""
    data = imagej(2, Info=CAPTION, unit="micron")
    for ending in (".tif", ".webp"):
        out, _ = saved(data, tmp_path / f"new{ending}")
        assert f"unit=micron\nInfo: {CAPTION}".encode() in out
        assert b"ImageJ=" not in out and b"images=" not in out


COMPANIONS = {
    "GCamera:MotionPhoto": "http://ns.google.com/photos/1.0/camera/",
    "GCamera:MotionPhotoPresentationTimestampUs": "http://ns.google.com/photos/1.0/camera/",
    "GCamera:MicroVideo": "http://ns.google.com/photos/1.0/camera/",
    "GCamera:MicroVideoOffset": "http://ns.google.com/photos/1.0/camera/",
    "hdrgm:Version": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "HDRGainMap:HDRGainMapVersion": "http://ns.apple.com/HDRGainMap/1.0/",
    "apdi:AuxiliaryImageType": "http://ns.apple.com/pixeldatainfo/1.0/",
    "GDepth:Mime": "http://ns.google.com/photos/1.0/depthmap/",
    "GImage:Mime": "http://ns.google.com/photos/1.0/image/",
    "GAudio:Mime": "http://ns.google.com/photos/1.0/audio/",
    "OpCamera:MotionPhotoOwner": "http://ns.oplus.com/photos/1.0/camera/",
    "MiCamera:XMPMeta": "http://ns.xiaomi.com/photos/1.0/camera/",
}


@pytest.mark.parametrize("name", COMPANIONS)
@pytest.mark.parametrize("as_element", [False, True])
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp"])
def test_what_says_that_a_companion_follows_is_left_out_and_said(
    name, as_element, ending, tmp_path
):
    spaces = f'xmlns:{name.partition(":")[0]}="{COMPANIONS[name]}"'
    part = xmp_of(f'{name}="77"' * (not as_element), f"<{name}>77</{name}>" * as_element, spaces)
    out, notices = saved(jpeg(part) + b"\0\0\0\x18ftypmp42" + bytes(500), tmp_path / f"new{ending}")
    assert f'{name}="77"'.encode() not in out
    assert f"<{name}>".encode() not in out
    assert b"ftypmp42" not in out
    assert b'dc:source="album"' in out
    assert any("came with it was left out" in notice for notice in notices)


def test_a_directory_of_companions_is_left_out(tmp_path):
    spaces = (
        'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
        'xmlns:Item="http://ns.google.com/photos/1.0/container/item/"'
    )
    body = (
        '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item '
        'Item:Mime="video/mp4" Item:Length="5000"/></rdf:li></rdf:Seq></Container:Directory>'
    )
    out, _ = saved(jpeg(xmp_of("", body, spaces)), tmp_path / "new.jpg")
    assert b"Item:Length" not in out


PHOTOSHOP = 'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'


@pytest.mark.parametrize("as_element", [False, True])
def test_a_grey_mode_and_profile_are_corrected(as_element, tmp_path):
    if as_element:
        body = (
            "<photoshop:ColorMode>1</photoshop:ColorMode>"
            "<photoshop:ICCProfile>Dot Gain 20%</photoshop:ICCProfile>"
        )
        part = xmp_of("", body, PHOTOSHOP)
    else:
        attributes = 'photoshop:ColorMode="1" photoshop:ICCProfile="Dot Gain 20%"'
        part = xmp_of(attributes, "", PHOTOSHOP)
    out, _ = saved(jpeg(part), tmp_path / "new.jpg")
    assert b"Dot Gain" not in out
    assert b"sRGB IEC61966-2.1" in out
    mode = b"<photoshop:ColorMode>3<" if as_element else b'photoshop:ColorMode="3"'
    assert mode in out


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("tiff:PhotometricInterpretation", "http://ns.adobe.com/tiff/1.0/"),
        ("tiff:SamplesPerPixel", "http://ns.adobe.com/tiff/1.0/"),
        ("tiff:BitsPerSample", "http://ns.adobe.com/tiff/1.0/"),
        ("tiff:ImageWidth", "http://ns.adobe.com/tiff/1.0/"),
        ("exif:ColorSpace", "http://ns.adobe.com/exif/1.0/"),
        ("exif:PixelXDimension", "http://ns.adobe.com/exif/1.0/"),
        ("xmp:Thumbnails", "http://ns.adobe.com/xap/1.0/"),
        ("crs:ConvertToGrayscale", "http://ns.adobe.com/camera-raw-settings/1.0/"),
        ("dc:format", "http://purl.org/dc/elements/1.1/"),
    ],
)
def test_what_xmp_said_of_the_grey_file_is_left_out(name, space, tmp_path):
    body = f'<{name} xmlns:{name.partition(":")[0]}="{space}">zzz</{name}>'
    part = xmp_of("", body)
    out, _ = saved(jpeg(part), tmp_path / "new.jpg")
    assert b"zzz" not in out
    assert b'dc:source="album"' in out


def test_a_second_part_of_xmp_is_named(tmp_path):
    part = xmp_of('n:HasExtendedXMP="0123"', "", 'xmlns:n="http://ns.adobe.com/xmp/note/"')
    _, notices = saved(jpeg(part), tmp_path / "new.jpg")
    assert any("second part" in notice for notice in notices)


def test_bmp_names_what_it_cannot_hold(tmp_path):
    _, notices = saved(jpeg(xmp_of()), tmp_path / "new.bmp")
    assert notices == ["Its EXIF and XMP metadata was left out: BMP holds none."]
    _, notices = saved(jpeg(), tmp_path / "new.bmp")
    assert notices == []


@pytest.mark.parametrize(
    ("data", "choice"),
    [
        (FILES["iptc in jpeg"][1], "webp"),
        (FILES["iptc in jpeg"][1], "keep"),
        (
            jpeg(xmp_of('hdrgm:Version="1.0"', "", f'xmlns:hdrgm="{COMPANIONS["hdrgm:Version"]}"')),
            "keep",
        ),
    ],
)
def test_losses_are_told_before_anything_is_saved(data, choice, tmp_path):
    """For the tab, which shows them beside the photo."""
    photo = Photo.open(data)
    _, ending = output_format(photo, choice)
    _, notices = saved(data, tmp_path / f"new{ending}")
    assert [*photo.notices, *losses(photo, choice)] == notices


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_damaged_captions_stop_nothing(cut, tmp_path):
    block = resource(0x0404, IIM)[:-cut]
    saved(jpeg(photoshop(block)), tmp_path / "new.jpg")
    saved(jpeg(photoshop(resource(0x0404, IIM[:-cut]))), tmp_path / "new.tif")


def test_a_long_caption_takes_several_segments(tmp_path):
    long = "".join(chr(65 + n % 26) for n in range(200_000))
    out, _ = saved(png(Description=long), tmp_path / "new.jpg")
    assert "".join(text for _, text in Photo.open(out).metadata.texts).endswith(long[-60_000:])


def test_texts_of_an_image_of_pillows_go_along_whatever_their_keyword(tmp_path):
    image = Image.fromarray(GREY)
    image.info |= {
        "題": "Braut",
        "": "none",
        "x" * 80: "long",
        "Title": "Ehe",
        "compression": "raw",
    }
    photo = Photo.open(image)
    save_picture(np.dstack([GREY] * 3), tmp_path / "new.png", photo, model="m", weights_hash="1a2b")
    with Image.open(tmp_path / "new.png") as new:
        assert new.text["Title"] == "Ehe"
        assert new.text["Comment"] == "題: Braut\n: none\n" + "x" * 80 + ": long"
        assert "compression" not in new.text
