"""The addresses of a visitor's pictures: previews, full-size files, figures.

Under `/gradio_api/colorize/KEY/...`, where KEY is the session's secret. Nothing of it lies in a
folder that is served; what is big is made when it is asked for.
"""

import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from colorize.errors import ColorizeError
from colorize.web.guards.calls import uploaded
from colorize.web.photos.item import Item, Upload
from colorize.web.pictures.archive import download_names, kind_of
from colorize.web.pictures.asked import (
    format_of,
    look_of,
    number_of,
    part_of,
    pattern_of,
    side_of,
)
from colorize.web.pictures.encoding import data_address, encode, encode_uncertainty, svg_path
from colorize.web.pictures.references import keep_reference
from colorize.web.session import Session, Sessions
from colorize.web.workshop import Look, Workshop

PREFIX = "/gradio_api/colorize"
_SMALL = 200  # longest side in pixels of a variant's picture
_EXAMPLE = 512  # longest side in pixels of an example in colour
_OVERLAY = 800  # longest side in pixels of what lies over a transparent photo
_FORGOTTEN = "These photos are no longer here: the page was unused for too long. Drop them again"
_CACHE = {"Cache-Control": "private, max-age=3600"}
NO_STORE = {"Cache-Control": "no-store"}


class NotThereError(ColorizeError):
    """What was asked for is not there, or not any more."""


