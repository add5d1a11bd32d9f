"""What was measured as Markdown."""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import PIL
import torch

from benchmarks.speed.scaling import AIMS
from benchmarks.speed.stages import STAGES
from colorize.film.settings import DEFAULT_SPEED
from colorize.web.cache import VARIABLE

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
        f"Measured on {_some(here['cores'], 'core')} ({here['processor']}, {here['system']}; load "
        f"before the start {here['busy']}) with {_some(here['threads'], 'thread')} of PyTorch "
        f"{here['torch']}, Pillow {here['pillow']}, Python {here['python']}. Figures are seconds "
        "unless it says otherwise."
    )


def _stages(found: dict[str, Any]) -> list[str]:
    rows = found["rows"]
    parts = [
        [_way(row), *(f"{row[key]:.3f}" for key in (*STAGES, "other", "total"))] for row in rows
    ]
    ratios = [
        [
            _way(row),
            f"{row['total']:.2f}",
            f"{row['plain_decode'] + row['plain_encode']:.2f}",
            f"{row['ratio']:.1f}",
            f"{row['lowest']:.1f}–{row['highest']:.1f}",
            f"{row['work_ratio']:.1f}",
        ]
        for row in rows
    ]
    levels = [
        [_chosen(row["level"], found["png_level"]), f"{row['seconds']:.2f}", f"{row['MB']:.1f}"]
        for row in found["png"]
    ]
    return [
        f"**One photo of {rows[0]['megapixels']:g} megapixels**, from file to file, default model, "
        "warm, against the plain way: the same file decoded and written in colour with the same "
        "settings (JPEG: quality 95, 4:4:4), no more. The ratio is the median of the rounds of "
        f"this run; the aim for JPEG is at most {AIM}.",
        _table(["", "in colour", "plain", "ratio", "range", "ratio of processor time"], ratios),
        "The stages of it:",
        _table(["", *STAGES, "other", "total"], parts),
        "PNG by level (Pillow's own is 6):",
        _table(["level", "seconds", "MB"], levels),
    ]


def _way(row: dict[str, Any]) -> str:
    return f"{row['in']} JPEG → {row['out'].upper().replace('JPG', 'JPEG')}"


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
        "**By size**: one photo, JPEG to JPEG, in a process of its own in which the model is "
        "loaded and warm:",
        _table(head, sizes),
        f"{last['photos']} photos of {found['each']:g} megapixels, one after the other: "
        f"{last['seconds'] / last['photos']:.2f} s each, {_number(last['MB'])} MB at most.",
    ]


def _folder(found: dict[str, Any]) -> list[str]:
    ways = {
        "one at a time, on all cores": found["one_at_a_time"],
        "`photo`: as many at a time as there are cores": found["pipeline"],
    }
    body = [
        [
            name,
            f"{way['seconds']:.1f}",
            f"{way['photos_per_second']:.1f}",
            f"{way['processor_seconds_per_photo']:.2f}",
        ]
        for name, way in ways.items()
    ]
    alike = "All files are the same to the byte."
    if found["different"]:
        alike = (
            f"{found['different']} of the files are not the same to the byte; "
            f"{found['different_pixels'] * 1e6:.0f} of a million of their pixels are not."
        )
    return [
        f"**A folder** of {found['photos']} photos of {found['megapixels']:g} megapixels, JPEG to "
        f"JPEG, on {_some(found['cores'], 'core')}; both ways took turns:",
        _table(["", "seconds", "photos a second", "processor seconds a photo"], body),
        f"That is {found['ratio']:.2f} times as fast. {alike}",
    ]


def _networks(found: dict[str, Any]) -> list[str]:
    body = [
        [
            row["model"],
            f"{row['parameters'] / 1e6:.1f} M",
            f"{row['fp32'] * 1000:.0f}",
            _number(row["bf16"] and row["bf16"] * 1000),
        ]
        for row in found["rows"]
    ]
    side = found["size"]
    return [
        f"**The networks**, one photo at {side} x {side} pixels, in milliseconds:",
        _table(["model", "parameters", "fp32", "bf16"], body),
    ]


