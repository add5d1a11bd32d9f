"""What is wrong with a picture that cannot be read, in one sentence."""

import re

from PIL import Image

from colorize.errors import ColorizeError

_REASONS = {
    MemoryError: "needs more memory than there is; make it smaller first.",
    Image.DecompressionBombError: "is too large to be opened; make it smaller first.",
    "truncated|incomplete|not large enough|end of file|decode next frame": (
        "is cut off or damaged; copy it again from where it came."
    ),
    "decompressed data too large|text chunks": (
        "carries a suspiciously large text or colour profile; save it without metadata first."
    ),
    "finite number": "holds no usable values (NaN or infinity only); give another picture.",
    "unknown pixel mode|unsupported|cannot handle|not supported|conversion from": (
        "is of a rare kind that cannot be read; save it as PNG or JPEG first."
    ),
}


class PhotoError(ColorizeError):
    """A picture that cannot be read or written: one sentence that names the file."""


def check_size(name: str, size: tuple[int, int], max_megapixels: float) -> None:
    """Raises PhotoError for a picture without pixels, or with too many."""
    width, height = size
    if not width or not height:
        raise PhotoError(f"{name} has no pixels ({width} x {height}); give another picture.")
    if width * height > max_megapixels * 1e6:
        raise PhotoError(
            f"{name} has {width:,} x {height:,} pixels ({width * height / 1e6:,.1f} megapixels), "
            f"more than the {max_megapixels:g} megapixels allowed; make it smaller first."
        )


def what_is_wrong(name: str, error: Exception) -> str:
    """One sentence for a failure to decode."""
    reason = str(error).lower()
    for words, sentence in _REASONS.items():
        if isinstance(error, words) if isinstance(words, type) else re.search(words, reason):
            return f"{name} {sentence}"
    return f"{name} is damaged and cannot be decoded; copy it again from where it came."
