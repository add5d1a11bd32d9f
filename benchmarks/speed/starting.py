"""The cold start of the app to its first colorization, with its parts, and what imports take."""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.footprint import ROOT
from benchmarks.speed.photos import write_photo
from benchmarks.study.serving import App
from colorize.models.record import list_checkpoints

HEAVY = ("torch", "gradio")


def measure(rounds: int = 3) -> dict[str, Any]:
    """Seconds: imports of the packages in fresh interpreters, and one start of the app."""
    return {"imports": [imported(name, rounds) for name in ("colorize", "turing")], "app": app()}


def imported(name: str, rounds: int) -> dict[str, Any]:
    """Seconds of `import NAME` above those of an empty program, and which of HEAVY it loads."""
    told = f"import {name}, sys; print(*[m for m in {HEAVY} if m in sys.modules])"
    took = median(_run(told)[0] - _run("pass")[0] for _ in range(rounds))
    return {"package": name, "seconds": took, "loads": _run(told)[1].split()}


def _run(code: str) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - began, done.stdout


def app() -> dict[str, Any]:
    """From the command to a colour photo: `served`, then `first` photo; `second` is warm.

    `imports` has seconds by package, as Python's own `-X importtime` counts them.
    """
    from gradio_client import Client, handle_file

    model = next(record.name for record in list_checkpoints() if record.default)
    with tempfile.TemporaryDirectory() as folder:
        photos = [write_photo(Path(folder), 2, seed=seed) for seed in range(2)]
        began = time.perf_counter()
        with App(Path(folder) / "studies", TMPDIR=folder, PYTHONPROFILEIMPORTTIME="1") as running:
            served = time.perf_counter() - began
            imports = import_seconds(running.log.read_text("utf-8", "replace"))
            client, took = Client(running.address, verbose=False), []
            for photo in photos:
                began = time.perf_counter()
                client.predict(handle_file(photo), [model], 1.0, None, None, api_name="/colorize")
                took.append(time.perf_counter() - began)
    return {
        "imports": imports,
        "rest": served - sum(imports.values()),
        "served": served,
        "first": took[0],
        "second": took[1],
    }


def import_seconds(log: str) -> dict[str, float]:
    """Seconds spent in modules of torch, gradio and all else, from what `-X importtime` wrote."""
    seconds = Counter(dict.fromkeys((*HEAVY, "others"), 0.0))
    for line in log.splitlines():
        head, _, rest = line.partition(":")
        itself, _, module = rest.replace("|", " ", 1).strip().partition(" ")
        if head == "import time" and itself.isdigit():
            name = module.rpartition("|")[2].strip().partition(".")[0]
            group = next((heavy for heavy in HEAVY if name.startswith(heavy)), "others")
            seconds[group] += int(itself) / 1e6
    return dict(seconds)
