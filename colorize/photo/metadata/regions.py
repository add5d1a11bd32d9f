"""Regions of a picture in an XMP packet: faces, subjects, what IPTC, Microsoft and ACDSee mark.

Their places are those of the stored pixels (Metadata Working Group 2.0, 5.9): they turn when these
are turned, and are left out where nobody can say where they went.
"""

import math
from collections.abc import Callable, Iterator
from xml.dom import minidom

from colorize.photo.metadata.geometry import (
    Size,
    swaps,
    turned_point,
    turned_size,
    turned_subject,
)
from colorize.photo.metadata.xmp import EXIF, IPTC, RDF, TIFF, packet_of, parse_xmp

_MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
_AREA = "http://ns.adobe.com/xmp/sType/Area#"
_DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_MICROSOFT = "http://ns.microsoft.com/photo/1.2/"
_MICROSOFT_REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"
_ACDSEE = "http://ns.acdsee.com/regions/"
_ACDSEE_AREA = "http://ns.acdsee.com/sType/Area#"
_ACDSEE_DIMENSIONS = "http://ns.acdsee.com/sType/Dimensions#"
# Numbers across and down that change places where width and height do.
_PAIRS = (
    (TIFF, "XResolution", "YResolution"),
    (EXIF, "FocalPlaneXResolution", "FocalPlaneYResolution"),
)
_DECIMALS = 9

Node = minidom.Element | minidom.Attr
Turn = Callable[[minidom.Element, int, Size], None]


def turned_regions(xmp: bytes, orientation: int, size: Size) -> tuple[bytes, list[str]]:
    """The packet for the picture that is turned upright from `size`, and names of what was left out
    of it. A damaged packet, and one that holds no places, stays as it is."""
    try:
        document, nodes = parse_xmp(xmp)
        lost, found = [], False
        for element, name, turn in _regions(nodes):
            found = True
            try:
                turn(element, orientation, size)
            except ValueError:
                element.parentNode.removeChild(element)
                lost.append(name)
        if swaps(orientation):
            for pair in _PAIRS:
                found |= _exchanged(nodes, *pair)
        return (packet_of(document) if found else xmp), lost
    except (ValueError, RecursionError):
        return xmp, []


def without_regions(xmp: bytes) -> tuple[bytes, list[str]]:
    """The packet without places in the picture, and the names of those that it had."""
    try:
        document, nodes = parse_xmp(xmp)
        regions = list(_regions(nodes))
        for element, _, _ in regions:
            element.parentNode.removeChild(element)
        return (packet_of(document) if regions else xmp), [name for _, name, _ in regions]
    except (ValueError, RecursionError):
        return xmp, []


def _regions(nodes: list[minidom.Element]) -> Iterator[tuple[minidom.Element, str, Turn]]:
    for node in nodes:
        for child in list(node.childNodes):
            if known := _KNOWN.get((child.namespaceURI, child.localName)):
                yield child, *known


def _turn_working_group(regions: minidom.Element, orientation: int, size: Size) -> None:
    """Regions with areas around their centres (mwg-rs), normalised or in pixels, and ACDSee's."""
    own = regions.namespaceURI == _MWG
    sides, area = (_DIMENSIONS, _AREA) if own else (_ACDSEE_DIMENSIONS, _ACDSEE_AREA)
    frame: Size = size
    for told in regions.getElementsByTagNameNS(regions.namespaceURI, "AppliedToDimensions"):
        across, down = (_required(told, sides, name) for name in ("w", "h"))
        frame = _number(across), _number(down)
        if swaps(orientation) and (frame[0] - frame[1]) * (size[0] - size[1]) < 0:
            return  # written for the upright picture
        for node, value in zip((across, down), turned_size(orientation, *frame), strict=True):
            _write(node, value)
    for name in ("Area",) if own else ("DLYArea", "ALGArea"):
        for one in regions.getElementsByTagNameNS(regions.namespaceURI, name):
            unit = _find(one, area, "unit")
            within = frame if unit is not None and _text(unit) == "pixel" else (1.0, 1.0)
            _turn_point(one, area, ("x", "y"), orientation, within)
            if swaps(orientation):
                _exchanged([one], area, "w", "h")


def _turn_microsoft(regions: minidom.Element, orientation: int, size: Size) -> None:
    """Rectangles of four shares in one text: left, top, width, height."""
    everywhere = (node.attributes.values() for node in regions.getElementsByTagName("*"))
    found = [node for attributes in everywhere for node in attributes]
    found += regions.getElementsByTagNameNS(_MICROSOFT_REGION, "Rectangle")
    for node in found:
        if (node.namespaceURI, node.localName) == (_MICROSOFT_REGION, "Rectangle"):
            left, top, width, height = (_finite(part) for part in _text(node).split(","))
            box = _turned_box(orientation, left, top, width, height, (1.0, 1.0))
            _set(node, ", ".join(map(_plain, box)))


