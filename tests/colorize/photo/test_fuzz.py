"""Damaged files of every accepted format, in processes whose time and memory are bounded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.colorize.photo.test_opening_damaged import SEEDS

pytest.importorskip("resource", reason="limits of a process are set as Unix does it")

ROOT = Path(__file__).parents[3]
MOST_SECONDS = 5.0  # on the processor, for one file
MOST_BYTES = 4 * 2**30  # of address space; of memory, half of it
FORMATS = {"jpeg", "png", "webp", "tiff", "bmp", "gif", "avif", "heic"}


def fuzz(count, processes):
    """What each process found."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.fuzzing"]
            + [str(x) for x in (seed, count // processes, MOST_SECONDS, MOST_BYTES)],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(processes)
    ]
    found = []
    for process in started:
        out, errors = process.communicate(timeout=3600)
        assert process.returncode == 0, f"{process.returncode}: {errors[-2000:]}"
        found.append(json.loads(out))
    return found


def test_every_accepted_format_is_among_the_seeds():
    assert {name.partition(" ")[0] for name in SEEDS} == FORMATS


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_damaged_files_neither_crash_nor_hang_nor_fill_the_memory(count):
    found = fuzz(count, 2 if count > 1000 else 1)
    print(found)
    assert sum(one["files"] for one in found) == count
    assert 0.02 * count < sum(one["opened"] for one in found) < 0.98 * count
    for one in found:
        assert one["seconds"] < MOST_SECONDS, one["slowest"]
        assert one["bytes"] < MOST_BYTES / 2
