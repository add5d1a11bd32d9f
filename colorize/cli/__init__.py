"""The command line: `python -m colorize COMMAND`. Torch is imported when a command needs it."""

import sys

from colorize.cli import checkpoints, film, measure, photo, train  # noqa: F401 - their commands
from colorize.cli.base import app

_ORDER = (
    *("photo", "film", "models", "train", "evaluate", "sheet"),
    *(
        "judge",
        "decodings",
        "robustness",
        "bleeding",
        "score-hints",
        "export",
        "blend",
        "import",
        "fetch",
    ),
)
app.registered_commands.sort(key=lambda registered: _ORDER.index(registered.name))


def main() -> None:
    """The entry point. Exits 0 when all went well, 1 when something failed, 2 for wrong use."""
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no error
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()
