"""All results as one ZIP: by an address, and by a list that is too long for one."""

import io
import json
import unicodedata
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from colorize.evaluation.hint_scores import missed_by
from colorize.web.photos.item import Item
from colorize.web.pictures.archive import MANIFEST, download_names
from colorize.web.pictures.routes import PREFIX
from colorize.web.session import MOST_PHOTOS
from tests.support.answers import listed, unpacked

MODELS = ["direct", "bins"]
LONGEST = 14_000  # characters of all strokes on a photo, as the page allows


def test_zip_holds_every_file_once(get, tmp_path):
    answer = get("all.zip", models="direct,bins", format="png", saturation=1.5)
    archive = unpacked(answer)
    assert archive.testzip() is None
    assert archive.namelist() == [
        "old-direct.png", "old-bins.png", "old-direct-2.png", "old-bins-2.png", MANIFEST,
    ]  # fmt: skip
    single = get("2/bins/file", format="png", saturation=1.5).content
    inside = Image.open(io.BytesIO(archive.read("old-bins-2.png")))
    assert np.array_equal(np.asarray(inside), np.asarray(Image.open(io.BytesIO(single))))
    assert not list((tmp_path / "files").iterdir())


def test_files_are_named_by_a_pattern(get):
    answer = get("all.zip", models="direct,bins", name="{number} {name} {model}")
    assert unpacked(answer).namelist() == [
        "1 old direct.jpg", "1 old bins.jpg", "2 old direct.jpg", "2 old bins.jpg", MANIFEST,
    ]  # fmt: skip
    header = get("2/direct/file", name="colour").headers["content-disposition"]
    assert 'filename="colour-2.jpg"' in header
    answer = get("2/direct/file", name="{secret}")
    assert answer.status_code == 422 and answer.json()["error"].startswith("name: expected")


def test_zip_says_how_each_was_made(get, sessions):
    own = {"saturation-2": 1.25, "temperature-2": 0.5, "seed-2": 7, "variant-2": "warm"}
    answer = get("all.zip", models="direct,bins", **own)
    first, second, third, fourth = listed(unpacked(answer))
    assert [row["file"] for row in (first, fourth)] == ["old-direct.jpg", "old-bins-warm.jpg"]
    record = sessions.workshop.record("bins")
    assert fourth == {
        "file": "old-bins-warm.jpg", "photo": "old.jpg", "model": "bins",
        "weights_sha256": record.weights["sha256"], "working_size": str(record.size),
        "saturation": "1.25", "temperature": "0.5", "variant": "warm", "seed": "7", "hints": "",
        "strokes": "", "reference": "", "reference_strength": "", "borders": "yes",
        "restored": "no", "cropped": "no", "error": "",
    }  # fmt: skip
    assert (second["saturation"], second["temperature"]) == ("1", f"{record.temperature:g}")
    assert (third["saturation"], third["temperature"], third["seed"]) == ("1.25", "", "")


def test_zip_says_of_borders_and_tones(get):
    answer = get("all.zip", models="direct", **{"borders-1": 0, "restore-2": 1})
    first, second = listed(unpacked(answer))
    assert [first[name] for name in ("borders", "restored", "cropped")] == ["no", "no", "no"]
    assert [second[name] for name in ("borders", "restored", "cropped")] == ["yes", "yes", "no"]


def test_zip_renders_a_photo_once_however_often_its_model_is_named(get, sessions, monkeypatch):
    saved, save = [], sessions.workshop.save
    monkeypatch.setattr(
        sessions.workshop, "save", lambda *given: (saved.append(1), save(*given))[1]
    )
    names = unpacked(get("all.zip", models=",".join(["direct", "bins"] * 100))).namelist()
    assert len(saved) == 4
    assert len(names) == len(set(names)) == len([*saved, MANIFEST])


