"""DeOldify: a fastai U-Net over a ResNet, trained as a generator without many GAN steps."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.errors import ColorizeError
from colorize.models.networks.padding import pad_to_multiple
from colorize.models.networks.published.grey import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    ab_from_rgb,
    colours,
    grey_from_lightness,
)
from colorize.models.networks.published.upsampling import ShuffledUp, UpBlock, convolved
from colorize.models.networks.torchvision_ops import ensure_torchvision

_WIDTH, _DEEPER = 1024, 1.5  # of the wide decoder; how much more the deep one has than goes in
_RANGE = 3.0  # of what it gives, in deviations of ImageNet's colours
_SKIPS = (2, 4, 5, 6)  # the encoder's ReLU and first three stages


class DeOldify(nn.Module):
    """Antic 2019, github.com/jantic/DeOldify; no paper of its own, but the design has parts of
    one: fastai's dynamic U-Net with self-attention (Zhang et al. 2018, 3).

    "artistic" is a deep decoder over a ResNet-34, "stable" and "video" a wide one over a
    ResNet-101. It gives a whole picture, of which a and b are kept. Parameters bear the names of
    the published weights.

    L `(N, 1, H, W)` in [-1, 1] -> ab / 110 `(N, 2, H, W)`.
    """

    over_bins = False
    lightness = (50.0, 50.0)
    stride = 16

    def __init__(self, encoder: str = "resnet34", wide: bool = False) -> None:
        super().__init__()
        resnet, (*skips, deepest) = _encoder(encoder)
        middle = nn.Sequential(convolved(deepest, 2 * deepest), convolved(2 * deepest, deepest))
        layers: list[nn.Module] = [resnet, nn.BatchNorm2d(deepest), nn.ReLU(), middle]
        below = deepest
        for place, skip in enumerate(reversed(skips)):
            is_last, attention = place == len(skips) - 1, place == len(skips) - 3
            if wide:
                up = _WIDTH // 4 if is_last else _WIDTH // 2
                block = UpBlock(below, skip, up, up, attention=attention)
                below = up
            else:
                joined = below // 2 + skip
                after = int((joined // 2 if is_last else joined) * _DEEPER)
                names = ("conv1", "conv2")
                block = UpBlock(below, skip, below // 2, after, names, attention)
                below = after
            layers.append(block)
        joined = below + 3
        layers += [ShuffledUp(below, below, norm=False), nn.Identity(), _Residual(joined)]
        layers.append(nn.Sequential(nn.Conv2d(joined, 3, 1)))
        self.layers = nn.ModuleList(layers)
        self.register_buffer("mean", colours(IMAGENET_MEAN), persistent=False)
        self.register_buffer("deviation", colours(IMAGENET_DEVIATION), persistent=False)

    @staticmethod
    def published_arguments(state: Mapping[str, Tensor]) -> dict[str, Any]:
        """Of the network that published weights are of."""
        if any(name.startswith("layers.4.conv.") for name in state):
            return {"encoder": "resnet101", "wide": True}
        return {"encoder": "resnet34", "wide": False}

    def forward(self, L: Tensor) -> Tensor:
        height, width = L.shape[-2:]
        grey = grey_from_lightness(pad_to_multiple(L, self.stride))
        return ab_from_rgb(self.rgb(grey.expand(-1, 3, -1, -1)))[..., :height, :width]

    def rgb(self, grey: Tensor) -> Tensor:
        """sRGB `(N, 3, H, W)`, about [0, 1], of grey in [0, 1] of that shape, as the authors'."""
        encoder, norm, relu, middle, *blocks, up, _, residual, last = self.layers
        start = (grey - self.mean) / self.deviation
        x, skips = start, []
        for place, layer in enumerate(encoder):
            x = layer(x)
            if place in _SKIPS:
                skips.append(x)
        x = middle(relu(norm(x)))
        for block, skip in zip(blocks, reversed(skips), strict=True):
            x = block(x, skip)
        x = up(x)
        if x.shape[-2:] != start.shape[-2:]:
            x = F.interpolate(x, start.shape[-2:], mode="nearest")
        x = last(residual(torch.cat((x, start), 1)))
        x = x.sigmoid() * (2 * _RANGE) - _RANGE
        return x * self.deviation + self.mean


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(convolved(channels, channels, norm=False) for _ in range(2)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def _encoder(name: str) -> tuple[nn.Sequential, list[int]]:
    """A torchvision ResNet without its head; the channels of its `_SKIPS` and at its end."""
    ensure_torchvision()
    from torchvision import models

    if not name.startswith("resnet") or name not in models.list_models():
        raise ColorizeError(f"torchvision knows no ResNet {name!r}")
    resnet = models.get_model(name, weights=None)
    stages = (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4)
    channels = [resnet.bn1.num_features, *map(_width, stages)]
    return nn.Sequential(*list(resnet.children())[:-2]), channels


def _width(stage: nn.Sequential) -> int:
    """The channels that a stage gives."""
    block = stage[-1]
    return getattr(block, "conv3", block.conv2).out_channels
