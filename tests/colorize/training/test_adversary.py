import pytest
import torch

from colorize.training.adversary import Adversary, PatchDiscriminator


@pytest.fixture
def adversary():
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    torch.manual_seed(0)
    yield Adversary(Accelerator(mixed_precision="no"), lr=2e-3)
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def pictures(generator):
    """L, colourful ab, and pale ab."""
    L = torch.rand(4, 1, 48, 48, generator=generator) * 2 - 1
    ab = torch.randn(4, 2, 48, 48, generator=generator) * 40
    return L, ab, ab / 10


def test_a_patch_is_34_pixels_wide():
    network = PatchDiscriminator(8).eval()
    lab = torch.randn(1, 3, 96, 96, requires_grad=True)
    logits = network(lab)
    assert logits.shape == (1, 1, 22, 22)
    logits[0, 0, 11, 11].backward()
    seen = lab.grad[0].abs().sum(0).nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [34, 34]


def test_learns_to_tell_pale_colours(adversary, pictures):
    L, ab, pale = pictures
    losses = [adversary.learn(L, ab, pale) for _ in range(15)]
    assert losses[-1] < 0.3 < losses[0]
    assert adversary.loss(L, pale) > adversary.loss(L, ab)


def test_its_loss_pulls_the_colorizer_and_learning_does_not(adversary, pictures):
    L, ab, pale = pictures
    pale.requires_grad_()
    adversary.learn(L, ab, pale)
    assert pale.grad is None
    adversary.loss(L, pale).backward()
    assert pale.grad.abs().sum() > 0


def test_state_comes_back(adversary, pictures):
    L, ab, pale = pictures
    adversary.learn(L, ab, pale)
    state = adversary.state_dict()
    before = {key: value.clone() for key, value in state["network"].items()}
    adversary.learn(L, ab, pale)
    adversary.load_state_dict({"network": before, "optimizer": state["optimizer"]})
    after = adversary.state_dict()["network"]
    assert all(torch.equal(after[key], before[key]) for key in before)
