"""DDColor: a ConvNeXt, a pixel decoder, and colour queries that look at the photo."""

import math
import re
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.models.networks.backbone import create
from colorize.models.networks.padding import pad_to_multiple
from colorize.models.networks.published.grey import (
    AB_SCALE,
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    colours,
    grey_from_lightness,
)
from colorize.models.networks.published.upsampling import ShuffledUp, UpBlock, blurred

_WIDTH, _QUERIES = 512, 100  # channels of the pixel decoder; colour queries
_DIM, _HEADS, _INNER, _LAYERS = 256, 8, 2048, 9  # of the colour decoder
_SHUFFLE = 4  # how much the last step enlarges
_ROWS = 16  # of the last features that are enlarged at a time: whole, they are most of the memory

# Our names (timm's, for the encoder) to those of the published weights.
_PUBLISHED = (
    (re.compile(r"^encoder\.norms\.(\d)\."), r"encoder.arch.norm\1."),
    (re.compile(r"^encoder\.arch\.stem\."), "encoder.arch.downsample_layers.0."),
    (
        re.compile(r"^encoder\.arch\.stages\.(\d)\.downsample\."),
        r"encoder.arch.downsample_layers.\1.",
    ),
    (re.compile(r"^(encoder\.arch\.stages\.\d)\.blocks\."), r"\1."),
    (re.compile(r"\.conv_dw\."), ".dwconv."),
    (re.compile(r"\.mlp\.fc(\d)\."), r".pwconv\1."),
)


class DDColor(nn.Module):
    """Kang et al. 2023, "DDColor", ICCV; the paper's 3.1 to 3.3 and figure 3.

    `encoder` is a ConvNeXt of timm: convnext_tiny in the authors' tiny, convnext_large in their
    large model.

    L `(N, 1, H, W)` in [-1, 1] -> ab / 110 `(N, 2, H, W)`.
    """

    over_bins = False
    lightness = (50.0, 50.0)
    stride = 32
    # ImageNet's, which are here, and of a classifier that is not there.
    left_out = re.compile(r"(mean|std)$|encoder\.arch\.norm\.").match

    def __init__(self, encoder: str = "convnext_tiny") -> None:
        super().__init__()
        self.encoder = _Encoder(encoder)
        self.decoder = _Decoder(self.encoder.widths)
        self.refine_net = nn.Sequential(nn.Sequential(nn.Conv2d(_QUERIES + 3, 2, 1)))
        self.register_buffer("mean", colours(IMAGENET_MEAN), persistent=False)
        self.register_buffer("deviation", colours(IMAGENET_DEVIATION), persistent=False)

    @staticmethod
    def published_name(name: str) -> str:
        """What the published weights call a parameter."""
        for ours, theirs in _PUBLISHED:
            name = ours.sub(theirs, name)
        return name

    @staticmethod
    def published_arguments(state: Mapping[str, Tensor]) -> dict[str, Any]:
        """Of the network that published weights are of."""
        first = state.get(DDColor.published_name("encoder.arch.stem.0.weight"))
        is_large = first is not None and len(first) == 192
        return {"encoder": "convnext_large" if is_large else "convnext_tiny"}

    def forward(self, L: Tensor) -> Tensor:
        height, width = L.shape[-2:]
        grey = grey_from_lightness(pad_to_multiple(L, self.stride))
        return self.ab(grey.expand(-1, 3, -1, -1))[..., :height, :width] / AB_SCALE

    def ab(self, grey: Tensor) -> Tensor:
        """ab `(N, 2, H, W)` in CIELAB units of grey sRGB `(N, 3, H, W)`, sides multiples of 32.

        The authors multiply 100 colours with the features at every pixel, and bring 100 maps and
        the picture down to ab. Both are linear, so that the colours are brought down first here.
        """
        start = (grey - self.mean) / self.deviation
        features, embedded = self.decoder(self.encoder(start))
        last = self.refine_net[0][0]
        by_query, by_channel = last.weight[..., 0, 0].split((_QUERIES, 3), 1)
        mixed = self.decoder.last_shuf(features, by_query @ embedded)
        return mixed + F.conv2d(start, by_channel[..., None, None], last.bias)


