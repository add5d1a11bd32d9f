"""A small server that speaks as much of the Hugging Face hub's protocol as fetching needs."""

import hashlib
import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import torch
from huggingface_hub import constants

from colorize.models.checkpoint import build_network
from colorize.models.published import (
    FAMILIES,
    FETCHABLE,
    VARIANTS,
    Cost,
    Family,
    Fetchable,
    Variant,
)

REPOSITORY = "owner/small"


@dataclass
class Hub:
    """`files` by repository and name; what it was asked, as (method, path, range).

    `announced`: sha256 that it tells in place of the true one. `cut`: after so many bytes of a
    file it hangs up, once. Nothing is answered before it is `open`.
    """

    files: dict[str, dict[str, bytes]]
    endpoint: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    announced: str = ""
    cut: int | None = None
    revision: str = "1" * 40
    open: threading.Event = field(default_factory=threading.Event)

    def sha256(self, content: bytes) -> str:
        return self.announced or hashlib.sha256(content).hexdigest()


def use(hub_endpoint: str, monkeypatch) -> None:
    """This process's huggingface_hub asks that address, as with `HF_ENDPOINT` from its start."""
    template = hub_endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", hub_endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@contextmanager
def running(files: dict[str, dict[str, bytes]]) -> Iterator[Hub]:
    hub = Hub(files)
    hub.open.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def _answer(self, with_body):
        path = unquote(urlsplit(self.path).path)
        self.hub.open.wait(600)
        self.hub.asked.append((self.command, path, self.headers.get("Range")))
        if about := re.fullmatch(r"/api/models/([^/]+/[^/]+?)(?:/revision/(.+))?", path):
            self._about(*about.groups())
        elif named := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(*named.groups(), with_body)
        else:
            self._refuse("EntryNotFound")

    def _about(self, repository, revision):
        if repository not in self.hub.files:
            return self._refuse("RepoNotFound")
        if revision not in (None, "main", self.hub.revision):
            return self._refuse("RevisionNotFound")
        siblings = [
            {
                "rfilename": name,
                "size": len(content),
                "lfs": {
                    "sha256": self.hub.sha256(content), "size": len(content), "pointerSize": 130
                },
            }
            for name, content in self.hub.files[repository].items()
        ]  # fmt: skip
        body = {"id": repository, "modelId": repository, "sha": self.hub.revision}
        return self._send(json.dumps(body | {"siblings": siblings}).encode(), {}, True)

    def _file(self, repository, revision, name, with_body):
        content = self.hub.files.get(repository, {}).get(name)
        if content is None or revision != self.hub.revision:
            return self._refuse("EntryNotFound")
        headers = {
            "ETag": f'"{self.hub.sha256(content)}"',
            "X-Repo-Commit": self.hub.revision,
            "Accept-Ranges": "bytes",
        }
        start, status = 0, 200
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
            start, status = int(asked[1]), 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if with_body and self.hub.cut is not None:
            cut, self.hub.cut = self.hub.cut, None
            self._send(content, headers, True, stop=cut)
            self.close_connection = True
            return None
        return self._send(content[start:], headers, with_body, status)

    def _refuse(self, code):
        self._send(b"{}", {"X-Error-Code": code, "X-Error-Message": code}, True, 404)

    def _send(self, content, headers, with_body, status=200, stop=None):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body and self.command != "HEAD":
            self.wfile.write(content[:stop])


def small_hub(monkeypatch, cache: Path, name: str) -> AbstractContextManager[Hub]:
    """A hub with the small weights that `name` can be fetched as, and a cache of its own."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setitem(FAMILIES, "baseline", Family("MIT", 64))
    monkeypatch.setitem(
        VARIANTS, "baseline", Variant("baseline", {}, "Small", "made up", Cost(1, 1.0, 1))
    )
    small = Fetchable("baseline", REPOSITORY, "Small", "made up", 1, 1, "MIT, nobody")
    monkeypatch.setitem(FETCHABLE, name, small)
    files = {"README.md": b"# Weights", "pytorch_model.bin": content_of("baseline")}
    return running({REPOSITORY: files})


def content_of(network: str) -> bytes:
    """A file of weights, as they are published."""
    out = io.BytesIO()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save({"params": build_network(network, {}).state_dict()}, out)
    return out.getvalue()
