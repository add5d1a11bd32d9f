"""The addresses of a visitor's films, under those of the session's pictures: `KEY/films/...`."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from colorize.errors import ColorizeError
from colorize.film.settings import parse_time
from colorize.web.guards.calls import uploaded
from colorize.web.pictures.film_jobs import FilmJob, FilmJobs, picture_at
from colorize.web.pictures.film_preview import animated
from colorize.web.pictures.routes import NO_STORE, PREFIX, NotThereError, route
from colorize.web.session import Session, Sessions


class FilmRoutes:
    """Takes films that were uploaded before, and gives what is done of them."""

    def __init__(self, sessions: Sessions, jobs: FilmJobs) -> None:
        self._sessions, self._jobs = sessions, jobs

    def routes(self) -> list[Route]:
        films = PREFIX + "/{key}/films"
        film = films + "/{number:int}"
        return [
            route(films, self.start, "POST"),
            route(film + "/state", self.state),
            route(film + "/cancel", self.cancel, "POST"),
            route(film + "/first", self.first),
            route(film + "/grey", self.grey),
            route(film + "/part/{part:int}", self.part),
            route(film + "/file", self.file),
            route(film + "/preview", self.preview),
            route(film + "/picture", self.picture),
        ]

    async def start(self, request: Request) -> Response:
        """JSON {path, model}, and as wanted saturation, variant, start, end (seconds, or text such
        as "1:23") and stills, a list of {path, time}: the film's number and state."""
        session = self._session(request)
        try:
            given = await request.json()
            path, model = str(given["path"]), str(given["model"])
            look = {
                "saturation": float(given.get("saturation", 1.0)),
                "variant": str(given.get("variant", "natural")),
                **{name: _time(name, given.get(name)) for name in ("start", "end")},
            }
            stills = [
                (_time("still", one["time"]) or 0.0, uploaded(str(one["path"])))
                for one in given.get("stills", ())
            ]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ColorizeError(
                "film: expected path, model, saturation, variant, start, end and stills"
            ) from error
        file = uploaded(path)
        if file is None:
            raise NotThereError("There is no such film; drop it again")
        if any(still is None for _, still in stills):
            raise NotThereError("There is no such still; choose it again")
        look["stills"] = stills
        job = await run_in_threadpool(lambda: self._jobs.start(session, file, model, **look))
        return JSONResponse(job.state(), headers=NO_STORE)

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._find(request).state(), headers=NO_STORE)

    async def cancel(self, request: Request) -> Response:
        job = self._find(request)
        if not job.is_over:
            job.is_cancelled = True
        return JSONResponse(job.state(), headers=NO_STORE)

    async def first(self, request: Request) -> Response:
        job = self._find(request)
        if job.first is None:
            raise NotThereError("The first picture is not there yet")
        content, media_type = job.first
        return Response(content, media_type=media_type, headers=NO_STORE)

    async def grey(self, request: Request) -> Response:
        """The film as it came, which a browser may know how to play."""
        return FileResponse(self._find(request).file, headers=NO_STORE)

    async def part(self, request: Request) -> Response:
        job, number = self._find(request), request.path_params["part"]
        if not number < len(job.parts):
            raise NotThereError("That part is not there yet")
        return FileResponse(job.parts[number][1], media_type="video/mp4", headers=NO_STORE)

    async def file(self, request: Request) -> Response:
        job = self._find(request)
        if job.film is None:
            raise NotThereError("The film is not done yet")
        named = job.output.name if "download" in request.query_params else None
        return FileResponse(job.output, filename=named, headers=NO_STORE)

    async def preview(self, request: Request) -> Response:
        """The beginning as an animated WebP."""
        job = self._find(request)
        if job.film is None:
            raise NotThereError("The film is not done yet")
        content = await run_in_threadpool(animated, job.output)
        return Response(content, media_type="image/webp", headers=NO_STORE)

    async def picture(self, request: Request) -> Response:
        """The film's picture at ?time=, as a PNG, to be coloured by hand."""
        job = self._find(request)
        seconds = _time("time", request.query_params.get("time")) or 0.0
        content = await run_in_threadpool(picture_at, job.file, seconds)
        return Response(content, media_type="image/png", headers=NO_STORE)

    def _session(self, request: Request) -> Session:
        session = self._sessions.by_key(request.path_params["key"])
        if session is None:
            raise NotThereError("This page was unused for too long. Drop the film again")
        return session

    def _find(self, request: Request) -> FilmJob:
        job = self._jobs.job(self._session(request), request.path_params["number"])
        if job is None:
            raise NotThereError("There is no such film")
        return job


def _time(name: str, given: Any) -> float | None:
    """Seconds of a number or of text; None where it is left out."""
    text = "" if given is None else str(given).strip()
    return parse_time(name, text) if text else None
