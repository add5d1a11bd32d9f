import xml.etree.ElementTree as ET
from xml.dom import minidom
from xml.sax.saxutils import escape

import pytest
from PIL import Image

from colorize.photo.exif import Exif, Field
from colorize.photo.metadata import DIGITAL_SOURCE_TYPE, Metadata, outgoing, read_metadata
from colorize.photo.metadata.xmp import disclosed_xmp

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SOURCE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
ORIENTATION = "{http://ns.adobe.com/tiff/1.0/}Orientation"


def packet(body="", attributes="", extra=""):
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f"{attributes}>{body}</rdf:Description>{extra}</rdf:RDF></x:xmpmeta>"
    ).encode()


def out(metadata=None, format="PNG", strip=False, model="fusion", weights_hash="1a2b3c4d5e6f"):
    return outgoing(
        metadata or Metadata(),
        format,
        (40, 30),
        strip=strip,
        model=model,
        weights_hash=weights_hash,
    )


def properties(xmp):
    """All simple properties of a packet, read by another parser than ours."""
    root = ET.fromstring(xmp)
    found = []
    for description in root.iter(f"{RDF}Description"):
        found += description.attrib.items()
        found += [(child.tag, child.text) for child in description]
    return found


def test_a_photo_without_metadata_is_disclosed_too():
    data = out()
    assert (SOURCE, DIGITAL_SOURCE_TYPE) in properties(data.xmp)
    assert data.exif.image[305].data == b"Colorize 0.1.0 (fusion, 1a2b3c4d)\0"
    assert data.exif.image[274].data == b"\1\0"
    assert data.notices == []


@pytest.mark.parametrize(
    "xmp",
    [
        packet(),
        packet(attributes='e:DigitalSourceType="http://example.org/digitalCapture"'),
        packet("<e:DigitalSourceType>http://example.org/x</e:DigitalSourceType>"),
        packet(extra='<rdf:Description rdf:about="" xmlns:o="urn:o" o:p="q"/>'),
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        + packet()
        + b" " * 2000
        + b'<?xpacket end="w"?>\0\0',
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
        b'<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
    ],
)
def test_the_disclosure_is_there_once(xmp):
    data = out(Metadata(xmp=xmp.strip(b"\0 ")))
    values = [value for name, value in properties(data.xmp) if name == SOURCE]
    assert values == [DIGITAL_SOURCE_TYPE]
    assert data.notices == []


def test_the_rest_of_a_packet_is_kept():
    title = "<dc:title><rdf:Alt><rdf:li>Großmutter &amp; Ich</rdf:li></rdf:Alt></dc:title>"
    xmp = out(Metadata(xmp=packet(title, attributes='dc:source="Box 7"'))).xmp.decode()
    assert title in xmp
    assert 'dc:source="Box 7"' in xmp


@pytest.mark.parametrize(
    "xmp",
    [
        packet(attributes='tiff:Orientation="6"'),
        packet("<tiff:Orientation>6</tiff:Orientation>"),
    ],
)
def test_orientation_is_read_from_xmp_and_taken_out(xmp):
    image = Image.new("L", (4, 3))
    image.info["xmp"] = xmp
    metadata, orientation = read_metadata(image)
    assert orientation == 6
    assert ORIENTATION not in dict(properties(out(metadata).xmp))


def test_exif_orientation_wins_over_xmp():
    image = Image.new("L", (4, 3))
    image.info["xmp"] = packet(attributes='tiff:Orientation="6"')
    exif = Image.Exif()
    exif[274] = 3
    image.info["exif"] = exif.tobytes()
    assert read_metadata(image)[1] == 3


@pytest.mark.parametrize("value", [0, 9, 300, 65_535])
def test_nonsense_orientations_count_as_upright(value):
    image = Image.new("L", (4, 3))
    exif = Image.Exif()
    exif[274] = value
    image.info["exif"] = exif.tobytes()
    assert read_metadata(image)[1] == 1


LAUGHS = b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>' + packet("&b;")


@pytest.mark.parametrize(
    "xmp",
    [
        b"not xml",
        packet()[:-20],
        packet("<dc:title>&nbsp;</dc:title>"),
        LAUGHS,
        LAUGHS.decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="cp037"?>'.decode().encode("cp037"),
        b'<!DOCTYPE r SYSTEM "file:///etc/passwd">' + packet(),
        b"<html/>",
        b"<a>" * 100_000,
        b"<a>" * 5000 + b"</a>" * 5000,
        packet("<dc:x>" * 3000 + "</dc:x>" * 3000),
        b"\xff\xfe\0\xd8",
        packet("x" * (3 << 20)),
    ],
)
def test_what_is_no_plain_xmp_is_replaced_and_said(xmp):
    image = Image.new("L", (4, 3))
    image.info["xmp"] = xmp
    metadata, orientation = read_metadata(image)
    data = out(metadata)
    assert orientation == 1
    assert properties(data.xmp)[-1] == (SOURCE, DIGITAL_SOURCE_TYPE)
    assert len(data.xmp) < 1000
    assert data.notices == ["Its XMP metadata is damaged or too large and was left out."]


