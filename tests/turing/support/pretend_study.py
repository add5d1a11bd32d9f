"""A server that speaks the study's protocol over HTTP from memory, and fails when it is told to."""

import io
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.support.gates import Gate, until
from tests.support.ports import free_port

PAGE = Path(__file__).parents[3] / "turing" / "web" / "page"
NO_STORE = {"Cache-Control": "no-store"}
PROMPTS = {
    "pick-original": "Which photo is real?",
    "pick-fake-sequential": "Which photo was colorized?",
    "single": "Is this photo real or colorized?",
    "preference": "Which photo looks more real?",
}


@dataclass
class Participant:
    choices: dict[str, dict] = field(default_factory=dict)
    plates: dict[str, dict] = field(default_factory=dict)
    start: dict = field(default_factory=dict)
    end: dict | None = None
    withdrawn: bool = False


@dataclass
class Failure:
    """What to do with a call instead of answering it, or, if `saves`, after it took effect."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = "busy"
    saves: bool = False


def refuse(status: int, code: str, error: str = "No.") -> JSONResponse:
    return JSONResponse({"error": error, "code": code}, status)


@dataclass
class PretendStudy:
    """One study. The correct choice is always 0; scored trials follow the practice ones."""

    protocol: str = "pick-original"
    practice: int = 1
    scored: int = 4
    break_every: int = 0
    exposure_ms: int = 0
    language: str = "en"
    title: str = "Which photo is real?"
    texts: dict[str, str] = field(default_factory=dict)
    before: list[dict] = field(default_factory=list)
    after: list[dict] = field(default_factory=list)
    end: dict = field(default_factory=lambda: {"code": "C0L0R"})
    languages: dict[str, dict] = field(default_factory=dict)
    closed: bool = False
    requires_id: bool = False
    links_back: str = ""  # of the header Study-Link
    receipt: str = ""
    asks_of_device: str = ""  # the header Study-Device
    plates: int = 0
    consent_boxes: list[str] = field(default_factory=list)
    screens_out: dict = field(default_factory=dict)  # the answers that end it
    size: tuple[int, int] = (320, 240)
    asks: dict = field(default_factory=dict)  # more keys of every trial: ties, confidence, ...

    def __post_init__(self):
        self.participants: dict[str, Participant] = {}
        self.known_ids: set[str] = set()
        self.blocked_ids: set[str] = set()
        self.failures: dict[str, list[Failure]] = defaultdict(list)
        self.pictures = Gate()  # before each of them
        self.calls: list[tuple[str, Request, dict | None]] = []
        self.saved: list[dict] = []

    # The protocol

    @property
    def trials(self) -> list[str]:
        return [f"t{number:02}" for number in range(self.practice + self.scored)]

    def state(self, participant: Participant) -> dict:
        if participant.withdrawn:
            return {"stage": "withdrawn", "position": 0, "total": self.scored}
        if self.is_screened_out(participant):
            return {"stage": "screened_out", "position": 0, "total": 0}
        if len(participant.plates) < self.plates:
            return self.plate_state(len(participant.plates))
        at = len(participant.choices)
        if at == len(self.trials):
            stage = "done" if participant.end is not None else "questions"
            questions = {"questions": self.after} if stage == "questions" else {}
            return {"stage": stage, "position": self.scored, "total": self.scored} | questions
        practice = at < self.practice
        position = at + 1 if practice else at - self.practice + 1
        state = {
            "stage": "practice" if practice else "trials",
            "position": position,
            "total": self.practice if practice else self.scored,
            "trial": {
                "trial": self.trials[at],
                "kind": self.protocol,
                "practice": practice,
                "picture": self.picture_address(at),
                "parts": 1 if self.protocol == "single" else 2,
                "exposure_ms": self.exposure_ms,
                "prompt": PROMPTS[self.protocol],
                **self.asks,
            },
        }
        if at + 1 < len(self.trials):
            state["next_picture"] = self.picture_address(at + 1)
        if self.break_every and not practice and position > 1:
            state["break"] = (position - 1) % self.break_every == 0
        return state

    def plate_state(self, at: int) -> dict:
        trial = {
            "trial": f"plate{at}",
            "kind": "plate",
            "practice": False,
            "picture": self.picture_address(1000 + at),
            "parts": 1,
            "exposure_ms": 0,
            "prompt": "Where is the ring open?",
            "answers": ["left", "up", "right", "down", "none"],
        }
        following = {"next_picture": self.picture_address(1001 + at)}
        state = {"stage": "screening", "position": at + 1, "total": self.plates, "trial": trial}
        return state | (following if at + 1 < self.plates else {})

    def has_ended(self, participant: Participant) -> bool:
        return participant.withdrawn or self.is_screened_out(participant)

    def is_screened_out(self, participant: Participant) -> bool:
        given = participant.start.get("answers", {})
        return any(given.get(key) == answer for key, answer in self.screens_out.items())

    def picture_address(self, number: int) -> str:
        return f"/gradio_api/study/demo/picture/{number:032x}"

    def info(self, participant: Participant | None, body: dict | None) -> Response:
        if self.closed and participant is None:
            return self.sent_away(refuse(410, "closed"))
        info = {"title": self.title, "language": self.language, "texts": self.texts}
        info |= {"questions": self.before, "protocol": self.protocol}
        info |= {"consent_boxes": self.consent_boxes} if self.consent_boxes else {}
        asks = "query=PROLIFIC_PID&query=SESSION_ID&identify_by=PROLIFIC_PID&require_id="
        link = asks + str(self.requires_id).lower() + self.links_back
        headers = {"Study-Link": link}
        if asks := self.asks_of_device:
            headers["Study-Device"] = asks
        return JSONResponse(info, headers=headers)

    def start(self, participant: Participant | None, body: dict, token: str) -> Response:
        if participant is None:
            own_id = body["query"].get("PROLIFIC_PID", "")
            if body.get("resume"):
                return self.come_back(own_id, token)
            if self.requires_id and own_id[:1] in ("", "{"):
                return refuse(422, "id")
            if own_id in self.blocked_ids:
                return self.sent_away(refuse(409, "blocked"))
            if own_id in self.known_ids:
                return self.sent_away(refuse(409, "already"))
            participant = self.participants[token] = Participant(start=body)
        said = {"Study-Receipt": self.receipt} if self.is_screened_out(participant) else {}
        reply = {"token": token, "state": self.state(participant)}
        return JSONResponse(reply, 201, said)

    def come_back(self, own_id: str, token: str) -> Response:
        """Under another token, the one before being worth nothing any more."""
        for old, participant in list(self.participants.items()):
            if participant.start["query"].get("PROLIFIC_PID") == own_id:
                self.participants[token] = self.participants.pop(old)
                return JSONResponse({"token": token, "state": self.state(participant)}, 201)
        return refuse(404, "unknown")

    def answer(self, participant: Participant, body: dict) -> Response:
        if participant.withdrawn:
            return refuse(409, "withdrawn")
        if body["trial"].startswith("plate"):
            participant.plates[body["trial"]] = body
            return JSONResponse({"saved": True, "state": self.state(participant)})
        first = participant.choices.get(body["trial"])
        if first and first["choice"] != body["choice"]:
            return refuse(409, "answered")
        if not first:
            if body["trial"] != self.state(participant).get("trial", {}).get("trial"):
                return refuse(404, "trial")
            participant.choices[body["trial"]] = body
            self.saved.append(body)
        reply = {"saved": True, "state": self.state(participant)}
        is_practice = body["trial"] in self.trials[: self.practice]
        if is_practice and self.protocol != "preference":
            reply["correct"] = body["choice"] == 0
        return JSONResponse(reply)

    def finish(self, participant: Participant, body: dict) -> Response:
        if len(participant.choices) < len(self.trials):
            return refuse(409, "unfinished")
        if participant.end is None:
            participant.end = body["answers"]
        return JSONResponse(self.end, headers=self.with_receipt())

    def leave(self, participant: Participant, body: dict) -> Response:
        participant.withdrawn = True
        return JSONResponse({}, headers=self.with_receipt())

    def with_receipt(self) -> dict[str, str]:
        return {"Study-Receipt": self.receipt} if self.receipt else {}

    def sent_away(self, response: Response) -> Response:
        response.headers["Study-Link"] = self.links_back.removeprefix("&")
        return response

    # Over HTTP

    async def call(self, request: Request) -> Response:
        what = request.path_params["what"]
        body = await request.json() if request.method == "POST" else None
        self.calls.append((what, request, body))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        failure = self.failures[what].pop(0) if self.failures[what] else None
        if failure is None or failure.saves:
            response = self.respond(what, token, body)
            response.headers.update(NO_STORE)
        if failure is None:
            return response
        content = {"error": "Not now.", "code": failure.code} if failure.code else "<html>"
        return JSONResponse(content, failure.status, failure.headers)

    def respond(self, what: str, token: str, body: dict | None) -> Response:
        participant = self.participants.get(token)
        if what == "info":
            return self.info(participant, body)
        if what == "start":
            return self.start(participant, body, token)
        if participant is None:
            return refuse(401, "token")
        if what == "state":
            said = {"Study-Receipt": self.receipt} if self.has_ended(participant) else {}
            return JSONResponse(self.state(participant), headers=said)
        return getattr(self, what)(participant, body)

    def picture(self, request: Request) -> Response:
        self.calls.append(("picture", request, None))
        self.pictures.pass_through()
        if self.failures["picture"]:
            failure = self.failures["picture"].pop(0)
            if failure.status == 200:
                return Response(b"not a picture", media_type="image/png", headers=NO_STORE)
            return refuse(failure.status, failure.code or "picture")
        seed = int(request.path_params["picture"], 16)
        parts = 1 if self.protocol == "single" or seed >= 1000 else 2
        content = make_picture(seed, parts, self.size)
        return Response(content, media_type="image/png", headers=NO_STORE)

    def language_texts(self, request: Request) -> Response:
        found = self.languages.get(request.path_params["language"])
        return JSONResponse(found) if found else Response(status_code=404)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/study", lambda request: FileResponse(PAGE / "page.html", headers=NO_STORE)),
                Route("/study/texts/en.json", lambda _: FileResponse(PAGE / "texts" / "en.json")),
                Route("/study/texts/{language}.json", self.language_texts),
                Mount("/study", StaticFiles(directory=PAGE)),
                Route("/gradio_api/study/demo/picture/{picture}", self.picture),
                Route("/gradio_api/study/demo/{what}", self.call, methods=["GET", "POST"]),
                Route("/gradio_api/study/{name}/{what}", lambda _: refuse(404, "unknown")),
            ]
        )


def make_picture(seed: int, parts: int, size: tuple[int, int]) -> bytes:
    """A PNG of `parts` coloured noises side by side, the first redder than the second."""
    random = np.random.default_rng(seed)
    width, height = size
    halves = []
    for part in range(parts):
        coarse = random.integers(60, 200, (6, 8, 3), np.uint8)
        coarse[..., 2 * part] = 220
        halves.append(np.asarray(Image.fromarray(coarse).resize((width, height))))
    file = io.BytesIO()
    Image.fromarray(np.concatenate(halves, 1)).save(file, "PNG", compress_level=1)
    return file.getvalue()


class Served:
    """A study on a port of its own; `stop` and `start` make a restart of the server."""

    def __init__(self, study: PretendStudy):
        self.study = study
        self.port = free_port()
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = uvicorn.Config(
            self.study.app(), port=self.port, log_level="critical", ws="none", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self.server.force_exit = True
        self.thread.join()
