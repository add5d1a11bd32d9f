"""The running app against people who mean ill: every threat of docs/security.md that is not
tested where its answer lives.
"""

import ast
import hashlib
import http.client
import io
import json
import re
import socket
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from gradio.route_utils import delete_files_created_by_app
from PIL import Image

import app
from colorize.web.guards import middleware
from colorize.web.guards.middleware import waiting_clients
from colorize.web.guards.proxies import VARIABLE
from colorize.web.session import MOST_RELOADS
from colorize.web.tab import PLACES
from tests.support.gradio_locks import no_stray_loops
from turing.web.hosting import host

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
SECRET = "SECRET-of-the-study"
SOON = 60.0
STUDY = "/gradio_api/study/demo"


class Server:
    """The app in this process, with an open study's folder that holds a secret."""

    def __init__(self, folder, proxies=""):
        self.folder = folder
        self.studies = folder / "studies"
        self.hosting = host([], {"TURING_STORE": str(self.studies)})
        (self.studies / "demo.sqlite-key").write_text(SECRET)
        self.demo, settings, self.sessions = app.build(folder / "app", self.hosting, proxies)
        (folder / "app" / "files" / "secret.png").write_text(SECRET)
        (folder / "outside.txt").write_text(SECRET)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.demo.launch(server_port=self.port, prevent_thread_lock=True, **settings)

    def close(self):
        self.demo.close(verbose=False)
        self.sessions.close()
        self.hosting.close()

    def ask(self, method, path, body=None, headers=(), source="127.0.0.1"):
        """Status, headers and content of an answer; the path goes as it is."""
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.port, SOON, source_address=(source, 0))
        ) as connection:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def post(self, path, content, headers=(), **options):
        kind = {"Content-Type": "application/json"}
        return self.ask("POST", path, json.dumps(content), kind | dict(headers), **options)

    def upload(self, content, name="photo.png"):
        """The path that an upload is told."""
        part = f'--cut\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        form = part.encode() + content + b"\r\n--cut--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=cut"}
        status, _, answer = self.ask("POST", "/gradio_api/upload", form, kind)
        assert status == 200, answer
        return json.loads(answer)[0]

    def colorize(self, file):
        """The events of a call of the public endpoint with a file's data."""
        call = {"data": [file, ["direct"], 1.0, None, None]}
        status, _, answer = self.post("/gradio_api/call/colorize", call)
        if status != 200:
            return status, answer.decode()
        event = json.loads(answer)["event_id"]
        return status, self.ask("GET", f"/gradio_api/call/colorize/{event}")[2].decode()


@contextmanager
def serving(checkpoints, folder, proxies=""):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLORIZE_CHECKPOINTS", str(checkpoints))
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "app" / "gradio"))
        patch.setenv(VARIABLE, "")
        with no_stray_loops():
            server = Server(folder, proxies)
        yield server
        server.close()


