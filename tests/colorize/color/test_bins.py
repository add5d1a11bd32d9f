import math

import pytest
import torch
import torch.nn.functional as F

from colorize.color import bins
from colorize.color.lab import lab_from_rgb

# The design's table: a, then the first and the last b.
PRINTED = """
-90 50 90    -80 20 90    -70 0 90     -60 -20 90   -50 -30 100  -40 -40 100  -30 -50 100
-20 -50 100  -10 -60 100  0 -70 100    10 -80 90    20 -80 90    30 -90 90    40 -100 90
50 -100 80   60 -110 80   70 -110 80   80 -110 70   90 -110 70   100 -90 0
"""


@pytest.fixture(scope="module")
def real_ab():
    """ab of colours drawn evenly from sRGB, `(1, 2, 100, 200)`."""
    rgb = torch.rand(1, 3, 100, 200, generator=torch.Generator().manual_seed(3))
    return lab_from_rgb(rgb)[:, 1:]


@pytest.fixture
def logits(generator):
    return torch.randn(2, 313, 6, 7, generator=generator)


@pytest.fixture
def ab(generator):
    return torch.rand(2, 2, 6, 7, generator=generator) * 180 - 90


def dense(index, weights):
    """`(N, 5, H, W)` bins and weights as the target `(N, 313, H, W)` that is never built."""
    target = torch.zeros(len(index), 313, *index.shape[2:], dtype=weights.dtype)
    return target.scatter_add_(1, index, weights)


# the bins


def test_the_313_bins_are_those_of_the_table_in_its_order():
    numbers = [int(word) for word in PRINTED.split()]
    rows = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    expected = [[a, b] for a, low, high in rows for b in range(low, high + 1, 10)]
    assert len(expected) == bins.COUNT == 313
    assert bins.centres().tolist() == expected


def test_every_colour_of_srgb_has_a_bin_nearby(real_ab):
    index, _ = bins.encode(real_ab)
    distance = (bins.centres()[index[:, 0]].movedim(-1, 1) - real_ab).norm(dim=1)
    assert distance.max() < 12  # half a diagonal is 7.1; the gamut's edge lies a little outside


# soft encoding


def test_exact_encoding_is_a_gaussian_over_the_5_nearest():
    points = torch.tensor([[0.0, 0.0], [3.0, -4.0]])
    index, weights = bins.encode_exactly(points)
    centres = bins.centres()[index]
    around = {(0, 0), (10, 0), (-10, 0), (0, 10), (0, -10)}
    assert {tuple(c) for c in centres[0].int().tolist()} == around
    assert centres[1, 0].tolist() in ([0.0, 0.0], [0.0, -10.0], [10.0, 0.0])
    distances = (centres - points[:, None]).norm(dim=2)
    assert (distances.diff(dim=1) >= 0).all()
    gaussian = torch.exp(-(distances**2) / 50)
    assert torch.allclose(weights, gaussian / gaussian.sum(1, keepdim=True), atol=1e-6)


def test_table_is_exact_at_whole_values():
    whole = torch.tensor([[-110.0, -110], [0, 0], [17, -43], [110, 110]])
    index, weights = bins.encode(whole.T[None, :, None])
    exact = bins.encode_exactly(whole)
    assert torch.equal(index[0, :, 0].T, exact[0])
    assert torch.equal(weights[0, :, 0].T, exact[1])


def test_table_is_off_by_no_more_than_its_docstring_says(real_ab):
    ours = dense(*bins.encode(real_ab))
    index, weights = bins.encode_exactly(real_ab[0].flatten(1).T)
    exact = dense(*(x.T.reshape(1, 5, 100, 200) for x in (index, weights)))
    moved = (ours - exact).abs().sum(1) / 2
    assert moved.mean() == pytest.approx(0.035, abs=0.002)
    assert moved.max() <= 0.115
    colours = torch.einsum("nqhw,qc->nchw", ours - exact, bins.centres()).norm(dim=1)
    assert colours.mean() == pytest.approx(0.43, abs=0.02)
    assert colours.max() <= 1.8
    other = bins.encode(real_ab)[0][0, 0].flatten() != index[:, 0]
    assert other.float().mean() == pytest.approx(0.1, abs=0.01)


def test_colours_beyond_the_table_take_its_edge():
    far = torch.tensor([500.0, -500.0]).view(1, 2, 1, 1)
    assert torch.equal(bins.encode(far)[0], bins.encode(far.clamp(-110, 110))[0])


