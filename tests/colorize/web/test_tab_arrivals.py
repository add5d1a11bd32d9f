"""A model is fetched while the app runs: pages that are open get it."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.support.hubs import small_hub, use
from tests.support.tab_pages import choose, done, give, running, visitors

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_model_that_is_fetched_is_told_and_then_used(
    chromium, shipped_checkpoints, tmp_path, monkeypatch, photos
):
    models = shutil.copytree(shipped_checkpoints, tmp_path / "models")
    with small_hub(monkeypatch, tmp_path / "cache", "small") as hub:
        use(hub.endpoint, monkeypatch)
        hub.open.clear()
        monkeypatch.setenv("COLORIZE_FETCH", "small")
        monkeypatch.setenv("COLORIZE_DEFAULT", "bins")
        with (
            running(models, tmp_path / "app") as server,
            visitors(chromium, server) as visit,
        ):
            page = visit()
            listed = page.locator(".cz-models")
            expect(listed).to_contain_text("Small is being fetched, 1 MB.")
            expect(listed.get_by_role("checkbox").first).to_be_checked()
            expect(listed.locator("label").first).to_contain_text("Bins")
            give(page, photos / "camera.png")
            done(page, "Bins")
            hub.open.set()
            small = listed.get_by_role("checkbox", name="Small")
            expect(small).to_be_visible(timeout=60_000)
            line = "made up (published weights, not measured here)"
            expect(listed).to_contain_text(line)
            expect(listed).to_contain_text("MIT · 2 MB")
            expect(listed).not_to_contain_text("being fetched")
            expect(listed.get_by_role("checkbox").first).to_be_checked()
            choose(page, "Small")
            done(page, "Bins", "Small")
            other = visit()
            expect(other.locator(".cz-models")).to_contain_text("Small")
