"""XMP packets: the orientation in them, and what is no longer true of the picture in colour."""

from typing import NamedTuple
from xml.dom import minidom
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

XMP_KEYWORD = "XML:com.adobe.xmp"  # of the text chunk of a PNG (XMP part 3, 1.1.5)
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
TIFF = "http://ns.adobe.com/tiff/1.0/"
EXIF = "http://ns.adobe.com/exif/1.0/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_CAMERA_RAW = "http://ns.adobe.com/camera-raw-settings/1.0/"
_MEDIA = "http://ns.adobe.com/xap/1.0/mm/"
_EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
_XMP_NOTE = "http://ns.adobe.com/xmp/note/"
_RGB_MODE, _SRGB_NAME = "3", "sRGB IEC61966-2.1"
# What says that a video, a sound, a depth or a gain map comes with the picture.
_COMPANIONS = (
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/container/item/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.google.com/photos/dd/1.0/",
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.apple.com/pixeldatainfo/1.0/",
    "http://ns.apple.com/depthData/1.0/",
    "http://ns.apple.com/depthBlurEffect/1.0/",
    "http://ns.oplus.com/photos/1.0/camera/",
    "http://ns.xiaomi.com/photos/1.0/camera/",
)
COMPANIONS_LEFT_OUT = "A video, sound, depth or gain map that came with it was left out."
_GOOGLE_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_GOOGLE_COMPANIONS = ("Motion", "MicroVideo", "SpecialType", "RelitInput", "hdrp_makernote")
# What describes how the grey file stored its pixels.
_STORAGE = {
    TIFF: (
        "Orientation",
        "ImageWidth",
        "ImageLength",
        "BitsPerSample",
        "Compression",
        "PhotometricInterpretation",
        "SamplesPerPixel",
        "PlanarConfiguration",
        "YCbCrSubSampling",
        "YCbCrPositioning",
        "TransferFunction",
        "WhitePoint",
        "PrimaryChromaticities",
        "YCbCrCoefficients",
        "ReferenceBlackWhite",
        "NativeDigest",
    ),
    EXIF: ("ColorSpace", "PixelXDimension", "PixelYDimension", "NativeDigest"),
    _XMP: ("Thumbnails",),
    _DUBLIN_CORE: ("format",),
    _CAMERA_RAW: ("ConvertToGrayscale", "Treatment"),
}
# The wrapper of XMP part 1, 7.3
_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{}<?xpacket end="w"?>'
_MOST_XMP = 2 << 20
EMPTY_XMP = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
    '<rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
).encode()


class Disclosed(NamedTuple):
    """A packet, and sentences on what it no longer says."""

    packet: bytes
    notices: list[str]


def parse_xmp(xmp: bytes) -> tuple[minidom.Document, list[minidom.Element]]:
    """The document and its top descriptions. Raises ValueError for all that is no plain XMP."""

    def refuse(*_: object) -> None:
        raise ValueError("an XMP packet has no document type")

    if len(xmp) > _MOST_XMP:
        raise ValueError("too large")
    try:
        # Entities need a document type, so one that is refused cannot expand or fetch anything.
        guard = expat.ParserCreate()
        guard.StartDoctypeDeclHandler = refuse
        guard.Parse(xmp, True)
        document = minidom.parseString(xmp)
        rdf = document.getElementsByTagNameNS(RDF, "RDF")[0]
    except (expat.ExpatError, IndexError, LookupError, RecursionError) as error:
        raise ValueError(str(error)) from error
    nodes = [node for node in rdf.childNodes if node.nodeType == node.ELEMENT_NODE]
    if not nodes:
        nodes = [rdf.appendChild(document.createElementNS(RDF, "rdf:Description"))]
        nodes[0].setAttribute("xmlns:rdf", RDF)
        nodes[0].setAttributeNS(RDF, "rdf:about", "")
    return document, nodes


def _take(nodes: list[minidom.Element], namespace: str, name: str) -> str | None:
    """Remove a simple property wherever it stands, as attribute or element; its (last) value."""
    value = None
    for node in nodes:
        if node.hasAttributeNS(namespace, name):
            value = node.getAttributeNS(namespace, name)
            node.removeAttributeNS(namespace, name)
        for child in list(node.childNodes):
            if (child.namespaceURI, child.localName) == (namespace, name):
                value = "".join(text.data for text in child.childNodes if text.nodeType == 3)
                node.removeChild(child)
    return value


def is_readable(xmp: bytes) -> bool:
    try:
        return bool(parse_xmp(xmp))
    except ValueError:
        return False


def xmp_orientation(xmp: bytes) -> int | None:
    """The orientation in a packet, None in a damaged one."""
    try:
        return int(_take(parse_xmp(xmp)[1], TIFF, "Orientation") or 1)
    except ValueError:
        return None


