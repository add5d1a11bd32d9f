"""How the Colorize tab looks and moves, in a real headless Chromium."""

import re

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import expect

from tests.support.gates import hold, until
from tests.support.tab_pages import card, choose, done, give, picture, rests

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A colour photo, a grey one, and a broken one."""
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(skimage.data.coffee()).save(folder / "coffee.jpg")
    Image.fromarray(skimage.data.camera()).save(folder / "camera.png")
    content = (folder / "camera.png").read_bytes()
    (folder / "broken.png").write_bytes(content[: len(content) // 2])
    return folder


def place(locator):
    box = locator.bounding_box()
    return [round(box[side]) for side in ("x", "y", "width", "height")]


def frame_of(page, title):
    return card(page, title).locator(".cz-slider")


def temperature(page):
    return page.get_by_role("slider", name=re.compile("Temperature"))


def sees(page, locator):
    """Whether a part lies in the window as a whole."""
    box, height = locator.bounding_box(), page.viewport_size["height"]
    return box["y"] >= 0 and box["y"] + box["height"] <= height + 1


def test_pictures_side_by_side_stand_in_line(visit, photos):
    page = visit()
    choose(page, "Hinted")
    give(page, photos / "coffee.jpg")
    done(page, "Direct", "Hinted")
    rests(page)
    places = [place(frame_of(page, title)) for title in ("Original", "Direct", "Hinted")]
    assert len({(y, width, height) for _, y, width, height in places}) == 1
    assert len({x for x, *_ in places}) == 3


def test_photo_stays_where_it_is_from_the_drop_to_the_result(visit, photos, server):
    page = visit()
    choose(page, "Bins")
    server.gate.shut()
    held = hold(page, "**/upload*")
    give(page, photos / "camera.png")
    local = page.locator(".cz-local .cz-slider")
    expect(local.get_by_role("img")).to_have_js_property("naturalWidth", 512)
    expect(local).to_have_attribute("style", re.compile("aspect-ratio: 1"))  # in its frame
    sent = place(local)
    until(lambda: held, page)
    held[0].continue_()
    expect(page.locator(".cz-card[data-state=working]").first).to_be_visible()
    working, foot = place(frame_of(page, "Direct")), place(page.locator(".cz-foot:visible"))
    server.gate.open()
    done(page, "Direct", "Bins")
    expect(page.locator(".cz-work")).to_be_hidden()
    assert sent == working == place(frame_of(page, "Direct"))
    assert foot == place(page.locator(".cz-foot:visible"))


def test_example_is_there_at_once(visit, server):
    page = visit()
    held = hold(page, "**/queue/join*")
    page.get_by_role("button", name="Try the example: Cat").click()
    expect(page.locator(".cz-local").get_by_role("img", name="Cat in grey")).to_be_visible()
    until(lambda: held, page)
    page.unroute("**/queue/join*")  # with which those that wait go on
    done(page, "Direct")
    expect(page.locator(".cz-local")).to_have_count(0)


def test_every_photo_has_a_bar_and_a_broken_one_a_sign(visit, photos, server):
    page = visit()
    choose(page, "Bins")
    server.gate.shut()
    server.gate.let(1)
    give(page, photos / "coffee.jpg", photos / "broken.png")
    first, broken = page.locator(".cz-strip button").all()
    expect(broken).to_have_attribute("data-state", "failed")
    expect(first.locator("progress")).to_have_js_property("value", 1)
    expect(first.locator("progress")).to_have_js_property("max", 2)
    expect(broken.locator("progress")).to_be_hidden()
    expect(broken.locator("img")).to_be_hidden()
    assert broken.evaluate("(part) => getComputedStyle(part, '::before').content") != "none"
    server.gate.open()
    done(page, "Direct", "Bins")
    expect(first.locator("progress")).to_be_hidden()


def test_what_is_left_is_told_in_seconds(visit, photos, server):
    page = visit()
    server.pause["seconds"] = 1.5
    give(page, *[photos / "camera.png"] * 12)
    said = re.compile(r"^\d+ of 12 · about \d+ s left$")
    expect(page.locator(".cz-work .cz-count")).to_have_text(said)  # for some seconds
    page.get_by_role("button", name="Cancel").click()


def test_focus_comes_back_after_work(visit, photos):
    page = visit()
    give(page, photos / "camera.png")
    done(page, "Direct")
    bins = page.get_by_role("checkbox", name=re.compile("^Bins"))
    bins.focus()
    page.keyboard.press("Space")
    done(page, "Bins")
    expect(bins).to_be_focused()
    rests(page)
    remove = page.get_by_role("button", name="Remove")
    remove.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Choose photos")).to_be_focused()


def test_figures_of_one_photo_never_stand_by_another(visit, photos, tmp_path):
    page = visit()
    Image.fromarray(skimage.data.astronaut()).resize((96, 96)).save(tmp_path / "other.png")
    give(page, photos / "coffee.jpg", tmp_path / "other.png")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    figures = card(page, "Direct").locator(".cz-figures")
    expect(figures).to_contain_text(re.compile(r"[\d.]+ dB"))
    page.route("**/figures*", lambda route: route.abort())
    page.get_by_role("button", name="other.png, done").click()
    expect(page.get_by_role("heading", name="other.png")).to_be_visible()
    expect(figures).to_have_text(re.compile("PSNR– dBCIEDE2000–Colorfulness–"))


def test_each_model_has_its_own_temperature_until_the_slider_is_moved(visit, photos):
    page = visit()
    choose(page, "Bins")
    give(page, photos / "camera.png")
    done(page, "Bins")
    expect(temperature(page)).to_have_value("0.38")
    choose(page, "Hinted")
    done(page, "Hinted")
    page.get_by_role("checkbox", name=re.compile("^Bins")).uncheck()
    expect(temperature(page)).to_have_value("0.6")
    assert "temperature" not in picture(page, "Hinted").get_attribute("src")
    temperature(page).fill("0.2")
    expect(picture(page, "Hinted")).to_have_attribute("src", re.compile(r"temperature=0\.2&"))
    choose(page, "Bins")
    done(page, "Bins")
    expect(temperature(page)).to_have_value("0.2")
    page.get_by_role("checkbox", name=re.compile("^Hinted")).uncheck()
    page.locator(".cz-bins").get_by_role("button", name="Reset").click()
    expect(temperature(page)).to_have_value("0.38")
    expect(picture(page, "Bins")).not_to_have_attribute("src", re.compile("temperature"))


def test_photo_and_settings_share_a_screen(visit, photos):
    page = visit()
    choose(page, "Bins")
    page.get_by_role("checkbox", name=re.compile("^Direct")).uncheck()
    give(page, photos / "camera.png")
    done(page, "Bins")
    for part in (frame_of(page, "Bins"), temperature(page), page.get_by_label("Working size")):
        assert sees(page, part)
    page.get_by_role("button", name="Advanced").click()  # else they may be longer than the stage
    page.mouse.wheel(0, 150)
    side = page.locator(".cz-side-column").element_handle()
    page.wait_for_function(
        "(side) => Math.abs(side.getBoundingClientRect().top - 16) < 1", arg=side
    )


def test_hints_and_their_photo_share_a_screen(visit, photos):
    page = visit(reduced_motion="reduce")
    choose(page, "Hinted")
    page.get_by_role("checkbox", name=re.compile("^Direct")).uncheck()
    give(page, photos / "camera.png")
    done(page, "Hinted")
    before = place(frame_of(page, "Hinted"))[2:]
    page.get_by_role("button", name=re.compile("^Fix a colour")).click()
    panel = page.get_by_role("group", name="Fix a colour")
    expect(panel).to_be_visible()
    assert sees(page, frame_of(page, "Hinted")) and sees(page, panel)
    assert place(frame_of(page, "Hinted"))[2:] == before
    page.get_by_role("button", name="Add in the middle").click()
    page.locator(".cz-swatch").first.click()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Add in the middle")).to_be_focused()
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    expect(page.get_by_role("button", name="Add in the middle")).to_be_focused()


def test_visitors_are_told_what_happens_to_their_photos(visit, photos):
    page = visit()
    privacy = page.get_by_text("deletes them within an hour after you leave")
    expect(privacy).to_be_visible()
    give(page, photos / "camera.png")
    done(page, "Direct")
    expect(privacy).to_be_visible()
    expect(page.get_by_text("Colours are a guess of the model")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(visit, photos, scheme):
    page = visit(390, 844, color_scheme=scheme)
    choose(page, "Hinted")
    page.get_by_role("checkbox", name=re.compile("^Direct")).uncheck()
    give(page, photos / "camera.png")
    done(page, "Hinted")
    page.get_by_role("button", name=re.compile("^Fix a colour")).click()
    for _ in range(2):
        page.get_by_role("button", name="Add in the middle").click()
        page.locator(".cz-swatch").first.click()
        page.get_by_role("button", name="Done").click()
    buttons = page.locator(".cz-fix > .cz-row > :visible")
    expect(buttons).to_have_count(4)
    assert len({place(button)[1] for button in buttons.all()}) == 1
    page.get_by_role("button", name="Done").click()
    while page.locator(".cz-fix").is_visible():  # first the pin, then all of it
        page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Adjust").click()
    assert temperature(page).evaluate(IS_NOT_CUT)
    names = ("Colorize", "Turing test")
    assert all(contrast(page, page.get_by_role("tab", name=name)) >= 4.5 for name in names)


def test_small_photo_comes_along_where_a_setting_is_far_from_it(visit, photos):
    page = visit(844, 390)  # a phone on its side
    choose(page, "Bins")
    page.get_by_role("checkbox", name=re.compile("^Direct")).uncheck()
    give(page, photos / "camera.png")
    done(page, "Bins")
    small = page.locator(".cz-peek")
    page.evaluate(HOLD_ITS_END)
    page.get_by_role("button", name="Adjust").click()
    temperature(page).scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(small).to_be_hidden()
    temperature(page).focus()
    page.keyboard.press("ArrowRight")
    expect(small).to_be_visible()
    expect(picture(page, "Bins")).to_have_attribute("src", re.compile("temperature=0.39"))
    address = picture(page, "Bins").get_attribute("src")
    expect(small.locator("img").first).to_have_attribute("src", address)
    hand, photo = temperature(page).bounding_box(), small.bounding_box()
    assert photo["y"] + photo["height"] <= hand["y"] or hand["y"] + hand["height"] <= photo["y"]
    page.evaluate("heldEnd()")
    expect(small).to_be_hidden()  # a moment later
    page.evaluate("scrollTo(0, 0)")
    temperature(page).evaluate("(range) => range.blur()")
    page.get_by_role("slider", name=re.compile("^camera.png")).focus()
    assert small.is_hidden()


# It goes after some seconds, within which a busy machine does not look at it: they pass on a word.
HOLD_ITS_END = """() => {
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (then, after, ...more) => {
        if (after !== 2500) return setTimeout(then, after, ...more);
        globalThis.heldEnd = then;
    };
}"""


def test_what_is_new_stands_at_the_top(visit, photos):
    page = visit(390, 700)
    give(page, photos / "camera.png")
    done(page, "Direct")
    for name in ("Start over", "Try the example: Cat"):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_enabled()
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        button.evaluate("(button) => button.click()")  # where the page stands, wherever that is
        if name == "Start over":
            page.get_by_role("dialog").get_by_role("button", name=name).click()
        page.wait_for_function(TITLE_IS_SEEN)


def test_who_cannot_drop_is_not_asked_to(visit, photos):
    page = visit(390, 844, has_touch=True, is_mobile=True)
    expect(page.get_by_text("Choose black-and-white photos")).to_be_visible()
    assert "drop" not in page.locator(".cz-top").inner_text().lower()


TITLE_IS_SEEN = "document.querySelector('#colorize h1').getBoundingClientRect().top >= 0"
IS_NOT_CUT = """(part) => {
    for (let around = part.parentElement; !around.matches(".cz-side-column, #colorize");
        around = around.parentElement)
        if (getComputedStyle(around).overflow !== "visible") return false;
    return part.clientHeight >= 24;
}"""


def contrast(page, part):
    """Of the text to the page, after WCAG 2.2."""
    text, ground = (
        luminance(where.evaluate(f"(part) => getComputedStyle(part).{what}"))
        for where, what in ((part, "color"), (page.locator("body"), "backgroundColor"))
    )
    return (max(text, ground) + 0.05) / (min(text, ground) + 0.05)


def luminance(colour):
    rgb = np.array([float(x) for x in re.findall(r"[\d.]+", colour)[:3]]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
