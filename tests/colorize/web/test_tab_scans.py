"""Scans in the tab: their border, cropping, faded tones. In a real headless Chromium."""

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import expect

from colorize.photo.opening import Photo
from tests.support.scans import scanned
from tests.support.tab_pages import card, done, give, picture, pixels, save, scrolls_sideways

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    file = tmp_path_factory.mktemp("photos") / "scan.png"
    grey = np.asarray(Image.fromarray(skimage.data.chelsea()).convert("L"))
    Image.fromarray(scanned(grey // 2 + 60, 225, tilt=2)[0]).save(file)
    return file


def row(page):
    return page.get_by_role("group", name="Border of the scan")


def tint_of_border(page):
    shown = pixels(page, picture(page, "Direct")).astype(int)
    return np.ptp(shown[: len(shown) // 20], axis=2).mean()


def until_tinted(page, yes):
    """Until the picture's border is coloured, or is not."""
    for _ in range(100):
        if (tint_of_border(page) > 1.5) == yes:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"the border's tint stayed {tint_of_border(page)}")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_border_is_shown_stays_grey_and_can_be_coloured(visit, scan, width):
    page = visit(width=width)
    give(page, scan)
    done(page, "Direct")
    expect(row(page)).to_contain_text("A border was found.")
    until_tinted(page, False)
    outline = card(page, "Direct").locator(".cz-border")
    page.mouse.move(1, 1)  # which may be over the row
    expect(outline).to_have_css("opacity", "0")
    box = row(page).get_by_role("checkbox", name="Keep the border grey")
    expect(box).to_be_checked()
    box.focus()
    expect(outline).to_have_css("opacity", "1")
    assert outline.locator("polygon").get_attribute("points").count(",") == 4
    page.keyboard.press("Space")
    until_tinted(page, True)
    page.get_by_role("button", name="Reset", exact=True).click() if width > 600 else box.click()
    expect(box).to_be_checked()
    until_tinted(page, False)
    assert not scrolls_sideways(page)


def test_a_scan_is_cropped_and_straightened_and_brought_back(visit, scan):
    page = visit()
    give(page, scan)
    done(page, "Direct")
    before = pixels(page, picture(page, "Direct")).shape
    row(page).get_by_role("button", name="Crop and straighten").click()
    expect(row(page)).to_contain_text("Cut to the picture.")
    done(page, "Direct")
    assert pixels(page, picture(page, "Direct")).shape < before
    name, content = save(page, page.get_by_role("link", name="Download scan.png"))
    photo = Photo.open(content)
    assert name == "scan-direct.png" and np.abs(np.subtract(photo.size, (451, 300))).max() < 6
    assert "Cropped to the picture inside its border." in photo.metadata.xmp.decode()
    page.reload()
    page.locator(".cz-drop").wait_for()
    done(page, "Direct")
    row(page).get_by_role("button", name="Back to the whole scan").click()
    expect(row(page)).to_contain_text("A border was found.")
    done(page, "Direct")
    assert pixels(page, picture(page, "Direct")).shape == before


def test_faded_tones_are_stretched_for_who_wants_it(visit, scan, tmp_path):
    page = visit()
    give(page, scan)
    done(page, "Direct")
    box = page.get_by_role("checkbox", name="Restore faded tones")
    expect(box).not_to_be_checked()
    before = Photo.open(save(page, page.get_by_role("link", name="Download scan.png"))[1])
    box.check()
    expect(page.get_by_role("button", name="Reset", exact=True)).to_be_visible()
    after = Photo.open(save(page, page.get_by_role("link", name="Download scan.png"))[1])
    inside = (slice(100, 250), slice(100, 400))
    assert np.ptp(after.pixels[inside].mean(2)) > 1.5 * np.ptp(before.pixels[inside].mean(2))
    assert "faded tones were stretched" in after.metadata.xmp.decode()
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).resize((320, 240)).save(
        tmp_path / "full.png"
    )
    give(page, tmp_path / "full.png")
    expect(page.get_by_role("heading", name="full.png")).to_be_visible()
    expect(box).to_be_hidden()
    expect(row(page)).to_be_hidden()


def test_downloads_are_named_as_one_likes_and_can_be_shared(visit, scan):
    page = visit()
    give(page, scan)
    done(page, "Direct")
    names = page.get_by_label("Names")
    names.fill("{number} {name} in colour")
    names.press("Tab")
    page.get_by_label("File format of downloads").select_option("Side by side (JPEG)")
    link = page.get_by_role("link", name="Download scan.png")
    name, content = save(page, link)
    assert name == "1 scan in colour.jpg"
    both = Photo.open(content)
    height, width = Photo.open(scan).pixels.shape
    assert both.size == (2 * width + max(2, width // 100), height)
    names.fill("{size}")
    names.press("Tab")
    link.click()
    expect(page.get_by_role("alert").filter(has_text="name: expected {name}")).to_be_visible()
