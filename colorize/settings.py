"""The settings of a training run: defaults per network, `--set key=value`, and checks."""

import dataclasses
import json
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from colorize.errors import ColorizeError

LOSSES = ("mse", "half-sum", "one-hot", "soft")


@dataclass(frozen=True)
class Settings:
    """What a run does besides its data and its length. One line a key in `--help`."""

    network: str
    crop: int = 96  # side of a training crop in pixels
    smallest: float = 0.6  # a crop's smallest share of the photo's short side
    short_side: int = 144  # photos are kept decoded at this short side
    batch: int = 32  # photos a step and process
    lr: float = 1e-3
    weight_decay: float = 0.0
    warmup: float = 0.03  # share of the run
    ema: float = 0.995  # decay of the averaged weights, 0 = none
    loss: str = "mse"  # mse | half-sum | one-hot | soft
    every: int = 1  # the loss looks at every k-th row and column, in turn
    rebalance: float = 1.0  # lambda of the class weights; 1 = none
    temperature: float = 0.38  # the decoding that ships, for networks over bins
    backbone: str = ""  # timm name, where the network has one
    backbone_size: int = 0  # its input's side in pixels; 0 = its own
    backbone_file: str = ""  # its weights; empty = fetched
    repeat: dict[str, float] = field(default_factory=dict)  # times an epoch shows a dataset
    size: int = 96  # the record's working size
    precision: str = "auto"  # auto | no | bf16 | fp16
    workers: int = -1  # loader processes; -1 = 0 on a CPU, 8 on a GPU
    seed: int = 0


_DEFAULTS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "fusion": {"backbone": "inception_resnet_v2"},
    "regression": {"loss": "half-sum"},
    "classifier": {"loss": "soft", "every": 2},
    "zhang": {"loss": "soft", "rebalance": 0.5},
}


def make_settings(network: str, changes: Iterable[str] = ()) -> Settings:
    """Defaults of a network with `key=value` changes; ColorizeError says which is wrong."""
    if network not in _DEFAULTS:
        raise ColorizeError(f"no network {network!r}; there are: {', '.join(_DEFAULTS)}")
    values = dict(_DEFAULTS[network])
    types = typing.get_type_hints(Settings)
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or key not in types or key == "network":
            known = ", ".join(name for name in types if name != "network")
            raise ColorizeError(f"--set {change}: expected key=value with a key of: {known}")
        values[key] = _parse(change, types[key], text)
    settings = Settings(network, **values)
    _check(settings)
    return settings


def _parse(change: str, wanted: Any, text: str) -> Any:
    try:
        if wanted in (int, float, str):
            return wanted(text)
        pairs = (pair.partition(":") for pair in text.split(",") if pair)
        return {name: float(times) for name, _, times in pairs}
    except ValueError as error:
        example = "people:2,tiny:0.25" if wanted not in (int, float) else wanted.__name__
        raise ColorizeError(f"--set {change}: expected {example}, found {text!r}") from error


def _check(settings: Settings) -> None:
    over_bins = settings.loss in ("one-hot", "soft")
    rules = {
        f"loss={settings.loss}: expected one of {', '.join(LOSSES)}": settings.loss in LOSSES,
        f"loss={settings.loss} does not go with {settings.network}": over_bins
        == (settings.network in ("classifier", "zhang")),
        f"precision={settings.precision}: expected auto, no, bf16 or fp16": settings.precision
        in ("auto", "no", "bf16", "fp16"),
        "crop, short_side, batch, every, size must be above 0": min(
            settings.crop, settings.short_side, settings.batch, settings.every, settings.size
        )
        > 0,
        "smallest must be in (0, 1]": 0 < settings.smallest <= 1,
        "rebalance must be in [0, 1]": 0 <= settings.rebalance <= 1,
        "ema must be in [0, 1)": 0 <= settings.ema < 1,
        "lr must be above 0, temperature and weight_decay not below 0": settings.lr > 0
        and settings.temperature >= 0
        and settings.weight_decay >= 0,
        "repeat: numbers from 0 to 100": all(0 <= t <= 100 for t in settings.repeat.values()),
    }
    for message, holds in rules.items():
        if not holds:
            raise ColorizeError(f"--set {message}")


def changes_of(settings: Settings) -> list[str]:
    """The `key=value` that make these settings from the network's defaults."""
    default = make_settings(settings.network)
    pairs = dataclasses.asdict(settings).items()
    changed = {key: value for key, value in pairs if value != getattr(default, key)}
    return [f"{key}={_text(value)}" for key, value in changed.items()]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{times:g}" for name, times in value.items())
    return value if isinstance(value, str) else json.dumps(value)
