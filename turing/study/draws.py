"""Random numbers of a study: HMAC-SHA256 with its secret key, so that nobody can compute them."""

import hashlib
import hmac
from typing import Self

import numpy as np

KEY_BYTES = 32


class Draws:
    """Random numbers that follow from the key and what they are for, without end."""

    def __init__(self, key: bytes, *message: str | int) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"key: expected {KEY_BYTES} bytes, found {len(key)}")
        self._key = key
        self._message = "\x1f".join(map(str, message))
        self._calls = 0

    @classmethod
    def of_participant(
        cls, key: bytes, purpose: str, seed: int, part: int, number: int, preview: bool
    ) -> Self:
        """Those of one participant for one purpose."""
        return cls(key, purpose, "preview" if preview else "study", seed, part, number)

    def words(self, *shape: int) -> np.ndarray:
        """Uniform uint64 of that shape."""
        message = f"{self._message}\x1f{self._calls}".encode()
        self._calls += 1
        seed = hmac.digest(self._key, message, "sha256")
        stream = hashlib.shake_256(seed).digest(8 * int(np.prod(shape)))
        return np.frombuffer(stream, dtype="<u8").reshape(shape)

    def below(self, n: int) -> int:
        return int(self.words(1)[0]) % n

    def order(self, n: int) -> list[int]:
        return np.argsort(self.words(n), kind="stable").tolist()
