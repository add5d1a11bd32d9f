"""Colours that stay with things: a network's colours of some frames, carried by motion to all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from colorize.film.motion import Flow, Motion, agreement, is_cut, warp

_LEAST_SHARE = 0.08  # of a frame's own prediction, where a thing has been seen for long
_DRAWN = 0.8  # how far what is new follows its surroundings' difference from their prediction
_AROUND = 1 / 8  # of the short side: what counts as surroundings
_ENOUGH = 0.06  # of what is around, so that it tells
_TRUSTED = 0.7  # the part of a frame that must be trusted, or the network sees that frame as well
_MOST_BYTES = 2**28  # of pictures that wait


@dataclass(frozen=True)
class Given:
    """Colours that somebody gave for one frame: ab `(h, w, 2)`, how far they count `(h, w)`.

    whole: they are of a whole picture, so that what is new later follows them too.
    """

    ab: np.ndarray
    weight: np.ndarray
    whole: bool


@dataclass
class Steady:
    """A frame with its colours: `(2, h, w)` float32 at working size; `shot` counts from 0."""

    item: Any
    ab: np.ndarray
    shot: int
    by_network: bool


@dataclass
class _Waiting:
    item: Any
    grey: np.ndarray
    to_key: Flow  # from this frame to the key frame before
    to_next: Flow | None = None


@dataclass
class _Key:
    """A frame that the network saw, with its steady colours.

    seen: how many predictions are in each pixel's colour; lock: how far it was given.
    """

    grey: np.ndarray
    ab: np.ndarray
    seen: np.ndarray
    lock: np.ndarray
    whole: bool


@dataclass
class SteadyColours:
    """Gives frames their colours, shot by shot; feed frames in order, then call `finish`.

    predict: a frame's ab `(2, h, w)`, called in order for key frames: the first and last of a
    shot, every `speed`-th, and those that motion explains badly. Between two of them a frame's
    colours are those of both, carried along the flow and mixed by distance. At a key frame the
    colours that came along take in a share of the new prediction, the smaller the longer a thing
    has been seen, so that they go to the mean of its predictions; what is newly seen takes the
    prediction, moved as what is around it differs from its own.
    """

    predict: Callable[[Any], np.ndarray]
    speed: int
    shot: int = -1
    _motion: Motion = field(default_factory=Motion)
    _key: _Key | None = None
    _waiting: list[_Waiting] = field(default_factory=list)
    _grey: np.ndarray | None = None

    def add(
        self, item: Any, grey: np.ndarray, given: Sequence[Given] = (), nbytes: int = 0
    ) -> Iterator[Steady]:
        """One more frame, uint8 grey `(h, w)` at working size; what is ready by now.

        nbytes: what an item holds in memory.
        """
        if self._key is None:
            yield self._start(item, grey, given)
            return
        ahead, back = self._motion.between(self._grey, grey)
        if is_cut(self._grey, grey, back):
            yield from self.finish()
            yield self._start(item, grey, given)
            return
        if self._waiting:
            self._waiting[-1].to_next = ahead
            back = back.then(self._waiting[-1].to_key)
        back.trust *= agreement(grey, self._key.grey, back.vectors)
        self._grey = grey
        self._waiting.append(_Waiting(item, grey, back))
        count = len(self._waiting)
        if (
            count >= self.speed
            or given
            or back.trust.mean() < _TRUSTED
            or (count + 1) * nbytes > _MOST_BYTES
        ):
            yield from self._close(given)

    def finish(self) -> Iterator[Steady]:
        """The frames that wait; the shot ends with them."""
        if self._waiting:
            yield from self._close(())
        self._key = None

    def _start(self, item: Any, grey: np.ndarray, given: Sequence[Given]) -> Steady:
        ab = _last(self.predict(item))
        shape = grey.shape
        self._key = _Key(grey, ab, np.ones(shape, np.float32), np.zeros(shape, np.float32), False)
        self._apply(given)
        self._grey, self.shot = grey, self.shot + 1
        return Steady(item, _first(self._key.ab), self.shot, True)

    def _close(self, given: Sequence[Given]) -> Iterator[Steady]:
        """Makes the last one that waits a key frame, and colours those before it."""
        waiting, before = self._waiting, self._key
        self._waiting = []
        last = waiting[-1]
        self._key = _followed(before, last, _last(self.predict(last.item)))
        self._apply(given)
        ahead, found = Flow.still(last.grey.shape), [self._key.ab]
        for place in range(len(waiting) - 2, -1, -1):
            one = waiting[place]
            ahead = one.to_next.then(ahead)
            share = (place + 1) / len(waiting)
            found.append(_between(before, self._key, one.to_key, ahead, share))
        for one, ab in zip(waiting, reversed(found), strict=True):
            yield Steady(one.item, _first(ab), self.shot, one is last)

    def _apply(self, given: Sequence[Given]) -> None:
        for one in given:
            key, weight = self._key, one.weight[..., None]
            key.ab = key.ab + weight * (one.ab - key.ab)
            key.lock = np.maximum(key.lock, one.weight)
            key.whole |= one.whole


def _followed(before: _Key, frame: _Waiting, predicted: np.ndarray) -> _Key:
    """The colours of a further key frame, from those of the one before and its own prediction."""
    flow = frame.to_key
    trust = flow.trust
    carried = warp(before.ab, flow.vectors)
    seen = warp(before.seen, flow.vectors) * trust
    lock = warp(before.lock, flow.vectors) * np.minimum(1, 2 * trust)
    share = np.maximum(1 / (seen + 1), _LEAST_SHARE) * (1 - lock)
    steady = carried + share[..., None] * (predicted - carried)
    counted = trust if before.whole else trust * (1 - lock)
    fresh = predicted + _DRAWN * _around(carried - predicted, counted)
    ab = fresh + trust[..., None] * (steady - fresh)
    return _Key(frame.grey, ab, seen + 1, lock, before.whole)


def _between(before: _Key, after: _Key, back: Flow, ahead: Flow, share: float) -> np.ndarray:
    """ab `(h, w, 2)` of a frame at `share` of the way from one key frame to the next."""
    first = warp(before.ab, back.vectors)
    second = warp(after.ab, ahead.vectors)
    least = 1e-3  # where neither is trusted, both count by distance
    one = (1 - share) * (back.trust + least)
    other = share * (ahead.trust + least)
    return first + (other / (one + other))[..., None] * (second - first)


def _around(difference: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weighted mean of `(h, w, 2)` around each pixel; towards 0 where there is no weight."""
    import cv2

    sigma = _AROUND * min(weight.shape)
    total = cv2.GaussianBlur(difference * weight[..., None], (0, 0), sigma)
    return total / (cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + _ENOUGH)


def _last(ab: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(ab.transpose(1, 2, 0), np.float32)


def _first(ab: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(ab.transpose(2, 0, 1))
