import json
import sys
import threading
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
import torch

from colorize.data.datasets import Dataset, PhotoFile
from colorize.errors import ColorizeError
from colorize.models.checkpoint import load_checkpoint
from colorize.models.networks import NETWORKS
from colorize.training import start
from colorize.training import train as training
from colorize.training.train import Budget
from tests.support.train_runs import (
    ADVERSARIAL,
    after_step,
    assert_same,
    run,
    settings_of,
    state_of,
)

pytestmark = pytest.mark.usefixtures("fresh_accelerator")


# what a run leaves


def test_a_run_folder_holds_all_that_is_promised(tmp_path, made):
    settings = settings_of("baseline", "repeat=b:2")
    assert run(tmp_path / "run", made, settings)
    folder = tmp_path / "run"
    assert {file.name for file in folder.iterdir()} == {
        "config.json",
        "log.csv",
        "tensorboard",
        "grids",
        "last.pt",
        "best.json",
        "best.safetensors",
    }
    assert json.loads((folder / "config.json").read_text())["settings"] == asdict(settings)
    lines = (folder / "log.csv").read_text().splitlines()
    assert len(lines) == 1 + 3
    assert lines[0].startswith("step,epoch,seconds,lr,loss,val_mse,val_psnr,")
    assert [line.split(",")[0] for line in lines[1:]] == ["6", "12", "18"]  # 24 photos an epoch
    assert len(list((folder / "grids").iterdir())) == 3
    assert next((folder / "tensorboard").iterdir()).stat().st_size > 0


def test_best_weights_are_a_checkpoint_with_the_runs_record(tmp_path, made):
    run(tmp_path / "run", made, settings_of("classifier", "every=2", "temperature=0.5"))
    network, record = load_checkpoint(tmp_path / "run" / "best")
    assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 313, 32, 32)
    assert record.network == "classifier"
    assert record.decoding == {"kind": "annealed-mean", "temperature": 0.5}
    assert record.data["train"] == {"a": 12, "b": 6}
    assert record.training["photos_shown"] == 4 * record.training["steps"]
    assert record.training["device"] == "cpu"
    assert "--network classifier" in record.training["command"]
    assert "--epochs 3 --set crop=32" in record.training["command"]


def test_best_is_the_epoch_of_the_lowest_mse(tmp_path, made, monkeypatch):
    figures = iter([{"val_mse": 0.3}, {"val_mse": 0.1}, {"val_mse": 0.2}])
    monkeypatch.setattr(training.Validation, "figures", lambda *arguments: next(figures))
    run(tmp_path / "run", made, settings_of("baseline"))
    _, record = load_checkpoint(tmp_path / "run" / "best")
    assert record.training["steps"] == 8
    assert state_of(tmp_path / "run")["best"] == 0.1


def test_without_val_the_last_epoch_is_the_best(tmp_path, made):
    run(tmp_path / "run", made[1:], settings_of("baseline"), Budget(epochs=2))
    _, record = load_checkpoint(tmp_path / "run" / "best")
    assert record.training["steps"] == 2
    header, row, _ = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert header == "step,epoch,seconds,lr,loss"
    assert "nan" not in row


def test_photos_that_cannot_be_read_are_listed(tmp_path, made):
    made[0].photos["train"].append(PhotoFile("bad.png", lambda: b"no picture"))
    made[0].photos["val"].append(PhotoFile("bad.png", lambda: b"no picture"))
    assert run(tmp_path / "run", made, settings_of("baseline"), Budget(epochs=1))
    assert (tmp_path / "run" / "skipped.txt").read_text().startswith("a/bad.png: ")
    _, record = load_checkpoint(tmp_path / "run" / "best")
    assert record.data["train"] == {"a": 12, "b": 6}


# learning

LARGE = ("zhang", "siggraph17", "deoldify", "ddcolor")


@pytest.mark.parametrize(
    "network", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in NETWORKS]
)
def test_every_network_trains(tmp_path, made, network):
    run(tmp_path / "run", made, settings_of(network), Budget(epochs=1))
    after = state_of(tmp_path / "run")["network"]
    torch.manual_seed(0)
    before = start.make_network(settings_of(network))[0].state_dict()
    frozen = {key for key in after if key == "model_out.weight"}
    if network == "fusion":
        frozen = {key for key in after if key.startswith("backbone.")}
    changed = {key for key in after if not torch.equal(before[key], after[key])}
    assert changed == after.keys() - frozen


