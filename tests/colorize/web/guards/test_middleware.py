import asyncio
import errno
import json
import os
import time
from collections import namedtuple
from types import SimpleNamespace

import pytest

from colorize.web.guards import middleware, uploads
from colorize.web.guards.middleware import Guard, client_of, waiting_clients
from colorize.web.guards.uploads import RefusedError, Uploads

API = "/gradio_api"


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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/study"),
        ("POST", f"{API}/study/demo/answer"),
        ("GET", f"{API}/colorize/key/1/grey"),
        ("GET", f"{API}/file=/tmp/x/photo.png"),
        ("POST", f"{API}/upload"),
        ("POST", f"{API}/queue/join"),
        ("POST", f"/behind/a/proxy{API}/queue/join"),
        ("POST", f"{API}/run/predict"),
        ("POST", f"{API}/call/colorize"),
        ("POST", f"{API}/call/v2/colorize"),
        ("POST", f"{API}/cancel"),
        ("GET", f"{API}/heartbeat/abc"),
        ("HEAD", "/"),
        ("GET", "/config"),
        ("GET", "/assets/index.js"),
        ("GET", "/study/style/page.css"),
        ("GET", "/admin"),
        ("GET", f"{API}/info"),
        ("GET", f"{API}/queue/data"),
    ],
)
def test_paths_that_are_needed_are_open(ask, method, path):
    assert ask(method, path) == (200, "")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{API}/proxy=https://a.hf.space/file=x"),
        ("HEAD", f"{API}/proxy=https://a.hf.space/"),
        ("GET", f"/behind/a/proxy{API}/proxy=https://a.hf.space/"),
        ("GET", f"{API}/file=http://169.254.169.254/latest/meta-data"),
        ("GET", f"{API}/file=HTTPS://example.org/x.png"),
        ("GET", f"{API}/file/http://169.254.169.254/latest/meta-data"),
        ("HEAD", f"{API}/file/https:/example.org/x.png"),
        ("POST", f"{API}/component_server"),
        ("POST", f"{API}/process_recording"),
        ("POST", f"{API}/stream/abc"),
        ("POST", f"{API}/vibe-edit"),
        ("PUT", f"{API}/upload2"),
        ("DELETE", f"{API}/file=/tmp/x"),
        ("GET", f"{API}/dev/reload"),
        ("GET", f"{API}/openapi.json"),
        ("GET", f"{API}/a-door-of-a-later-version"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/monitoring/gradio_api"),
        ("GET", "/a-page-of-a-later-version"),
        ("POST", "/login"),
        ("POST", "/"),
        ("GET", "/config/x"),
        ("GET", "/monitoring/config"),
    ],
)
def test_other_paths_of_gradio_are_closed(ask, method, path):
    assert ask(method, path) == (404, "There is nothing here.")
    assert ask.app.bodies == []


def test_a_page_names_itself_in_short(ask):
    for length, expected in ((11, 200), (64, 200), (65, 422), (100_000, 422)):
        body = json.dumps({"data": [], "session_hash": "a" * length}).encode()
        assert ask("POST", f"{API}/queue/join", [body])[0] == expected


@pytest.mark.parametrize(
    ("address", "path", "depth"),
    [
        ("http://example.org/a.png", "queue/join", "file"),
        ("https://10.0.0.1/", "run/predict", "list"),
        (" HTTP://x/y", "call/colorize", "deep"),
        ("ftp://x/y", "call/v2/colorize", "file"),
        ("file:///etc/passwd", "queue/join", "deep"),
    ],
)
def test_addresses_in_files_are_refused(ask, address, path, depth):
    file = {"path": address, "meta": {"_type": "gradio.FileData"}}
    data = {"file": [file], "list": [[file, file]], "deep": [{"a": {"b": [{"c": file}]}}]}[depth]
    status, sentence = ask("POST", f"{API}/{path}", [json.dumps({"data": data}).encode()])
    assert (status, sentence) == (422, "Send the photo itself: addresses are not fetched.")
    assert ask.app.bodies == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"path": "/tmp/gradio/abc/photo.png", "url": "http://x/file=abc"}]}',
        b'{"data": [{"path": "C:/Users/me/photo.png"}, "http://is a text here"]}',
        b'{"data": [{"path": null}, {"path": 3}]}',
        b"not json",
        b"[" * 100_000,
        b"\xff\xfe",
        b"",
    ],
)
def test_what_names_no_address_comes_through_as_it_was(ask, body):
    half = len(body) // 2
    assert ask("POST", f"{API}/queue/join", [body[:half], body[half:]])[0] == 200
    assert ask.app.bodies == [body]


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


