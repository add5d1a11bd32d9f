"""Seconds and memory of each model, ours and published, on one photo in a process of its own.

    python -m benchmarks.speed.models RECORD PHOTO OUT ROUNDS

Published networks run with random weights: time and memory do not depend on them. Prints one line
of JSON: `seconds`, the least of ROUNDS from file to file, and `MB`, the most memory that the
process had (null where the system does not tell).
"""

import json
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.footprint import ROOT, memory
from benchmarks.speed.photos import write_photo
from colorize.inference.colorizer import Colorizer
from colorize.models.checkpoint import build_network, save_checkpoint
from colorize.models.published import FAMILIES, VARIANTS
from colorize.models.record import Record, find_record, list_checkpoints

# How each published model comes here; a Markdown code of a command.
COMMANDS = {
    "zhang": "import zhang FILE -o zhang",
    "siggraph17": "import siggraph17 FILE -o siggraph17",
    "ddcolor-tiny": "fetch ddcolor-tiny",
    "ddcolor-large": "fetch ddcolor-large",
    "deoldify-artistic": "import deoldify FILE -o artistic",
    "deoldify-stable": "import deoldify FILE -o stable",
}


def measure(
    folder: Path, megapixels: float = 12, rounds: int = 2, only: Collection[str] = ()
) -> dict[str, Any]:
    """A row a model: those that ship, then the published ones; `only` those where it is given."""
    photo = write_photo(folder, megapixels)
    rows = []
    for name, file, record, command in _models(folder, only):
        print(f"  {name} ...", file=sys.stderr, flush=True)
        rows.append(
            {
                "model": name,
                "title": record.title,
                "summary": record.summary,
                "licence": record.facts.partition(" · ")[0],
                "size": record.size,
                "weights_MB": record.weights["bytes"] / 1e6,
                "command": command,
                **_in_fresh_process(file, photo, folder, rounds),
            }
        )
    return {"rows": rows, "megapixels": megapixels, "rounds": rounds}


def _models(folder: Path, only: Collection[str]) -> Iterator[tuple[str, Path, Record, str | None]]:
    for record in list_checkpoints():
        is_ours = record.training.get("by") != "others"
        if is_ours and (not only or record.name in only):
            yield record.name, find_record(record.name), record, None
    for name, variant in VARIANTS.items():
        if only and name not in only:
            continue
        family = FAMILIES[variant.network]
        torch.manual_seed(0)
        record = Record(
            name=name,
            title=variant.title,
            summary=variant.summary,
            network=variant.network,
            arguments=dict(variant.arguments),
            size=family.size,
            decoding=dict(family.decoding),
            lightness=family.lightness,
            stretch=family.stretch,
            licence=family.licence,
        )
        module = build_network(variant.network, record.arguments)
        record = save_checkpoint(module, record, folder / "random")
        del module
        yield name, folder / "random" / f"{name}.json", record, COMMANDS[name]
        (folder / "random" / f"{name}.safetensors").unlink()


def _in_fresh_process(record: Path, photo: Path, folder: Path, rounds: int) -> dict[str, Any]:
    arguments = [str(record), str(photo), str(folder / "out.jpg"), str(rounds)]
    command = [sys.executable, "-m", "benchmarks.speed.models", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def _run(record: Path, photo: Path, out: Path, rounds: int) -> dict[str, Any]:
    colorizer, seconds = Colorizer(record), []
    for _ in range(rounds):
        began = time.perf_counter()
        colorizer(photo).save(out)
        seconds.append(time.perf_counter() - began)
    return {"seconds": min(seconds), "MB": memory("VmHWM")}


if __name__ == "__main__":
    *files, times = sys.argv[1:]
    print(json.dumps(_run(*map(Path, files), int(times))))