def test_the_unet_trains_with_a_discriminator_to_the_same_weights_however_often_stopped(
    tmp_path, made, monkeypatch
):
    stop = threading.Event()
    settings = settings_of("unet", *ADVERSARIAL)
    run(tmp_path / "whole", made, settings)
    with monkeypatch.context() as patch:
        after_step(patch, 6, stop.set)
        assert not run(tmp_path / "parts", made, settings, stopped=stop.is_set)
    assert run(tmp_path / "parts", made, settings, resume=True)
    whole, parts = (state_of(tmp_path / name) for name in ("whole", "parts"))
    assert whole["adversary"]["network"].keys() > {"layers.0.weight"}
    for part in ("network", "ema", "adversary"):
        assert_same(whole[part], parts[part], part)


def test_the_unet_trains_for_ab_where_its_loss_is_of_ab(tmp_path, made):
    settings = settings_of("unet", "loss=mse")
    assert run(tmp_path / "run", made, settings, Budget(epochs=1))
    network, record = load_checkpoint(tmp_path / "run" / "best")
    assert record.decoding == {"kind": "direct"}
    assert not network.over_bins


def test_training_goes_on_from_a_checkpoint(tmp_path, made):
    assert run(tmp_path / "first", made, settings_of("unet"), Budget(epochs=1))
    best = tmp_path / "first" / "best.json"
    settings = settings_of("unet", f"start={best}", "backbone_file=", "lr=1e-9", "ema=0", "keep=3")
    assert run(tmp_path / "second", made, settings, Budget(epochs=1))
    (before, old), (after, new) = (
        load_checkpoint(tmp_path / name / "best") for name in ("first", "second")
    )
    for key, value in before.named_parameters():
        assert torch.allclose(after.get_parameter(key), value, atol=1e-3), key
    assert new.training["before"] == old.training
    assert new.training["settings"]["start"] == "best.json"
    assert "start=" not in new.training["command"]
    assert new.backbone == old.backbone
    _, kept = load_checkpoint(tmp_path / "second" / "step-000003")
    assert kept.training["steps"] == 3


def test_a_backbone_can_begin_anew_where_training_goes_on(tmp_path, made, monkeypatch):
    assert run(tmp_path / "first", made, settings_of("unet"), Budget(epochs=1))
    trained, _ = load_checkpoint(tmp_path / "first" / "best")

    def fill(network, name, file):
        for value in network.parameters():
            value.data.fill_(0.5)
        return file.name

    monkeypatch.setattr(start, "load_pretrained", fill)
    settings = settings_of("unet", f"start={tmp_path / 'first' / 'best.json'}")
    network, origin = start.make_network(settings)
    for key, value in network.named_parameters():
        if key.startswith("backbone."):
            assert (value == 0.5).all(), key
        else:
            assert torch.equal(value, trained.get_parameter(key)), key
    assert origin["backbone"] == {"name": "test_efficientnet", "weights": "w.safetensors"}


def test_attention_is_added_to_a_checkpoint_that_has_none(tmp_path, made):
    assert run(tmp_path / "first", made, settings_of("unet"), Budget(epochs=1))
    settings = settings_of("unet", f"start={tmp_path / 'first' / 'best.json'}", "attention=1")
    assert run(tmp_path / "second", made, settings, Budget(epochs=1))
    network, record = load_checkpoint(tmp_path / "second" / "best")
    assert record.arguments["attention"] and network.attention[0].out.weight.abs().sum() > 0
    plain = settings_of("unet", f"start={tmp_path / 'second' / 'best.json'}")
    with pytest.raises(ColorizeError, match=r"start=.*expected a unet .* found a unet"):
        run(tmp_path / "third", made, plain)


def test_another_networks_checkpoint_is_no_start(tmp_path, made):
    assert run(tmp_path / "first", made, settings_of("baseline"), Budget(epochs=1))
    settings = settings_of("unet", f"start={tmp_path / 'first' / 'best.json'}")
    with pytest.raises(ColorizeError, match=r"start=.*expected a unet .* found a baseline"):
        run(tmp_path / "second", made, settings)