Usage = namedtuple("Usage", "free")


@pytest.mark.parametrize(("free", "status"), [(2**30 - 1, 507), (2**31, 200)])
def test_uploads_leave_room_for_the_studies(ask, monkeypatch, free, status):
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage(free))
    assert ask("POST", f"{API}/upload", headers=[("Content-Length", 0)])[0] == status
    assert ask("POST", f"{API}/study/demo/answer")[0] == 200


def test_the_size_of_an_upload_counts_beforehand(ask, monkeypatch):
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage(2**30 + 1000))
    assert ask("POST", f"{API}/upload", headers=[("Content-Length", 999)])[0] == 200
    assert ask("POST", f"{API}/upload", headers=[("Content-Length", 1001)])[0] == 507


def test_an_upload_that_announces_nothing_stops_where_the_room_ends(ask, monkeypatch):
    """As its pieces arrive; what came before them is on the disk by then."""
    free = [2**30 + 2500]
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage(free[0]))

    async def app(scope, receive, send):
        while (message := await receive()).get("more_body"):
            free[0] -= len(message["body"])

    status, sentence = ask("POST", f"{API}/upload", [b"x" * 1000] * 10, app=app)
    assert status == 507 and "no room" in sentence
    assert len(ask.left) == 7 and free[0] >= 2**30


def test_uploads_that_are_under_way_count(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage(2**30 + 1000))
    known = Uploads(tmp_path)
    first = known.begin("10.0.0.7", 600)
    with pytest.raises(RefusedError):
        known.begin("10.0.0.8", 500)
    known.begin("10.0.0.8", 400)
    known.arrive(first, 200)
    with pytest.raises(RefusedError):  # the disk has not less room, though it should have
        known.begin("10.0.0.9", 300)
    known.end(first)
    known.begin("10.0.0.9", 600)


def test_one_client_has_so_many_uploads_at_once(tmp_path):
    known = Uploads(tmp_path)
    under_way = [known.begin("10.0.0.7", 0) for _ in range(uploads.MOST_AT_ONCE)]
    with pytest.raises(RefusedError, match="being sent already") as refused:
        known.begin("10.0.0.7", 0)
    assert refused.value.status == 429
    known.begin("10.0.0.8", 0)
    known.end(under_way[0])
    known.begin("10.0.0.7", 0)


@pytest.mark.parametrize("ends", ["well", "refused", "left", "failed"])
def test_an_upload_counts_until_it_ends(ask, monkeypatch, tmp_path, ends):
    monkeypatch.setattr(uploads, "MOST_AT_ONCE", 1)
    stack = Guard(ask.app, tmp_path)

    async def send(message):
        pass

    async def receive():
        if ends == "failed":
            raise OSError("broken")
        if ends == "left":
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"x" * 1000, "more_body": ends == "refused"}

    monkeypatch.setattr(middleware, "MOST_UPLOAD", 10_000)
    headers = [] if ends == "refused" else [(b"content-length", b"1000")]
    scope = {"type": "http", "method": "POST", "path": f"{API}/upload", "headers": headers}
    for _ in range(3):
        asyncio.run(stack(scope | {"client": ("10.0.0.7", 1)}, receive, send))
    assert not stack._uploads._under_way


def test_what_a_broken_upload_left_is_deleted(tmp_path):
    written = tmp_path / "gradio"
    (written / "hash").mkdir(parents=True)
    known = Uploads(tmp_path, written)
    slow = known.begin("10.0.0.7", 0)
    broken = known.begin("10.0.0.8", 0)
    ours, before = written / "tmpslow", written / "tmpbroken"
    for file in (ours, before, written / "hash" / "photo.png", written / "other"):
        file.touch()
    os.utime(before, (time.time() - 60,) * 2)
    known.end(broken)
    assert ours.exists() and not before.exists()
    known.end(slow)
    assert {file.name for file in written.rglob("*")} == {"hash", "photo.png", "other"}


