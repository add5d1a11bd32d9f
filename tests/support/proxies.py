"""A reverse proxy before a running app, as hosts have them."""

import threading
from contextlib import asynccontextmanager, contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route

from tests.support.gates import until

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Proxied:
    def __init__(self, port, path):
        self.address = f"http://127.0.0.1:{port}{path}"


@contextmanager
def proxy(app, path="", passes=("/",), host=None):
    """A server that passes on what lies under `path`, if it begins with one of `passes`.

    app: whatever has an `address`, as what is given back has. `host` is sent as the host, and
    nothing said of the real one, as by a proxy in its plainest form.
    """

    @asynccontextmanager
    async def lifespan(_):
        async with httpx.AsyncClient(base_url=app.address, timeout=None) as client:
            yield {"client": client}

    async def forward(request: Request):
        rest = request.url.path.removeprefix(path)
        if not request.url.path.startswith(path) or not rest.startswith(passes):
            return HTMLResponse("<!doctype html>another page")
        forwarded = {"x-forwarded-host": request.headers["host"], "x-forwarded-proto": "http"}
        forwarded = {"host": host} if host else forwarded
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
    try:
        until(lambda: server.started)
        yield Proxied(server.servers[0].sockets[0].getsockname()[1], path)
    finally:  # else the tests would never end
        server.should_exit = True
        thread.join()
