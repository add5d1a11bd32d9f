"""The results page's guard: one password, tries that get slower, a signed cookie that expires."""

import hashlib
import hmac
import ipaddress
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

VARIABLE = "TURING_ADMIN_PASSWORD"
COOKIE, BROWSER = "turing_results", "turing_browser"
LIFETIME, BROWSER_LIFETIME = 4 * 3600, 400 * 86_400  # seconds
FREE_TRIES = 5  # wrong ones before there is a wait
LONGEST_WAIT = 60.0  # seconds
_MOST_CLIENTS = 10_000  # whose wrong tries are remembered
_IPV6_NETWORK = 64  # bits


class Password(NamedTuple):
    """The results page's password; None = the page is off."""

    value: str | None
    made_up: bool = False


def on_space(environment: Mapping[str, str]) -> bool:
    """Whether this runs on a Hugging Face Space."""
    return bool(environment.get("SPACE_ID")) or environment.get("SYSTEM") == "spaces"


def admin_password(environment: Mapping[str, str]) -> Password:
    """The password of TURING_ADMIN_PASSWORD, else a random one to be printed at start.

    None on a Space without the variable: a random one would stand in its log.
    """
    if given := environment.get(VARIABLE, "").strip():
        return Password(given)
    if on_space(environment):
        return Password(None)
    return Password(secrets.token_urlsafe(12), made_up=True)


def announcement(password: Password, address: str) -> str:
    """What the server prints at start; `address` is where it is served."""
    page = f"{address.rstrip('/')}/admin"
    if password.value is None:
        return f"The results page is off: set {VARIABLE} to switch it on."
    if password.made_up:
        return f"Results: {page}  password: {password.value}  ({VARIABLE} sets one that stays)"
    return f"Results: {page}  (password: {VARIABLE})"


@dataclass
class _Tries:
    """A client's wrong passwords since the last right one."""

    wrong: int = 0
    open_at: float = 0.0


class Guard:
    """Checks passwords and cookies. Its keys are its own: a restart signs everybody out.

    Wrong tries are counted for each client, so that a guesser elsewhere keeps nobody waiting: after
    FREE_TRIES every further one doubles the wait, up to a minute. Who is signed in stays so. A
    browser that was signed in before is a client of its own, for all who come through a proxy that
    the owner did not name have one address.
    """

    def __init__(
        self,
        password: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = secrets.token_bytes(32)
        self._password = self._digest(password)
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()  # the latest client last

    def client(self, address: str, browser: str | None = None) -> str:
        """Whose tries are counted: the browser's where its cookie is one of ours, else those of
        the address."""
        name, _, signature = (browser or "").partition(".")
        expected = self._signature(name, b"browser")
        is_known = hmac.compare_digest(signature.encode(), expected.encode())
        return f"browser {name}" if is_known else address

    def browser(self) -> str:
        """A new value of the cookie by which a browser is known again."""
        name = secrets.token_hex(8)
        return f"{name}.{self._signature(name, b'browser')}"

    def seconds_to_wait(self, client: str = "") -> int:
        """How long until the client's next try is looked at, 0 = now."""
        tries = self._tries.get(_network(client))
        left = tries.open_at - self._clock() if tries else 0.0
        # A clock that was set back makes no wait longer.
        return max(0, math.ceil(left)) if left <= LONGEST_WAIT else 0

    def try_password(self, password: str, client: str = "") -> bool:
        """Whether it is right; always False while there is a wait for this client."""
        if self.seconds_to_wait(client):
            return False
        key = _network(client)
        if hmac.compare_digest(self._digest(password), self._password):
            self._tries.pop(key, None)
            return True
        tries = self._tries.setdefault(key, _Tries())
        self._tries.move_to_end(key)
        if len(self._tries) > _MOST_CLIENTS:
            self._tries.popitem(last=False)
        tries.wrong += 1
        if tries.wrong >= FREE_TRIES:
            wait = min(LONGEST_WAIT, 2.0 ** min(tries.wrong - FREE_TRIES, 10))
            tries.open_at = self._clock() + wait
        return False

    def cookie(self) -> str:
        """A value that `is_signed_in` takes for LIFETIME seconds."""
        expires = str(int(self._clock()) + LIFETIME)
        return f"{expires}.{self._signature(expires)}"

    def is_signed_in(self, cookie: str | None) -> bool:
        expires, _, signature = (cookie or "").partition(".")
        expected = self._signature(expires)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return False
        return int(expires) > self._clock()

    def _digest(self, password: str) -> bytes:
        return hmac.digest(self._key, b"password\x1f" + password.encode(), hashlib.sha256)

    def _signature(self, value: str, purpose: bytes = b"cookie") -> str:
        return hmac.digest(self._key, purpose + b"\x1f" + value.encode(), hashlib.sha256).hex()


def _network(client: str) -> str:
    """Whom an address stands for: of IPv6 the network, of which one caller has all addresses."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 4:
        return client
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))


def set_cookie(
    value: str, path: str, https: bool, lifetime: int = LIFETIME, name: str = COOKIE
) -> str:
    """A Set-Cookie header. In a Space the page is another site's frame: None and Partitioned."""
    place = "SameSite=None; Secure; Partitioned" if https else "SameSite=Strict"
    return f"{name}={value}; Path={path}; Max-Age={lifetime}; HttpOnly; {place}"
