"""Films in the tab, in a real browser, and through `gradio_client`."""

from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from tests.support.films import packets_of, panned, times_of, write_film

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    cut = [*panned(20, 96, 128), *panned(20, 96, 128, photo="coins")]
    return write_film(tmp_path_factory.mktemp("film") / "old.mp4", cut, sound=True)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_film_is_dropped_watched_and_downloaded(visit, film, width, tmp_path):
    page = visit(width=width)
    page.locator(".cz-file").set_input_files(film)
    place = page.locator(".cz-film")
    expect(place.locator("h2")).to_have_text("old.mp4")
    link = place.get_by_role("link", name="Download the film")
    expect(link).to_be_visible(timeout=60_000)
    expect(place.locator(".cz-facts")).to_contain_text("40 frames")
    with page.expect_download() as download:
        link.click()
    made = tmp_path / "made.mp4"
    download.value.save_as(made)
    assert download.value.suggested_filename == "old-direct.mp4"
    assert times_of(made) == times_of(film)
    assert packets_of(made, "audio") == packets_of(film, "audio")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    place.get_by_role("button", name="Remove this film").click()
    expect(place).to_be_hidden()


def test_its_first_frame_is_seen_early_and_it_can_be_cancelled(visit, film, server):
    page = visit()
    server.pause["seconds"] = 0.5
    page.locator(".cz-file").set_input_files(film)
    place = page.locator(".cz-film")
    expect(place.get_by_role("img", name="old.mp4, first frame, colorized")).to_be_visible()
    place.get_by_role("button", name="Cancel").click()
    expect(place.locator(".cz-facts")).to_have_text("Cancelled.")


def test_what_is_no_film_is_a_sentence_and_photos_go_on(visit, tmp_path, photos):
    text = tmp_path / "text.mp4"
    text.write_text("a film about nothing")
    page = visit()
    page.locator(".cz-file").set_input_files([text, photos / "camera.png"])
    expect(page.locator(".cz-film .cz-error")).to_contain_text("cannot be read as a film")
    expect(page.locator(".cz-result .cz-name")).to_have_text("camera.png")


def test_programs_have_films_coloured(server, film):
    client = Client(server.address, verbose=False)
    try:
        file, figures = client.predict(handle_file(film), api_name="/film")
        assert Path(file).name == "old-direct.mp4"
        assert (figures["frames"], figures["shots"]) == (40, 2)
        assert times_of(file) == times_of(film)
        with pytest.raises(AppError, match="lies behind its end"):
            client.predict(handle_file(film), "direct", 1.0, "natural", 90, api_name="/film")
    finally:
        client.close()