def test_one_client_cannot_fill_the_queue(ask):
    waiting = ["10.0.0.7"] * middleware.MOST_WAITING + ["10.0.0.8"]
    for path in ("queue/join", "call/colorize"):
        status, sentence = ask("POST", f"{API}/{path}", waiting=waiting)
        assert status == 429 and "waiting already" in sentence
        invented = [("X-Forwarded-For", "10.0.0.8")]
        assert ask("POST", f"{API}/{path}", headers=invented, waiting=waiting)[0] == 429
        assert ask("POST", f"{API}/{path}", waiting=waiting[1:])[0] == 200
    assert ask("POST", f"{API}/study/demo/answer", waiting=waiting)[0] == 200


@pytest.mark.parametrize("path", [f"{API}/upload", f"{API}/queue/join", f"{API}/study/demo/answer"])
def test_other_sites_pages_make_no_visitor_do_anything(ask, path):
    assert ask("POST", path, headers=[("Sec-Fetch-Site", "cross-site")])[0] == 403
    for own in ("same-origin", "same-site", "none"):
        assert ask("POST", path, headers=[("Sec-Fetch-Site", own)])[0] == 200


def test_clients_of_gradios_queue():
    def event(address):
        scope = {"client": (address, 1), "headers": [(b"x-forwarded-for", b"9.9.9.9")]}
        return SimpleNamespace(request=SimpleNamespace(scope=scope))

    lines = {
        "a": SimpleNamespace(queue=[event("1.1.1.1"), event("2.2.2.2")]),
        "b": SimpleNamespace(queue=[event("1.1.1.1")]),
    }
    queue = SimpleNamespace(event_queue_per_concurrency_id=lines)
    assert waiting_clients(queue) == ["1.1.1.1", "2.2.2.2", "1.1.1.1"]


def test_a_client_without_an_address():
    assert client_of({"headers": [], "client": None}) == ""


def test_other_kinds_of_connection_pass(tmp_path):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Guard(app, tmp_path)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


def failing(error, begins=False):
    """An application that fails, before its answer or within it."""

    async def app(scope, receive, send):
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return app


@pytest.mark.parametrize(
    ("method", "path", "error", "status"),
    [
        ("GET", "/assets/a\nb", OSError(36, "File name too long"), 404),
        ("GET", "/assets/long", OSError(36, "File name too long"), 404),
        ("GET", f"{API}/file=x", ValueError("embedded null byte"), 404),
        ("POST", f"{API}/upload", AttributeError("no attribute 'filename'"), 400),
        ("POST", f"{API}/run/predict", KeyError(7), 400),
        ("POST", f"{API}/upload", OSError(errno.ENOSPC, "No space left on device"), 507),
    ],
)
def test_what_gradio_stumbles_over_is_an_answer_and_a_line(
    ask, caplog, method, path, error, status
):
    assert ask(method, path, app=failing(error))[0] == status
    (line,) = caplog.records
    assert line.exc_info is None and line.getMessage().isprintable()
    assert path.replace("\n", "?") in line.getMessage()


def test_an_answer_that_breaks_off_is_ended(ask):
    """As Gradio's stream of events is, for a page that it does not know."""
    broken = failing(RuntimeError("response already started"), begins=True)
    assert ask("GET", f"{API}/queue/data", app=broken, sent=b"") == (200, "")


@pytest.mark.parametrize("path", ["/study", f"{API}/study/demo/answer", f"{API}/colorize/k/1/grey"])
def test_faults_of_ours_are_not_hidden(ask, path):
    with pytest.raises(KeyError):
        ask("GET", path, app=failing(KeyError(7)))


def test_calls_are_looked_at_before_gradio_sees_them(ask):
    class Calls:
        def fault(self, call, content):
            return None if content["data"] in ([], [1]) else (422, f"{call}: nonsense")

        def complete(self, call, content):
            is_short = content["data"] == [1]
            if is_short:
                content["data"].append(2)
            return is_short

        def is_unknown(self, call):
            return call.endswith("unknown")

    assert ask("POST", f"{API}/queue/join", [b'{"data": []}'], calls=Calls()) == (200, "")
    assert ask("POST", f"{API}/call/x", [b'{"data"', b": [1]}"], calls=Calls()) == (200, "")
    assert json.loads(ask.app.bodies[-1]) == {"data": [1, 2]}
    refused = ask("POST", f"{API}/call/x", [b'{"data": ', b"[7]}"], calls=Calls())
    assert refused == (422, "call/x: nonsense")
    assert ask("GET", f"{API}/call/x/unknown", calls=Calls())[0] == 404
    assert ask("GET", f"{API}/call/x/known", calls=Calls())[0] == 200
    assert len(ask.app.bodies) == 3
