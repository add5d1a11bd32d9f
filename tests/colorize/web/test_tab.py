"""The Colorize tab in a real headless Chromium, with small models of random weights."""

import io
import re
import zipfile
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.gates import until
from tests.support.tab_pages import (
    SEND,
    card,
    choose,
    chroma,
    done,
    forget,
    give,
    picture,
    pixels,
    rests,
    running,
    save,
    scrolls_sideways,
    start_over,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_BYTES = 3 * 2**20


@pytest.fixture(scope="module")
def server(shipped_checkpoints, tmp_path_factory):
    with running(shipped_checkpoints, tmp_path_factory.mktemp("app"), MOST_BYTES) as server:
        yield server


def test_empty_page(page):
    expect(page).to_have_title("Colorize")
    expect(page.get_by_text("Drop a black-and-white photo and see it in colour.")).to_be_visible()
    assert page.get_by_role("checkbox", name=re.compile("^Direct")).is_checked()
    assert not page.get_by_role("checkbox", name=re.compile("^Bins")).is_checked()
    expect(page.get_by_text("classifier, random")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Try the example"))).to_have_count(3)
    expect(page.get_by_text("Adjust")).to_be_hidden()


def test_two_models_colorize_a_photo_and_the_full_size_is_downloaded(page, photos):
    choose(page, "Bins")
    give(page, photos / "coffee.jpg")
    done(page, "Direct", "Bins")
    first, second = (pixels(page, picture(page, title)) for title in ("Direct", "Bins"))
    assert chroma(first) > 3 and chroma(second) > 3
    assert np.abs(first.astype(int) - second).mean() > 1
    grey = card(page, "Bins").get_by_role("img", name="coffee.jpg in grey")
    assert chroma(pixels(page, grey)) < 1
    expect(card(page, "Bins").locator(".cz-time")).to_have_text(re.compile(r"^[\d.]+ s$"))
    name, content = save(page, card(page, "Bins").get_by_role("link", name=re.compile("Download")))
    image = Image.open(io.BytesIO(content))
    assert name == "coffee-bins.jpg" and image.format == "JPEG"
    assert image.size == (600, 400)
    assert chroma(np.asarray(image)) > 3


def test_colour_upload_stands_beside_its_original_with_figures(page, photos):
    give(page, photos / "coffee.jpg")
    done(page, "Direct")
    expect(card(page, "Original").get_by_role("img")).to_be_visible()
    figures = card(page, "Direct").locator(".cz-figures")
    expect(figures).to_have_text(re.compile(r"PSNR\s*[\d.]+ dB\s*CIEDE2000\s*[\d.]+\s*Colorful"))
    expect(card(page, "Original").locator(".cz-figures")).to_contain_text("Colorfulness")


def test_grey_upload_has_no_original_and_no_figures(page, photos):
    give(page, photos / "camera.png")
    done(page, "Direct")
    expect(card(page, "Original")).to_have_count(0)
    expect(card(page, "Direct").locator(".cz-figures")).to_be_hidden()


def test_example(page):
    page.get_by_role("button", name="Try the example: Cat").click()
    done(page, "Direct")
    expect(page.get_by_role("heading", name="cat.jpg")).to_be_visible()


def test_adjusting_follows_without_the_network(page, photos, server):
    choose(page, "Bins")
    give(page, photos / "camera.png")
    done(page, "Direct", "Bins")
    ran = len(server.runs)
    before = pixels(page, picture(page, "Bins"))
    page.get_by_role("slider", name=re.compile("Intensity")).fill("0")
    expect(picture(page, "Bins")).to_have_attribute("src", re.compile("saturation=0&"))
    assert chroma(pixels(page, picture(page, "Bins"))) < 1 < chroma(before)
    page.get_by_role("slider", name=re.compile("Intensity")).fill("1")
    page.get_by_role("slider", name=re.compile("Temperature")).fill("1")
    expect(picture(page, "Bins")).to_have_attribute("src", re.compile("temperature=1&"))
    after = pixels(page, picture(page, "Bins"))
    assert np.abs(after.astype(int) - before).max() > 3
    assert "temperature" not in picture(page, "Direct").get_attribute("src")
    page.get_by_label(re.compile("unsure")).check()
    unsure = card(page, "Bins").locator(".cz-unsure")
    expect(unsure).to_be_visible()
    expect(card(page, "Direct").locator(".cz-unsure")).to_be_hidden()
    assert len(server.runs) == ran
    name, content = save(page, card(page, "Bins").get_by_role("link", name=re.compile("Download")))
    assert name == "camera-bins.png" and Image.open(io.BytesIO(content)).size == (300, 400)
    assert len(server.runs) == ran


def test_working_size_runs_the_network_again(page, photos, server):
    give(page, photos / "camera.png")
    done(page, "Direct")
    ran = len(server.runs)
    page.get_by_label("Working size").click()
    page.get_by_role("option", name="192").click()
    expect(picture(page, "Direct")).to_have_attribute("src", re.compile("size=192"))
    done(page, "Direct")
    assert len(server.runs) == ran + 1


def test_temperature_is_shown_for_models_over_bins_alone(page, photos):
    give(page, photos / "camera.png")
    done(page, "Direct")
    temperature = page.get_by_role("slider", name=re.compile("Temperature"))
    expect(temperature).to_be_hidden()
    choose(page, "Bins")
    expect(temperature).to_be_visible()
    done(page, "Bins")


def test_no_model_chosen(page, photos):
    page.get_by_role("checkbox", name=re.compile("^Direct")).uncheck()
    give(page, photos / "camera.png")
    expect(page.get_by_text("Choose at least one model")).to_be_visible()
    choose(page, "Direct")
    done(page, "Direct")


def test_text_file_called_jpg_gives_a_sentence_and_the_others_go_on(page, photos):
    give(page, photos / "notes.jpg", photos / "camera.png")
    expect(page.get_by_text(re.compile("^notes.jpg is text"))).to_be_visible()
    strip = page.get_by_role("navigation", name="Your photos").get_by_role("button")
    expect(strip).to_have_count(2)
    expect(strip.first).to_have_attribute("aria-label", "notes.jpg, has a problem")
    strip.nth(1).click()
    done(page, "Direct")
    expect(page.get_by_role("heading", name="camera.png")).to_be_visible()


def test_too_large_file_gives_a_sentence(page, photos, tmp_path):
    (tmp_path / "huge.jpg").write_bytes(b"\xff\xd8" + bytes(MOST_BYTES))
    give(page, tmp_path / "huge.jpg")
    expect(page.get_by_role("alert").filter(has_text="huge.jpg")).to_be_visible()
    expect(page.locator(".toast-body")).to_have_count(0)  # what Gradio says of it, in English
    give(page, photos / "camera.png")
    done(page, "Direct")
    expect(page.get_by_role("alert").filter(has_text="huge.jpg")).to_be_hidden()


def test_download_all_in_another_format(page, photos, tmp_path):
    choose(page, "Bins")
    (tmp_path / "camera.png").write_bytes((photos / "camera.png").read_bytes())
    give(page, photos / "camera.png", tmp_path / "camera.png")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    page.get_by_label("File format of downloads").select_option("JPEG")
    name, content = save(page, page.get_by_role("button", name="Download all"))
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert name == "colorized.zip"
    assert archive.namelist() == [
        "camera-direct.jpg", "camera-bins.jpg", "camera-direct-2.jpg", "camera-bins-2.jpg",
        "manifest.csv",
    ]  # fmt: skip
    assert Image.open(io.BytesIO(archive.read("camera-bins-2.jpg"))).size == (300, 400)


def test_progress_locks_what_takes_photos_away_and_cancel_ends_it(page, photos, server):
    server.gate.shut()
    give(page, photos / "camera.png", photos / "coffee.jpg", photos / "camera.png")
    count = page.locator(".cz-count")
    expect(count).to_have_text(re.compile("^1 of 3"))
    grey = card(page, "Direct").get_by_role("img", name="camera.png in grey")
    expect(grey).to_be_visible()
    assert page.get_by_role("button", name="Remove").is_disabled()
    assert not page.locator(".cz-models").evaluate("(part) => part.inert")
    server.gate.let(1)
    expect(count).to_have_text(re.compile("^2 of 3"))
    done(page, "Direct")  # what is done can be looked at while the others run
    with page.expect_response("**/run/predict*"):  # the app knows of it
        page.get_by_role("button", name="Cancel").click()
    server.gate.open()
    expect(count).to_have_text("Stopped. 1 picture left.")
    page.get_by_role("button", name="Colorize the rest").click()
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(3, timeout=60_000)


def test_failing_app_unlocks_the_page(page, photos, server, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(type(server.sessions), "of", lambda *_: 1 / 0)
        give(page, photos / "camera.png")
        expect(page.get_by_text("That did not work")).to_be_visible()
    give(page, photos / "camera.png")
    done(page, "Direct")
    expect(page.get_by_text("That did not work")).to_be_hidden()


def test_slider_moves_by_keyboard_and_by_pointer(page, photos):
    choose(page, "Bins")
    give(page, photos / "camera.png")
    done(page, "Direct", "Bins")
    rests(page)
    slider = card(page, "Direct").get_by_role("slider")
    expect(slider).to_have_accessible_name("camera.png: grey and colorized by Direct")
    slider.fill("50")
    at = int(slider.input_value())
    page.keyboard.press("ArrowLeft")
    assert int(slider.input_value()) < at
    page.keyboard.press("Home")
    assert slider.input_value() == "0"
    assert card(page, "Bins").get_by_role("slider").input_value() == "0"  # they move together
    box = card(page, "Bins").locator(".cz-slider").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 50)
    page.mouse.up()
    assert abs(int(slider.input_value()) - 70) <= 2


def test_compare_two_models(page, photos):
    choose(page, "Bins")
    give(page, photos / "camera.png")
    done(page, "Direct", "Bins")
    page.get_by_role("button", name="Compare two models").click()
    pair = page.locator(".cz-pair")
    expect(pair.get_by_role("img")).to_have_count(2)
    expect(card(page, "Direct")).to_have_count(0)
    expect(pair.get_by_role("img").first).to_have_attribute("src", re.compile("/direct/"))
    expect(pair.get_by_role("img").last).to_have_attribute("src", re.compile("/bins/"))
    page.get_by_label("Model on the left").select_option("Bins")
    expect(pair.get_by_role("img").first).to_have_attribute("src", re.compile("/bins/"))
    expect(pair.get_by_role("img").last).to_have_attribute("src", re.compile("/direct/"))
    page.get_by_role("button", name="Side by side").click()
    expect(card(page, "Direct")).to_be_visible()


def test_everything_is_reached_by_tab(page, photos):
    choose(page, "Bins")
    give(page, photos / "camera.png", photos / "coffee.jpg")
    done(page, "Direct", "Bins")
    rests(page)
    expect(page.get_by_role("button", name="Start over")).to_be_enabled()
    page.locator("body").click(position={"x": 2, "y": 2})
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
        ))  # fmt: skip
        assert page.evaluate(FOCUS_IS_VISIBLE), page.evaluate("document.activeElement.outerHTML")
    wanted = {
        "Choose photos", "Use the camera", "camera.png, done", "coffee.jpg, done", "Side by side",
        "Compare two models", "Download camera.png, colorized by Direct", "Download all",
        "camera.png: grey and colorized by Bins", "File format of downloads", "Start over",
    }  # fmt: skip
    assert wanted <= seen


