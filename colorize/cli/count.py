"""How many photos were done, and the sentence that says so."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorize.batch.outcome import Outcome


@dataclass
class Count:
    """How many of `total` photos were done, by now or before; failed counts folders too."""

    total: int
    done: int = 0
    before: int = 0
    failed: int = 0
    skipped: int = 0
    of_systems: int = 0
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.total

    def add(self, outcome: "Outcome") -> None:
        self.left -= 1
        if outcome.error:
            self.failed += 1
        elif outcome.before:
            self.before += 1
        else:
            self.done += 1

    def line(self, target: Path | None) -> str:
        line = f"{self.done} colorized"
        if self.done and target:
            line += f": {target}"
        if self.before:
            line += f", {self.before} done before"
        if self.failed:
            line += f", {self.failed} failed"
        if self.skipped:
            line += f", {self.skipped} skipped that do not end like a picture"
        if self.of_systems:
            line += f", {self.of_systems} left out that a Mac, NAS or Windows keeps beside photos"
        return line

    def left_line(self) -> str:
        return (
            f"{self.left} of {self.total} photos are left; the same command with --resume does them"
        )
