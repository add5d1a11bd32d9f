"""A locally connected layer: a 3x3 convolution with filters of its own in each place."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
