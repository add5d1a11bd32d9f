"""The record of a checkpoint: NAME.json beside NAME.safetensors. No torch here."""

import json
import math
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from colorize.errors import ColorizeError
from colorize.files import replacing

SCHEMA = 1
_KINDS = ("direct", "annealed-mean")
WITH_HINTS = ("unet",)  # the networks that take colour hints, told without torch


class CheckpointError(ColorizeError):
    """A checkpoint that cannot be used: the file, what was expected and what was found."""


class Decoding(NamedTuple):
    """How a raw output becomes ab, as `Record.decoding` says; no temperature without bins."""

    temperature: float | None
    gain: float = 1.0
    chroma: float = 1.0

    def __str__(self) -> str:
        """As "T = 0.6, chroma 1.5, gain 1.1"; empty for a network that gives ab, as it is."""
        parts = [] if self.temperature is None else [f"T = {self.temperature:g}"]
        parts += [] if self.chroma == 1 else [f"chroma {self.chroma:g}"]
        parts += [] if self.gain == 1 else [f"gain {self.gain:g}"]
        return ", ".join(parts)


@dataclass(frozen=True)
class Record:
    """What a checkpoint is, how to run it, and where it is from.

    `decoding` is `{"kind": "direct"}` for ab networks, else `{"kind": "annealed-mean",
    "temperature": T}`; with `"chroma": c` the mean's chroma is raised to that of the colours it
    is a mean of, at most c times, and with `"gain": g` ab is multiplied by g; both 1 unless said.
    `lightness` is (centre, scale): networks take (L - centre) / scale and
    give ab / `ab_scale`. `size` is the working size: the short side in pixels. `scores` are
    rows of `evaluate`. `weights` holds sha256, bytes and dtype of the file.
    """

    name: str
    title: str
    summary: str
    network: str
    arguments: dict[str, Any]
    size: int
    decoding: dict[str, Any]
    lightness: tuple[float, float] = (50.0, 50.0)
    ab_scale: float = 110.0
    backbone: dict[str, Any] | None = None
    data: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    scores: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[str, Any] = field(default_factory=dict)
    default: bool = False
    schema: int = SCHEMA

    @property
    def over_bins(self) -> bool:
        return self.decoding["kind"] == "annealed-mean"

    @property
    def takes_hints(self) -> bool:
        return self.network in WITH_HINTS

    @property
    def temperature(self) -> float | None:
        """The decoding temperature it ships with, None where it is not over bins."""
        return self.decoding["temperature"] if self.over_bins else None

    @property
    def how(self) -> Decoding:
        """The decoding it ships with."""
        gain, chroma = (self.decoding.get(key, 1.0) for key in ("gain", "chroma"))
        return Decoding(self.temperature, gain, chroma)


def checkpoints_folder() -> Path:
    """`COLORIZE_CHECKPOINTS`, else the folder `checkpoints` beside the package."""
    named = os.environ.get("COLORIZE_CHECKPOINTS")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "checkpoints"


def list_checkpoints(folder: Path | None = None) -> list[Record]:
    """The records of a folder (the one of `checkpoints_folder` if None), the default first."""
    folder = folder or checkpoints_folder()
    records = [read_record(file) for file in sorted(folder.glob("*.json"))]
    return sorted(records, key=lambda record: not record.default)


def find_record(name: str | Path) -> Path:
    """The record file of a checkpoint: "default", a name in the folder, or a path."""
    folder = checkpoints_folder()
    if name == "default":
        chosen = [record.name for record in list_checkpoints(folder) if record.default]
        if len(chosen) != 1:
            raise CheckpointError(
                f'{folder}: expected one record with "default": true, found {len(chosen)}; '
                "name a model instead"
            )
        return folder / f"{chosen[0]}.json"
    path = Path(name)
    has_ending = path.suffix in (".json", ".safetensors")
    record = path.with_suffix(".json") if has_ending else path.parent / f"{path.name}.json"
    if not has_ending and len(path.parts) == 1:
        record = folder / record
    if not record.is_file():
        known = ", ".join(sorted(file.stem for file in record.parent.glob("*.json"))) or "none"
        raise CheckpointError(f"No checkpoint {str(name)!r}; in {record.parent} there are: {known}")
    return record


def read_record(file: Path) -> Record:
    """Reads and checks NAME.json; CheckpointError names the file and what is wrong."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file}: expected a record in JSON, found {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file}: expected a JSON object, found {type(content).__name__}")
    if content.get("schema") != SCHEMA:
        raise CheckpointError(
            f"{file}: expected schema {SCHEMA}, found {content.get('schema')}; "
            "it was written by another version of this program"
        )
    _check_keys(file, content)
    wrong = [key for key, is_right in _checks(file, content).items() if not is_right]
    if wrong:
        key = wrong[0]
        raise CheckpointError(f"{file}: the record's {key} cannot be {content[key]!r}")
    return Record(**{**content, "lightness": tuple(content["lightness"])})


def _check_keys(file: Path, content: dict[str, Any]) -> None:
    known = {entry.name for entry in fields(Record)}
    for what, keys in (("lacks", known - content.keys()), ("has unknown", content.keys() - known)):
        if keys:
            raise CheckpointError(f"{file}: the record {what} {_words(keys)}")


def _checks(file: Path, content: dict[str, Any]) -> dict[str, bool]:
    """For each key whether its value is of the kind that the program counts on."""
    texts = ("title", "summary", "network", "licence")
    tables = ("arguments", "data", "training")
    lightness, scores, weights = content["lightness"], content["scores"], content["weights"]
    return {
        "name": content["name"] == file.stem,
        **{key: isinstance(content[key], str) for key in texts},
        **{key: isinstance(content[key], dict) for key in tables},
        "backbone": content["backbone"] is None or isinstance(content["backbone"], dict),
        "size": _is_whole(content["size"]) and 8 <= content["size"] <= 4096,
        "decoding": _is_decoding(content["decoding"]),
        "lightness": isinstance(lightness, list)
        and len(lightness) == 2
        and _is_number(lightness[0])
        and _is_number(lightness[1], above=0),
        "ab_scale": _is_number(content["ab_scale"], above=0),
        "scores": isinstance(scores, list) and all(isinstance(row, dict) for row in scores),
        "weights": isinstance(weights, dict)
        and isinstance(weights.get("sha256"), str)
        and _is_whole(weights.get("bytes")),
        "default": isinstance(content["default"], bool),
    }


def _is_decoding(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("kind") not in _KINDS:
        return False
    temperature = value.get("temperature")
    if not all(_is_number(value.get(key, 1), above=0) for key in ("gain", "chroma")):
        return False
    return value["kind"] == "direct" or (_is_number(temperature) and temperature >= 0)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any, above: float = -math.inf) -> bool:
    whole_or_float = _is_whole(value) or isinstance(value, float)
    return whole_or_float and math.isfinite(value) and value > above


def check_name(name: str) -> None:
    """CheckpointError for a name that no file can bear everywhere, or that means another."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) or name == "default":
        raise CheckpointError(
            f"A checkpoint cannot be called {name!r}: take letters, digits, '-', '_' and '.'"
        )


def write_record(record: Record, file: Path) -> None:
    """Writes NAME.json, whole or not at all. ValueError for NaN, which JSON has not."""
    text = json.dumps(asdict(record), indent=1, ensure_ascii=False, allow_nan=False)
    with replacing(file) as out:
        out.write(f"{text}\n".encode())


def _words(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))
