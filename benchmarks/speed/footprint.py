"""Seconds and memory of photos in a fresh process.

    python -m benchmarks.speed.footprint OUT PHOTO...

The model is loaded and warmed on a small photo; then each photo is colorized into the folder OUT.
Prints one line of JSON: for each photo `seconds` since the first began and `MB`, the most memory so
far above that at the start (null where the system does not tell: Linux does).
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_FORGET = Path("/proc/self/clear_refs")  # 5 begins the peak anew (proc(5))


def in_fresh_process(photos: Sequence[Path], folder: Path) -> list[dict[str, Any]]:
    """For each photo: `seconds` since the first began, `MB` at most so far. RuntimeError."""
    command = [sys.executable, "-m", "benchmarks.speed.footprint", str(folder), *map(str, photos)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def memory(field: str, process: int | str = "self") -> float | None:
    """MB of a field of a process's status (proc(5)): VmRSS now, VmHWM at most so far."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return None
    for line in status.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1000  # kB
    return None


def _measure(folder: Path, photos: Sequence[Path]) -> list[dict[str, Any]]:
    from benchmarks.speed.photos import write_photo
    from colorize.inference.colorizer import Colorizer

    colorizer = Colorizer("default")
    colorizer(write_photo(folder, 0.1)).save(folder / "warm.jpg")
    if _FORGET.exists():
        _FORGET.write_text("5")
    start, found = memory("VmRSS"), []
    began = time.perf_counter()
    for photo in photos:
        colorizer(photo).save(folder / f"out-{photo.name}")
        peak = memory("VmHWM")
        used = None if start is None or peak is None else max(0.0, peak - start)
        found.append({"seconds": time.perf_counter() - began, "MB": used})
    return found


if __name__ == "__main__":
    out, *files = map(Path, sys.argv[1:])
    print(json.dumps(_measure(out, files)))
