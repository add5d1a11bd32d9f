"""Films in the tab, in a real browser, and through `gradio_client`."""

from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import expect

from tests.support.films import packets_of, panned, pictures_of, times_of, write_film

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


def begun(visit, film, server):
    """A page, and the film on it, whose first frame is in colour; no other is until `server.gate`
    is open."""
    page = visit()
    server.gate.shut()
    server.gate.let(1)
    page.locator(".cz-file").set_input_files(film)
    place = page.locator(".cz-film")
    expect(place.get_by_role("img", name="old.mp4, first frame, colorized")).to_be_visible()
    return page, place


def test_its_first_frame_is_seen_early_and_it_can_be_cancelled(visit, film, server):
    _, place = begun(visit, film, server)
    place.get_by_role("button", name="Cancel").click()
    expect(place.locator(".cz-facts")).to_have_text("Cancelled.")


def test_a_reload_brings_it_back(visit, film, server):
    page, place = begun(visit, film, server)
    page.reload()
    expect(place.locator("h2")).to_have_text("old.mp4", timeout=30_000)
    server.gate.open()
    expect(place.get_by_role("link", name="Download the film")).to_be_visible(timeout=60_000)
    expect(place.locator(".cz-facts")).to_contain_text("40 frames")
    page.reload()
    expect(place.get_by_role("link", name="Download the film")).to_be_visible(timeout=30_000)
    place.get_by_role("button", name="Remove this film").click()
    page.reload()
    expect(page.get_by_text("Drop black-and-white photos here")).to_be_visible()
    expect(place).to_be_hidden()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_part_is_coloured_and_a_picture_is_taken_and_given_back(
    visit, film, server, width, tmp_path
):
    page = visit(width=width)
    page.locator(".cz-file").set_input_files(film)
    place = page.locator(".cz-film")
    link = place.get_by_role("link", name="Download the film")
    expect(link).to_be_visible(timeout=60_000)
    place.get_by_text("Only a part, or colours by hand").press("Enter")
    again = place.get_by_role("button", name="Colour it again")
    begin = place.get_by_label("From", exact=True)
    begin.fill("soon")
    again.click()
    expect(place.get_by_role("alert")).to_have_text("Write a time as seconds, or as 1:23.")
    expect(begin).to_be_focused()
    begin.fill("0:00.8")
    place.get_by_label("to", exact=True).fill("1.2")
    again.click()
    expect(place.locator(".cz-facts")).to_have_text("10 frames", timeout=60_000)
    place.get_by_label("At", exact=True).fill("0:01")
    place.get_by_role("button", name="Take this picture as a photo").click()
    expect(page.locator(".cz-result .cz-name")).to_have_text("old 0-01.png")
    painted = pictures_of(film)[25].copy()
    for half, channel in ((np.s_[:, :64], 0), (np.s_[:, 64:], 2)):
        painted[half][..., channel] = np.minimum(painted[half][..., channel].astype(int) + 60, 255)
    Image.fromarray(painted).save(tmp_path / "painted.png")
    place.get_by_label("Choose this picture in colour").set_input_files(tmp_path / "painted.png")
    expect(place.locator("li")).to_contain_text("0:01 · painted.png")
    server.gate.shut()
    again.click()
    expect(link).to_be_hidden()
    server.gate.open()
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "made.mp4")
    found = [one.astype(int) for one in pictures_of(tmp_path / "made.mp4")]
    assert len(found) == 10
    red = [one[..., 0] - one[..., 2] for one in found]
    assert min(one[:, :56].mean() - one[:, 72:].mean() for one in red) > 20
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.reload()
    expect(place.locator("li")).to_contain_text("0:01 · painted.png", timeout=30_000)
    expect(begin).to_have_value("0:00.8")
    expect(place.get_by_label("to", exact=True)).to_have_value("1.2")
    server.gate.shut()
    again.click()
    expect(link).to_be_hidden()
    server.gate.open()
    expect(link).to_be_visible(timeout=60_000)
    expect(place.locator(".cz-facts")).to_have_text("10 frames")


def test_what_is_no_film_is_a_sentence_and_photos_go_on(visit, tmp_path, photos):
    text = tmp_path / "text.mp4"
    text.write_text("a film about nothing")
    page = visit()
    page.locator(".cz-file").set_input_files([text, photos / "camera.png"])
    expect(page.locator(".cz-film > .cz-error")).to_contain_text("cannot be read as a film")
    expect(page.locator(".cz-result .cz-name")).to_have_text("camera.png")


def test_programs_give_hints_stills_and_a_reference(server, film, tmp_path, photos):
    client = Client(server.address, verbose=False)

    def made(**given):
        file, figures = client.predict(handle_file(film), "hinted", api_name="/film", **given)
        assert figures["frames"] == 40
        return [one.astype(int) for one in pictures_of(file)]

    def change(found):
        apart = [np.abs(one - other).mean() for one, other in zip(found, plain, strict=True)]
        return min(apart[:20]), max(apart[20:])

    painted = pictures_of(film)[5].astype(int)
    painted[:, :64, 0] += 60
    painted[:, 64:, 2] += 60
    still = tmp_path / "painted.png"
    Image.fromarray(np.minimum(painted, 255).astype(np.uint8)).save(still)
    stills = [handle_file(still)]
    try:
        plain = made()
        there, elsewhere = change(made(hints=[[60, 50, "#d02020", "0:00.2"]]))
        assert there > 1 and elsewhere < 0.5
        there, elsewhere = change(made(stills=stills, still_seconds=[0.2]))
        assert there > 3 and elsewhere < 0.5
        assert change(made(reference=handle_file(photos / "coffee.jpg")))[0] > 0
        for given, said in (
            ({"stills": stills}, "still_seconds: expected a list of 1, one for each still"),
            ({"stills": stills, "still_seconds": [9]}, "still is given at 9 s, behind its end"),
            ({"hints": [[999, 5, "#d02020", 0]]}, "hint: 999,5 lies outside the film"),
            ({"hints": [[9, 5, "#d02020"]]}, "hint: expected"),
            ({"hints": "9,5"}, "hints: expected a list"),
            ({"reference": handle_file(film)}, "reference: old.mp4"),
            ({"speed": 0}, "speed: expected a number from 1 to 48, found 0"),
        ):
            with pytest.raises(AppError, match=said):
                made(**given)
    finally:
        client.close()


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
