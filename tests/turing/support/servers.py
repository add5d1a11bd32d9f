"""Real servers of the study's routes, in processes that can be killed, and clients that retry."""

import contextlib
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.support.ports import free_port
from tests.turing.support.studies import BEFORE
from turing.web.routes import PAGE

PREFIX = "/gradio_api/study"

_NURSERY = """
import json, os, signal, sys
import uvicorn
from pathlib import Path
from starlette.applications import Starlette
from turing.web.routes import study_routes
from turing.web.serving import Studies
for line in sys.stdin:
    asked = json.loads(line)
    if isinstance(asked, int):
        os.kill(asked, signal.SIGKILL)
        print(os.waitpid(asked, 0)[0], flush=True)
        continue
    studies, page, port = asked
    child = os.fork()
    if not child:
        routes = study_routes(Studies(studies), Path(page))
        uvicorn.run(Starlette(routes=routes), port=port, log_level="warning", access_log=False)
        os._exit(0)
    print(child, flush=True)
"""


class Nursery:
    """A process that has everything loaded and forks servers, which takes no time then."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            cwd=Path(__file__).parents[3],
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fork(self, studies: Path, page: Path, port: int) -> int:
        return self._ask([str(studies), str(page), port])

    def kill(self, process: int) -> None:
        """kill -9; back when the process is gone, and the port that it had is free."""
        self._ask(process)

    def _ask(self, what: object) -> int:
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


class Server:
    """A server in a process of its own; `kill` is kill -9.

    `page` becomes a folder with an empty page; None = the participant's page as it is.
    """

    def __init__(self, nursery: Nursery, studies: Path, page: Path | None) -> None:
        if page is None:
            page = PAGE
        else:
            page.mkdir(parents=True, exist_ok=True)
            (page / "page.html").write_text("<!doctype html>")
        self.port = free_port()
        self._nursery, self._studies, self._page = nursery, studies, page
        self._process = 0

    def start(self) -> None:
        self._process = self._nursery.fork(self._studies, self._page, self.port)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.01)
        raise TimeoutError("the server does not start")

    @property
    def pid(self) -> int:
        return self._process

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        if self._process:
            self._nursery.kill(self._process)
            self._process = 0

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Browser:
    """One participant: every call is made again until it is answered, as the page does."""

    def __init__(self, port: int, study: str = "tiny") -> None:
        self.base = f"{PREFIX}/{study}"
        self.port = port
        self.token = secrets.token_urlsafe(32)
        self.saved: dict[str, int] = {}  # what the server said is saved, by trial
        self.plates: dict[str, int] = {}  # and of plates
        self.content = b""
        self._connection: http.client.HTTPConnection | None = None

    def once(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        response = self.respond(method, path, body)
        return response.status, self.content

    def respond(self, method: str, path: str, body: object = None) -> http.client.HTTPResponse:
        """The response to one request; what it holds is in `content`."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            self._connection.request(
                method,
                path if path.startswith("/") else f"{self.base}/{path}",
                None if body is None else json.dumps(body),
                {"Authorization": f"Bearer {self.token}"},
            )
            response = self._connection.getresponse()
            self.content = response.read()
            return response
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def call(self, method: str, path: str, body: object = None, until: float = 120.0) -> dict:
        """The JSON that is answered in the end; a refusal is an error."""
        deadline = time.monotonic() + until
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, content = self.once(method, path, body)
                if status < 400:
                    return json.loads(content) if content[:1] == b"{" else {}
                if status not in (429, 503):
                    raise AssertionError(f"{path}: {status} {content!r}")
            time.sleep(0.02)
        raise TimeoutError(path)

    def start(self, **more: object) -> dict:
        body = {"consent": True, "answers": BEFORE} | more
        return self.call("POST", "start", body)["state"]

    def answer(self, state: dict, choice: int, **more: object) -> dict:
        trial = state["trial"]["trial"]
        body = {"trial": trial, "choice": choice, "rt_ms": 500} | more
        reply = self.call("POST", "answer", body)
        assert reply["saved"] is True
        saved = self.plates if state["trial"]["kind"] == "plate" else self.saved
        saved[trial] = choice
        return reply["state"]

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
