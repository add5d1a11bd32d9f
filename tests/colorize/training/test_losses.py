import numpy as np
import pytest
import torch
import torch.nn.functional as F

from colorize.color import bins
from colorize.color.lab import lab_from_rgb
from colorize.errors import ColorizeError
from colorize.training.losses import bin_distribution, make_loss
from colorize.training.settings import make_settings


@pytest.fixture
def ab(generator):
    return torch.rand(3, 2, 4, 5, generator=generator) * 100 - 50


@pytest.fixture
def photos(make_pixels):
    return [make_pixels(seed, 40, 40) for seed in range(3)]


def test_mse(ab, generator):
    output = torch.rand(3, 2, 4, 5, generator=generator)
    loss = make_loss(make_settings("baseline"), 110.0, [])
    assert loss(output, ab).item() == pytest.approx(F.mse_loss(output, ab / 110).item())


def test_half_the_squared_error_is_summed_over_a_photos_pixels(ab, generator):
    output = torch.rand(3, 2, 4, 5, generator=generator)
    loss = make_loss(make_settings("regression"), 110.0, [])
    expected = 0.5 * ((output - ab / 110) ** 2).sum() / 3
    assert loss(output, ab).item() == pytest.approx(expected.item(), rel=1e-5)


def test_losses_over_bins(ab, generator, photos):
    logits = torch.randn(3, 313, 4, 5, generator=generator)
    soft = make_loss(make_settings("classifier"), 110.0, photos)
    assert torch.equal(soft(logits, ab), bins.soft_cross_entropy(logits, ab))
    one_hot = make_loss(make_settings("classifier", ["loss=one-hot"]), 110.0, photos)
    assert torch.equal(one_hot(logits, ab), bins.one_hot_cross_entropy(logits, ab))
    rebalanced = make_loss(make_settings("classifier", ["rebalance=0.5"]), 110.0, photos)
    weights = bins.rebalancing_weights(bin_distribution(photos), 0.5)
    expected = bins.soft_cross_entropy(logits, ab, weights)
    assert torch.equal(rebalanced(logits, ab), expected)
    assert not torch.equal(expected, bins.soft_cross_entropy(logits, ab))


def test_squared_error_of_the_mean_is_in_widths_of_a_bin(ab, generator):
    logits = torch.randn(3, 313, 4, 5, generator=generator)
    cross_entropy = bins.soft_cross_entropy(logits, ab)
    distance = ((bins.annealed_mean(logits, 1) - ab) / 10).square().sum(1).mean()
    for weight in (1, 0.25):
        loss = make_loss(make_settings("unet", [f"mse_weight={weight}"]), 110.0, [])
        assert torch.isclose(loss(logits, ab), cross_entropy + weight * distance / 2)


def test_distribution_is_that_of_the_training_colours(photos):
    total = torch.zeros(bins.COUNT, dtype=torch.long)
    for photo in photos:
        rgb = torch.tensor(photo[::4, ::4]).permute(2, 0, 1)[None] / 255
        total += bins.count_bins(lab_from_rgb(rgb)[:, 1:])
    assert torch.allclose(bin_distribution(photos), bins.smooth_counts(total))


def test_rebalancing_by_frequency_alone_needs_every_bin():
    grey = [np.full((8, 8, 3), 100, np.uint8)]
    with pytest.raises(ColorizeError, match="--set rebalance=0: lambda = 0 needs every bin"):
        make_loss(make_settings("classifier", ["rebalance=0"]), 110.0, grey)


def test_pixels_of_more_chroma_count_more(generator, photos):
    logits = torch.randn(1, 313, 1, 2, generator=generator)
    ab = torch.zeros(1, 2, 1, 2)
    ab[0, 0, 0, 1] = 50  # beside a grey pixel, which counts once
    grey, vivid = (
        make_loss(make_settings("unet"), 110.0, photos)(logits[..., k : k + 1], ab[..., k : k + 1])
        for k in (0, 1)
    )
    loss = make_loss(make_settings("unet", ["chroma_weight=2"]), 110.0, photos)
    assert torch.isclose(loss(logits, ab), (grey + 3 * vivid) / 4)
