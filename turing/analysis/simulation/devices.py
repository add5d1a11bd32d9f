"""On what synthetic participants look, and what their page would measure. Nothing here knows a
store."""

from typing import Any, NamedTuple

import numpy as np

from turing.study.study import Device

_BARS = 120  # pixels of a browser above the page
_STACKED_BELOW = 640  # CSS pixels: parts stand one above the other
_DROPS, _LOSES_FOCUS = 0.01, 0.01  # shares of trials
_DARK, _BLIND_STEP = 0.3, 0.04  # shares of people: dark scheme; a step that is not seen


class _Kind(NamedTuple):
    share: float
    width: int
    height: int
    ratio: float
    pointer: str
    gamut: str
    refresh_hz: float


_KINDS = (
    _Kind(0.35, 1440, 900, 2.0, "fine", "p3", 60.0),
    _Kind(0.35, 1920, 1080, 1.0, "fine", "srgb", 60.0),
    _Kind(0.10, 2560, 1440, 1.0, "fine", "p3", 144.0),
    _Kind(0.20, 390, 844, 3.0, "coarse", "p3", 60.0),
)


class Desk:
    """A participant's screen, the same for the same seed and number; one that the study lets in."""

    def __init__(self, asked: Device, seed: int, number: int) -> None:
        self._rng = np.random.default_rng([seed, 7, number])
        fit = [
            kind
            for kind in _KINDS
            if kind.width >= asked.min_width and (asked.require == "any" or kind.pointer == "fine")
        ]
        shares = np.array([kind.share for kind in fit])
        if fit:
            self._kind = fit[int(self._rng.choice(len(fit), p=shares / shares.sum()))]
        else:
            self._kind = _KINDS[2]._replace(width=asked.min_width)
        self._fullscreen = asked.fullscreen
        self._scheme = "dark" if self._rng.random() < _DARK else "light"
        self._seen = {
            step: bool(self._rng.random() >= _BLIND_STEP)
            for step in ("dark", "light", "saturation")
        }

    @property
    def height(self) -> int:
        """Of the page, in CSS pixels."""
        return self._kind.height - (0 if self._fullscreen else _BARS)

    def device(self) -> dict[str, Any]:
        """What the page says at the start, as `viewing.note_device` takes it."""
        kind = self._kind
        return {
            "viewport_width": float(kind.width),
            "viewport_height": float(self.height),
            "screen_width": float(kind.width),
            "screen_height": float(kind.height),
            "device_pixel_ratio": kind.ratio,
            "pointer": kind.pointer,
            "color_gamut": kind.gamut,
            "color_scheme": self._scheme,
            "forced_colors": False,
            "visibility": "visible",
            "fullscreen": self._fullscreen,
        }

    def screen(self) -> dict[str, bool]:
        """Which steps of grey and of saturation are seen."""
        return dict(self._seen)

    def measured(
        self, size: tuple[int, int], pair: bool, exposure_ms: int, rt_ms: float
    ) -> dict[str, Any]:
        """What the page sends with an answer: `shown_ms`, `focus_lost` and `view`, the columns of
        the table `views`.

        size: of a part in pixels; pair: both parts at once; exposure_ms: 0 until the answer.
        """
        stacked = pair and self._kind.width < _STACKED_BELOW
        across, down = (2 if pair and not stacked else 1), (2 if stacked else 1)
        room = 0.95 * self._kind.width / across, 0.7 * self.height / down
        scale = min(1.0, room[0] / size[0], room[1] / size[1])
        view: dict[str, Any] = {
            "drawn_width": round(size[0] * scale, 1),
            "drawn_height": round(size[1] * scale, 1),
            "device_pixel_ratio": self._kind.ratio,
            "layout": "stacked" if stacked else "beside" if pair else "single",
        }
        shown_ms = rt_ms
        if exposure_ms:
            hz = self._kind.refresh_hz
            frames = max(1, round(exposure_ms * hz / 1000))
            dropped = int(self._rng.random() < _DROPS)
            view |= {"frames": frames, "dropped_frames": dropped, "refresh_hz": hz}
            shown_ms = round((frames + dropped) * 1000 / hz, 1)
        lost = int(self._rng.random() < _LOSES_FOCUS)
        return {"shown_ms": shown_ms, "focus_lost": lost, "view": view}
