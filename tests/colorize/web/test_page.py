"""The tab's page as modules: what is served of it, and what a visitor sees where it is not."""

import posixpath
import re
from dataclasses import replace
from graphlib import TopologicalSorter

import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.testclient import TestClient

from colorize.web.pictures.routes import PREFIX, page_route
from colorize.web.tab import PAGE
from tests.support.gates import until
from tests.support.proxies import proxy
from tests.support.tab_pages import card, done, give, rests, running, save, visitors

SOURCES = {
    file.relative_to(PAGE).as_posix(): file.read_text(encoding="utf-8")
    for file in sorted(PAGE.rglob("*.js"))
}
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/[^"]+)";$', re.MULTILINE)
# Of the modules that a page has: the bytes that came for each, by its name.
SENT = """() => Object.fromEntries(performance.getEntriesByType("resource")
    .filter((entry) => entry.name.includes("/colorize/page/"))
    .map((entry) => [entry.name.split("/page/")[1], entry.transferSize]))"""
ONLY_AN_ANSWER = 300  # of what is unchanged since it was kept (Resource Timing, 4.3)
EXPORT = re.compile(r"^export (?:async )?(?:function|const|let) (\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=[page_route(PAGE)]))


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_is_served_and_asked_for_once(client, name):
    answer = client.get(f"{PREFIX}/page/{name}")
    assert answer.status_code == 200 and answer.text == SOURCES[name]
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"  # asked every time whether it changed
    tag = answer.headers["etag"]
    for known in (tag, f"W/{tag}"):  # as proxies that compress have it
        again = client.get(f"{PREFIX}/page/{name}", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "no-cache"
    changed = client.get(f"{PREFIX}/page/{name}", headers={"If-None-Match": '"before"'})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    "name",
    ["", "nothing.js", "MAIN.js", "main.js/", "./", "sub/main.js", "tab.css", "../tab.py",
     "..%2ftab.py", "%2e%2e/tab.py", "..%5ctab.py", "/etc/passwd", "%2fetc%2fpasswd",
     "main.js%00"],
)  # fmt: skip
def test_nothing_else_is_served(client, name):
    answer = client.get(f"{PREFIX}/page/{name}")
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_modules_are_read_and_never_written(client):
    assert client.head(f"{PREFIX}/page/main.js").status_code == 200
    assert client.post(f"{PREFIX}/page/main.js").status_code == 405


def test_what_modules_import_is_there_and_runs_one_way():
    below = {}
    for name, source in SOURCES.items():
        found = [(name.split(), file) for name, file in IMPORT.findall(source.replace(",", " "))]
        assert len(found) == source.count("import {") and "import(" not in source
        below[name] = set()
        for names, file in found:
            meant = posixpath.normpath(posixpath.join(posixpath.dirname(name), file))
            assert set(names) <= set(EXPORT.findall(SOURCES[meant])), (name, file)
            below[name].add(meant)
    assert list(TopologicalSorter(below).static_order())[-1] == "main.js"


def test_change_alone_draws():
    assert [name for name in SOURCES if "onChange(draw)" in SOURCES[name]] == ["main.js"]
    assert not any(re.search(r"\bdraw\(\)", source) for source in SOURCES.values())


def test_nothing_is_left_on_window():
    written = re.compile(r"(window|globalThis|self)(\.\w+|\[[^]]*\])+ *=[^=]")
    assert not any(written.search(source) for source in SOURCES.values())


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("missing", ["main.js", "view/slider.js"])
def test_a_module_that_is_missing_is_told(chromium, server, missing):
    context = chromium.new_context()
    page = context.new_page()
    page.route(f"**/page/{missing}", lambda route: route.abort())
    page.goto(server.address)
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    page.unroute_all()
    page.reload()
    expect(page.locator(".cz-drop")).to_be_visible()
    context.close()


@pytest.mark.browser
@pytest.mark.slow
def test_a_module_that_this_browser_cannot_read_is_told(chromium, server):
    context = chromium.new_context()
    page = context.new_page()
    script = {"content_type": "text/javascript", "body": "export const h = a ?!? b;"}
    page.route("**/page/dom.js", lambda route: route.fulfill(**script))
    page.goto(server.address)
    expect(page.get_by_role("alert")).to_contain_text("browser may be too old")
    context.close()


@pytest.mark.browser
@pytest.mark.slow
def test_an_older_browser_keeps_the_focus(visit, photos):
    page = visit()
    page.evaluate("delete Element.prototype.checkVisibility")
    give(page, photos / "camera.png")
    done(page, "Direct")
    rests(page)
    remove = page.get_by_role("button", name="Remove")
    remove.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Choose photos")).to_be_focused()


@pytest.mark.browser
@pytest.mark.slow
def test_modules_travel_once(visit, server):
    page = visit()
    sent = page.evaluate(SENT)
    assert set(sent) == set(SOURCES) and min(sent.values()) > 2 * ONLY_AN_ANSWER
    page.reload()
    until(lambda: page.evaluate(SENT).keys() == set(SOURCES), page)
    assert set(page.evaluate(SENT).values()) == {ONLY_AN_ANSWER}
    config = page.request.get(f"{server.address}config").text()
    assert "colorize/page/main.js" in config and "replaceChildren" not in config


@pytest.mark.browser
@pytest.mark.slow
def test_under_a_path(chromium, shipped_with_hints, photos, tmp_path, monkeypatch):
    path, asked = "/behind/a/proxy", []
    monkeypatch.setenv("GRADIO_ROOT_PATH", path)
    with running(shipped_with_hints, tmp_path) as server, proxy(server, path) as served:
        behind = replace(server, address=f"{served.address}/")
        with visitors(chromium, behind) as visit:
            page = visit()
            page.on("request", lambda request: asked.append(request.url))
            give(page, photos / "camera.png")
            done(page, "Direct")
            name, content = save(
                page, card(page, "Direct").get_by_role("link", name=re.compile("Download"))
            )
            assert name == "camera-direct.png" and content
            page.reload()
            done(page, "Direct")
    ours = [url for url in asked if url.startswith("http") and "/colorize/" in url]
    assert ours and all(url.startswith(f"{behind.address}gradio_api/colorize/") for url in ours)
