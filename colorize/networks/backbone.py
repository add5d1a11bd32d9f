"""A frozen pretrained timm network as a feature extractor of L."""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from colorize.errors import ColorizeError
from colorize.torchvision_ops import ensure_torchvision


class Backbone(nn.Module):
    """The last features of a timm network, pooled: one vector a photo.

    L `(N, 1, H, W)` in [-1, 1] goes in three times, as grey, resized to `size` (the network's
    own where None) and normalised the network's way -> `(N, features)`. Its weights never train.
    """

    def __init__(self, name: str, size: int | None = None) -> None:
        super().__init__()
        self.network = create(name, features_only=True, out_indices=(-1,))
        config = self.network.pretrained_cfg
        self.size = size or config["input_size"][-1]
        self.features = self.network.feature_info.channels()[-1]
        mean, std = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Backbone":
        return super().train(False)

    @torch.no_grad()
    def forward(self, L: Tensor) -> Tensor:
        grey = (L + 1) / 2
        size = (self.size, self.size)
        grey = F.interpolate(grey, size, mode="bicubic", align_corners=False, antialias=True)
        return self.network((grey - self.mean) / self.std)[0].mean((2, 3))


def create(name: str, **arguments: object) -> nn.Module:
    """A timm network with random weights; ColorizeError where timm knows no such name."""
    ensure_torchvision()
    import timm

    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:3])
        hint = f"; near it: {near}" if near else ""
        raise ColorizeError(f"timm knows no network {name!r}{hint}. See timm.list_models().")
    return timm.create_model(name, pretrained=False, **arguments)


def load_pretrained(network: nn.Module, name: str, file: Path | None) -> str:
    """Fills a timm network with pretrained weights; says where they are from.

    From a local safetensors file of timm's names (a classifier may be missing or left over),
    else from the hub. ColorizeError, in one line, where neither can be had.
    """
    state = load_local(file) if file else _fetch(name)
    own = network.state_dict()
    state = {key: value.float() for key, value in state.items() if key in own}
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    if missing:
        raise ColorizeError(
            f"{file or name}: {len(missing)} of the {len(own)} tensors of {name} are missing "
            f"(first {missing[0]}); expected the weights of that very network"
        )
    network.load_state_dict(state, strict=False)
    return file.name if file else f"timm/{name}"


def load_local(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; ColorizeError where it is none."""
    try:
        return load_file(file)
    except Exception as error:
        raise ColorizeError(
            f"{file}: expected a safetensors file of backbone weights, found {error}"
        ) from error


def _fetch(name: str) -> dict[str, Tensor]:
    import timm

    try:
        return timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:
        raise ColorizeError(
            f"Pretrained weights of {name} could not be fetched ({type(error).__name__}); "
            "point at a local file with --set backbone_file=FILE.safetensors"
        ) from error
