"""Files that are there whole or not at all, and those that a system keeps for itself."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # on Windows, where a file that is open cannot be deleted anyway
    fcntl = None

_NAME = re.compile(r"\.colorize-[0-9a-f]{12}\.tmp")
# What systems and programs keep beside photos: thumbnails, rubbish, indexes, earlier versions.
_OF_SYSTEMS = re.compile(
    r"\._.*"  # what a Mac writes beside a file where the disk holds no attributes
    r"|__macosx|\.appledouble|\.appledb|\.appledesktop|network trash folder"
    r"|\.trashes|\.spotlight-v100|\.fseventsd|\.temporaryitems|\.documentrevisions-v100"
    r"|\.mobilebackups"
    r"|\$recycle\.bin|system volume information|found\.\d{3}|config\.msi"
    r"|\.trash(-\d+)?|\.xvpics|\.thumbnails|\.thumbs|\.thumb|lost\+found|\.snapshots?|\.zfs"
    r"|@eadir|\.eadir|@synoresource|@synoeastream|@tmp|@sharebin|[@#]recycle|[@#]snapshot|\.recycle"
    r"|\.@__thumb|\.@upload_cache|\.streams|\.qsync"  # Synology before, QNAP here
    r"|\.dtrash|\.picasaoriginals|\.trashed-.*"  # digiKam, Picasa, Android
    r"|\.stfolder|\.stversions|\.sync|\.!sync|\.dropbox(\.cache)?|\.tmp\.drive(down|up)load",
    re.IGNORECASE | re.DOTALL,
)


@contextmanager
def replacing(file: Path, *, tidy: bool = True) -> Iterator[BinaryIO]:
    """A binary file to write and read, which takes the place of `file` when the block ends well.

    It is synced to disk before it takes the name; when the block raises, `file` is as it was.
    tidy: what killed programs left in the folder is cleared first; who writes many files there
        does that once by `clear_leftovers`.
    """
    if tidy:
        clear_leftovers(file.parent)
    try:
        out, temporary = _begun(file.parent)
    except OSError as error:
        error.filename = str(file)
        raise
    try:
        with out:
            yield out
            out.flush()
            os.fsync(out.fileno())
            if fcntl:  # while it is locked, so that nobody takes it for a leftover
                temporary.replace(file)
        if not fcntl:
            temporary.replace(file)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        _name(error, temporary, file)
        raise


def is_of_a_system(name: str) -> bool:
    """Whether a file or folder of this name is no photo of people, nor holds any."""
    return bool(_OF_SYSTEMS.fullmatch(name))


def clear_leftovers(folder: Path) -> None:
    """Deletes the unfinished files of programs that have ended; those of others stay."""
    with suppress(OSError):  # no such folder, or not ours
        for entry in list(os.scandir(folder)):
            if _NAME.fullmatch(entry.name):
                _clear(Path(entry.path))


def _begun(folder: Path) -> tuple[BinaryIO, Path]:
    """A new file that is locked as long as it is open."""
    while True:
        temporary = folder / f".colorize-{secrets.token_hex(6)}.tmp"  # fits, however long the name
        out = temporary.open("x+b")
        if fcntl is None:
            return out, temporary
        with suppress(OSError):  # some disks know no locks
            fcntl.flock(out, fcntl.LOCK_EX)
        if os.fstat(out.fileno()).st_nlink:
            return out, temporary
        out.close()  # taken for a leftover before it was locked


def _name(error: BaseException, temporary: Path, file: Path) -> None:
    """Tells people of the file that they asked for, not of the one beside it."""
    if isinstance(error, OSError) and error.filename == str(temporary):
        error.filename = str(file)


def _clear(file: Path) -> None:
    with suppress(OSError), file.open("rb") as left:
        if fcntl:
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError while its owner has it
        else:
            left.close()
        file.unlink()
