"""The baseline CNN of the first paper."""

import torch.nn.functional as F
from torch import Tensor, nn

from colorize.models.networks.padding import pad_to_multiple

FILTERS = (16, 32, 64, 128, 256, 128, 64, 64, 32, 2)


class Baseline(nn.Module):
    """The first paper's baseline: "Colorization of Grayscale Images using deep CNN ...", 4.1.

    3x3 convolutions, LeakyReLU then BatchNorm after each but the last, tanh after the last,
    2x2 max-pooling after every second BatchNorm. The paper says "8 convolutional layers" and
    prints ten filter numbers; all ten are built. How the output came back to full size is not
    printed: bilinear here.

    L `(N, 1, H, W)` in [-1, 1] -> ab / 110 `(N, 2, H, W)` in [-1, 1].
    """

    over_bins = False
    lightness = (50.0, 50.0)
    stride = 16

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = (1, *FILTERS[:-1])
        for number, (before, after) in enumerate(zip(inputs, FILTERS, strict=True), start=1):
            layers.append(nn.Conv2d(before, after, 3, padding=1))
            if number < len(FILTERS):
                layers += [nn.LeakyReLU(), nn.BatchNorm2d(after)]
                if number % 2 == 0:
                    layers.append(nn.MaxPool2d(2))
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, L: Tensor) -> Tensor:
        height, width = L.shape[-2:]
        ab = self.layers(pad_to_multiple(L, self.stride))
        ab = F.interpolate(ab, scale_factor=self.stride, mode="bilinear", align_corners=False)
        return ab[..., :height, :width]
