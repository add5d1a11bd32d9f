"""The network of "Real-Time User-Guided Image Colorization": automatic, and follows hints."""

import re

import torch
from torch import Tensor, nn

from colorize.models.networks.padding import pad_to_multiple
from colorize.models.networks.published.zhang import block

HINT_CHANNELS = 3  # a, b over 110, and 1 where there is a hint


class Siggraph17(nn.Module):
    """Zhang et al. 2017, the paper's 3.2 and figure 3 (its main branch).

    The ten blocks of 3x3 convolutions of Zhang et al. 2016 with BatchNorm, taken back to full
    size with shortcuts. Parameters bear the names of the published PyTorch weights; the branch
    that guesses a distribution for the page (`model_class`) is left out.

    L `(N, 1, H, W)` as (L - 50) / 100 and hints `(N, 3, H, W)` (a / 110, b / 110, 1; 0, 0, 0
    where there is none; None means none anywhere) -> ab / 110 `(N, 2, H, W)`, in [-1, 1].
    """

    over_bins = False
    takes_hints = True
    lightness = (50.0, 100.0)
    stride = 8
    left_out = re.compile(r"model_class\.").match

    def __init__(self) -> None:
        super().__init__()
        self.model1 = block((1 + HINT_CHANNELS, 64), (64, 64))
        self.model2 = block((64, 128), (128, 128))
        self.model3 = block((128, 256), (256, 256), (256, 256))
        self.model4 = block((256, 512), (512, 512), (512, 512))
        self.model5 = block((512, 512), (512, 512), (512, 512), dilation=2)
        self.model6 = block((512, 512), (512, 512), (512, 512), dilation=2)
        self.model7 = block((512, 512), (512, 512), (512, 512))
        self.model8up = _doubled(512, 256)
        self.model3short8 = _shortcut(256, 256)
        self.model8 = nn.Sequential(nn.ReLU(), *block((256, 256), (256, 256)))
        self.model9up = _doubled(256, 128)
        self.model2short9 = _shortcut(128, 128)
        self.model9 = nn.Sequential(nn.ReLU(), *block((128, 128)))
        self.model10up = _doubled(128, 128)
        self.model1short10 = _shortcut(64, 128)
        self.model10 = nn.Sequential(
            nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1), nn.LeakyReLU(0.2)
        )
        self.model_out = nn.Sequential(nn.Conv2d(128, 2, 1), nn.Tanh())

    def forward(self, L: Tensor, hints: Tensor | None = None) -> Tensor:
        height, width = L.shape[-2:]
        if hints is None:
            hints = L.new_zeros(len(L), HINT_CHANNELS, height, width)
        first = self.model1(pad_to_multiple(torch.cat((L, hints), 1), self.stride))
        second = self.model2(first[..., ::2, ::2])
        third = self.model3(second[..., ::2, ::2])
        x = self.model4(third[..., ::2, ::2])
        x = self.model7(self.model6(self.model5(x)))
        x = self.model8(self.model8up(x) + self.model3short8(third))
        x = self.model9(self.model9up(x) + self.model2short9(second))
        x = self.model10(self.model10up(x) + self.model1short10(first))
        return self.model_out(x)[..., :height, :width]


def _doubled(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1))


def _shortcut(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1))