def test_a_table_made_in_inference_mode_serves_training(logits, ab):
    bins.centres.cache_clear()
    bins._table.cache_clear()
    with torch.inference_mode():
        bins.soft_cross_entropy(logits, ab)
        bins.annealed_mean(logits, 1.0)
    logits.requires_grad_()
    (bins.soft_cross_entropy(logits, ab) + bins.annealed_mean(logits, 1.0).sum()).backward()
    assert logits.grad.isfinite().all()


# loss


@pytest.mark.parametrize("weighted", [False, True])
def test_gathered_loss_and_gradient_are_those_of_the_dense_target(logits, ab, weighted, generator):
    class_weights = torch.rand(313, generator=generator) + 0.5 if weighted else None
    index, weights = bins.encode(ab)
    v = class_weights[index[:, 0]] if weighted else torch.ones(2, 6, 7)
    expected_input = logits.clone().double().requires_grad_()
    target = dense(index, weights.double())
    expected = (v * -(target * expected_input.log_softmax(1)).sum(1)).mean()
    expected.backward()
    logits.requires_grad_()
    loss = bins.soft_cross_entropy(logits, ab, class_weights)
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(logits.grad.double(), expected_input.grad, atol=1e-7)


def test_loss_of_the_encoded_target_itself_is_its_entropy(ab):
    target = dense(*bins.encode(ab))
    logits = target.clamp(min=1e-30).log()
    entropy = -(target * target.clamp(min=1e-30).log()).sum(1).mean()
    assert bins.soft_cross_entropy(logits, ab).item() == pytest.approx(entropy.item(), rel=1e-4)


def test_one_hot_loss_is_the_cross_entropy_of_the_nearest_bin(logits):
    chosen = torch.arange(2 * 6 * 7).reshape(2, 6, 7) * 3
    ab = bins.centres()[chosen].movedim(-1, 1)
    expected = F.cross_entropy(logits, chosen)
    assert bins.one_hot_cross_entropy(logits, ab).item() == pytest.approx(expected.item())


# rebalancing


def test_counting(ab):
    counts = bins.count_bins(bins.centres().T[None, :, None].expand(1, 2, 3, 313))
    assert counts.tolist() == [3] * 313
    assert bins.count_bins(ab).sum() == 2 * 6 * 7


def test_smoothing_spreads_a_count_over_its_neighbours_and_keeps_the_total():
    counts = torch.zeros(313, dtype=torch.long)
    middle = (bins.centres() == torch.tensor([0.0, 0])).all(1).nonzero().item()
    counts[middle] = 7
    smoothed = bins.smooth_counts(counts)
    distance = bins.centres().norm(dim=1)
    expected = torch.exp(-(distance**2) / 50)
    assert torch.allclose(smoothed, expected / expected.sum(), atol=1e-7)
    assert bins.smooth_counts(torch.ones(313)).sum().item() == pytest.approx(1)
    with pytest.raises(ValueError, match="at least one pixel"):
        bins.smooth_counts(torch.zeros(313))


@pytest.fixture
def distribution(generator):
    p = torch.rand(313, generator=generator) ** 6 + 1e-6
    return p / p.sum()


@pytest.mark.parametrize("lam", [0.0, 0.25, 0.5, 1.0])
def test_expected_weight_is_one(distribution, lam):
    weights = bins.rebalancing_weights(distribution, lam)
    assert (distribution * weights).sum().item() == pytest.approx(1, abs=1e-5)
    assert (weights > 0).all()


def test_limits_of_lambda(distribution):
    assert torch.allclose(bins.rebalancing_weights(distribution, 1.0), torch.ones(313))
    inverse = bins.rebalancing_weights(distribution, 0.0)
    assert torch.allclose(inverse * distribution, torch.full((313,), 1 / 313), rtol=1e-4)
    half = bins.rebalancing_weights(distribution, 0.5)
    ratio = (0.5 * distribution + 0.5 / 313) * half
    assert torch.allclose(ratio, ratio[:1].expand(313), rtol=1e-4)


def test_rebalancing_refuses_what_it_cannot_do(distribution):
    for lam in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="lambda in"):
            bins.rebalancing_weights(distribution, lam)
    distribution[5] = 0
    with pytest.raises(ValueError, match="every bin"):
        bins.rebalancing_weights(distribution, 0.0)


# decoding


def test_temperature_one_is_the_mean_and_zero_the_mode(logits):
    mean = torch.einsum("nqhw,qc->nchw", logits.softmax(1), bins.centres())
    assert torch.allclose(bins.annealed_mean(logits, 1.0), mean, atol=1e-4)
    mode = bins.centres()[logits.argmax(1)].movedim(-1, 1)
    assert torch.equal(bins.annealed_mean(logits, 0), mode)


