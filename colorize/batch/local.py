"""Carries out a plan on this machine: several photos at a time, in bounded memory."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial

import torch

from colorize.batch.existing import header_size
from colorize.batch.outcome import Outcome, Settings
from colorize.batch.plan import Task
from colorize.batch.worker import Worker
from colorize.color.threads import take_threads
from colorize.inference.colorizer import Colorizer

BATCH = 16  # photos at most; on a CPU a batch takes as long as its photos one by one
_BATCH_PIXELS = 2**18  # of all that the network sees at once
_AHEAD = 4  # batches' worth of photos among which like shapes are looked for
_BYTES = 2**28  # of the photos in work, for each worker
# Bytes that a photo in work needs at most: a pixel of it (decoded, turned, result), and a pixel
# that the network sees (logits over 313 bins in float32, and their softmax).
_PER_PIXEL, _PER_WORKING_PIXEL = 12, 2600

Shape = Callable[[tuple[int, int]], tuple[int, int]]  # what the network sees of (width, height)


def execute(
    colorizer: Colorizer,
    tasks: Sequence[Task],
    settings: Settings,
    *,
    workers: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """An Outcome for each task, in order; whatever one photo does, the others are done.

    `workers` (None: one a core) threads take a photo each, or on a GPU a batch of like shape, so
    that reading and writing overlap with the network. On a CPU the results are bit for bit those
    of one photo after the other with as many threads of torch; another number changes the last
    bits of the network's sums (1 x 1 convolutions of oneDNN), and so a few pixels by one level.
    No more is begun than fits into 256 MB a worker, by the photos' headers; a photo that alone
    needs more is done alone. After `stopped()` nothing is begun: the photos in work are finished,
    and the outcomes end.
    """
    workers = max(1, min(workers or cores(), len(tasks)))
    worker = Worker(colorizer, settings)
    shape_of = partial(colorizer.working_shape, size=settings.size)
    batch = 1 if colorizer.device.type == "cpu" else min(BATCH, -(-len(tasks) // (2 * workers)))
    waiting = _batches(tasks, shape_of, batch, _BYTES * workers // 2)
    running: dict[Future[list[tuple[int, Outcome]]], int] = {}
    outcomes: dict[int, Outcome] = {}
    coming, following = 0, next(waiting, None)

    def do(numbers: Sequence[int]) -> list[tuple[int, Outcome]]:
        done = worker.do([tasks[number] for number in numbers])
        return list(zip(numbers, done, strict=True))

    with _threads(workers) as pool:
        while following or running:
            if stopped():
                following = None
            # One more than there are workers, so that none waits for this loop.
            while following and len(running) <= workers:
                numbers, cost = following
                if running and sum(running.values()) + cost > _BYTES * workers:
                    break
                running[pool.submit(do, numbers)] = cost
                following = next(waiting, None)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                outcomes |= future.result()
            while coming in outcomes:
                yield outcomes.pop(coming)
                coming += 1
    yield from (outcomes[number] for number in sorted(outcomes))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _threads(workers: int) -> Iterator[ThreadPoolExecutor]:
    """A pool whose threads share the cores among them instead of each taking all."""
    all_of_them = torch.get_num_threads()
    shares = (max(1, all_of_them // workers), all_of_them)
    pool = ThreadPoolExecutor(workers, "photo", take_threads, shares)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(
    tasks: Sequence[Task], shape_of: Shape, most: int, most_bytes: int
) -> Iterator[tuple[Sequence[int], int]]:
    """Numbers of tasks to be done together, with the bytes that they need.

    Photos of one shape, at most `most` and so many as fit into `most_bytes` and the network's
    batch, gathered from photos that lie near each other. Only headers are read.
    """
    gathered: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for number, task in enumerate(tasks):
        shape, cost = _cost(task, shape_of)
        if shape in gathered and sum(bytes for _, bytes in gathered[shape]) + cost > most_bytes:
            yield _together(gathered.pop(shape))
        gathered.setdefault(shape, []).append((number, cost))
        if len(gathered[shape]) >= min(most, max(1, _BATCH_PIXELS // (shape[0] * shape[1]))):
            yield _together(gathered.pop(shape))
        oldest = next(iter(gathered.values()), None)  # shapes stand in the order they came up
        if oldest and number - oldest[0][0] >= _AHEAD * most:
            yield _together(gathered.pop(next(iter(gathered))))
    yield from map(_together, gathered.values())


def _together(group: Iterable[tuple[int, int]]) -> tuple[Sequence[int], int]:
    numbers, costs = zip(*group, strict=True)
    return numbers, sum(costs)


def _cost(task: Task, shape_of: Shape) -> tuple[tuple[int, int], int]:
    """The shape that the network will see, and the bytes that the photo will need."""
    width, height = header_size(task.source) if task.format else (1, 1)
    shape = shape_of((width, height))
    return shape, _PER_PIXEL * width * height + _PER_WORKING_PIXEL * shape[0] * shape[1]
