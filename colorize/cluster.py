"""Carries out a plan on Ray Data: the same pipeline in many processes, here or on a cluster."""

import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from colorize.batch import Task
from colorize.colorizer import Colorizer
from colorize.errors import ColorizeError
from colorize.execute import BATCH, cores, execute
from colorize.work import Outcome, Settings, check_target, sentence

_BLOCK = 4  # photos that a worker gets at once; who loses a worker does so many again
_TRIES_AGAIN = 3  # with another worker, where one ended
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else a warning where there is no GPU
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # of the lines that its core writes to standard error
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # its notes on workers, which go to standard output
}
_OBJECTS = 100_000_000  # bytes of Ray's own store: paths and sentences only


def execute_on_ray(
    record_file: Path,
    tasks: Sequence[Task],
    settings: Settings,
    *,
    device: str = "auto",
    workers: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """An Outcome for each task, as they come; whatever one photo does, the others are done.

    `workers` processes (None: one a core, or one a GPU) load the model once each. They run on
    the cluster at `RAY_ADDRESS`, whose machines see photos, results and checkpoints at the same
    paths, or on this machine. What a worker that ended had in hand is done by another: once,
    for what it had written is found. ColorizeError where there is no Ray.
    """
    remaining = []
    for number, task in enumerate(tasks):
        try:
            check_target(task, settings)
            remaining.append((number, task))
        except Exception as error:
            yield Outcome(task, sentence(task, error))
    if not remaining:
        return
    with _ray(workers) as ray:
        rows = _rows(ray, record_file, remaining, settings, device, workers)
        missing = dict(remaining)
        for row in rows:
            outcome = _outcome(missing.pop(row["number"]), row)
            yield replace(outcome, before=outcome.before and settings.resume)
            if stopped():
                return
    for task in missing.values():
        reason = "its worker ended each time, perhaps for want of memory"
        yield Outcome(task, sentence(task, ColorizeError(reason)))


def _rows(
    ray: Any,
    record_file: Path,
    tasks: Sequence[tuple[int, Task]],
    settings: Settings,
    device: str,
    workers: int | None,
) -> Iterator[dict[str, Any]]:
    here = ray.cluster_resources()
    gpus = int(here.get("GPU", 0)) if device == "auto" or device.startswith("cuda") else 0
    cpus = max(1, int(here.get("CPU", 1)))
    workers = min(workers or gpus or cpus, len(tasks))
    threads = max(1, cpus // gpus) if gpus else 1  # that feed a GPU
    block = BATCH * threads if gpus else _BLOCK
    if not settings.overwrite:  # what is there by now was written by a worker that ended
        settings = replace(settings, resume=True)
    block = max(1, min(block, len(tasks) // workers))
    items = [
        {
            "number": number,
            "source": str(task.source.absolute()),
            "target": str(task.target.absolute()),
            "format": task.format or "",
        }
        for number, task in tasks
    ]
    outcomes = ray.data.from_items(items, override_num_blocks=-(-len(items) // block)).map_batches(
        _Actor,
        fn_constructor_kwargs={
            "record_file": str(record_file.absolute()),
            "device": device,
            "settings": settings,
            "workers": threads,
        },
        batch_size=None,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=threads,
        num_gpus=1 if gpus else 0,
        ray_remote_args_fn=lambda: {"max_restarts": -1, "max_task_retries": _TRIES_AGAIN},
    )
    return outcomes.iter_rows()


class _Actor:
    """A process that has loaded the model and does one block of tasks after the other."""

    def __init__(self, record_file: str, device: str, settings: Settings, workers: int) -> None:
        self._colorizer = Colorizer(record_file, device)
        self._settings, self._workers = settings, workers

    def __call__(self, block: dict[str, np.ndarray]) -> dict[str, list[Any]]:
        tasks = [
            Task(Path(source), Path(target), format or None)
            for source, target, format in zip(
                block["source"], block["target"], block["format"], strict=True
            )
        ]
        outcomes = list(execute(self._colorizer, tasks, self._settings, workers=self._workers))
        return {
            "number": list(block["number"]),
            "error": [outcome.error for outcome in outcomes],
            "notices": [json.dumps(outcome.notices) for outcome in outcomes],
            "seconds": [outcome.seconds or 0.0 for outcome in outcomes],
            "before": [outcome.before for outcome in outcomes],
        }


def _outcome(task: Task, row: dict[str, Any]) -> Outcome:
    """The Outcome of a row, its sentences with the paths as they were given."""
    error = row["error"]
    for path in (task.source, task.target):
        error = error.replace(str(path.absolute()), str(path))
    seconds = None if row["before"] else row["seconds"]
    return Outcome(task, error, tuple(json.loads(row["notices"])), seconds, row["before"])


@contextmanager
def _ray(workers: int | None) -> Iterator[Any]:
    """Ray, connected to the cluster at RAY_ADDRESS or started here, and ended again."""
    for name, value in _ENVIRONMENT.items():  # read when Ray is imported
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ColorizeError("Ray is not installed; pip install 'colorize-turing[many]'") from error
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        try:
            if address := os.environ.get("RAY_ADDRESS"):
                ray.init(address, **quiet)
            else:
                ray.init(
                    "local",
                    num_cpus=workers or cores(),
                    include_dashboard=False,
                    object_store_memory=_OBJECTS,
                    _node_ip_address="127.0.0.1",
                    _temp_dir=folder,
                    **quiet,
                )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            where = address or "this machine"
            reason = str(error).partition("\n")[0]
            raise ColorizeError(f"Ray at {where} cannot be reached ({reason})") from error
        try:
            context = ray.data.DataContext.get_current()
            context.enable_progress_bars = False
            context.print_on_execution_start = False
            context.max_errored_blocks = -1  # their photos are told as failures
            logging.getLogger("ray.data").setLevel(logging.CRITICAL)
            yield ray
        finally:
            ray.shutdown()
