"""One photo from file to file, stage by stage, beside plain decoding and encoding of that file."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from PIL import Image

from benchmarks.speed.photos import KINDS, make_photo, write_photo
from colorize.color import render
from colorize.inference import colorization
from colorize.inference import colorizer as pipeline
from colorize.inference.colorizer import Colorizer
from colorize.photo.opening import Photo
from colorize.photo.saving import PNG_LEVEL

STAGES = ("decode", "L", "network", "upsample", "merge", "encode")
_PLAIN = {
    "jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    "png": {"format": "PNG", "compress_level": PNG_LEVEL},
}
PNG_LEVELS = (1, 2, 3, 6)  # 6 is Pillow's own


def measure(folder: Path, megapixels: float = 12, rounds: int = 5) -> dict[str, Any]:
    """A row for each kind of file and output: seconds of the stages, and the ratios.

    `ratio` is of time, `work_ratio` of processor time, which other programs disturb less.

    Medians of `rounds` rounds, each of which does it plainly (decode, encode as the output is
    written, no more) and then in colour: the ratio is that of a round. The first is not counted.
    """
    colorizer = Colorizer("default")
    rows = []
    for kind in KINDS:
        source = write_photo(folder, megapixels, kind)
        for ending in _PLAIN:
            count = rounds if ending == "jpg" else min(rounds, 3)
            found = [_round(colorizer, source, ending) for _ in range(count + 1)][1:]
            row = {key: median(one[key] for one in found) for key in found[0]}
            ratios = [one["ratio"] for one in found]
            row |= {"lowest": min(ratios), "highest": max(ratios)}
            rows.append({"in": kind, "out": ending, "megapixels": megapixels} | row)
    return {"rows": rows, "png": png_levels(folder, megapixels), "png_level": PNG_LEVEL}


def _round(colorizer: Colorizer, source: Path, ending: str) -> dict[str, float]:
    out = source.with_suffix(f".out.{ending}")
    began, worked = time.perf_counter(), time.process_time()
    with Image.open(source) as image:
        image.load()
        decode, work = time.perf_counter() - began, time.process_time() - worked
        image = image.convert("RGB")  # the output is in colour
    began, worked = time.perf_counter(), time.process_time()
    image.save(out, **_PLAIN[ending])
    plain = {"plain_decode": decode, "plain_encode": time.perf_counter() - began}
    plain_work = work + time.process_time() - worked
    with timed_stages() as seconds:
        began, worked = time.perf_counter(), time.process_time()
        result = colorizer(source)
        result.save(out)
        total, work = time.perf_counter() - began, time.process_time() - worked
    found = {stage: seconds[stage] for stage in STAGES} | {
        "other": total - sum(seconds[stage] for stage in STAGES),
        "total": total,
    }
    ratios = {"ratio": total / sum(plain.values()), "work_ratio": work / plain_work}
    return plain | found | ratios


@contextmanager
def timed_stages() -> Iterator[dict[str, float]]:
    """Within it, the seconds of each of STAGES add up in what it gives.

    What runs within a stage is that stage's: nothing is counted twice.
    """
    seconds: dict[str, float] = defaultdict(float)
    running: list[str] = []

    def timed(stage: str, call: Callable) -> Callable:
        def measured(*arguments: Any, **options: Any) -> Any:
            if running:
                return call(*arguments, **options)
            running.append(stage)
            began = time.perf_counter()
            try:
                return call(*arguments, **options)
            finally:
                running.clear()
                seconds[stage] += time.perf_counter() - began

        return measured

    places = (
        (Photo, "open", "decode"),
        (pipeline, "network_input", "L"),
        (Colorizer, "_run", "network"),
        (colorization, "decode", "network"),
        (colorization, "resize", "upsample"),
        (render.Enlarger, "rows", "upsample"),
        (render.Merger, "merge", "merge"),
        (render.Merger, "finish", "merge"),
        (colorization, "save_picture", "encode"),
    )
    patches = [
        patch.object(at, name, timed(stage, getattr(at, name))) for at, name, stage in places
    ]
    for one in patches:
        one.start()
    try:
        yield seconds
    finally:
        for one in patches:
            one.stop()


def png_levels(folder: Path, megapixels: float) -> list[dict[str, float]]:
    """Seconds and megabytes of a colour photo as PNG, by level."""
    photo, rows = make_photo(megapixels, "colour"), []
    for level in PNG_LEVELS:
        path, began = folder / f"level-{level}.png", time.perf_counter()
        photo.save(path, compress_level=level)
        seconds = time.perf_counter() - began
        rows.append({"level": level, "seconds": seconds, "MB": path.stat().st_size / 1e6})
    return rows
