"""How many photos or films were done, and the sentence that says so."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorize.batch.outcome import Outcome


@dataclass
class Count:
    """How many of `total` were done, by now or before; failed counts folders too.

    `like` is what the files that were skipped do not end like, `no_files` do and are pipes or
    devices, `kept` is how those are that were done before.
    """

    total: int
    done: int = 0
    before: int = 0
    failed: int = 0
    skipped: int = 0
    no_files: int = 0
    of_systems: int = 0
    like: str = "a picture"
    kept: str = "done before"
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

    def line(self, target: Path | str | None) -> str:
        """`target` is told where all was one."""
        line = f"{self.done} colorized"
        if self.done and target:
            line += f": {target}"
        if self.before:
            line += f", {self.before} {self.kept}"
        if self.failed:
            line += f", {self.failed} failed"
        if self.skipped:
            do = "does" if self.skipped == 1 else "do"
            line += f", {self.skipped} skipped that {do} not end like {self.like}"
        if self.no_files:
            what = "is a pipe or device" if self.no_files == 1 else "are pipes or devices"
            line += f", {self.no_files} skipped that {what}"
        if self.of_systems:
            line += f", {self.of_systems} left out that a Mac, NAS or Windows keeps beside photos"
        return line

    def left_line(self) -> str:
        return (
            f"{self.left} of {self.total} photos are left; the same command with --resume does them"
        )
