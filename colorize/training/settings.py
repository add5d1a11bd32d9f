"""The settings of a training run: defaults per network, `--set key=value`, and checks."""

import dataclasses
import json
import math
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from colorize.errors import ColorizeError
from colorize.models.record import WITH_HINTS

LOSSES = ("mse", "half-sum", "one-hot", "soft", "soft+mse")
PRECISIONS = ("auto", "no", "bf16", "fp16")


@dataclass(frozen=True)
class Settings:
    """What a run does besides its data and its length. One line a key in `train --help`."""

    network: str
    crop: int = 96  # side of a training crop in pixels
    smallest: float = 0.6  # a crop's smallest share of the photo's short side
    short_side: int = 144  # photos are kept decoded at this short side
    batch: int = 32  # photos a step and process
    lr: float = 1e-3  # highest learning rate
    weight_decay: float = 0.0  # of AdamW
    warmup: float = 0.03  # share of the run
    ema: float = 0.995  # decay of the averaged weights, 0 = none
    loss: str = "mse"  # mse | half-sum | one-hot | soft | soft+mse
    mse_weight: float = 1.0  # of the mean's squared error in soft+mse, in squares of a bin
    every: int = 1  # the loss looks at every k-th row and column, in turn
    rebalance: float = 1.0  # lambda of the class weights; 1 = none
    temperature: float = 0.38  # the decoding that ships, for networks over bins
    backbone: str = ""  # timm name, where the network has one
    backbone_size: int = 0  # its input's side in pixels; 0 = its own
    backbone_file: str = ""  # its weights; empty = fetched
    zero_embedding: int = 0  # 1 = fusion without the backbone's embedding, an ablation
    local: int = 0  # fusion's last layer with filters of their own in local x local places
    photos: int = 0  # photos of all datasets together, always the same choice; 0 = all
    hints: float = 0.0  # share of the photos that are shown with colour hints
    degrade: float = 0.0  # share of the photos whose L is aged
    drop_path: float = 0.0  # share of the unet's deepest backbone block that training leaves out
    adversarial: float = 0.0  # weight of a patch discriminator's loss, for networks over bins
    start: str = ""  # a checkpoint that training goes on from, with a schedule of its own
    keep: int = 0  # keeps a checkpoint every so many steps, besides the best; 0 = none
    repeat: dict[str, float] = field(default_factory=dict)  # times an epoch shows a dataset
    size: int = 96  # the record's working size
    precision: str = "auto"  # auto | no | bf16 | fp16
    workers: int = -1  # loader processes; -1 = 0 on a CPU, 8 on a GPU
    seed: int = 0  # of weights, crops and their order


_DEFAULTS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "fusion": {"backbone": "inception_resnet_v2"},
    "regression": {"loss": "half-sum"},
    "classifier": {"loss": "soft", "every": 2},
    "zhang": {"loss": "soft", "rebalance": 0.5},
    "unet": {
        "backbone": "tf_efficientnet_lite2",
        "loss": "soft+mse",
        "every": 2,
        "crop": 112,
        "size": 192,
        "ema": 0.999,
        "weight_decay": 0.01,
        "hints": 0.35,
        "degrade": 0.35,
    },
}
_OVER_BINS = ("classifier", "zhang")
_EITHER = ("unet",)  # over bins or not, as the loss asks
_BY_PIXELS = ("regression", "classifier", "unet")  # can compute some pixels of their output alone


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
    s = settings
    over_bins = is_over_bins(s)
    has_backbone = "backbone" in _DEFAULTS[s.network]
    rules = {
        f"loss={s.loss}: expected one of {', '.join(LOSSES)}": s.loss in LOSSES,
        f"loss={s.loss} does not go with {s.network}": s.network in _EITHER
        or over_bins == (s.network in _OVER_BINS),
        f"precision={s.precision}: expected one of {', '.join(PRECISIONS)}": s.precision
        in PRECISIONS,
        "crop and size must be from 8 to 4096": all(8 <= n <= 4096 for n in (s.crop, s.size)),
        "short_side, batch and every must be above 0": min(s.short_side, s.batch, s.every) > 0,
        f"every={s.every} does not go with {s.network}": s.every == 1 or s.network in _BY_PIXELS,
        "smallest must be in (0, 1]": 0 < s.smallest <= 1,
        "warmup must be in [0, 1)": 0 <= s.warmup < 1,
        "rebalance must be in [0, 1]": 0 <= s.rebalance <= 1,
        "rebalance needs loss=soft": s.rebalance == 1 or s.loss.startswith("soft"),
        "mse_weight must not be below 0": 0 <= s.mse_weight < math.inf,
        "hints and degrade must be in [0, 1]": all(0 <= x <= 1 for x in (s.hints, s.degrade)),
        f"hints do not go with {s.network}": s.hints == 0 or s.network in WITH_HINTS,
        "drop_path must be in [0, 1)": 0 <= s.drop_path < 1,
        f"drop_path does not go with {s.network}": s.network == "unet" or not s.drop_path,
        "ema must be in [0, 1)": 0 <= s.ema < 1,
        "lr must be above 0": 0 < s.lr < math.inf,
        "temperature must not be below 0": 0 <= s.temperature < math.inf,
        "weight_decay must not be below 0": 0 <= s.weight_decay < math.inf,
        "repeat: numbers from 0 to 100": all(0 <= times <= 100 for times in s.repeat.values()),
        "workers must be -1 or more": s.workers >= -1,
        "seed must not be below 0": s.seed >= 0,
        "backbone_size must not be below 0": s.backbone_size >= 0,
        f"backbone needs a name for {s.network}": bool(s.backbone) or not has_backbone,
        "adversarial must not be below 0": 0 <= s.adversarial < math.inf,
        "adversarial needs a loss over bins and every=1": s.adversarial == 0
        or (over_bins and s.every == 1),
        "keep must not be below 0": s.keep >= 0,
        "photos and local must not be below 0": min(s.photos, s.local) >= 0,
        "zero_embedding must be 0 or 1": s.zero_embedding in (0, 1),
        f"zero_embedding and local do not go with {s.network}": s.network == "fusion"
        or not (s.zero_embedding or s.local),
        f"backbone_size does not go with {s.network}": s.network != "unet" or not s.backbone_size,
        f"backbone does not go with {s.network}": has_backbone
        or not (s.backbone or s.backbone_size or s.backbone_file),
    }
    for message, holds in rules.items():
        if not holds:
            raise ColorizeError(f"--set {message}")


def is_over_bins(settings: Settings) -> bool:
    """Whether the network gives logits over the bins; its loss decides."""
    return settings.loss.startswith(("one-hot", "soft"))


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
