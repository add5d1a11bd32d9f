"""Colours that stay with things: a network's colours of some frames, carried by motion to all."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from colorize.film.motion import Flow, Motion, agreement, is_cut, same_grey, warp

_LEAST_SHARE = 0.08  # of a frame's own prediction, where a thing has been seen for long
_AHEAD = 24  # later frames, whose predictions count for a frame as earlier ones do
_DRAWN = 0.8  # how far what is new follows its surroundings' difference from their prediction
_AROUND = 1 / 8  # of the short side: what counts as surroundings
_ENOUGH = 0.06  # of what is around, so that it tells
_CLEAR = 60.0  # of 255: from that contrast on, as a standard deviation, a prediction counts whole
_TRUSTED = 0.7  # the part of a frame that must be trusted, or the network sees that frame as well
_MOST_BYTES = 2**28  # of pictures that wait
_FLASH = 3  # frames at most: behind so short a shot the one before it may go on


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
    """A frame between two key frames."""

    item: Any
    grey: np.ndarray
    back: Flow  # from this frame to the key frame before
    ahead: Flow | None = None  # to the next frame; once there is one, to the next key frame


@dataclass
class _Key:
    """A frame that the network saw.

    clarity: as of `_clarity`; predicted: ab `(h, w, 2)` as the network has it; ab: with what came
    along from earlier; shade: the mean grey of what its colours are from; seen: how many
    predictions, by their clarity, are in each pixel's colour; lock: how far it was given; between:
    the frames after the key before; ahead: as of those that wait.
    """

    item: Any
    grey: np.ndarray
    clarity: float
    predicted: np.ndarray
    ab: np.ndarray
    shade: np.ndarray
    seen: np.ndarray
    lock: np.ndarray
    whole: bool
    between: list[_Waiting] = field(default_factory=list)
    ahead: Flow | None = None


@dataclass
class SteadyColours:
    """Gives frames their colours, shot by shot; feed frames in order, then call `finish`.

    predict: a frame's ab `(2, h, w)`, called in order for key frames: the first and last of a
    shot, every `speed`-th, and those that motion explains badly. A thing's colour at a key frame
    is the mean of its predictions there, at earlier keys and at those up to a second later, so
    that the first frames of a shot know what only the next ones show; those of pictures of little
    contrast count less. Between two keys a frame's colours are those of both, carried along the
    flow and mixed by distance. What is newly seen takes the prediction, moved as what is around it
    differs from its own.
    """

    predict: Callable[[Any], np.ndarray]
    speed: int
    shot: int = -1
    _motion: Motion = field(default_factory=Motion)
    _keys: deque[_Key] = field(default_factory=deque)  # the first one is settled, if any is
    _settled: np.ndarray | None = None  # its colours
    _waiting: list[_Waiting] = field(default_factory=list)
    _grey: np.ndarray | None = None
    _frames: int = 0  # of the present shot
    _before: _Key | None = None  # the last one of the shot before, where this may be a flash

    def add(
        self, item: Any, grey: np.ndarray, given: Sequence[Given] = (), nbytes: int = 0
    ) -> Iterator[Steady]:
        """One more frame, uint8 grey `(h, w)` at working size; what is ready by now.

        nbytes: what an item holds in memory.
        """
        if not self._keys:
            self._start(item, grey, given)
            return
        ahead, back = self._motion.between(self._grey, grey)
        if is_cut(self._grey, grey, back):
            before, self._before = self._before, None
            if self._frames > _FLASH:
                before = None
            last = yield from self._ended()
            self._start(item, grey, given, before)
            self._before = last
            return
        (self._waiting or self._keys)[-1].ahead = ahead
        if self._waiting:
            back = back.then(self._waiting[-1].back)
        back.trust *= agreement(grey, self._keys[-1].grey, back.vectors)
        self._waiting.append(_Waiting(item, grey, back))
        self._grey, self._frames = grey, self._frames + 1
        is_much = nbytes * (self._held() + 1) > _MOST_BYTES
        if len(self._waiting) >= self.speed or given or back.trust.mean() < _TRUSTED or is_much:
            self._close(given)
        while len(self._keys) > 1 and (
            self._held() - self._of_next() >= _AHEAD or nbytes * (self._held() + 1) > _MOST_BYTES
        ):
            yield from self._settle()

    def finish(self) -> Iterator[Steady]:
        """The frames that wait; the shot ends with them."""
        yield from self._ended()

    def _held(self) -> int:
        """Frames that wait for their colours."""
        settled = self._settled is not None
        return len(self._waiting) + sum(1 + len(key.between) for key in self._keys) - settled

    def _of_next(self) -> int:
        """Those of them that are settled next."""
        return 1 + len(self._keys[1].between) + (self._settled is None)

    def _start(
        self, item: Any, grey: np.ndarray, given: Sequence[Given], before: _Key | None = None
    ) -> None:
        """Begins a shot; one that is `before` goes on, if this frame shows what that did."""
        ab, shape = _last(self.predict(item)), grey.shape
        once, free = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        clarity = _clarity(grey)
        shade = grey.astype(np.float32)
        key = _Key(item, grey, clarity, ab, ab, shade, once * clarity, free, False)
        if before is not None:
            _, back = self._motion.between(before.grey, grey)
            if not is_cut(before.grey, grey, back):
                key = _followed(before, _Waiting(item, grey, back), ab)
        self._keys.append(key)
        self._apply(given)
        self._grey, self._frames, self.shot = grey, 1, self.shot + 1

    def _close(self, given: Sequence[Given]) -> None:
        """Makes the last one that waits a key frame."""
        *between, last = self._waiting
        before = self._keys[-1]
        key = _followed(before, last, _last(self.predict(last.item)))
        key.between, self._waiting = between, []
        ahead = Flow.still(last.grey.shape)
        for one in reversed(between):
            ahead = one.ahead = one.ahead.then(ahead)
        before.ahead = before.ahead.then(ahead)
        before.ahead.trust *= agreement(before.grey, key.grey, before.ahead.vectors)
        self._keys.append(key)
        self._apply(given)

    def _settle(self) -> Iterator[Steady]:
        """The frames up to the second of the keys, with the colours that they keep."""
        first, second = self._keys[0], self._keys[1]
        if self._settled is None:
            self._settled = self._with_later(0)
            yield Steady(first.item, _first(self._settled), self.shot, True)
        ab = self._with_later(1)
        for place, one in enumerate(second.between, 1):
            share = place / (len(second.between) + 1)
            mixed = _between(self._settled, ab, one, share)
            yield Steady(one.item, _first(mixed), self.shot, False)
        yield Steady(second.item, _first(ab), self.shot, True)
        self._settled = ab
        self._keys.popleft()

    def _ended(self) -> Iterator[Steady]:
        """What waits, at a shot's end; gives its last key."""
        if self._waiting:
            self._close(())
        while len(self._keys) > 1:
            yield from self._settle()
        if not self._keys:
            return None
        last = self._keys.pop()
        if self._settled is None:
            yield Steady(last.item, _first(last.ab), self.shot, True)
        self._settled = None
        return last

    def _with_later(self, place: int) -> np.ndarray:
        """The colours of one of the keys, with the predictions at later ones taken in."""
        key, last = self._keys[place], len(self._keys) - 1
        if key.whole or place == last:
            return key.ab
        far = self._keys[last]
        mean, shade = far.predicted, far.grey.astype(np.float32)
        count = np.full(key.grey.shape, far.clarity, np.float32)
        for number in range(last - 1, place - 1, -1):
            one, vectors = self._keys[number], self._keys[number].ahead.vectors
            mean, shade = warp(mean, vectors), warp(shade, vectors)
            # in a dissolve each picture is like the next one, and in the end nothing is the same
            count = warp(count, vectors) * one.ahead.trust * same_grey(one.grey, shade)
            if number > place:
                share = count / (count + one.clarity)
                mean = one.predicted + share[..., None] * (mean - one.predicted)
                shade = one.grey + share * (shade - one.grey)
                count += one.clarity
        seen = np.minimum(key.seen, key.clarity / _LEAST_SHARE)
        share = count / (count + seen) * (1 - key.lock)
        return key.ab + share[..., None] * (mean - key.ab)

    def _apply(self, given: Sequence[Given]) -> None:
        for one in given:
            key, weight = self._keys[-1], one.weight[..., None]
            key.ab = key.ab + weight * (one.ab - key.ab)
            key.lock = np.maximum(key.lock, one.weight)
            key.whole |= one.whole


