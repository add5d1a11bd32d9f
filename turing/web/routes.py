"""The protocol over HTTP, as routes to be given to Gradio's `launch(app_kwargs={"routes": ...})`.

Under /gradio_api/study/NAME: info, start, state, answer, finish, leave, picture/ID. Nothing that
is sent names a model, a dataset, a path or a side. The participant's page is at /study.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from turing.errors import TuringError
from turing.store.people import RefusedError
from turing.store.sessions import SessionState
from turing.store.upkeep.forgetting import overwrite_deleted
from turing.study.study import Participants, Question
from turing.web import guards, texts
from turing.web.serving import ServedStudy, Studies

PREFIX = "/gradio_api/study"
PAGE = Path(__file__).parent / "page"
RETRY_SECONDS = {429: 1, 503: 2}
RETRY_WHEN_FULL = 30  # seconds

Text = Annotated[str, Field(max_length=guards.LONGEST_TEXT, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(max_length=64)]
Endpoint = Callable[[Request], Awaitable[Response]]
Call = Callable[[Request, ServedStudy], Awaitable[Response]]

_log = logging.getLogger(__name__)

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_METHODS = dict.fromkeys(("info", "state"), "GET") | dict.fromkeys(
    ("start", "answer", "finish", "leave"), "POST"
)
_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


def _given(consent: bool) -> bool:
    if not consent:
        raise ValueError
    return consent


class StartBody(_Body):
    consent: Annotated[bool, AfterValidator(_given)] = Field(description="true")
    query: dict[str, Any] = Field(  # what the study does not ask for is ignored, whatever it is
        default_factory=dict, description="texts by name"
    )
    answers: dict[Name, Text | None] = Field(
        default_factory=dict, description="texts of 5000 characters at most, by question"
    )
    preview: str | None = Field(None, max_length=100, description="the key of a preview link")
    resume: bool = Field(False, description="true to go on only, where one has started")


class View(_Body):
    frames: int | None = Field(None, ge=0, le=10_000_000)
    dropped_frames: int | None = Field(None, ge=0, le=10_000_000)
    refresh_hz: float | None = Field(None, ge=0, le=100_000)
    drawn_width: float | None = Field(None, ge=0, le=100_000)
    drawn_height: float | None = Field(None, ge=0, le=100_000)
    device_pixel_ratio: float | None = Field(None, ge=0, le=1000)
    layout: Literal["beside", "stacked", "single"] | None = None


class AnswerBody(_Body):
    trial: str = Field(max_length=100, description="the trial's ID")
    choice: int = Field(ge=0, le=1, description="0 or 1")
    rt_ms: float = Field(ge=0, le=1e12, description="milliseconds, 0 or more")
    shown_ms: float | None = Field(None, ge=0, le=1e12, description="milliseconds, 0 or more")
    focus_lost: int = Field(
        0, ge=0, le=10_000, description="how often the page lost the focus, 10000 at most"
    )
    view: View | None = Field(
        None, description="what was measured: " + ", ".join(View.model_fields)
    )


class FinishBody(_Body):
    answers: dict[Name, Text | None] = Field(
        default_factory=dict, description="texts of 5000 characters at most, by question"
    )


class LeaveBody(_Body):
    pass


def study_routes(
    studies: Studies, page: Path = PAGE, rate: guards.RateLimit | None = None
) -> list[Route]:
    """All routes of the studies. The last one answers 404 to whatever else lies under PREFIX:
    other routes there (the results page) stand before these.

    `page` is a folder of static files with page.html and texts/LANGUAGE.json.
    """
    files = _files(page)
    calls = _Calls(studies, texts.read_texts(page), rate or guards.RateLimit())
    routes = [
        Route(f"{PREFIX}/{{name}}/{path}", _guarded(call, calls.served), methods=[method])
        for method, path, call in (
            ("GET", "info", calls.info),
            ("POST", "start", calls.start),
            ("GET", "state", calls.state),
            ("POST", "answer", calls.answer),
            ("POST", "finish", calls.finish),
            ("POST", "leave", calls.leave),
            ("GET", "picture/{picture}", calls.picture),
        )
    ]
    for name, (content, media_type) in files.items():
        for base in ("/study", PREFIX):
            path = base if name == "page.html" else f"{base}/{name}"
            routes.append(Route(path, _static(content, media_type), methods=["GET"]))
    return [*routes, Route(f"{PREFIX}/{{rest:path}}", _unknown, methods=_ALL_METHODS)]


def _guarded(call: Call, served: Callable[[Request], Awaitable[ServedStudy]]) -> Endpoint:
    """What a call answers, or an error in its place: never "saved" for what is not."""

    async def endpoint(request: Request) -> Response:
        try:
            return await call(request, await served(request))
        except RefusedError as refused:
            response = _error(refused.status, refused.code, str(refused))
            if refused.code in ("closed", "already", "blocked"):
                response.headers["Study-Link"] = await _way_back(await served(request))
            return response
        except TuringError as error:
            _log.warning("%s: %s", request.url.path, error)
            return _error(503, "busy", "Nothing was saved. Please try again in a moment.")
        except ClientDisconnect:
            return _error(400, "gone", "The connection was closed.")
        except Exception:
            _log.exception("%s", request.url.path)
            return _error(500, "failed", "Something went wrong. Please try again.")

    return endpoint


class _Calls:
    """The calls of the protocol."""

    def __init__(
        self, studies: Studies, known: dict[str, texts.Texts], rate: guards.RateLimit
    ) -> None:
        self._studies = studies
        self._texts = known
        self._rate = rate

    async def served(self, request: Request) -> ServedStudy:
        if request.method == "POST":
            guards.check_origin(request)
        name = request.path_params["name"]
        if name in self._studies.coming:
            raise RefusedError(503, "busy", "This study is being made ready. Please wait a moment.")
        served = await self._studies.get(name)
        if served is None:
            raise RefusedError(404, "unknown", "There is no such study.")
        return served

    async def info(self, request: Request, served: ServedStudy) -> Response:
        preview = request.query_params.get("preview")
        study = await served.read(served.sessions.info, guards.bearer(request), preview)
        said = {
            "title": study.study.title,
            "language": study.study.language,
            "protocol": study.protocol,
            "texts": texts.of_study(study),
            "questions": _questions(q for q in study.questions if q.when == "before"),
        }
        if boxes := study.participants.consent_boxes:
            said["consent_boxes"] = list(boxes)
        response = _json(said)
        response.headers["Study-Link"] = _asked_of_links(study.participants)
        return response

    async def start(self, request: Request, served: ServedStudy) -> Response:
        token = self._token(request)
        asked = await served.read(served.sessions.asked, token, "before")
        body = await self._body(request, StartBody, asked)
        token, state = await served.start(
            *(served.sessions.start, token, body.query, body.answers, body.preview, body.resume)
        )
        response = _json({"token": token, "state": self._state(request, state)}, 201)
        return await self._with_receipt(response, served, token, state)

    async def state(self, request: Request, served: ServedStudy) -> Response:
        token = self._token(request)
        state = await served.read(served.sessions.state, token)
        served.write_later(served.sessions.note, token, "resumed")
        return await self._with_receipt(_json(self._state(request, state)), served, token, state)

    async def answer(self, request: Request, served: ServedStudy) -> Response:
        token = self._token(request)
        body = await self._body(request, AnswerBody)
        answered = await served.write(served.sessions.answer, token, **body.model_dump())
        reply = {"saved": True, "state": self._state(request, answered.state)}
        if answered.correct is not None:
            reply["correct"] = answered.correct
        return _json(reply)

    async def finish(self, request: Request, served: ServedStudy) -> Response:
        token = self._token(request)
        asked = await served.read(served.sessions.asked, token, "after")
        body = await self._body(request, FinishBody, asked)
        end = await served.write(served.sessions.finish, token, body.answers)
        served.close_after_last_look()
        reply: dict[str, Any] = {"code": end.code, "return_url": end.return_url}
        if end.score:
            reply["score"] = {"correct": end.score[0], "total": end.score[1]}
        response = _json({key: value for key, value in reply.items() if value})
        response.headers["Study-Receipt"] = await served.read(served.sessions.receipt, token)
        return response

    async def leave(self, request: Request, served: ServedStudy) -> Response:
        token = self._token(request)
        await self._body(request, LeaveBody)
        state = await served.write(served.sessions.leave, token)
        if state.study.participants.on_leave == "delete":
            await served.read(overwrite_deleted, served.sessions.store)
        return await self._with_receipt(_json(self._state(request, state)), served, token, state)

    async def picture(self, request: Request, served: ServedStudy) -> Response:
        def load() -> bytes:
            return served.sessions.picture(request.path_params["picture"]).read_bytes()

        return Response(await served.read(load), media_type="image/png", headers=_HEADERS)

    async def _with_receipt(
        self, response: Response, served: ServedStudy, token: str | None, state: SessionState
    ) -> Response:
        """With the code by which the data of who has left, or was screened out, can be deleted."""
        is_kept = state.study.participants.on_leave == "keep"
        if state.stage == "screened_out" or (state.stage == "withdrawn" and is_kept):
            receipt = await served.read(served.sessions.receipt, token)
            response.headers["Study-Receipt"] = receipt
        return response

    def _token(self, request: Request) -> str | None:
        """The token; every call of one participant counts against its own limit."""
        token = guards.bearer(request)
        if token:
            self._rate.check(f"{request.url.path} {token[:64]}")
        return token

    async def _body(
        self, request: Request, model: type[guards.Body], asked: Iterable[Question] = ()
    ) -> guards.Body:
        """`asked`: the questions that it may answer."""
        body = await guards.read_body(request, guards.largest_with(asked))
        return guards.parsed(model, body)

    def _state(self, request: Request, state: SessionState) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "stage": state.stage,
            "position": state.position,
            "total": state.total,
        }
        if state.trial:
            shown["trial"] = {
                "trial": state.trial.trial,
                "kind": state.trial.protocol,
                "practice": state.trial.practice,
                "picture": _picture_address(request, state.trial.trial),
                "parts": state.trial.parts,
                "exposure_ms": state.study.trials.exposure_ms,
                "prompt": texts.prompt(self._texts, state.study),
            }
        if state.next_picture:
            shown["next_picture"] = _picture_address(request, state.next_picture)
        if state.offers_break:
            shown["break"] = True
        if state.questions is not None:
            shown["questions"] = _questions(state.questions)
        return shown


def _asked_of_links(asks: Participants) -> str:
    """What the page looks for in the address that it came by: query=A&query=B&identify_by=A&..."""
    said = [("query", name) for name in asks.query] + [("identify_by", asks.identify_by)]
    ways = ("declined_url", "left_url", "screened_out_url")
    said += [(key, url) for key in ways if (url := getattr(asks, key))]
    said += [("on_leave", asks.on_leave)] if asks.on_leave != "keep" else []
    said += [("resume", asks.resume)] if asks.resume != "token" else []
    return urlencode([*said, ("require_id", "true" if asks.needs_id else "false")])


async def _way_back(served: ServedStudy) -> str:
    """What the page looks for where it got no more of the study than a refusal."""
    return urlencode({"closed_url": await served.read(served.sessions.closed_url)})


def _picture_address(request: Request, name: str) -> str:
    root = request.scope.get("root_path", "").rstrip("/")
    return f"{root}{PREFIX}/{request.path_params['name']}/picture/{name}"


def _questions(questions: Iterable[Question]) -> list[dict[str, Any]]:
    return [
        {"id": q.id, "ask": q.ask, "choices": list(q.choices), "required": q.required}
        for q in questions
    ]


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(content, status, headers=_HEADERS)


def _error(status: int, code: str, sentence: str) -> Response:
    response = _json({"error": sentence, "code": code}, status)
    if status in RETRY_SECONDS:
        seconds = RETRY_WHEN_FULL if code == "full" else RETRY_SECONDS[status]
        response.headers["Retry-After"] = str(seconds)
    return response


async def _unknown(request: Request) -> Response:
    """Whatever else lies under PREFIX."""
    _, _, call = request.path_params["rest"].partition("/")
    method = _METHODS.get(call)
    if method is None or request.method == method:
        return _error(404, "unknown", "There is no such page.")
    response = _error(405, "method", f"Expected {method}.")
    response.headers["Allow"] = method
    return response


def _files(folder: Path) -> dict[str, tuple[bytes, str]]:
    """The page's files by their path in its folder; nothing else is ever read from there."""
    files = {
        path.relative_to(folder).as_posix(): (path.read_bytes(), _MEDIA_TYPES[path.suffix])
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _MEDIA_TYPES
    }
    if "page.html" not in files:
        raise TuringError(f"{folder}: expected the participant's page, found no page.html")
    return files


def _static(content: bytes, media_type: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return Response(content, media_type=media_type, headers=_HEADERS)

    return endpoint
