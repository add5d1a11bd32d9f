"""The Colorize tab on tablets, by touch: layout, strokes, pinching. In a real headless Chromium."""

import re

import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import expect

from tests.support.tab_pages import card, done, give, picture, press_twice, scrolls_sideways

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TABLETS = [(768, 1024, "light"), (1024, 768, "dark"), (820, 1180, "dark")]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(skimage.data.camera()).resize((2400, 1800)).save(folder / "wide.png")
    Image.fromarray(skimage.data.camera()).resize((400, 600)).save(folder / "tall.png")
    return [folder / name for name in ("wide.png", "tall.png")]


@pytest.fixture(params=TABLETS, ids=lambda tablet: "{}x{}-{}".format(*tablet))
def tablet(visit, photos, request):
    """A page with two photos in colour, of which the first is looked at."""
    width, height, scheme = request.param
    page = visit(
        width, height, folded=True, has_touch=True, is_mobile=True, color_scheme=scheme,
        reduced_motion="reduce",
    )  # fmt: skip
    give(page, *photos)
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    done(page, "Direct")
    return page


def frame(page):
    return card(page, "Direct").locator(".cz-slider")


def touch(page, *moments):
    """Fingers on the screen, moment by moment: `[(x, y), ...]` each."""
    session = page.context.new_cdp_session(page)
    for number, places in enumerate(moments):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(30)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


# What is pressed and lower than a fingertip.
SMALL = """() => [...document.querySelectorAll("#colorize :is(button, a, select, .cz-check)")]
    .filter((part) => part.checkVisibility({ visibilityProperty: true }))
    .filter((part) => part.getBoundingClientRect().height < 43.5)
    .map((part) => part.outerHTML.slice(0, 120))"""


def test_the_photo_and_its_settings_share_the_screen(tablet):
    assert not scrolls_sideways(tablet) and tablet.evaluate(SMALL) == []
    opener = tablet.get_by_role("button", name="Adjust")
    if opener.is_visible():
        opener.tap()
    intensity = tablet.get_by_role("slider", name=re.compile("Intensity"))
    expect(intensity).to_be_in_viewport()
    tablet.wait_for_function(
        "(frame) => { const { top, bottom } = frame.getBoundingClientRect();"
        " return top >= 0 && bottom <= innerHeight + 1; }",
        arg=frame(tablet).element_handle(),
    )
    intensity.fill("1.5")
    expect(picture(tablet, "Direct")).to_have_attribute("src", re.compile("saturation=1.5"))
    photo, slider = frame(tablet).bounding_box(), intensity.bounding_box()
    beside = slider["x"] >= photo["x"] + photo["width"]
    below = slider["y"] >= photo["y"] + photo["height"]
    assert beside or below
    tablet.get_by_role("button", name="Advanced").tap()
    expect(tablet.locator(".cz-models")).to_be_visible()
    assert not scrolls_sideways(tablet) and tablet.evaluate(SMALL) == []


def test_a_stroke_by_touch(tablet):
    tablet.get_by_role("button", name=re.compile("^Fix a colour")).tap()
    tablet.wait_for_function(
        "(frame) => { const { top, bottom } = frame.getBoundingClientRect();"
        " return top >= -1 && bottom <= innerHeight + 1; }",
        arg=frame(tablet).element_handle(),
    )
    tablet.wait_for_timeout(500)
    box = frame(tablet).bounding_box()
    y = box["y"] + box["height"] * 0.4
    scrolled = tablet.evaluate("scrollY")
    touch(tablet, *[[(box["x"] + box["width"] * share, y)] for share in (0.3, 0.35, 0.4, 0.5)])
    assert tablet.evaluate("scrollY") == scrolled
    pin = card(tablet, "Direct").locator(".cz-pin")
    expect(pin).to_have_count(1)
    swatch = tablet.locator(".cz-swatch").first
    expect(swatch).to_be_in_viewport()
    assert tablet.evaluate(SMALL) == [] and not scrolls_sideways(tablet)
    swatch.tap()
    expect(picture(tablet, "Direct")).to_have_attribute("src", re.compile("strokes=.*radius"))


def test_pinching_at_full_size(tablet):
    card(tablet, "Direct").get_by_role("button", name="Full size").tap()
    box = tablet.get_by_role("dialog", name="Full size")
    stage, zoom = box.get_by_role("application"), box.locator(".cz-zoom")
    assert tablet.evaluate(SMALL) == []
    place = stage.bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    before = int(zoom.inner_text().rstrip("%"))
    apart = [[(x - far, y), (x + far, y)] for far in (40, 60, 90, 130)]
    touch(tablet, *apart)
    closer = int(zoom.inner_text().rstrip("%"))
    assert closer > 2 * before
    touch(tablet, *reversed(apart))
    assert int(zoom.inner_text().rstrip("%")) < closer / 2
    press_twice(tablet, stage, 0.5, 0.5, touch=True)
    expect(zoom).to_have_text("100%")
    expect(box.locator(".cz-back .cz-tile").first).to_be_attached()
    box.get_by_role("button", name="Close").tap()
    expect(box).to_have_count(0)
