import pytest
import torch
import torch.nn.functional as F

from colorize.models.networks.published.ddcolor import _MixedUp
from colorize.models.networks.published.upsampling import (
    SelfAttention,
    ShuffledUp,
    UpBlock,
    blurred,
)


def test_blur_is_the_mean_of_four_pixels():
    x = torch.arange(12.0).view(1, 1, 3, 4)
    blur = blurred(x)
    assert blur.shape == x.shape
    assert blur[0, 0, 2, 3] == (11 + 10 + 7 + 6) / 4
    assert blur[0, 0, 0, 0] == 0 and blur[0, 0, 0, 2] == 1.5  # the border is repeated


@pytest.mark.parametrize("scale", [2, 4])
def test_shuffled_up(scale):
    up = ShuffledUp(6, 3, scale).eval()
    assert up(torch.rand(2, 6, 5, 4)).shape == (2, 3, 5 * scale, 4 * scale)
    assert [name for name, _ in up.named_parameters()] == [
        "conv.0.weight", "conv.1.weight", "conv.1.bias",
    ]  # fmt: skip


@torch.inference_mode()
def test_mixtures_are_those_of_all_features(generator):
    up = _MixedUp(6, 5, 4, norm=False).eval()
    x = torch.rand(2, 6, 37, 3, generator=generator)
    mixtures = torch.rand(2, 3, 5, generator=generator) - 0.5
    whole = ShuffledUp.forward(up, x)
    assert torch.allclose(
        up(x, mixtures), torch.einsum("nkc,nchw->nkhw", mixtures, whole), atol=1e-6
    )


@torch.inference_mode()
def test_attention_is_that_of_the_paper(generator, monkeypatch):
    attention = SelfAttention(16).eval()
    attention.gamma.fill_(0.7)
    x = torch.randn(2, 16, 5, 7, generator=generator)
    places = x.flatten(2)
    query, key, value = (
        layer(places) for layer in (attention.query, attention.key, attention.value)
    )
    beta = F.softmax(query.transpose(1, 2) @ key, 1)
    expected = 0.7 * (value @ beta) + places
    assert torch.allclose(attention(x), expected.view_as(x), atol=1e-5)
    monkeypatch.setattr(SelfAttention, "_AT_ONCE", 4)
    assert torch.allclose(attention(x), expected.view_as(x), atol=1e-5)


@torch.inference_mode()
def test_a_block_meets_features_of_an_odd_size(generator):
    block = UpBlock(8, 4, 6, 16, ("conv1", "conv2"), attention=True).eval()
    x, skip = (torch.rand(1, *shape, generator=generator) for shape in ((8, 3, 2), (4, 5, 4)))
    assert block(x, skip).shape == (1, 16, 5, 4)
    assert hasattr(block.conv2[-1], "gamma") and not hasattr(block.conv1[-1], "gamma")
