import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn

from colorize.web.guards.slow_clients import impatient

SOON = 60.0
SECONDS = 0.5


async def hello(scope, receive, send):
    """Reads what it gets and says so; /slow takes longer than the limit."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await asyncio.sleep(SECONDS * 3)
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture(scope="module")
def port():
    config = uvicorn.Config(hello, port=0, log_level="error", timeout_keep_alive=60)
    config.load()
    config.http_protocol_class = impatient(config.http_protocol_class, SECONDS)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(SOON)


@pytest.fixture
def connect(port):
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(
            socket.create_connection(("127.0.0.1", port), timeout=SOON)
        )


@pytest.mark.parametrize("half", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_a_connection_without_a_whole_request_is_closed(connect, half):
    connection = connect()
    connection.sendall(half)
    assert connection.recv(100) == b""


def test_headers_that_come_too_slowly_end_the_connection(connect):
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\r\n")
    with contextlib.suppress(ConnectionError):
        for number in range(600):
            connection.sendall(b"X-%d: 1\r\n" % number)
            time.sleep(0.1)
        raise AssertionError("still connected")


REQUEST = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_slow_answer_is_waited_for(connect):
    connection = connect()
    connection.sendall(REQUEST % b"/slow")
    assert read_all(connection).endswith(b"hello")


def test_a_slow_body_is_not_limited_here(connect):
    connection = connect()
    connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
    time.sleep(SECONDS * 2)
    connection.sendall(b"x")
    assert read_all(connection).endswith(b"hello")


def test_a_connection_that_is_used_again_is_watched_again(connect):
    connection = connect()
    for _ in range(3):
        connection.sendall(REQUEST % b"/")
        assert read_all(connection).endswith(b"hello")
        time.sleep(SECONDS * 1.5)  # between requests uvicorn's own limit holds
    connection.sendall(b"GET /")
    assert connection.recv(100) == b""


def read_all(connection):
    content = b""
    while not content.endswith(b"hello"):
        piece = connection.recv(1000)
        assert piece, "closed"
        content += piece
    return content
