"""A frozen pretrained timm network as a feature extractor of L."""

import re
from difflib import get_close_matches
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from colorize.errors import ColorizeError
from colorize.models.networks.torchvision_ops import ensure_torchvision


class Backbone(nn.Module):
    """The last features of a timm network, pooled: one vector a photo.

    L `(N, 1, H, W)` in [-1, 1] goes in three times, as grey, resized to `size` x `size` (the
    network's own where None) and normalised the network's way -> `(N, features)`. `maps` gives
    the features of the last `levels` strides before pooling. Its weights never train and its
    BatchNorm keeps its statistics.
    """

    def __init__(self, name: str, size: int | None = None, levels: int = 1) -> None:
        super().__init__()
        self.network = create(name, features_only=True, out_indices=tuple(range(-levels, 0)))
        config = self.network.pretrained_cfg
        self.size = size or config["input_size"][-1]
        if config.get("fixed_input_size") and self.size != config["input_size"][-1]:
            raise ColorizeError(
                f"{name} takes pictures of {config['input_size'][-1]} pixels only, "
                f"found backbone_size {size}; leave it out"
            )
        self.channels = list(self.network.feature_info.channels())
        self.features = self.channels[-1]
        self._channels_last = str(getattr(self.network, "output_fmt", "NCHW")).endswith("NHWC")
        mean, std = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Backbone":
        return super().train(False)

    def forward(self, L: Tensor) -> Tensor:
        return self.maps(L)[-1].mean((2, 3))

    @torch.no_grad()
    def maps(self, L: Tensor) -> list[Tensor]:
        """The features `(N, channels, h, w)` of each level, the coarsest last."""
        grey = (L + 1) / 2
        size = (self.size, self.size)
        grey = F.interpolate(grey, size, mode="bicubic", align_corners=False, antialias=True)
        maps = self.network((grey - self.mean) / self.std)
        return [one.permute(0, 3, 1, 2) for one in maps] if self._channels_last else maps


def create(name: str, **arguments: object) -> nn.Module:
    """A timm network with random weights; ColorizeError where timm cannot make it."""
    ensure_torchvision()
    import timm

    if not timm.is_model(name):
        near = ", ".join(get_close_matches(name, timm.list_models()))
        hint = f"; near it: {near}" if near else ""
        raise ColorizeError(f"timm knows no network {name!r}{hint}. See timm.list_models()")
    try:
        return timm.create_model(name, pretrained=False, **arguments)
    except (RuntimeError, TypeError, AttributeError, AssertionError) as error:
        raise ColorizeError(f"timm gives no features of {name}: {_first_line(error)}") from error


def load_pretrained(network: nn.Module, name: str, file: Path | None) -> str:
    """Fills a timm network with pretrained weights; says where they are from.

    From a local safetensors file of timm's names (a classifier may be missing or left over),
    else from the hub. ColorizeError, in one line, where neither can be had.
    """
    own = network.state_dict()
    found = {_plain(key): value for key, value in (_read(file) if file else _fetch(name)).items()}
    state = {key: _fit(found[_plain(key)], own[key]) for key in own if _plain(key) in found}
    wrong = [
        key
        for key, value in own.items()
        if (key not in state and not key.endswith("num_batches_tracked"))
        or (key in state and state[key].shape != value.shape)
    ]
    if wrong:
        raise ColorizeError(
            f"{file or name}: {len(wrong)} of the {len(own)} tensors of {name} are missing or of "
            f"another shape (first {wrong[0]}); expected the weights of that very network"
        )
    network.load_state_dict(state, strict=False)
    return file.name if file else f"timm/{name}"


def _fit(value: Tensor, own: Tensor) -> Tensor:
    """A convolution with more inputs than the pretrained one keeps what it has for those."""
    value = value.to(own.dtype)
    more = own.shape[1] - value.shape[1] if value.ndim == own.ndim == 4 else 0
    is_wider = more > 0 and value.shape[1] == 3 and own.shape[0] == value.shape[0]
    return torch.cat((value, own[:, 3:]), 1) if is_wider else value


def _plain(key: str) -> str:
    """timm renames what it wraps for features: `features.0.weight` is `features_0.weight`."""
    return re.sub(r"^(model|body)\.", "", key).replace(".", "_")


def _read(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise ColorizeError(
            f"{file}: expected a safetensors file of backbone weights, found {_first_line(error)}"
        ) from error


def _fetch(name: str) -> dict[str, Tensor]:
    import timm

    try:
        return timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # the hub's client raises many kinds
        raise ColorizeError(
            f"Pretrained weights of {name} could not be fetched ({type(error).__name__}); "
            "point at a local file with --set backbone_file=FILE.safetensors"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
