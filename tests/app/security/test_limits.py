"""Too much, too slow, and too many at once."""

import http.client
import socket
import threading
import time
from contextlib import closing

import pytest

from colorize.web.guards import middleware
from colorize.web.session import MOST_RELOADS, Sessions
from colorize.web.tab import PLACES
from tests.support.gates import until
from tests.support.open_app import SOON, STUDY, file_data


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
def test_those_who_wait_for_a_page_to_be_left_hold_up_nobody(server, monkeypatch):
    """A client asks for the photos of a page that stays open, more often than there are threads."""
    monkeypatch.setattr(Sessions.until_left, "__defaults__", (SOON,))  # none gives up before that
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
    until(lambda: len(answered) >= len(copies) - MOST_RELOADS, within=SOON)
    assert ask("cancel", "somebody", [["direct"], "Automatic"]) == 200
    assert answered == [200] * (len(copies) - MOST_RELOADS)  # the others wait

    def all_had_it():
        """One after the other: whoever has it leaves."""
        server.sessions.leave(server.sessions._visitors[key])
        return len(answered) == len(copies)

    until(all_had_it)
    for copy in copies:
        copy.join(SOON)
    assert answered == [200] * len(copies)


@pytest.mark.slow
def test_the_queue_is_the_only_way_to_the_network(server, picture):
    body = {"data": [file_data(server.upload(picture())), ["direct"], 1.0, None, None]}
    for way in ("run", "api"):
        assert server.post(f"/gradio_api/{way}/colorize", body)[0] == 404
