"""How long a stroke takes to be seen, beside one forward of the network without strokes."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from colorize import Colorizer, Photo
from colorize.color.threads import one_thread
from colorize.inference.hints.strokes import parse_strokes

_SIZE = (1000, 1500)  # height and width of the photo


def measure(rounds: int = 5, model: str = "default") -> dict[str, Any]:
    """Processor seconds of one thread, medians, and their ratios to `network`.

    A first round is not counted.

    network: one run without strokes; outline: what a stroke would change, the photo known;
    preview: the stroke's colours without asking the network; refined: with it.
    """
    colorizer, photo = Colorizer(model, device="cpu"), Photo.open(_picture())
    (plain,) = colorizer.predict([photo])
    seen = colorizer.finish(photo, plain)
    strokes = parse_strokes(
        [{"points": [[400, 300], [700, 420]], "radius": 20, "color": "#3050c0"}]
    )

    def refined() -> None:
        (stroked,) = colorizer.predict([photo], strokes=[strokes], before=[plain])
        _ = colorizer.finish(photo, stroked).ab

    ways: dict[str, Callable[[], Any]] = {
        "network": lambda: colorizer.predict([photo]),
        "outline": lambda: seen.outline(strokes[0]),
        "preview": lambda: seen.painted(strokes).ab,
        "refined": refined,
    }
    with one_thread():
        times = {name: [_seconds(way) for _ in range(rounds + 1)][1:] for name, way in ways.items()}
    seconds = {name: median(column) for name, column in times.items()}
    ratios = {name: value / seconds["network"] for name, value in seconds.items()}
    return {"model": colorizer.record.name, "seconds": seconds, "ratios": ratios}


def _picture() -> np.ndarray:
    """Discs of grey before a gradient, uint8 `(h, w)`."""
    rows, columns = np.mgrid[: _SIZE[0], : _SIZE[1]]
    picture = 60 + 100 * columns / _SIZE[1]
    for number in range(12):
        row, column = 137 * number % _SIZE[0], 411 * number % _SIZE[1]
        picture[np.hypot(rows - row, columns - column) < 140] = 20 * number
    return picture.astype(np.uint8)


def _seconds(way: Callable[[], Any]) -> float:
    began = time.thread_time()
    way()
    return time.thread_time() - began
