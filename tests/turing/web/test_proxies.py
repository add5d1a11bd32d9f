"""The study behind proxies: one that passes only Gradio's own addresses, one under a path."""

import pytest

from benchmarks.study.serving import App
from tests.support.proxies import proxy
from tests.turing.support.studies import rows
from turing.store.store import Store, store_path

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def take_part(person):
    """Two answers, with a reload between them."""
    person.press("I agree")
    person.press("Continue")
    person.place.get_by_label("no", exact=True).check()
    person.press("Start")
    person.wait_for_trial("Practice 1 of 1")
    person.pick(0)
    person.press("Continue")
    person.press("Start")
    person.wait_for_trial("1 of 9")
    person.pick(1)
    person.wait_for_trial("2 of 9")


def choices(app):
    with Store(store_path(app.store, "demo")) as store:
        return [row["choice"] for row in rows(store, "choices")]


def test_only_what_belongs_to_gradio_is_passed_on(tmp_path, meet):
    with App(tmp_path / "studies", TMPDIR=str(tmp_path)) as app:
        app.wait_for("/gradio_api/study/demo/info")
        with proxy(app, passes=("/gradio_api/",)) as served:
            person = meet(served)
            person.page.goto(f"{served.address}/gradio_api/study?study=demo")
            take_part(person)
            person.page.reload()
            person.wait_for_trial("2 of 9")
            assert choices(app) == [0, 1]
            paths = [url.removeprefix(served.address) for url in person.requests]
            assert all(path.startswith(("/gradio_api/study", "blob:", "data:")) for path in paths)


def test_under_a_path(tmp_path, meet):
    path = "/behind/a/proxy"
    with App(tmp_path / "studies", TMPDIR=str(tmp_path), GRADIO_ROOT_PATH=path) as app:
        app.wait_for("/gradio_api/study/demo/info")
        with proxy(app, path) as served:
            person = meet(served)
            person.page.goto(f"{served.address}/")
            person.page.get_by_role("tab", name="Turing test").click()
            person.place = person.page.frame_locator("iframe.study-frame")
            take_part(person)
            assert choices(app) == [0, 1]
            person.place = person.page
            person.visit()  # the same browser, at the study's own address
            person.wait_for_trial("2 of 9")


@pytest.mark.parametrize("host", ["its own", "without a port"])
def test_in_its_plainest_form(tmp_path, meet, host):
    """nginx with `proxy_pass` alone, and with `Host $host`."""
    with App(tmp_path / "studies", TMPDIR=str(tmp_path)) as app:
        app.wait_for("/gradio_api/study/demo/info")
        sent = app.address.removeprefix("http://") if host == "its own" else "127.0.0.1"
        with proxy(app, host=sent) as served:
            person = meet(served)
            person.visit()
            take_part(person)
            assert choices(app) == [0, 1]
