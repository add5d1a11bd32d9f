import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from colorize.examples import write_examples
from colorize.pictures import PREFIX, Pictures, download_names
from colorize.record import list_checkpoints
from colorize.session import Sessions
from colorize.workshop import Workshop

MODELS = ["direct", "bins"]


@pytest.fixture
def sessions(checkpoints, tmp_path):
    (tmp_path / "files").mkdir()
    sessions = Sessions(Workshop(tmp_path / "files", list_checkpoints()), tmp_path / "sessions")
    yield sessions
    sessions.close()


@pytest.fixture
def client(sessions, tmp_path):
    pictures = Pictures(sessions, write_examples(tmp_path / "examples"))
    return TestClient(Starlette(routes=pictures.routes()), raise_server_exceptions=True)


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
    list(session.run(MODELS, None))
    return session


@pytest.fixture
def get(client, session):
    def get(path, **query):
        return client.get(f"{PREFIX}/{session.key}/{path}", params=query)

    return get


def picture(answer):
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def chroma(image):
    pixels = np.asarray(image.convert("RGB")).astype(int)
    return (pixels.max(2) - pixels.min(2)).mean()


def test_previews(get):
    assert picture(get("1/grey", side=400)).size == (400, 267)
    assert picture(get("1/grey", side=700)).size == (800, 533)
    assert picture(get("1/grey", side=99999)).size == (900, 600)
    assert chroma(picture(get("1/grey"))) < 1
    assert chroma(picture(get("1/original"))) > 20
    assert chroma(picture(get("1/direct/colour"))) > 3


def test_saturation_and_temperature_come_with_the_address(get):
    grey = chroma(picture(get("1/bins/colour", saturation=0)))
    plain = chroma(picture(get("1/bins/colour")))
    strong = chroma(picture(get("1/bins/colour", saturation=2)))
    assert grey < 1 < plain < strong
    careful = picture(get("1/bins/colour", temperature=1))
    assert np.asarray(careful).tolist() != np.asarray(picture(get("1/bins/colour"))).tolist()


def test_full_size_file_keeps_metadata_and_name(get, tmp_path):
    answer = get("1/direct/file")
    image = picture(answer)
    assert image.size == (900, 600) and image.format == "JPEG"
    assert image.getexif()[0x010E] == "Grandmother"
    assert 'filename="old-direct.jpg"' in answer.headers["content-disposition"]
    assert 'filename="old-direct-2.jpg"' in get("2/direct/file").headers["content-disposition"]
    assert not list((tmp_path / "files").iterdir())


@pytest.mark.parametrize(("choice", "format"), [("png", "PNG"), ("jpg", "JPEG"), ("keep", "JPEG")])
def test_format_of_the_file(get, choice, format):
    assert picture(get("2/bins/file", format=choice)).format == format


def test_zip_holds_every_file_once(get, tmp_path):
    answer = get("all.zip", models="direct,bins", format="png", saturation=1.5)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert archive.namelist() == [
        "old-direct.png", "old-bins.png", "old-direct-2.png", "old-bins-2.png",
    ]  # fmt: skip
    single = get("2/bins/file", format="png", saturation=1.5).content
    inside = Image.open(io.BytesIO(archive.read("old-bins-2.png")))
    assert np.array_equal(np.asarray(inside), np.asarray(Image.open(io.BytesIO(single))))
    assert not list((tmp_path / "files").iterdir())


def test_zip_says_what_it_lacks(get, session):
    session.items[1].upload.file.unlink()
    session._workshop.forget(session.key)
    archive = zipfile.ZipFile(io.BytesIO(get("all.zip", models="direct").content))
    assert archive.namelist() == ["old-direct.jpg", "not-included.txt"]
    assert archive.read("not-included.txt").decode().startswith("old.jpg: ")


def test_figures_of_colour_photos_only(get):
    figures = get("1/direct/figures").json()
    assert figures.keys() == {"psnr", "ciede2000", "colorfulness"}
    assert get("2/direct/figures").status_code == 404


def test_uncertainty_of_models_over_bins_only(get):
    assert picture(get("1/bins/uncertainty")).mode == "RGBA"
    assert get("1/direct/uncertainty").status_code == 404


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("3/grey", {}, 404),
        ("1/nothing/colour", {}, 404),
        ("1/direct/colour", {"size": 192}, 404),
        ("1/direct/colour", {"saturation": "x"}, 422),
        ("1/direct/colour", {"saturation": "nan"}, 422),
        ("1/direct/colour", {"saturation": "-1"}, 422),
        ("1/direct/file", {"format": "exe"}, 422),
        ("1/grey", {"side": "inf"}, 422),
        ("all.zip", {"models": "nothing"}, 404),
        ("all.zip", {}, 404),
    ],
)
def test_wrong_requests_get_one_sentence(get, path, query, status):
    answer = get(path, **query)
    assert answer.status_code == status
    assert "\n" not in json.loads(answer.text)["error"]
    assert answer.headers["cache-control"] == "no-store"


def test_pictures_of_others_are_not_there(client, session, sessions):
    other = sessions.of("you")
    for key in (other.key, "x", session.key[:-1]):
        assert client.get(f"{PREFIX}/{key}/1/grey").status_code == 404
    sessions.drop("me")
    answer = client.get(f"{PREFIX}/{session.key}/1/grey")
    assert answer.status_code == 404 and "Drop them again" in answer.json()["error"]


def test_examples(client):
    for number in range(3):
        assert chroma(picture(client.get(f"{PREFIX}/example/{number}"))) == 0
    assert client.get(f"{PREFIX}/example/3").status_code == 404


def test_names_are_never_doubled(sessions, tmp_path):
    session = sessions.of("me")
    files = []
    for number, name in enumerate(("a.png", "a.png", "A.jpg", "a-2.png", "a-direct.png")):
        files.append(tmp_path / str(number) / name)
        files[-1].parent.mkdir()
        Image.new("L", (9, 9)).save(files[-1])
    list(session.add(files))
    names = download_names(session.items, MODELS)
    assert len({name.lower() for name in names.values()}) == 10
    assert [names[n, "direct"] for n in (1, 2, 3)] == ["a-direct", "a-direct-2", "A-direct-3"]
