import pytest
import torch

from colorize.inference.hints.spots import hint_planes
from colorize.models.networks import NETWORKS
from colorize.models.networks.unet import Encoder, UNet
from colorize.models.record import WITH_HINTS
from tests.colorize.inference.hints.test_spots import spot

SMALL = {"backbone": "test_efficientnet", "widths": (24, 24, 16, 16, 16)}
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@pytest.fixture(scope="module", params=[313, 2])
def network(request):
    torch.manual_seed(0)
    return UNet(**SMALL, outputs=request.param).eval()


@torch.inference_mode()
def test_no_hints_is_a_plane_of_nothing(network, generator):
    L = torch.rand(2, 1, 33, 47, generator=generator) * 2 - 1
    assert torch.equal(network(L), network(L, torch.zeros(2, 3, 33, 47)))


@pytest.mark.parametrize("size", [(8, 8), (31, 57), (64, 96)])
@torch.inference_mode()
def test_hints_change_the_output(network, size, generator):
    L = torch.rand(1, 1, *size, generator=generator) * 2 - 1
    planes = hint_planes([spot(size[0] // 2, size[1] // 2)], size)[None]
    change = (network(L, planes) - network(L)).abs().sum(1)[0]
    assert change.shape == tuple(-(-side // 2) for side in size)
    assert change[size[0] // 4, size[1] // 4] > 0


@torch.inference_mode()
def test_hints_are_the_photos_own(network, generator):
    L = torch.rand(2, 1, 32, 32, generator=generator) * 2 - 1
    planes = torch.stack([hint_planes([spot(16, 16)], (32, 32)), torch.zeros(3, 32, 32)])
    together = network(L, planes)
    assert torch.allclose(together[1:], network(L[1:]), atol=1e-4)
    assert not torch.allclose(together[:1], network(L[:1]), atol=1e-4)


def test_the_names_of_networks_with_hints_are_those_that_say_so():
    able = {name for name, network in NETWORKS.items() if getattr(network, "takes_hints", False)}
    assert able == set(WITH_HINTS)


def test_drop_paths_leave_deeper_blocks_out_more_often_and_in_training_alone():
    torch.manual_seed(0)
    encoder = Encoder("tf_efficientnet_lite0")
    L, hints = torch.rand(1, 1, 32, 32) * 2 - 1, torch.zeros(1, 3, 32, 32)
    before = encoder.eval()(L, hints)[-1]
    encoder.drop_paths(0.5)
    assert torch.equal(encoder.eval()(L, hints)[-1], before)

    rates = [block.drop_path.drop_prob for block in find_blocks(encoder)]
    assert rates == sorted(rates) and rates[0] > 0 and rates[-1] == 0.5
    for block in find_blocks(encoder):
        block.drop_path.train()
    assert not all(torch.allclose(encoder(L, hints)[-1], before) for _ in range(8))


def test_frozen_norms_keep_their_statistics_in_training_and_still_learn():
    torch.manual_seed(0)
    network = UNet(**SMALL)
    network.backbone.freeze_norms()
    network.train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(torch.rand(2, 1, 32, 32) * 2 - 1).square().mean().backward()
    changed = {name for name, value in network.named_buffers() if not value.equal(before[name])}
    statistics = {name for name in before if name.rpartition(".")[2] in STATISTICS}
    assert changed == {name for name in statistics if not name.startswith("backbone.")}
    norms = [m for m in network.backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms and all(norm.weight.grad.abs().sum() > 0 for norm in norms)


def find_blocks(encoder):
    return [block for block in encoder.network.modules() if hasattr(block, "drop_path")]


def test_features_tell_places_apart():
    network = UNet(**SMALL).eval()
    with torch.inference_mode():
        features = network.describe(torch.rand(2, 1, 70, 100) * 2 - 1)
    assert features.shape[0] == 2 and features.shape[-2:] == (6, 8)  # of 96 x 128
    assert features.std((2, 3)).max() > 0


def test_attention_starts_at_nothing_and_then_joins_far_places(generator):
    torch.manual_seed(0)
    plain, looking = UNet(**SMALL).eval(), UNet(**SMALL, attention=True).eval()
    looking.load_state_dict(plain.state_dict(), strict=False)
    L = torch.rand(1, 1, 64, 448, generator=generator) * 2 - 1
    with torch.inference_mode():
        assert torch.equal(looking(L), plain(L))
        for look in looking.attention:
            torch.nn.init.normal_(look.out.weight)
            look.norm = torch.nn.Identity()  # which joins places, too
        assert not torch.allclose(looking(L), plain(L), atol=1e-3)
        features = torch.rand(1, 24, 1, 9, generator=generator)
        other = features.clone()
        other[..., -1] += torch.rand(1, 24, 1, generator=generator)
        first, second = (looking.attention[0](x)[..., 0] for x in (features, other))
    assert not torch.allclose(first, second)