# An outline, a shadow or a border that the element, or what frames it, has only with the focus.
FOCUS_IS_VISIBLE = """() => {
    const look = (node) => { const style = getComputedStyle(node);
        return [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow,
            style.borderColor].join(); };
    const active = document.activeElement, chain = [];
    if (active === document.body) return true;
    for (let node = active; node && chain.length < 4; node = node.parentElement) chain.push(node);
    const focused = chain.map(look);
    active.blur();
    const plain = chain.map(look);
    active.focus({ focusVisible: true });
    return focused.some((text, index) => text !== plain[index]);
}"""


def test_paste_and_drop(page, photos):
    content = (photos / "camera.png").read_bytes()
    for kind, name in (("paste", "pasted.png"), ("drop", "dropped.png")):
        rests(page)
        page.evaluate(SEND, [kind, list(content), name])
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        done(page, "Direct")


def test_camera(page):
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.get_by_role("heading", name="camera.jpg")).to_be_visible()
    done(page, "Direct")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(visit, photos, scheme):
    page = visit(390, 844, color_scheme=scheme)
    assert not scrolls_sideways(page)
    choose(page, "Bins")
    give(page, photos / "coffee.jpg", photos / "camera.png", photos / "notes.jpg")
    done(page, "Direct", "Bins")
    rests(page)
    assert not scrolls_sideways(page)
    tops = [card(page, title).bounding_box()["y"] for title in ("Original", "Direct", "Bins")]
    assert tops == sorted(tops) and len(set(tops)) == 3
    page.get_by_role("button", name="Compare two models").click()
    assert not scrolls_sideways(page)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", background)[:3])) > 380
    assert light == (scheme == "light")


