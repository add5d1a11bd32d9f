from itertools import pairwise

import pytest
import torch
from torch import nn

from colorize.models.networks.fusion import Fusion
from colorize.models.networks.local import LocallyConnected


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
@pytest.mark.parametrize("size", [(32, 32), (40, 24), (9, 100)])
def test_the_last_layer_can_be_locally_connected(size):
    network = Fusion("test_resnet", 32, local=8).eval()
    assert sum(isinstance(m, LocallyConnected) for m in network.decoder) == 1
    output = network(torch.rand(2, 1, *size) * 2 - 1)
    assert output.shape == (2, 2, *size)
    assert output.abs().max() <= 1
