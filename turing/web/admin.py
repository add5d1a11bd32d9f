"""The results page, behind a password: the report as it stands now, and downloads.

At /gradio_api/study/NAME/admin, and /admin leads there. It has no script. Without a password
there is no page at all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from turing.errors import TuringError
from turing.report.downloads import DOWNLOADS, version_results
from turing.report.html import render
from turing.report.of_store import store_report
from turing.store.people import RefusedError, limits_that_bit
from turing.store.records import built_versions, iso_time
from turing.store.store import Store, facts, is_key_published
from turing.web import guards
from turing.web.routes import PREFIX
from turing.web.serving import ServedStudy, Studies
from turing.web.sign_in import (
    BROWSER,
    BROWSER_LIFETIME,
    COOKIE,
    VARIABLE,
    Guard,
    set_cookie,
)

_log = logging.getLogger(__name__)

TITLE = "Results of a study"

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # A frame of another site is what a Space is: no frame-ancestors.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'self'; base-uri 'none'",
    # With no-referrer browsers send "Origin: null" with the form.
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}

Endpoint = Callable[[Request], Awaitable[Response]]


def admin_routes(
    studies: Studies,
    password: str | None,
    name: str,
    kept: Callable[[str], str] = lambda name: "",
) -> list[Route]:
    """The results page of every study that is served; to stand before `study_routes`.

    password: None = the page is off, and says how to switch it on.
    name: the study that /admin leads to.
    kept: what is kept of a study outside this machine, in a sentence.
    """
    pages = _Pages(studies, Guard(password) if password else None, kept)

    async def lead(request: Request) -> Response:
        return RedirectResponse(f"{_root(request)}{PREFIX}/{name}/admin", 303, headers=_HEADERS)

    base = f"{PREFIX}/{{name}}/admin"
    return [
        Route("/admin", lead, methods=["GET"]),
        Route(base, _explained(pages.show), methods=["GET"]),
        Route(base, _explained(pages.sign_in), methods=["POST"]),
        Route(f"{base}/out", _explained(pages.sign_out), methods=["POST"]),
        Route(f"{base}/{{download}}", _explained(pages.download), methods=["GET"]),
    ]


def _explained(page: Endpoint) -> Endpoint:
    """A page, or a sentence in its place.

    No other site's script may call, not even to read: Gradio answers any origin, with cookies.
    """

    async def endpoint(request: Request) -> Response:
        try:
            guards.check_origin(request)
            return await page(request)
        except RefusedError as refused:
            return _message(str(refused), refused.status)
        except TuringError as error:
            _log.warning("%s: %s", request.url.path, error)
            return _message(str(error), 503)
        except ClientDisconnect:
            return _message("The connection was closed.", 400)

    return endpoint


class _Pages:
    """The results page's answers. Reports are made one at a time: participants come first."""

    def __init__(self, studies: Studies, guard: Guard | None, kept: Callable[[str], str]) -> None:
        self._studies = studies
        self._guard = guard
        self._kept = kept
        self._one_at_a_time = asyncio.Lock()

    async def show(self, request: Request) -> Response:
        if not self._is_signed_in(request):
            return self._form(request)
        if "signed" in request.query_params:  # the cookie came back
            return RedirectResponse(_base(request), 303, headers=_HEADERS)
        served = await self._served(request)
        version = _version(request)
        name = request.path_params["name"]
        around = {
            "base": _base(request),
            "prefix": f"{_root(request)}{PREFIX}",
            "others": await self._others(name),
            "kept": self._kept(name),
        }
        async with self._one_at_a_time:
            html = await served.read(_made, _report, served.sessions.store, version, around)
        return HTMLResponse(html, headers=_HEADERS)

    async def sign_in(self, request: Request) -> Response:
        if self._guard is None:
            return self._form(request)
        fields = parse_qs((await guards.read_body(request)).decode("utf-8", "replace"))
        known = request.cookies.get(BROWSER)
        client = self._guard.client(request.client.host if request.client else "", known)
        if wait := self._guard.seconds_to_wait(client):
            return _too_many(request, wait)
        if not self._guard.try_password(fields.get("password", [""])[0], client):
            _log.warning("results page: wrong password")
            if wait := self._guard.seconds_to_wait(client):
                return _too_many(request, wait)
            return _message("This is not the password.", 403, form=_base(request))
        response = RedirectResponse(f"{_base(request)}?signed=in", 303, headers=_HEADERS)
        path = f"{_root(request)}{PREFIX}"
        https = _is_https(request)
        response.headers["Set-Cookie"] = set_cookie(self._guard.cookie(), path, https)
        told = set_cookie(self._guard.browser(), path, https, BROWSER_LIFETIME, BROWSER)
        response.headers.append("Set-Cookie", told)
        return response

    async def sign_out(self, request: Request) -> Response:
        response = RedirectResponse(_base(request), 303, headers=_HEADERS)
        path = f"{_root(request)}{PREFIX}"
        response.headers["Set-Cookie"] = set_cookie("", path, _is_https(request), lifetime=0)
        return response

    async def download(self, request: Request) -> Response:
        if not self._is_signed_in(request):
            return self._form(request)
        served = await self._served(request)
        name = request.path_params["download"]
        if name not in DOWNLOADS:
            raise RefusedError(404, "unknown", "There is no such file.")
        file = DOWNLOADS[name]
        async with self._one_at_a_time:
            version = _version(request)
            content = await served.read(_made, file.make, served.sessions.store, version)
        saved_as = f"{request.path_params['name']}-{name}"
        disposition = f'attachment; filename="{saved_as}"'
        return Response(
            content,
            media_type=file.media_type,
            headers=_HEADERS | {"Content-Disposition": disposition},
        )

    def _is_signed_in(self, request: Request) -> bool:
        cookie = request.cookies.get(COOKIE)
        return self._guard is not None and self._guard.is_signed_in(cookie)

    async def _served(self, request: Request) -> ServedStudy:
        served = await self._studies.get(request.path_params["name"])
        if served is None:
            raise RefusedError(404, "unknown", "There is no such study.")
        return served

    async def _others(self, present: str) -> list[str]:
        """The other studies that are served."""
        found = sorted(path.stem for path in self._studies.directory.glob("*.sqlite"))
        return [name for name in found if name != present and await self._studies.get(name)]

    def _form(self, request: Request) -> Response:
        """The same for every name, so that nobody learns which studies there are."""
        if self._guard is None:
            return _message(
                f"This page is off here. To switch it on, set {VARIABLE} (on a Space: a secret of "
                "that name in the settings) and restart.",
                404,
            )
        if "signed" in request.query_params:
            return _message(
                "The password was right, but the browser keeps no cookie for this page, as some "
                "do inside another site's frame.",
                403,
                form=_base(request),
                outside=_base(request),
            )
        return _message("", 403, form=_base(request))


