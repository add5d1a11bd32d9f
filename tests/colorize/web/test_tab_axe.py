"""What axe-core finds in the Colorize tab, state by state, in a real headless Chromium."""

import re

import numpy as np
import pytest
import skimage.data
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.support.scans import scanned
from tests.support.tab_pages import choose, done, give

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GRAVE = ("serious", "critical")


def violations(page):
    """Of the whole page, Gradio's part as well: rule and elements of those that are grave."""
    return [
        f"{found['id']}: {', '.join(str(node['target']) for node in found['nodes'])}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in GRAVE
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A faded scan with a border, a colour photo, and what is no photo."""
    folder = tmp_path_factory.mktemp("photos")
    grey = np.asarray(Image.fromarray(skimage.data.chelsea()).convert("L"))
    Image.fromarray(scanned(grey // 2 + 60, 225, tilt=2)[0]).save(folder / "scan.png")
    Image.fromarray(skimage.data.coffee()).save(folder / "coffee.jpg")
    (folder / "broken.jpg").write_text("no photo")
    return [folder / name for name in ("scan.png", "coffee.jpg", "broken.jpg")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_in_any_state(visit, files, width, scheme):
    page = visit(width=width, folded=True, color_scheme=scheme, reduced_motion="reduce")
    found = {}

    def look(state):
        if bad := violations(page):
            found[state] = bad

    look("empty")
    give(page, *files)
    done(page, "Direct")
    expect(page.locator(".cz-strip [data-state=open]")).to_have_count(0)
    page.wait_for_function("document.querySelectorAll('.cz-variants img[src]').length > 2")
    look("result")
    if width < 600:
        page.get_by_role("button", name="Adjust").click()
    page.get_by_role("button", name="Advanced").click()
    choose(page, "Bins")
    done(page, "Direct", "Bins")
    page.get_by_role("checkbox", name="Outline the most unsure tenth").check()
    look("all settings, two models")
    if width < 600:
        page.get_by_role("button", name="Done", exact=True).click()
    page.get_by_role("button", name="Compare two models").click()
    look("two models in one slider")
    page.get_by_role("button", name="Side by side").click()
    page.get_by_role("button", name=re.compile("^Fix a colour")).click()
    look("colours are fixed")
    page.get_by_role("button", name=re.compile("^coffee.jpg")).click()
    expect(page.get_by_role("heading", name="Original")).to_be_visible()
    look("a colour photo")
    page.get_by_role("button", name=re.compile("^broken.jpg")).click()
    look("an error")
    page.get_by_role("button", name=re.compile("^scan.png")).click()
    page.get_by_role("button", name="Full size").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("at full size")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start over").click()
    look("a question")
    assert found == {}
