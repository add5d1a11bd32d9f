"""A visitor of the running app, as far as it can see: what the tab's page asks, over HTTP."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

_API = "/gradio_api"
_SOON = 600.0  # seconds that a call may take

Headers = Mapping[str, str] | tuple[()]


class Visitor:
    """A page that is open, with a model that is ticked."""

    def __init__(self, port: int, number: int, model: str) -> None:
        self._port, self._model = port, model
        self._name = f"visitor{number}"
        self._goes_on = False
        self.state: dict[str, Any] = {}

    def send(self, photos: Sequence[Path]) -> None:
        """Uploads photos, each on its own, and has them opened."""
        for photo in photos:
            given = {"paths": [self._upload(photo)], "goesOn": self._goes_on}
            self.state = self._event("add", [[self._model], "Automatic"], given)
            self._goes_on = True

    def run(self) -> None:
        """Has all photos colorized; returns when they are."""
        self.state = self._event("run", [], None)

    def get(self, what: str, photo: int = 0, **query: Any) -> bytes:
        """What lies behind an address of a photo, such as "grey" or "{model}/colour"."""
        number = self.state["photos"][photo]["number"]
        path = what.format(model=self._model)
        place = f"{_API}/colorize/{self.state['key']}/{number}/{path}"
        return self._ask("GET", f"{place}?{urlencode(query)}")

    @cached_property
    def _events(self) -> dict[str, int]:
        config = json.loads(self._ask("GET", "/config"))
        return {event["api_name"]: event["id"] for event in config["dependencies"]}

    def _upload(self, photo: Path) -> str:
        head = f'Content-Disposition: form-data; name="files"; filename="{photo.name}"'
        body = f"--cut\r\n{head}\r\n\r\n".encode() + photo.read_bytes() + b"\r\n--cut--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=cut"}
        return json.loads(self._ask("POST", f"{_API}/upload", body, kind))[0]

    def _event(self, name: str, data: list[Any], given: dict[str, Any] | None) -> dict[str, Any]:
        """The state after an event, of which its last answer is the news."""
        number = self._events[name]
        call = {"fn_index": number, "data": data, "event_data": given, "session_hash": self._name}
        kind = {"Content-Type": "application/json"}
        self._ask("POST", f"{_API}/queue/join", json.dumps(call).encode(), kind)
        told = list(_messages(self._ask("GET", f"{_API}/queue/data?session_hash={self._name}")))
        news = [one["output"]["data"][0] for one in told if one.get("output", {}).get("data")]
        if not news:
            raise RuntimeError(f"the app answered {told[-1:]}")
        return json.loads(self._ask("GET", f"{_API}/colorize/{news[-1]['key']}/news"))

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