@pytest.mark.parametrize(("width", "side_by_side"), [(899, False), (900, True), (1280, True)])
def test_models_stand_side_by_side_from_900_px(visit, photos, width, side_by_side):
    page = visit(width)
    choose(page, "Bins")
    give(page, photos / "camera.png")
    done(page, "Direct", "Bins")
    rests(page)
    tops = {round(card(page, title).bounding_box()["y"]) for title in ("Direct", "Bins")}
    assert (len(tops) == 1) == side_by_side
    assert not scrolls_sideways(page)


def test_reduced_motion(visit, photos, server):
    page = visit(reduced_motion="reduce")
    server.gate.shut()
    give(page, photos / "camera.png")
    bar = card(page, "Direct").get_by_role("progressbar")
    expect(bar).to_be_visible()
    assert bar.evaluate("(bar) => getComputedStyle(bar).animationName") == "none"
    server.gate.open()
    done(page, "Direct")


def test_visitors_do_not_mix(visit, photos):
    first, second = visit(), visit()
    give(first, photos / "camera.png")
    give(second, photos / "coffee.jpg")
    done(first, "Direct")
    done(second, "Direct")
    addresses = [
        picture(page, "Direct").evaluate("(image) => image.src") for page in (first, second)
    ]
    assert np.asarray(pixels(first, picture(first, "Direct"))).shape[:2] == (400, 300)
    keys = [urlsplit(address).path.split("/")[3] for address in addresses]
    assert keys[0] != keys[1]
    expect(first.get_by_role("heading", name="coffee.jpg")).to_have_count(0)


