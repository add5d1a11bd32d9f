"""Colours that somebody gave at a time of the film, carried back to where their shot begins.

From there, and from their own frame, `steady` carries them on.
"""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from colorize.color.resample import resize_picture
from colorize.color.toned import is_toned, lab, unit
from colorize.film.motion import Flow, Motion, is_cut, warp
from colorize.film.reading import FilmError, Frame, Source
from colorize.film.settings import FilmHint, FilmSettings
from colorize.film.steady import Given
from colorize.photo.opening import Photo, given_as

_MOST_ANCHORS = 12  # earlier frames of a shot that what is given is carried back to
_ASPECT = 0.03  # by which a still's shape may differ from the film's
_SAME = 0.35  # of a still must be found in its frame

Hinted = Callable[[Frame, list[FilmHint]], tuple[np.ndarray, np.ndarray]]


def given_colours(
    source: Source,
    settings: FilmSettings,
    grey_of: Callable[[Frame], np.ndarray],
    hinted: Hinted,
) -> dict[int, list[Given]]:
    """What is given at frames, by their time in ticks: at the hint's or still's own frame, and at
    earlier ones of its shot, where motion finds the same things.

    grey_of: a frame's uint8 `(h, w)` at working size; hinted: its ab `(2, h, w)` with hints, and
    how far they count `(h, w)`. The film is read as far as the last of them. FilmError for a still
    that shows something else; a time behind the film's end is among its notices.
    """
    wanted: list[tuple[float, Any]] = [
        *((hint.seconds, hint) for hint in settings.hints),
        *((seconds, file) for seconds, file in settings.stills),
    ]
    found: dict[int, list[Given]] = defaultdict(list)
    if not wanted:
        return found
    motion, anchors, before = Motion(), _Anchors(), None
    clock, shift = source.about.time_base, source.about.shift
    for frame in source.frames(settings.first, settings.last):
        grey = grey_of(frame)
        if before is not None:
            ahead, back = motion.between(before, grey)
            if is_cut(before, grey, back):
                anchors = _Anchors()
            else:
                anchors.follow(ahead)
        before = grey
        anchors.add(frame.pts, grey.shape)
        until = float((frame.pts + frame.duration) * clock - shift)
        due = [what for seconds, what in wanted if seconds < until]
        wanted = [one for one in wanted if one[0] >= until]
        for given in _given_at(frame, grey, due, hinted, motion):
            found[frame.pts].append(given)
            for pts, flow in anchors.flows:
                if pts != frame.pts:
                    found[pts].append(_carried(given, flow))
        if not wanted:
            return found
    for seconds, _ in wanted:
        source.note(f"ends before {seconds:g} s, where a hint or still is given: it was left out")
    return found


class _Anchors:
    """Earlier frames of a shot, with the flow from each to the present one."""

    def __init__(self) -> None:
        self.flows: list[tuple[int, Flow]] = []
        self._every, self._since = 6, 0

    def follow(self, ahead: Flow) -> None:
        self.flows = [(pts, flow.then(ahead)) for pts, flow in self.flows]

    def add(self, pts: int, shape: tuple[int, int]) -> None:
        self._since -= 1
        if self._since > 0:
            return
        if len(self.flows) >= _MOST_ANCHORS:
            self.flows, self._every = self.flows[::2], 2 * self._every
        self.flows.append((pts, Flow.still(shape)))
        self._since = self._every


def _given_at(
    frame: Frame, grey: np.ndarray, due: list[Any], hinted: Hinted, motion: Motion
) -> list[Given]:
    found = [_of_still(file, grey, motion) for file in due if isinstance(file, Path)]
    hints = [hint for hint in due if isinstance(hint, FilmHint)]
    if hints:
        ab, weight = hinted(frame, hints)
        found.append(Given(ab.transpose(1, 2, 0).copy(), weight.astype(np.float32), False))
    return found


def _carried(given: Given, flow: Flow) -> Given:
    return Given(
        warp(given.ab, flow.vectors), warp(given.weight, flow.vectors) * flow.trust, given.whole
    )


def _of_still(file: Path, grey: np.ndarray, motion: Motion) -> Given:
    with given_as("still"):
        photo = Photo.open(file)
    height, width = grey.shape
    across, down = photo.size
    if abs(across / down * height / width - 1) > _ASPECT and height != width:
        raise FilmError(
            f"{photo.name}: is {across} x {down} pixels, another shape than the film's pictures"
        )
    if is_toned(photo.pixels):
        raise FilmError(f"{photo.name}: has no colours of its own; give a still in colour")
    small = resize_picture(photo.pixels, (width, height), Image.Resampling.BILINEAR)
    _, a, b = lab(unit(small))
    seen = _matched(grey_of_pixels(small), grey)
    there, _ = motion.between(grey, seen)  # it may have been moved or cropped by a pixel or two
    if there.trust.mean() < _SAME:
        raise FilmError(f"{photo.name}: shows something else than the film at that time")
    return Given(warp(np.stack((a, b), -1), there.vectors), there.trust, True)


def _matched(seen: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """A still's greys with the frame's brightness and contrast, which who painted it may change."""
    scale = max(float(grey.std()), 1) / max(float(seen.std()), 1)
    moved = (seen - seen.mean()) * scale + grey.mean()
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)


def grey_of_pixels(pixels: np.ndarray) -> np.ndarray:
    """uint8 `(h, w)` of sRGB `(h, w[, 3])`, for motion."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"))
