from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from colorize.models.networks.fusion import Fusion, LocallyConnected


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Fusion("test_resnet", 32)


def test_number_of_parameters_beside_the_backbone(network):
    def convolution(before, after, kernel=3):
        return kernel**2 * before * after + after

    encoder = (1, 64, 128, 128, 256, 256, 512, 512, 256)
    expected = sum(convolution(*pair) for pair in pairwise(encoder))
    expected += convolution(256 + network.backbone.features, 256, kernel=1)
    decoder = (256, 128, 64, 32, 16, 2)
    expected += sum(convolution(*pair) for pair in pairwise(decoder))
    backbone = sum(p.numel() for p in network.backbone.parameters())
    assert sum(p.numel() for p in network.parameters()) - backbone == expected


def test_encoder_is_that_of_table_2(network):
    layers = [m for m in network.encoder if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in layers] == [64, 128, 128, 256, 256, 512, 512, 256]
    assert [c.stride[0] for c in layers] == [2, 1, 2, 1, 2, 1, 1, 1]


@torch.inference_mode()
def test_the_embedding_reaches_every_place_of_the_grid(network):
    network.eval()
    seen = []
    network.fusion.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    L = torch.rand(2, 1, 24, 40) * 2 - 1
    network(L)
    embedding = network.backbone(L)
    assert seen[0].shape == (2, 256 + network.backbone.features, 3, 5)
    assert torch.equal(seen[0][:, 256:], embedding[..., None, None].expand(-1, -1, 3, 5))


def test_backbone_stays_frozen_and_in_eval_in_training(network):
    network.train()
    before = {key: value.clone() for key, value in network.backbone.state_dict().items()}
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    network(torch.rand(2, 1, 32, 32)).square().sum().backward()
    optimizer.step()
    after = network.backbone.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert network.encoder.training
    assert not any(module.training for module in network.backbone.modules())


@torch.inference_mode()
def test_output_is_bounded(network):
    assert network.eval()(torch.rand(1, 1, 40, 40) * 200 - 100).abs().max() <= 1


@pytest.mark.slow
def test_papers_backbone_builds_runs_and_trains_a_step():
    torch.manual_seed(0)
    network = Fusion().train()
    assert network.fusion[0].in_channels == 256 + 1536
    assert network.backbone.size == 299
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=1e-3)
    L, ab = torch.rand(2, 1, 48, 40) * 2 - 1, torch.rand(2, 2, 48, 40) - 0.5
    losses = []
    for _ in range(3):
        loss = (network(L) - ab).square().mean()
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < losses[0]


@torch.inference_mode()
def test_a_zeroed_embedding_is_an_ablation_of_the_same_weights(network):
    ablated = Fusion("test_resnet", 32, zero_embedding=True).eval()
    ablated.load_state_dict(network.eval().state_dict())
    seen = []
    ablated.fusion.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    L = torch.rand(2, 1, 24, 40) * 2 - 1
    output = ablated(L)
    assert not seen[0][:, 256:].any()
    network.backbone.forward = lambda L: torch.zeros(len(L), network.backbone.features)
    assert torch.equal(output, network(L))


@torch.inference_mode()
@pytest.mark.parametrize("size", [(24, 40), (17, 40)])
def test_features_join_where_they_were_found(size):
    """What changes on one side changes the backbone's part of the grid there, not over there."""
    torch.manual_seed(0)
    network = Fusion("resnet10t", 64, unpooled=2).eval()
    seen = []
    network.fusion.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    L = torch.rand(1, 1, *size) * 2 - 1
    changed = L.clone()
    changed[..., -4:] = -changed[..., -4:]
    for one in (L, changed):
        assert network(one).shape == (1, 2, *size)
    pooled, finer, coarser = 512, 256, 512
    assert seen[0].shape == (1, 256 + pooled + finer + coarser, 3, 5)
    moved = (seen[0] - seen[1]).abs()[0, 256 + pooled : 256 + pooled + finer].mean((0, 1))
    assert moved[-1] > 2 * moved[0]


@torch.inference_mode()
def test_nothing_of_unpooled_features_is_left_in_the_ablation():
    network = Fusion("resnet10t", 64, zero_embedding=True, unpooled=2).eval()
    seen = []
    network.fusion.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    network(torch.rand(1, 1, 24, 40) * 2 - 1)
    assert seen[0].shape[1] == 256 + 512 + 256 + 512 and not seen[0][:, 256:].any()


@torch.inference_mode()
@pytest.mark.parametrize("size", [(32, 32), (40, 24), (9, 100)])
def test_the_last_layer_can_be_locally_connected(size):
    network = Fusion("test_resnet", 32, local=8).eval()
    assert sum(isinstance(m, LocallyConnected) for m in network.decoder) == 1
    output = network(torch.rand(2, 1, *size) * 2 - 1)
    assert output.shape == (2, 2, *size)
    assert output.abs().max() <= 1


# the locally connected layer


def weight_of(layer, place):
    return layer.weight[place].view(-1, 3, 3, 3), layer.bias[place]


@pytest.mark.parametrize("size", [(6, 6), (5, 13), (24, 12), (1, 1)])
def test_it_starts_as_one_convolution_at_any_size(size, generator):
    layer = LocallyConnected(3, 2, 6)
    x = torch.randn(2, 3, *size, generator=generator)
    assert torch.allclose(layer(x), F.conv2d(x, *weight_of(layer, 0), padding=1), atol=1e-5)


@torch.no_grad()
def test_each_pixel_has_filters_of_its_own_at_the_size_of_its_grid(generator):
    layer = LocallyConnected(3, 2, 4)
    layer.weight.normal_(generator=generator)
    layer.bias.normal_(generator=generator)
    x = torch.randn(1, 3, 4, 4, generator=generator)
    output = layer(x)
    for row, column in ((0, 0), (1, 2), (3, 3)):
        everywhere = F.conv2d(x, *weight_of(layer, row * 4 + column), padding=1)
        assert torch.allclose(output[..., row, column], everywhere[..., row, column], atol=1e-5)


@torch.no_grad()
def test_larger_pictures_are_parted_evenly(generator):
    layer = LocallyConnected(3, 1, 2)
    layer.weight.zero_()
    layer.bias.copy_(torch.arange(4.0)[:, None])
    output = layer(torch.randn(1, 3, 4, 6, generator=generator))[0, 0]
    top, bottom = [0.0] * 3 + [1.0] * 3, [2.0] * 3 + [3.0] * 3
    assert output.tolist() == [top, top, bottom, bottom]


def test_filters_of_different_places_learn_apart():
    layer = LocallyConnected(3, 2, 2)
    layer(torch.rand(1, 3, 2, 2))[..., 0, 1].sum().backward()
    learnt = layer.weight.grad.abs().sum((1, 2)) > 0
    assert learnt.tolist() == [False, True, False, False]
