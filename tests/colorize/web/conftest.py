"""A visitor: without a server, or with the app in a browser."""

import pytest

from colorize.models.record import list_checkpoints
from colorize.web.session import Sessions
from colorize.web.workshop import Workshop


@pytest.fixture
def sessions(checkpoints, tmp_path):
    (tmp_path / "files").mkdir()
    sessions = Sessions(Workshop(tmp_path / "files", list_checkpoints()), tmp_path / "sessions")
    yield sessions
    sessions.close()


@pytest.fixture
def page(visit):
    """The app of the module's `server` in a new visitor's tab."""
    return visit()