def disclosed_xmp(xmp: bytes, edit: tuple[str, str] | None = None) -> Disclosed | None:
    """The packet with the disclosure in it, without what is true of the grey file alone; None if
    it is damaged.

    edit: the program and a sentence on what else it changed, for the history.
    """
    try:
        document, nodes = parse_xmp(xmp)
        notices = _leave_out_companions(nodes)
        for namespace, names in _STORAGE.items():
            for name in names:
                _take(nodes, namespace, name)
        _correct(nodes, _PHOTOSHOP, "ColorMode", _RGB_MODE)
        _correct(nodes, _PHOTOSHOP, "ICCProfile", _SRGB_NAME)
        if _take(nodes, _XMP_NOTE, "HasExtendedXMP"):
            notices.append(
                "The second part of its XMP metadata, in further segments, was left out."
            )
        _take(nodes, IPTC, "DigitalSourceType")
        nodes[0].setAttribute("xmlns:Iptc4xmpExt", IPTC)
        nodes[0].setAttributeNS(IPTC, "Iptc4xmpExt:DigitalSourceType", DIGITAL_SOURCE_TYPE)
        if edit:
            _note_edit(document, nodes, *edit)
        return Disclosed(packet_of(document), notices)
    except (ValueError, RecursionError):
        return None


def packet_of(document: minidom.Document) -> bytes:
    return _PACKET.format(_written(document.documentElement)).encode()


def _written(node: minidom.Node) -> str:
    """A node as text. Line breaks in attributes stay, which minidom writes as they are and readers
    take for spaces (XML 1.0, 3.3.3)."""
    if node.nodeType in (node.TEXT_NODE, node.CDATA_SECTION_NODE):
        return escape(node.data, {"\r": "&#13;"})
    if node.nodeType != node.ELEMENT_NODE:
        return node.toxml()
    attributes = "".join(f" {name}={quoteattr(text)}" for name, text in node.attributes.items())
    if not node.childNodes:
        return f"<{node.tagName}{attributes}/>"
    inside = "".join(map(_written, node.childNodes))
    return f"<{node.tagName}{attributes}>{inside}</{node.tagName}>"


def _note_edit(
    document: minidom.Document, nodes: list[minidom.Element], program: str, edit: str
) -> None:
    """Add an event to the history (XMP part 2, xmpMM:History, ResourceEvent)."""

    def add(parent: minidom.Node, namespace: str, prefix: str, name: str) -> minidom.Element:
        child = document.createElementNS(namespace, f"{prefix}:{name}")
        child.setAttribute(f"xmlns:{prefix}", namespace)
        return parent.appendChild(child)

    there = [
        found for node in nodes for found in node.getElementsByTagNameNS(_MEDIA, "History")
    ] or [add(nodes[0], _MEDIA, "xmpMM", "History")]
    lists = there[0].getElementsByTagNameNS(RDF, "Seq") or [add(there[0], RDF, "rdf", "Seq")]
    event = add(lists[0], RDF, "rdf", "li")
    event.setAttributeNS(RDF, "rdf:parseType", "Resource")
    for name, text in (("action", "edited"), ("softwareAgent", program), ("parameters", edit)):
        add(event, _EVENT, "stEvt", name).appendChild(document.createTextNode(text))


def _correct(nodes: list[minidom.Element], namespace: str, name: str, value: str) -> None:
    """Set a simple property where it stands."""
    for node in nodes:
        if node.hasAttributeNS(namespace, name):
            node.getAttributeNodeNS(namespace, name).value = value
        for child in node.childNodes:
            if (child.namespaceURI, child.localName) == (namespace, name):
                for text in list(child.childNodes):
                    child.removeChild(text)
                child.appendChild(child.ownerDocument.createTextNode(value))


def _leave_out_companions(nodes: list[minidom.Element]) -> list[str]:
    """Remove what says that a video, a sound, a depth or a gain map follows, for none does."""
    found = False
    for node in nodes:
        for attribute in list((node.attributes or {}).values()):
            if _is_companion(attribute.namespaceURI, attribute.localName):
                node.removeAttributeNode(attribute)
                found = True
        for child in list(node.childNodes):
            if _is_companion(child.namespaceURI, child.localName):
                node.removeChild(child)
                found = True
    if not found:
        return []
    return [COMPANIONS_LEFT_OUT]


def _is_companion(namespace: str | None, name: str | None) -> bool:
    if namespace == _GOOGLE_CAMERA:
        return (name or "").startswith(_GOOGLE_COMPANIONS)
    return namespace in _COMPANIONS
