"""The record of a checkpoint: NAME.json beside NAME.safetensors. No torch here."""

import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from colorize.errors import ColorizeError
from colorize.files import replacing

SCHEMA = 1
_OPTIONAL = ("stretch", "source", "revision", "tones")  # not in a file where as without them
WITH_HINTS = ("unet", "siggraph17")  # the networks that take colour hints, told without torch


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


_STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="allow")
_Above0 = Annotated[float, Field(gt=0)]


class _DecodingTable(BaseModel):
    """What `Record.decoding` has to hold."""

    model_config = _STRICT

    kind: Literal["direct", "annealed-mean"]
    temperature: Annotated[float, Field(ge=0)] | None = None
    chroma: _Above0 = 1.0
    gain: _Above0 = 1.0

    @model_validator(mode="after")
    def _has_a_temperature(self) -> "_DecodingTable":
        if self.kind == "annealed-mean" and self.temperature is None:
            raise ValueError("annealed-mean needs a temperature")
        return self


class _WeightsTable(BaseModel):
    """What `Record.weights` has to hold, once there is a file."""

    model_config = _STRICT

    sha256: str
    bytes: int


def _holding(table: type[BaseModel]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A check that a dictionary is such a table; it stays as it is, so that it is written so."""

    def check(value: dict[str, Any]) -> dict[str, Any]:
        try:
            table.model_validate(value)
        except ValidationError as error:
            raise ValueError(_first_fault(error)) from None
        return value

    return check


def _unlisted(value: Any) -> Any:
    """JSON has lists alone."""
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, repr=False, config=ConfigDict(strict=True, allow_inf_nan=False))
class Record:
    """What a checkpoint is, how to run it, and where it is from.

    `decoding` is `{"kind": "direct"}` for ab networks, else `{"kind": "annealed-mean",
    "temperature": T}`; with `"chroma": c` the mean's chroma is raised to that of the colours it
    is a mean of, at most c times, and with `"gain": g` ab is multiplied by g; both 1 unless said.
    `lightness` is (centre, scale): networks take (L - centre) / scale and
    give ab / `ab_scale`. `size` is the working size: the short side in pixels. `scores` are
    rows of `evaluate`. `weights` holds sha256, bytes and dtype of the file, none before there is
    one. `source` and `revision` say where published weights are from. With `stretch` the network
    sees the photo stretched to a square of `size`; `tones` (its tones are normalised) is true of
    no network yet.
    pydantic's ValidationError (a ValueError) where a value cannot be right.
    """

    name: str
    title: str
    summary: str
    network: str
    arguments: dict[str, Any]
    size: Annotated[int, Field(ge=8, le=4096)]
    decoding: Annotated[dict[str, Any], AfterValidator(_holding(_DecodingTable))]
    lightness: Annotated[tuple[float, _Above0], BeforeValidator(_unlisted)] = (50.0, 50.0)
    ab_scale: _Above0 = 110.0
    backbone: dict[str, Any] | None = None
    data: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    scores: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[str, Any] = field(default_factory=dict)
    default: bool = False
    schema: Literal[1] = SCHEMA
    stretch: bool = False
    source: str = ""
    revision: str = ""
    tones: Literal[False] = False

    def __repr__(self) -> str:
        """What tells it from others: all of it, with data and scores, is pages long."""
        return f"Record(name={self.name!r}, title={self.title!r}, network={self.network!r})"

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
    def line(self) -> str:
        """The summary, and where its colours were not measured here, that."""
        note = "" if self.scores else self.training.get("note", "")
        return f"{self.summary} ({note})" if note else self.summary

    @property
    def facts(self) -> str:
        """Licence, without its terms, and size: "Apache-2.0 · 110 MB"."""
        licence = re.split(r"[,.](?:\s|$)", self.licence)[0]
        size = f"{self.weights.get('bytes', 0) / 1e6:.0f} MB"
        return f"{licence} · {size}" if licence else size

    @property
    def how(self) -> Decoding:
        """The decoding it ships with."""
        gain, chroma = (self.decoding.get(key, 1.0) for key in ("gain", "chroma"))
        return Decoding(self.temperature, gain, chroma)


def checkpoints_folders() -> list[Path]:
    """Where checkpoints are looked for; of two with one name, the first one's is meant.

    `COLORIZE_CHECKPOINTS`, one or several as PATH has them, else `checkpoints` and `published`
    beside the package.
    """
    named = os.environ.get("COLORIZE_CHECKPOINTS", "").split(os.pathsep)
    root = Path(__file__).resolve().parents[2]
    folders = [Path(folder) for folder in named if folder]
    return folders or [root / "checkpoints", root / "published"]


def checkpoints_folder() -> Path:
    """Where checkpoints of our own are written: the first of `checkpoints_folders`."""
    return checkpoints_folders()[0]


def published_folder() -> Path:
    """Where published weights are written: the last of `checkpoints_folders`."""
    return checkpoints_folders()[-1]


def list_checkpoints(folder: Path | None = None) -> list[Record]:
    """The records of a folder (those of `checkpoints_folders` if None), the default first."""
    folders = [folder] if folder else checkpoints_folders()
    files: dict[str, Path] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("*.json"))):
        files.setdefault(file.name, file)
    records = [read_record(file) for file in files.values()]
    return sorted(records, key=lambda record: not record.default)


def find_record(name: str | Path) -> Path:
    """The record file of a checkpoint: "default", a name in the folders, or a path."""
    if name == "default":
        chosen = [record.name for record in list_checkpoints() if record.default]
        if len(chosen) != 1:
            raise CheckpointError(
                f'{_told(checkpoints_folders())}: expected one record with "default": true, '
                f"found {len(chosen)}; name a model instead"
            )
        name = chosen[0]
    path = Path(name)
    has_ending = path.suffix in (".json", ".safetensors")
    record = path.with_suffix(".json") if has_ending else path.parent / f"{path.name}.json"
    is_name = not has_ending and len(path.parts) == 1
    folders = checkpoints_folders() if is_name else [record.parent]
    for folder in folders:
        if (folder / record.name).is_file():
            return folder / record.name
    known = sorted({file.stem for folder in folders for file in folder.glob("*.json")})
    raise CheckpointError(
        f"No checkpoint {str(name)!r}; in {_told(folders)} there are: {', '.join(known) or 'none'}"
    )


def _told(folders: Iterable[Path]) -> str:
    return " and ".join(map(str, folders))


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
    try:
        record = Record(**content)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        raise _refused(file, key, content, _first_fault(error, within=key)) from error
    if record.name != file.stem:
        raise _refused(file, "name", content, f"expected {file.stem!r}, as the file is called")
    try:
        _WeightsTable.model_validate(record.weights)
    except ValidationError as error:
        raise _refused(file, "weights", content, _first_fault(error)) from error
    return record


def _refused(file: Path, key: str, content: dict[str, Any], why: str) -> CheckpointError:
    return CheckpointError(f"{file}: the record's {key} cannot be {content[key]!r}; {why}")


def _check_keys(file: Path, content: dict[str, Any]) -> None:
    known = {entry.name for entry in fields(Record)}
    lacking, unknown = known - content.keys() - set(_OPTIONAL), content.keys() - known
    for what, keys in (("lacks", lacking), ("has unknown", unknown)):
        if keys:
            raise CheckpointError(f"{file}: the record {what} {_words(keys)}")


def _first_fault(error: ValidationError, within: str = "") -> str:
    """What was expected, as "expected a number" or, deeper than `within`, "gain: expected ..."."""
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"])).removeprefix(within).removeprefix(".")
    words = fault["msg"].removeprefix("Value error, ")
    words = words.replace("Input should be", "expected").replace("Field required", "is missing")
    return f"{where}: {words}" if where else words


def check_name(name: str) -> None:
    """CheckpointError for a name that no file can bear everywhere, or that means another."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) or name == "default":
        raise CheckpointError(
            f"A checkpoint cannot be called {name!r}: take letters, digits, '-', '_' and '.'"
        )


def table_of(record: Record) -> dict[str, Any]:
    """What NAME.json holds: every field, but the optional ones only where they say something."""
    table = asdict(record)
    return {key: value for key, value in table.items() if value or key not in _OPTIONAL}


def write_record(record: Record, file: Path) -> None:
    """Writes NAME.json, whole or not at all. ValueError for NaN, which JSON has not."""
    text = json.dumps(table_of(record), indent=1, ensure_ascii=False, allow_nan=False)
    with replacing(file) as out:
        out.write(f"{text}\n".encode())


def _words(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))
