import asyncio
import errno
import json
from types import SimpleNamespace

import pytest

from colorize.web.guards import middleware
from colorize.web.guards.middleware import Guard, client_of, waiting_clients

API = "/gradio_api"


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