def models_table(found: dict[str, Any]) -> str:
    """All models, ours and published: what each is good at, costs and takes to have it."""
    head = ["model", "good at", "licence", "MB", "seconds", "memory, MB", "how to get it"]
    rows = [
        [
            f"`{row['model']}`",
            re.split(r"(?<!et al)\. ", row["summary"])[0].rstrip("."),  # its first sentence
            row["licence"],
            f"{row['weights_MB']:.0f}",
            f"{row['seconds']:.1f}",
            _number(row["MB"]),
            "here" if row["command"] is None else f"`python -m colorize {row['command']}`",
        ]
        for row in found["rows"]
    ]
    marks = ["---", "---", "---", "---:", "---:", "---:", "---"]
    lines = (head, marks, *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _models(found: dict[str, Any]) -> list[str]:
    return [
        f"**All models**, one photo of {found['megapixels']:g} megapixels, from file to file, on "
        "the CPU, in a process of its own (the faster of its runs; memory: the most that the "
        "process had). Published ones were measured with random weights.",
        models_table(found).rstrip(),
    ]


def _strokes(found: dict[str, Any]) -> list[str]:
    body = [
        [name, f"{seconds * 1000:.0f}", f"{found['ratios'][name]:.2f}"]
        for name, seconds in found["seconds"].items()
    ]
    return [
        f"**A stroke** with {found['model']} on one thread, in milliseconds of the "
        "processor, and as a share of one run of the network:",
        _table(["", "ms", "of the network's"], body),
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
    return [f"**Starting**: {told}. The app, cold:", _table(["", "seconds"], imports + rest)]


def _visitors(found: dict[str, Any]) -> list[str]:
    rows = [
        ["started", _number(found["started"])],
        ["after the first visitor, with the model", _number(found["first"])],
        [f"after {found['visitors']}", _number(found["all"])],
        ["at most", _number(found["peak"])],
    ]
    return [
        f"**Visitors**: memory of the app's process after {found['visitors']} of them, each with "
        f"one photo of {found['megapixels']:g} megapixels, all of whom stay, where `{VARIABLE}` is "
        f"{found['bound']:.0f}:",
        _table(["", "MB"], rows),
    ]


_LOOKS = {
    "preview": "another intensity, seen at 800 pixels",
    "stroke": "a stroke, seen at 800 pixels",
    "variants": "the row of variants",
    "tile": "a tile of the lightbox",
}


def _tab(found: dict[str, Any]) -> list[str]:
    batches = [
        [
            _some(row["photos"], "photo"),
            f"{row['first']:.2f}",
            f"{row['all']:.1f}",
            f"{row['all'] / row['photos']:.2f}",
        ]
        for row in found["batches"]
    ]
    looks = [
        [words, f"{found['looks'][name] * 1000:.0f}",
         f"{found['looks'][name] / found['looks']['preview']:.1f}"]
        for name, words in _LOOKS.items()
    ]  # fmt: skip
    kept = found["memory"]
    return [
        f"**The tab** with photos of {found['megapixels']:g} megapixels, over HTTP and without "
        "what a browser draws:",
        _table(["", "first in colour", "all", "a photo"], batches),
        f"With one of {found['large']:g} megapixels, in milliseconds, and as a multiple of the "
        "first:",
        _table(["", "ms", "ratio"], looks),
        f"After {found['photos']} photos of one visitor the app's process has "
        f"{_number(kept['all'])} MB ({_number(kept['started'])} when it started, "
        f"{_number(kept['peak'])} at most), where `{VARIABLE}` is {found['bound']:.0f}.",
    ]


def _film(found: dict[str, Any]) -> list[str]:
    rows = found["rows"]
    clips = [
        [
            row["clip"],
            f"{row['flicker_alone']:.2f}",
            f"{row['flicker']:.2f}",
            f"{row['flicker'] / max(row['flicker_alone'], 1e-9):.2f}",
            f"{row['flicker_truth']:.2f}",
            f"{row['error_alone']:.2f}",
            f"{row['error']:.2f}",
        ]
        for row in rows
        if row["speed"] == DEFAULT_SPEED
    ]
    speeds = []
    for speed in dict.fromkeys(row["speed"] for row in rows):
        some = [row for row in rows if row["speed"] == speed]
        mean = {key: sum(row[key] for row in some) / len(some) for key in _OF_FILMS}
        share = sum(row["by_network"] for row in some) / sum(row["frames"] for row in some)
        speeds.append(
            [str(speed), f"{100 * share:.0f}%", *(f"{mean[key]:.2f}" for key in _OF_FILMS)]
        )
    films = [
        [
            f"{row['length']:g}",
            f"{row['seconds']:.0f}",
            f"{row['ratio']:.1f}",
            f"{row['work_ratio']:.1f}",
            _number(row["MB"]),
        ]
        for row in found["film"]
    ]
    return [
        f"**Steady colours**, `--speed {DEFAULT_SPEED}`, {rows[0]['frames']} frames a clip, "
        "against colouring each frame by itself. Flicker: mean change of ab along trusted motion "
        "from a frame to the next; error: mean distance of ab from the truth.",
        _table(
            [
                "",
                "flicker, each alone",
                "flicker",
                "ratio",
                "flicker of the truth",
                "error, each alone",
                "error",
            ],
            clips,
        ),
        _behind_cuts(rows),
        "What `--speed` costs, means over the clips:",
        _table(
            [
                "--speed",
                "frames that the network sees",
                "flicker, each alone",
                "flicker",
                "error, each alone",
                "error",
            ],
            speeds,
        ),
        "A film of 640 x 480, 24 frames a second, with cuts, in a process of its own:",
        _table(
            ["seconds of film", "seconds", "ratio", "ratio of processor time", "MB at most"], films
        ),
    ]


def _behind_cuts(rows: list[dict[str, Any]]) -> str:
    some = [row for row in rows if row["speed"] == DEFAULT_SPEED and row["behind_cuts"] is not None]
    if not some:
        return "None of the clips has a cut."
    told = "; ".join(
        f"{row['clip']}: {row['behind_cuts']:.2f} ({row['behind_cuts_alone']:.2f})" for row in some
    )
    return f"Error of the first two frames behind a cut, and each alone: {told}."


_OF_FILMS = ("flicker_alone", "flicker", "error_alone", "error")
_SECTIONS = {
    "stages": _stages,
    "scaling": _scaling,
    "folder": _folder,
    "networks": _networks,
    "strokes": _strokes,
    "models": _models,
    "starting": _starting,
    "visitors": _visitors,
    "tab": _tab,
    "film": _film,
}


def _some(count: int | None, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _number(x: float | None) -> str:
    return "–" if x is None else f"{x:.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))