class _Encoder(nn.Module):
    """The features of a ConvNeXt at strides 4, 8, 16 and 32, each with a norm of its own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.arch = create(name, num_classes=0)
        del self.arch.head, self.arch.norm_pre
        self.widths = [info["num_chs"] for info in self.arch.feature_info]
        from timm.layers import LayerNorm2d  # timm imports only after `create`

        self.norms = nn.ModuleList(LayerNorm2d(width) for width in self.widths)

    def forward(self, x: Tensor) -> list[Tensor]:
        x, found = self.arch.stem(x), []
        for stage, norm in zip(self.arch.stages, self.norms, strict=True):
            x = stage(x)
            found.append(norm(x))
        return found


class _Decoder(nn.Module):
    """Features `(N, 256, H / 4, W / 4)`, and the colours that stand for them `(N, 100, 256)`."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        *skips, below = widths
        ups = (_WIDTH, _WIDTH, _WIDTH // 2)
        self.layers = nn.ModuleList()
        for skip, up in zip(reversed(skips), ups, strict=True):
            self.layers.append(UpBlock(below, skip, up, up))
            below = up
        self.last_shuf = _MixedUp(below, below, _SHUFFLE, norm=False)
        self.color_decoder = _ColorDecoder(ups)

    def forward(self, found: list[Tensor]) -> tuple[Tensor, Tensor]:
        *skips, x = found
        scales = []
        for layer, skip in zip(self.layers, reversed(skips), strict=True):
            x = layer(x, skip)
            scales.append(x)
        return x, self.color_decoder(scales)


class _MixedUp(ShuffledUp):
    """Larger features, of which only some mixtures `(N, K, after)` are wanted: `(N, K, .., ..)`."""

    def forward(self, x: Tensor, mixtures: Tensor) -> Tensor:
        some = []
        for rows in x.split(_ROWS, -2):
            spread = F.relu(self.conv(rows)).unflatten(1, (-1, self.scale**2))
            some.append(torch.einsum("nkc,ncshw->nkshw", mixtures, spread).flatten(1, 2))
        return blurred(F.pixel_shuffle(torch.cat(some, -2), self.scale))


class _ColorDecoder(nn.Module):
    """Colour queries that look at the features of three scales in turn: 3.3 and equation 4.

    After Cheng et al. 2022 ("Mask2Former"). `(N, ., h, w)` three times -> `(N, 100, 256)`.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.query_feat = nn.Embedding(_QUERIES, _DIM)
        self.query_embed = nn.Embedding(_QUERIES, _DIM)
        self.level_embed = nn.Embedding(len(widths), _DIM)
        self.input_proj = nn.ModuleList(nn.Conv2d(width, _DIM, 1) for width in widths)
        for name, layer in (
            ("transformer_cross_attention_layers", _CrossAttention),
            ("transformer_self_attention_layers", _SelfAttention),
            ("transformer_ffn_layers", _FeedForward),
        ):
            self.add_module(name, nn.ModuleList(layer() for _ in range(_LAYERS)))
        self.decoder_norm = nn.LayerNorm(_DIM)
        self.color_embed = _Embedding()

    def forward(self, scales: list[Tensor]) -> Tensor:
        values, keys = [], []
        for scale, project, level in zip(
            scales, self.input_proj, self.level_embed.weight, strict=True
        ):
            value = project(scale).flatten(2).transpose(1, 2) + level
            values.append(value)
            keys.append(value + sine_positions(*scale.shape[-2:], _DIM).to(value))
        place = self.query_embed.weight
        x = self.query_feat.weight.expand(len(scales[0]), -1, -1)
        for number in range(_LAYERS):
            scale = number % len(scales)
            x = self.transformer_cross_attention_layers[number](
                x, place, keys[scale], values[scale]
            )
            x = self.transformer_self_attention_layers[number](x, place)
            x = self.transformer_ffn_layers[number](x)
        return self.color_embed(self.decoder_norm(x))


def _attention() -> nn.MultiheadAttention:
    return nn.MultiheadAttention(_DIM, _HEADS, batch_first=True)


class _CrossAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.multihead_attn = _attention()
        self.norm = nn.LayerNorm(_DIM)

    def forward(self, x: Tensor, place: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        seen, _ = self.multihead_attn(x + place, keys, values, need_weights=False)
        return self.norm(x + seen)


class _SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = _attention()
        self.norm = nn.LayerNorm(_DIM)

    def forward(self, x: Tensor, place: Tensor) -> Tensor:
        placed = x + place
        seen, _ = self.self_attn(placed, placed, x, need_weights=False)
        return self.norm(x + seen)


class _FeedForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(_DIM, _INNER), nn.Linear(_INNER, _DIM)
        self.norm = nn.LayerNorm(_DIM)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.linear2(F.relu(self.linear1(x))))


class _Embedding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(_DIM, _DIM) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


def sine_positions(height: int, width: int, channels: int) -> Tensor:
    """Where each place is, `(height width, channels)`: rows in the first half of the channels.

    Carion et al. 2020 ("DETR"), 3.2, with places from 0 to 2 pi.
    """
    step = torch.arange(channels // 4) * 4 / channels
    waves = 2 * math.pi / 10000**step
    rows, columns = (
        (torch.arange(1, side + 1) / (side + 1e-6))[:, None] * waves for side in (height, width)
    )
    rows, columns = (torch.stack((x.sin(), x.cos()), -1).flatten(1) for x in (rows, columns))
    both = (
        rows[:, None].expand(-1, width, -1),
        columns[None].expand(height, -1, -1),
    )
    return torch.cat(both, -1).flatten(0, 1)
