import pytest
import torch

from colorize.models.networks.reduced import ReducedZhang


@pytest.mark.parametrize("size", [(32, 40), (13, 21)])
@torch.inference_mode()
def test_chosen_pixels_are_those_of_the_whole(size):
    torch.manual_seed(0)
    network = ReducedZhang(outputs=3).eval()
    L = torch.rand(2, 1, *size) * 2 - 1
    whole = network(L)
    rows, columns = slice(1, None, 3), slice(2, None, 3)
    assert torch.allclose(network(L, (rows, columns)), whole[..., rows, columns], atol=1e-5)