def _turn_iptc(regions: minidom.Element, orientation: int, size: Size) -> None:
    """Rectangles by their left upper corner, circles by their centre, polygons by their points."""
    for boundary in regions.getElementsByTagNameNS(IPTC, "RegionBoundary"):
        unit = _text(_required(boundary, IPTC, "rbUnit"))
        shape = _text(_required(boundary, IPTC, "rbShape"))
        if unit not in ("pixel", "relative"):
            raise ValueError("an unknown unit")
        within = size if unit == "pixel" else (1.0, 1.0)
        if shape == "rectangle":
            nodes = [_required(boundary, IPTC, name) for name in ("rbX", "rbY", "rbW", "rbH")]
            box = _turned_box(orientation, *map(_number, nodes), within)
            for node, value in zip(nodes, box, strict=True):
                _write(node, value)
        elif shape == "circle":
            _turn_point(boundary, IPTC, ("rbX", "rbY"), orientation, within)
            radius = _required(boundary, IPTC, "rbRx")
            if unit == "relative" and swaps(orientation):  # to the width
                _write(radius, _number(radius) * size[0] / size[1])
        elif shape == "polygon":
            for vertices in boundary.getElementsByTagNameNS(IPTC, "rbVertices"):
                for point in vertices.getElementsByTagNameNS(RDF, "li"):
                    _turn_point(point, IPTC, ("rbX", "rbY"), orientation, within)
        else:
            raise ValueError("an unknown shape")


def _turn_subject(subject: minidom.Element, orientation: int, size: Size) -> None:
    """EXIF's subject in XMP: a point, a circle or a rectangle around it, in pixels."""
    items = subject.getElementsByTagNameNS(RDF, "li")
    numbers = turned_subject([int(_text(item)) for item in items], orientation, size)
    for item, number in zip(items, numbers, strict=True):
        _set(item, str(number))


_KNOWN: dict[tuple[str, str], tuple[str, Turn]] = {
    (_MWG, "Regions"): ("its regions (mwg-rs:Regions)", _turn_working_group),
    (_ACDSEE, "Regions"): ("its regions (acdsee-rs:Regions)", _turn_working_group),
    (_MICROSOFT, "RegionInfo"): ("its people's places (MP:RegionInfo)", _turn_microsoft),
    (IPTC, "ImageRegion"): ("its regions (Iptc4xmpExt:ImageRegion)", _turn_iptc),
    (EXIF, "SubjectArea"): ("its subject's place (exif:SubjectArea)", _turn_subject),
    (EXIF, "SubjectLocation"): ("its subject's place (exif:SubjectLocation)", _turn_subject),
}


def _turn_point(
    node: minidom.Element, namespace: str, names: tuple[str, str], orientation: int, within: Size
) -> None:
    across, down = (_required(node, namespace, name) for name in names)
    point = turned_point(orientation, _number(across), _number(down), within)
    _write(across, point[0])
    _write(down, point[1])


def _turned_box(
    orientation: int, left: float, top: float, width: float, height: float, within: Size
) -> tuple[float, float, float, float]:
    corners = (
        turned_point(orientation, left, top, within),
        turned_point(orientation, left + width, top + height, within),
    )
    new_left, new_top = map(min, *corners)
    return (new_left, new_top, *turned_size(orientation, width, height))


def _exchanged(nodes: list[minidom.Element], namespace: str, across: str, down: str) -> bool:
    """Exchange two simple properties; whether both are there."""
    places = [
        next((one for node in nodes if (one := _find(node, namespace, name)) is not None), None)
        for name in (across, down)
    ]
    if None in places:
        return False
    texts = [_text(place) for place in places]
    for place, text in zip(places, reversed(texts), strict=True):
        _set(place, text)
    return texts[0] != texts[1]


def _find(node: minidom.Element, namespace: str, name: str) -> Node | None:
    """A field of a structure, however it is written (XMP part 1, 7.9.2)."""
    inner = [child for child in node.childNodes if child.nodeType == child.ELEMENT_NODE]
    for holder in (node, *(child for child in inner if child.namespaceURI == RDF)):
        if (attribute := holder.getAttributeNodeNS(namespace, name)) is not None:
            return attribute
        for child in holder.childNodes:
            if (child.namespaceURI, child.localName) == (namespace, name):
                return child
    return None


def _required(node: minidom.Element, namespace: str, name: str) -> Node:
    if (found := _find(node, namespace, name)) is None:
        raise ValueError(f"no {name}")
    return found


def _text(node: Node) -> str:
    if node.nodeType == node.ATTRIBUTE_NODE:
        return node.value.strip()
    return "".join(child.data for child in node.childNodes if child.nodeType == 3).strip()


def _set(node: Node, text: str) -> None:
    if node.nodeType == node.ATTRIBUTE_NODE:
        node.value = text
        return
    for child in list(node.childNodes):
        node.removeChild(child)
    node.appendChild(node.ownerDocument.createTextNode(text))


def _number(node: Node) -> float:
    return _finite(_text(node))


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError("no number")
    return value


def _write(node: Node, value: float) -> None:
    _set(node, _plain(value))


def _plain(value: float) -> str:
    value = round(value, _DECIMALS) + 0.0  # which has no sign where it is zero
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