def test_zip_says_what_it_lacks(get, session, sessions):
    session.items[1].upload.file.unlink()
    sessions.workshop.forget(session.key)
    archive = unpacked(get("all.zip", models="direct"))
    assert archive.namelist() == ["old-direct.jpg", "not-included.txt", MANIFEST]
    assert archive.read("not-included.txt").decode().startswith("old.jpg: ")


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


def test_names_that_are_one_on_a_mac_are_numbered(sessions, tmp_path):
    session = sessions.of("me")
    files = []
    for number, form in enumerate(("NFC", "NFD", "NFC")):
        name = unicodedata.normalize(form, "Köln" if number < 2 else "KÖLN")
        files.append(tmp_path / str(number) / f"{name}.png")
        files[-1].parent.mkdir()
        Image.new("L", (9, 9)).save(files[-1])
    list(session.add(files))
    names = download_names(session.items, ["direct"])
    plain = {unicodedata.normalize("NFC", name).lower() for name in names.values()}
    assert plain == {"köln-direct", "köln-direct-2", "köln-direct-3"}


def test_a_variant_is_called_so_in_the_zip(get):
    asked = {"models": "direct", "variant": "warm", "variant-2": "cool"}
    files = [row["file"] for row in listed(unpacked(get("all.zip", **asked)))]
    assert files == ["old-direct-warm.jpg", "old-direct-cool.jpg"]


def test_a_zip_of_a_format_that_nobody_knows_is_refused(get):
    answer = get("all.zip", models="direct", format="exe")
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("format: expected keep, jpg, png, webp, side, found")


def test_a_model_without_other_colourings_is_called_as_it_is(get):
    answer = get("all.zip", models="direct,bins", variant="other-1")
    first = {row["model"]: (row["file"], row["variant"]) for row in listed(unpacked(answer))[:2]}
    assert first["direct"] == ("old-direct.jpg", "natural")
    assert first["bins"] == ("old-bins-other-1.jpg", "other-1")


def test_each_photo_of_a_zip_has_its_own_hints(hinted):
    query = {"models": "hinted,direct", "format": "png", "hints-2": "45,30,#2040d0"}
    archive = unpacked(hinted("all.zip", **query))
    read = {
        name: np.asarray(Image.open(io.BytesIO(archive.read(name))))
        for name in archive.namelist()
        if name != MANIFEST
    }
    assert missed_by(read["b-hinted.png"], [(45, 30, "#2040d0")])[0] < 10
    assert (read["a-hinted.png"] != read["b-hinted.png"]).any()
    assert (read["a-direct.png"] == read["b-direct.png"]).all()


@pytest.fixture
def send(client, session):
    """A function that gives the app a list, as it is or as JSON."""

    def send(wanted, key=None):
        content = wanted if isinstance(wanted, str | bytes) else json.dumps(wanted)
        return client.post(f"{PREFIX}/{key or session.key}/all", content=content)

    return send


