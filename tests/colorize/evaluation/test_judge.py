import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import nn

from colorize.errors import ColorizeError
from colorize.evaluation import judge as judging
from colorize.evaluation.judge import Eye, accuracy_interval, cross_fitted, judge, open_eye
from colorize.evaluation.scores import square
from colorize.models.networks.backbone import create
from colorize.models.record import Record

RECORD = Record("model", "Model", "", "baseline", {}, 96, {"kind": "direct"})
CPU = torch.device("cpu")


class Colours(nn.Module):
    """An eye that sees a picture's mean colour and its spread."""

    def __init__(self):
        super().__init__()
        self.mean = torch.zeros(1)

    def forward(self, rgb):
        return torch.cat((rgb.mean((2, 3)), rgb.std((2, 3))), 1)


class Constant(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.colour = torch.tensor([a, b]).view(1, 2, 1, 1) / 110

    def forward(self, L):
        return self.colour.expand(len(L), 2, *L.shape[-2:])


class Oracle(nn.Module):
    """The true ab of the photos of one dataset, in their order, batch by batch."""

    def __init__(self, photos):
        super().__init__()
        truth = torch.cat([square(photo.pixels(), 96) for photo in photos])
        self.truth = judging.lab_from_rgb(truth)[:, 1:] / 110
        self.at = 0

    def forward(self, L):
        self.at += len(L)
        return self.truth[self.at - len(L) : self.at]


@pytest.fixture
def datasets(make_dataset):
    return [make_dataset("a", test=[(40, 50)] * 22), make_dataset("b", test=[(30, 30)] * 18)]


def rows_of(result, model):
    return {row["dataset"]: row for row in result["rows"] if row["model"] == model}


def test_flat_colour_is_found_out_and_grey_too(datasets):
    result = judge([(Constant(60.0, 60.0), RECORD)], datasets, "test", CPU, Colours()).as_json()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    for model in ("model", "grey"):
        rows = rows_of(result, model)
        assert list(rows) == ["a", "b", "all"]
        assert [row["photos"] for row in rows.values()] == [22, 18, 40]
        assert all(row["accuracy"] > 0.85 for row in rows.values())
        assert rows["all"]["low"] < rows["all"]["accuracy"] <= rows["all"]["high"]
        assert rows["all"]["fooled"] < 0.15
    head = ["model", "dataset", "decoding", "shipped", "photos", "accuracy", "low", "high"]
    assert list(result["rows"][0]) == [*head, "fooled"]
    assert result["settings"]["datasets"] == {"a": 22, "b": 18}


def test_the_truth_cannot_be_told_from_itself(make_dataset):
    dataset = make_dataset("a", test=[(96, 96)] * 40)
    oracle = Oracle(dataset.photos["test"])
    result = judge([(oracle, RECORD)], [dataset], "test", CPU, Colours()).as_json()
    row = rows_of(result, "model")["all"]
    assert row["low"] <= 0.5 <= row["high"]


def test_both_versions_have_the_same_lightness_and_resolution(make_dataset):
    """The original's ab goes through the resolution of the model's, whatever that is."""
    seen = []

    class Watching(Colours):
        def forward(self, rgb):
            seen.append(judging.lab_from_rgb(rgb))
            return super().forward(rgb)

    class Coarse(Constant):
        def forward(self, L):
            return super().forward(L)[..., ::24, ::24]

    dataset = make_dataset("a", test=[(60, 60)] * 12)
    judge([(Coarse(5.0, 5.0), RECORD)], [dataset], "test", CPU, Watching())
    original, colorized, fine, grey = seen[:4]
    for other in (colorized, fine, grey):
        assert (original[:, 0] - other[:, 0]).abs().mean() < 0.3
    steepest = [x[:, 1:].diff(dim=-1).abs().max() for x in (original, fine)]
    assert steepest[0] < 0.8 * steepest[1]  # 4 x 4 and back is smoother


def test_a_photo_is_never_judged_by_one_that_has_seen_it(monkeypatch):
    features = np.random.default_rng(0).normal(size=(40, 2, 6))
    folds = np.arange(40) % judging.FOLDS
    learnt = []
    fit = judging._fit

    def watched(pairs, labels, ridges):
        own = {int(np.flatnonzero((features == pair).all((1, 2)))[0]) for pair in pairs}
        learnt.append(own)
        scores = fit(pairs, labels, ridges)

        def judged(score):
            def scored(some):
                for pair in some:
                    assert int(np.flatnonzero((features == pair).all((1, 2)))[0]) not in own
                return score(some)

            return scored

        return [judged(score) for score in scores]

    monkeypatch.setattr(judging, "_fit", watched)
    cross_fitted(features, folds)
    assert {len(own) for own in learnt} == {24, 32}


def test_noise_is_not_told_and_a_difference_is():
    random = np.random.default_rng(1)
    noise = random.normal(size=(400, 2, 30))
    folds = judging._folds([250, 150], 0)
    assert abs(cross_fitted(noise, folds).mean() - 0.5) < 0.07
    noise[:, 1, 7] += 2
    expected = 0.841  # of normal noise, one deviation to either side
    assert abs(cross_fitted(noise, folds).mean() - expected) < 0.05


@pytest.mark.parametrize("counts", [[10], [3, 4, 5], [1] * 12, [300, 86]])
def test_folds_are_even_and_the_same_for_a_seed(counts):
    folds = judging._folds(counts, 3)
    sizes = np.bincount(folds, minlength=judging.FOLDS)
    assert sizes.max() - sizes.min() <= 1
    assert (folds == judging._folds(counts, 3)).all()
    first = np.bincount(folds[: counts[0]], minlength=judging.FOLDS)
    assert first.max() - first.min() <= 1


def test_the_interval_is_wilsons_where_the_two_versions_are_independent():
    random = np.random.default_rng(2)
    right = random.random((3000, 2)) < 0.8
    p, low, high = accuracy_interval(right)
    interval = binomtest(int(right.sum()), right.size).proportion_ci(method="wilson")
    assert p == right.mean()
    assert (low, high) == pytest.approx((interval.low, interval.high), abs=2e-3)


def test_the_interval_is_wider_where_photos_are_right_or_wrong_as_a_whole():
    right = np.repeat(np.random.default_rng(2).random((200, 1)) < 0.7, 2, axis=1)
    _, low, high = accuracy_interval(right)
    interval = binomtest(int(right[:, 0].sum()), 200).proportion_ci(method="wilson")
    assert high - low == pytest.approx(interval.high - interval.low, rel=0.03)


def test_intervals_cover_what_they_promise():
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        ease = random.beta(4, 1.5, size=(60, 1))  # photos differ in how easy they are
        _, low, high = accuracy_interval(random.random((60, 2)) < ease)
        hits += low <= 4 / 5.5 <= high
    assert 0.92 < hits / 400 < 0.985


def test_intervals_at_the_ends():
    assert accuracy_interval(np.ones((1, 2), bool)) == (1.0, None, None)
    p, low, high = accuracy_interval(np.ones((20, 2), bool))
    assert p == 1
    assert 0.8 < low < 0.9
    assert high == pytest.approx(1)


def test_too_few_photos_are_one_line(make_dataset):
    with pytest.raises(ColorizeError, match="needs 10 photos, found 4"):
        judge([], [make_dataset("a", test=[(30, 30)] * 4)], "test", CPU, Colours())


@torch.inference_mode()
def test_the_eye_sees_colours_through_a_networks_last_features():
    network = create("test_resnet", features_only=True, out_indices=(-1,)).eval()
    rgb = torch.rand(2, 3, 64, 64)
    features = Eye(network)(rgb)
    assert features.shape == (2, network.feature_info.channels()[-1])
    assert not torch.allclose(features, Eye(network)(rgb.flip(1)))
    assert not any(p.requires_grad for p in network.parameters())


def test_the_eye_is_the_same_where_fusion_keeps_more_of_its_backbone():
    one, two = (
        create("test_resnet", features_only=True, out_indices=tuple(range(-levels, 0))).eval()
        for levels in (1, 2)
    )
    two.load_state_dict(one.state_dict())
    rgb = torch.rand(2, 3, 64, 64)
    assert torch.equal(Eye(two)(rgb), Eye(one)(rgb))


def test_the_eye_opens_with_fusions_backbone_or_a_file(monkeypatch, tmp_path):
    fusion = replace(RECORD, network="fusion", arguments={"backbone": judging.BACKBONE})

    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Module()
            self.backbone.network = create(judging.BACKBONE, features_only=True, out_indices=(-1,))

    holder = Holder()
    monkeypatch.setattr(judging, "list_checkpoints", lambda: [RECORD, fusion])
    monkeypatch.setattr(judging, "load_checkpoint", lambda name: (holder, fusion))
    assert open_eye().network is holder.backbone.network
    monkeypatch.setattr(judging, "list_checkpoints", lambda: [RECORD])
    with pytest.raises(ColorizeError, match="--backbone-file"):
        open_eye()
    read = []
    monkeypatch.setattr(judging, "load_pretrained", lambda *arguments: read.append(arguments))
    eye = open_eye(tmp_path / "weights.safetensors")
    assert read == [(eye.network, judging.BACKBONE, tmp_path / "weights.safetensors")]
