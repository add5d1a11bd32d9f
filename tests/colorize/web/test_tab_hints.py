"""Colours that are fixed, and variants, in the Colorize tab, in a real headless Chromium."""

import io
import json
import re
import zipfile
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from colorize.evaluation.hint_scores import missed_by
from tests.support.gates import hold, until
from tests.support.tab_pages import (
    card,
    choose,
    done,
    give,
    grey_coffee,
    picture,
    pixels,
    save,
    scrolls_sideways,
    stands_still,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    return grey_coffee(tmp_path_factory.mktemp("photos"))


def open_hints(page, photo):
    """The page with a photo and its hints open; the picture's frame."""
    choose(page, "Hinted")
    give(page, photo)
    done(page, "Direct", "Hinted")
    toggle(page).click()
    stands_still(page)
    return frame_of(page)


def toggle(page):
    return page.get_by_role("button", name=re.compile("^Fix a colour"))


def frame_of(page):
    return card(page, "Hinted").locator(".cz-pins")


def click_at(frame, across, down):
    box = frame.bounding_box()
    frame.click(position={"x": across * box["width"], "y": down * box["height"]})


def pins(page):
    return page.get_by_role("button", name=re.compile(r"^Hint \d+:"))


def pick(page, colour):
    page.get_by_label("Any colour").fill(colour)


def strokes_in(page, count):
    """The strokes in the address of the picture when there are so many."""
    places = "1 place" if count == 1 else f"{count} places"
    expect(toggle(page)).to_have_accessible_name(f"Fix a colour, {places} fixed")
    page.wait_for_function(
        """([image, count]) => {
            const strokes = new URL(image.src).searchParams.get("strokes") ?? "[]";
            return JSON.parse(strokes).length === count;
        }""",
        arg=[picture(page, "Hinted").element_handle(), count],
    )
    return json.loads(written_in(page) or "[]")


def hints_in(page, count):
    """The same, each a point and its colour: `x,y,#rrggbb`."""
    strokes = strokes_in(page, count)
    return [f"{x},{y},{one['color']}" for one in strokes for x, y in one["points"][:1]]


def written_in(page):
    query = urlsplit(picture(page, "Hinted").get_attribute("src")).query
    return parse_qs(query).get("strokes", [""])[0]


def shown(page, *hints):
    """The picture, when it is the one with these hints."""
    strokes = [
        {"points": [[int(x), int(y)]], "color": colour}
        for x, y, colour in (hint.split(",") for hint in hints)
    ]
    page.wait_for_function(
        """([image, strokes]) => {
            const query = new URL(image.src).searchParams;
            return image.complete && !image.ahead && (query.get("strokes") ?? "") === strokes;
        }""",
        arg=[
            picture(page, "Hinted").element_handle(),
            json.dumps(strokes, separators=(",", ":")) if strokes else "",
        ],
    )
    return pixels(page, picture(page, "Hinted"))


def test_a_click_and_a_colour_make_a_hint_that_is_followed(visit, photo, server):
    page = visit()
    frame = open_hints(page, photo)
    before = pixels(page, picture(page, "Hinted"))
    click_at(frame, 0.25, 0.75)
    expect(pins(page)).to_have_count(1)
    assert hints_in(page, 0) == []
    pick(page, "#2050c0")
    (hint,) = hints_in(page, 1)
    x, y, colour = hint.split(",")
    assert abs(int(x) - 75) <= 1 and abs(int(y) - 150) <= 1 and colour == "#2050c0"
    after = shown(page, hint)
    assert np.abs(after.astype(int) - before).max() > 20
    assert missed_by(after, [(int(x), int(y), colour)])[0] < 10
    assert server.runs.count("hinted") >= 2


def test_swatches_are_plausible_colours_and_set_the_hint(visit, photo):
    page = visit()
    click_at(open_hints(page, photo), 0.5, 0.5)
    swatches = page.get_by_role("group", name="Colours", exact=True).get_by_role("button")
    expect(swatches.first).to_be_visible()
    colours = [swatch.get_attribute("data-colour") for swatch in swatches.all()]
    assert len(set(colours)) == len(colours) >= 2
    swatches.nth(1).click()
    expect(swatches.nth(1)).to_have_attribute("aria-pressed", "true")
    assert hints_in(page, 1)[0].endswith(colours[1])


def test_hints_are_moved_deleted_and_undone(visit, photo):
    page = visit()
    frame = open_hints(page, photo)
    click_at(frame, 0.25, 0.25)
    pick(page, "#c02020")
    (first,) = hints_in(page, 1)
    box, pin = frame.bounding_box(), pins(page).first
    start = pin.bounding_box()
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    left = re.compile(f"strokes=.*{first.split(',')[0]}%2C")
    expect(picture(page, "Hinted")).not_to_have_attribute("src", left)
    (moved,) = hints_in(page, 1)
    x, y, colour = moved.split(",")
    assert abs(int(x) - 150) <= 2 and abs(int(y) - 100) <= 2 and colour == "#c02020"
    pins(page).first.press("Delete")
    expect(pins(page)).to_have_count(0)
    hints_in(page, 0)
    page.keyboard.press("Control+z")
    assert hints_in(page, 1) == [moved]
    page.keyboard.press("Control+z")
    expect(pins(page).first).to_have_accessible_name(re.compile("25% across"))
    shown(page, first)
    page.get_by_role("button", name="Undo").click()
    hints_in(page, 0)
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()


def test_a_click_without_a_colour_leaves_nothing(visit, photo):
    page = visit()
    frame = open_hints(page, photo)
    click_at(frame, 0.25, 0.25)
    click_at(frame, 0.75, 0.75)
    expect(pins(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(pins(page)).to_have_count(0)
    hints_in(page, 0)


def test_hints_by_keyboard_alone(visit, photo):
    page = visit()
    open_hints(page, photo)
    toggle(page).focus()
    page.get_by_role("button", name="Add in the middle").focus()
    page.keyboard.press("Enter")
    expect(pins(page).first).to_be_focused()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    swatches = page.get_by_role("group", name="Colours", exact=True).get_by_role("button")
    expect(swatches.first).to_be_visible()
    swatches.first.focus()
    page.keyboard.press("Enter")
    x, y, _ = hints_in(page, 1)[0].split(",")
    assert (int(x), int(y)) == (150 - 3 + 15, 100 - 3)
    swatches.first.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(toggle(page)).to_be_focused()
    expect(page.get_by_role("group", name="Fix a colour")).to_be_hidden()
    assert len(hints_in(page, 1)) == 1  # they stay


def others_come(page, held, others):
    """The colours suggested for a pin's new place, which come late from a busy app."""
    held[0].fulfill(json=[{"colour": colour, "name": colour} for colour in others])
    expect(page.locator(".cz-swatch").last).to_have_attribute("data-colour", others[-1])


@pytest.fixture
def late(visit, photo):
    """A page with a pin that was moved, and the request for its new place, which is held."""
    page = visit()
    open_hints(page, photo)
    page.get_by_role("button", name="Add in the middle").press("Enter")
    expect(page.locator(".cz-swatch").first).to_be_visible()
    held = hold(page, "**/swatches?*")
    pins(page).first.press("ArrowLeft")
    until(lambda: held, page)
    return page, held


def test_the_focus_stays_among_the_colours_when_others_come(late):
    page, held = late
    swatch = page.locator(".cz-swatch").nth(1)
    swatch.focus()
    others_come(page, held, ("#112233", "#445566"))
    expect(swatch).to_be_focused()
    page.keyboard.press("Enter")
    assert hints_in(page, 1)[0].endswith("#445566")


def test_a_colour_that_is_pressed_is_taken_though_others_come(late):
    page, held = late
    swatch = page.locator(".cz-swatch").nth(1)
    seen = swatch.get_attribute("data-colour")
    swatch.hover()
    page.mouse.down()
    others_come(page, held, ("#112233", "#445566"))
    page.mouse.up()
    assert hints_in(page, 1)[0].endswith(seen)


def test_hints_apply_to_downloads(visit, photo, tmp_path):
    page = visit()
    (tmp_path / "plain.png").write_bytes(photo.read_bytes())
    click_at(open_hints(page, photo), 0.5, 0.5)
    pick(page, "#20a040")
    (hint,) = hints_in(page, 1)
    _, content = save(page, card(page, "Hinted").get_by_role("link", name=re.compile("Download")))
    hinted = np.asarray(Image.open(io.BytesIO(content)))
    x, y, colour = hint.split(",")
    wish = [(int(x), int(y), colour)]
    assert missed_by(hinted, wish)[0] < 10
    give(page, tmp_path / "plain.png")
    done(page, "Hinted")
    _, content = save(page, page.get_by_role("button", name="Download all"))
    archive = zipfile.ZipFile(io.BytesIO(content))
    first, second = (
        np.asarray(Image.open(io.BytesIO(archive.read(f"{name}-hinted.png"))))
        for name in ("coffee", "plain")
    )
    assert (first == hinted).all()
    assert (second != hinted).any()  # a photo's hints are its own


def test_every_model_takes_the_colour(visit, photo):
    page = visit()
    open_hints(page, photo)
    before = pixels(page, picture(page, "Direct"))
    click_at(frame_of(page), 0.5, 0.5)
    pick(page, "#20a040")
    hints_in(page, 1)
    expect(picture(page, "Direct")).to_have_attribute("src", re.compile("strokes="))
    assert (pixels(page, picture(page, "Direct")) != before).any()


def test_a_thing_is_outlined_before_the_click_painted_over_and_kept(visit, photo):
    page = visit()
    frame = open_hints(page, photo)
    box = frame.bounding_box()
    line = card(page, "Hinted").locator(".cz-outline")
    frame.hover(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(line).to_have_attribute("d", re.compile("^M.*Z$"))
    at = [(box["x"] + share * box["width"], box["y"] + box["height"] / 2) for share in (0.3, 0.6)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=5)
    page.mouse.up()
    expect(pins(page)).to_have_count(1)
    page.get_by_role("group", name="Palettes").get_by_role("button", name="Denim").click()
    page.get_by_role("button", name="denim", exact=True).click()
    (stroke,) = strokes_in(page, 1)
    assert stroke["color"] == "#4f6f9b" and stroke["radius"] >= 1
    assert abs(stroke["points"][0][0] - 90) <= 1 and abs(stroke["points"][-1][0] - 180) <= 1
    assert len(stroke["points"]) == 2  # a straight line needs no more
    page.get_by_role("slider", name="Strength").fill("50")
    half = re.compile("strength%22%3A0.5")
    expect(picture(page, "Hinted")).to_have_attribute("src", half)
    page.keyboard.down("Alt")
    frame.click(position={"x": 20, "y": 20})
    page.keyboard.up("Alt")
    kept, strokes = pins(page).nth(1), strokes_in(page, 2)
    expect(kept).to_have_accessible_name(re.compile("keeps its colour"))
    assert strokes[1]["strength"] == 0
    page.get_by_role("button", name="Undo").click()
    expect(pins(page)).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(picture(page, "Hinted")).not_to_have_attribute("src", half)
    strokes_in(page, 1)


def test_uncertainty_goes_with_the_hints(visit, photo):
    page = visit()
    open_hints(page, photo)
    page.get_by_label(re.compile("unsure")).check()
    unsure = card(page, "Hinted").locator(".cz-unsure")
    expect(unsure).to_be_visible()
    click_at(frame_of(page), 0.5, 0.5)
    pick(page, "#20a040")
    expect(unsure).to_have_attribute("src", re.compile("uncertainty.*strokes="))


def test_a_variant_is_taken_by_one_click_and_given_back(visit, photo, server, tmp_path):
    page = visit()
    choose(page, "Hinted")
    (tmp_path / "second.png").write_bytes(photo.read_bytes())
    give(page, photo, tmp_path / "second.png")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    done(page, "Direct", "Hinted")
    own, ran = pixels(page, picture(page, "Hinted")), len(server.runs)
    row = page.get_by_role("group", name="Variants of the colours")
    for name in ("Warm", "Cool"):
        expect(row.get_by_role("button", name=name).locator("img")).to_have_attribute(
            "src", re.compile("^data:image/jpeg")
        )
        row.get_by_role("button", name=name).click()
        wanted = re.compile(f"variant={name.lower()}")
        expect(row.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
        for title in ("Direct", "Hinted"):
            expect(picture(page, title)).to_have_attribute("src", wanted)
    assert (pixels(page, picture(page, "Hinted")) != own).any()
    file = card(page, "Hinted").get_by_role("link", name=re.compile("Download"))
    expect(file).to_have_attribute("href", wanted)
    strip = page.get_by_role("navigation", name="Your photos").get_by_role("button")
    strip.nth(1).click()
    expect(page.get_by_role("heading", name="second.png")).to_be_visible()
    natural = row.get_by_role("button", name="Natural")
    expect(natural).to_have_attribute("aria-pressed", "true")  # a photo's variant is its own
    strip.first.click()
    page.get_by_role("button", name="Same settings for all 2").click()
    strip.nth(1).click()
    expect(picture(page, "Hinted")).to_have_attribute("src", wanted)
    expect(natural).to_be_enabled()
    natural.press("Enter")
    expect(picture(page, "Hinted")).not_to_have_attribute("src", re.compile("variant="))
    expect(natural).to_be_focused()
    assert len(server.runs) == ran


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(visit, photo, scheme):
    page = visit(390, 844, color_scheme=scheme, has_touch=True)
    frame = open_hints(page, photo)
    box = frame.bounding_box()
    frame.tap(position={"x": box["width"] / 3, "y": box["height"] / 3})
    expect(pins(page)).to_have_count(1)
    pick(page, "#20a040")
    assert not scrolls_sideways(page)
    assert len(hints_in(page, 1)) == 1


def test_colours_are_fixed_at_full_size(visit, photo):
    page = visit()
    choose(page, "Hinted")
    give(page, photo)
    done(page, "Direct", "Hinted")
    card(page, "Hinted").get_by_role("button", name="Full size").click()
    box = page.get_by_role("dialog", name="Full size")
    fix = box.get_by_role("button", name="Fix a colour", exact=True)
    fix.click()
    expect(fix).to_have_attribute("aria-pressed", "true")
    frame, shown = box.locator(".cz-pins"), box.locator(".cz-back img").first
    stage = box.get_by_role("application").bounding_box()
    page.mouse.move(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    page.mouse.wheel(0, -150)  # closer: what is painted follows
    until(
        lambda: frame.bounding_box()["width"] > 1.2 * min(stage["width"], 1.5 * stage["height"]),
        page,
    )
    page.mouse.click(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    expect(box.get_by_role("button", name=re.compile(r"^Hint 1:"))).to_be_focused()
    box.get_by_label("Any colour").fill("#2050c0")
    page.wait_for_function(
        "(image) => image.complete && !image.ahead && image.src.includes('strokes=')",
        arg=shown.element_handle(),
    )
    (stroke,) = json.loads(parse_qs(urlsplit(shown.get_attribute("src")).query)["strokes"][0])
    x, y = stroke["points"][0]
    assert abs(x - 150) <= 2 and abs(y - 100) <= 2  # the middle of the photo
    assert missed_by(pixels(page, shown), [(x, y, "#2050c0")])[0] < 10
    page.keyboard.press("Escape")  # first the stroke, then the panel, then the full size
    expect(box.get_by_text("paint over it")).to_be_visible()
    page.keyboard.press("Escape")
    expect(box.locator(".cz-fix")).to_be_hidden()
    expect(fix).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    strokes_in(page, 1)
    toggle(page).click()
    expect(page.locator(".cz-fix")).to_be_visible()
    expect(pins(page)).to_have_count(1)
