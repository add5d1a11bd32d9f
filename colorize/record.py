"""The record of a checkpoint: NAME.json beside NAME.safetensors. No torch here."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError

SCHEMA = 1


class CheckpointError(ColorizeError):
    """A checkpoint that cannot be used: the file, what was expected and what was found."""


@dataclass(frozen=True)
class Record:
    """What a checkpoint is, how to run it, and where it is from.

    `decoding` is `{"kind": "direct"}` for ab networks, else `{"kind": "annealed-mean",
    "temperature": T}`. `lightness` is (centre, scale): networks take (L - centre) / scale and
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
    def temperature(self) -> float | None:
        """The decoding temperature it ships with, None where it is not over bins."""
        return self.decoding["temperature"] if self.over_bins else None


def checkpoints_folder() -> Path:
    """`COLORIZE_CHECKPOINTS`, else the folder `checkpoints` beside the package."""
    named = os.environ.get("COLORIZE_CHECKPOINTS")
    return Path(named) if named else Path(__file__).resolve().parent.parent / "checkpoints"


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
    is_path = path.suffix in (".json", ".safetensors") or len(path.parts) > 1
    record = path.with_suffix(".json") if path.suffix else path.with_name(f"{path.name}.json")
    if not is_path:
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
    _check_values(file, content)
    return Record(**{**content, "lightness": tuple(content["lightness"])})


def _check_keys(file: Path, content: dict[str, Any]) -> None:
    known = {entry.name for entry in fields(Record)}
    for what, keys in (("lacks", known - content.keys()), ("has unknown", content.keys() - known)):
        if keys:
            raise CheckpointError(f"{file}: the record {what} {_words(keys)}")


def _check_values(file: Path, content: dict[str, Any]) -> None:
    kind = content["decoding"].get("kind") if isinstance(content["decoding"], dict) else None
    size, lightness = content["size"], content["lightness"]
    wrong = {
        f"name {content['name']!r}, the file is called {file.stem!r}": content["name"] != file.stem,
        f"decoding {content['decoding']}": kind not in ("direct", "annealed-mean"),
        "no decoding temperature": kind == "annealed-mean"
        and not isinstance(content["decoding"].get("temperature"), int | float),
        f"size {size}": not isinstance(size, int) or not 8 <= size <= 4096,
        f"lightness {lightness}": not isinstance(lightness, list) or len(lightness) != 2,
        f"weights {content['weights']}": not isinstance(content["weights"], dict)
        or not {"sha256", "bytes"} <= content["weights"].keys(),
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            raise CheckpointError(f"{file}: the record holds {what}, which cannot be right")


def write_record(record: Record, file: Path) -> None:
    """Writes NAME.json, whole or not at all."""
    temporary = file.with_name(f".{file.name}.tmp")
    text = json.dumps(asdict(record), indent=1, ensure_ascii=False)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(file)


def _words(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))