@pytest.fixture(scope="module")
def server(shipped_checkpoints, tmp_path_factory):
    with serving(shipped_checkpoints, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def picture():
    def encode(format="PNG"):
        file = io.BytesIO()
        noise = np.random.default_rng().integers(0, 256, (24, 32), dtype=np.uint8)
        Image.fromarray(noise).save(file, format)
        return file.getvalue()

    return encode


def file_data(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


# Files


def wanted(server):
    return [
        server.folder / "outside.txt",
        server.studies / "demo.sqlite-key",
        server.folder / "app" / "files" / "secret.png",
        ROOT / "app.py",
        Path("/etc/passwd"),
    ]


WAYS = [
    "/gradio_api/file={}",
    "/gradio_api/file%3D{}",
    "/gradio_api/file=/{}",
    "/gradio_api/file=./{}",
    "/gradio_api/file={upload}/../../../../../../../../../..{}",
    "/gradio_api/file={upload}/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/file=file://{}",
    "/gradio_api/file={}%00.png",
    "/gradio_api/file/{}",
    "/file={}",
    "/static/../../../../../../../../../../..{}",
    "/static/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/assets/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/svelte/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/study/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/study/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/study/demo/picture/..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/colorize/example/..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/custom_component/x/client/component/..%2f..%2f..%2f..{}",
]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_no_route_gives_a_file_that_is_not_for_visitors(server, way, picture):
    upload = Path(server.upload(picture())).parent
    for path in wanted(server):
        content = path.read_bytes()
        for form in (str(path), quote(str(path), safe="")):
            address = way.replace("{upload}", str(upload)).replace("{}", form)
            status, _, answer = server.ask("GET", address)
            assert status != 200 or content not in answer, address
            assert SECRET.encode() not in answer


@pytest.mark.slow
def test_no_call_takes_a_file_that_was_not_uploaded(server):
    for path in wanted(server):
        status, events = server.colorize(file_data(path))
        assert status == 422 and "uploaded before" in events and SECRET not in events


@pytest.mark.slow
def test_uploads_of_others_are_not_to_be_guessed(server, picture):
    content = picture()
    path = Path(server.upload(content))
    (name,) = path.relative_to(server.folder / "app" / "gradio").parts[:-1]
    assert re.fullmatch("[0-9a-f]{64}", name)
    assert name != hashlib.sha256(content).hexdigest()  # who has the photo has not the address
    for folder in (path.parent, path.parent.parent):
        status, _, answer = server.ask("GET", f"/gradio_api/file={folder}")
        assert status in (403, 404) and path.name.encode() not in answer
    key = server.sessions.of("somebody").key
    assert len(key) >= 22  # 128 bits
    for guess in ("", "a" * len(key), key[:-1], key.swapcase()):
        assert server.ask("GET", f"/gradio_api/colorize/{guess}/1/grey")[0] == 404


@pytest.mark.slow
def test_uploads_are_gone_within_an_hour(server, picture):
    often, age = server.demo.delete_cache
    assert often + age <= 3600
    path = Path(server.upload(picture()))
    delete_files_created_by_app(server.demo, age)
    assert path.exists()
    delete_files_created_by_app(server.demo, 0)
    assert not path.exists()
    assert server.sessions._limit + 60 <= 3600  # of the copies in a visitor's session


HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [("a.html", HTML), ("a.svg", SVG), ("a.xhtml", HTML), ("a.xml", SVG), ("a.png", HTML)],
)
def test_web_pages_and_drawings_never_run(server, name, content):
    path = server.upload(content, name)
    status, headers, _ = server.ask("GET", f"/gradio_api/file={path}")
    assert status == 200 and headers["x-content-type-options"] == "nosniff"
    if name.endswith(".png"):
        assert headers["content-type"] == "image/png"
    else:
        assert headers["content-disposition"].startswith("attachment")
    _, events = server.colorize(file_data(path))
    assert "a web page or a drawing (HTML, SVG)" in events


# Doors

OPEN = """
GET /                             HEAD /                          GET /config
GET /config/                      GET /svelte/{path:path}         GET /static/{path:path}
GET /assets/{path:path}           GET /favicon.ico                GET /theme.css
GET /robots.txt                   GET /gradio_api/app_id          GET /gradio_api/app_id/
GET /gradio_api/info              GET /gradio_api/info/           GET /gradio_api/queue/data
GET /gradio_api/upload_progress   GET /gradio_api/startup-events
GET /gradio_api/heartbeat/{session_hash}        GET /gradio_api/call/{api_name}/{event_id}
GET /gradio_api/file={path_or_url:path}         HEAD /gradio_api/file={path_or_url:path}
POST /gradio_api/upload           POST /gradio_api/cancel         POST /gradio_api/queue/join
POST /gradio_api/reset            POST /gradio_api/reset/         POST /gradio_api/run/{api_name}
POST /gradio_api/run/{api_name}/  POST /gradio_api/call/{api_name}
POST /gradio_api/call/{api_name}/ POST /gradio_api/call/v2/{api_name}
POST /gradio_api/call/v2/{api_name}/             GET /gradio_api/call/v2/{api_name}/{event_id}
"""
SHUT = """
GET /openapi.json    HEAD /openapi.json   POST /login          POST /login/         GET /logout
GET /monitoring      GET /monitoring/summary                   GET /monitoring/{key}
GET /manifest.json   GET /pwa_icon        GET /pwa_icon/{size} GET /gradio_api/deep_link
GET /gradio_api/openapi.json              GET /gradio_api/dev/reload   GET /gradio_api/queue/status
GET /gradio_api/user                      GET /gradio_api/user/
GET /gradio_api/token                     GET /gradio_api/token/
GET /gradio_api/login_check               GET /gradio_api/login_check/
GET /gradio_api/runs                      GET /gradio_api/runs/
GET /gradio_api/theme.css                 GET /gradio_api/file/{path:path}
GET /gradio_api/proxy={url_path:path}     HEAD /gradio_api/proxy={url_path:path}
GET /gradio_api/vibe-code                 GET /gradio_api/vibe-code/
POST /gradio_api/vibe-code                POST /gradio_api/vibe-code/
POST /gradio_api/vibe-edit                POST /gradio_api/vibe-edit/
POST /gradio_api/undo-vibe-edit           POST /gradio_api/undo-vibe-edit/
POST /gradio_api/vibe-starter-queries     POST /gradio_api/vibe-starter-queries/
POST /gradio_api/api/{api_name}           POST /gradio_api/api/{api_name}/
POST /gradio_api/process_recording        POST /gradio_api/component_server
POST /gradio_api/component_server/        POST /gradio_api/stream/{event_id}
POST /gradio_api/stream/{event_id}/close
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
GET /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}
"""


def doors(table):
    return set(re.findall(r"([A-Z]+) (\S+)", table))


def walk(routes, prefix=""):
    """Method and path of every route, those of routers within routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        if methods := getattr(route, "methods", None):
            yield from ((method, prefix + route.path) for method in methods)
        elif inner is not None and hasattr(inner, "routes"):
            context = getattr(route, "include_context", route)
            yield from walk(inner.routes, prefix + (getattr(context, "prefix", "") or ""))
        else:
            raise AssertionError(f"a kind of route that this test does not know: {route!r}")


@pytest.mark.slow
def test_every_door_of_gradio_is_known_and_open_only_where_it_is_needed(server):
    """A new version of Gradio may add doors: they are shut, and this test asks whether to open."""
    own = re.compile(r"/admin|(/gradio_api)?/(study|colorize)(/.*)?")
    found = {door for door in walk(server.demo.app.routes) if not own.fullmatch(door[1])}
    assert found == doors(OPEN) | doors(SHUT)
    for method, path in sorted(doors(SHUT)):
        place = re.sub(r"\{.*?\}", "x", path)
        status, _, content = server.ask(method, place, b"{}" if method == "POST" else None)
        assert status == 404 and (method == "HEAD" or b"There is nothing here." in content), path
    for method, path in sorted(doors(OPEN)):
        if not path.endswith(("{session_hash}", "{event_id}", "queue/data", "upload_progress")):
            place = re.sub(r"\{.*?\}", "x", path)
            _, _, content = server.ask(method, place, b"{}" if method == "POST" else None)
            assert b"There is nothing here." not in content, path


# Nonsense


@pytest.mark.slow
def test_nonsense_is_answered_and_leaves_no_traceback(server, capfd, caplog):
    """Of whatever type what a call brings is."""
    events = {one["api_name"]: one["id"] for one in server.demo.config["dependencies"]}
    chosen = [["direct"], "Automatic"]

    def call(event, data, given):
        body = {"fn_index": events.get(event, event), "data": data, "event_data": given}
        way = "queue/join" if event in ("add", "example", "run") else "run/predict"
        return server.post(f"/gradio_api/{way}", body | {"session_hash": "visitor"})

    for strange in (None, 7, "x", [], {}, [None], [[]], [{}], {"a": None}, 1e400, True):
        for event in ("add", "example", "look", "remove", "resume"):
            for given in (strange, *({name: strange} for name in ("paths", "number", "photo"))):
                data = [] if event in ("look", "resume") else chosen
                assert call(event, data, given)[0] in (200, 422), (event, given)
        given = {"paths": [], "number": 9, "photo": 9}
        for event in ("add", "example", "prepare", "cancel", "remove", "restart"):
            assert call(event, [strange, strange], given)[0] == 422 or strange == [], event
            assert call(event, [["direct"], strange], given)[0] == 422 or event == "restart"
            assert call(event, strange, given)[0] in (400, 422) or strange == [[]], event
        status, _, answer = server.post("/gradio_api/call/colorize", {"data": [strange] * 5})
        assert status == 422 or strange is None, answer
    for number in (999, -1, 0):
        assert call(number, [], None)[0] in (200, 404)
    for path in ("call/colorize/unknown", "call/v2/colorize/unknown", "call/nothing/unknown"):
        assert server.ask("GET", f"/gradio_api/{path}")[0] == 404
    status, _, answer = server.ask("GET", "/gradio_api/queue/data?session_hash=nobody")
    assert status == 200 and b"session_not_found" in answer
    assert server.ask("GET", f"/assets/{'x' * 5000}")[0] == 404
    part = b'--cut\r\nContent-Disposition: form-data; name="files"\r\n\r\nx\r\n--cut--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=cut"}
    assert server.ask("POST", "/gradio_api/upload", part, kind)[0] == 400
    state = json.loads(call("cancel", chosen, None)[2])["data"][0]
    assert state["photos"] == [] and state["models"] == ["direct"]
    assert [one for one in caplog.records if one.exc_info] == []
    assert "Traceback" not in "".join(capfd.readouterr())


# Addresses


@pytest.fixture
def listener():
    """A server that must not be asked; its port and who came."""
    came = []
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        own.listen()
        own.settimeout(0.1)
        over = threading.Event()

        def listen():
            while not over.is_set():
                try:
                    connection, _ = own.accept()
                except TimeoutError:
                    continue
                came.append(connection.recv(1000))
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield own.getsockname()[1], came
        over.set()
        thread.join()


@pytest.mark.slow
def test_the_server_fetches_no_address_for_anybody(server, listener):
    port, came = listener
    for place in (f"http://127.0.0.1:{port}/x.png", f"http://localhost:{port}/x.png"):
        status, answer = server.colorize(file_data(place))
        assert status == 422 and "addresses are not fetched" in answer
        for path in (f"/gradio_api/file={place}", f"/gradio_api/proxy={place}"):
            assert server.ask("GET", path)[0] == 404
        for call in ("queue/join", "run/predict", "call/v2/colorize"):
            body = {"data": [file_data(place)], "photo": file_data(place), "fn_index": 0}
            status, _, _ = server.post(f"/gradio_api/{call}", body | {"session_hash": "x"})
            assert status == 422, call
        file = file_data("/x") | {"url": place}  # an address beside a path is not followed
        assert server.colorize(file)[0] == 422
    time.sleep(0.3)
    assert came == []


# What a request says of itself

OTHERS = ["http://evil.example", "http://127.0.0.1:1", "http://other.app.example", "null"]


@pytest.mark.slow
@pytest.mark.parametrize("origin", OTHERS)
def test_no_header_of_a_request_makes_it_the_own_pages(server, origin):
    """A page of another site, or of another port, with whatever headers it may set."""
    host = origin.rpartition("/")[2]
    for name in (
        "X-Forwarded-Host",
        "X-Forwarded-Server",
        "X-Host",
        "X-Original-Host",
        "Forwarded",
    ):
        headers = {"Origin": origin, name: f"host={host}" if name == "Forwarded" else host}
        assert server.ask("GET", f"{STUDY}/admin", headers=headers)[0] == 403
        for method, path in (("POST", "start"), ("POST", "admin"), ("GET", "info")):
            status = server.ask(method, f"{STUDY}/{path}", "{}", headers)[0]
            assert status == 403 or path == "info", path
        if name == "X-Forwarded-Host":  # nor are others sent elsewhere by what is kept on the way
            assert b"evil.example" not in server.ask("GET", "/config", headers=headers)[2]


@pytest.mark.slow
def test_a_proxy_that_the_owner_named_is_believed(shipped_checkpoints, tmp_path, picture):
    """Plain HTTP, where browsers do not say which site calls, and a proxy that changes the host."""
    page = {"Origin": "http://app.example", "X-Forwarded-Host": "app.example"}
    with serving(shipped_checkpoints, tmp_path, proxies="127.0.0.1") as server:
        assert server.post(f"{STUDY}/start", {}, page)[0] != 403
        config = json.loads(server.ask("GET", "/config", headers=page)[2])
        assert config["root"] == "http://app.example"
        assert server.post(f"{STUDY}/start", {}, page, source="127.0.0.2")[0] == 403
        call = {"data": [file_data(server.upload(picture())), ["direct"], 1.0, None, None]}
        workshop = server.sessions.workshop
        with workshop.turn("a"), workshop.turn("b"):
            clients = [f"203.0.113.{number}" for number in range(middleware.MOST_WAITING + 8)]
            for client in clients:  # each has places of its own
                said = {"X-Forwarded-For": client}
                assert server.post("/gradio_api/call/colorize", call, said)[0] == 200
            assert len(set(waiting_clients(server.demo._queue)) & set(clients)) > 30


# Too much, and too slow


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/gradio_api/upload", "/gradio_api/queue/join", f"{STUDY}/start"])
def test_oversized_bodies_are_refused_unread(server, path):
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=SOON)) as connection:
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(2 * 2**30))
        connection.endheaders()
        assert connection.getresponse().status == 413


@pytest.mark.slow
def test_a_file_over_the_limit_is_refused(server, monkeypatch):
    monkeypatch.setattr(server.demo, "max_file_size", 1000)
    with pytest.raises(AssertionError, match="maximum allowed size"):
        server.upload(bytes(2000))


@pytest.mark.slow
@pytest.mark.parametrize(
    "ending", ["is left", "is too large", "is not ended", "is of another name"]
)
def test_nothing_of_a_broken_upload_stays_on_the_disk(server, monkeypatch, ending):
    """Gradio alone would keep all of it until the app ends: a way to fill the disk."""
    monkeypatch.setattr(middleware, "MOST_UPLOAD", 2**20)
    name = "other" if ending == "is of another name" else "files"
    part = f'--cut\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n\r\n'
    body = part.encode() + bytes(2**21 if ending == "is too large" else 300_000)
    body += b"\r\n--cut--\r\n" if ending == "is of another name" else b""
    length = len(body) + 1000 * (ending == "is left")
    head = f"Content-Length: {length}\r\n"
    if ending == "is too large":
        head = "Transfer-Encoding: chunked\r\n"
        body = f"{len(body):x}\r\n".encode() + body
    kind = "Content-Type: multipart/form-data; boundary=cut\r\n"
    request = f"POST /gradio_api/upload HTTP/1.1\r\nHost: a\r\n{kind}{head}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=SOON) as connection:
        connection.sendall(request.encode() + body)
        if ending == "is left":
            time.sleep(0.5)
        else:
            assert connection.recv(100).startswith(b"HTTP/1.1")
    written, deadline = server.folder / "app" / "gradio", time.monotonic() + SOON
    while list(written.glob("tmp*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(written.glob("tmp*")) == []


@pytest.mark.slow
def test_slow_clients_hold_up_nobody_and_are_let_go(server, monkeypatch):
    monkeypatch.setattr(middleware, "SILENCE", 2.0)
    halves = [
        b"POST /gradio_api/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
        b"Content-Type: multipart/form-data; boundary=cut\r\n\r\n--cut",
        b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    ]
    slow = []
    try:
        for number in range(150):
            slow.append(socket.create_connection(("127.0.0.1", server.port), timeout=SOON))
            slow[-1].sendall(halves[number % 3])
        began = time.monotonic()
        assert server.ask("GET", "/study")[0] == 200
        assert server.ask("GET", f"{STUDY}/info")[0] in (200, 503)
        assert time.monotonic() - began < SOON / 2
        for number, connection in enumerate(slow):
            if number % 3 < 2:
                assert connection.recv(100).startswith(b"HTTP/1.1 408"), number
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.slow
def test_colorizing_does_not_hold_up_the_study(server, picture):
    """Every turn is taken and the queue is full of one client's calls; the study goes on."""
    path = server.upload(picture())
    call = {"data": [file_data(path), ["direct"], 1.0, None, None]}
    workshop = server.sessions.workshop
    with workshop.turn("a"), workshop.turn("b"):
        statuses = [
            server.post("/gradio_api/call/colorize", call)[0]
            for _ in range(middleware.MOST_WAITING + 8)
        ]
        assert statuses.count(200) <= middleware.MOST_WAITING + 4 and statuses[-1] == 429
        for number in range(300):  # addresses that a caller makes up are no other clients
            made_up = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.{number}"}
            assert server.post("/gradio_api/call/colorize", call, made_up)[0] == 429
        answered = server.post("/gradio_api/call/colorize", call, source="127.0.0.2")
        assert answered[0] == 200
        began = time.monotonic()
        assert server.ask("GET", f"{STUDY}/info")[0] in (200, 503)
        assert server.ask("GET", "/study")[0] == 200
        assert time.monotonic() - began < SOON / 2


@pytest.mark.slow
def test_those_who_wait_for_a_page_to_be_left_hold_up_nobody(server):
    """A client asks for the photos of a page that stays open, more often than there are threads."""
    events = {one["api_name"]: one["id"] for one in server.demo.config["dependencies"]}
    key, answered = server.sessions.of("an open page").key, []

    def ask(event, visitor, data, **given):
        call = {"fn_index": events[event], "session_hash": visitor, "data": data}
        return server.post("/gradio_api/run/predict", call | {"event_data": given})[0]

    def come_back(number):
        answered.append(ask("resume", f"copy {number}", [], key=key, models=[], size=""))

    copies = [threading.Thread(target=come_back, args=(n,)) for n in range(PLACES + 16)]
    for copy in copies:
        copy.start()
    deadline = time.monotonic() + SOON
    while len(answered) < len(copies) - MOST_RELOADS and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ask("cancel", "somebody", [["direct"], "Automatic"]) == 200
    assert answered == [200] * (len(copies) - MOST_RELOADS)  # the others wait
    server.sessions.leave("an open page")
    for copy in copies:
        copy.join(SOON)
    assert answered == [200] * len(copies)


@pytest.mark.slow
def test_the_queue_is_the_only_way_to_the_network(server, picture):
    body = {"data": [file_data(server.upload(picture())), ["direct"], 1.0, None, None]}
    for way in ("run", "api"):
        assert server.post(f"/gradio_api/{way}/colorize", body)[0] == 404


@pytest.mark.slow
def test_every_answer_has_the_headers(server):
    for path in ("/", "/study", f"{STUDY}/nothing", "/gradio_api/proxy=http://x/", "/nothing"):
        _, headers, _ = server.ask("GET", path)
        assert "default-src 'self'" in ", ".join(headers.get_all("content-security-policy"))
        assert "nosniff" in headers["x-content-type-options"]


# What is true of the code as a whole


def calls(name):
    for package in ("colorize", "turing"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
                    yield f"{file.name}: {ast.unparse(node)}"


def test_no_pickle_is_ever_run():
    loads = list(calls("torch.load"))
    assert loads and all("weights_only=True" in call for call in loads)
    for name in ("pickle.load", "pickle.loads", "joblib.load", "np.load", "eval", "exec"):
        found = [call for call in calls(name) if not re.search(r"\.eval\(\)|\.\w*exec", call)]
        assert [one for one in found if "allow_pickle=False" not in one] == [], name


def test_shipped_models_are_safetensors_alone():
    endings = {path.suffix for path in (ROOT / "checkpoints").iterdir()}
    assert endings == {".json", ".safetensors"}


def threats():
    """The threats of the document, and the tests that it names for each: (file, name)."""
    text = DOCUMENT.read_text(encoding="utf-8")
    parts = re.findall(r"^### (.+?)$(.+?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    return {title: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", body) for title, body in parts}


def test_every_threat_has_its_tests():
    """docs/security.md names tests, and they are there."""
    known = {
        (file.relative_to(ROOT).as_posix(), node.name)
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    found = threats()
    assert len(found) >= 17
    for threat, tests in found.items():
        assert tests, f"{DOCUMENT}: {threat} has no test"
        for test in tests:
            assert test in known, f"{DOCUMENT}: {threat}: there is no test {test}"
