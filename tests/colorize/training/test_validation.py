from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from colorize.color.lab import grey_lightness_table, lab_from_rgb
from colorize.data.datasets import Dataset, PhotoFile
from colorize.evaluation import metrics
from colorize.evaluation.scores import square
from colorize.models.record import Record
from colorize.training.validation import Validation

RECORD = Record("model", "Model", "", "baseline", {}, 96, {"kind": "direct"})
CPU = torch.device("cpu")


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, L):
        self.seen.append(tuple(L.shape[-2:]))
        return torch.full((len(L), 2, *L.shape[-2:]), 20 / 110)


@pytest.fixture
def datasets(make_pixels, encode):
    def photos(seeds, size):
        contents = {seed: encode(make_pixels(seed, *size)) for seed in seeds}
        return [PhotoFile(f"{s}.png", lambda c=content: c) for s, content in contents.items()]

    bad = PhotoFile("bad.png", lambda: b"no picture")
    return [
        Dataset("a", {"val": [*photos(range(3), (96, 120)), bad]}),
        Dataset("b", {"val": photos(range(10, 11), (500, 400))}),
        Dataset("none", {"val": []}),
        Dataset("unreadable", {"val": [bad]}),
    ]


def test_figures_are_means_over_datasets(datasets, tmp_path):
    validation = Validation(datasets, RECORD, tmp_path)
    assert {name: len(photos) for name, photos in validation.photos.items()} == {"a": 3, "b": 1}
    figures = validation.figures(Constant(), CPU)
    by_dataset = {}
    for name, photos in validation.photos.items():
        truths = [lab_from_rgb(square(photo, 96))[0, 1:].numpy() for photo in photos]
        errors = [metrics.mse(np.full_like(truth, 20.0), truth) for truth in truths]
        by_dataset[name] = np.mean(errors)
        assert figures[f"val_mse_{name}"] == pytest.approx(by_dataset[name], rel=1e-5)
    assert figures["val_mse"] == pytest.approx(np.mean(list(by_dataset.values())), rel=1e-5)
    assert set(figures) >= {"val_psnr", "val_mssim", "val_ciede2000", "val_colorfulness"}


def test_photos_are_kept_small_but_no_smaller_than_the_network_wants(datasets, tmp_path):
    assert Validation(datasets, RECORD, tmp_path).photos["b"][0].shape == (240, 192, 3)
    larger = Validation(datasets, replace(RECORD, size=256), tmp_path)
    assert larger.photos["b"][0].shape == (320, 256, 3)


def test_without_photos_there_are_no_figures(datasets, tmp_path):
    validation = Validation(datasets[2:], RECORD, tmp_path)
    assert validation.figures(Constant(), CPU) == {}


def test_grid_is_grey_prediction_truth(datasets, tmp_path):
    network = Constant()
    validation = Validation(datasets, replace(RECORD, size=128), tmp_path)
    rows = validation.grid(network, CPU)
    assert len(rows) == 3  # two of a, one of b
    assert network.seen == [(128, 128)] * 3
    for row, photo in zip(
        rows, [*validation.photos["a"][:2], *validation.photos["b"]], strict=True
    ):
        grey, predicted, truth = row
        assert {picture.shape for picture in row} == {(96, 96, 3)}
        assert {picture.dtype for picture in row} == {np.dtype(np.uint8)}
        expected = square(photo, 96)[0].permute(1, 2, 0).numpy() * 255
        assert np.abs(truth - expected).max() <= 1
        assert (grey == grey[..., :1]).all()
        lightness = lab_from_rgb(torch.tensor(truth).permute(2, 0, 1) / 255)[0].numpy()
        assert np.abs(grey_lightness_table().numpy()[grey[..., 0]] - lightness).max() <= 1
        assert (predicted[..., 0] >= predicted[..., 1]).mean() > 0.95  # a = b = 20 is a warm tone