@pytest.mark.parametrize(
    "changes", [["loss=one-hot"], ["rebalance=0.5"], ["every=3", "rebalance=0.5"]]
)
def test_the_classifier_trains_with_each_loss(tmp_path, made, changes):
    assert run(tmp_path / "run", made, settings_of("classifier", *changes), Budget(epochs=1))


@pytest.mark.parametrize(("network", "share"), [("regression", 0.5), ("classifier", 0.8)])
def test_loss_falls_where_one_photo_is_learnt_by_heart(tmp_path, made, network, share):
    photo = made[0].photos["train"][0]
    dataset = Dataset("one", {"train": [photo] * 4, "val": [], "test": []})
    settings = settings_of(network, "smallest=1", "ema=0")
    run(tmp_path / "run", [dataset], settings, Budget(epochs=25))
    rows = (tmp_path / "run" / "log.csv").read_text().splitlines()[1:]
    losses = [float(row.split(",")[4]) for row in rows]
    assert losses[-1] < share * losses[0]


def test_averaged_weights_follow_the_trained_ones(tmp_path, made):
    run(tmp_path / "a", made, settings_of("baseline", "ema=0"), Budget(epochs=1))
    state = state_of(tmp_path / "a")
    for key, value in state["network"].items():
        assert torch.equal(state["ema"][f"module.{key}"], value), key
    run(tmp_path / "b", made, settings_of("baseline", "ema=0.9"), Budget(epochs=1))
    state = state_of(tmp_path / "b")
    key = "layers.0.weight"
    assert not torch.equal(state["ema"][f"module.{key}"], state["network"][key])


def test_learning_rate_warms_up_and_falls_to_nothing(tmp_path, made, monkeypatch):
    rates = []
    set_lr = training._Trainer._set_lr

    def watched(self, progress):
        set_lr(self, progress)
        rates.append(self.optimizer.param_groups[0]["lr"])

    monkeypatch.setattr(training._Trainer, "_set_lr", watched)
    settings = settings_of("baseline", "lr=0.01", "warmup=0.25")
    run(tmp_path / "run", made, settings, Budget(epochs=5))
    assert len(rates) == 20
    assert rates[:6] == pytest.approx([1e-5, 0.002, 0.004, 0.006, 0.008, 0.01])
    assert all(earlier >= later for earlier, later in pairwise(rates[5:]))
    assert rates[-1] < 0.001


def test_the_backbone_learns_at_its_own_rate(tmp_path, made, monkeypatch):
    first = []
    begin = training._Trainer.run_to_end

    def watched(self, stopped):
        first.append({name: p.detach().clone() for name, p in self.network.named_parameters()})
        return begin(self, stopped)

    monkeypatch.setattr(training._Trainer, "run_to_end", watched)
    settings = settings_of("unet", "lr=0.01", "backbone_lr=1e-9", "frozen_norms=1")
    run(tmp_path / "run", made, settings, Budget(epochs=1))
    after = state_of(tmp_path / "run")["network"]
    moved = {name: (after[name] - p).abs().max().item() for name, p in first[0].items()}
    backbone = {name for name in moved if name.startswith("backbone.")}
    assert 0 < max(moved[name] for name in backbone) < 1e-6
    assert all(moved[name] > 1e-4 for name in moved.keys() - backbone)


@pytest.mark.parametrize("precision", ["bf16", "auto"])
def test_other_precisions(tmp_path, made, precision):
    settings = settings_of("baseline", f"precision={precision}")
    assert run(tmp_path / "run", made, settings, Budget(epochs=1))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine can do fp16")
def test_a_precision_that_the_device_has_not_is_one_line(tmp_path, made):
    with pytest.raises(ColorizeError, match="--set precision=fp16: needs a GPU"):
        run(tmp_path / "run", made, settings_of("baseline", "precision=fp16"))


# budgets


def test_progress_is_by_the_clock_or_by_epochs():
    assert Budget(minutes=2).progress(60, 7, 3) == 0.5
    assert Budget(epochs=2).progress(60, 3, 3) == 0.5
    assert (str(Budget(minutes=2)), str(Budget(epochs=3))) == ("--minutes 2", "--epochs 3")


