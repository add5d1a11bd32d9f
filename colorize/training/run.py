"""A run's folder: settings, log (CSV and TensorBoard), picture grids, resumable state."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from colorize.errors import ColorizeError
from colorize.files import replacing


class Run:
    """The files of one training run. Each is written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = None

    @property
    def state_file(self) -> Path:
        return self.folder / "last.pt"

    def begin(self, config: dict[str, Any], *, resume: bool) -> None:
        """Makes the folder, or checks that a resumed run is of the same `config`.

        `config` is written as config.json: tables of what decides a run's course.
        """
        if resume:
            self._check_config(config)
        elif self.state_file.exists():
            raise ColorizeError(f"{self.folder}: holds a run already; --resume or another --output")
        else:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ColorizeError(f"{self.folder}: no folder ({error.strerror})") from error
            with replacing(self.folder / "config.json") as out:
                out.write(f"{json.dumps(config, indent=1)}\n".encode())

    def _check_config(self, config: dict[str, Any]) -> None:
        file = self.folder / "config.json"
        if not self.state_file.is_file():
            raise ColorizeError(f"{self.folder}: nothing to resume, last.pt is not there")
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            other = sorted(
                key
                for part, values in config.items()
                for key in values.keys() | found[part].keys()
                # a setting that is newer than the run was off then: 0, empty
                if (values.get(key) or None) != (found[part].get(key) or None)
            )
        except OSError as error:
            raise ColorizeError(
                f"{file}: cannot be read ({error.strerror}), so the run cannot be resumed; "
                "start another"
            ) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ColorizeError(
                f"{file}: expected a run's settings in JSON, found something else, so the run "
                "cannot be resumed; start another"
            ) from error
        if other:
            raise ColorizeError(
                f"{file}: this run was started with another {', '.join(other)}; "
                "resume with the same or take another --output"
            )

    def save_state(self, state: dict[str, Any]) -> None:
        with replacing(self.state_file) as out:
            torch.save(state, out)

    def load_state(self) -> dict[str, Any]:
        """The state, tensors and plain values only: no pickle's code runs."""
        try:
            return torch.load(self.state_file, map_location="cpu", weights_only=True)
        except Exception as error:  # of a broken file, torch raises anything
            raise ColorizeError(
                f"{self.state_file}: cannot be read, so the run cannot be resumed; start another"
            ) from error

    def open_log(self, step: int) -> None:
        """Call before `log`: drops what was logged after `step`, where a resumed run goes on."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ColorizeError("Training needs tensorboard: pip install -e '.[train]'") from error
        rows = [row for row in self._rows() if int(row["step"]) <= step]
        if rows or self._log_file.exists():
            self._write_rows(rows)
        self._writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=step + 1)

    def log(self, row: dict[str, float | None]) -> None:
        """Adds a row to log.csv, and its figures to TensorBoard; None is left empty."""
        self._write_rows([*self._rows(), row])
        for key, value in row.items():
            if key != "step" and value is not None:
                self._writer.add_scalar(key, value, int(row["step"]))
        self._writer.flush()

    @property
    def _log_file(self) -> Path:
        return self.folder / "log.csv"

    def _rows(self) -> list[dict[str, Any]]:
        if not self._log_file.exists():
            return []
        with self._log_file.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def _write_rows(self, rows: list[dict[str, Any]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, dict.fromkeys(key for row in rows for key in row))
        writer.writeheader()
        writer.writerows(rows)
        with replacing(self._log_file) as out:
            out.write(text.getvalue().encode())

    def save_grid(self, rows: list[tuple[np.ndarray, ...]], epoch: int) -> None:
        """A PNG of uint8 pictures `(h, w, 3)`, a row each: grey, prediction, truth."""
        folder = self.folder / "grids"
        folder.mkdir(exist_ok=True)
        sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows])
        with replacing(folder / f"epoch-{epoch:03d}.png") as out:
            Image.fromarray(sheet).save(out, "PNG")

    def list_skipped(self, lines: list[str]) -> None:
        """Says on the terminal and in skipped.txt which files are no photos."""
        if not lines:
            return
        file = self.folder / "skipped.txt"
        with replacing(file) as out:
            out.write("".join(f"{line}\n" for line in lines).encode())
        print(f"Left out {len(lines)} files that cannot be read as photos; see {file}")

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
