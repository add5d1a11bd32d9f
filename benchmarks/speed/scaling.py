"""Time and memory against the size of a photo and against the number of photos; the plot of it."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.footprint import in_fresh_process
from benchmarks.speed.photos import KINDS, write_photo

MEGAPIXELS = (1, 4, 12, 50)
PHOTOS = 24  # of 2 megapixels
AIMS = {12: 500, 50: 900}  # MB above the start


def measure(
    folder: Path,
    megapixels: Sequence[float] = MEGAPIXELS,
    photos: int = PHOTOS,
    rounds: int = 3,
    each: float = 2,
) -> dict[str, Any]:
    """Rows by size, JPEG to JPEG, and by number of photos of `each` megapixels, one at a time.

    Every figure is from a fresh process; seconds are medians of `rounds`, MB the most of them.
    """
    sizes = []
    for size in megapixels:
        for kind in KINDS:
            source = write_photo(folder, size, kind)
            runs = [in_fresh_process([source], folder)[0] for _ in range(rounds)]
            sizes.append({"megapixels": size, "in": kind, **_summary(runs)})
    files = [write_photo(folder, each, seed=seed) for seed in range(photos)]
    series = in_fresh_process(files, folder)
    numbers = [{"photos": count, **row} for count, row in enumerate(series, 1)]
    return {"sizes": sizes, "numbers": numbers, "each": each}


def _summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    used = [run["MB"] for run in runs if run["MB"] is not None]
    return {"seconds": median(run["seconds"] for run in runs), "MB": max(used, default=None)}


def plot(found: dict[str, Any], file: Path) -> None:
    """Four panels on white, so that it reads on pages of any colour."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(2, 2, figsize=(8.3, 5.4), facecolor="white")
    axes = [*grid[:, 0], *grid[:, 1]]  # seconds above memory
    for kind in KINDS:
        rows = [row for row in found["sizes"] if row["in"] == kind]
        sizes = [row["megapixels"] for row in rows]
        for axis, key in zip(axes[:2], ("seconds", "MB"), strict=True):
            values = [float("nan") if row[key] is None else row[key] for row in rows]
            axis.plot(sizes, values, "o-", label=f"{kind} JPEG")
    for size, most in AIMS.items():
        axes[1].plot(size, most, "_", color="black", markersize=14)
    axes[1].plot([], [], "_", color="black", label="limit")
    numbers = found["numbers"]
    for axis, key in zip(axes[2:], ("seconds", "MB"), strict=True):
        values = [float("nan") if row[key] is None else row[key] for row in numbers]
        axis.plot([row["photos"] for row in numbers], values, "-")
        axis.set_xlabel(f"photos of {found['each']:g} megapixels")
    for axis, unit in zip(axes, ("seconds", "MB above the start") * 2, strict=True):
        axis.set_ylabel(unit)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    for axis in axes[:2]:
        axis.set_xlabel("megapixels")
        axis.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(file, format="png", dpi=100, pil_kwargs={"optimize": True})
    plt.close(figure)
