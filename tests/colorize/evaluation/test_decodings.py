import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from colorize.color import bins
from colorize.data.datasets import PhotoFile
from colorize.evaluation.decodings import choose, decoding_of, sweep
from colorize.evaluation.report import DecodingRow
from colorize.evaluation.scores import evaluate
from colorize.models.record import Decoding, Record

BINS = Record(
    "net", "Net", "", "classifier", {}, 96, {"kind": "annealed-mean", "temperature": 0.38}
)
DIRECT = replace(BINS, name="flat", decoding={"kind": "direct"})
CPU = torch.device("cpu")


class Bins(nn.Module):
    """Logits that favour warm colours where it is light, and others where it is dark."""

    def forward(self, L):
        points = bins.centres()
        slope = (points @ torch.tensor([0.02, 0.03])).view(1, -1, 1, 1)
        return L[..., ::4, ::4] * slope - points.norm(dim=1).view(1, -1, 1, 1) / 15


class Flat(nn.Module):
    def forward(self, L):
        return torch.full((len(L), 2, *L.shape[-2:]), 0.1)


def row(temperature, gain, mse, colorfulness, model="net", dataset="all", chroma=1.0):
    decoding = str(Decoding(temperature, gain, chroma)) or None
    how, figures = (temperature, gain, chroma, decoding), (mse, 5.0, colorfulness, 40.0)
    return DecodingRow(model, dataset, *how, False, 3, *figures)


MEAN = row(1.0, 1.0, 0.0100, 20)


def test_every_decoding_is_measured_as_evaluate_measures_it(make_dataset, monkeypatch):
    datasets = [make_dataset(name, val=[(40, 50)] * 3) for name in ("a", "b")]
    models = [(Bins(), BINS), (Flat(), DIRECT)]
    result = sweep(models, datasets, "val", CPU, (0.38, 0.0), (1.5,)).as_json()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert [(r["model"], r["decoding"]) for r in result["rows"] if r["dataset"] == "all"] == [
        ("net", "T = 0"),
        ("net", "T = 0, gain 1.5"),
        ("net", "T = 0.38"),
        ("net", "T = 0.38, gain 1.5"),
        ("net", "T = 1"),
        ("net", "T = 1, gain 1.5"),
        ("flat", None),
        ("flat", "gain 1.5"),
    ]
    assert {r["dataset"]: r["photos"] for r in result["rows"]} == {"a": 3, "b": 3, "all": 6}
    monkeypatch.setattr("colorize.evaluation.metrics.lpips_vgg", lambda: (None, "not wanted here"))
    scored = evaluate(models, datasets, "val", CPU).as_json()["rows"]
    for found in scored:
        if found["model"] not in ("net", "flat"):
            continue
        same = ("model", "dataset", "decoding")
        (own,) = [r for r in result["rows"] if all(r[key] == found[key] for key in same)]
        for figure in ("mse", "ciede2000", "colorfulness", "colorfulness_truth"):
            assert own[figure] == pytest.approx(found[figure], rel=1e-6)
        assert own["shipped"] == found["shipped"]


def test_more_gain_gives_more_colour(make_dataset):
    datasets = [make_dataset("a", val=[(40, 50)] * 2)]
    rows = sweep([(Flat(), DIRECT)], datasets, "val", CPU, (), (0.5, 2.0)).rows
    colour = {r.gain: r.colorfulness for r in rows if r.dataset == "all"}
    assert list(colour) == [0.5, 1.0, 2.0]
    assert 0 < colour[0.5] < colour[1.0] < colour[2.0]


def test_unreadable_photos_are_noted(make_dataset):
    dataset = make_dataset("a", val=[(30, 30)])
    dataset.photos["val"].append(PhotoFile("broken.png", lambda: b"nothing"))
    notes = sweep([(Flat(), DIRECT)], [dataset], "val", CPU).settings["notes"]
    assert any("broken.png" in note for note in notes)


def test_the_lowest_error_among_those_with_enough_colour_is_chosen():
    rows = [
        MEAN,
        row(0.5, 1.2, 0.0112, 38),
        row(0.6, 1.3, 0.0110, 37),
        row(0.6, 1.4, 0.0116, 39),  # too wrong
        row(0.8, 1.0, 0.0103, 30),  # too pale
        row(0.7, 1.6, 0.0105, 45),  # too much
        row(0.7, 1.3, 0.0101, 38, dataset="fruits"),
        row(0.7, 1.3, 0.0101, 38, model="other"),
    ]
    chosen, is_good = choose(rows, "net")
    assert is_good
    assert decoding_of(chosen) == {"kind": "annealed-mean", "temperature": 0.6, "gain": 1.3}


def test_a_decoding_well_inside_is_preferred_to_one_at_the_edge():
    edge = row(0.7, 1.0, 0.0104, 34.4)
    inside = row(0.6, 1.0, 0.0110, 37)
    assert choose([MEAN, edge, inside], "net") == (inside, True)
    assert choose([MEAN, edge], "net") == (edge, True)


def test_where_none_has_enough_colour_the_nearest_within_the_error_is_chosen():
    rows = [MEAN, row(0.5, 1.0, 0.0113, 27), row(0.4, 1.0, 0.0108, 24), row(0.2, 1.0, 0.02, 38)]
    chosen, is_good = choose(rows, "net")
    assert not is_good
    assert chosen.temperature == 0.5


def test_raised_chroma_is_no_mean_and_goes_into_the_record():
    raised = row(1.0, 1.1, 0.0108, 38, chroma=1.5)
    assert choose([row(1.0, 1.0, 0.009, 30, chroma=1.5), MEAN, raised], "net") == (raised, True)
    assert decoding_of(raised) == {
        "kind": "annealed-mean",
        "temperature": 1.0,
        "chroma": 1.5,
        "gain": 1.1,
    }


def test_chroma_is_raised_for_models_over_bins_alone(make_dataset):
    datasets, models = [make_dataset("a", val=[(40, 50)] * 2)], [(Bins(), BINS), (Flat(), DIRECT)]
    rows = sweep(models, datasets, "val", CPU, (), (), (2.0,)).rows
    assert [(r.model, r.decoding) for r in rows if r.dataset == "all"] == [
        ("net", "T = 1"),
        ("net", "T = 1, chroma 2"),
        ("flat", None),
    ]
    assert rows[1].colorfulness > rows[0].colorfulness


def test_networks_of_ab_have_a_gain_alone():
    plain, louder = (row(None, gain, 0.01 * gain, 30 * gain) for gain in (1.0, 1.14))
    assert decoding_of(choose([plain], "net")[0]) == {"kind": "direct"}
    assert decoding_of(louder) == {"kind": "direct", "gain": 1.14}


def test_rows_without_the_mean_say_so():
    with pytest.raises(ValueError, match="rows of net with its mean"):
        choose([row(0.38, 1.0, 0.01, 30)], "net")
