"""Visitors whose photos are in colour, and their addresses, without a server."""

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from colorize.models.record import list_checkpoints
from colorize.web.photos.examples import write_examples
from colorize.web.pictures.archives import Archives
from colorize.web.pictures.news import News
from colorize.web.pictures.routes import PREFIX, Pictures
from colorize.web.session import Sessions
from colorize.web.workshop import Workshop


def a_client(sessions, examples=()):
    parts = Pictures(sessions, list(examples)), Archives(sessions), News(sessions)
    return TestClient(Starlette(routes=[route for part in parts for route in part.routes()]))


@pytest.fixture
def client(sessions, tmp_path):
    return a_client(sessions, write_examples(tmp_path / "examples"))


@pytest.fixture
def session(sessions, shipped_photos, tmp_path):
    """A colour photo and a grey one of the same name, colorized by both models."""
    colour, grey = tmp_path / "a" / "old.jpg", tmp_path / "b" / "old.jpg"
    for file in (colour, grey):
        file.parent.mkdir()
    image = Image.fromarray(shipped_photos["coffee.png"]).resize((900, 600))
    exif = Image.Exif()
    exif[0x010E] = "Grandmother"
    image.save(colour, exif=exif)
    image.convert("L").save(grey)
    session = sessions.of("me")
    list(session.add([colour, grey]))
    session.choose(["direct", "bins"], None)
    list(session.run())
    return session


@pytest.fixture
def get(client, session):
    def get(path, **query):
        return client.get(f"{PREFIX}/{session.key}/{path}", params=query)

    return get


@pytest.fixture
def hinted(with_hints, shipped_photos, tmp_path):
    """A function like `get`, of a session with two photos done by "hinted" and "direct"."""
    files = tmp_path / "a.png", tmp_path / "b.png"
    for file in files:
        Image.fromarray(shipped_photos["coffee.png"]).resize((90, 60)).save(file)
    (tmp_path / "files").mkdir()
    sessions = Sessions(Workshop(tmp_path / "files", list_checkpoints()), tmp_path / "sessions")
    session = sessions.of("me")
    list(session.add(files))
    session.choose(["hinted", "direct"], None)
    list(session.run())
    client = a_client(sessions)
    yield lambda path, **query: client.get(f"{PREFIX}/{session.key}/{path}", params=query)
    sessions.close()
