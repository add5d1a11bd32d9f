"""What the commands that score several models share: loading them, writing what was measured."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from colorize.cli.base import check_can_write, wrong_use
from colorize.errors import ColorizeError
from colorize.evaluation.report import Report
from colorize.files import replacing
from colorize.models.record import Record, find_record, list_checkpoints

if TYPE_CHECKING:
    import torch
    from torch import nn

T = TypeVar("T")


def find_models(names: Sequence[str] | None) -> list[Path]:
    """The record files of the models named, or of all; each once."""
    names = names or [record.name for record in list_checkpoints()]
    return list(dict.fromkeys(find_record(name) for name in names))


def load_models(
    files: Sequence[Path], device: str
) -> tuple[list[tuple["nn.Module", Record]], "torch.device"]:
    """The networks with their records, and the device that they are on."""
    from colorize.inference.colorizer import choose_device
    from colorize.models.checkpoint import load_checkpoint

    with wrong_use():
        chosen = choose_device(device)
    return distinct([load_checkpoint(file, chosen) for file in files], files), chosen


def distinct(models: list[tuple[T, Record]], files: Sequence[Path]) -> list[tuple[T, Record]]:
    """The models, those of the same name named by their paths (`best` of several runs)."""
    count = Counter(record.name for _, record in models)
    named = []
    for (model, record), file in zip(models, files, strict=True):
        if count[record.name] > 1:
            record = replace(record, name=str(file.with_suffix("")))
        named.append((model, record))
    return named


def check_json(file: Path | None) -> None:
    if file is not None:
        check_can_write(file)


def write_json(file: Path | None, report: Report) -> None:
    """Nothing where no file was asked for."""
    if file is not None:
        result = report.as_json()
        write_text(file, json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(file: Path, text: str) -> None:
    with replacing(file) as out:
        out.write(text.encode())


def read_document(document: Path | None, update: Any) -> str:
    """A Markdown file's text; ColorizeError where `update(text, [])` finds no place for tables."""
    if document is None:
        return ""
    try:
        text = document.read_text(encoding="utf-8")
        update(text, [])
    except (OSError, ValueError) as error:
        raise ColorizeError(f"{document}: {error}") from error
    return text
