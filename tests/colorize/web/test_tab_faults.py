"""What visitors ran into: the Colorize tab in a real headless Chromium."""

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from colorize.web import session, tab
from tests.support.gates import hold, until
from tests.support.tab_pages import (
    card,
    choose,
    chroma,
    done,
    give,
    picture,
    pixels,
    rests,
    running,
    save,
    start_over,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST = 4  # photos at a time


@pytest.fixture(scope="module")
def server(shipped_checkpoints, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for module in (session, tab):
            patch.setattr(module, "MOST_PHOTOS", MOST)
        with running(shipped_checkpoints, tmp_path_factory.mktemp("app")) as server:
            yield server


def strip(page):
    return page.get_by_role("navigation", name="Your photos").get_by_role("button")


def test_an_answer_that_changes_nothing_ends_the_upload(page, photos):
    """The app refuses all of a drop, as where two pages share the room: its answer is the old
    state."""
    give(page, *[photos / "camera.png"] * MOST)
    expect(strip(page).and_(page.locator("[data-state=done]"))).to_have_count(MOST, timeout=60_000)
    page.evaluate(TAKE_ALL)
    give(page, photos / "coffee.jpg")
    expect(page.locator(".cz-work")).to_be_hidden(timeout=15_000)
    expect(strip(page)).to_have_count(MOST)


# As if this page knew of no limit.
TAKE_ALL = """async () => {
    const state = await import(new URL("gradio_api/colorize/page/state.js", document.baseURI));
    const { models, examples, most_bytes } = state.app.props;
    state.app.props = { models, examples, most_bytes, most_photos: 1000 };
}"""


def test_what_does_not_fit_is_named_before_it_is_sent(page, photos, tmp_path):
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/upload" in request.url else 0)
    names = [f"photo {number}.png" for number in range(MOST + 5)]
    for name in names:
        (tmp_path / name).write_bytes((photos / "camera.png").read_bytes())
    give(page, *[tmp_path / name for name in names])
    said = page.get_by_role("alert").filter(has_text=f"{MOST} photos fit at a time")
    expect(said).to_contain_text(f"{names[MOST]}, {names[MOST + 1]}, {names[MOST + 2]} and 2 more")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(MOST, timeout=60_000)
    assert len([url for url in sent if url.endswith("/upload")]) == MOST


@pytest.fixture
def held(page):
    """A function that lets all uploads go on: the first does at once, the second is held."""
    routes = []

    def hold(route):
        routes.append(route)
        if len(routes) != 2:
            route.continue_()

    page.route("**/upload", hold)

    def release():
        until(lambda: len(routes) == 2, page)
        routes[1].continue_()

    return release


def test_the_first_photo_is_in_colour_while_others_are_still_sent(page, photos, held):
    give(page, photos / "camera.png", photos / "coffee.jpg", photos / "camera.png")
    done(page, "Direct")
    expect(page.get_by_role("heading", name="camera.png")).to_be_visible()
    expect(strip(page)).to_have_count(3)
    held()
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(3, timeout=60_000)
    names = [one.get_attribute("aria-label") for one in strip(page).all()]
    assert names == ["camera.png, done", "coffee.jpg, done", "camera.png, done"]
    expect(page.get_by_role("heading", name="camera.png")).to_be_visible()
    expect(page.locator(".cz-work")).to_be_hidden()


def test_cancel_ends_the_sending(page, photos, held):
    give(page, *[photos / "camera.png"] * MOST)
    done(page, "Direct")
    with page.expect_response("**/run/predict*"):  # else it might end what comes next
        page.get_by_role("button", name="Cancel").click()
    held()
    expect(strip(page)).to_have_count(0)  # of one photo there is no strip
    give(page, photos / "coffee.jpg")
    expect(page.get_by_role("heading", name="coffee.jpg")).to_be_visible()
    done(page, "Direct")
    expect(strip(page)).to_have_count(2)


def test_start_over_asks_first_and_resets_what_belonged_to_the_photos(page, photos):
    choose(page, "Bins")
    give(page, photos / "camera.png")
    done(page, "Direct", "Bins")
    saturation = page.get_by_role("slider", name=re.compile("Intensity"))
    saturation.fill("2")
    page.get_by_role("button", name="Warm").click()
    page.get_by_label(re.compile("unsure")).check()
    page.get_by_label("Working size").click()
    page.get_by_role("option", name="192").click()
    for title in ("Direct", "Bins"):
        expect(picture(page, title)).to_have_attribute("src", re.compile("size=192"))
    rests(page)
    card(page, "Direct").get_by_role("slider").fill("90")
    page.get_by_role("button", name="Start over").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Your photo will be removed")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name="camera.png")).to_be_visible()
    expect(page.get_by_role("button", name="Start over")).to_be_focused()
    start_over(page)
    expect(page.get_by_text("Drop black-and-white photos here")).to_be_visible()
    give(page, photos / "camera.png")
    done(page, "Direct", "Bins")
    expect(saturation).to_have_value("1")
    source = picture(page, "Bins").get_attribute("src")
    assert "saturation=1&" in source
    for what in ("variant", "temperature", "size"):
        assert f"{what}=" not in source.replace("&side=", "&"), source
    expect(page.get_by_label(re.compile("unsure"))).not_to_be_checked()
    expect(page.get_by_label("Working size")).to_have_value("Automatic")
    expect(card(page, "Direct").get_by_role("slider")).to_have_value("0")


def test_the_focus_comes_back_where_work_begins_behind_a_question(page, photos, server):
    give(page, photos / "camera.png")
    done(page, "Direct")
    rests(page)
    held = hold(page, "**/run/predict*")
    server.gate.shut()
    page.get_by_label("Working size").click()
    page.get_by_role("option", name="192").click()
    until(lambda: held, page)
    restart = page.get_by_role("button", name="Start over")
    restart.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.unroute("**/run/predict*")
    expect(page.locator(".cz-work")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    server.gate.open()
    expect(restart).to_be_focused()


def test_sepia_stands_beside_its_colours_as_it_came(page, photos, tmp_path):
    grey = np.asarray(Image.open(photos / "camera.png").convert("L"), np.float32) / 255
    inks = ((20, 255), (10, 240), (0, 205))
    sepia = np.dstack([low + grey * (high - low) for low, high in inks]).astype(np.uint8)
    Image.fromarray(sepia).save(tmp_path / "sepia.png")
    give(page, tmp_path / "sepia.png")
    done(page, "Direct")
    scan = card(page, "Direct").get_by_role("img", name="sepia.png as it came")
    seen = pixels(page, scan).astype(int)
    assert np.abs(seen.mean((0, 1)) - sepia.mean((0, 1))).max() < 2
    page.get_by_role("button", name="Grey", exact=True).click()
    plain = card(page, "Direct").get_by_role("img", name="sepia.png in grey")
    expect(plain).to_have_attribute("src", re.compile("/grey"))
    assert np.ptp(pixels(page, plain).astype(int), axis=2).max() <= 2
    give(page, photos / "camera.png")
    expect(page.get_by_role("heading", name="camera.png")).to_be_visible()
    expect(page.get_by_role("button", name="Grey", exact=True)).to_be_hidden()


def test_colours_stay_while_the_app_is_gone(page, photos):
    give(page, photos / "camera.png")
    done(page, "Direct")
    shown = picture(page, "Direct")
    before = shown.get_attribute("src")
    page.route("**/colour?*", lambda route: route.abort())
    page.get_by_role("slider", name=re.compile("Intensity")).fill("1.7")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    assert shown.get_attribute("src") == before
    assert shown.evaluate("(image) => image.naturalWidth > 0")
    assert shown.evaluate("(image) => getComputedStyle(image).visibility") == "visible"
    page.unroute("**/colour?*")
    page.get_by_role("slider", name=re.compile("Intensity")).fill("1.6")
    expect(shown).to_have_attribute("src", re.compile("saturation=1.6"))


def test_no_label_stands_over_the_other_picture(page, photos):
    give(page, photos / "camera.png")
    done(page, "Direct")
    left, right = card(page, "Direct").locator(".cz-tag").all()
    for place, seen in (("50", "11"), ("0", "01"), ("100", "10")):
        card(page, "Direct").get_by_role("slider").fill(place)
        opacity = "".join(
            tag.evaluate("(t) => getComputedStyle(t).opacity") for tag in (left, right)
        )
        assert opacity == seen


def test_labels_of_a_narrow_photo_are_whole(page, tmp_path):
    Image.linear_gradient("L").resize((60, 960)).save(tmp_path / "narrow.png")
    give(page, tmp_path / "narrow.png")
    done(page, "Direct")
    for tag in card(page, "Direct").locator(".cz-tag").all():
        whole, shown = tag.evaluate("(tag) => [tag.scrollWidth, tag.clientWidth]")
        assert whole <= shown, tag.inner_text()


def test_an_added_photo_is_scrolled_to(visit, photos):
    page = visit(390, 844)
    give(page, *[photos / "camera.png"] * (MOST - 1))
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(MOST - 1, timeout=60_000)
    page.locator(".cz-strip").evaluate("(strip) => strip.style.width = '180px'")
    give(page, photos / "coffee.jpg")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(MOST, timeout=60_000)
    chosen = page.locator(".cz-strip [aria-current=true]")
    expect(chosen).to_have_attribute("aria-label", re.compile("coffee"))
    box, around = chosen.bounding_box(), page.locator(".cz-strip").bounding_box()
    assert around["x"] <= box["x"]
    assert box["x"] + box["width"] <= around["x"] + around["width"] + 1
    edge = 3  # pixels around the chosen one, which are not cut
    assert "inset" not in chosen.evaluate("(button) => getComputedStyle(button).boxShadow")
    assert around["y"] + edge <= box["y"]
    assert box["y"] + box["height"] + edge <= around["y"] + around["height"]


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(set(archive.namelist()) - {"manifest.csv"})
        return [Image.open(io.BytesIO(archive.read(name))) for name in names]


def test_settings_belong_to_the_photo(page, photos):
    give(page, photos / "camera.png", photos / "coffee.jpg")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    saturation = page.get_by_role("slider", name=re.compile("Intensity"))
    saturation.fill("2")
    expect(picture(page, "Direct")).to_have_attribute("src", re.compile("saturation=2&"))
    first, second = strip(page).all()
    expect(first).to_have_attribute("aria-label", "camera.png, done, adjusted")
    second.click()
    expect(saturation).to_have_value("1")
    expect(picture(page, "Direct")).to_have_attribute("src", re.compile("saturation=1&"))
    expect(second).to_have_attribute("aria-label", "coffee.jpg, done")
    first.click()
    expect(saturation).to_have_value("2")
    _, content = save(page, page.get_by_role("button", name="Download all"))
    colourful = [chroma(np.asarray(image)) for image in unpacked(content)]
    page.get_by_role("button", name="Same settings for all 2").click()
    expect(second).to_have_attribute("aria-label", "coffee.jpg, done, adjusted")
    expect(page.get_by_role("button", name="Same settings for all 2")).to_be_hidden()
    _, content = save(page, page.get_by_role("button", name="Download all"))
    after = [chroma(np.asarray(image)) for image in unpacked(content)]
    assert after[0] == colourful[0] and after[1] > colourful[1] * 1.3
    page.locator(".cz-spread").get_by_role("button", name="Reset").click()
    expect(saturation).to_have_value("1")
    expect(first).to_have_attribute("aria-label", "camera.png, done")
    expect(second).to_have_attribute("aria-label", "coffee.jpg, done, adjusted")


@pytest.fixture
def all_is_told(page):
    """A function: waits until the app has nothing more to say, and the page has asked for all."""
    under_way = set()
    page.on("request", lambda one: under_way.add(one) if TELLING.search(one.url) else None)
    for over in ("requestfinished", "requestfailed"):
        page.on(over, lambda one: under_way.discard(one))

    def wait():
        until(lambda: not under_way, page)  # Gradio's stream ends with the last event
        page.evaluate(ALL_IS_ASKED)
        until(lambda: not under_way, page)

    return wait


TELLING = re.compile(r"/queue/data\?|/news\?")
ALL_IS_ASKED = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const { app, state } = await import(
        new URL("gradio_api/colorize/page/state.js", document.baseURI));
    await frame();
    do await frame(); while (app.props.value.news > state.news);
}"""


def test_a_photo_that_arrives_is_told_and_the_others_are_not(page, photos, server, all_is_told):
    told = []
    page.on("response", lambda answer: told.append(answer) if "/news?" in answer.url else None)
    server.gate.shut()
    give(page, *[photos / "camera.png"] * MOST)
    expect(page.locator(".cz-strip button:enabled")).to_have_count(MOST)  # the app has all
    for number in range(1, MOST + 1):
        server.gate.let(1)
        expect(page.locator(".cz-strip [data-state=done]")).to_have_count(number)
    all_is_told()
    states = [answer.json() for answer in told]
    changes = [len(state["photos"]) for state in states if len(state["numbers"]) == MOST]
    assert changes and sum(changes) < MOST * len(changes)
    give_and_count = len(told)
    page.get_by_role("button", name="Remove this photo").click()
    expect(strip(page)).to_have_count(MOST - 1)
    all_is_told()
    assert [answer.json()["photos"] for answer in told[give_and_count:]] == [[]]


def test_all_photos_are_seen_at_once(visit, photos):
    for width in (1280, 390):
        page = visit(width=width)
        give(page, *[photos / "camera.png"] * MOST)
        expect(page.locator(".cz-strip [data-state=done]")).to_have_count(MOST, timeout=60_000)
        page.get_by_role("button", name=f"All {MOST} photos").click()
        expect(card(page, "Direct")).to_be_hidden()
        expect(page.get_by_role("button", name="Remove this photo")).to_be_hidden()
        expect(page.get_by_role("button", name="Download all")).to_be_visible()
        places = strip(page).evaluate_all(
            "all => all.map((one) => one.getBoundingClientRect().toJSON())"
        )
        assert len({round(place["y"]) for place in places}) == (1 if width == 1280 else 2)
        assert min(place["width"] for place in places) > 100
        strip(page).nth(2).focus()
        page.keyboard.press("Enter")
        expect(card(page, "Direct")).to_be_visible()
        expect(strip(page).nth(2)).to_have_attribute("aria-current", "true")


def test_what_is_no_photo_has_nothing_to_adjust(page, photos, tmp_path):
    (tmp_path / "broken.jpg").write_text("no photo")
    give(page, photos / "camera.png", tmp_path / "broken.jpg")
    done(page, "Direct")
    intensity = page.get_by_role("slider", name=re.compile("Intensity"))
    expect(intensity).to_be_visible()
    page.get_by_role("button", name=re.compile("^broken.jpg, has a problem")).click()
    expect(intensity).to_be_hidden()
    strip(page).first.click()
    expect(intensity).to_be_visible()


def test_settings_of_each_photo_come_back_after_a_reload(page, photos):
    give(page, photos / "camera.png", photos / "coffee.jpg")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    saturation = page.get_by_role("slider", name=re.compile("Intensity"))
    saturation.fill("1.5")
    expect(picture(page, "Direct")).to_have_attribute("src", re.compile("saturation=1.5&"))
    page.reload()
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    expect(saturation).to_have_value("1.5")
    strip(page).nth(1).click()
    expect(saturation).to_have_value("1")
