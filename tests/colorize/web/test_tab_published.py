"""A network with published weights in the Colorize tab, in a real headless Chromium."""

import shutil
from dataclasses import replace

import pytest
import torch
from playwright.sync_api import expect

from colorize.models.importing import import_weights
from colorize.models.record import read_record, write_record
from tests.support.published_weights import NETWORK, state
from tests.support.tab_pages import choose, chroma, done, give, picture, pixels, running

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(shipped_checkpoints, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    checkpoints = folder / "checkpoints"
    shutil.copytree(shipped_checkpoints, checkpoints)
    torch.save(state("siggraph17"), folder / "weights.pth")
    import_weights(NETWORK["siggraph17"], folder / "weights.pth", "theirs", checkpoints)
    record = checkpoints / "theirs.json"
    write_record(replace(read_record(record), size=64), record)
    with running(checkpoints, folder) as server:
        yield server


def test_it_stands_beside_ours_with_licence_and_size_and_colorizes(visit, photos, server):
    page = visit()
    entry = page.locator(".cz-models label").filter(has_text="Zhang")
    expect(entry).to_contain_text("published weights, not measured here")
    expect(entry).to_contain_text("BSD-2-Clause")
    expect(entry).to_contain_text("MB")
    give(page, photos / "camera.png")
    done(page, "Direct")
    title = entry.inner_text().splitlines()[0]
    choose(page, title)
    done(page, "Direct", title)
    assert chroma(pixels(page, picture(page, title))) > 1
    assert server.runs == ["direct", "theirs"]
    expect(page.get_by_role("button", name=f"Colour hints for {title}")).to_be_visible()
