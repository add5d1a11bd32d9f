"""What points into a picture points to the same there when the pixels were turned upright."""

import io
import struct
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from colorize.photo.exif import Exif, Field, read_exif
from colorize.photo.metadata.boxes import orientation_of
from colorize.photo.metadata.containers import segments
from colorize.photo.opening import Photo
from colorize.photo.saving import losses
from tests.support.photo_files import encoded, heic, needs_avif
from tests.support.saved import save
from tests.support.tiff_files import page, tiff

WIDTH, HEIGHT = 40, 24  # stored
# A subject of 4 x 2 pixels in the stored picture, and its middle.
LEFT, TOP, ACROSS, DOWN = 10, 4, 5, 3
MIDDLE = (LEFT + ACROSS // 2, TOP + DOWN // 2)
NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "acdsee-rs": "http://ns.acdsee.com/regions/",
    "acdsee-stArea": "http://ns.acdsee.com/sType/Area#",
    "acdsee-stDim": "http://ns.acdsee.com/sType/Dimensions#",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
}
SHARES = ((LEFT + ACROSS / 2) / WIDTH, (TOP + DOWN / 2) / HEIGHT, ACROSS / WIDTH, DOWN / HEIGHT)


def stored():
    """Dark, the subject white."""
    pixels = np.full((HEIGHT, WIDTH), 20, np.uint8)
    pixels[TOP : TOP + DOWN, LEFT : LEFT + ACROSS] = 250
    return pixels


def packet(body, attributes=""):
    spaces = " ".join(f'xmlns:{name}="{space}"' for name, space in NAMESPACES.items())
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {spaces}><rdf:Description rdf:about="" '
        f"{attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def exif_of(orientation, fields=None, type=3, order="<"):
    """A block with an orientation and whole numbers in the EXIF directory."""
    form = {1: "B", 3: "H", 4: "I", 8: "h"}[type]
    camera = {
        tag: Field(type, len(values), struct.pack(f"{order}{len(values)}{form}", *values))
        for tag, values in (fields or {}).items()
    }
    exif = Exif(order, camera=camera)
    return Exif(order, {274: exif.number(3, orientation)}, camera)


