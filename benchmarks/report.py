"""What was measured as Markdown."""

import os
import platform
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import PIL
import torch

from benchmarks.scaling import AIMS
from benchmarks.stages import STAGES

AIM = 6  # times plain decoding and encoding, of a JPEG, with PyTorch alone


def machine() -> dict[str, Any]:
    """In general terms; no name of a computer."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "threads": torch.get_num_threads(),
        "processor": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "pillow": PIL.__version__,
        "numpy": np.__version__,
        "busy": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def markdown(found: dict[str, Any]) -> str:
    """The sections of those parts that were measured."""
    sections = [_machine(found["machine"])]
    for part, section in _SECTIONS.items():
        if part in found:
            sections += section(found[part])
    return "\n\n".join(sections) + "\n"


def _machine(here: dict[str, Any]) -> str:
    return (
        f"Measured on {here['cores']} cores ({here['processor']}, {here['system']}; load before "
        f"the start {here['busy']}), {here['threads']} threads, Python {here['python']}, "
        f"PyTorch {here['torch']}, Pillow {here['pillow']}. Seconds unless it says otherwise."
    )


def _stages(found: dict[str, Any]) -> list[str]:
    rows = found["rows"]
    head = [
        "in → out",
        *STAGES,
        "other",
        "total",
        "plain decode + encode",
        "ratio (range)",
        "of processor time",
    ]
    body = [
        [
            f"{row['in']} JPEG → {row['out'].upper().replace('JPG', 'JPEG')}",
            *(f"{row[key]:.3f}" for key in (*STAGES, "other", "total")),
            f"{row['plain_decode']:.3f} + {row['plain_encode']:.3f}",
            f"**{row['ratio']:.2f}** ({row['lowest']:.2f}–{row['highest']:.2f})",
            f"{row['work_ratio']:.2f}",
        ]
        for row in rows
    ]
    levels = [
        [_chosen(row["level"], found["png_level"]), f"{row['seconds']:.2f}", f"{row['MB']:.1f}"]
        for row in found["png"]
    ]
    return [
        f"One photo of {rows[0]['megapixels']:g} megapixels, file to file, default model, warm. "
        "Plain: the same file decoded and written in colour with the same settings (JPEG: quality "
        f"95, 4:4:4), no more. The aim for JPEG is at most {AIM} times that.",
        _table(head, body),
        "Levels of PNG for such a photo (Pillow's own is 6):",
        _table(["level", "seconds", "MB"], levels),
    ]


def _chosen(level: int, chosen: int) -> str:
    return f"{level} (ours)" if level == chosen else str(level)


def _scaling(found: dict[str, Any]) -> list[str]:
    sizes = [
        [
            f"{row['megapixels']:g}, {row['in']}",
            f"{row['seconds']:.2f}",
            _number(row["MB"]),
            str(AIMS.get(row["megapixels"], "–")),
        ]
        for row in found["sizes"]
    ]
    head = ["megapixels", "seconds", "MB above the start, at most", "limit"]
    last = found["numbers"][-1]
    return [
        "Time and memory of one photo, JPEG to JPEG, in a process of its own (started, model "
        "loaded and warmed on a small photo before):",
        _table(head, sizes),
        f"{last['photos']} photos of {found['each']:g} megapixels one after the other: "
        f"{last['seconds'] / last['photos']:.2f} s each, {_number(last['MB'])} MB at most.",
    ]


def _networks(found: dict[str, Any]) -> list[str]:
    body = [
        [
            row["model"],
            f"{row['parameters'] / 1e6:.1f} M",
            f"{row['fp32'] * 1000:.0f}",
            f"{row['bf16'] * 1000:.0f}",
        ]
        for row in found["rows"]
    ]
    side = found["size"]
    return [
        f"Each network once, {side} x {side} pixels, milliseconds:",
        _table(["model", "parameters", "fp32", "bf16"], body),
    ]


def _starting(found: dict[str, Any]) -> list[str]:
    app, lines = found["app"], []
    for row in found["imports"]:
        loads = f"loads {' and '.join(row['loads'])}" if row["loads"] else "loads neither torch nor"
        lines.append(f"`import {row['package']}` takes {row['seconds'] * 1000:.0f} ms ({loads}")
    told = "; ".join(line + (")" if "neither" not in line else " gradio)") for line in lines)
    imports = [[f"imports: {name}", f"{s:.2f}"] for name, s in app["imports"].items()]
    rest = [
        ["page, routes, port", f"{app['rest']:.2f}"],
        ["served", f"{app['served']:.2f}"],
        ["first photo (2 megapixels), with loading the model", f"{app['first']:.2f}"],
        ["**from the command to the first colorization**", f"{app['served'] + app['first']:.2f}"],
        ["another photo", f"{app['second']:.2f}"],
    ]
    return [f"{told}. The app, started cold:", _table(["", "seconds"], imports + rest)]


_SECTIONS = {
    "stages": _stages,
    "scaling": _scaling,
    "networks": _networks,
    "starting": _starting,
}


def _number(x: float | None) -> str:
    return "–" if x is None else f"{x:.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))
