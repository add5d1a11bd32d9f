"""A training run's best weights as a checkpoint with a name of its own."""

import hashlib
from dataclasses import replace
from pathlib import Path

from colorize.files import replacing
from colorize.models.checkpoint import load_checkpoint
from colorize.models.record import (
    CheckpointError,
    Record,
    check_name,
    list_checkpoints,
    read_record,
    write_record,
)


def export_run(
    run: Path,
    name: str,
    folder: Path,
    *,
    title: str | None = None,
    summary: str | None = None,
    licence: str | None = None,
    default: bool = False,
    overwrite: bool = False,
) -> Record:
    """Writes RUN/best.* as NAME.* into `folder` and returns the record; the weights stay the same.

    None keeps what the run's record says. With `default`, no other record of the folder is the
    default any longer; a default that is replaced stays one. CheckpointError where the run has no
    sound weights, or NAME is there and `overwrite` is not given.
    """
    check_name(name)
    best = run / "best.json"
    if not best.is_file():
        raise CheckpointError(f"{run}: expected a run with best.json in it, found none")
    _, record = load_checkpoint(best)
    content = (run / "best.safetensors").read_bytes()
    if hashlib.sha256(content).hexdigest() != record.weights["sha256"]:
        raise CheckpointError(f"{run}: best.safetensors changed while it was read; try again")
    default = is_default(folder, name, overwrite=overwrite) or default
    texts = told({"title": title, "summary": summary, "licence": licence})
    record = replace(record, name=name, default=default, **texts)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / f"{name}.safetensors") as out:
        out.write(content)
    if default:
        clear_default(folder, name)
    write_record(record, folder / f"{name}.json")
    return record


def told(texts: dict[str, str | None]) -> dict[str, str]:
    """Those of a record's texts that were given; the others stay."""
    return {key: text for key, text in texts.items() if text is not None}


def is_default(folder: Path, name: str, *, overwrite: bool) -> bool:
    """Whether NAME is there and the default; CheckpointError where it is there and must stay."""
    file = folder / f"{name}.json"
    if file.exists() and not overwrite:
        raise CheckpointError(f"{file}: is there already; --overwrite replaces it")
    return file.exists() and read_record(file).default


def clear_default(folder: Path, name: str) -> None:
    """No record of the folder but NAME is the default any longer."""
    for other in list_checkpoints(folder):
        if other.default and other.name != name:
            write_record(replace(other, default=False), folder / f"{other.name}.json")
