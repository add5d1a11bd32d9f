"""What is chosen while the app is at work: the Colorize tab in a real headless Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.gates import until
from tests.support.tab_pages import SEND, card, done, give, rests

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_model_ticked_while_work_runs_is_done_too(page, photos, server):
    server.gate.shut()
    give(page, photos / "camera.png", photos / "coffee.jpg")
    count, bins = page.locator(".cz-count"), page.get_by_role("checkbox", name=re.compile("^Bins"))
    expect(count).to_have_text(re.compile("^1 of 2"))
    bins.check()
    expect(count).to_have_text(re.compile(" of 4"))
    expect(card(page, "Bins")).to_be_visible()
    bins.uncheck()
    expect(card(page, "Bins")).to_have_count(0)
    bins.check()
    expect(card(page, "Bins")).to_be_visible()
    server.gate.open()
    done(page, "Direct", "Bins")
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    expect(page.locator(".cz-work")).to_be_hidden()
    assert page.get_by_role("checkbox", name=re.compile("^Bins")).is_checked()


def hold_first(page, address):
    """As `hold`, of the first request alone: others overtake it."""
    held = []
    page.route(address, lambda route: route.fallback() if held else held.append(route))
    return held


def test_of_models_ticked_at_once_the_last_wish_counts(page, photos):
    """The first wish comes late: the second, which has both, waits for it."""
    give(page, photos / "camera.png")
    done(page, "Direct")
    rests(page)
    held = hold_first(page, "**/run/predict*")
    boxes = [
        page.get_by_role("checkbox", name=re.compile(f"^{name}")) for name in ("Bins", "Direct")
    ]
    boxes[0].check()
    until(lambda: held, page)
    boxes[1].uncheck()
    page.wait_for_timeout(300)
    held[0].continue_()
    done(page, "Bins")
    expect(card(page, "Direct")).to_have_count(0)
    assert page.evaluate(CHOSEN) == ["bins"]


CHOSEN = """async () => (await import(
    new URL("gradio_api/colorize/page/state.js", document.baseURI))).state.models"""


def test_a_drop_that_had_to_wait_takes_no_model_back(page, photos):
    """What was chosen after it stands."""
    give(page, photos / "camera.png")
    done(page, "Direct")
    rests(page)
    held = hold_first(page, "**/queue/join*")
    page.get_by_label("Choose photos").set_input_files(photos / "coffee.jpg")
    until(lambda: held, page)
    page.get_by_role("checkbox", name=re.compile("^Bins")).check()
    until(lambda: page.evaluate(CHOSEN) == ["direct", "bins"], page)
    held[0].continue_()
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2, timeout=60_000)
    assert page.evaluate(CHOSEN) == ["direct", "bins"]


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_photos_that_come_while_others_are_at_work_are_next(page, photos, server, kind):
    server.gate.shut()
    give(page, photos / "coffee.jpg")
    count = page.locator(".cz-count")
    expect(count).to_have_text(re.compile("^1 of 1"))
    content = list((photos / "camera.png").read_bytes())
    for name in ("one.png", "two.png"):
        page.evaluate(SEND, [kind, content, name])
    expect(count).to_have_text(re.compile("^1 of 1 .* · then 2 more photos$"))
    server.gate.open()
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(3, timeout=60_000)
    rests(page)
    expect(page.locator(".cz-work")).to_be_hidden()


def test_cancel_gives_up_the_photos_that_wait_too(page, photos, server):
    server.gate.shut()
    give(page, photos / "coffee.jpg")
    page.evaluate(SEND, ["drop", list((photos / "camera.png").read_bytes()), "late.png"])
    expect(page.locator(".cz-count")).to_have_text(re.compile("then 1 more photo$"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".cz-count")).not_to_have_text(re.compile("more photo"))
    server.gate.open()
    rests(page)
    assert page.evaluate(PHOTOS) == ["coffee.jpg"]


PHOTOS = """async () => (await import(
    new URL("gradio_api/colorize/page/state.js", document.baseURI))).state.photos.map(
        ({ name }) => name)"""
