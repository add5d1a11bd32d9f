"""What points into a picture, turned with its pixels: where the subject is, faces, regions."""

import struct
from dataclasses import replace

from colorize.photo.exif import WHOLE, Exif, Field, Fields
from colorize.photo.metadata.geometry import Size, swaps, turned_subject
from colorize.photo.metadata.regions import turned_regions, without_regions

# Of EXIF (and TIFF/EP): the subject's place, under either number.
_SUBJECTS = {
    37396: "its subject's place (SubjectArea)",
    41492: "its subject's place (SubjectLocation)",
}
_PAIRS = ((282, 283), (41486, 41487))  # resolutions across and down, of file and sensor


def turned(
    exif: Exif | None, xmp: bytes | None, orientation: int, size: Size
) -> tuple[Exif | None, bytes | None, list[str]]:
    """EXIF and XMP of a picture that is turned upright from `size` (width, height), and names of
    what was left out, for it lies outside that or cannot be read."""
    if orientation == 1:
        return exif, xmp, []
    lost: list[str] = []
    if exif is not None:
        camera = dict(exif.camera)
        for tag in _SUBJECTS.keys() & camera.keys():
            try:
                camera[tag] = _turned_field(camera[tag], exif.order, orientation, size)
            except (ValueError, struct.error):
                del camera[tag]
                lost.append(_SUBJECTS[tag])
        exif = replace(exif, camera=camera)
        if swaps(orientation):
            image, camera = _exchanged(exif.image), _exchanged(camera)
            exif = replace(exif, image=image, camera=camera)
    if xmp is not None:
        xmp, more = turned_regions(xmp, orientation, size)
        lost += more
    return exif, xmp, lost


def without_places(
    exif: Exif | None, xmp: bytes | None
) -> tuple[Exif | None, bytes | None, list[str]]:
    """The same without what points into the picture, of which only a part is left."""
    lost: list[str] = []
    if exif is not None:
        lost += [name for tag, name in _SUBJECTS.items() if tag in exif.camera]
        camera = {tag: value for tag, value in exif.camera.items() if tag not in _SUBJECTS}
        exif = replace(exif, camera=camera)
    if xmp is not None:
        xmp, more = without_regions(xmp)
        lost += more
    return exif, xmp, lost


def _turned_field(field: Field, order: str, orientation: int, size: Size) -> Field:
    if field.type not in WHOLE:
        raise ValueError("no whole numbers")
    form = f"{order}{field.count}{WHOLE[field.type]}"
    numbers = turned_subject(struct.unpack(form, field.data), orientation, size)
    return field._replace(data=struct.pack(form, *numbers))


def _exchanged(fields: Fields) -> Fields:
    """With the numbers for across and for down exchanged."""
    other = dict(fields)
    for across, down in _PAIRS:
        if across in fields and down in fields:
            other[across], other[down] = fields[down], fields[across]
    return other
