"""The app's endpoint for programs, through `gradio_client`."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, ValidationError
from PIL import Image

from colorize.evaluation.hint_scores import missed_by
from tests.support.tab_pages import chroma

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def client(server):
    client = Client(server.address, verbose=False)
    yield client
    client.close()


def test_endpoint_gives_full_size_files_and_figures(client, photos):
    files, figures = client.predict(
        handle_file(photos / "coffee.jpg"), ["direct", "bins"], 1.5, 0.7, 192, api_name="/colorize"
    )
    assert [Path(file).name for file in files] == ["coffee-direct.jpg", "coffee-bins.jpg"]
    for file in files:
        with Image.open(file) as image:
            assert image.size == (600, 400) and chroma(np.asarray(image)) > 3
    assert figures["headers"] == ["file", "model", "seconds", "psnr", "ciede2000", "colorfulness"]
    assert [row[:2] for row in figures["data"]] == [
        ["coffee-direct.jpg", "direct"], ["coffee-bins.jpg", "bins"],
    ]  # fmt: skip
    assert all(
        isinstance(value, float) and value > 0 for row in figures["data"] for value in row[2:]
    )


def test_endpoint_makes_a_model_once_however_often_it_is_named(client, photos, server):
    ran = len(server.runs)
    files, _ = client.predict(
        handle_file(photos / "camera.png"), ["direct"] * 200, api_name="/colorize"
    )
    assert [Path(file).name for file in files] == ["camera-direct.png"]
    assert len(server.runs) == ran + 1


def test_endpoint_needs_a_photo_alone(client, photos):
    files, figures = client.predict(handle_file(photos / "camera.png"), api_name="/colorize")
    assert [Path(file).name for file in files] == ["camera-direct.png"]
    assert figures["data"][0][3:] == [None, None, None]  # a grey photo has nothing to compare with
    assert not list(Path(tempfile.gettempdir()).glob("colorize-*/camera-direct.png"))


def test_endpoint_does_what_the_tab_does(client, photos):
    stroke = {"points": [[80, 90], [120, 90]], "radius": 4, "color": "#2050c0"}
    more = {"models": ["hinted", "bins"], "format": "png"}
    looks = [{}, {"strokes": [stroke]}, {"variant": "warm"}, {"seed": 2},
             {"hints": [[80, 90, "#2050c0"]]}]  # fmt: skip
    made = []
    for look in looks:
        files, _ = client.predict(
            handle_file(photos / "coffee.jpg"), **more, **look, api_name="/colorize"
        )
        assert [Path(file).name for file in files] == ["coffee-hinted.png", "coffee-bins.png"]
        made.append([np.asarray(Image.open(file).convert("RGB")) for file in files])
    plain = made[0]
    for seen in made[1:3]:  # strokes and variants are for every model
        assert all((one != other).any() for one, other in zip(seen, plain, strict=True))
    assert missed_by(made[1][0], [(100, 90, "#2050c0")])[0] < 10
    assert missed_by(made[4][0], [(80, 90, "#2050c0")])[0] < 10
    assert (made[4][1] == plain[1]).all()  # which follows no hints


def test_endpoint_takes_colours_from_a_reference(client, photos):
    photo, more = handle_file(photos / "coffee.jpg"), {"models": ["hinted"], "format": "png"}
    made = []
    for reference in ({}, {"reference": handle_file(photos / "coffee.jpg")}):
        files, figures = client.predict(photo, **more, **reference, api_name="/colorize")
        assert [Path(file).name for file in files] == ["coffee-hinted.png"]
        made.append(figures["data"][0][4])
    assert made[1] < 0.8 * made[0]  # CIEDE2000
    with pytest.raises(AppError, match=r"reference: camera\.png has no colours to take"):
        client.predict(photo, reference=handle_file(photos / "camera.png"), api_name="/colorize")


FAR_STROKE = {"points": [[9999, 1]], "color": "#2050c0"}


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("notes.jpg", {}, "notes.jpg is text"),
        ("camera.png", {"saturation": 99}, "saturation: expected a number from 0 to 10"),
        ("camera.png", {"size": 5}, "size: expected"),
        ("camera.png", {"temperature": -1, "models": ["bins"]}, "temperature: expected"),
        ("camera.png", {"temperature": 0.5}, "temperature: none of these models takes one"),
        ("camera.png", {"models": ["nothing"]}, "nothing"),
        ("camera.png", {"hints": [[1, 2, "#d02020"]]}, "hints: none of these models takes one"),
        ("camera.png", {"hints": "x"}, "hints: expected a list"),
        ("camera.png", {"hints": [[1, 2]], "models": ["hinted"]}, "hint: expected"),
        ("camera.png", {"strokes": [{"points": []}]}, "stroke 1: expected points, color"),
        ("camera.png", {"strokes": {"color": 1}}, "strokes: expected a list"),
        ("camera.png", {"strokes": [FAR_STROKE]}, "stroke 1: 9999,1 lies outside the photo"),
        ("camera.png", {"variant": "other-1"}, "variant: none of these models takes one"),
        ("camera.png", {"seed": 3}, "seed: none of these models takes one"),
    ],
)
def test_endpoint_says_what_is_wrong(client, photos, name, settings, sentence):
    with pytest.raises(AppError, match=sentence):
        client.predict(handle_file(photos / name), **settings, api_name="/colorize")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"variant": "neon"}, "Variant: expected one of natural, vivid"),
        ({"format": "gif"}, "Format: expected one of keep, jpg, png, webp"),
    ],
)
def test_endpoint_says_what_there_is_to_choose(client, photos, settings, sentence):
    with pytest.raises(ValidationError, match=sentence):
        client.predict(handle_file(photos / "camera.png"), **settings, api_name="/colorize")


def test_endpoint_says_that_addresses_are_not_fetched(client, server):
    address = f"{server.address}gradio_api/colorize/example/0"
    with pytest.raises(ValueError, match="Send the photo itself: addresses are not fetched"):
        client.predict(handle_file(address), api_name="/colorize")


def test_colorize_and_film_are_the_only_public_endpoints(client):
    endpoints = client.view_api(return_format="dict", print_info=False)
    assert list(endpoints["named_endpoints"]) == ["/colorize", "/film"]
    assert not endpoints["unnamed_endpoints"]
