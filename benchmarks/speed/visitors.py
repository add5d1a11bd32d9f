"""The memory of the running app after many visitors, each with one small photo."""

import http.client
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.speed.footprint import memory
from benchmarks.speed.photos import write_photo
from benchmarks.study.serving import App
from colorize.models.record import list_checkpoints
from colorize.web.cache import bound

MEGAPIXELS = 0.2
_API = "/gradio_api"
_SOON = 300.0  # seconds that a call may take

Headers = Mapping[str, str] | tuple[()]


def measure(visitors: int = 300, **environment: str) -> dict[str, Any]:
    """MB of the app's process at its start, after the first visitor, and after them all.

    A visitor drops a photo, sees it in colour by the default model, and stays. `peak`: the most
    there was; `bound`: what may be kept for them. None where the system does not tell: Linux does.
    """
    model = next(record.name for record in list_checkpoints() if record.default)
    with tempfile.TemporaryDirectory() as folder:
        photo = write_photo(Path(folder), MEGAPIXELS)
        with App(Path(folder) / "studies", TMPDIR=folder, **environment) as app:
            found: dict[str, Any] = {"visitors": visitors, "megapixels": MEGAPIXELS}
            found["bound"] = bound({**os.environ, **environment}) / 2**20
            found["started"] = memory("VmRSS", app.pid)
            began = time.perf_counter()
            for number in range(visitors):
                _Visitor(app.port, number).drop_and_look(photo, model)
                if number == 0:
                    found["first"] = memory("VmRSS", app.pid)
            found["seconds"] = time.perf_counter() - began
            return found | {"all": memory("VmRSS", app.pid), "peak": memory("VmHWM", app.pid)}


class _Visitor:
    """A page that is open, as far as the server can see."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._name = f"visitor{number}"

    def drop_and_look(self, photo: Path, model: str) -> None:
        config = json.loads(self._ask("GET", "/config"))
        events = {event["api_name"]: event["id"] for event in config["dependencies"]}
        path = self._upload(photo)
        self._event(events["add"], [[model], "Automatic"], {"paths": [path], "goesOn": False})
        state = self._event(events["run"], [], None)
        place = f"{_API}/colorize/{state['key']}/{state['photos'][0]['number']}"
        query = "saturation=1"
        for picture in ("grey", "original", f"{model}/colour"):
            self._ask("GET", f"{place}/{picture}?{query}")

    def _upload(self, photo: Path) -> str:
        head = 'Content-Disposition: form-data; name="files"; filename="photo.jpg"'
        body = f"--cut\r\n{head}\r\n\r\n".encode() + photo.read_bytes() + b"\r\n--cut--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=cut"}
        return json.loads(self._ask("POST", f"{_API}/upload", body, kind))[0]

    def _event(self, event: int, data: list[Any], given: dict[str, Any] | None) -> dict[str, Any]:
        """The state that an event's last answer has."""
        call = {"fn_index": event, "data": data, "event_data": given, "session_hash": self._name}
        kind = {"Content-Type": "application/json"}
        self._ask("POST", f"{_API}/queue/join", json.dumps(call).encode(), kind)
        told = list(_messages(self._ask("GET", f"{_API}/queue/data?session_hash={self._name}")))
        states = [one["output"]["data"][0] for one in told if one.get("output", {}).get("data")]
        if not states:
            raise RuntimeError(f"the app answered {told[-1:]}")
        return states[0]

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Headers = ()
    ) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SOON)
        with closing(connection):
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} was answered {answer.status}: {content[:200]!r}")
        return content


def _messages(stream: bytes) -> Iterator[dict[str, Any]]:
    for line in stream.decode().splitlines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))