@pytest.mark.parametrize(
    "wrong", [{}, {"minutes": 1, "epochs": 1}, {"minutes": 0}, {"epochs": -1}, {"minutes": np.nan}]
)
def test_a_budget_is_minutes_or_epochs(wrong):
    with pytest.raises(ColorizeError, match="one of them"):
        Budget(**wrong)


def test_minutes_end_on_time(tmp_path, made, monkeypatch):
    now = [0.0]

    def tick():
        now[0] += 1
        return now[0]

    monkeypatch.setattr(training.time, "monotonic", tick)
    assert run(tmp_path / "run", made, settings_of("baseline"), Budget(minutes=0.5))
    state = state_of(tmp_path / "run")
    assert 30 <= state["seconds"] <= 34  # a step and the last validation
    assert 6 <= state["place"][0] <= 15
    last = (tmp_path / "run" / "log.csv").read_text().splitlines()[-1]
    assert int(last.split(",")[0]) == state["place"][0]


@pytest.mark.parametrize(
    ("change", "arguments"),
    [
        ("zero_embedding=1", {"zero_embedding": True}),
        ("local=16", {"local": 16}),
        ("unpooled=2", {"unpooled": 2}),
    ],
)
def test_fusions_ablations_train_and_their_record_says_so(tmp_path, made, change, arguments):
    run(tmp_path / "run", made, settings_of("fusion", change), Budget(epochs=1))
    network, record = load_checkpoint(tmp_path / "run" / "best")
    assert record.arguments == {"backbone": "test_resnet", "backbone_size": 32} | arguments
    assert f"--set {change}" in record.training["command"]
    assert network(torch.rand(1, 1, 24, 16)).shape == (1, 2, 24, 16)


def test_a_choice_of_photos_is_trained_on_and_recorded(tmp_path, made):
    run(tmp_path / "run", made, settings_of("baseline", "photos=12"), Budget(epochs=1))
    _, record = load_checkpoint(tmp_path / "run" / "best")
    assert sum(record.data["train"].values()) == 12
    assert record.training["steps"] == 3
    assert "--set photos=12" in record.training["command"]


# what cannot go on


def test_another_run_is_not_overwritten_and_not_resumed(tmp_path, made):
    settings = settings_of("baseline")
    run(tmp_path / "run", made, settings, Budget(epochs=1))
    with pytest.raises(ColorizeError, match="holds a run already"):
        run(tmp_path / "run", made, settings)
    with pytest.raises(ColorizeError, match="started with another lr"):
        run(tmp_path / "run", made, settings_of("baseline", "lr=0.1"), resume=True)
    made[0].photos["train"].pop()
    with pytest.raises(ColorizeError, match="another names of the photos, train"):
        run(tmp_path / "run", made, settings, resume=True)


def test_nothing_to_train_on_is_one_line(tmp_path, made):
    empty = [Dataset("a", {"train": [], "val": [], "test": []})]
    with pytest.raises(ColorizeError, match="No dataset has photos in 'train'"):
        run(tmp_path / "run", empty, settings_of("baseline"))
    with pytest.raises(ColorizeError, match="18 photos an epoch are fewer than a batch of 32"):
        run(tmp_path / "run", made, settings_of("baseline", "batch=32"))


def test_repeating_an_unknown_dataset_is_one_line(tmp_path, made):
    with pytest.raises(ColorizeError, match="repeat: there is no dataset c"):
        run(tmp_path / "run", made, settings_of("baseline", "repeat=a:2,c:3"))
    assert not (tmp_path / "run").exists()


def test_a_loss_that_explodes_is_one_line(tmp_path, made, monkeypatch):
    monkeypatch.setattr(training, "make_loss", lambda *a: lambda output, ab: output.sum() * np.inf)
    with pytest.raises(ColorizeError, match=r"The loss is .* at step 0; try a lower lr"):
        run(tmp_path / "run", made, settings_of("baseline"))


def test_without_accelerate_it_says_what_to_install(tmp_path, made, monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ColorizeError, match="needs accelerate: pip install"):
        run(tmp_path / "run", made, settings_of("baseline"))
