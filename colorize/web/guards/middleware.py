"""Middleware before Gradio and the routes: it checks each request's path, size and speed.

It also refuses uploads where the disk is nearly full, addresses in place of files, and all paths
but those that are needed: some others would fetch what a visitor names, or never end. What Gradio
stumbles over all the same is an answer and a line, no traceback.
"""

import asyncio
import errno
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize.errors import printable
from colorize.web.guards.uploads import RefusedError, Upload, Uploads, no_room

if TYPE_CHECKING:
    from colorize.web.guards.calls import Calls

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger(__name__)

MOST_UPLOAD = 2**30  # bytes of a request that brings photos
MOST_LIST = 4 * 2**20  # bytes of one that brings what is painted on 200 photos
MOST_BODY = 2 * 2**20  # bytes of any other
MOST_WAITING = 32  # calls of one client that wait in the queue
SILENCE = 30.0  # seconds between two pieces of a body
_SLOWEST = 2048  # bytes a second, after as long a silence

_API = re.compile(r"/gradio_api/(.*)", re.DOTALL)
_OWN = re.compile(r"(study|colorize)(/|$)")
_LISTS = re.compile(r"colorize/[^/]+/all")
_OWN_PAGES = re.compile(r"/(study(/.+)?|admin/?)", re.DOTALL)
# All of Gradio's that the page, its study and gradio_client ask for; the rest is shut.
_OPEN_POSTS = re.compile(r"upload|queue/join|cancel|reset/?|run/.+|call/.+", re.DOTALL)
_OPEN_READS = re.compile(
    r"info/?|queue/data|call/.+|heartbeat/.+|upload_progress|startup-events|app_id/?|file=.+",
    re.DOTALL,
)
_OPEN_PAGES = re.compile(
    r"/?|/(config/?|theme\.css|favicon\.ico|robots\.txt|(static|assets|svelte)/.+)", re.DOTALL
)
_QUEUED = re.compile(r"queue/join|call/.+", re.DOTALL)
_FETCHING = re.compile(r"file=\s*[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_LONGEST_HASH = 64  # characters by which a page names itself; Gradio's own has 11
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware.

    folder: where uploads are kept. waiting: the clients whose calls wait in the queue, one
    entry a call. calls: what may stand in one; None = anything. written: where
    Gradio writes uploads at first.
    """

    def __init__(
        self,
        app: Callable[[Scope, Receive, Send], Awaitable[None]],
        folder: Path,
        waiting: Callable[[], list[str]] = list,
        calls: "Calls | None" = None,
        written: Path | None = None,
    ) -> None:
        self._app = app
        self._uploads = Uploads(folder, written)
        self._waiting = waiting
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._uploads)
        has_begun = is_over = False

        async def send_on(message: Message) -> None:
            nonlocal has_begun, is_over
            if body.refused and not has_begun:
                raise body.refused  # in place of what the app makes of the broken body
            has_begun = True
            is_over = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        async def answer(refused: RefusedError) -> None:
            if not has_begun:
                await _answer(send, refused)

        try:
            await self._admit(scope, body)
            await self._app(scope, body.receive, send_on)
        except RefusedError as refused:
            await answer(refused)
        except Exception as error:
            if body.refused:
                await answer(body.refused)  # which went through others' hands
            elif not _is_gradios(scope):
                raise
            else:
                path, why = printable(scope["path"][:100]), repr(error)[:300]
                _log.warning("%s %s: %s", scope["method"], path, why)
                await answer(_failed(scope, error))
                if has_begun and not is_over:
                    await send({"type": "http.response.body", "body": b""})
        finally:
            if body.upload:
                self._uploads.end(body.upload)

    async def _admit(self, scope: Scope, body: "_Body") -> None:
        """RefusedError where a request may not pass, or later where its body may not."""
        call, is_own = _call(scope)
        reads = scope["method"] in _READING
        if not (is_own or (_is_open(call, reads) if call else _is_page(scope, reads))):
            raise _not_there()
        if reads:
            if not is_own and self._calls and self._calls.is_unknown(call):
                raise _not_there()
            return
        if _header(scope, b"sec-fetch-site") == "cross-site":
            raise RefusedError(403, "Expected a call from this app's own page.")
        is_upload = not is_own and call == "upload"
        is_list = bool(_LISTS.fullmatch(call))
        body.most = MOST_UPLOAD if is_upload else MOST_LIST if is_list else MOST_BODY
        length = _header(scope, b"content-length")
        size = int(length) if length.isdecimal() else 0
        if size > body.most:
            raise _too_large(body.most)
        if is_upload or is_list:  # it is kept on the disk, too
            body.upload = self._uploads.begin(client_of(scope), size)
        elif not is_own:
            if _QUEUED.fullmatch(call):
                self._check_waiting(client_of(scope))
            content = await body.content()
            self._check_call(call, content)
            if self._calls and self._calls.complete(call, content):
                body.replace(content)

    def _check_call(self, call: str, content: Any) -> None:
        """A file in it must be one that was uploaded, no address; the rest must fit the event."""
        visitor = content.get("session_hash") if isinstance(content, dict) else None
        if isinstance(visitor, str) and len(visitor) > _LONGEST_HASH:
            raise RefusedError(422, f"session_hash: expected {_LONGEST_HASH} characters at most.")
        if any(_names_address(node) for node in _nodes(content)):
            raise RefusedError(422, "Send the photo itself: addresses are not fetched.")
        if self._calls and (fault := self._calls.fault(call, content)):
            raise RefusedError(*fault)

    def _check_waiting(self, client: str) -> None:
        if self._waiting().count(client) >= MOST_WAITING:
            raise RefusedError(429, "Many of your photos are waiting already. Try again soon.")


def client_of(scope: Scope) -> str:
    """Who asks: the connection's address, or what a proxy that the owner named says of it."""
    return (scope.get("client") or ("",))[0]


def waiting_clients(queue: Any) -> list[str]:
    """The client of every call that waits in Gradio's queue."""
    lines = queue.event_queue_per_concurrency_id.values()
    return [client_of(event.request.scope) for line in lines for event in list(line.queue)]


def _call(scope: Scope) -> tuple[str, bool]:
    """A request's path under /gradio_api/, "" where it lies elsewhere, and whether it is ours."""
    found = _API.search(scope["path"])
    call = found[1] if found else ""
    return call, bool(_OWN.match(call))


def _is_gradios(scope: Scope) -> bool:
    """Whether Gradio itself answers."""
    call, is_own = _call(scope)
    return not is_own if call else not _OWN_PAGES.fullmatch(_path(scope))


def _failed(scope: Scope, error: Exception) -> RefusedError:
    """What is answered where Gradio fails."""
    if scope["method"] in _READING:
        return _not_there()
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return no_room()
    return RefusedError(400, "The request could not be understood.")


def _not_there() -> RefusedError:
    return RefusedError(404, "There is nothing here.")


def _is_open(call: str, reads: bool) -> bool:
    """Whether a path under Gradio's /gradio_api/ is needed, and fetches nothing."""
    doors = _OPEN_READS if reads else _OPEN_POSTS
    return bool(doors.fullmatch(call)) and not _FETCHING.match(call)


def _is_page(scope: Scope, reads: bool) -> bool:
    """Whether a path that lies elsewhere is one of the pages, or what they are made of."""
    path = _path(scope)
    return reads and bool(_OPEN_PAGES.fullmatch(path) or _OWN_PAGES.fullmatch(path))


def _path(scope: Scope) -> str:
    """Without what stands before all paths of the app."""
    path, root = scope["path"], scope.get("root_path", "")
    return path.removeprefix(root) if root and f"{path}/".startswith(f"{root}/") else path


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _too_large(most: int) -> RefusedError:
    return RefusedError(413, f"Expected {most // 2**20} MB at most.")


class _Body:
    """A request's body, which ends the request when it is too large or comes too slowly."""

    def __init__(self, receive: Receive, uploads: Uploads) -> None:
        self.most = MOST_BODY
        self.upload: Upload | None = None
        self._uploads = uploads
        self.refused: RefusedError | None = None
        self._receive = receive
        self._began = time.monotonic()
        self._received = 0
        self._is_whole = False
        self._read: list[Message] = []

    async def receive(self) -> Message:
        """The next piece."""
        return self._read.pop(0) if self._read else await self._next()

    async def content(self) -> Any:
        """Reads the body, a document of JSON; None where it is none: Gradio says what is wrong."""
        read: list[Message] = []
        while not self._is_whole:
            read.append(await self._next())
        self._read = read
        try:
            return json.loads(b"".join(message.get("body", b"") for message in read))
        except (ValueError, RecursionError):
            return None

    def replace(self, content: Any) -> None:
        """Another document of JSON in place of what was read."""
        self._read = [{"type": "http.request", "body": json.dumps(content).encode()}]

    async def _next(self) -> Message:
        if self._is_whole:  # what comes now is the end of the connection
            return await self._receive()
        left = SILENCE + self._received / _SLOWEST - (time.monotonic() - self._began)
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, min(left, SILENCE)))
        except TimeoutError:
            raise self._refuse(RefusedError(408, "The request came too slowly.")) from None
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._received > self.most:
            raise self._refuse(_too_large(self.most))
        if self.upload:
            self._count(self.upload, message)
        return message

    def _count(self, upload: Upload, message: Message) -> None:
        """An upload that breaks off is refused, so that nothing of it stays on the disk."""
        if message["type"] == "http.disconnect":
            raise self._refuse(RefusedError(400, "The connection was closed."))
        try:
            self._uploads.arrive(upload, len(message.get("body", b"")))
        except RefusedError as refused:
            raise self._refuse(refused) from None

    def _refuse(self, refused: RefusedError) -> RefusedError:
        self.refused = refused
        return refused


def _names_address(node: dict[str, Any]) -> bool:
    path = node.get("path")
    return isinstance(path, str) and bool(_ADDRESS.match(path))


def _nodes(content: Any) -> Iterator[dict[str, Any]]:
    """All objects of a JSON document."""
    open_ = [content]
    while open_:
        node = open_.pop()
        if isinstance(node, dict):
            yield node
            open_ += node.values()
        elif isinstance(node, list):
            open_ += node


async def _answer(send: Send, refused: RefusedError) -> None:
    sentence = str(refused)
    detail: Any = sentence
    if refused.status == 422:  # of which gradio_client tells only what has the form of Gradio's own
        failed = {"__type__": "validate", "is_valid": False}
        detail = [{**failed, "parameter_name": "photo", "message": sentence}]
    body = json.dumps({"error": sentence, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # what is left of the body is not read
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