class Pictures:
    """Answers requests for pictures of sessions and of the examples."""

    def __init__(self, sessions: Sessions, examples: list[Path]) -> None:
        self._sessions = sessions
        self._workshop: Workshop = sessions.workshop
        self._examples = examples

    def routes(self) -> list[Route]:
        photo = PREFIX + "/{key}/{number:int}"
        return [
            route(PREFIX + "/example/{number:int}", self.example),
            route(PREFIX + "/example/{number:int}/colour", self.example_in_colour),
            route(photo + "/grey", self.grey),
            route(photo + "/original", self.original),
            route(photo + "/tile", self.grey_tile),
            route(photo + "/{model}/tile", self.tile),
            route(photo + "/{model}/colour", self.colour),
            route(photo + "/{model}/uncertainty", self.uncertainty),
            route(photo + "/{model}/figures", self.figures),
            route(photo + "/{model}/swatches", self.swatches),
            route(photo + "/{model}/outline", self.outline),
            route(photo + "/{model}/variants", self.variants),
            route(photo + "/{model}/file", self.file),
            route(photo + "/{model}/sources", self.sources),
            route(PREFIX + "/{key}/reference", self.take_reference, "POST"),
            route(PREFIX + "/{key}/reference/{number:int}", self.reference),
        ]

    async def example(self, request: Request) -> Response:
        number = request.path_params["number"]
        if not number < len(self._examples):
            raise NotThereError("There is no such example")
        return FileResponse(self._examples[number], headers=_CACHE)

    async def example_in_colour(self, request: Request) -> Response:
        """As the first model sees it: the network runs once for all visitors."""
        number = request.path_params["number"]
        if not number < len(self._examples):
            raise NotThereError("There is no such example")
        workshop, upload = self._workshop, Upload("examples", self._examples[number])
        look = Look(next(iter(workshop.records)))
        await workshop.ready(upload, look, preview=True)
        picture = await run_in_threadpool(workshop.preview, upload, look, _EXAMPLE)
        content, media_type = await run_in_threadpool(encode, picture)
        return Response(content, media_type=media_type, headers=_CACHE)

    async def grey(self, request: Request) -> Response:
        _, item = self._find(request)
        return await self._preview(request, item, self._workshop.grey)

    async def original(self, request: Request) -> Response:
        _, item = self._find(request)
        return await self._preview(request, item, self._workshop.original)

    async def colour(self, request: Request) -> Response:
        _, item, look = self._find_done(request)
        return await self._preview(request, item, self._workshop.preview, look)

    async def grey_tile(self, request: Request) -> Response:
        """A part of the photo in full size, in grey, or with `as=original` as it came."""
        _, item = self._find(request)
        await self._workshop.ready(item.upload)
        return await self._tile(request, item, None)

    async def tile(self, request: Request) -> Response:
        """A part of the photo in full size, in colour."""
        _, item, look = self._find_done(request)
        await self._workshop.ready(item.upload, look, preview=True)
        return await self._tile(request, item, look)

    async def _tile(self, request: Request, item: Item, look: Look | None) -> Response:
        part = part_of(request.query_params, item.taken.size)

        def encoded() -> tuple[bytes, str]:
            photo, (rows, columns) = self._workshop.photo(item.upload), part
            alpha = None if photo.alpha is None else photo.alpha[rows, columns]
            if look is None and request.query_params.get("as") == "original":
                return encode(photo.pixels[rows, columns], alpha)
            return encode(self._workshop.tile(item.upload, look, part), alpha)

        content, media_type = await run_in_threadpool(encoded)
        return Response(content, media_type=media_type, headers=_CACHE)

    async def uncertainty(self, request: Request) -> Response:
        _, item, look = self._find_done(request)
        if not self._workshop.record(look.model).over_bins:
            raise NotThereError("This model does not say how sure it is")
        await self._workshop.ready(item.upload, look)

        def encoded() -> bytes:
            uncertainty = self._workshop.uncertainty(item.upload, look)
            return encode_uncertainty(uncertainty, self._workshop.alpha(item.upload, _OVERLAY))

        content = await run_in_threadpool(encoded)
        return Response(content, media_type="image/png", headers=_CACHE)

    async def figures(self, request: Request) -> Response:
        _, item, look = self._find_done(request)
        if not item.taken.has_colours:
            raise NotThereError("This photo has no colours of its own to compare with")
        await self._workshop.ready(item.upload, look, preview=True)
        figures = await run_in_threadpool(self._workshop.figures, item.upload, look)
        finite = {name: x if math.isfinite(x) else None for name, x in figures.items()}
        return JSONResponse(finite, headers=NO_STORE)

    async def swatches(self, request: Request) -> Response:
        _, item, look = self._find_done(request)
        x, y = (number_of(request.query_params, axis, 0.0) for axis in "xy")
        await self._workshop.ready(item.upload, look)
        found = await run_in_threadpool(self._workshop.swatches, item.upload, look, x, y)
        return JSONResponse([swatch._asdict() for swatch in found], headers=_CACHE)

    async def outline(self, request: Request) -> Response:
        """What the address's strokes would change, as a path of SVG in pixels of the photo."""
        _, item, look = self._find_done(request)
        if not look.strokes:
            raise ColorizeError("strokes: expected at least one")
        await self._workshop.ready(item.upload, replace(look, hints=(), strokes=()))
        lines = await run_in_threadpool(self._workshop.outline, item.upload, look)
        return JSONResponse({"path": "".join(map(svg_path, lines))}, headers=_CACHE)

    async def variants(self, request: Request) -> Response:
        """Those that suit the photo, each with a small picture."""
        _, item, look = self._find_done(request)
        await self._workshop.ready(item.upload, look)

        def encoded() -> list[dict[str, str]]:
            alpha = self._workshop.alpha(item.upload, _SMALL)
            found = self._workshop.variants(item.upload, look, _SMALL)
            return [
                {"name": one.name, "picture": data_address(one.picture, alpha)} for one in found
            ]

        return JSONResponse(await run_in_threadpool(encoded), headers=_CACHE)

    async def sources(self, request: Request) -> Response:
        """Where in its reference the photo's colours are from, `Carried.sources`."""
        _, item, look = self._find_done(request)
        if look.reference is None:
            raise ColorizeError("reference: expected the number of a photo, found none")
        await self._workshop.ready(item.upload, look)
        found = await run_in_threadpool(self._workshop.sources, item.upload, look)
        return JSONResponse(found, headers=_CACHE)

    async def take_reference(self, request: Request) -> Response:
        """Keeps an uploaded photo, `{"path": ...}`, as one that others may take colours from."""
        session = session_of(self._sessions, request)
        try:
            file = uploaded(str((await request.json())["path"]))
        except (ValueError, TypeError, KeyError):
            file = None
        if file is None:
            raise ColorizeError("path: expected a photo that was uploaded before")
        found = await self._workshop.whole(keep_reference, session, file)
        return JSONResponse(found, headers=NO_STORE)

    async def reference(self, request: Request) -> Response:
        """A preview of a reference."""
        session, number = session_of(self._sessions, request), request.path_params["number"]
        if number >= len(session.references):
            raise NotThereError("There is no such photo")
        upload = session.references[number]
        await self._workshop.ready(upload)
        side = side_of(request.query_params)
        shown = await run_in_threadpool(self._workshop.original, upload, side)
        content, media_type = await run_in_threadpool(encode, shown)
        return Response(content, media_type=media_type, headers=_CACHE)

    async def file(self, request: Request) -> Response:
        session, item, look = self._find_done(request)
        items, choice = session.items, format_of(request.query_params)
        # All as this one, so that photos of one name are numbered.
        kinds = {(other.number, look.model): kind_of(look.variant, choice) for other in items}
        names = download_names(items, [look.model], pattern_of(request.query_params), kinds)
        name = names[item.number, look.model]
        folder = self._workshop.temporary()
        try:
            file = await save(self._workshop, item, look, choice, Path(folder.name) / name)
        except BaseException:
            folder.cleanup()
            raise
        return FileResponse(
            file, filename=file.name, headers=NO_STORE, background=BackgroundTask(folder.cleanup)
        )

    async def _preview(
        self, request: Request, item: Item, picture: Callable[..., Any], *looks: Look
    ) -> Response:
        side = side_of(request.query_params)
        await self._workshop.ready(item.upload, *looks, preview=True)

        def encoded() -> tuple[bytes, str]:
            shown = picture(item.upload, *looks, side)
            return encode(shown, self._workshop.alpha(item.upload, side))

        content, media_type = await run_in_threadpool(encoded)
        return Response(content, media_type=media_type, headers=_CACHE)

    def _find(self, request: Request) -> tuple[Session, Item]:
        session = session_of(self._sessions, request)
        item = session.item(request.path_params["number"])
        if item is None or item.error:
            raise NotThereError("There is no such photo")
        return session, item

    def _find_done(self, request: Request) -> tuple[Session, Item, Look]:
        session, item = self._find(request)
        record = self._workshop.records.get(request.path_params["model"])
        asked = request.query_params
        look = look_of(asked, record, references=session.references) if record else None
        if look is None or (look.model, look.size) not in item.seconds:
            raise NotThereError("This photo is not colorized by that model yet")
        return session, item, look


