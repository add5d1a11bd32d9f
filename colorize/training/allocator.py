"""Memory that a process frees and takes again at once, as each step of training does."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # of glibc's malloc.h
_TOP_PAD = 2**28


def keep_freed_memory() -> bool:
    """Lets glibc keep freed memory for what comes next; False where there is no glibc.

    Otherwise it gives each big tensor back to the system and has the next one's pages filled
    with zeros: a quarter of the time of a training step on a CPU. For processes that end with
    their work, as what they once took they keep.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    settings = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: -1, _M_TOP_PAD: _TOP_PAD}
    return all(mallopt(which, value) for which, value in settings.items())
