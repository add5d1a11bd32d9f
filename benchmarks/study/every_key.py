"""A study with every key that asks more of its participants, and what their pages send then."""

import random
from typing import Any

EXPOSURES = "[100, 250, 500, 1000]"
TRIALS = """\
fixation_ms = 200
gap_ms = 100
mask_ms = 50
confidence = true
marks = true
"""
PARTICIPANTS = """\
resume = "id"
consent_boxes = ["I am 18 or older", "I have read it"]
closed_url = "https://panel.example/over"
planned = 200000
"""
REST = """\
[device]
require = "desktop"
min_width = 900
[screening]
plates = 6
min_correct = 0
[analysis]
looks = [100000, 200000]
"""

DEVICE = {
    "viewport_width": 1280,
    "viewport_height": 800,
    "screen_width": 1280,
    "screen_height": 900,
    "device_pixel_ratio": 1,
    "pointer": "fine",
    "color_gamut": "srgb",
    "color_scheme": "light",
    "forced_colors": False,
    "visibility": "visible",
    "fullscreen": False,
}
VIEW = {
    "frames": 60,
    "dropped_frames": 0,
    "refresh_hz": 60.0,
    "drawn_width": 480,
    "drawn_height": 320,
    "device_pixel_ratio": 1,
    "layout": "beside",
}


def started() -> dict[str, Any]:
    """What a page adds to a start."""
    return {"device": DEVICE, "screen": {"dark": True, "light": True, "saturation": True}}


def said(trial: dict[str, Any], mind: random.Random) -> dict[str, Any]:
    """What a page adds to the choice in a trial, as far as that asks for it."""
    parts = trial["parts"]
    more: dict[str, Any] = {"shown_ms": float(trial["exposure_ms"] or 900), "view": VIEW}
    if mind.random() < 0.1:
        more |= {"focus_lost": 1, "absence": {"hidden_ms": 700}}
    if trial.get("confidence"):
        more["confidence"] = mind.randint(1, 4)
    if trial.get("marks"):
        spots = range(mind.randrange(4))
        more["marks"] = [
            {"part": mind.randrange(parts), "x": mind.random(), "y": mind.random()} for _ in spots
        ]
    return more
