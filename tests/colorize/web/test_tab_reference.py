"""Colours from another photo in the Colorize tab, in a real headless Chromium."""

import base64
import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import expect

from tests.support.tab_pages import (
    IS_THERE,
    choose,
    done,
    give,
    picture,
    pixels,
    scrolls_sideways,
    stands_still,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A grey photo; beside it lies `today.jpg`, its mirror image in colour."""
    folder = tmp_path_factory.mktemp("photos")
    colour = Image.fromarray(skimage.data.coffee()).resize((300, 200))
    colour.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "today.jpg", quality=95)
    colour.convert("L").save(folder / "coffee.png")
    return folder / "coffee.png"


@pytest.fixture
def today(photo):
    return photo.with_name("today.jpg")


def opened(page, photo):
    choose(page, "Hinted")
    give(page, photo)
    done(page, "Direct", "Hinted")
    page.get_by_role("button", name=re.compile("^Fix a colour")).click()
    stands_still(page)


def chooser(page):
    return page.get_by_label("Take the colours from another photo: choose one in colour")


def asked(page, **wanted):
    """Waits until the picture's address has these, None for what it has not; its pixels."""
    page.wait_for_function(
        """([image, wanted]) => {
            const query = new URL(image.src).searchParams;
            return image.complete && !image.ahead
                && Object.entries(wanted).every(([key, value]) => query.get(key) === value);
        }""",
        arg=[picture(page, "Hinted").element_handle(), wanted],
    )
    return pixels(page, picture(page, "Hinted")).astype(int)


def words(page):
    return page.locator("#cz-source-words")


def left(page):
    return page.locator(".cz-source-of")


def line(page):
    return page.locator(".cz-sources svg")


def test_colours_come_from_another_photo_and_go_again(visit, photo, today):
    page = visit()
    opened(page, photo)
    before = asked(page, reference=None)
    expect(page.locator(".cz-sources")).to_be_hidden()
    chooser(page).set_input_files(today)
    expect(page.locator(".cz-sources")).to_be_visible()
    whole = asked(page, reference="0", trust=None)
    truth = np.asarray(Image.open(today).convert("RGB"))[:, ::-1].astype(int)
    shown = np.asarray(Image.fromarray(truth.astype(np.uint8)).resize(whole.shape[1::-1]))
    assert np.abs(whole - shown).mean() < 0.9 * np.abs(before - shown).mean()
    page.get_by_label("Strength of the other photo's colours").fill("50")
    half = asked(page, reference="0", trust="0.5")
    assert 0 < np.abs(half - before).mean() < np.abs(whole - before).mean()
    page.get_by_role("button", name="Remove", exact=True).click()
    assert (asked(page, reference=None, trust=None) == before).all()
    expect(page.locator(".cz-sources")).to_be_hidden()
    expect(page.locator(".cz-strip")).to_be_hidden()  # it is no photo to colorize


def test_a_line_shows_where_colours_are_from(visit, photo, today):
    page = visit()
    opened(page, photo)
    chooser(page).set_input_files(today)
    expect(words(page)).to_contain_text("Point at the left photo")
    for image in page.locator(".cz-sources img").all():
        page.wait_for_function(IS_THERE, arg=image.element_handle())
    expect(line(page)).to_be_hidden()
    box = left(page).bounding_box()
    left(page).hover(position={"x": 0.3 * box["width"], "y": 0.5 * box["height"]})
    expect(words(page)).to_contain_text(re.compile("These colours are"))
    expect(line(page)).to_be_visible()
    other = page.locator(".cz-sources > div").nth(1).bounding_box()
    frame = page.locator(".cz-sources").bounding_box()
    end = float(page.locator(".cz-sources line").last.get_attribute("x2")) + frame["x"]
    assert abs((end - other["x"]) / other["width"] - 0.7) < 0.15  # mirrored
    page.mouse.move(5, 5)
    expect(line(page)).to_be_hidden()


def test_by_keyboard(visit, photo, today):
    page = visit()
    opened(page, photo)
    chooser(page).set_input_files(today)
    expect(words(page)).to_contain_text("Point at")
    left(page).focus()
    expect(words(page)).to_contain_text(re.compile("These colours are|Nothing there"))
    seen = set()
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown") * 2:
        page.keyboard.press(key)
        seen.add(words(page).inner_text())
    assert len(seen) > 2
    page.keyboard.press("Escape")
    expect(page.locator(".cz-fix")).to_be_hidden()


def test_a_photo_without_colours_is_refused_in_a_sentence(visit, photo):
    page = visit()
    opened(page, photo)
    chooser(page).set_input_files(photo)
    alert = page.locator(".cz-reference [role=alert]")
    expect(alert).to_contain_text("coffee.png has no colours to take")
    expect(page.locator(".cz-sources")).to_be_hidden()
    assert "reference" not in parse_qs(urlsplit(picture(page, "Hinted").get_attribute("src")).query)


def test_what_is_dropped_there_is_no_photo_to_colorize(visit, photo, today):
    page = visit()
    opened(page, photo)
    page.locator(".cz-reference-drop").evaluate(
        """(place, content) => {
            const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "today.jpg", { type: "image/jpeg" }));
            for (const kind of ["dragover", "drop"]) {
                place.dispatchEvent(new DragEvent(kind, {
                    bubbles: true, cancelable: true, dataTransfer: data,
                }));
            }
        }""",
        base64.b64encode(today.read_bytes()).decode(),
    )
    asked(page, reference="0")
    expect(page.locator(".cz-veil")).to_be_hidden()
    expect(page.locator(".cz-strip")).to_be_hidden()


def test_a_reload_brings_it_back(visit, photo, today):
    page = visit()
    opened(page, photo)
    chooser(page).set_input_files(today)
    before = asked(page, reference="0")
    page.reload()
    done(page, "Direct", "Hinted")
    assert (asked(page, reference="0") == before).all()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(visit, photo, today, scheme):
    page = visit(390, 844, color_scheme=scheme, has_touch=True)
    opened(page, photo)
    chooser(page).set_input_files(today)
    expect(page.locator(".cz-sources")).to_be_visible()
    assert not scrolls_sideways(page)
    left(page).tap()
    expect(words(page)).to_contain_text(re.compile("These colours are|Nothing there"))
    assert page.locator(".cz-reference-drop").bounding_box()["height"] >= 44