def _followed(before: _Key, frame: _Waiting, predicted: np.ndarray) -> _Key:
    """The colours of a further key frame, from those of the one before and its own prediction."""
    flow = frame.back
    shade = warp(before.shade, flow.vectors)
    trust = flow.trust * same_grey(frame.grey, shade)
    carried = warp(before.ab, flow.vectors)
    seen = warp(before.seen, flow.vectors) * trust
    lock = warp(before.lock, flow.vectors) * np.minimum(1, 2 * trust)
    clarity = _clarity(frame.grey)
    least = _LEAST_SHARE * min(1.0, clarity / before.clarity)
    share = np.maximum(clarity / (seen + clarity), least) * (1 - lock)
    steady = carried + share[..., None] * (predicted - carried)
    counted = trust if before.whole else trust * (1 - lock)
    fresh = predicted + _DRAWN * _around(carried - predicted, counted)
    ab = fresh + trust[..., None] * (steady - fresh)
    shade = frame.grey + trust * (1 - share) * (shade - frame.grey)
    seen += clarity
    return _Key(frame.item, frame.grey, clarity, predicted, ab, shade, seen, lock, before.whole)


def _between(before: np.ndarray, after: np.ndarray, frame: _Waiting, share: float) -> np.ndarray:
    """ab `(h, w, 2)` of a frame at `share` of the way from one key frame to the next."""
    back, ahead = frame.back, frame.ahead
    first, second = warp(before, back.vectors), warp(after, ahead.vectors)
    least = 1e-3  # where neither is trusted, both count by distance
    one = (1 - share) * (back.trust + least)
    other = share * (ahead.trust + least)
    return first + (other / (one + other))[..., None] * (second - first)


def _clarity(grey: np.ndarray) -> float:
    """How far the network's prediction for a picture counts: what is dark or pale, as in a fade,
    gets other colours than the same things in full light."""
    return float(np.clip(grey.std() / _CLEAR, 0.05, 1)) ** 2


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
