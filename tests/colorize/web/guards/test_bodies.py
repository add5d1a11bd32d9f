"""How large a request may be, and how slowly it may come."""

import asyncio
from types import SimpleNamespace

import pytest

from colorize.web.guards import middleware, uploads
from colorize.web.guards.middleware import Guard

API = "/gradio_api"


def test_a_body_that_says_it_is_too_large_is_not_read(ask):
    for path, most in (
        (f"{API}/upload", middleware.MOST_UPLOAD),
        (f"{API}/queue/join", middleware.MOST_BODY),
    ):
        status, sentence = ask("POST", path, [b"x"], [("Content-Length", most + 1)])
        assert (status, sentence) == (413, f"Expected {most // 2**20} MB at most.")
        assert ask.left == [b"x"]


@pytest.mark.parametrize(
    "path", [f"{API}/queue/join", f"{API}/study/demo/answer", f"{API}/colorize/x"]
)
def test_reading_stops_where_a_body_is_too_large(ask, path):
    piece = bytes(2**19)
    status, _ = ask("POST", path, [piece] * 100)
    assert status == 413 and len(ask.left) == 95
    assert ask.app.bodies == []


def test_an_upload_may_be_larger(ask):
    assert ask("POST", f"{API}/upload", [bytes(2**20)] * 10)[0] == 200


def test_a_list_for_a_zip_may_be_larger_and_counts_as_an_upload(ask, monkeypatch):
    assert ask("POST", f"{API}/colorize/key/all", [bytes(2**20)] * 4)[0] == 200
    assert ask("POST", f"{API}/colorize/key/all", [bytes(2**20)] * 5)[0] == 413
    assert ask("POST", f"{API}/colorize/key/all/x/cancel", [bytes(2**20)] * 4)[0] == 413
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30 - 1))
    assert ask("POST", f"{API}/colorize/key/all", [b"{}"])[0] == 507


@pytest.mark.parametrize("path", [f"{API}/queue/join", f"{API}/upload", f"{API}/study/demo/answer"])
def test_a_connection_without_data_is_closed(ask, monkeypatch, path):
    monkeypatch.setattr(middleware, "SILENCE", 0.05)
    status, sentence = ask("POST", path, [b"{", lambda: asyncio.sleep(600), b"}"])
    assert (status, sentence) == (408, "The request came too slowly.")


def test_a_body_that_comes_too_slowly_is_refused(ask, monkeypatch):
    """Each piece comes in time, and yet it would take for ever."""
    monkeypatch.setattr(middleware, "SILENCE", 0.5)
    drops = [x for _ in range(1000) for x in (lambda: asyncio.sleep(0.02), b".")]
    status, _ = ask("POST", f"{API}/upload", [*drops, b""])
    assert status == 408 and len(ask.left) > 1000


def test_what_the_app_makes_of_a_broken_body_is_not_sent(ask, monkeypatch):
    monkeypatch.setattr(middleware, "SILENCE", 0.05)

    async def swallowing(scope, receive, send):
        try:
            await receive()
        except Exception:
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

    pieces = [lambda: asyncio.sleep(600), b""]
    assert ask("POST", f"{API}/upload", pieces, app=swallowing)[0] == 408


def test_waiting_for_the_end_of_a_connection_takes_as_long_as_it_takes(tmp_path, monkeypatch):
    """As a stream of events does, long after its request was read."""
    monkeypatch.setattr(middleware, "SILENCE", 0.05)
    messages = [{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}]

    async def receive():
        if len(messages) == 1:
            await asyncio.sleep(0.3)
        return messages.pop(0)

    seen = []

    async def listening(scope, receive, send):
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])

    scope = {"type": "http", "method": "POST", "path": f"{API}/upload", "headers": []}
    asyncio.run(Guard(listening, tmp_path)(scope, receive, None))
    assert seen == ["http.request", "http.disconnect"]
