"""What a reload of the Colorize tab keeps, in a real headless Chromium."""

import re
from urllib.parse import urlsplit

import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import expect

from tests.support.gates import until
from tests.support.tab_pages import choose, done, forget, give, picture, start_over

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    files = []
    for name in ("coffee", "chelsea", "camera"):
        pixels = getattr(skimage.data, name)()
        files.append(folder / f"{name}.png")
        Image.fromarray(pixels).resize((300, 200)).convert("L").save(files[-1])
    return files


def reload(page):
    page.reload()
    page.locator(".cz-drop").wait_for()


def key_of(page, title="Hinted"):
    return urlsplit(picture(page, title).evaluate("(image) => image.src")).path.split("/")[3]


def test_reload_keeps_photos_hints_and_settings(visit, photos, server):
    page = visit()
    choose(page, "Hinted")
    give(page, *photos[:2])
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2)
    page.get_by_role("button", name="chelsea.png, done").click()
    done(page, "Direct", "Hinted")
    page.get_by_role("button", name=re.compile("^Fix a colour")).click()
    page.get_by_role("button", name="Add in the middle").click()
    page.get_by_label("Any colour").fill("#2050c0")
    page.get_by_role("slider", name=re.compile("Intensity")).fill("1.5")
    page.get_by_role("slider", name=re.compile("Temperature")).fill("0.3")
    page.get_by_label(re.compile("unsure")).check()
    page.get_by_role("button", name="Warm").click()
    page.get_by_label("File format of downloads").select_option("PNG")
    followed = re.compile("saturation=1.5.*temperature=0.3.*variant=warm.*strokes=.*150%2C100")
    expect(picture(page, "Hinted")).to_have_attribute("src", followed)
    address = picture(page, "Hinted").get_attribute("src")
    ran = len(server.runs)
    reload(page)
    expect(page.get_by_role("heading", name="chelsea.png")).to_be_visible()
    done(page, "Direct", "Hinted")
    expect(picture(page, "Hinted")).to_have_attribute("src", address)
    expect(page.get_by_label(re.compile("unsure"))).to_be_checked()
    expect(page.get_by_role("slider", name=re.compile("Temperature"))).to_have_value("0.3")
    expect(page.get_by_label("File format of downloads")).to_have_value("png")
    expect(page.locator(".cz-strip button")).to_have_count(2)
    assert len(server.runs) == ran


def test_reload_goes_on_with_the_work(visit, photos, server):
    page = visit()
    server.gate.shut()
    server.gate.let(1)
    give(page, *photos)
    expect(page.locator(".cz-count")).to_have_text(re.compile("^2 of 3"))
    done(page, "Direct")
    session = server.sessions.by_key(key_of(page, "Direct"))
    reload(page)
    until(session._cancelled.is_set, page)  # the app knows that the page was left
    server.gate.open()
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(3, timeout=60_000)
    expect(page.locator(".cz-work")).to_be_hidden()


def test_photos_that_are_gone_are_told(visit, photos, server):
    page = visit()
    choose(page, "Hinted")
    give(page, photos[0])
    done(page, "Hinted")
    key = key_of(page)
    forget(server.sessions, key)
    reload(page)
    expect(page.get_by_role("alert").filter(has_text="no longer here")).to_be_visible()
    reload(page)
    expect(page.get_by_text("Or try one of these")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_start_over_is_remembered_too(visit, photos):
    page = visit()
    give(page, photos[0])
    done(page, "Direct")
    start_over(page)
    expect(page.get_by_text("Or try one of these")).to_be_visible()
    reload(page)
    expect(page.get_by_text("Or try one of these")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
