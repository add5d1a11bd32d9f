import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from colorize.training.generators import generator_states, restore_generators

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    ),
]


def drawn(device):
    own = [random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn()]
    return own + torch.rand(2).tolist() + torch.rand(2, device=device).tolist()


@pytest.mark.parametrize("device", DEVICES)
def test_every_generator_goes_on_where_it_was_through_a_file_of_plain_values(device, tmp_path):
    device = torch.device(device)
    drawn(device)  # each half of a pair of normal numbers waits in its generator
    torch.save(generator_states(device), tmp_path / "states.pt")
    expected = drawn(device)
    restore_generators(torch.load(tmp_path / "states.pt", weights_only=True), device)
    assert drawn(device) == expected


def test_a_state_from_before_holds_the_cpus_alone():
    before = torch.get_rng_state()
    expected = torch.rand(3)
    restore_generators(before, torch.device("cpu"))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("kind", ["cuda", "xpu", "mps"])
def test_any_accelerators_generator_is_kept(monkeypatch, kind):
    device, kept = torch.device(kind), {}

    def read(*place):
        assert place == (() if kind == "mps" else (device,))
        return torch.tensor([1, 2, 3], dtype=torch.uint8)

    def write(state, *place):
        kept[place] = state

    module = SimpleNamespace(get_rng_state=read, set_rng_state=write)  # of none that is here
    monkeypatch.setattr(torch, "get_device_module", lambda asked: {device: module}[asked])
    states = generator_states(device)
    restore_generators(states, device)
    assert [state.tolist() for state in kept.values()] == [[1, 2, 3]]
    kept.clear()
    restore_generators({**states, "cuda": states.pop("device")}, device)  # as runs before have it
    assert [state.tolist() for state in kept.values()] == [[1, 2, 3]]
    restore_generators(states | {"device": None}, device)  # a run that began on the CPU
