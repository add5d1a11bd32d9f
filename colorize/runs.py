"""A run's folder: settings, log (CSV and TensorBoard), picture grids, resumable state."""

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from colorize.errors import ColorizeError
from colorize.settings import Settings


class Run:
    """The files of one training run. Everything is written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = None

    @property
    def state_file(self) -> Path:
        return self.folder / "last.pt"

    def begin(self, settings: Settings, *, resume: bool) -> None:
        """Makes the folder, or checks that a resumed run has the same settings."""
        config = self.folder / "config.json"
        wanted = asdict(settings)
        if resume:
            if not self.state_file.is_file():
                raise ColorizeError(f"{self.folder}: nothing to resume, last.pt is not there")
            found = json.loads(config.read_text(encoding="utf-8"))
            other = sorted(key for key in wanted if found.get(key) != wanted[key])
            if other:
                raise ColorizeError(
                    f"{config}: this run was started with other settings ({', '.join(other)}); "
                    "resume with the same ones or take another --output"
                )
        elif self.state_file.exists():
            raise ColorizeError(f"{self.folder}: holds a run already; --resume or another --output")
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            config.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")

    def save_state(self, state: dict[str, Any]) -> None:
        temporary = self.state_file.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(self.state_file)

    def load_state(self) -> dict[str, Any]:
        """The state, tensors and plain values only: no pickle's code runs."""
        try:
            return torch.load(self.state_file, map_location="cpu", weights_only=True)
        except Exception as error:
            raise ColorizeError(f"{self.state_file}: cannot be read ({error})") from error

    def log(self, row: dict[str, float]) -> None:
        """Adds a row to log.csv, and its figures to TensorBoard."""
        file = self.folder / "log.csv"
        is_new = not file.exists()
        with file.open("a", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, row.keys())
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder / "tensorboard"))
        for key, value in row.items():
            if key != "step":
                self._writer.add_scalar(key, value, int(row["step"]))
        self._writer.flush()

    def save_grid(self, rows: list[tuple[np.ndarray, ...]], epoch: int) -> None:
        """A PNG of uint8 pictures `(h, w, 3)`, a row each: grey, prediction, truth."""
        folder = self.folder / "grids"
        folder.mkdir(exist_ok=True)
        sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows])
        Image.fromarray(sheet).save(folder / f"epoch-{epoch:03d}.png")

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