def _message(text: str, status: int, form: str = "", outside: str = "") -> Response:
    html = render("admin_login.html", title=TITLE, message=text, form=form, outside=outside)
    return HTMLResponse(html, status, headers=_HEADERS)


def _too_many(request: Request, wait: int) -> Response:
    text = f"Too many wrong passwords. The next try counts in {wait} s."
    response = _message(text, 429, form=_base(request))
    response.headers["Retry-After"] = str(wait)
    return response


def _root(request: Request) -> str:
    return request.scope.get("root_path", "").rstrip("/")


def _base(request: Request) -> str:
    return f"{_root(request)}{PREFIX}/{request.path_params['name']}/admin"


def _is_https(request: Request) -> bool:
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return (forwarded or request.url.scheme) == "https"


def _version(request: Request) -> int | None:
    given = request.query_params.get("version")
    if given is None:
        return None
    if not given.isdecimal() or len(given) > 9:
        raise _no_version()
    return int(given)


def _no_version() -> RefusedError:
    return RefusedError(404, "unknown", "There is no such version.")


def _made(make: Callable[..., Any], store: Store, version: int | None, *given: Any) -> Any:
    """What `make` makes of a version that there is."""
    if version is not None and version not in built_versions(store):
        raise _no_version()
    return make(store, version, *given)


def _report(store: Store, version: int | None, around: dict[str, Any]) -> str:
    """The report with its downloads on top."""
    results = version_results(store, version)
    (shown,) = results.data.versions
    with store.reading() as db:
        state = "closed for good: its trial key is published"
        state = state if is_key_published(db) else facts(db).state
        limits = limits_that_bit(db)
    top = render(
        "admin_top.html",
        state={"built": "not open yet"}.get(state, state),
        downloads=[(name, file.label) for name, file in DOWNLOADS.items()],
        query=f"version={shown}",
        limits=[
            f"{key} kept people waiting in {hours} hour{'s' * (hours > 1)}, last at "
            f"{iso_time(at)[:16].replace('T', ' ')} UTC; build with a higher one if need be."
            for key, hours, at in limits
        ],
        versions=built_versions(store),
        shown=shown,
        **around,
    )
    return store_report(store, results, top, is_whole=False)