def test_strip_leaves_only_the_disclosure():
    metadata = Metadata(
        Exif(image={315: Field(2, 5, b"Anna\0")}, gps={1: Field(2, 2, b"N\0")}),
        packet("<dc:creator>Anna</dc:creator>"),
        (300.0, 300.0),
    )
    data = out(metadata, strip=True)
    assert b"Anna" not in data.exif.pack() + data.xmp
    assert data.exif.gps == {}
    assert data.dpi is None
    assert data.exif.image.keys() == {274, 305}
    assert DIGITAL_SOURCE_TYPE.encode() in data.xmp


def test_camera_fields_follow_the_new_picture():
    exif = Exif(">", camera={40961: Field(3, 1, b"\xff\xff"), 40962: Field(3, 1, b"\0\1")})
    camera = out(Metadata(exif)).exif.camera
    assert camera[40961].data == b"\0\1", "sRGB"
    assert camera[40962].data == b"\0\0\0\x28"
    assert camera[40963].data == b"\0\0\0\x1e"


def test_too_much_exif_for_jpeg_loses_the_maker_note_first():
    exif = Exif(
        image={315: Field(2, 5, b"Anna\0")},
        camera={37500: Field(7, 65_000, bytes(65_000)), 37510: Field(7, 600, bytes(600))},
    )
    data = out(Metadata(exif), "JPEG")
    assert 37500 not in data.exif.camera
    assert 37510 in data.exif.camera
    assert 315 in data.exif.image
    assert data.notices == [
        "Its EXIF metadata is too large for a JPEG file; the largest was left out."
    ]
    assert 37500 in out(Metadata(exif), "PNG").exif.camera


def test_too_much_xmp_for_jpeg_leaves_the_disclosure():
    metadata = Metadata(xmp=packet("<dc:title>" + "x" * 66_000 + "</dc:title>"))
    data = out(metadata, "JPEG")
    assert properties(data.xmp)[-1] == (SOURCE, DIGITAL_SOURCE_TYPE)
    assert data.notices == ["Its XMP metadata is too large for a JPEG file and was left out."]
    assert len(out(metadata, "PNG").xmp) > 66_000


@pytest.mark.parametrize(
    "dpi",
    [
        None,
        300,
        (0, 0),
        (float("nan"), 300),
        (float("inf"), 300),
        (1e9, 1e9),
        "ab",
        (300,),
        (1, 2, 3),
    ],
)
def test_nonsense_resolutions_are_left_out(dpi):
    image = Image.new("L", (4, 3))
    image.info["dpi"] = dpi
    assert read_metadata(image)[0].dpi is None


def test_resolution_turns_with_the_photo():
    image = Image.new("L", (4, 3))
    exif = Image.Exif()
    exif[274] = 6
    image.info.update(exif=exif.tobytes(), dpi=(300, 200))
    assert read_metadata(image)[0].dpi == (200.0, 300.0)


def test_names_of_models_cannot_break_the_software_field():
    data = out(model="модель\0\n", weights_hash="")
    text = data.exif.image[305].data
    assert text.endswith(b"\0")
    assert b"\0" not in text[:-1]
    assert text.isascii()


def test_imagemagicks_exif_in_png_is_read():
    exif = Image.Exif()
    exif[271] = "Agfa"
    block = exif.tobytes()
    image = Image.new("L", (4, 3))
    image.info["Raw profile type exif"] = f"\nexif\n{len(block):8}\n{block.hex()}\n"
    assert read_metadata(image)[0].exif.image[271].data == b"Agfa\0"
    image.info["Raw profile type exif"] = "\nexif\n 4\nzz"
    assert read_metadata(image)[0].exif is None


def test_line_breaks_in_a_packet_stay():
    caption = 'first line\nsecond <&> "line"\tend\r'
    escaped = escape(caption, {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;", '"': "&quot;"})
    space = 'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    body = f"<photoshop:City>{escaped}</photoshop:City>"
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'{space} photoshop:Instructions="{escaped}">{body}<!--kept--></rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    )
    new = disclosed_xmp(packet.encode()).packet
    node = minidom.parseString(new).getElementsByTagName("rdf:Description")[0]
    assert node.getAttribute("photoshop:Instructions") == caption
    assert node.getElementsByTagName("photoshop:City")[0].firstChild.data == caption
    assert b"<!--kept-->" in new
