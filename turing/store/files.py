"""Files that are there whole or not at all."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

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
def unfinished(target: Path) -> Iterator[Path]:
    """A new file beside `target`, which takes its place, on disk, if the block succeeds."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(descriptor)
    path = Path(name)
    try:
        yield path
        _sync(path)
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)
    try:
        _sync(target.parent)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
