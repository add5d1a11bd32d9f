"""What the app's addresses answer with, as pictures and archives."""

import csv
import io
import zipfile

import numpy as np
from PIL import Image

from colorize.web.pictures.archive import COLUMNS, MANIFEST


def picture(answer):
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def chroma(image):
    """How colourful a picture is: 0 is grey."""
    pixels = np.asarray(image.convert("RGB")).astype(int)
    return (pixels.max(2) - pixels.min(2)).mean()


def unpacked(answer):
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def listed(archive):
    """The rows of the archive's list of how each was made."""
    rows = csv.reader(io.StringIO(archive.read(MANIFEST).decode("utf-8-sig")))
    assert tuple(next(rows)) == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]