def test_name_is_text_wherever_it_is_shown(page, photos):
    name = "<img src=x onerror=window.hit=1>.png"
    content = (photos / "camera.png").read_bytes()
    page.evaluate(SEND, ["drop", list(content), name])
    done(page, "Direct")
    assert page.evaluate("window.hit") is None
    assert page.locator("img[src=x]").count() == 0


def test_forgotten_photos_are_told(page, photos, server):
    give(page, photos / "camera.png")
    done(page, "Direct")
    key = urlsplit(picture(page, "Direct").evaluate("(image) => image.src")).path.split("/")[3]
    forget(server.sessions, key)
    page.get_by_role("slider", name=re.compile("Intensity")).fill("1.9")
    expect(page.get_by_text("Drop them again")).to_be_visible()
    give(page, photos / "coffee.jpg")
    done(page, "Direct")


def test_start_over_and_remove_leave_no_file(page, photos, server):
    give(page, photos / "camera.png", photos / "coffee.jpg")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    done(page, "Direct")
    key = urlsplit(picture(page, "Direct").evaluate("(image) => image.src")).path.split("/")[3]
    kept = server.folder / "sessions" / key
    assert len(list(kept.glob("*/*"))) == 2
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="coffee.jpg")).to_be_visible()
    until(lambda: [file.name for file in kept.glob("*/*")] == ["coffee.jpg"])
    start_over(page)
    expect(page.get_by_text("Drop black-and-white photos here")).to_be_visible()
    assert not kept.exists()


def test_closed_page_is_noticed(visit, photos, server):
    page = visit()
    give(page, photos / "camera.png")
    done(page, "Direct")
    key = urlsplit(picture(page, "Direct").evaluate("(image) => image.src")).path.split("/")[3]
    session = server.sessions.by_key(key)
    assert not session.short_lived
    page.close()
    until(lambda: session.short_lived)


def test_page_asks_no_other_host(visit, photos, server):
    page = visit()
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    policy = page.reload().headers["content-security-policy"]
    assert "connect-src 'self'" in policy and "frame-ancestors" not in policy
    give(page, photos / "camera.png")
    done(page, "Direct")
    assert hosts - {""} == {urlsplit(server.address).netloc}
