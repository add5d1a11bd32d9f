"""Middleware before all others: what a proxy in front says of a request, where it may say it.

Any caller can write `X-Forwarded-For` and `X-Forwarded-Host`, and a page of another site can too.
They count where the connection comes from a proxy that the owner named; else they are taken out, so
that nothing behind this reads them. `X-Forwarded-Proto` stays: it decides of the asker's own answer
alone whether its links and its cookie are for HTTPS.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

VARIABLE = "FORWARDED_ALLOW_IPS"
# A Space is reached through its host's proxies alone, whose addresses are private ones.
_SPACE = "127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7"
_TUNNEL = "127.0.0.1, ::1"  # where Gradio's own, of --share, ends
_FOR, _HOST = b"x-forwarded-for", b"x-forwarded-host"

_log = logging.getLogger(__name__)


def named_proxies(
    environment: Mapping[str, str], on_space: bool = False, shared: bool = False
) -> str:
    """Addresses and networks of the proxies in front, by commas; "" = there is none.

    What the owner wrote into FORWARDED_ALLOW_IPS, else those that are known to be there.
    """
    if (given := environment.get(VARIABLE)) is not None:
        return given.strip()
    return _SPACE if on_space else _TUNNEL if shared else ""


class Proxies:
    """ASGI middleware: makes client, scheme and Host of a request what a named proxy says.

    named: as `named_proxies` gives them. The client is the last address of `X-Forwarded-For` that
    is none of them, the host the last of `X-Forwarded-Host`: those before it came with the request.
    """

    def __init__(self, app: App, named: str = "") -> None:
        self._app = app
        self._named = ProxyHeadersMiddleware(self._believe, trusted_hosts=named)
        self._has_told = False

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif _address(scope) in self._named.trusted_hosts:
            await self._named(dict(scope), receive, send)
        else:
            self._tell(scope)
            await self._app(_without(scope), receive, send)

    async def _believe(self, scope: Scope, receive: Any, send: Any) -> None:
        hosts = b",".join(value for name, value in scope["headers"] if name == _HOST)
        host = hosts.rpartition(b",")[2].strip()
        clean = _without(scope)
        if host:
            others = [(name, value) for name, value in clean["headers"] if name != b"host"]
            clean["headers"] = [(b"host", host), *others]
        await self._app(clean, receive, send)

    def _tell(self, scope: Scope) -> None:
        if self._has_told or not any(name in (_FOR, _HOST) for name, _ in scope["headers"]):
            return
        self._has_told = True  # once: a stranger may have sent it
        _log.warning(
            "X-Forwarded-For or -Host came from %s and is left aside. If this is your proxy, start "
            "the app with %s=%s",
            *(_address(scope), VARIABLE, _address(scope)),
        )


def _address(scope: Scope) -> str:
    return (scope.get("client") or ("",))[0]


def _without(scope: Scope) -> Scope:
    """The scope without what was said of client and host."""
    headers = [(name, value) for name, value in scope["headers"] if name not in (_FOR, _HOST)]
    return {**scope, "headers": headers}
