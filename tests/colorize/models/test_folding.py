from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import spectral_norm

from colorize.models.folding import fold
from colorize.models.record import CheckpointError

FILE = Path("weights.pth")


class Network(nn.Module):
    left_out = staticmethod(lambda name: name.startswith("spare."))

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.line = nn.Conv1d(4, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(4)

    @staticmethod
    def published_name(name):
        return name.replace("conv.", "theirs.")


@pytest.fixture
def published():
    """What torch itself writes of such layers, and the weights that it computes with."""
    torch.manual_seed(0)
    conv = spectral_norm(nn.Conv2d(3, 4, 3), n_power_iterations=20).train()
    conv(torch.rand(1, 3, 8, 8))
    conv.eval()
    line = nn.utils.weight_norm(nn.Conv1d(4, 2, 1, bias=False))
    line.weight_g.data.mul_(3)
    conv(torch.rand(1, 3, 8, 8))
    line(torch.rand(1, 4, 8))
    norm = nn.BatchNorm2d(4)
    state = {f"theirs.{key}": value for key, value in conv.state_dict().items()}
    state |= {f"line.{key}": value for key, value in line.state_dict().items()}
    state |= {f"norm.{key}": value for key, value in norm.state_dict().items()}
    state = {key: value.clone() for key, value in state.items()}
    return state, {"conv.weight": conv.weight, "line.weight": line.weight}


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_normalised_weights_are_worked_out(published):
    state, weights = published
    state["spare.weight"] = torch.zeros(3)
    network = Network()
    found = fold(dict(state), network, FILE)
    expected = {key for key in network.state_dict() if "num_batches" not in key}
    assert found.keys() == expected
    for key, weight in weights.items():
        assert torch.allclose(found[key], weight, atol=1e-6), key
    assert torch.equal(found["conv.bias"], state["theirs.bias"])


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_what_is_wrong_is_named_as_it_is_published(published):
    state, _ = published
    for change, match in (
        ({"theirs.weight_u": None}, "lacks 1 tensors, first theirs.weight_u$"),
        ({"theirs.weight_v": torch.zeros(5)}, r"expected theirs.weight_v of shape \(27,\), .*5"),
        ({"theirs.weight_orig": torch.zeros(4, 3, 1, 1)}, "expected theirs.weight_orig of shape"),
        ({"line.weight_g": None}, "lacks 1 tensors, first line.weight_g"),
        ({"theirs.bias": None, "norm.bias": None}, "lacks 2 tensors, first norm.bias"),
        ({"more": torch.zeros(1)}, "has unknown 1 tensors, first more"),
    ):
        wrong = {key: value for key, value in (state | change).items() if value is not None}
        with pytest.raises(CheckpointError, match=f"^{FILE}: {match}"):
            fold(wrong, Network(), FILE)
