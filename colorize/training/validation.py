"""What a training run looks at after each epoch: figures on `val` and a grid of pictures."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from torch import nn

from colorize.color.lab import lab_from_rgb, rgb_from_lab, to_uint8
from colorize.data.cache import open_cache
from colorize.data.datasets import Dataset
from colorize.evaluation.scores import SIZE, Contestant, contestants, score_photos, square
from colorize.inference.predict import resize
from colorize.models.record import Record

_FIGURES = ("mse", "psnr", "mssim", "colorfulness", "ciede2000")
_SHORT_SIDE = 2 * SIZE  # at which photos are kept, unless the network wants more
_GRID_PHOTOS = 8


class Validation:
    """The photos of `val` by dataset, decoded once; those that are no photos are left out."""

    def __init__(self, datasets: Sequence[Dataset], record: Record, folder: Path) -> None:
        self.record = record
        short_side = max(_SHORT_SIDE, record.size)
        self.photos = {
            dataset.name: list(open_cache([dataset], "val", short_side, folder))
            for dataset in datasets
            if dataset.photos["val"]
        }
        self.photos = {name: photos for name, photos in self.photos.items() if photos}

    def figures(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """`val_mse` and other means over the datasets, and `val_mse_NAME` of each.

        With the decoding of the lowest MSE. Empty where no dataset has photos in `val`.
        """
        if not self.photos:
            return {}
        entry = self._entry(network, device)
        scores = {
            name: score_photos([entry], photos)[entry] for name, photos in self.photos.items()
        }
        by_dataset = {
            figure: {name: mean(row[figure] for row in rows) for name, rows in scores.items()}
            for figure in _FIGURES
        }
        means = {f"val_{figure}": mean(values.values()) for figure, values in by_dataset.items()}
        return means | {f"val_mse_{name}": value for name, value in by_dataset["mse"].items()}

    def grid(self, network: nn.Module, device: torch.device) -> list[tuple[np.ndarray, ...]]:
        """Rows of uint8 pictures `(96, 96, 3)`: grey, prediction, truth."""
        chosen = [photo for photos in self.photos.values() for photo in photos[:2]][:_GRID_PHOTOS]
        entry = self._entry(network, device)
        rows = []
        for photo in chosen:
            truth = lab_from_rgb(square(photo, SIZE))
            L = lab_from_rgb(square(photo, entry.size))[:, :1]
            predicted = resize(entry.colorize(L), (SIZE, SIZE))
            panels = (torch.zeros_like(predicted), predicted, truth[:, 1:])
            pictures = (to_uint8(rgb_from_lab(torch.cat((truth[:, :1], ab), 1))) for ab in panels)
            rows.append(tuple(picture[0].permute(1, 2, 0).numpy() for picture in pictures))
        return rows

    def _entry(self, network: nn.Module, device: torch.device) -> Contestant:
        return contestants(network, self.record, device)[-1]
