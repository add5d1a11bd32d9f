"""What the app remembers between requests: a cache bounded in bytes, oldest use out first."""

import ctypes
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import torch

from colorize.errors import ColorizeError

T = TypeVar("T")

VARIABLE = "COLORIZE_VISITOR_MEMORY"
USUAL = 512  # MB
_ENTRY = 1024  # bytes of a key and its place, roughly
_MUCH = 2**26  # bytes that have been dropped, after which the system gets back what is free


def bound(environment: Mapping[str, str]) -> int:
    """How many bytes may be kept for all visitors together; ColorizeError where it says no number.

    COLORIZE_VISITOR_MEMORY is in MB of 2^20 bytes; 0 keeps nothing.
    """
    given = environment.get(VARIABLE, "").strip() or str(USUAL)
    if not (given.isascii() and given.isdecimal() and len(given) <= 9):
        raise ColorizeError(f"{VARIABLE}: expected a whole number of megabytes, found {given[:40]}")
    return int(given) * 2**20


def held(value: Any) -> int:
    """Bytes that a value keeps: all of an array that it is a part of, and what it refers to."""
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        return value.nbytes
    if isinstance(value, torch.Tensor):
        return value.untyped_storage().nbytes()
    if is_dataclass(value):
        return sum(held(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, tuple | list):
        return sum(map(held, value))
    if isinstance(value, Mapping):
        return sum(held(key) + held(one) for key, one in value.items())
    return sys.getsizeof(value)


class Memory:
    """Values by key; a key is a tuple, so that all keys of one owner can be forgotten.

    Nothing in it is precious: `recall` makes again what has been dropped. Safe between threads.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._values: OrderedDict[tuple[Hashable, ...], tuple[object, int]] = OrderedDict()
        self._bytes = 0
        self._dropped = 0  # bytes, since the system got back what was free
        self._lock = threading.Lock()

    def recall(
        self,
        key: tuple[Hashable, ...],
        make: Callable[[], T],
        size: Callable[[T], int] = lambda value: _ENTRY + held(value),
    ) -> T:
        """The value of a key, made now if it is not there; `size` tells its bytes."""
        with suppress(KeyError):
            return self[key]  # type: ignore[return-value]
        value = make()
        self._put(key, value, size(value))
        return value

    def __getitem__(self, key: tuple[Hashable, ...]) -> object:
        """The value of a key, KeyError if it is not there."""
        with self._lock:
            self._values.move_to_end(key)
            return self._values[key][0]

    def forget(self, *beginning: Hashable) -> None:
        """Drops every key that begins so, with the owner first."""
        with self._lock:
            for key in [key for key in self._values if key[: len(beginning)] == beginning]:
                self._drop(key)
        self._give_back()

    def __contains__(self, key: tuple[Hashable, ...]) -> bool:
        with self._lock:
            return key in self._values

    @property
    def bytes(self) -> int:
        return self._bytes

    def _put(self, key: tuple[Hashable, ...], value: object, size: int) -> None:
        with self._lock:
            if key in self._values:
                self._drop(key)
            self._values[key] = value, size
            self._bytes += size
            while self._bytes > self._max_bytes and self._values:
                self._drop(next(iter(self._values)))
        self._give_back()

    def _drop(self, key: tuple[Hashable, ...]) -> None:
        size = self._values.pop(key)[1]
        self._bytes -= size
        self._dropped += size

    def _give_back(self) -> None:
        """Of what was dropped glibc keeps most, in holes between what stays: as much again as the
        bound in time. Other allocators are left as they are."""
        with self._lock:
            if self._dropped < _MUCH:
                return
            self._dropped = 0
        with suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)  # a tenth of a second, in which other threads go on
