"""All photos in one ZIP: the Colorize tab in a real headless Chromium."""

import csv
import io
import json
import zipfile

import pytest
from playwright.sync_api import expect

from tests.support.gates import Gate, hold, until
from tests.support.tab_pages import give, save

pytestmark = [pytest.mark.browser, pytest.mark.slow]


MOST = 4  # photos


def test_much_painted_on_many_photos_comes_with_the_zip(page, photos):
    """More than an address may hold: 14,000 characters a photo."""
    give(page, *[photos / "camera.png"] * MOST)
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(MOST, timeout=60_000)
    page.evaluate(PAINT_ALL)
    name, content = save(page, page.get_by_role("button", name="Download all"))
    assert name == "colorized.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
    painted = [json.loads(row["strokes"]) for row in rows]
    assert [{stroke["color"] for stroke in strokes} for strokes in painted] == [
        {f"#00000{number}"} for number in range(1, 1 + MOST)
    ]
    assert sum(len(row["strokes"]) for row in rows) > 2**16
    expect(page.get_by_role("button", name="Download all")).to_be_visible()


PAINT_ALL = """async () => {
    const { state, strokesOf } = await import(
        new URL("gradio_api/colorize/page/state.js", document.baseURI));
    for (const photo of state.photos) {
        const points = [...Array(100).keys()].map((x) => [x + 10, photo.number + 50]);
        const one = { points, radius: 2, colour: `#00000${photo.number}`, strength: 1 };
        strokesOf(photo).list = Array(15).fill(one);
    }
}"""


def test_a_zip_tells_how_far_it_is_and_can_be_cancelled(page, photos, server, monkeypatch):
    give(page, *[photos / "camera.png"] * MOST)
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(MOST, timeout=60_000)
    write, gate = server.sessions.workshop.save, Gate()
    monkeypatch.setattr(
        server.sessions.workshop, "save", lambda *given: (gate.pass_through(), write(*given))[1]
    )
    gate.shut()
    gate.let(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
        expect(page.locator(".cz-zip")).to_contain_text(f"2 of {MOST}")
        with page.expect_response("**/cancel"):
            page.locator(".cz-zip").get_by_role("button", name="Cancel").click()
        gate.open()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        left_out = archive.read("not-included.txt").decode().splitlines()
    assert 1 <= len(left_out) < MOST and len(names) == MOST - len(left_out) + 2
    expect(page.get_by_text("The ZIP has what was done by then.")).to_be_visible()
    expect(page.get_by_role("button", name="Download all")).to_be_visible()


def test_a_zip_that_is_cancelled_while_it_is_prepared_never_begins(page, photos):
    give(page, *[photos / "camera.png"] * 2)
    expect(page.locator(".cz-strip [data-state=done]")).to_have_count(2)
    held, asked = hold(page, "**/all"), []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Download all").click()
    until(lambda: held, page)
    page.locator(".cz-zip").get_by_role("button", name="Cancel").click()
    held[0].continue_()
    expect(page.get_by_role("button", name="Download all")).to_be_focused()
    assert not [url for url in asked if ".zip" in url]
