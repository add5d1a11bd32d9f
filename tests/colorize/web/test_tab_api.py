"""The app's endpoint for programs, through `gradio_client`."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

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


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("notes.jpg", {}, "notes.jpg is text"),
        ("camera.png", {"saturation": 99}, "greater than maximum value 2"),
        ("camera.png", {"size": 5}, "size: expected"),
        ("camera.png", {"temperature": -1, "models": ["bins"]}, "temperature: expected"),
        ("camera.png", {"temperature": 0.5}, "temperature: none of these models takes one"),
        ("camera.png", {"models": ["nothing"]}, "nothing"),
    ],
)
def test_endpoint_says_what_is_wrong(client, photos, name, settings, sentence):
    with pytest.raises(AppError, match=sentence):
        client.predict(handle_file(photos / name), **settings, api_name="/colorize")


def test_endpoint_says_that_addresses_are_not_fetched(client, server):
    address = f"{server.address}gradio_api/colorize/example/0"
    with pytest.raises(ValueError, match="Send the photo itself: addresses are not fetched"):
        client.predict(handle_file(address), api_name="/colorize")


def test_colorize_is_the_only_public_endpoint(client):
    endpoints = client.view_api(return_format="dict", print_info=False)
    assert list(endpoints["named_endpoints"]) == ["/colorize"]
    assert not endpoints["unnamed_endpoints"]
