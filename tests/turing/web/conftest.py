"""The routes of an open study, and a page for them to serve."""

import pytest

from tests.turing.support.routes import serving
from tests.turing.support.servers import Nursery
from turing.web.serving import Studies


@pytest.fixture
def page(tmp_path):
    """A page's folder, and things in it that are nobody's business."""
    folder = tmp_path / "page"
    (folder / "texts").mkdir(parents=True)
    (folder / "page.html").write_text("<!doctype html><title>Study</title>")
    (folder / "page.js").write_text("export {};")
    (folder / "texts" / "en.json").write_text('{"prompt_pick-original": "Which one?"}')
    (folder / "texts" / "de.json").write_text('{"prompt_pick-original": "Welches?"}')
    (folder / "notes.txt").write_text("secret")
    return folder


@pytest.fixture
def client(store, page):
    with Studies(store.path.parent) as studies, serving(studies, page) as client:
        yield client


@pytest.fixture(scope="module")
def nursery():
    """What starts servers; whatever still runs at the end is ended."""
    nursery = Nursery()
    yield nursery
    nursery.close()
