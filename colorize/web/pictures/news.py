"""What is new for a page: of many photos, those that have changed since it asked before."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colorize.models.record import Record
from colorize.web.pictures.asked import number_of
from colorize.web.pictures.routes import NO_STORE, PREFIX, route, session_of
from colorize.web.session import Sessions


class News:
    """Tells a page the state of its session."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def routes(self) -> list[Route]:
        return [route(PREFIX + "/{key}/news", self.news)]

    async def news(self, request: Request) -> Response:
        """`Session.state` since `since`, and the models that there are."""
        session = session_of(self._sessions, request)
        since = int(number_of(request.query_params, "since", 0))
        state = await run_in_threadpool(session.state, since)
        models = [known(record) for record in self._sessions.workshop.records.values()]
        return JSONResponse(state | {"known": models}, headers=NO_STORE)


def known(record: Record) -> dict[str, Any]:
    """What the page knows of a model."""
    return {
        "name": record.name,
        "title": record.title,
        "summary": record.line,
        "overBins": record.over_bins,
        "temperature": record.temperature,
        "takesHints": record.takes_hints,
    }
