import numpy as np
import torch

from colorize.color import bins
from colorize.inference.colourings import perturbed

RED, BLUE = (
    int((bins.centres() - torch.tensor(c)).norm(dim=1).argmin())
    for c in ([50.0, 40.0], [10.0, -50.0])
)


def two_regions(likely=1.0):
    """Logits `(1, 313, 24, 32)` of red or blue, one as likely as the other, and L with an edge."""
    logits = torch.full((1, bins.COUNT, 24, 32), -12.0)
    logits[:, [RED, BLUE]] = 3.0
    logits[:, RED] += np.log(likely)
    L = torch.full((1, 48, 64), 30.0)
    L[:, :, 32:] = 80.0
    return logits, L


def modes(logits, L, seed):
    return perturbed(logits, L, seed).argmax(1)[0]


def test_a_seed_gives_the_same_and_seeds_differ():
    logits, L = two_regions()
    first = perturbed(logits, L, 1)
    assert torch.equal(first, perturbed(logits, L, 1))
    assert not torch.equal(first, perturbed(logits, L, 2))


def test_regions_get_one_likely_mode_each():
    logits, L = two_regions()
    seen, shares = set(), []
    for seed in range(24):
        chosen = modes(logits, L, seed)
        assert set(chosen.unique().tolist()) <= {RED, BLUE}
        halves = [(half == RED).float().mean().item() for half in (chosen[:, :15], chosen[:, 17:])]
        shares += [max(share, 1 - share) for share in halves]
        seen.add(tuple(RED if share > 0.5 else BLUE for share in halves))
    assert np.mean(shares) > 0.9
    assert seen == {(RED, RED), (RED, BLUE), (BLUE, RED), (BLUE, BLUE)}


def test_what_is_likelier_is_taken_more_often_and_the_unlikely_never():
    logits, L = two_regions(likely=6.0)
    red = np.mean([(modes(logits, L, seed) == RED).float().mean().item() for seed in range(40)])
    assert 0.6 < red < 0.99
    logits, L = two_regions(likely=100.0)
    assert all((modes(logits, L, seed) == RED).all() for seed in range(10))


def test_what_is_sure_stays():
    logits = torch.full((1, bins.COUNT, 12, 16), -20.0)
    logits[:, RED] = 10.0
    ab = bins.annealed_mean(perturbed(logits, torch.rand(1, 24, 32) * 100, 5), 0.38)
    assert torch.allclose(ab, bins.centres()[RED].view(1, 2, 1, 1).expand_as(ab), atol=1e-3)


def test_half_precision_and_small_pictures_will_do():
    logits = torch.randn(1, bins.COUNT, 3, 1).half()
    other = perturbed(logits, torch.rand(1, 6, 2) * 100, 0)
    assert other.dtype == torch.float32 and not other.isnan().any()
    assert bins.annealed_mean(other, 0.38).isfinite().all()
    assert bins.annealed_mean(other, 0).isfinite().all()