def test_shipped_temperature_sharpens_the_distribution(logits):
    sharpened = logits.softmax(1) ** (1 / 0.38)
    sharpened = sharpened / sharpened.sum(1, keepdim=True)
    expected = torch.einsum("nqhw,qc->nchw", sharpened, bins.centres())
    assert torch.allclose(bins.annealed_mean(logits, 0.38), expected, atol=1e-3)


@pytest.mark.parametrize("temperature", [1e-6, 1e-30, 1e-45])
def test_low_temperatures_tend_to_the_mode(logits, temperature):
    logits = 50 * logits
    assert torch.allclose(
        bins.annealed_mean(logits, temperature), bins.annealed_mean(logits, 0), atol=0.5
    )


def test_high_temperatures_tend_to_the_mean_of_all_bins(logits):
    middle = bins.centres().mean(0).view(1, 2, 1, 1).expand(2, 2, 6, 7)
    assert torch.allclose(bins.annealed_mean(logits, 1e6), middle, atol=1e-2)


def test_adding_a_constant_changes_nothing(logits):
    shifted = bins.annealed_mean(logits + 100, 0.38)
    assert torch.allclose(shifted, bins.annealed_mean(logits, 0.38), atol=5e-3)


def test_other_colours_for_the_bins(logits):
    points = bins.centres() / 2
    halved = bins.annealed_mean(logits, 1.0, points)
    assert torch.allclose(halved, bins.annealed_mean(logits, 1.0) / 2, atol=1e-4)


@pytest.mark.parametrize("temperature", [-0.1, math.nan])
def test_impossible_temperatures_are_refused(logits, temperature):
    with pytest.raises(ValueError, match="temperature of 0 or more"):
        bins.annealed_mean(logits, temperature)


def test_uncertainty_is_0_for_one_bin_and_1_for_all_alike(logits):
    certain = torch.full((1, 313, 1, 1), -1e4)
    certain[0, 7] = 0
    assert bins.entropy(certain).item() == 0
    assert bins.entropy(torch.full((1, 313, 1, 1), 3.0)).item() == pytest.approx(1)
    two = certain.clone()
    two[0, 8] = 0
    assert bins.entropy(two).item() == pytest.approx(math.log(2) / math.log(313))
    uncertainty = bins.entropy(logits)
    assert uncertainty.shape == (2, 6, 7)
    assert ((uncertainty >= 0) & (uncertainty <= 1)).all()


def logits_of(*colours):
    """Logits `(1, 313, 1, 1)` that find the bins of these colours alike likely, others not."""
    logits = torch.full((1, 313, 1, 1), -40.0)
    for colour in colours:
        logits[0, (bins.centres() - torch.tensor(colour)).norm(dim=1).argmin()] = 0
    return logits


@pytest.mark.parametrize(
    ("colours", "limit", "expected"),
    [
        ([(40.0, 30.0)], 2, (40, 30)),  # sure: as it is
        ([(60.0, 0.0), (0.0, 60.0)], 2, (42.43, 42.43)),  # to the mean chroma, 60
        ([(60.0, 0.0), (0.0, 60.0)], 1.2, (36, 36)),  # as far as the limit
        ([(60.0, 0.0), (0.0, 60.0)], 1, (30, 30)),
        ([(50.0, 0.0), (-50.0, 0.0)], 2, (0, 0)),  # no hue to raise
        ([(0.0, 0.0)], 2, (0, 0)),
    ],
)
def test_vivid_mean_has_the_chroma_of_what_it_is_a_mean_of(colours, limit, expected):
    vivid = bins.vivid_mean(logits_of(*colours), 1, limit).flatten()
    assert torch.allclose(vivid, torch.tensor(expected, dtype=torch.float32), atol=0.01)


def test_vivid_mean_keeps_the_hue_and_never_takes_chroma_away(generator):
    logits = torch.randn(2, 313, 5, 6, generator=generator) * 3
    plain, vivid = bins.annealed_mean(logits, 0.6), bins.vivid_mean(logits, 0.6, 1.5)
    ratio = vivid.norm(dim=1) / plain.norm(dim=1)
    assert ratio.min() >= 1 - 1e-5 and ratio.max() <= 1.5 + 1e-5 and ratio.std() > 0
    assert torch.allclose(vivid, plain * ratio[:, None], atol=1e-3)


def test_vivid_mean_of_the_mode_is_the_mode_and_no_temperature_is_negative(generator):
    logits = torch.randn(1, 313, 3, 4, generator=generator)
    assert torch.equal(bins.vivid_mean(logits, 0, 2), bins.annealed_mean(logits, 0))
    with pytest.raises(ValueError, match="a temperature of 0 or more, found -1"):
        bins.vivid_mean(logits, -1, 2)
