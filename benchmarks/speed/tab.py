"""What a visitor of the tab waits for, and the app's memory after a full tray of photos."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.footprint import memory
from benchmarks.speed.photos import write_photo
from benchmarks.speed.visitor import Visitor
from benchmarks.study.serving import App
from colorize.models.record import list_checkpoints
from colorize.web.cache import bound
from colorize.web.session import MOST_PHOTOS

BATCHES = (1, 30, 60)
_LARGE = 12.0  # megapixels of the photo that is adjusted


def measure(
    batches: Sequence[int] = BATCHES,
    photos: int = MOST_PHOTOS,
    megapixels: float = 2.0,
    large: float = _LARGE,
    rounds: int = 5,
) -> dict[str, Any]:
    """Seconds over HTTP, of the app alone: what a browser draws is not in them.

    batches: for each number of photos, sent one after the other, seconds until the `first` is
    seen in colour and until `all` are. looks: of one large photo, medians of `rounds`, each of
    another colour or place: a stroke's preview (`stroke`), the row of variants (`variants`), a
    tile of the lightbox (`tile`), and, to compare with, a `preview` of another intensity.
    memory: MB of the app's process, `started` and after `photos` photos of one visitor.
    """
    model = next(record.name for record in list_checkpoints() if record.default)
    with tempfile.TemporaryDirectory() as folder:
        files = [write_photo(Path(folder), megapixels, seed=n) for n in range(max(8, *batches))]
        with App(Path(folder) / "studies", TMPDIR=folder) as app:
            started = memory("VmRSS", app.pid)
            warm = Visitor(app.port, 0, model)
            warm.send(files[:1])
            warm.run()
            rows = [
                _batch(Visitor(app.port, number, model), files[:count])
                for number, count in enumerate(batches, 1)
            ]
            looks = _looks(Visitor(app.port, 100, model), write_photo(Path(folder), large), rounds)
            tray = Visitor(app.port, 101, model)
            for start in range(0, photos, 20):
                tray.send([files[n % len(files)] for n in range(start, min(start + 20, photos))])
                tray.run()
            kept = {"started": started, "all": memory("VmRSS", app.pid)}
            kept["peak"] = memory("VmHWM", app.pid)
    return {
        "megapixels": megapixels,
        "batches": rows,
        "large": large,
        "looks": looks,
        "photos": photos,
        "bound": bound(os.environ) / 2**20,
        "memory": kept,
    }


def _batch(visitor: Visitor, photos: Sequence[Path]) -> dict[str, Any]:
    began = time.perf_counter()
    visitor.send(photos[:1])
    visitor.run()
    visitor.get("{model}/colour", side=800)
    first = time.perf_counter() - began
    visitor.send(photos[1:])
    visitor.run()
    for number in range(1, len(photos)):
        visitor.get("{model}/colour", number, side=400)  # its thumbnail
    return {"photos": len(photos), "first": first, "all": time.perf_counter() - began}


def _looks(visitor: Visitor, photo: Path, rounds: int) -> dict[str, float]:
    visitor.send([photo])
    visitor.run()
    width, height = visitor.state["photos"][0]["size"]

    def stroke(round: int) -> None:
        color = f"#{40 + round:02x}50c0"
        points = [[width / 3, height / 3], [width / 2, height / 2]]
        strokes = [{"points": points, "radius": width / 60, "color": color}]
        visitor.get("{model}/colour", side=800, strokes=json.dumps(strokes))

    ways: dict[str, Callable[[int], Any]] = {
        "preview": lambda n: visitor.get("{model}/colour", side=800, saturation=1 + n / 100),
        "stroke": stroke,
        "variants": lambda n: visitor.get("{model}/variants", saturation=1 + n / 100),
        "tile": lambda n: visitor.get("{model}/tile", left=(512 * n) % width, top=height // 3),
    }
    return {
        name: median(_seconds(way, n) for n in range(1, rounds + 1)) for name, way in ways.items()
    }


def _seconds(way: Callable[[int], Any], number: int) -> float:
    began = time.perf_counter()
    way(number)
    return time.perf_counter() - began