def route(
    path: str, answer: Callable[[Request], Awaitable[Response]], method: str = "GET"
) -> Route:
    """What cannot be given is answered with 404 or 422 and a sentence."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except NotThereError as error:
            return JSONResponse({"error": str(error)}, 404, NO_STORE)
        except ColorizeError as error:
            return JSONResponse({"error": str(error)}, 422, NO_STORE)

    return Route(path, endpoint, methods=[method])


def session_of(sessions: Sessions, request: Request) -> Session:
    """The session whose key the address has."""
    session = sessions.by_key(request.path_params["key"])
    if session is None:
        raise NotThereError(_FORGOTTEN)
    return session


async def save(workshop: Workshop, item: Item, look: Look, choice: str, to: Path) -> Path:
    """Writes a full-size file when its turn has come."""
    await workshop.ready(item.upload, look)
    return await workshop.whole(workshop.save, item.upload, look, choice, to)


def page_route(folder: Path) -> Route:
    """The tab's modules, `folder`/**/*.js, read once. A browser that has one asks if it changed.

    No file is ever opened because an address names it.
    """
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.js")
    }
    tags = {name: f'"{hashlib.sha256(content).hexdigest()}"' for name, content in files.items()}

    async def answer(request: Request) -> Response:  # async: it waits for no thread
        name = request.path_params["name"]
        if name not in files:
            return JSONResponse({"error": "There is no such file"}, 404, NO_STORE)
        headers = {"Cache-Control": "no-cache", "ETag": tags[name]}
        if tags[name] in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(files[name], media_type="text/javascript", headers=headers)

    return Route(PREFIX + "/page/{name:path}", answer, methods=["GET"])
