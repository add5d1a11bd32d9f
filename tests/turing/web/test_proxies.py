"""The study behind proxies: one that passes only Gradio's own addresses, one under a path."""

import threading
import time
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route

from benchmarks.study.serving import App
from tests.turing.support.studies import rows
from turing.store.store import Store, store_path

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Proxied:
    def __init__(self, port, path):
        self.address = f"http://127.0.0.1:{port}{path}"


@contextmanager
def proxy(app, path="", passes=("/",)):
    """A server that passes on what lies under `path`, if it begins with one of `passes`."""

    @asynccontextmanager
    async def lifespan(_):
        async with httpx.AsyncClient(base_url=app.address, timeout=None) as client:
            yield {"client": client}

    async def forward(request: Request):
        rest = request.url.path.removeprefix(path)
        if not request.url.path.startswith(path) or not rest.startswith(passes):
            return HTMLResponse("<!doctype html>another page")
        forwarded = {"x-forwarded-host": request.headers["host"], "x-forwarded-proto": "http"}
        headers = {**request.headers, **forwarded}
        target = httpx.URL(path=rest, query=request.url.query.encode())
        body, client = await request.body(), request.state.client
        sent = client.build_request(request.method, target, headers=headers, content=body)
        answer = await client.send(sent, stream=True)
        kept = {k: v for k, v in answer.headers.items() if k not in HOP_BY_HOP}
        close = BackgroundTask(answer.aclose)
        return StreamingResponse(answer.aiter_raw(), answer.status_code, kept, background=close)

    routes = [Route("/{rest:path}", forward, methods=["GET", "POST", "HEAD"])]
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=routes, lifespan=lifespan),
            port=0,
            log_level="critical",
            ws="none",
            timeout_graceful_shutdown=1,  # some answers never end
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Proxied(server.servers[0].sockets[0].getsockname()[1], path)
    server.should_exit = True
    thread.join()


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
