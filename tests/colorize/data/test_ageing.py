import pytest
import torch

from colorize.color.lab import lab_from_rgb
from colorize.data.ageing import _dct, degrade


def aged(L, share=1.0, seed=0):
    return degrade(L, share, torch.Generator().manual_seed(seed))


@pytest.fixture(name="L")
def lightness_of_photos(make_pixels):
    pixels = torch.stack([torch.tensor(make_pixels(seed, 33, 50)) for seed in range(24)])
    return lab_from_rgb(pixels.permute(0, 3, 1, 2) / 255)[:, :1]


def test_same_seed_same_photos(L):
    assert torch.equal(aged(L), aged(L))
    assert not torch.equal(aged(L), aged(L, seed=1))


def test_shape_range_and_input_left_alone(L):
    before = L.clone()
    old = aged(L)
    assert old.shape == L.shape
    assert old.min() >= 0
    assert old.max() <= 100
    assert torch.equal(L, before)


def test_share(L):
    assert torch.equal(aged(L, share=0), L)
    changed = (aged(L, share=0.5) != L).flatten(1).any(1).float().mean()
    assert 0.15 < changed < 0.8
    assert (aged(L) != L).flatten(1).any(1).float().mean() > 0.9


def test_what_is_in_the_photo_stays_in_it(L):
    """Aged photos still resemble themselves more than each other."""
    rows = torch.cat((L, aged(L))).flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    rows = rows / rows.norm(dim=1, keepdim=True)
    likeness = rows[: len(L)] @ rows[len(L) :].T
    assert (likeness.argmax(1) == torch.arange(len(L))).float().mean() > 0.9


def test_strength_is_moderate(L):
    change = (aged(L) - L).abs().mean((1, 2, 3))
    assert 2 < change.mean() < 15
    assert change.max() < 40


def test_transform_of_blocks_is_orthonormal():
    matrix, coarseness = _dct(torch.device("cpu"))
    assert torch.allclose(matrix @ matrix.T, torch.eye(8), atol=1e-6)
    assert coarseness[0, 0] == coarseness.min() == 1
