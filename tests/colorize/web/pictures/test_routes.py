import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from colorize.evaluation.hint_scores import missed_by
from colorize.inference.hints.strokes import parse_strokes
from colorize.inference.options import VARIANTS
from colorize.web.pictures.routes import PREFIX
from tests.support.answers import chroma, listed, picture, unpacked


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


def test_files_that_differ_are_called_differently(get):
    def called(number, **asked):
        answer = get(f"{number}/direct/file", **asked)
        return answer.headers["content-disposition"].split('"')[1]

    assert called(1, variant="vivid") == "old-direct-vivid.jpg"
    assert called(2, variant="vivid") == "old-direct-vivid-2.jpg"
    assert called(1, variant="vivid", name="{number}") == "1.jpg"
    assert called(1, format="side") == "old-direct-side-by-side.jpg"


@pytest.mark.parametrize(("choice", "format"), [("png", "PNG"), ("jpg", "JPEG"), ("keep", "JPEG")])
def test_format_of_the_file(get, choice, format):
    assert picture(get("2/bins/file", format=choice)).format == format


def test_a_jpeg_to_share_has_grey_beside_colour(get):
    shared = picture(get("2/direct/file", format="side"))
    one = picture(get("2/direct/file"))
    assert shared.format == "JPEG" and shared.height == one.height
    assert shared.width > 2 * one.width


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


def test_hints_and_seed_come_with_the_address(hinted):
    plain = np.asarray(picture(hinted("1/hinted/colour")))
    blue = np.asarray(picture(hinted("1/hinted/colour", hints="45,30,#2040d0 9,9,#d02020")))
    other = np.asarray(picture(hinted("1/hinted/colour", seed=2)))
    assert missed_by(blue, [(45, 30, "#2040d0")])[0] < 12  # JPEG
    assert (plain != blue).any() and (plain != other).any()
    full = np.asarray(picture(hinted("1/hinted/file", hints="45,30,#2040d0", format="png")))
    assert missed_by(full, [(45, 30, "#2040d0")])[0] < 10
    assert hinted("1/hinted/uncertainty", hints="45,30,#2040d0").status_code == 200


def test_an_example_in_colour(client, sessions):
    answer = client.get(f"{PREFIX}/example/1/colour")
    assert np.asarray(picture(answer)).std(2).max() > 3
    assert client.get(f"{PREFIX}/example/9/colour").status_code == 404


def test_tiles_are_parts_of_the_file(get):
    whole = np.asarray(picture(get("1/bins/file", format="png", saturation=1.5)))
    tile = np.asarray(picture(get("1/bins/tile", left=400, top=100, saturation=1.5)))
    assert tile.shape == (500, 500, 3)  # up to the photo's end
    assert np.abs(tile.astype(int) - whole[100:, 400:]).mean() < 2  # a JPEG of it
    grey = np.asarray(picture(get("1/tile", left=0, top=0)).convert("RGB"))
    assert grey.shape == (512, 512, 3) and grey.std(2).max() < 2
    original = np.asarray(picture(get("1/tile", **{"as": "original"})))
    assert original.std(2).max() > 20
    for wrong in ({"left": 900}, {"top": -1}, {"left": "x"}):
        answer = get("1/bins/tile", **wrong)
        assert answer.status_code == 422 and answer.json()["error"].startswith((*wrong,))


STROKE = {"points": [[40, 30], [50, 30]], "radius": 3, "color": "#2040d0"}


def test_strokes_come_with_the_address(hinted):
    strokes = json.dumps([STROKE])
    for model in ("hinted", "direct"):
        full = np.asarray(picture(hinted(f"1/{model}/file", strokes=strokes, format="png")))
        assert max(missed_by(full, [(40, 30, "#2040d0"), (50, 30, "#2040d0")])) < 10
        assert hinted(f"1/{model}/colour", strokes=strokes).status_code == 200
    first, second = listed(unpacked(hinted("all.zip", models="direct", **{"strokes-2": strokes})))
    assert first["strokes"] == ""
    assert parse_strokes(json.loads(second["strokes"])) == parse_strokes([STROKE])


def test_the_outline_of_strokes_is_a_path(hinted):
    path = hinted("1/hinted/outline", strokes=json.dumps([STROKE])).json()["path"]
    assert re.fullmatch(r"(M[-\d. L]+Z)+", path)
    numbers = np.array(re.findall(r"[\d.]+", path), float).reshape(-1, 2)
    assert (numbers >= 0).all() and (numbers.max(0) <= (90, 60)).all()
    beside = {**STROKE, "points": [[60, 30]], "strength": 0}
    both = hinted("1/hinted/outline", strokes=json.dumps([STROKE, beside])).json()["path"]
    assert both != path  # what keeps its colour is not taken
    assert hinted("1/hinted/outline").status_code == 422


