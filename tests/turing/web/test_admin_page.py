"""The results page and the report in a real headless Chromium."""

import csv
import threading
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import sync_playwright
from starlette.applications import Starlette

from tests.support.browser import FLAGS, find_browser
from tests.support.gates import until
from tests.turing.support.studies import built
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.report.of_store import store_report, store_results
from turing.store.store import Store
from turing.web.admin import admin_routes
from turing.web.serving import Studies

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("studies")
    with built(directory) as store:
        simulate(store, Skills({(None, "plain"): 0.95}, careless=0.1), 20, seed=1)
    return directory


@pytest.fixture(scope="module")
def address(directory):
    with Studies(directory) as studies:
        app = Starlette(routes=admin_routes(studies, "correct horse", "tiny"))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A function that opens a window; nothing may be refused by the page's own policy."""
    contexts, complaints = [], []

    def visit(width=1280, scheme="light"):
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        return page

    yield visit
    for context in contexts:
        context.close()
    # The form itself comes with status 403, which the console mentions.
    assert [text for text in complaints if "status of 403" not in text] == []


def sign_in(page, address):
    page.goto(f"{address}/admin")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_label("Password").press("Enter")
    page.get_by_role("heading", name="The answer").wait_for()
    page.wait_for_load_state("load")  # all that comes after the heading, and its pictures


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_from_the_password_to_the_figures(visit, address, width, scheme):
    page = visit(width, scheme)
    sign_in(page, address)
    assert page.url == f"{address}/gradio_api/study/tiny/admin" and fits(page)
    plots = page.locator("svg.plot:visible")
    assert plots.count() == 5
    assert all(box["width"] > 200 for box in (plots.nth(i).bounding_box() for i in range(5)))
    pictures = page.locator(".gallery img")
    assert pictures.count() > 6
    loaded = pictures.evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    assert loaded
    colors = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    dark, light = (
        ("rgb(20, 23, 28)", "rgb(232, 234, 238)"),
        ("rgb(255, 255, 255)", "rgb(29, 33, 41)"),
    )
    assert tuple(colors) == (dark if scheme == "dark" else light)


def test_wrong_then_right_then_a_file_then_out(visit, address, tmp_path):
    page = visit()
    page.goto(f"{address}/admin")
    page.get_by_label("Password").fill("guess")
    page.get_by_role("button", name="Show the results").click()
    page.get_by_text("This is not the password.").wait_for()
    sign_in(page, address)
    with page.expect_download() as download:
        page.get_by_role("link", name="Choices (CSV)").click()
    assert download.value.suggested_filename == "tiny-choices.csv"
    with Path(download.value.path()).open(newline="", encoding="utf-8-sig") as file:
        assert len(list(csv.DictReader(file))) == 20 * 8
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Password").wait_for()
    page.reload()
    assert page.get_by_label("Password").is_visible()


def test_the_report_is_a_file_that_asks_for_nothing(visit, directory, tmp_path):
    with Store(directory / "tiny.sqlite") as store:
        html = store_report(store, store_results(store))
    (tmp_path / "report.html").write_text(html, "utf-8")
    page, asked = visit(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert fits(page) and page.get_by_role("heading", name="The answer").is_visible()


def test_the_report_fits_a_phone_whatever_the_names_are(visit, directory, tmp_path):
    with Store(directory / "tiny.sqlite") as store:
        html = store_report(store, store_results(store))
    for name in ("hills", "apples", "plain", "bright", "Which"):
        assert name in html
        html = html.replace(name, f"{name}_{'W' * 58}")  # as long as they may be
    (tmp_path / "report.html").write_text(html, "utf-8")
    page = visit(390)
    page.goto((tmp_path / "report.html").as_uri())
    for details in page.locator("details").all():
        details.evaluate("one => one.open = true")
    assert fits(page)


def test_the_report_prints_on_paper_as_wide_as_it_is(visit, directory, tmp_path):
    with Store(directory / "tiny.sqlite") as store:
        html = store_report(store, store_results(store))
    (tmp_path / "report.html").write_text(html, "utf-8")
    page = visit(688, "dark")  # A4 less its margins
    page.goto((tmp_path / "report.html").as_uri())
    page.emulate_media(media="print")
    assert fits(page)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.get_by_text("Everybody, by number").is_visible()
