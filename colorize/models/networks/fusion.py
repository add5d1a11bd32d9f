"""The final network of the first paper: encoder, embedding, fusion, decoder."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.models.networks.backbone import Backbone
from colorize.models.networks.padding import pad_to_multiple

ENCODER = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1))


class Fusion(nn.Module):
    """The first paper's final network: "Colorization of Grayscale Images ...", 3.2 and table 2.

    The plan is that of Baldassarre et al. 2017. The pooled last features of a frozen
    pretrained backbone are repeated over the H/8 x W/8 grid of the encoder, concatenated, and
    mixed by a 1x1 convolution. The paper's backbone is `inception_resnet_v2`.
    `zero_embedding` puts zeros in the embedding's place, for an ablation. With `local`, the last
    convolution is the locally connected layer of the paper's future work, of local x local places.
    With `unpooled`, the features of so many of the backbone's last strides join the grid where
    they were found, besides (after the hypercolumns of Larsson et al. 2016).

    L `(N, 1, H, W)` in [-1, 1] -> ab / 110 `(N, 2, H, W)` in [-1, 1].
    """

    over_bins = False
    lightness = (50.0, 50.0)
    stride = 8

    def __init__(
        self,
        backbone: str = "inception_resnet_v2",
        backbone_size: int | None = None,
        zero_embedding: bool = False,
        local: int = 0,
        unpooled: int = 0,
    ) -> None:
        super().__init__()
        self.zero_embedding, self.unpooled = zero_embedding, unpooled
        self.backbone = Backbone(backbone, backbone_size, max(unpooled, 1))
        before, encoder = 1, []
        for filters, stride in ENCODER:
            encoder += _convolution(before, filters, stride)
            before = filters
        self.encoder = nn.Sequential(*encoder)
        joined = self.backbone.features + (sum(self.backbone.channels) if unpooled else 0)
        self.fusion = nn.Sequential(nn.Conv2d(256 + joined, 256, 1), nn.ReLU())
        self.decoder = nn.Sequential(
            *_convolution(256, 128),
            _up(),
            *_convolution(128, 64),
            _up(),
            *_convolution(64, 32),
            *_convolution(32, 16),
            LocallyConnected(16, 2, local) if local else nn.Conv2d(16, 2, 3, padding=1),
            nn.Tanh(),
            _up(),
        )

    def forward(self, L: Tensor) -> Tensor:
        height, width = L.shape[-2:]
        padded = pad_to_multiple(L, self.stride)
        grid = self.encoder(padded)
        # Where features keep their places, the backbone sees what the encoder sees.
        embedding = self._embedding(padded if self.unpooled else L, grid.shape[-2:])
        fused = self.fusion(torch.cat((grid, embedding.to(grid.dtype)), 1))
        return self.decoder(fused)[..., :height, :width]

    def _embedding(self, L: Tensor, grid: tuple[int, int]) -> Tensor:
        """What the backbone says of each place of the grid: `(N, C, *grid)`."""
        if self.zero_embedding:
            return L.new_zeros(len(L), self.fusion[0].in_channels - 256, *grid)
        if not self.unpooled:
            return self.backbone(L)[..., None, None].expand(-1, -1, *grid)
        maps = self.backbone.maps(L)
        placed = [F.interpolate(one, grid, mode="bilinear", align_corners=False) for one in maps]
        pooled = maps[-1].mean((2, 3), keepdim=True).expand(-1, -1, *grid)
        return torch.cat((pooled, *placed), 1)


class LocallyConnected(nn.Module):
    """3x3 filters that are not shared between places (LeCun 1989; Taigman et al. 2014, 3.3).

    x `(N, inputs, H, W)` -> `(N, outputs, H, W)`. There are `places` x `places` sets of filters,
    spread evenly over the picture, so that any H, W will do; of that very size, each pixel has
    its own. All sets start alike, as the convolution that they replace.
    """

    def __init__(self, inputs: int, outputs: int, places: int) -> None:
        super().__init__()
        start = nn.Conv2d(inputs, outputs, 3)
        weight = start.weight.detach().flatten(1)  # (outputs, inputs * 9)
        self.places = places
        self.weight = nn.Parameter(weight.repeat(places**2, 1, 1))
        self.bias = nn.Parameter(start.bias.detach().repeat(places**2, 1))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        rows, columns = (
            torch.arange(side, device=x.device) * self.places // side for side in (height, width)
        )
        place = (rows[:, None] * self.places + columns).flatten()
        patches = F.unfold(x, 3, padding=1)  # (N, inputs * 9, H * W)
        out = torch.einsum("nkp,pok->nop", patches, self.weight[place].to(patches.dtype))
        return (out + self.bias[place].T.to(out.dtype)).unflatten(2, (height, width))


def _convolution(before: int, after: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.ReLU()


def _up() -> nn.Upsample:
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
