"""A folder of photos: the pipeline of `python -m colorize photo` against one photo at a time."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import skimage
import torch
from PIL import Image

from colorize import Colorizer
from colorize.batch.local import cores, execute
from colorize.batch.outcome import Settings
from colorize.batch.plan import Task, make_plan

PICTURES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg")
ASPECTS = (3 / 2, 4 / 3, 2 / 3)
ROUNDS = 4  # in which both ways take turns, so that a busy moment hits both
REPLACING = Settings(overwrite=True)
Way = Callable[[Sequence[Task]], None]


def measure(
    photos: int = 100, megapixels: float = 2.0, at_most_cores: int = 2, model: str = "default"
) -> dict[str, Any]:
    """Seconds, photos a second and seconds of processor of both ways, and how they compare.

    `ratio` is the pipeline's photos a second over those of one photo at a time, in this run;
    `different` counts results that are not the same file to the byte, `different_pixels` is the
    share of their pixels, as decoded again, that are not the same.
    """
    with tempfile.TemporaryDirectory() as folder, _on_cores(at_most_cores) as used:
        make_photos(Path(folder) / "in", photos, megapixels)
        colorizer = Colorizer(model, "cpu")
        plans = {
            name: make_plan([Path(folder) / "in"], Path(folder) / name).tasks
            for name in ("one_at_a_time", "pipeline")
        }
        ways: dict[str, Way] = {
            "one_at_a_time": lambda tasks: _one_at_a_time(colorizer, tasks),
            "pipeline": lambda tasks: _pipeline(colorizer, tasks),
        }
        spent = {name: [0.0, 0.0] for name in ways}
        _one_at_a_time(colorizer, plans["pipeline"][:1])  # what is made once is made before
        for number in range(rounds := min(ROUNDS, photos)):
            some = slice(number * photos // rounds, (number + 1) * photos // rounds)
            for name in sorted(ways, reverse=number % 2 == 1):
                began, worked = time.perf_counter(), time.process_time()
                ways[name](plans[name][some])
                spent[name][0] += time.perf_counter() - began
                spent[name][1] += time.process_time() - worked
        result = {
            "photos": photos,
            "megapixels": megapixels,
            "model": colorizer.record.name,
            "cores": used,
            "ratio": spent["one_at_a_time"][0] / spent["pipeline"][0],
            **_compared(*plans.values()),
        }
    for name, (seconds, processor) in spent.items():
        result[name] = {
            "seconds": seconds,
            "photos_per_second": photos / seconds,
            "processor_seconds_per_photo": processor / photos,
        }
    return result


def _compared(some: Sequence[Task], others: Sequence[Task]) -> dict[str, float]:
    """How the results of the same photos differ."""
    files = pixels = unlike = 0
    for paths in zip(some, others, strict=True):
        files += len({task.target.read_bytes() for task in paths}) > 1
        one, another = (np.asarray(Image.open(task.target)) for task in paths)
        unlike += int((one != another).any(-1).sum())
        pixels += one.shape[0] * one.shape[1]
    return {"different": files, "different_pixels": unlike / pixels}


def make_photos(folder: Path, count: int, megapixels: float) -> None:
    """Grey JPEG files, scaled, turned, cropped and aged from colour pictures of scikit-image."""
    folder.mkdir()
    pictures = []
    for name in PICTURES:
        with Image.open(Path(skimage.__file__).parent / "data" / name) as image:
            pictures.append(image.convert("L"))
    random = np.random.default_rng(0)
    for number in range(count):
        picture, aspect = pictures[number % len(pictures)], ASPECTS[number % len(ASPECTS)]
        height = round((megapixels * 1e6 / aspect) ** 0.5)
        across, down = random.uniform(0.6, 1, 2) * picture.size
        left, top = random.uniform(0, 1, 2) * (picture.width - across, picture.height - down)
        box = (left, top, left + across, top + down)
        large = picture.resize((round(height * aspect), height), Image.Resampling.BICUBIC, box)
        grain = random.normal(0, 3, (large.height, large.width)).astype(np.float32)
        aged = np.clip(np.asarray(large) * np.float32(0.9) + 12 + grain, 0, 255)
        Image.fromarray(aged.astype(np.uint8)).save(folder / f"{number:03d}.jpg", quality=90)


def _one_at_a_time(colorizer: Colorizer, tasks: Sequence[Task]) -> None:
    for task in tasks:
        task.target.parent.mkdir(exist_ok=True)
        colorizer(task.source).save(task.target)


def _pipeline(colorizer: Colorizer, tasks: Sequence[Task]) -> None:
    failures = [done.error for done in execute(colorizer, tasks, REPLACING) if done.error]
    if failures:
        raise RuntimeError(failures[0])


@contextmanager
def _on_cores(most: int) -> Iterator[int]:
    """Keeps this process to so many cores, where the system can: how many there are."""
    before, threads = None, torch.get_num_threads()
    if hasattr(os, "sched_setaffinity"):
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, sorted(before)[:most])
    used = min(cores(), most)
    torch.set_num_threads(used)
    try:
        yield used
    finally:
        torch.set_num_threads(threads)
        if before:
            os.sched_setaffinity(0, before)
