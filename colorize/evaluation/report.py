"""What a measure gives: its settings, and a row of figures for each thing measured. No torch here.

A figure is None where it cannot be had; JSON has neither NaN nor infinity.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Generic, NamedTuple, TypeVar

from colorize.models.record import Decoding


class Figure(NamedTuple):
    """How a figure is shown: its heading, and digits after the point in documents and on screen."""

    heading: str
    digits: int
    on_screen: int


def _figure(heading: str, digits: int, on_screen: int | None = None) -> Any:
    return field(metadata={"figure": Figure(heading, digits, on_screen or digits)})


@dataclass(frozen=True)
class Row:
    """Of a model, as it ships or not, on the photos of a dataset; `all` is all of them.

    `decoding` is in words, None for a network that gives ab, as it is.
    """

    model: str
    dataset: str
    decoding: str | None
    shipped: bool
    photos: int


@dataclass(frozen=True)
class ScoreRow(Row):
    """Of `evaluate`: the contract's figures, means over photos."""

    mse: float | None = _figure("MSE", 5)
    psnr: float | None = _figure("PSNR", 2)
    mssim: float | None = _figure("MSSIM", 4, 3)
    lpips: float | None = _figure("LPIPS", 3)
    colorfulness: float | None = _figure("colorfulness", 1)
    colorfulness_truth: float | None = _figure("of the truth", 1)
    ciede2000: float | None = _figure("CIEDE2000", 2)


FIGURES: dict[str, Figure] = {
    entry.name: entry.metadata["figure"] for entry in fields(ScoreRow) if entry.metadata
}


@dataclass(frozen=True)
class JudgeRow(Row):
    """Of `judge`: share of pictures told for what they are, its interval, and of those fooled."""

    accuracy: float
    low: float | None
    high: float | None
    fooled: float


@dataclass(frozen=True)
class DecodingRow:
    """Of `decodings`: what a decoding costs in error, and gives in colour."""

    model: str
    dataset: str
    temperature: float | None
    gain: float
    chroma: float
    decoding: str | None
    shipped: bool
    photos: int
    mse: float | None
    ciede2000: float | None
    colorfulness: float | None
    colorfulness_truth: float | None

    @property
    def how(self) -> Decoding:
        return Decoding(self.temperature, self.gain, self.chroma)


@dataclass(frozen=True)
class RobustnessRow(Row):
    """Of `robustness`: MSE, that of aged photos and their ratio; CIEDE2000 between sizes."""

    mse: float | None
    mse_aged: float | None
    ratio: float | None
    between_sizes: float | None


@dataclass(frozen=True)
class BleedingRow:
    """Of `bleeding`: mean CIEDE2000 near strong edges and elsewhere, by a way to enlarge ab."""

    model: str
    upsampling: str
    near: float
    elsewhere: float


@dataclass(frozen=True)
class HintsRow:
    """Of `score-hints`: PSNR in dB, share of hints followed, and their median CIEDE2000.

    Of one hint in the middle of a thing, and None for other numbers of hints: how far the thing
    follows, from 0 to 1, and the CIELAB units of ab by which all else moves.
    """

    model: str
    dataset: str
    hints: int
    photos: int
    psnr: float | None
    followed: float | None
    ciede2000: float | None
    thing_follows: float | None = None
    outside_moves: float | None = None


R = TypeVar("R")


@dataclass(frozen=True)
class Report(Generic[R]):
    """A measure's settings, of plain values (what was left out is in `notes`), and its rows."""

    settings: dict[str, Any]
    rows: list[R]

    def of(self, model: str) -> list[R]:
        """The rows of one model."""
        return [row for row in self.rows if row.model == model]

    def as_json(self) -> dict[str, Any]:
        """`{"settings": {...}, "rows": [{...}]}`, as files and records hold it."""
        return {"settings": self.settings, "rows": [asdict(row) for row in self.rows]}


def figures_of(row: type) -> tuple[str, ...]:
    """The names of those of `FIGURES` that rows of this type have."""
    return tuple(entry.name for entry in fields(row) if entry.name in FIGURES)
