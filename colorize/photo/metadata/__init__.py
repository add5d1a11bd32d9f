"""What a photo file says about itself: EXIF, XMP, IPTC, comments and resolution in, and out again
with the colours disclosed as a guess."""

from colorize.photo.metadata.reading import (
    Metadata,
    read_metadata,
    read_tiff_metadata,
    says_adobe_rgb,
)
from colorize.photo.metadata.writing import Outgoing, jpeg_segments, outgoing, png_profile
from colorize.photo.metadata.xmp import DIGITAL_SOURCE_TYPE

__all__ = [
    "DIGITAL_SOURCE_TYPE",
    "Metadata",
    "Outgoing",
    "jpeg_segments",
    "outgoing",
    "png_profile",
    "read_metadata",
    "read_tiff_metadata",
    "says_adobe_rgb",
]