def jpeg(orientation, fields=None, xmp=b"", **options):
    parts = segments(0xE1, b"Exif\0\0" + exif_of(orientation, fields, **options).pack())
    if xmp:
        parts += segments(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    data = encoded(Image.fromarray(stored()), "JPEG")
    return data[:2] + parts + data[2:]


def subject(photo):
    """Left, top, width, height of the white subject in the upright photo."""
    rows, columns = np.nonzero(photo.pixels > 128)
    return (
        *(int(columns.min()), int(rows.min())),
        *(int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1),
    )


def numbers(photo, tag):
    field = photo.metadata.exif.camera[tag]
    letter = {1: "B", 3: "H", 4: "I", 8: "h"}[field.type]
    return struct.unpack(f"{photo.metadata.exif.order}{field.count}{letter}", field.data)


def shares(photo):
    left, top, width, height = subject(photo)
    across, down = photo.size
    return (
        *((left + width / 2) / across, (top + height / 2) / down),
        *(width / across, height / down),
    )


def tree(photo):
    return ET.fromstring(photo.metadata.xmp)


def values(node, prefix, *names):
    """Fields of a structure, as attributes or elements."""
    found = []
    for name in names:
        key = f"{{{NAMESPACES[prefix]}}}{name}"
        found += [one.get(key) for one in node.iter() if one.get(key)]
        found += [one.text for one in node.iter(key)]
    return [float(one) for one in found]


ALL = range(1, 9)


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("tag", [37396, 41492])
@pytest.mark.parametrize("type", [3, 4, 8])
@pytest.mark.parametrize("order", "<>")
def test_the_subject_of_exif(tag, orientation, type, order):
    for given in (MIDDLE, (*MIDDLE, 4), (*MIDDLE, ACROSS, DOWN)):
        photo = Photo.open(jpeg(orientation, {tag: given}, type=type, order=order))
        left, top, width, height = subject(photo)
        middle = (left + width // 2, top + height // 2)
        assert (
            numbers(photo, tag) == (*middle, *((4,), (width, height))[len(given) - 3])[: len(given)]
        )
        assert losses(photo) == []


@pytest.mark.parametrize(
    "given", [(WIDTH, 3), (3, HEIGHT), (1,), (1, 2, 3, 4, 5)], ids=["right", "below", "one", "five"]
)
def test_a_subject_that_is_nowhere_is_left_out_and_said(given):
    photo = Photo.open(jpeg(6, {37396: given}))
    assert 37396 not in photo.metadata.exif.camera
    said = "What has no place in the result was left out: its subject's place (SubjectArea)."
    assert losses(photo) == [said]
    assert numbers(Photo.open(jpeg(1, {37396: given})), 37396) == given, "as it was"


def test_a_subject_of_zeros_is_not_known_and_stays():
    assert numbers(Photo.open(jpeg(3, {37396: (0, 0, 0, 0)})), 37396) == (0, 0, 0, 0)


AS_ATTRIBUTES = (
    '<mwg-rs:Regions rdf:parseType="Resource">'
    f'<mwg-rs:AppliedToDimensions stDim:w="{WIDTH}" stDim:h="{HEIGHT}" stDim:unit="pixel"/>'
    "<mwg-rs:RegionList><rdf:Bag><rdf:li>"
    '<rdf:Description mwg-rs:Name="Anna" mwg-rs:Type="Face"><mwg-rs:Area stArea:unit="normalized" '
    'stArea:x="{:.9f}" stArea:y="{:.9f}" stArea:w="{:.9f}" stArea:h="{:.9f}"/></rdf:Description>'
    "</rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
)
AS_ELEMENTS = (
    '<mwg-rs:Regions><rdf:Description><mwg-rs:AppliedToDimensions rdf:parseType="Resource">'
    f"<stDim:w>{WIDTH}</stDim:w><stDim:h>{HEIGHT}</stDim:h><stDim:unit>pixel</stDim:unit>"
    "</mwg-rs:AppliedToDimensions><mwg-rs:RegionList><rdf:Bag>"
    '<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Anna</mwg-rs:Name><mwg-rs:Area>'
    "<rdf:Description><stArea:x>{:.9f}</stArea:x><stArea:y>{:.9f}</stArea:y><stArea:w>{:.9f}"
    "</stArea:w><stArea:h>{:.9f}</stArea:h><stArea:unit>normalized</stArea:unit></rdf:Description>"
    "</mwg-rs:Area></rdf:li></rdf:Bag></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions>"
)


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("form", [AS_ATTRIBUTES, AS_ELEMENTS], ids=["attributes", "elements"])
def test_faces_of_the_working_group(form, orientation):
    photo = Photo.open(jpeg(orientation, xmp=packet(form.format(*SHARES))))
    found = values(tree(photo), "stArea", "x", "y", "w", "h")
    np.testing.assert_allclose(found, shares(photo), atol=1e-6)
    assert tuple(values(tree(photo), "stDim", "w", "h")) == photo.size
    assert b"Anna" in photo.metadata.xmp and losses(photo) == []


@pytest.mark.parametrize("orientation", ALL)
def test_faces_of_acdsee(orientation):
    body = AS_ATTRIBUTES.replace("mwg-rs:Area", "acdsee-rs:DLYArea").replace("mwg-rs", "acdsee-rs")
    body = body.replace("stArea:", "acdsee-stArea:").replace("stDim:", "acdsee-stDim:")
    photo = Photo.open(jpeg(orientation, xmp=packet(body.format(*SHARES))))
    found = values(tree(photo), "acdsee-stArea", "x", "y", "w", "h")
    np.testing.assert_allclose(found, shares(photo), atol=1e-6)


@pytest.mark.parametrize("orientation", ALL)
def test_areas_in_pixels(orientation):
    middle = (LEFT + ACROSS / 2, TOP + DOWN / 2, ACROSS, DOWN)
    body = AS_ATTRIBUTES.replace('stArea:unit="normalized"', 'stArea:unit="pixel"')
    photo = Photo.open(jpeg(orientation, xmp=packet(body.format(*middle))))
    left, top, width, height = subject(photo)
    found = values(tree(photo), "stArea", "x", "y", "w", "h")
    assert found == [left + width / 2, top + height / 2, width, height]


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_regions_that_were_written_for_the_upright_picture_stay(orientation):
    body = AS_ATTRIBUTES.replace(f'"{WIDTH}"', '"24"').replace(f'"{HEIGHT}" stDim:unit', '"40" u')
    body = body.replace(' u="pixel"', "")
    photo = Photo.open(jpeg(orientation, xmp=packet(body.format(*SHARES))))
    np.testing.assert_allclose(values(tree(photo), "stArea", "x", "y", "w", "h"), SHARES, atol=1e-6)
    assert values(tree(photo), "stDim", "w", "h") == [24, 40]


RECTANGLE = ", ".join(
    f"{one:.9f}" for one in (LEFT / WIDTH, TOP / HEIGHT, ACROSS / WIDTH, DOWN / HEIGHT)
)
PEOPLE = (
    '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li {0}>'
    "{1}</rdf:li></rdf:Bag></MPRI:Regions></MP:RegionInfo>"
)
PEOPLES = {
    "attribute": PEOPLE.format(f'MPReg:Rectangle="{RECTANGLE}"', ""),
    "element": PEOPLE.format(
        'rdf:parseType="Resource"', f"<MPReg:Rectangle>{RECTANGLE}</MPReg:Rectangle>"
    ),
    "description": PEOPLE.format("", f'<rdf:Description MPReg:Rectangle="{RECTANGLE}"/>'),
}


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("form", PEOPLES)
def test_people_of_microsoft(form, orientation):
    photo = Photo.open(jpeg(orientation, xmp=packet(PEOPLES[form])))
    key = f"{{{NAMESPACES['MPReg']}}}Rectangle"
    (text,) = [
        one
        for node in tree(photo).iter()
        if (one := node.get(key) or (node.tag == key and node.text))
    ]
    left, top, width, height = (float(part) for part in text.split(","))
    centre = (left + width / 2, top + height / 2, width, height)
    np.testing.assert_allclose(centre, shares(photo), atol=1e-6)


def boundary(fields):
    return (
        "<Iptc4xmpExt:ImageRegion><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        "<Iptc4xmpExt:RegionBoundary rdf:parseType='Resource'>"
        + "".join(f"<Iptc4xmpExt:{k}>{v}</Iptc4xmpExt:{k}>" for k, v in fields.items())
        + "</Iptc4xmpExt:RegionBoundary></rdf:li></rdf:Bag></Iptc4xmpExt:ImageRegion>"
    )


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("unit", ["pixel", "relative"])
def test_regions_of_iptc(unit, orientation):
    across, down = (WIDTH, HEIGHT) if unit == "relative" else (1, 1)
    edges = [LEFT / across, TOP / down, ACROSS / across, DOWN / down]
    rectangle = {"rbShape": "rectangle", "rbUnit": unit}
    rectangle |= dict(zip(("rbX", "rbY", "rbW", "rbH"), edges, strict=True))
    photo = Photo.open(jpeg(orientation, xmp=packet(boundary(rectangle))))
    size = photo.size if unit == "relative" else (1, 1)
    wanted = np.divide(subject(photo), (*size, *size))
    found = values(tree(photo), "Iptc4xmpExt", "rbX", "rbY", "rbW", "rbH")
    np.testing.assert_allclose(found, wanted, atol=1e-6)

    middle = (edges[0] + edges[2] / 2, edges[1] + edges[3] / 2)
    circle = {"rbShape": "circle", "rbUnit": unit, "rbX": middle[0], "rbY": middle[1]}
    photo = Photo.open(jpeg(orientation, xmp=packet(boundary(circle | {"rbRx": 2 / across}))))
    radius = values(tree(photo), "Iptc4xmpExt", "rbRx")[0] * size[0]
    np.testing.assert_allclose(radius, 2, atol=1e-6)
    centre = np.add(wanted[:2], wanted[2:] / 2)
    found = values(tree(photo), "Iptc4xmpExt", "rbX", "rbY")
    np.testing.assert_allclose(found, centre, atol=1e-6)

    points = "<rdf:Seq><rdf:li Iptc4xmpExt:rbX='{}' Iptc4xmpExt:rbY='{}'/></rdf:Seq>"
    polygon = {"rbShape": "polygon", "rbUnit": unit, "rbVertices": points.format(*middle)}
    photo = Photo.open(jpeg(orientation, xmp=packet(boundary(polygon))))
    found = values(tree(photo), "Iptc4xmpExt", "rbX", "rbY")
    np.testing.assert_allclose(found, centre, atol=1e-6)


@pytest.mark.parametrize("name", ["SubjectArea", "SubjectLocation"])
@pytest.mark.parametrize("orientation", ALL)
def test_the_subject_of_exif_in_xmp(orientation, name):
    items = "".join(f"<rdf:li>{one}</rdf:li>" for one in (*MIDDLE, ACROSS, DOWN))
    body = f"<exif:{name}><rdf:Seq>{items}</rdf:Seq></exif:{name}>"
    photo = Photo.open(jpeg(orientation, xmp=packet(body)))
    left, top, width, height = subject(photo)
    found = [int(one.text) for one in tree(photo).iter(f"{{{NAMESPACES['rdf']}}}li")]
    assert found == [left + width // 2, top + height // 2, width, height]


BROKEN = {
    "mwg-rs:Regions": AS_ATTRIBUTES.format(float("nan"), 0.5, 0.1, 0.1),
    "MP:RegionInfo": PEOPLES["attribute"].replace(RECTANGLE, "0.1, 0.2, 0.3"),
    "Iptc4xmpExt:ImageRegion": boundary({"rbShape": "star", "rbUnit": "pixel"}),
    "exif:SubjectArea": "<exif:SubjectArea><rdf:Seq><rdf:li>x</rdf:li></rdf:Seq>"
    "</exif:SubjectArea>",
}


@pytest.mark.parametrize("name", BROKEN)
def test_regions_that_cannot_be_read_are_left_out_and_said(name):
    body = BROKEN[name] + "<dc:source>Box 7</dc:source>"
    photo = Photo.open(jpeg(6, xmp=packet(body)))
    assert b"Box 7" in photo.metadata.xmp and f"<{name}".encode() not in photo.metadata.xmp
    (said,) = losses(photo)
    assert name in said
    assert f"<{name}".encode() in Photo.open(jpeg(1, xmp=packet(body))).metadata.xmp


@pytest.mark.parametrize("orientation", ALL)
def test_numbers_across_and_down_change_places(orientation):
    both = 'tiff:XResolution="300/1" tiff:YResolution="600/1"'
    photo = Photo.open(jpeg(orientation, xmp=packet("", both)))
    changed = photo.size == (HEIGHT, WIDTH)
    order = ("600/1", "300/1") if changed else ("300/1", "600/1")
    assert 'tiff:XResolution="{}" tiff:YResolution="{}"'.format(*order).encode() in (
        photo.metadata.xmp
    )


def test_a_packet_without_places_stays_to_the_byte():
    xmp = packet("<dc:source>Box 7</dc:source>", 'tiff:Orientation="6"')
    assert Photo.open(jpeg(6, xmp=xmp)).metadata.xmp == xmp


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_in_other_formats(format, orientation):
    xmp = packet(AS_ATTRIBUTES.format(*SHARES))
    block = exif_of(orientation, {37396: MIDDLE}).pack()
    if format == "TIFF":
        # The pointer to EXIF leads behind the pixels.
        pixels = stored().tobytes()
        area = struct.pack("<HHHI2HI", 1, 37396, 3, 2, *MIDDLE, 0)
        tags = {274: (3, [orientation]), 34665: (4, [8 + len(pixels)]), 700: (1, list(xmp))}
        tags |= {273: (4, [8]), 279: (4, [len(pixels)])}
        fields, _, _ = page(stored()[..., None], 1, rows=HEIGHT, tags=tags)
        data = tiff((fields, [pixels, area], False))
    else:
        image = Image.fromarray(stored())
        options = {"lossless": True, "xmp": xmp} if format == "WEBP" else {}
        data = encoded(image, format, exif=b"Exif\0\0" + block, **options)
    photo = Photo.open(data)
    left, top, width, height = subject(photo)
    assert numbers(photo, 37396) == (left + width // 2, top + height // 2)
    if format != "PNG":
        found = values(tree(photo), "stArea", "x", "y", "w", "h")
        np.testing.assert_allclose(found, shares(photo), atol=1e-6)


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("format", [pytest.param("AVIF", marks=needs_avif), "HEIF"])
def test_where_boxes_turn_the_picture(format, orientation):
    image = Image.fromarray(stored()).convert("RGB").resize((WIDTH * 4, HEIGHT * 4), 0)
    middle = tuple(4 * one + 2 for one in MIDDLE)
    block = b"Exif\0\0" + exif_of(orientation, {37396: middle}).pack()
    xmp = packet(AS_ATTRIBUTES.format(*SHARES))
    if format == "AVIF":
        data = encoded(image, "AVIF", exif=block, xmp=xmp)
    else:
        data = heic(image, exif=block, xmp=xmp, chroma=444)
    photo = Photo.open(data)
    left, top, width, height = subject(
        Photo(photo.pixels[..., 0] if photo.pixels.ndim > 2 else photo.pixels)
    )
    found = np.array(numbers(photo, 37396))
    assert (np.abs(found - (left + width / 2, top + height / 2)) <= 2).all()
    found = values(tree(photo), "stArea", "x", "y", "w", "h")
    wanted = shares(Photo(photo.pixels[..., 0] if photo.pixels.ndim > 2 else photo.pixels))
    np.testing.assert_allclose(found, wanted, atol=0.03)


@pytest.mark.parametrize(
    ("boxes", "orientation"),
    [
        ([], 1),
        ([(b"imir", b"\1")], 2),
        ([(b"irot", b"\2")], 3),
        ([(b"imir", b"\0")], 4),
        ([(b"irot", b"\1"), (b"imir", b"\0")], 5),
        ([(b"irot", b"\3")], 6),
        ([(b"irot", b"\3"), (b"imir", b"\0")], 7),
        ([(b"irot", b"\1")], 8),
        ([(b"imir", b"\1"), (b"irot", b"\3")], 7),
        ([(b"imir", b"\1"), (b"imir", b"\1")], 1),
    ],
)
def test_boxes_say_what_orientations_do(boxes, orientation):
    assert orientation_of(boxes) == orientation


def test_what_is_saved_points_to_the_same_place(tmp_path):
    photo = Photo.open(
        jpeg(6, {37396: (*MIDDLE, ACROSS, DOWN)}, packet(AS_ATTRIBUTES.format(*SHARES)))
    )
    picture = np.repeat(photo.pixels[..., None], 3, axis=2)
    save(photo, tmp_path / "new.jpg", picture)
    again = Photo.open(tmp_path / "new.jpg")
    left, top, width, height = subject(photo)
    assert numbers(again, 37396) == (left + width // 2, top + height // 2, width, height)
    found = values(tree(again), "stArea", "x", "y", "w", "h")
    np.testing.assert_allclose(found, shares(photo), atol=1e-6)


def test_a_cropped_photo_says_nothing_of_places():
    from colorize.color.border import Border

    photo = Photo.open(
        jpeg(1, {37396: MIDDLE}, packet(AS_ATTRIBUTES.format(*SHARES) + PEOPLES["element"]))
    )
    corners = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
    vars(photo)["border"] = Border(corners, (HEIGHT, WIDTH))
    cropped = photo.cropped()
    assert cropped.size != photo.size
    assert 37396 not in cropped.metadata.exif.camera and b"<mwg-rs:Area" not in cropped.metadata.xmp
    (said,) = losses(cropped)
    assert all(name in said for name in ("SubjectArea", "mwg-rs:Regions", "MP:RegionInfo"))


def test_damaged_packets_stay_damaged():
    photo = Photo.open(jpeg(6, xmp=packet(AS_ATTRIBUTES.format(*SHARES))[:-20]))
    assert losses(photo) == ["Its XMP metadata is damaged or too large and was left out."]


def test_resolutions_of_a_block_change_places():
    exif = exif_of(6)
    image = exif.image | {282: exif.number(5, 300, 1), 283: exif.number(5, 600, 1)}
    image[296] = exif.number(3, 1)  # no unit: the shape of a pixel
    camera = {41486: exif.number(5, 7, 1), 41487: exif.number(5, 9, 1)}
    block = Exif("<", image, camera).pack()
    data = encoded(Image.fromarray(stored()), "JPEG")
    found = Photo.open(data[:2] + segments(0xE1, b"Exif\0\0" + block) + data[2:]).metadata.exif
    assert found.image[282].data == exif.number(5, 600, 1).data
    assert found.camera[41486].data == exif.number(5, 9, 1).data
    assert read_exif(io.BytesIO(block))[0].camera[41486].data == exif.number(5, 7, 1).data
