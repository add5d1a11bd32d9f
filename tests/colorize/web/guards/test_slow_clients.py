import contextlib
import socket
import threading

import pytest
import uvicorn

from colorize.web.guards.slow_clients import impatient
from tests.support.gates import Gate, until

SOON = 60.0
SECONDS = 0.5
slow = Gate()  # before the answer of /slow
asked = []  # the paths of requests whose headers are there


async def hello(scope, receive, send):
    """Reads what it gets and says so; /slow takes as long as a test wants."""
    if scope["type"] != "http":
        return
    asked.append(scope["path"])
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await clock.loop.run_in_executor(None, slow.pass_through)
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


class Clock:
    """A loop for protocols whose time goes on when a test says so, not while a machine is busy."""

    def __init__(self):
        self.now, self.timers, self.loop = 0.0, [], None

    def __getattr__(self, name):
        return getattr(self.loop, name)

    def call_later(self, seconds, then, *given):
        timer = Timer(self.now + seconds, then, given)
        self.timers.append(timer)
        return timer

    def go_on(self, seconds):
        """Returns when all was called that is due by then."""
        over = threading.Event()

        def call():
            self.now += seconds
            due = [timer for timer in self.timers if timer.when <= self.now]
            self.timers = [timer for timer in self.timers if timer not in due]
            for timer in due:
                if not timer.is_cancelled:
                    timer.then(*timer.given)
            over.set()

        self.loop.call_soon_threadsafe(call)
        assert over.wait(SOON)

    def until_it_runs(self):
        """Waits for one of the timers that end a connection."""
        until(lambda: any(t.when <= self.now + SECONDS and not t.is_cancelled for t in self.timers))


class Timer:
    def __init__(self, when, then, given):
        self.when, self.then, self.given, self.is_cancelled = when, then, given, False

    def cancel(self):
        self.is_cancelled = True


clock = Clock()


@pytest.fixture(scope="module")
def port():
    config = uvicorn.Config(hello, port=0, log_level="error", timeout_keep_alive=60)
    config.load()

    class Clocked(impatient(config.http_protocol_class, SECONDS)):
        def connection_made(self, transport):
            clock.loop = clock.loop or self.loop
            self.loop = clock
            super().connection_made(transport)

    config.http_protocol_class = Clocked
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(SOON)


@pytest.fixture
def connect(port):
    asked.clear()
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(
            socket.create_connection(("127.0.0.1", port), timeout=SOON)
        )


def is_closed(connection):
    """Whether the server ends it without an answer; with a reset where it had not read all."""
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("half", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_a_connection_without_a_whole_request_is_closed(connect, half):
    connection = connect()
    connection.sendall(half)
    clock.until_it_runs()
    clock.go_on(SECONDS)
    assert is_closed(connection)


def test_headers_that_come_too_slowly_end_the_connection(connect):
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\r\n")
    clock.until_it_runs()
    with contextlib.suppress(ConnectionError):
        for number in range(600):
            connection.sendall(b"X-%d: 1\r\n" % number)
            clock.go_on(0.1)
        raise AssertionError("still connected")


REQUEST = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_slow_answer_is_waited_for(connect):
    slow.shut()
    connection = connect()
    connection.sendall(REQUEST % b"/slow")
    until(lambda: asked)
    clock.go_on(SECONDS * 3)
    slow.open()
    assert read_all(connection).endswith(b"hello")


def test_a_slow_body_is_not_limited_here(connect):
    connection = connect()
    connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
    until(lambda: asked)
    clock.go_on(SECONDS * 2)
    connection.sendall(b"x")
    assert read_all(connection).endswith(b"hello")


def test_a_connection_that_is_used_again_is_watched_again(connect):
    connection = connect()
    for _ in range(3):
        connection.sendall(REQUEST % b"/")
        assert read_all(connection).endswith(b"hello")
        clock.go_on(SECONDS * 1.5)  # between requests uvicorn's own limit holds
    connection.sendall(b"GET /")
    clock.until_it_runs()
    clock.go_on(SECONDS)
    assert is_closed(connection)


def read_all(connection):
    content = b""
    while not content.endswith(b"hello"):
        piece = connection.recv(1000)
        assert piece, "closed"
        content += piece
    return content
