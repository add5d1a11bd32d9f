"""The trunk that both networks of the second paper share."""

from torch import Tensor, nn

from colorize.models.networks.padding import pad_to_multiple

ALL_PIXELS = (slice(None), slice(None))


class ReducedZhang(nn.Module):
    """The second paper, "Deep Learning Image Colorization", 3.3: Zhang et al. 2016, reduced.

    Three convolutions of stride 2, two more at that resolution, two transposed convolutions of
    stride 2, one upsampling by 2, then convolutions at full resolution. Filters and
    normalisation are not printed: 64, 128, 256, 512, 512, 256, 128, 64, 64, and BatchNorm after
    each ReLU, as Zhang et al. end their blocks.

    L `(N, 1, H, W)` in [-1, 1] -> `(N, outputs, H, W)`, or only the rows and columns `pixels` of
    it: 313 logits at every pixel are most of a training step's cost.
    """

    lightness = (50.0, 50.0)
    stride = 8

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_block(nn.Conv2d(1, 64, 3, stride=2, padding=1)),
            *_block(nn.Conv2d(64, 128, 3, stride=2, padding=1)),
            *_block(nn.Conv2d(128, 256, 3, stride=2, padding=1)),
            *_block(nn.Conv2d(256, 512, 3, padding=1)),
            *_block(nn.Conv2d(512, 512, 3, padding=1)),
            *_block(nn.ConvTranspose2d(512, 256, 4, stride=2, padding=1)),
            *_block(nn.ConvTranspose2d(256, 128, 4, stride=2, padding=1)),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            *_block(nn.Conv2d(128, 64, 3, padding=1)),
            *_block(nn.Conv2d(64, 64, 3, padding=1)),
        )
        self.head = nn.Conv2d(64, outputs, 1)

    def forward(self, L: Tensor, pixels: tuple[slice, slice] = ALL_PIXELS) -> Tensor:
        height, width = L.shape[-2:]
        features = self.layers(pad_to_multiple(L, self.stride))[..., :height, :width]
        return self.head(features[..., pixels[0], pixels[1]])


def _block(convolution: nn.Module) -> tuple[nn.Module, ...]:
    return convolution, nn.ReLU(), nn.BatchNorm2d(convolution.out_channels)