def strokes(number, longest=LONGEST):
    """As many as there is room for, other ones for each photo."""
    points = [[number, x] for x in range(100)]
    one = {"points": points, "radius": 2, "color": f"#{number:06x}"}
    return json.dumps([one] * (longest // len(json.dumps(one))))


@pytest.fixture
def full(session):
    """The session with as many photos as there may be, all of them in colour."""
    item = session.items[0]
    session.items = [
        Item(number, item.upload, item.taken, seconds={("direct", None): 0.1})
        for number in range(1, 1 + MOST_PHOTOS)
    ]
    return session


def test_200_photos_with_much_painted_on_each(send, get, full, sessions, monkeypatch):
    looks = []

    def save(upload, look, choice, to):
        looks.append(look)
        to.write_bytes(b"-")
        return to

    async def ready(*given):
        pass

    monkeypatch.setattr(sessions.workshop, "save", save)
    monkeypatch.setattr(sessions.workshop, "ready", ready)
    wanted = {"models": "direct"} | {
        f"strokes-{item.number}": strokes(item.number) for item in full.items
    }
    assert len(json.dumps(wanted)) > 2.5e6  # an address has 64 kB
    told = send(wanted)
    assert told.status_code == 200, told.text
    assert told.json()["total"] == MOST_PHOTOS
    rows = listed(unpacked(get(f"all/{told.json()['name']}.zip")))
    assert len(looks) == len(rows) == MOST_PHOTOS
    for number, (look, row) in enumerate(zip(looks, rows, strict=True), 1):
        assert {stroke.color for stroke in look.strokes} == {f"#{number:06x}"}
        assert row["strokes"] == json.dumps([asdict(stroke) for stroke in look.strokes])


def test_a_list_gives_what_an_address_gives(send, get):
    wanted = {"models": "bins", "format": "png", "name": "{number} {name}", "saturation-2": "0"}
    name = send(wanted).json()["name"]
    by_list, by_address = unpacked(get(f"all/{name}.zip")), unpacked(get("all.zip", **wanted))
    assert by_list.namelist() == by_address.namelist() == ["1 old.png", "2 old.png", MANIFEST]
    for file in by_list.namelist():
        assert by_list.read(file) == by_address.read(file)


def test_one_tells_how_far_it_is_and_ends_early_when_cancelled(send, get, client, session):
    name = send({"models": "direct,bins"}).json()["name"]
    at = f"all/{name}"
    assert get(f"{at}/state").json() == {
        "total": 4, "done": 0, "has_begun": False, "is_over": False, "is_cancelled": False,
    }  # fmt: skip
    assert len(unpacked(get(f"{at}.zip")).namelist()) == 5
    over = get(f"{at}/state").json()
    assert (over["done"], over["has_begun"], over["is_over"]) == (4, True, True)
    assert client.post(f"{PREFIX}/{session.key}/{at}/cancel").json()["is_cancelled"]
    archive = unpacked(get(f"{at}.zip"))
    assert archive.namelist() == ["not-included.txt", MANIFEST]
    assert {row["error"] for row in listed(archive)} == {"cancelled before it was its turn"}


def test_the_newest_list_alone_is_kept_and_goes_with_the_session(send, get, session, sessions):
    first = send({"models": "direct"}).json()["name"]
    second = send({"models": "bins"}).json()["name"]
    assert get(f"all/{first}.zip").status_code == get(f"all/{first}/state").status_code == 404
    assert "press Download all again" in get(f"all/{first}.zip").json()["error"]
    assert [file.name for file in session.folder.glob("*.json")] == [f"wanted-{second}.json"]
    sessions.drop("me")
    assert not session.folder.exists()


def test_lists_of_others_are_not_there(send, client, sessions):
    name, other = send({"models": "direct"}).json()["name"], sessions.of("other")
    assert client.get(f"{PREFIX}/{other.key}/all/{name}.zip").status_code == 404
    assert client.get(f"{PREFIX}/nobody/all/{name}.zip").status_code == 404
    assert send({"models": "direct"}, key="nobody").status_code == 404


WRONG = [
    ("", 422),
    ("[1]", 422),
    (b"\xff", 422),
    ({"models": ["direct"]}, 422),
    ({f"a-{number}": "" for number in range(20 * MOST_PHOTOS + 1)}, 422),
    ({"models": "direct", "saturation-1": "much"}, 422),
    ({"models": "direct", "strokes-2": "[{}]"}, 422),
    ({"models": "direct", "reference-1": "0"}, 422),
    ({"models": "direct", "name": "{what}"}, 422),
    ({"models": "nothing"}, 404),
    ({}, 404),
]


def test_a_wrong_list_is_one_sentence_and_is_not_kept(send, session):
    for wanted, status in WRONG:
        answer = send(wanted)
        assert answer.status_code == status, (wanted, answer.text)
        assert len(answer.json()["error"].splitlines()) == 1
    assert not list(session.folder.glob("*.json"))
