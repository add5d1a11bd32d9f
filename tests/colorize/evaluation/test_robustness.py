import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from colorize.data.datasets import Dataset, PhotoFile
from colorize.evaluation import robustness
from colorize.evaluation.robustness import differences_between_sizes, measure
from colorize.evaluation.scores import evaluate
from colorize.models.record import Record

RECORD = Record("model", "Model", "", "baseline", {}, 96, {"kind": "direct"})
CPU = torch.device("cpu")


class Reading(nn.Module):
    """ab that follows lightness, so that whatever changes L changes it."""

    def forward(self, L):
        return torch.cat((L, L), 1) * 0.4


class Constant(nn.Module):
    def forward(self, L):
        return torch.full((len(L), 2, *L.shape[-2:]), 0.1)


@pytest.fixture
def datasets(make_dataset):
    return [make_dataset("a", val=[(100, 120)] * 3), make_dataset("b", val=[(96, 96)] * 2)]


def test_the_error_on_aged_photos_stands_beside_the_contracts(datasets, monkeypatch):
    monkeypatch.setattr("colorize.evaluation.metrics.lpips_vgg", lambda: (None, "not wanted here"))
    models = [(Reading(), RECORD), (Constant(), replace(RECORD, name="blind"))]
    result = measure(models, datasets, "val", CPU).as_json()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    expected = [(name, model) for name in ("a", "b", "all") for model in ("model", "blind")]
    assert [(row["dataset"], row["model"]) for row in result["rows"]] == expected
    scored = {
        (row.dataset, row.model): row.mse for row in evaluate(models, datasets, "val", CPU).rows
    }
    for row in result["rows"]:
        assert row["mse"] == scored[row["dataset"], row["model"]]
        assert row["ratio"] == row["mse_aged"] / row["mse"]
        if row["model"] == "blind":
            assert row["ratio"] == 1
            assert row["between_sizes"] < 0.1
        else:
            assert row["mse_aged"] != row["mse"]
    assert [row["photos"] for row in result["rows"]] == [3, 3, 2, 2, 5, 5]


def test_photos_are_held_a_few_at_a_time(monkeypatch):
    held, most = 0, 0

    class Pixels(np.ndarray):
        def __del__(self):
            nonlocal held
            held -= self.base is None

    class Photo(PhotoFile):
        def pixels(self):
            nonlocal held, most
            held += 1
            most = max(most, held)
            return np.zeros((64, 64, 3), np.uint8).view(Pixels).copy()

    photos = [Photo(f"{number}.png", bytes) for number in range(40)]
    figures = {"mse": 0.0}
    monkeypatch.setattr(
        robustness,
        "score_photos",
        lambda entries, photos, **_: {e: [figures] * len(photos) for e in entries},
    )
    monkeypatch.setattr(
        robustness, "differences_between_sizes", lambda _, photos: [0.0] * len(photos)
    )
    dataset = Dataset("a", {"train": [], "val": photos, "test": []})
    result = measure([(Reading(), RECORD)], [dataset], "val", CPU)
    assert result["rows"][0]["photos"] == 40
    assert most <= 16


def test_ageing_is_the_same_each_time_and_another_with_another_seed(datasets):
    def aged(seed):
        return [row.mse_aged for row in measure(*arguments, seed).rows]

    arguments = ([(Reading(), RECORD)], datasets, "val", CPU)
    assert aged(0) == aged(0)
    assert aged(0) != aged(1)


def test_models_of_one_working_size_see_the_same_aged_photos(datasets):
    seen = []

    class Watching(Reading):
        def forward(self, L):
            seen[-1].append(L.clone())
            return super().forward(L)

    for _ in range(2):
        seen.append([])
        measure([(Watching(), RECORD)], datasets, "val", CPU)
    for first, second in zip(*seen, strict=True):
        assert torch.equal(first, second)


def test_only_what_ships_is_compared_between_sizes(datasets):
    louder = replace(RECORD, decoding={"kind": "direct", "gain": 1.5})
    rows = measure([(Reading(), louder)], datasets[:1], "val", CPU).rows[:2]
    assert [row.shipped for row in rows] == [True, False]
    assert rows[0].between_sizes > 0
    assert rows[1].between_sizes is None


def test_the_difference_between_sizes_by_hand(make_pixels, monkeypatch):
    """A model whose colour depends on the size alone."""
    monkeypatch.setattr(robustness, "SIZES", (192, 224, 256))

    def colorize(L):
        a = {192: 0.0, 224: 6.0, 256: 12.0}[L.shape[-1]]
        return torch.tensor([a, 0.0]).view(1, 2, 1, 1).expand(len(L), 2, 4, 4)

    grey = np.full((50, 50, 3), 119, np.uint8)
    (found,) = differences_between_sizes(colorize, [grey])
    from skimage.color import deltaE_ciede2000

    labs = [np.array([50.03, a, 0.0]) for a in (0, 6, 12)]
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = np.mean([deltaE_ciede2000(labs[i], labs[j]) for i, j in pairs])
    assert found == pytest.approx(expected, abs=0.1)
    assert len(differences_between_sizes(colorize, [make_pixels(i) for i in range(18)])) == 18
