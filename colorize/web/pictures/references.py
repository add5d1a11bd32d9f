"""The photos whose colours a visitor's photos are to take."""

import os
import shutil
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError
from colorize.web.photos.item import Upload
from colorize.web.session import Session

MOST = 100  # of a session


def keep_reference(session: Session, file: Path) -> dict[str, Any]:
    """Keeps a file for the session's photos; its number and size in pixels, for the page.

    ColorizeError for what is no photo, has no colours, or is one too many.
    """
    number = len(session.references)
    if number >= MOST:
        raise ColorizeError(f"{MOST} reference photos fit: start over to take others")
    folder = session.folder / f"reference-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / file.name
    kept.unlink(missing_ok=True)  # of one that was refused
    try:
        os.link(file, kept)
    except OSError:
        shutil.copyfile(file, kept)
    upload = Upload(session.key, kept)
    size = session.workshop.reference(upload).photo.size
    session.references.append(upload)
    return {"number": session.references.index(upload), "name": file.name, "size": size}
