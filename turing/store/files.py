"""Files that are there whole or not at all."""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows, where a file that is open cannot be deleted anyway
    fcntl = None

_OF_SQLITE = ("", "-journal", "-wal", "-shm")
_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)  # of a folder, on some mounted buckets


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """A folder for what the block writes; where it fails, what was made and is empty goes again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # not empty, or never made
            for path in made:
                path.rmdir()
        raise


@contextlib.contextmanager
def unfinished(target: Path, *, replaces: bool = True) -> Iterator[Path]:
    """A new file beside `target`, which takes its place, on disk, if the block succeeds.

    What killed programs left of such a file is cleared first. replaces: False where a `target` that
    is there by then is to stay.
    """
    clear_leftovers(target.parent, re.escape(target.name))
    try:
        descriptor, path = _begun(target)
    except OSError as error:
        error.filename = str(target)  # not of the one beside it
        raise
    try:
        yield path
        _sync(path)
        if replaces:
            path.replace(target)
        else:
            _add(path, target)
    except OSError as error:
        if error.filename == str(path):
            error.filename = str(target)
        raise
    finally:
        for ending in _OF_SQLITE:
            path.with_name(path.name + ending).unlink(missing_ok=True)
        os.close(descriptor)
    try:
        _sync(target.parent)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def clear_leftovers(folder: Path, names: str) -> None:
    """Deletes the unfinished files of programs that have ended; those of others stay.

    names: a regular expression of the names that the files would have taken.
    """
    unfinished_one = re.compile(rf"\.({names})\.[a-z0-9_]{{8}}")
    with contextlib.suppress(OSError):  # no such folder, or not ours
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(".") and unfinished_one.fullmatch(entry.name):
                _clear(Path(entry.path))


def _begun(target: Path) -> tuple[int, Path]:
    """A new file, and a descriptor that keeps it locked as long as that is open."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        if fcntl is None:
            return descriptor, Path(name)
        with contextlib.suppress(OSError):  # some disks know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # taken for a leftover before it was locked


def _add(path: Path, target: Path) -> None:
    """Gives a file its name, unless there is another of that name."""
    with contextlib.suppress(FileExistsError):
        try:
            os.link(path, target)
        except FileExistsError:
            raise
        except OSError:  # some disks know one name a file
            if not target.exists():
                path.replace(target)


def _clear(path: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDWR)
        try:
            if fcntl:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError: it has an owner
            for ending in reversed(_OF_SQLITE):
                path.with_name(path.name + ending).unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
