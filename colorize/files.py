"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """A binary file to write and read, which takes the place of `file` when the block ends well.

    It is synced to disk before it takes the name; when the block raises, `file` is as it was.
    """
    temporary = file.with_name(f".colorize-{secrets.token_hex(6)}.tmp")  # fits, however long `file`
    try:
        with temporary.open("x+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(file)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
