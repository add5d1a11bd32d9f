"""The command line: `python -m turing COMMAND`."""

import sys

from turing.cli import build, publish, results, space, store, study  # noqa: F401 - register their commands
from turing.cli.base import app

# As a study goes; the others after them.
_ORDER = ("build", "preview", "open", "close", "status", "results", "report", "export", "power")
app.registered_commands.sort(
    key=lambda one: _ORDER.index(one.name) if one.name in _ORDER else len(_ORDER)
)


def main() -> None:
    """The entry point. Exits 0 when all went well, 1 when something failed, 2 for wrong use."""
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no error
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()
