"""Carries out a plan on Ray Data: the same pipeline in many processes, here or on a cluster."""

import json
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from colorize.batch.existing import Existing, existing_result
from colorize.batch.local import BATCH, cores, execute
from colorize.batch.outcome import Outcome, Settings, refused, sentence
from colorize.batch.plan import Task
from colorize.errors import ColorizeError
from colorize.inference.colorizer import Colorizer

_BLOCK = 4  # photos that a worker gets at once; who loses a worker does so many again
_ATTEMPTS = 3  # at a block, where its worker ends
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else a warning where there is no GPU
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # of the lines that its core writes to standard error
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # its notes on workers, which go to standard output
    "RAY_gcs_server_port_wait_time_s": "120",  # instead of 30
}
_STARTS = 3  # tries: Ray waits 30 s for a part of itself, and no setting is for that
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
    early = refused(tasks, settings)
    yield from early.values()
    remaining = [(number, task) for number, task in enumerate(tasks) if task not in early]
    if not remaining:
        return
    with _ray(workers) as ray:
        rows = _rows(ray, record_file, remaining, settings, device, workers)
        by_number = dict(remaining)
        for row in rows:
            outcome = _outcome(by_number[row["number"]], row)
            yield replace(outcome, before=outcome.before and settings.resume)
            if stopped():
                return


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
            "begin": ray.remote(_Attempts).options(num_cpus=0).remote().begin.remote,
        },
        batch_size=None,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=threads,
        num_gpus=1 if gpus else 0,
    )
    return outcomes.iter_rows()


class _Attempts:
    """Counts how often each block was begun: Ray begins one again as often as its worker ends."""

    def __init__(self) -> None:
        self._begun: Counter[int] = Counter()

    def begin(self, block: int) -> int:
        self._begun[block] += 1
        return self._begun[block]


class _Actor:
    """A process that has loaded the model and does one block of tasks after the other."""

    def __init__(
        self,
        record_file: str,
        device: str,
        settings: Settings,
        workers: int,
        begin: Callable[[int], Any],
    ) -> None:
        self._colorizer = Colorizer(record_file, device)
        self._settings, self._workers, self._begin = settings, workers, begin

    def __call__(self, block: dict[str, np.ndarray]) -> dict[str, list[Any]]:
        import ray

        tasks = [
            Task(Path(source), Path(target), format or None)
            for source, target, format in zip(
                block["source"], block["target"], block["format"], strict=True
            )
        ]
        if ray.get(self._begin(int(block["number"][0]))) <= _ATTEMPTS:
            outcomes = list(execute(self._colorizer, tasks, self._settings, workers=self._workers))
        else:
            outcomes = [self._given_up(task) for task in tasks]
        return {
            "number": list(block["number"]),
            "error": [outcome.error for outcome in outcomes],
            "notices": [json.dumps(outcome.notices) for outcome in outcomes],
            "seconds": [outcome.seconds or 0.0 for outcome in outcomes],
            "before": [outcome.before for outcome in outcomes],
        }

    def _given_up(self, task: Task) -> Outcome:
        if existing_result(task, self._colorizer.record) is Existing.DONE:
            return Outcome(task, before=True)
        reason = f"its worker ended {_ATTEMPTS} times, perhaps for want of memory"
        return Outcome(task, sentence(task, ColorizeError(reason)))


def _outcome(task: Task, row: dict[str, Any]) -> Outcome:
    """The Outcome of a row, its sentences with the paths as they were given."""
    error = row["error"]
    for path in (task.source, task.target):
        error = error.replace(str(path.absolute()), str(path))
    seconds = None if row["before"] else row["seconds"]
    return Outcome(task, error, tuple(json.loads(row["notices"])), seconds, row["before"])


def _start_here(ray: Any, workers: int | None, folder: str, quiet: dict[str, Any]) -> None:
    """Ray on this machine alone, its files in `folder`."""
    for attempt in range(1, _STARTS + 1):
        try:
            ray.init(
                "local",
                num_cpus=workers or cores(),
                include_dashboard=False,
                object_store_memory=_OBJECTS,
                _node_ip_address="127.0.0.1",
                _temp_dir=folder,
                **quiet,
            )
        except Exception:
            ray.shutdown()
            if attempt == _STARTS:
                raise
        else:
            return


@contextmanager
def _hushed() -> Iterator[None]:
    """Without what Ray's core says on standard error of how it was told to be silent."""
    sys.stderr.flush()
    with Path(os.devnull).open("wb") as nothing:
        kept = os.dup(2)
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _ray(workers: int | None) -> Iterator[Any]:
    """Ray, connected to the cluster at RAY_ADDRESS or started here, and ended again."""
    for name, value in _ENVIRONMENT.items():  # read when Ray is imported
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ColorizeError("Ray is not installed here; run pip install 'ray[data]'") from error
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        address = os.environ.get("RAY_ADDRESS")
        try:
            with _hushed():
                ray.init(address, **quiet) if address else _start_here(ray, workers, folder, quiet)
        except Exception as error:  # Ray raises anything at all for what does not start
            reason = str(error).partition("\n")[0]
            where = f"at {address} cannot be reached" if address else "cannot be started here"
            raise ColorizeError(f"Ray {where} ({reason})") from error
        try:
            context = ray.data.DataContext.get_current()
            context.enable_progress_bars = False
            context.print_on_execution_start = False
            logging.getLogger("ray.data").setLevel(logging.CRITICAL)
            yield ray
        finally:
            ray.shutdown()
