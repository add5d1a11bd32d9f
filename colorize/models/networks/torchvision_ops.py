"""Lets torchvision be imported beside a CPU-only torch.

The registry's torchvision wheel is a CUDA build: its library does not load without CUDA, and
`import torchvision` (so timm and lpips) then dies on "operator torchvision::nms does not exist".
Declaring the operators is enough for all but `ops.nms` and `io`.
"""

import ctypes
import importlib.util
import sys
from functools import cache
from pathlib import Path

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def ensure_torchvision() -> torch.library.Library | None:
    """Call before the first import of torchvision. The result is kept: it must not be freed."""
    if "torchvision" in sys.modules or torch.version.cuda or torch.version.hip or _loads():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(name + _SCHEMA)
    return library


def _loads() -> bool:
    """Whether torchvision's own library loads here (true where there is none to fail)."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        return True
    for file in sorted(Path(found.origin).parent.glob("_C.*")):
        try:
            ctypes.CDLL(str(file))
        except OSError:
            return False
    return True
