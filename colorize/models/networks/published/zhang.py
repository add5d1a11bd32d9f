"""The network that both of the second paper reduce: Zhang, Isola and Efros 2016."""

from torch import Tensor, nn

from colorize.color import bins
from colorize.models.networks.padding import pad_to_multiple


class Zhang(nn.Module):
    """Zhang et al. 2016, "Colorful Image Colorization"; the second paper's 3.2 and figure 2.

    Eight blocks of 3x3 convolutions with ReLU, BatchNorm at each block's end. Parameters bear
    the names of the published PyTorch weights, so that these load as they are; `model_out`
    holds the colour of each bin, over 110.

    L `(N, 1, H, W)` as (L - 50) / 100 -> logits `(N, 313, H/4, W/4)`, rounded up.
    """

    over_bins = True
    lightness = (50.0, 100.0)
    stride = 8
    output_stride = 4

    def __init__(self) -> None:
        super().__init__()
        self.model1 = block((1, 64), (64, 64), last_stride=2)
        self.model2 = block((64, 128), (128, 128), last_stride=2)
        self.model3 = block((128, 256), (256, 256), (256, 256), last_stride=2)
        self.model4 = block((256, 512), (512, 512), (512, 512))
        self.model5 = block((512, 512), (512, 512), (512, 512), dilation=2)
        self.model6 = block((512, 512), (512, 512), (512, 512), dilation=2)
        self.model7 = block((512, 512), (512, 512), (512, 512))
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(512, 256, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, bins.COUNT, 1),
        )
        self.model_out = nn.Conv2d(bins.COUNT, 2, 1, bias=False)
        self.model_out.weight.data.copy_(bins.centres().T[..., None, None] / 110)
        self.model_out.requires_grad_(False)  # no loss over bins reaches it

    @property
    def bin_colours(self) -> Tensor:
        """The ab that stands for each bin, `(313, 2)`: learnt, where the published weights are."""
        return self.model_out.weight.detach()[..., 0, 0].T * 110

    def forward(self, L: Tensor) -> Tensor:
        height, width = (-(-side // self.output_stride) for side in L.shape[-2:])
        x = pad_to_multiple(L, self.stride)
        for number in range(1, 9):
            x = getattr(self, f"model{number}")(x)
        return x[..., :height, :width]


def block(*sizes: tuple[int, int], last_stride: int = 1, dilation: int = 1) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(sizes, start=1):
        stride = last_stride if number == len(sizes) else 1
        convolution = nn.Conv2d(
            before, after, 3, stride=stride, padding=dilation, dilation=dilation
        )
        layers += [convolution, nn.ReLU()]
    return nn.Sequential(*layers, nn.BatchNorm2d(sizes[-1][1]))
