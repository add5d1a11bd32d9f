"""The addresses of ZIPs of all that a visitor has: a list of settings in, a file out.

What is wanted of 200 photos, with what was painted on each, is too long for an address. So the page
sends it as a list, which is kept beside the photos, the newest alone, and gets an address for it.
"""

import hashlib
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from weakref import WeakKeyDictionary

from pydantic import Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from colorize.errors import ColorizeError
from colorize.web.photos.item import Item
from colorize.web.pictures.archive import Entry, Progress, download_names, kind_of, zipped
from colorize.web.pictures.asked import (
    Asked,
    format_of,
    look_of,
    pattern_of,
    size_of,
    strokes_of,
    variant_of,
)
from colorize.web.pictures.routes import (
    NO_STORE,
    PREFIX,
    NotThereError,
    route,
    save,
    session_of,
)
from colorize.web.session import MOST_PHOTOS, Session, Sessions
from colorize.web.workshop import Look, variant_for

_LIST = "wanted-{}.json"  # in a session's folder
_MOST_NAMES = 20 * MOST_PHOTOS
_KINDS = TypeAdapter(Annotated[dict[str, str], Field(max_length=_MOST_NAMES)])


class Archives:
    """Keeps a visitor's list, and makes the ZIP while it is sent."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions, self._workshop = sessions, sessions.workshop
        self._newest: WeakKeyDictionary[Session, tuple[str, Progress]] = WeakKeyDictionary()

    def routes(self) -> list[Route]:
        all_ = PREFIX + "/{key}/all"
        return [
            route(all_ + ".zip", self.of_address),
            route(all_, self.take_list, "POST"),
            route(all_ + "/{name}.zip", self.of_list),
            route(all_ + "/{name}/state", self.state),
            route(all_ + "/{name}/cancel", self.cancel, "POST"),
        ]

    async def of_address(self, request: Request) -> Response:
        """The ZIP that the query of this address wants."""
        session, asked = session_of(self._sessions, request), request.query_params
        total = await run_in_threadpool(self._count, session, asked)
        return self._sent(session, asked, Progress(total))

    async def take_list(self, request: Request) -> Response:
        """JSON, texts by names as in a query: `{"name": ...}`, by which the ZIP is had."""
        session, content = session_of(self._sessions, request), await request.body()
        total = await run_in_threadpool(lambda: self._count(session, _read(content)))
        name = hashlib.sha256(content).hexdigest()[:16]
        await run_in_threadpool(_keep, session, name, content)
        self._newest[session] = name, Progress(total)
        return JSONResponse({"name": name, "total": total}, headers=NO_STORE)

    async def of_list(self, request: Request) -> Response:
        session, progress = self._find(request)
        file = session.folder / _LIST.format(request.path_params["name"])
        asked = await run_in_threadpool(lambda: _read(file.read_bytes()))
        return self._sent(session, asked, progress)

    async def state(self, request: Request) -> Response:
        return JSONResponse(asdict(self._find(request)[1]), headers=NO_STORE)

    async def cancel(self, request: Request) -> Response:
        """Ends the ZIP after the file under way."""
        _, progress = self._find(request)
        progress.is_cancelled = True
        return JSONResponse(asdict(progress), headers=NO_STORE)

    def _find(self, request: Request) -> tuple[Session, Progress]:
        session = session_of(self._sessions, request)
        name, progress = self._newest.get(session, ("", Progress(0)))
        if name != request.path_params["name"]:
            raise NotThereError("That list is no longer here: press Download all again")
        return session, progress

    def _count(self, session: Session, asked: Asked) -> int:
        """How many files there will be; ColorizeError for what is wrong with any of them."""
        pairs, painted = self._pairs(session, asked), ""
        for item, model in pairs:
            own = f"strokes-{item.number}"
            if own != painted:  # read once for all models
                strokes_of(asked.get(own, ""))
            painted = own
            self._look(session, ChainMap({own: ""}, asked), item, model)
        pattern_of(asked)
        format_of(asked)
        if not pairs:
            raise NotThereError("Nothing is colorized yet")
        return len(pairs)

    def _pairs(self, session: Session, asked: Asked) -> list[tuple[Item, str]]:
        """Photos, and the models that have colorized them at that size, each once."""
        size, models = size_of(asked), self._models(asked)
        return [
            (item, model)
            for item in session.items
            for model in models
            if (model, size) in item.seconds
        ]

    def _models(self, asked: Asked) -> list[str]:
        wanted = dict.fromkeys(asked.get("models", "").split(","))
        return [name for name in wanted if name in self._workshop.records]

    def _look(self, session: Session, asked: Asked, item: Item, model: str) -> Look:
        record = self._workshop.record(model)
        return look_of(asked, record, f"-{item.number}", session.references)

    def _kind(self, asked: Asked, item: Item, model: str, choice: str) -> str:
        variant = variant_of(asked, f"-{item.number}")
        return kind_of(variant_for(self._workshop.record(model), variant), choice)

    def _sent(self, session: Session, asked: Asked, progress: Progress) -> Response:
        items, choice = session.items, format_of(asked)
        models = self._models(asked)
        kinds = {
            (item.number, model): self._kind(asked, item, model, choice)
            for item in items
            for model in models
        }
        names = download_names(items, models, pattern_of(asked), kinds)

        def entries() -> Iterator[Entry]:  # one by one: what is painted takes room
            for item, model in self._pairs(session, asked):
                look = self._look(session, asked, item, model)
                yield Entry(item, look, names[item.number, model])

        async def written(entry: Entry, to: Path) -> Path:
            return await save(self._workshop, entry.item, entry.look, choice, to)

        return StreamingResponse(
            zipped(entries(), self._workshop, written, progress),
            media_type="application/zip",
            headers={**NO_STORE, "Content-Disposition": 'attachment; filename="colorized.zip"'},
        )


def _keep(session: Session, name: str, content: bytes) -> None:
    """In place of the list before."""
    session.folder.mkdir(parents=True, exist_ok=True)
    for other in session.folder.glob(_LIST.format("*")):
        other.unlink(missing_ok=True)
    (session.folder / _LIST.format(name)).write_bytes(content)
    if session.is_closed:  # meanwhile
        session.close()


def _read(content: bytes) -> Asked:
    try:
        return _KINDS.validate_json(content, strict=True)
    except ValidationError as error:
        raise ColorizeError(
            f"expected a list in JSON, at most {_MOST_NAMES} texts by names"
        ) from error
