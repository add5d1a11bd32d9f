"""Our own network: a U-Net over a pretrained backbone that is trained with the rest."""

from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.color import bins
from colorize.errors import ColorizeError
from colorize.models.networks.backbone import create
from colorize.models.networks.padding import pad_to_multiple
from colorize.models.networks.reduced import ALL_PIXELS

HINT_CHANNELS = 3  # a, b over 110, and 1 where there is a hint
_HEADS = 4


class UNet(nn.Module):
    """Features of a timm backbone at strides 2 to 32, a decoder with skip connections.

    No network of a paper: after Ronneberger et al. 2015 ("U-Net"), with the classes of Zhang et
    al. 2016 and the hints of Zhang et al. 2017 ("Real-Time User-Guided Image Colorization",
    3.2). The last features are also pooled over the photo and added everywhere, so that what a
    photo shows as a whole reaches every pixel. Upsampling is bilinear: transposed convolutions
    leave checkerboards. With `attention` every place of the maps at strides 32 and 16 also looks at
    every other one, so that like things can have like colours.

    L `(N, 1, H, W)` in [-1, 1] and hints `(N, 3, H, W)` (a / 110, b / 110, 1; 0, 0, 0 where
    there is none; None means none anywhere) -> logits over `bins.centres()`
    `(N, 313, H / 2, W / 2)`, rounded up, or where `outputs` is 2 ab / 110 of that size; of these
    only the rows and columns `pixels` where they are given.
    """

    over_bins = True  # where `outputs` is not 2
    takes_hints = True
    lightness = (50.0, 50.0)
    stride = 32
    output_stride = 2

    def __init__(
        self,
        backbone: str = "tf_efficientnet_lite2",
        widths: tuple[int, ...] = (256, 192, 128, 96, 64),
        outputs: int = bins.COUNT,
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.over_bins = outputs == bins.COUNT
        self.backbone = Encoder(backbone)
        if self.backbone.strides != [2, 4, 8, 16, 32]:
            raise ColorizeError(
                f"unet needs a backbone with features at strides 2, 4, 8, 16 and 32; {backbone} "
                f"has them at {', '.join(map(str, self.backbone.strides))}"
            )
        *skips, deepest = self.backbone.channels
        skips[0] += 4 + HINT_CHANNELS
        self.bottom = _block(deepest, widths[0])
        self.context = nn.Conv2d(deepest, widths[0], 1)
        self.attention = nn.ModuleList(_Attention(width) for width in widths[: 2 * attention])
        steps = zip(pairwise(widths), reversed(skips), strict=True)
        self.decoder = nn.ModuleList(
            _block(before + skip, after) for (before, after), skip in steps
        )
        self.last = _block(widths[-1], widths[-1])
        self.head = nn.Conv2d(widths[-1], outputs, 1)

    def forward(
        self,
        L: Tensor,
        hints: Tensor | None = None,
        pixels: tuple[slice, slice] = ALL_PIXELS,
    ) -> Tensor:
        height, width = (-(-side // 2) for side in L.shape[-2:])
        if hints is None:
            hints = L.new_zeros(len(L), HINT_CHANNELS, *L.shape[-2:])
        L, hints = (pad_to_multiple(x, self.stride) for x in (L, hints))
        *skips, deepest = self.backbone(L, hints)
        skips[0] = torch.cat((skips[0], F.pixel_unshuffle(L, 2), F.avg_pool2d(hints, 2)), 1)
        x = self.bottom(deepest) + self.context(deepest.mean((2, 3), keepdim=True))
        looks = [*self.attention, *[None] * len(self.decoder)]
        for look, block, skip in zip(looks, self.decoder, reversed(skips), strict=False):
            x = x if look is None else look(x)
            x = F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat((x, skip.to(x.dtype)), 1))
        x = self.last(x)[..., :height, :width]
        return self.head(x[..., pixels[0], pixels[1]])

    def describe(self, L: Tensor) -> Tensor:
        """The backbone's features `(N, C, H / 16, W / 16)` of L as `forward` takes it, by which
        things are told apart; of a photo padded to whole `stride`s.
        """
        return self.describe_all(L)[3]

    def describe_all(self, L: Tensor) -> list[Tensor]:
        """The same at each stride: 2, 4, 8, 16 and 32."""
        L = pad_to_multiple(L, self.stride)
        return self.backbone(L, L.new_zeros(len(L), HINT_CHANNELS, *L.shape[-2:]))


class _Attention(nn.Module):
    """Self-attention between all places of a map (Vaswani et al. 2017, 3.2.2), added to it.

    It starts at nothing, so that a network without it can be trained on with it.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.project = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.project(self.norm(x)).flatten(2).unflatten(1, (3, _HEADS, -1))
        query, key, value = parts.transpose(-1, -2).unbind(1)
        seen = F.scaled_dot_product_attention(query, key, value)
        return x + self.out(seen.transpose(-1, -2).reshape(x.shape))


class Encoder(nn.Module):
    """The features of a timm network at each stride, trainable, of grey pictures and hints.

    The first convolution has three more inputs than the pretrained one, which start at nothing.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.network = create(name, features_only=True, in_chans=3 + HINT_CHANNELS)
        first = next(m for m in self.network.modules() if isinstance(m, nn.Conv2d))
        nn.init.zeros_(first.weight[:, 3:].detach())
        self.channels = list(self.network.feature_info.channels())
        self.strides = list(self.network.feature_info.reduction())
        config = self.network.pretrained_cfg
        mean, std = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)
        self._frozen: list[nn.Module] = []

    def drop_paths(self, highest: float) -> None:
        """Stochastic depth while training (Huang et al. 2016): blocks with a shortcut are left
        out at random, the deeper the more often, the last with probability `highest`.
        """
        from timm.layers import DropPath  # timm imports only after `create`

        blocks = [block for block in self.network.modules() if hasattr(block, "drop_path")]
        for place, block in enumerate(blocks, 1):
            block.drop_path = DropPath(highest * place / len(blocks))

    def freeze_norms(self) -> None:
        """From here on batch normalisation keeps its statistics, in training as well."""
        self._frozen = [m for m in self.modules() if isinstance(m, nn.BatchNorm2d)]
        self.train(self.training)

    def train(self, mode: bool = True) -> "Encoder":
        super().train(mode)
        for norm in self._frozen:
            norm.eval()
        return self

    def forward(self, L: Tensor, hints: Tensor) -> list[Tensor]:
        grey = ((L + 1) / 2 - self.mean) / self.std
        with _full_precision(L.device):
            return self.network(torch.cat((grey, hints), 1))


def _full_precision(device: torch.device) -> Any:
    """On a CPU the depthwise convolutions of such networks are slower in bf16 than in fp32."""
    return torch.autocast("cpu", enabled=False) if device.type == "cpu" else nullcontext()


def _block(before: int, after: int) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())
