"""How fastai's dynamic U-Nets go up, which DeOldify is one of and DDColor takes after.

Names of parameters are those of published weights. What is normalised by its spectrum or its
length there is a plain convolution here: the weights are folded when they are imported.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ShuffledUp(nn.Module):
    """Larger by `scale`: a 1x1 convolution, ReLU, pixel shuffle, and a blur over 2x2 pixels.

    Shi et al. 2016, 2; the blur against checkerboards is Sugawara et al. 2018's.
    `(N, before, h, w)` -> `(N, after, scale h, scale w)`.
    """

    def __init__(self, before: int, after: int, scale: int = 2, norm: bool = True) -> None:
        super().__init__()
        convolution = nn.Conv2d(before, after * scale**2, 1, bias=not norm)
        self.conv = nn.Sequential(
            convolution, *([nn.BatchNorm2d(convolution.out_channels)] if norm else [])
        )
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return blurred(F.pixel_shuffle(F.relu(self.conv(x)), self.scale))


def blurred(x: Tensor) -> Tensor:
    """The mean of each pixel and those above and left of it, same shape."""
    return F.avg_pool2d(F.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)


class UpBlock(nn.Module):
    """Twice as large, joined by the features of that size, then 3x3 convolutions.

    `names` are those of the convolutions, one each. x `(N, below, h, w)`, skip
    `(N, skip, 2h, 2w)` -> `(N, after, 2h, 2w)`.
    """

    def __init__(
        self,
        below: int,
        skip: int,
        up: int,
        after: int,
        names: tuple[str, ...] = ("conv",),
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.shuf = ShuffledUp(below, up)
        self.bn = nn.BatchNorm2d(skip)
        before = up + skip
        for name in names:
            layers = convolved(before, after)
            if attention and name == names[-1]:
                layers.append(SelfAttention(after))
            self.add_module(name, layers)
            before = after
        self._names = names

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.shuf(x)
        if x.shape[-2:] != skip.shape[-2:]:  # of an odd number of pixels
            x = F.interpolate(x, skip.shape[-2:], mode="nearest")
        x = F.relu(torch.cat((x, self.bn(skip)), 1))
        for name in self._names:
            x = getattr(self, name)(x)
        return x


class SelfAttention(nn.Module):
    """Every place looks at every other: Zhang et al. 2018 ("SAGAN"), 3. Shape kept."""

    _AT_ONCE = 1024  # places whose looks are held at a time

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv1d(channels, channels // 8, 1, bias=False)
        self.key = nn.Conv1d(channels, channels // 8, 1, bias=False)
        self.value = nn.Conv1d(channels, channels, 1, bias=False)
        # The paper starts at 0, from where the first step reaches nothing else of it.
        self.gamma = nn.Parameter(torch.full((1,), 0.01))

    def forward(self, x: Tensor) -> Tensor:
        places = x.flatten(2)
        query, key, value = (
            layer(places).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        # Each key's place is given a mean over the queries' places: the two are changed about.
        seen = [
            F.scaled_dot_product_attention(some, query, value, scale=1.0)
            for some in key.split(self._AT_ONCE, 1)
        ]
        return x + self.gamma * torch.cat(seen, 1).transpose(1, 2).view_as(x)


def convolved(before: int, after: int, norm: bool = True) -> nn.Sequential:
    """A 3x3 convolution, ReLU, and BatchNorm or, without one, a bias."""
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=not norm)
    return nn.Sequential(convolution, nn.ReLU(), *([nn.BatchNorm2d(after)] if norm else []))
