"""How one gets out of the full size, and its bar on a phone: in a real headless Chromium."""

import re

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import expect

from tests.support.gates import until
from tests.support.tab_pages import card, done, give, grey_coffee, rests, scrolls_sideways

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    return grey_coffee(tmp_path_factory.mktemp("photos"))


def at_full_size(page):
    card(page, "Direct").get_by_role("button", name="Full size").click()
    return page.get_by_role("dialog", name="Full size")


def start_to_fix(page, box):
    """The page at full size with a place that waits for its colour."""
    box.get_by_role("button", name="Fix a colour", exact=True).click()
    stage = box.get_by_role("application").bounding_box()
    page.mouse.click(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    expect(box.get_by_role("button", name=re.compile("^Hint 1:"))).to_be_visible()
    expect(box.locator(".cz-swatch").first).to_be_visible()


def seen(page, box):
    """What is open of: the full size, what colours are fixed with, the place at hand."""
    at_hand = box.locator('.cz-pin[aria-current="true"]:visible').count()
    return box.count() + box.locator(".cz-fix:visible").count() + at_hand


@pytest.mark.parametrize(
    "focus",
    [".cz-pin", ".cz-swatch", ".cz-stage", ".cz-bar-below input", ".cz-bar-below .cz-button", ""],
    ids=["pin", "swatch", "photo", "slider", "button", "nothing"],
)
def test_an_escape_closes_one_thing_that_is_open(visit, photo, focus):
    page = visit()
    give(page, photo)
    done(page, "Direct")
    box = at_full_size(page)
    start_to_fix(page, box)
    if focus:
        box.locator(focus).first.focus()
    else:
        page.evaluate("document.activeElement.blur()")
    assert seen(page, box) == 3
    for left in (2, 1, 0):
        page.keyboard.press("Escape")
        until(lambda left=left: seen(page, box) <= left, page)
        page.wait_for_timeout(50)  # in which more might be closed
        assert seen(page, box) == left
    expect(card(page, "Direct").get_by_role("button", name="Full size")).to_be_visible()
    expect(page.locator(".cz-fix")).to_be_hidden()  # nor is anything open behind it


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_the_bar_takes_two_rows(visit, photo, width):
    page = visit(width, 844, has_touch=True, is_mobile=True)
    give(page, photo)
    done(page, "Direct")
    bar = at_full_size(page).locator(".cz-bar-below")
    parts = [part.bounding_box() for part in bar.locator("button, input").all()]
    assert len(parts) == 7
    middles = {round((part["y"] + part["height"] / 2) / 10) for part in parts}
    assert len(middles) == 2
    assert bar.bounding_box()["height"] < 125
    buttons = [part.bounding_box() for part in bar.locator("button").all()]
    assert min(min(part["width"], part["height"]) for part in buttons) >= 43.5
    assert bar.locator("input").bounding_box()["width"] > 120
    assert not scrolls_sideways(page)


def test_nothing_of_the_photos_settings_reads_as_a_part_of_fixing_colours(visit, photo, tmp_path):
    (tmp_path / "second.png").write_bytes(photo.read_bytes())
    page = visit()
    give(page, photo, tmp_path / "second.png")
    done(page, "Direct")
    rests(page)
    intensity = page.get_by_role("slider", name=re.compile("Intensity"))
    intensity.fill("1.5")
    expect(page.get_by_role("button", name="Same settings for all 2", exact=True)).to_be_visible()
    places = [
        part.bounding_box()["y"]
        for part in (
            intensity,
            page.get_by_role("button", name="Same settings for all 2", exact=True),
            page.get_by_role("button", name=re.compile("^Fix a colour")),
        )
    ]
    assert places == sorted(places)  # settings stand with the slider
    reset = page.locator(".cz-spread").get_by_role("button", name="Reset")
    assert abs(reset.bounding_box()["y"] - places[1]) < 3  # beside it


def test_what_becomes_of_a_file_is_told_and_what_a_working_size_costs(visit, tmp_path):
    deep = np.asarray(Image.fromarray(skimage.data.camera()).resize((160, 120))).astype(np.uint16)
    Image.fromarray(deep * 257).save(tmp_path / "deep.tif")
    Image.fromarray(skimage.data.coffee()).resize((90, 60)).save(tmp_path / "old.gif")
    page = visit()
    cost = "At 384 blotches of a wrong colour are twice as common."
    expect(page.get_by_text(cost)).to_be_attached()
    facts = page.locator(".cz-result .cz-facts")
    give(page, tmp_path / "old.gif")
    expect(facts).to_contain_text("GIF · GIF holds too few colours: it comes back as PNG, unless")
    done(page, "Direct")
    give(page, tmp_path / "deep.tif")
    expect(facts).to_contain_text("160 × 120 pixels · TIFF · It comes back with 16 bits a channel")
