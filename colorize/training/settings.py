"""The settings of a training run: defaults per network, `--set key=value`, and checks."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo

from colorize.errors import ColorizeError
from colorize.models.record import WITH_HINTS

Loss = Literal["mse", "half-sum", "one-hot", "soft", "soft+mse"]
Precision = Literal["auto", "no", "bf16", "fp16"]
LOSSES: tuple[str, ...] = get_args(Loss)
PRECISIONS: tuple[str, ...] = get_args(Precision)

_AtLeast1 = Annotated[int, Field(ge=1)]
_Count = Annotated[int, Field(ge=0)]
_Side = Annotated[int, Field(ge=8, le=4096)]
_NotNegative = Annotated[float, Field(ge=0)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Part = Annotated[float, Field(ge=0, lt=1)]
_Times = Annotated[float, Field(ge=0, le=100)]


def _pairs(value: Any) -> Any:
    """`people:2,tiny:0.25` as a dictionary."""
    if not isinstance(value, str):
        return value
    return {
        name: times for name, _, times in (pair.partition(":") for pair in value.split(",") if pair)
    }


@dataclass(frozen=True, config=ConfigDict(allow_inf_nan=False))
class Settings:
    """What a run does besides its data and its length. One line a key in `train --help`.

    pydantic's ValidationError (a ValueError) where values cannot be right, or not together.
    """

    network: str
    crop: _Side = Field(96, description="side of a training crop in pixels")
    smallest: Annotated[float, Field(gt=0, le=1)] = Field(
        0.6, description="a crop's smallest share of the photo's short side"
    )
    short_side: _AtLeast1 = Field(144, description="photos are kept decoded at this short side")
    batch: _AtLeast1 = Field(32, description="photos a step and process")
    lr: Annotated[float, Field(gt=0)] = Field(1e-3, description="highest learning rate")
    weight_decay: _NotNegative = Field(0.0, description="of AdamW")
    warmup: _Part = Field(0.03, description="share of the run")
    ema: _Part = Field(0.995, description="decay of the averaged weights, 0 = none")
    loss: Loss = Field("mse", description=" | ".join(LOSSES))
    mse_weight: _NotNegative = Field(
        1.0, description="of the mean's squared error in soft+mse, in squares of a bin"
    )
    every: _AtLeast1 = Field(1, description="the loss looks at every k-th row and column, in turn")
    rebalance: _Share = Field(1.0, description="lambda of the class weights; 1 = none")
    temperature: _NotNegative = Field(
        0.38, description="the decoding that ships, for networks over bins"
    )
    backbone: str = Field("", description="timm name, where the network has one")
    backbone_size: _Count = Field(0, description="its input's side in pixels; 0 = its own")
    backbone_file: str = Field("", description="its weights, also with start; empty = fetched")
    zero_embedding: Annotated[int, Field(le=1, ge=0)] = Field(
        0, description="1 = fusion without the backbone's embedding, an ablation"
    )
    local: _Count = Field(
        0, description="fusion's last layer with filters of their own in local x local places"
    )
    unpooled: Annotated[int, Field(ge=0, le=4)] = Field(
        0, description="strides of fusion's backbone, the last ones, that join it unpooled, too"
    )
    photos: _Count = Field(
        0, description="photos of all datasets together, always the same choice; 0 = all"
    )
    hints: _Share = Field(0.0, description="share of the photos that are shown with colour hints")
    degrade: _Share = Field(0.0, description="share of the photos whose L is aged")
    drop_path: _Part = Field(
        0.0, description="share of the unet's deepest backbone block that training leaves out"
    )
    backbone_lr: _NotNegative = Field(
        0.0, description="highest learning rate of the unet's backbone, 0 = lr"
    )
    frozen_norms: Annotated[int, Field(ge=0, le=1)] = Field(
        0, description="1 = the unet's backbone keeps the statistics of its batch normalisation"
    )
    attention: Annotated[int, Field(ge=0, le=1)] = Field(
        0, description="1 = the unet's deepest maps look at themselves"
    )
    chroma_weight: _NotNegative = Field(
        0.0, description="how much more a pixel of chroma 50 counts than a grey one, over bins"
    )
    adversarial: _NotNegative = Field(
        0.0, description="weight of a patch discriminator's loss, for networks over bins"
    )
    start: str = Field(
        "", description="a checkpoint that training goes on from, with a schedule of its own"
    )
    keep: _Count = Field(
        0, description="keeps a checkpoint every so many steps, besides the best; 0 = none"
    )
    repeat: Annotated[dict[str, _Times], BeforeValidator(_pairs)] = Field(
        default_factory=dict, description="times an epoch shows a dataset"
    )
    size: _Side = Field(96, description="the record's working size")
    precision: Precision = Field("auto", description=" | ".join(PRECISIONS))
    workers: Annotated[int, Field(ge=-1)] = Field(
        -1, description="loader processes; -1 = 0 on a CPU, 8 on a GPU"
    )
    seed: _Count = Field(0, description="of weights, crops and their order")

    @model_validator(mode="after")
    def _go_together(self) -> "Settings":
        over_bins = is_over_bins(self)
        has_backbone = "backbone" in _DEFAULTS.get(self.network, {})
        network = self.network
        rules = {
            f"loss={self.loss} does not go with {network}": network in _EITHER
            or over_bins == (network in _OVER_BINS),
            f"every={self.every} does not go with {network}": self.every == 1
            or network in _BY_PIXELS,
            "rebalance needs loss=soft": self.rebalance == 1 or self.loss.startswith("soft"),
            f"hints do not go with {network}": self.hints == 0 or network in WITH_HINTS,
            f"drop_path does not go with {network}": network == "unet" or not self.drop_path,
            f"backbone_lr and frozen_norms do not go with {network}": network == "unet"
            or not (self.backbone_lr or self.frozen_norms),
            f"attention does not go with {network}": network == "unet" or not self.attention,
            f"chroma_weight does not go with loss={self.loss}": self.loss.startswith("soft")
            or not self.chroma_weight,
            f"backbone needs a name for {network}": bool(self.backbone) or not has_backbone,
            "adversarial needs a loss over bins and every=1": self.adversarial == 0
            or (over_bins and self.every == 1),
            f"zero_embedding, local and unpooled do not go with {network}": network == "fusion"
            or not (self.zero_embedding or self.local or self.unpooled),
            f"backbone_size does not go with {network}": network != "unet"
            or not self.backbone_size,
            f"backbone does not go with {network}": has_backbone
            or not (self.backbone or self.backbone_size or self.backbone_file),
        }
        for message, holds in rules.items():
            if not holds:
                raise ValueError(message)
        return self


_DEFAULTS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "fusion": {"backbone": "inception_resnet_v2"},
    "regression": {"loss": "half-sum"},
    "classifier": {"loss": "soft", "every": 2},
    "zhang": {"loss": "soft", "rebalance": 0.5},
    "siggraph17": {"hints": 0.5},
    "deoldify": {},
    "ddcolor": {},
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
_KEYS: dict[str, FieldInfo] = {
    key: field for key, field in Settings.__pydantic_fields__.items() if key != "network"
}
_LIMITS = {
    "greater_than": "above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "finite_number": "a finite number",
}


def make_settings(network: str, changes: Iterable[str] = ()) -> Settings:
    """Defaults of a network with `key=value` changes; ColorizeError says which is wrong."""
    if network not in _DEFAULTS:
        raise ColorizeError(f"no network {network!r}; there are: {', '.join(_DEFAULTS)}")
    texts: dict[str, str] = {}
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or key not in _KEYS:
            known = ", ".join(_KEYS)
            raise ColorizeError(f"--set {change}: expected key=value with a key of: {known}")
        texts[key] = text
    try:
        return Settings(network, **(_DEFAULTS[network] | texts))
    except ValidationError as error:
        raise ColorizeError(f"--set {_fault(error, texts)}") from error


def _fault(error: ValidationError, texts: Mapping[str, str]) -> str:
    """What is wrong first, as "batch=many: expected int, found 'many'"."""
    fault = error.errors()[0]
    if not fault["loc"]:  # values that do not go together
        return str(fault["ctx"]["error"])
    key, kind, limits = str(fault["loc"][0]), fault["type"], fault.get("ctx", {})
    if kind == "literal_error":
        expected = f"one of {', '.join(get_args(_KEYS[key].annotation))}"
    elif kind in _LIMITS:
        expected = _LIMITS[kind].format(**limits)
    elif key == "repeat":
        expected = "people:2,tiny:0.25"
    else:
        expected = "int" if kind.startswith("int") else "float"
    return f"{key}={texts[key]}: expected {expected}, found {texts[key]!r}"


def describe_settings() -> str:
    """A line a setting for `train --help`: key, default and meaning."""
    pairs = {key: f"{key}={_default(field)}" for key, field in _KEYS.items()}
    width = max(map(len, pairs.values()))
    return "\n".join(f"{pair:{width}}  {_KEYS[key].description}" for key, pair in pairs.items())


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return ""
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def is_over_bins(settings: Settings) -> bool:
    """Whether the network gives logits over the bins; its loss decides."""
    return settings.loss.startswith(("one-hot", "soft"))


def changes_of(settings: Settings) -> list[str]:
    """The `key=value` that make these settings from the network's defaults."""
    default = make_settings(settings.network)
    pairs = asdict(settings).items()
    changed = {key: value for key, value in pairs if value != getattr(default, key)}
    return [f"{key}={_text(value)}" for key, value in changed.items()]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{times:g}" for name, times in value.items())
    return value if isinstance(value, str) else json.dumps(value)
