"""What is folded away, what moves, and the photo at full size: in a real headless Chromium."""

import io
import re

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import expect

from tests.support.tab_pages import (
    card,
    done,
    give,
    picture,
    pixels,
    press_twice,
    scrolls_sideways,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """Larger than any screen."""
    file = tmp_path_factory.mktemp("photos") / "large.png"
    Image.fromarray(skimage.data.camera()).resize((2400, 1800)).save(file)
    return file


def line(page):
    return card(page, "Direct").get_by_role("slider")


def test_what_few_need_is_folded_away_and_examples_are_half_in_colour(visit, photo):
    page = visit(folded=True)
    fold = page.get_by_role("button", name="Advanced")
    expect(fold).to_have_attribute("aria-expanded", "false")
    models = page.locator(".cz-models")
    expect(models).to_be_hidden()
    for example in page.locator(".cz-examples button").all():
        grey, coloured = example.locator("img").all()
        for image in (grey, coloured):
            expect(image).to_have_js_property("complete", True)
        assert (pixels(page, grey).std(2) == 0).all() and pixels(page, coloured).std(2).max() > 5
        name = coloured.evaluate("(image) => getComputedStyle(image).animationName")
        assert name == "cz-sweep"
    give(page, photo)
    done(page, "Direct")
    for part in (page.get_by_role("slider", name=re.compile("Intensity")),
                 page.get_by_role("button", name=re.compile("^Fix a colour"))):  # fmt: skip
        expect(part).to_be_visible()
    settings = page.locator(".cz-side-column").locator("button, input, select, a")
    assert len([part for part in settings.all() if part.is_visible()]) <= 5
    size = page.get_by_label("Working size")
    expect(size).to_be_hidden()
    filled = page.locator("#colorize .cz-main:visible")
    expect(filled).to_have_count(1)
    expect(filled).to_have_text("Download")
    fold.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "true")
    expect(models).to_be_visible()
    summary = page.locator(".cz-models label span").first
    assert summary.evaluate("(part) => part.scrollHeight <= part.clientHeight + 1")  # not cut
    size.click()
    expect(page.get_by_role("option", name="192")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("option", name="192")).to_be_hidden()


def test_colours_run_over_the_photo_once_and_rest(visit, photo, tmp_path):
    (tmp_path / "second.png").write_bytes(photo.read_bytes())
    (tmp_path / "third.png").write_bytes(photo.read_bytes())
    page = visit()
    page.evaluate(WATCH)
    give(page, photo)
    done(page, "Direct")
    page.wait_for_function("Math.max(...watched) > 90")  # it began in grey
    expect(line(page)).to_have_value("0")
    line(page).fill("30")
    give(page, tmp_path / "second.png")
    expect(page.get_by_role("heading", name="second.png")).to_be_visible()
    done(page, "Direct")
    expect(line(page)).to_have_value("30")  # as the visitor put it
    calm = visit(reduced_motion="reduce")
    calm.evaluate(WATCH)
    give(calm, photo)
    done(calm, "Direct")
    expect(line(calm)).to_have_value("0")
    assert max(calm.evaluate("watched")) == 0
    moving = "(image) => getComputedStyle(image).animationName"
    assert calm.locator(".cz-coloured").first.evaluate(moving) == "none"


# Where lines of pictures have been, in percent.
WATCH = """() => {
    globalThis.watched = [0];
    new MutationObserver((changes) => {
        for (const { target } of changes) {
            const at = target.style?.getPropertyValue("--at");
            if (at) watched.push(parseFloat(at));
        }
    }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["style"] });
}"""


def test_the_photo_at_full_size(visit, photo):
    page = visit()
    give(page, photo)
    done(page, "Direct")
    closer = page.get_by_role("button", name="Full size")
    closer.press("Enter")
    box = page.get_by_role("dialog", name="Full size")
    zoom, tiles = box.locator(".cz-zoom"), box.locator(".cz-back .cz-tile")
    expect(zoom).to_have_text(re.compile(r"^(3\d|4\d)%$"))
    expect(tiles).to_have_count(0)  # the picture for a screen is enough
    stage = box.get_by_role("application")
    press_twice(page, stage, 0.5, 0.4)
    expect(zoom).to_have_text("100%")
    expect(tiles.first).to_be_attached()
    address = tiles.first.evaluate("(image) => image.src")
    left, top = (int(re.search(f"{side}=(\\d+)", address)[1]) for side in ("left", "top"))
    file = card(page, "Direct").get_by_role("link", name=re.compile("Download"))
    whole = Image.open(io_of(page, file.evaluate("(link) => link.href")))
    part = np.asarray(whole.convert("RGB"))[top : top + 512, left : left + 512].astype(int)
    assert np.abs(pixels(page, tiles.first) - part).mean() < 2  # a JPEG of the same
    before = box.get_by_label("How much of the grey is seen")
    before.fill("100")
    expect(box.locator(".cz-front .cz-tile").first).to_be_attached()
    grey = pixels(page, box.locator(".cz-front .cz-tile").first)
    assert grey.std(2).max() < 3
    stage.focus()
    page.keyboard.press("+")
    expect(zoom).to_have_text("140%")
    page.keyboard.press("-")
    expect(zoom).to_have_text("100%")
    page.mouse.move(640, 300)
    page.mouse.wheel(0, -200)
    expect(zoom).not_to_have_text("100%")
    page.keyboard.press("0")
    expect(zoom).to_have_text(re.compile(r"^(3\d|4\d)%$"))
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(closer).to_be_focused()


def io_of(page, address):
    return io.BytesIO(page.request.get(address).body())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_settings_come_from_below(visit, photo, scheme):
    page = visit(390, 844, folded=True, has_touch=True, is_mobile=True, color_scheme=scheme)
    give(page, photo)
    done(page, "Direct")
    intensity = page.get_by_role("slider", name=re.compile("Intensity"))
    expect(intensity).to_be_hidden()
    page.get_by_role("button", name="Adjust").tap()
    expect(intensity).to_be_focused()
    sheet = page.locator(".cz-side-column")
    page.wait_for_function(
        "(sheet) => Math.abs(sheet.getBoundingClientRect().bottom - innerHeight) < 1",
        arg=sheet.element_handle(),
    )
    frame, top = card(page, "Direct").locator(".cz-slider"), sheet.bounding_box()["y"]
    page.wait_for_function(
        "(frame) => frame.getBoundingClientRect().top >= 0", arg=frame.element_handle()
    )
    seen = frame.bounding_box()
    assert seen["y"] + seen["height"] <= top + 1  # the photo is in view as a whole
    intensity.fill("1.5")
    expect(picture(page, "Direct")).to_have_attribute("src", re.compile("saturation=1.5"))
    page.get_by_role("button", name="Done").tap()
    expect(intensity).to_be_hidden()
    small = page.evaluate(SMALL)
    assert small == []
    assert not scrolls_sideways(page)
    page.get_by_role("button", name=re.compile("^Fix a colour")).tap()
    page.get_by_role("button", name="Add in the middle").tap()
    expect(page.locator(".cz-swatch").first).to_be_visible()
    assert page.evaluate(SMALL) == []
    assert not scrolls_sideways(page)


# What is pressed and lower than a fingertip.
SMALL = """() => [...document.querySelectorAll("#colorize-stage button, #colorize-stage a")]
    .filter((part) => part.checkVisibility({ visibilityProperty: true }))
    .filter((part) => part.getBoundingClientRect().height < 43.5)
    .map((part) => part.outerHTML.slice(0, 120))"""
