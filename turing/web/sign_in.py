"""The results page's guard: one password, tries that get slower, a signed cookie that expires."""

import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

VARIABLE = "TURING_ADMIN_PASSWORD"
COOKIE = "turing_results"
LIFETIME = 4 * 3600  # seconds
FREE_TRIES = 5  # wrong ones before there is a wait
LONGEST_WAIT = 60.0  # seconds


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


class Guard:
    """Checks passwords and cookies. Its keys are its own: a restart signs everybody out.

    Wrong tries are counted for all callers together (a proxy or a lab shares an address): after
    FREE_TRIES every further one doubles the wait, up to a minute. Who is signed in stays so.
    """

    def __init__(
        self,
        password: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = secrets.token_bytes(32)
        self._password = self._digest(password)
        self._clock = clock
        self._wrong = 0
        self._open_at = 0.0

    def seconds_to_wait(self) -> int:
        """How long until the next try is looked at, 0 = now."""
        left = self._open_at - self._clock()
        # A clock that was set back makes no wait longer.
        return max(0, math.ceil(left)) if left <= LONGEST_WAIT else 0

    def try_password(self, password: str) -> bool:
        """Whether it is right; always False while there is a wait."""
        if self.seconds_to_wait():
            return False
        if hmac.compare_digest(self._digest(password), self._password):
            self._wrong = 0
            return True
        self._wrong += 1
        if self._wrong >= FREE_TRIES:
            wait = min(LONGEST_WAIT, 2.0 ** min(self._wrong - FREE_TRIES, 10))
            self._open_at = self._clock() + wait
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

    def _signature(self, expires: str) -> str:
        return hmac.digest(self._key, b"cookie\x1f" + expires.encode(), hashlib.sha256).hex()


def set_cookie(value: str, path: str, https: bool, lifetime: int = LIFETIME) -> str:
    """A Set-Cookie header. In a Space the page is another site's frame: None and Partitioned."""
    place = "SameSite=None; Secure; Partitioned" if https else "SameSite=Strict"
    return f"{COOKIE}={value}; Path={path}; Max-Age={lifetime}; HttpOnly; {place}"
