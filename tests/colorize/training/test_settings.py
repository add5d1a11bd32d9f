from dataclasses import fields

import pytest

from colorize.errors import ColorizeError
from colorize.models.networks import NETWORKS
from colorize.training.settings import (
    LOSSES,
    Settings,
    changes_of,
    describe_settings,
    is_over_bins,
    make_settings,
)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_defaults_that_pass_their_own_checks(network):
    settings = make_settings(network)
    assert settings.network == network
    assert is_over_bins(settings) == NETWORKS[network].over_bins
    assert changes_of(settings) == []


def test_changes_are_read_by_the_type_of_their_key():
    settings = make_settings(
        "fusion",
        ["batch=8", "lr=3e-4", "backbone=resnet18", "repeat=people:2,tiny:0.25", "workers=-1"],
    )
    assert (settings.batch, settings.lr, settings.backbone) == (8, 3e-4, "resnet18")
    assert settings.repeat == {"people": 2.0, "tiny": 0.25}


def test_a_value_may_hold_an_equals_sign():
    settings = make_settings("fusion", ["backbone_file=a=b.safetensors"])
    assert settings.backbone_file == "a=b.safetensors"


@pytest.mark.parametrize(
    "changes",
    [[], ["batch=8"], ["lr=0.0001", "repeat=people:2,tiny:0.25"], ["loss=one-hot", "rebalance=1"]],
)
def test_changes_of_gives_what_makes_the_same_settings(changes):
    settings = make_settings("zhang", changes)
    assert make_settings("zhang", changes_of(settings)) == settings


def test_an_unknown_network_comes_with_those_there_are():
    with pytest.raises(ColorizeError, match="no network 'unknown'; there are: baseline, fusion"):
        make_settings("unknown")


@pytest.mark.parametrize("change", ["batch", "=3", "depth=3", "network=fusion", "Batch=3", ""])
def test_an_unknown_key_comes_with_those_there_are(change):
    with pytest.raises(ColorizeError, match=r"expected key=value with a key of: crop, .*, seed"):
        make_settings("baseline", [change])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("batch=many", "expected int, found 'many'"),
        ("batch=1.5", "expected int"),
        ("lr=", "expected float, found ''"),
        ("repeat=people", "expected people:2,tiny:0.25, found 'people'"),
        ("repeat=people:x", "expected people:2"),
    ],
)
def test_a_value_of_another_type_is_refused(change, expected):
    with pytest.raises(ColorizeError, match=f"--set {change}: {expected}"):
        make_settings("baseline", [change])


@pytest.mark.parametrize(
    ("network", "change", "expected"),
    [
        ("baseline", "loss=l1", f"loss=l1: expected one of {', '.join(LOSSES)}"),
        ("baseline", "loss=soft", "loss=soft does not go with baseline"),
        ("classifier", "loss=mse", "loss=mse does not go with classifier"),
        ("baseline", "precision=fp8", "precision=fp8: expected one of auto, no, bf16, fp16"),
        ("baseline", "crop=4", "crop=4: expected 8 or more, found '4'"),
        ("baseline", "size=5000", "size=5000: expected at most 4096, found"),
        ("baseline", "batch=0", "batch=0: expected 1 or more"),
        ("baseline", "every=2", "every=2 does not go with baseline"),
        ("baseline", "smallest=0", "smallest=0: expected above 0, found '0'"),
        ("baseline", "smallest=nan", "smallest=nan: expected a finite number"),
        ("baseline", "warmup=1", "warmup=1: expected below 1"),
        ("unet", "drop_path=1", "drop_path=1: expected below 1"),
        ("baseline", "drop_path=0.1", "drop_path does not go with baseline"),
        ("unet", "backbone_lr=-1", "backbone_lr=-1: expected 0 or more"),
        ("fusion", "backbone_lr=0.001", "backbone_lr and frozen_norms do not go with fusion"),
        ("classifier", "frozen_norms=1", "backbone_lr and frozen_norms do not go with classifier"),
        ("unet", "frozen_norms=2", "frozen_norms=2: expected at most 1"),
        ("classifier", "rebalance=1.5", "rebalance=1.5: expected at most 1"),
        ("baseline", "rebalance=0.5", "rebalance needs loss=soft"),
        ("baseline", "ema=1", "ema=1: expected below 1"),
        ("baseline", "lr=0", "lr=0: expected above 0"),
        ("baseline", "lr=inf", "lr=inf: expected a finite number"),
        ("baseline", "temperature=-1", "temperature=-1: expected 0 or more"),
        ("baseline", "weight_decay=-1", "weight_decay=-1: expected 0 or more"),
        ("baseline", "repeat=people:-1", "repeat=people:-1: expected 0 or more"),
        ("baseline", "workers=-2", "workers=-2: expected -1 or more"),
        ("baseline", "seed=-1", "seed=-1: expected 0 or more"),
        ("baseline", "backbone=resnet18", "backbone does not go with baseline"),
        ("baseline", "backbone_size=64", "backbone does not go with baseline"),
        ("fusion", "backbone=", "backbone needs a name for fusion"),
        ("fusion", "backbone_size=-1", "backbone_size=-1: expected 0 or more"),
        ("fusion", "zero_embedding=2", "zero_embedding=2: expected at most 1"),
        ("fusion", "local=-1", "local=-1: expected 0 or more"),
        ("baseline", "photos=-1", "photos=-1: expected 0 or more"),
        ("unet", "local=16", "zero_embedding, local and unpooled do not go with unet"),
        ("unet", "unpooled=2", "zero_embedding, local and unpooled do not go with unet"),
    ],
)
def test_impossible_values_are_refused_in_one_line(network, change, expected):
    with pytest.raises(ColorizeError) as error:
        make_settings(network, [change])
    assert str(error.value).startswith(f"--set {expected}")
    assert "\n" not in str(error.value)


def test_settings_cannot_be_changed_later():
    settings = make_settings("baseline")
    assert all(field.name for field in fields(Settings))
    with pytest.raises(AttributeError):
        settings.batch = 3


def test_every_setting_is_there_with_its_meaning():
    lines = describe_settings().splitlines()
    keys = [field.name for field in fields(Settings) if field.name != "network"]
    assert [line.partition("=")[0] for line in lines] == keys
    for line in lines:
        pair, _, meaning = line.partition("  ")
        assert meaning.strip(), line
        if not pair.endswith("="):  # what it says is the default is one
            key, _, value = pair.strip().partition("=")
            assert str(getattr(make_settings("baseline", [f"{key}={value}"]), key)).startswith(
                value
            )
