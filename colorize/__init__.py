"""Colour for black-and-white photos: `Colorizer`, `Photo`, `list_checkpoints`.

Importing this package is cheap: torch is loaded when a name is first used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["Colorizer", "Photo", "list_checkpoints"]

_HOMES = {
    "Colorizer": "colorize.inference.colorizer",
    "Photo": "colorize.photo",
    "list_checkpoints": "colorize.models.record",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'colorize' has no attribute {name!r}")
