"""What a request must pass before anything is looked up: size, origin, token, rate."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from turing.store.people import RefusedError
from turing.study.faults import shown
from turing.study.study import Question

LARGEST_BODY = 16 * 1024  # bytes, without answers to questions
LONGEST_TEXT = 5000  # characters of such an answer
_DIGITS = 18  # of a length that is read as a number: of thousands Python refuses to
_ESCAPED = 12  # bytes that a character takes in JSON at most, as a pair of surrogates
CALLS_A_SECOND = 20

_ORIGIN = (
    "Expected a call from the study's own page. If this is it, the proxy in front of the app has "
    "to pass the host on: in Host, or in X-Forwarded-Host and be named in FORWARDED_ALLOW_IPS."
)

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The body; RefusedError as soon as it is known to be over `most` bytes."""
    too_large = RefusedError(413, "large", f"Expected {most} bytes at most, found more.")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and (len(length) > _DIGITS or int(length) > most):
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_large
    return bytes(body)


def largest_with(questions: Iterable[Question]) -> int:
    """Bytes of a body that answers all of these at their greatest length, in any script."""
    texts = [(q.id, max(map(len, q.choices), default=LONGEST_TEXT)) for q in questions]
    return LARGEST_BODY + sum(_ESCAPED * (len(key) + length) for key, length in texts)


def parsed(model: type[Body], body: bytes) -> Body:
    """A body of JSON; RefusedError says what was expected of which field."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        if fault["type"] == "json_invalid":
            raise RefusedError(422, "invalid", "Expected JSON in UTF-8.") from None
        field = str(fault["loc"][0])[:64] if fault["loc"] else ""
        known = model.model_fields.get(field)
        expected = known.description if known else "an object"
        found = "nothing" if fault["type"] == "missing" else shown(fault["input"])
        key = f"{field}: " if field else ""
        raise RefusedError(422, "invalid", f"{key}expected {expected}, found {found}") from None


def check_origin(request: Request) -> None:
    """RefusedError where a page of another site makes the browser call; scripts name no origin.

    What a browser says of itself holds, whatever a proxy in front made of the host's name: no
    page can set `Sec-Fetch-Site`. Browsers say it over HTTPS and on this machine. Else `Host`
    decides, which no page can set either; `X-Forwarded-Host` any page can.
    """
    origin, site = (request.headers.get(name) for name in ("origin", "sec-fetch-site"))
    if origin is None or site == "same-origin":
        return
    if site in ("cross-site", "same-site"):  # whatever else the page says of itself
        raise RefusedError(403, "origin", _ORIGIN)
    try:
        theirs, own = urlsplit(origin), urlsplit(f"//{request.headers.get('host', '').strip()}")
        standard = {"http": 80, "https": 443}.get(theirs.scheme)
        places = [(place.hostname, place.port or standard) for place in (theirs, own)]
        is_ours = bool(own.hostname) and places[0] == places[1]
    except ValueError:  # no port number
        is_ours = False
    if not is_ours:
        raise RefusedError(403, "origin", _ORIGIN)


def bearer(request: Request) -> str | None:
    """The token that a request brings."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


class RateLimit:
    """At most `limit` calls in any second for one key; remembers the last ones of each."""

    def __init__(
        self,
        limit: int = CALLS_A_SECOND,
        most_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._most_keys = most_keys
        self._clock = clock
        self._calls: dict[str, deque[float]] = {}

    def check(self, key: str) -> None:
        """RefusedError where the limit is reached."""
        now = self._clock()
        calls = self._calls.setdefault(key, deque(maxlen=self._limit))
        if len(calls) == self._limit and now - calls[0] < 1:
            raise RefusedError(429, "rate", f"Expected {self._limit} calls a second at most.")
        calls.append(now)
        if len(self._calls) > self._most_keys:
            recent = {key: calls for key, calls in self._calls.items() if now - calls[-1] < 1}
            self._calls = recent
