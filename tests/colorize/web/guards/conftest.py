"""The guard before an application that says what it got."""

import asyncio
import json

import pytest

from colorize.web.guards.middleware import Guard


class App:
    """An application that reads what it gets, and says so."""

    def __init__(self):
        self.bodies = []

    async def __call__(self, scope, receive, send):
        body = b""
        if scope["method"] not in ("GET", "HEAD"):
            while True:
                message = await receive()
                body += message["body"]
                if not message.get("more_body"):
                    break
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"in"})


@pytest.fixture
def ask(tmp_path):
    """A function: status and sentence of an answer; `ask.app` is what stands behind it."""

    def ask(method, path, pieces=(b"",), headers=(), waiting=(), app=None, calls=None, sent=b"in"):
        stack = Guard(app or ask.app, tmp_path, lambda: list(waiting), calls)
        left, said = list(pieces), []

        async def receive():
            if left and callable(left[0]):
                await left.pop(0)()
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left)}

        async def send(message):
            said.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(k.lower().encode(), str(v).encode()) for k, v in headers],
            "client": ("10.0.0.7", 1234),
        }
        asyncio.run(stack(scope, receive, send))
        assert [m["type"] for m in said] == ["http.response.start", "http.response.body"]
        ask.left = left
        body = said[1]["body"]
        return said[0]["status"], "" if body == sent else json.loads(body)["error"]

    ask.app = App()
    return ask
