import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation

from colorize.color import bins
from colorize.inference.colourings import drawn, find_things
from colorize.inference.hints.things import Ground

BROWN, BLUE, GREEN = (
    int((bins.centres() - torch.tensor(c)).norm(dim=1).argmin())
    for c in ([10.0, 20.0], [0.0, -30.0], [-30.0, 30.0])
)
SIZE = 96, 128


def two_things(chances, L=60.0):
    """A ground whose left and right half differ in lightness. Brown is the likeliest in both;
    `chances` has the others' for each half, by bin."""
    logits = torch.full((bins.COUNT, 48, 64), -12.0)
    logits[BROWN] = 3.0
    for half, others in zip((slice(None, 32), slice(32, None)), chances, strict=True):
        for bin, chance in others.items():
            logits[bin, :, half] = 3.0 + np.log(chance)
    lightness = torch.full((1, *SIZE), L)
    lightness[..., 64:] = L + 25
    ab = torch.empty(2, *SIZE)
    ab[:] = bins.centres()[BROWN].view(2, 1, 1)
    ab[:, :, 64:] += 4
    return Ground(lightness, ab, logits)


def colourings(ground, stays=None, seeds=range(1, 9)):
    things = find_things(ground, torch.zeros(SIZE) if stays is None else stays)
    return [drawn(ground, things, seed) for seed in seeds]


def halves(change):
    return change[..., 4:56], change[..., 72:124]


def moves(change):
    return change.norm(dim=0).mean().item()


def test_a_seed_gives_the_same_and_the_next_another():
    ground = two_things([{BLUE: 0.4, GREEN: 0.3}, {BLUE: 0.4, GREEN: 0.3}])
    first, again, second = colourings(ground, seeds=(1, 1, 2))
    assert torch.equal(first, again)
    assert all(
        moves(one - other) > 5 for one, other in zip(halves(first), halves(second), strict=True)
    )


def test_a_thing_gets_one_likely_colour_all_over():
    ground = two_things([{BLUE: 0.5}, {GREEN: 0.5}])
    changed = [change for change in colourings(ground) if moves(change) > 5]
    assert changed
    for change in changed:
        for half, colour in zip(halves(change), (BLUE, GREEN), strict=True):
            assert half.flatten(1).std(1).max() < 2
            after = bins.centres()[BROWN] + half.mean((1, 2))
            assert torch.cosine_similarity(after, bins.centres()[colour], dim=0) > 0.7


def test_what_is_sure_or_stays_keeps_its_colour():
    ground = two_things([{BLUE: 0.5}, {BLUE: 0.001}])
    assert all(moves(halves(change)[1]) < 1 for change in colourings(ground))
    assert any(moves(halves(change)[0]) > 5 for change in colourings(ground))
    stays = torch.zeros(SIZE)
    stays[:, :64] = 1
    assert all(moves(change) < 1 for change in colourings(ground, stays))


@pytest.mark.parametrize(("L", "most"), [(60.0, 34.0), (10.0, 12.0)])
def test_nothing_gets_neon_and_what_is_dark_hardly_any_colour(L, most):
    ground = two_things([{BLUE: 0.9}, {}], L)
    seen = colourings(ground)
    assert any(moves(halves(change)[0]) > 5 for change in seen)
    for change in seen:
        left, _ = halves(change)
        if moves(left) > 5:
            assert (bins.centres()[BROWN] + left.mean((1, 2))).norm() < most


def test_half_precision_and_small_pictures_will_do():
    logits = torch.randn(bins.COUNT, 3, 1).half()
    ground = Ground(torch.rand(1, 6, 2) * 100, torch.zeros(2, 6, 2), logits)
    things = find_things(ground, torch.zeros(6, 2))
    change = drawn(ground, things, 0)
    assert change.shape == (2, 6, 2) and change.dtype == torch.float32
    assert change.isfinite().all()


def on_a_wall(own, alternatives, box=(slice(30, 66), slice(44, 84))):
    """A ground with a thing in the middle of something large; both have the ab `own`, and as
    likely `alternatives`, bins."""
    L, ab = torch.full((1, *SIZE), 70.0), torch.empty(2, *SIZE)
    L[0, *box] = 35.0
    ab[:] = torch.tensor(own).view(2, 1, 1)
    logits = torch.full((bins.COUNT, 48, 64), -12.0)
    logits[int((bins.centres() - torch.tensor(own)).norm(dim=1).argmin())] = 3.0
    inner = [slice(side.start // 2, side.stop // 2) for side in box]
    for bin in alternatives:
        logits[bin] = 2.0
        logits[bin, *inner] = 2.5  # else logits would not tell one from the other
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[box] = True
    return Ground(L, ab, logits), mask


@pytest.mark.parametrize("own", [(0.0, 0.0), (2.0, 8.0)])
def test_walls_and_floors_keep_their_grey_while_things_change(own):
    ground, mask = on_a_wall(own, [BLUE, GREEN])
    inside, outside = mask, ~binary_dilation(mask, iterations=6)
    for change in colourings(ground, seeds=range(1, 5)):
        assert change[:, outside].norm(dim=0).mean() < 2
    assert any(change[:, inside].norm(dim=0).mean() > 8 for change in colourings(ground))


def test_what_is_large_and_in_colour_changes_as_before():
    ground, mask = on_a_wall((20.0, 20.0), [BLUE, GREEN])
    assert any(change[:, ~mask].norm(dim=0).mean() > 8 for change in colourings(ground))