@pytest.mark.parametrize("strokes", ["x", "{}", "[1]", "[" * 5000, '[{"points": [[999, 1]]}]'])
def test_wrong_strokes_get_one_sentence(hinted, strokes):
    for what in ("colour", "outline"):
        answer = hinted(f"1/hinted/{what}", strokes=strokes)
        assert answer.status_code == 422 and answer.json()["error"].startswith("stroke")


def test_variants_come_with_small_pictures_and_the_address(hinted):
    row = hinted("1/hinted/variants", saturation=1.5).json()
    names = [one["name"] for one in row]
    assert names[0] == "natural" and {"vivid", "soft", "warm", "cool"} & set(names)
    pictures = [one["picture"] for one in row]
    assert all(one.startswith("data:image/jpeg;base64,") for one in pictures)
    assert len(set(pictures)) == len(pictures)
    small = Image.open(io.BytesIO(base64.b64decode(pictures[1].partition(",")[2])))
    assert max(small.size) <= 200
    plain = np.asarray(picture(hinted("1/hinted/colour")))
    for name in names[1:]:
        assert (np.asarray(picture(hinted("1/hinted/colour", variant=name))) != plain).any()
    assert hinted("1/direct/colour", variant="other-1").status_code == 200  # as is its own
    assert {one["name"] for one in hinted("1/direct/variants").json()} <= set(VARIANTS[:5])
    wrong = hinted("1/hinted/colour", variant="neon")
    assert wrong.status_code == 422 and wrong.json()["error"].startswith("variant: expected one of")


def test_swatches(hinted):
    swatches = hinted("1/hinted/swatches", x=45, y=30).json()
    assert len(swatches) >= 2 and swatches[0].keys() == {"colour", "name"}
    for beside in ({"x": 90, "y": 30}, {"x": -1, "y": 30}, {"x": 45, "y": -1e9}):
        assert hinted("1/hinted/swatches", **beside).status_code == 422
    assert len(hinted("1/direct/swatches", x=0, y=0).json()) >= 1


@pytest.mark.parametrize(
    "query", [{"hints": "x"}, {"hints": "90,0,#ffffff"}, {"hints": "1,1,#fff"}, {"seed": "-1"},
              {"seed": "x"}, {"hints": "1,1,#ffffff " * 201}],
)  # fmt: skip
def test_wrong_hints_and_seeds_get_one_sentence(hinted, query):
    answer = hinted("1/hinted/colour", **query)
    assert answer.status_code == 422 and "\n" not in answer.json()["error"]


def test_a_reference_is_kept_by_number(client, session, shipped_photos, tmp_path, monkeypatch):
    coffee = shipped_photos["coffee.png"]
    for name, pixels in (("today.png", coffee), ("grey.png", coffee[..., 0])):
        Image.fromarray(pixels).save(tmp_path / name)
    monkeypatch.setattr("colorize.web.guards.calls.get_upload_folder", lambda: str(tmp_path))
    address = f"{PREFIX}/{session.key}/reference"

    def give(path):
        return client.post(address, json={"path": str(path)})

    height, width = coffee.shape[:2]
    for number in range(2):
        found = give(tmp_path / "today.png").json()
        assert found == {"number": number, "name": "today.png", "size": [width, height]}
        refused = give(tmp_path / "grey.png")  # takes no number
        assert refused.status_code == 422 and "has no colours to take" in refused.json()["error"]
    assert picture(client.get(f"{address}/1", params={"side": 400})).size == (width, height)
    assert client.get(f"{address}/2").status_code == 404
    for wrong in (tmp_path / "none.png", "/etc/hostname"):
        assert "expected a photo that was uploaded" in give(wrong).json()["error"]
    assert client.post(address, content=b"{").status_code == 422
    assert client.post(f"{PREFIX}/nobody/reference", json={"path": "x"}).status_code == 404


def test_a_reference_that_is_not_there_is_a_sentence(get):
    answer = get("1/direct/colour", reference=3)
    assert answer.status_code == 422 and "that photo is not here any more" in answer.text
    answer = get("1/direct/sources")
    assert answer.status_code == 422 and "expected the number of a photo" in answer.text
