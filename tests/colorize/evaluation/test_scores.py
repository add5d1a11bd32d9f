import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import nn

from colorize.color import bins
from colorize.color.lab import lab_from_rgb
from colorize.data.datasets import Dataset, PhotoFile
from colorize.errors import ColorizeError
from colorize.evaluation import metrics
from colorize.evaluation import scores as evaluate
from colorize.models.record import Record

RECORD = Record("model", "Model", "", "baseline", {}, 96, {"kind": "direct"})
BINS = replace(RECORD, name="binned", decoding={"kind": "annealed-mean", "temperature": 0.38})
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_lpips(monkeypatch):
    monkeypatch.setattr(metrics, "lpips_vgg", lambda: (None, "not wanted here"))


class Constant(nn.Module):
    """The same ab / 110 everywhere, and a note of the sizes it was given."""

    def __init__(self, a, b):
        super().__init__()
        self.colour, self.seen = torch.tensor([a, b]).view(1, 2, 1, 1) / 110, []

    def forward(self, L):
        self.seen.append(tuple(L.shape))
        return self.colour.expand(len(L), 2, *L.shape[-2:])


class Bins(nn.Module):
    """Logits with all weight on two bins, 3 to 1, at a quarter of the size."""

    def forward(self, L):
        logits = torch.full((len(L), 313, L.shape[-2] // 4, L.shape[-1] // 4), -1e4)
        logits[:, 10], logits[:, 200] = math.log(3), 0
        return logits


def run(datasets, models=(), split="test"):
    result = evaluate.evaluate(models, datasets, split, CPU).as_json()
    text = json.dumps(result, allow_nan=False)  # no NaN, no infinity
    assert json.loads(text) == result
    return result


def rows_of(result, model):
    return [row for row in result["rows"] if row["model"] == model]


def row_of(result, model, dataset="all", shipped=True):
    rows = [
        row
        for row in result["rows"]
        if (row["model"], row["dataset"], row["shipped"]) == (model, dataset, shipped)
    ]
    assert len(rows) == 1
    return rows[0]


def truth_by_hand(photo):
    """Lab at 96 x 96 by scikit-image: centre crop to a square, antialiased resize, then Lab."""
    pixels = photo.pixels()
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    crop = torch.tensor(pixels[top : top + side, left : left + side]).permute(2, 0, 1)[None]
    resized = nn.functional.interpolate(
        crop.double() / 255, (96, 96), mode="bilinear", antialias=True
    )
    return rgb2lab(resized[0].permute(1, 2, 0).numpy())


# the contract


def test_figures_are_the_contracts_by_hand(make_dataset):
    dataset = make_dataset("made", test=[(96, 96), (150, 120), (64, 200)])
    row = row_of(run([dataset], [(Constant(12.0, -7.0), RECORD)]), "model", "made")
    labs = [truth_by_hand(photo) for photo in dataset.photos["test"]]
    ab = np.broadcast_to([12.0, -7.0], (96, 96, 2))
    errors = [(((lab[..., 1:] - ab) / 128) ** 2).mean() for lab in labs]
    assert row["mse"] == pytest.approx(np.mean(errors), rel=1e-4)
    assert row["photos"] == 3
    assert row["decoding"] is None


def test_figures_of_pictures_are_scikit_images_where_no_colour_leaves_the_gamut(make_dataset):
    dataset = make_dataset("made", test=[(96, 96), (130, 100)])
    row = row_of(run([dataset], [(Constant(3.0, 5.0), RECORD)]), "model", "made")
    psnr, mssim, ciede = [], [], []
    for photo in dataset.photos["test"]:
        lab = truth_by_hand(photo)
        ours = lab.copy()
        ours[..., 1:] = 3.0, 5.0
        pictures = lab2rgb(ours), lab2rgb(lab)
        assert 0 < pictures[0].min() < pictures[0].max() < 1
        psnr.append(peak_signal_noise_ratio(*pictures, data_range=1))
        mssim.append(structural_similarity(*pictures, channel_axis=-1, data_range=1))
        ciede.append(deltaE_ciede2000(ours, lab).mean())
    assert row["psnr"] == pytest.approx(np.mean(psnr), abs=2e-3)
    assert row["mssim"] == pytest.approx(np.mean(mssim), abs=1e-4)
    assert row["ciede2000"] == pytest.approx(np.mean(ciede), abs=2e-3)
    assert row["colorfulness_truth"] > row["colorfulness"] > 0


def test_a_perfect_model_has_no_error(make_dataset):
    dataset = make_dataset("made", test=[(96, 96)])
    truth = lab_from_rgb(evaluate.square(dataset.photos["test"][0].pixels(), 96))

    class Oracle(nn.Module):
        def forward(self, L):
            return truth[:, 1:] / 110

    row = row_of(run([dataset], [(Oracle(), RECORD)]), "model")
    assert row["mse"] < 1e-9
    assert row["psnr"] > 80
    assert row["mssim"] == pytest.approx(1, abs=1e-5)
    assert row["ciede2000"] < 0.01
    assert row["colorfulness"] == pytest.approx(row["colorfulness_truth"], abs=0.01)


@pytest.mark.parametrize(("size", "given"), [(64, 96), (96, 96), (160, 160)])
def test_network_runs_at_96_or_at_its_larger_working_size(make_dataset, size, given):
    network = Constant(0, 0)
    run(
        [make_dataset("made", test=[(96, 96), (300, 200)])], [(network, replace(RECORD, size=size))]
    )
    assert network.seen == [(2, 1, given, given)]


def test_square_is_a_centre_crop():
    pixels = np.zeros((100, 160, 3), np.uint8)
    pixels[:, 30:130] = 255
    assert evaluate.square(pixels, 100).eq(1).all()
    assert evaluate.square(pixels.transpose(1, 0, 2), 50).eq(1).all()
    assert evaluate.square(pixels, 64).shape == (1, 3, 64, 64)


def test_photos_are_weighed_alike_however_many_a_batch_holds(make_dataset, monkeypatch):
    dataset = make_dataset("made", test=[(40 + 3 * n, 60) for n in range(7)])
    whole = run([dataset], [(Constant(5.0, 9.0), RECORD)])
    monkeypatch.setattr(evaluate, "_BATCH", 2)
    in_pairs = run([dataset], [(Constant(5.0, 9.0), RECORD)])
    for model in ("model", "grey"):
        mse = row_of(whole, model)["mse"]
        assert row_of(in_pairs, model)["mse"] == pytest.approx(mse, rel=1e-5)


# rows


def test_rows_in_their_order_and_their_keys(make_dataset):
    datasets = [make_dataset(name, train=[(20, 20)], test=[(30, 30)] * 2) for name in ("b", "a")]
    models = [(Constant(1.0, 1.0), RECORD), (Bins(), BINS)]
    result = run(datasets, models)
    assert [(row["dataset"], row["model"], row["decoding"]) for row in result["rows"]] == [
        (dataset, *entry)
        for dataset in ("b", "a", "all")
        for entry in (
            ("model", None),
            ("binned", "T = 0.38"),
            ("binned", "T = 1"),
            ("grey", None),
            ("mean-colour", None),
        )
    ]
    head = ["model", "dataset", "decoding", "shipped", "photos"]
    for row in result["rows"]:
        assert list(row) == [*head, *evaluate.FIGURES]
    assert row_of(result, "grey", "all")["photos"] == 4


def test_a_model_over_bins_is_scored_as_shipped_and_at_the_mean(make_dataset):
    dataset = make_dataset("made", test=[(30, 30)])
    result = run([dataset], [(Bins(), BINS)])
    first, second = bins.centres()[[10, 200]].double().numpy()
    lab = truth_by_hand(dataset.photos["test"][0])
    for shipped, odds in ((True, 3 ** (1 / 0.38)), (False, 3)):
        ab = (odds * first + second) / (odds + 1)
        expected = (((lab[..., 1:] - ab) / 128) ** 2).mean()
        row = row_of(result, "binned", "made", shipped)
        assert row["mse"] == pytest.approx(expected, rel=1e-3)


def test_a_model_that_ships_the_mean_has_one_row(make_dataset):
    mean = replace(BINS, decoding={"kind": "annealed-mean", "temperature": 1})
    result = run([make_dataset("made", test=[(30, 30)])], [(Bins(), mean)])
    rows = rows_of(result, "binned")
    assert [(row["dataset"], row["decoding"], row["shipped"]) for row in rows] == [
        ("made", "T = 1", True),
        ("all", "T = 1", True),
    ]


def test_a_model_with_a_gain_is_scored_with_and_without(make_dataset):
    dataset = make_dataset("made", test=[(30, 30)])
    louder = replace(RECORD, decoding={"kind": "direct", "gain": 1.5})
    rows = rows_of(run([dataset], [(Constant(6.0, 9.0), louder)]), "model")[:2]
    labelled = [(row["decoding"], row["shipped"]) for row in rows]
    assert labelled == [("gain 1.5", True), (None, False)]
    lab = truth_by_hand(dataset.photos["test"][0])
    for row, ab in zip(rows, ((9.0, 13.5), (6.0, 9.0)), strict=True):
        assert row["mse"] == pytest.approx((((lab[..., 1:] - ab) / 128) ** 2).mean(), rel=1e-3)


@pytest.mark.parametrize(
    ("temperature", "labels"),
    [(0.6, ["T = 0.6, gain 1.15", "T = 1"]), (1, ["T = 1, gain 1.15", "T = 1"])],
)
def test_the_mean_of_bins_has_no_gain(temperature, labels):
    decoding = BINS.decoding | {"temperature": temperature, "gain": 1.15}
    entries = evaluate.contestants(Bins(), replace(BINS, decoding=decoding), CPU)
    assert [(e.decoding, e.shipped) for e in entries] == list(
        zip(labels, (True, False), strict=True)
    )
    L = torch.rand(1, 1, 8, 8) * 100
    own, mean = (entry.colorize(L) for entry in entries)
    assert torch.equal(mean, bins.annealed_mean(Bins()(L), 1))
    assert torch.equal(own, bins.annealed_mean(Bins()(L), temperature) * 1.15)


def test_decodings_of_a_network_run_it_once_for_each_batch(make_dataset):
    network = Bins()
    runs = []
    network.register_forward_hook(lambda *_: runs.append(1))
    run([make_dataset("made", test=[(30, 30)] * 3)], [(network, BINS)])
    assert len(runs) == 1


def test_grey_and_mean_colour_are_always_there(make_dataset):
    datasets = [
        make_dataset("a", train=[(40, 50), (96, 96)], test=[(60, 60)]),
        make_dataset("b", test=[(50, 70)]),
        make_dataset("c", train=[(20, 20)] * 3),  # no test: its photos do not count
    ]
    result = run(datasets)
    labs = [truth_by_hand(photo) for photo in datasets[0].photos["train"]]
    mean = np.mean([lab[..., 1:].mean((0, 1)) for lab in labs], axis=0)
    assert result["settings"]["mean_colour"] == pytest.approx(mean, abs=2e-3)
    for name in "ab":
        (photo,) = next(d for d in datasets if d.name == name).photos["test"]
        lab = truth_by_hand(photo)
        grey, constant = row_of(result, "grey", name), row_of(result, "mean-colour", name)
        assert grey["mse"] == pytest.approx(((lab[..., 1:] / 128) ** 2).mean(), rel=1e-4)
        expected = (((lab[..., 1:] - mean) / 128) ** 2).mean()
        assert constant["mse"] == pytest.approx(expected, rel=1e-3)
        assert grey["colorfulness"] == pytest.approx(0, abs=0.1)


def test_all_is_the_mean_over_photos_not_over_datasets(make_dataset):
    datasets = [make_dataset("a", test=[(30, 30)]), make_dataset("b", test=[(40, 30)] * 3)]
    result = run(datasets)
    a, b = (row_of(result, "grey", name)["mse"] for name in "ab")
    assert row_of(result, "grey", "all")["mse"] == pytest.approx((a + 3 * b) / 4)


def test_without_train_the_mean_colour_is_null_with_a_reason(make_dataset):
    result = run([make_dataset("a", test=[(30, 30)])])
    row = row_of(result, "mean-colour", "a")
    assert row["photos"] == 1
    assert {row[figure] for figure in evaluate.FIGURES} == {None}
    assert result["settings"]["mean_colour"] is None
    assert any("mean-colour is null" in note for note in result["settings"]["notes"])


def test_another_split(make_dataset):
    dataset = make_dataset("a", val=[(30, 30)] * 2, test=[(30, 30)])
    result = run([dataset], split="val")
    assert result["settings"]["split"] == "val"
    assert row_of(result, "grey", "a")["photos"] == 2


# what cannot be had


def test_a_dataset_without_the_split_is_skipped_with_a_note(make_dataset):
    result = run([make_dataset("a", test=[(30, 30)]), make_dataset("b", train=[(30, 30)])])
    assert {row["dataset"] for row in result["rows"]} == {"a", "all"}
    assert result["settings"]["datasets"] == {"a": 1}
    assert "b has no 'test'" in result["settings"]["notes"]


@pytest.mark.parametrize("split", ["test", "holdout"])
def test_nothing_to_evaluate_is_one_line(make_dataset, split):
    with pytest.raises(ColorizeError, match=f"photos in '{split}', nothing to evaluate; the split"):
        evaluate.evaluate([], [make_dataset("b", train=[(30, 30)])], split, CPU)


def test_no_dataset_can_be_called_all(make_dataset):
    with pytest.raises(ColorizeError, match="called 'all'"):
        evaluate.evaluate([], [make_dataset("all", test=[(30, 30)])], "test", CPU)


def test_lpips_is_null_with_the_reason(make_dataset):
    result = run([make_dataset("a", test=[(30, 30)])])
    assert {row["lpips"] for row in result["rows"]} == {None}
    assert "lpips is null: not wanted here" in result["settings"]["notes"]


def test_lpips_where_it_can_be_had(make_dataset, monkeypatch):
    calls = []

    def score(picture, truth):
        calls.append((picture.shape, truth.shape))
        return float(np.abs(picture - truth).mean())

    monkeypatch.setattr(metrics, "lpips_vgg", lambda: (score, ""))
    result = run([make_dataset("a", test=[(30, 30)] * 2)])
    assert row_of(result, "grey", "a")["lpips"] > 0
    assert calls == [((3, 96, 96), (3, 96, 96))] * 2
    assert not any("lpips" in note for note in result["settings"]["notes"])


def test_photos_that_cannot_be_read_are_left_out_and_said(make_dataset):
    dataset = make_dataset("a", train=[(20, 20)], test=[(30, 30)])
    dataset.photos["test"].append(PhotoFile("bad.png", lambda: b"no picture"))
    dataset.photos["train"].append(PhotoFile("bad.png", lambda: b"no picture"))
    result = run([dataset])
    assert row_of(result, "grey", "a")["photos"] == 1
    assert result["settings"]["datasets"] == {"a": 1}
    (note,) = [note for note in result["settings"]["notes"] if "left out" in note]
    assert note.startswith("left out: a test/bad.png: ")


def test_a_dataset_of_which_nothing_can_be_read_is_null(make_dataset):
    bad = Dataset("bad", {"train": [], "test": [PhotoFile("1.png", lambda: b"")]})
    result = run([bad, make_dataset("a", test=[(30, 30)])])
    row = row_of(result, "grey", "bad")
    assert (row["photos"], row["mse"]) == (0, None)
    assert row_of(result, "grey", "all")["photos"] == 1


def test_an_infinite_figure_is_null_with_a_reason(make_dataset, monkeypatch):
    monkeypatch.setattr(metrics, "psnr", lambda picture, truth: math.inf)
    result = run([make_dataset("a", test=[(30, 30)])])
    assert row_of(result, "grey", "a")["psnr"] is None
    note = "psnr of grey on a is null: infinite or undefined for a photo"
    assert note in result["settings"]["notes"]


def test_a_model_that_gives_nan_has_nulls_with_a_reason(make_dataset):
    result = run([make_dataset("a", test=[(30, 30)])], [(Constant(math.nan, 0.0), RECORD)])
    assert row_of(result, "model", "a")["mse"] is None
    assert any(note.startswith("mse of model on a") for note in result["settings"]["notes"])
    assert row_of(result, "grey", "a")["mse"] > 0
