import numpy as np
import pytest
import torch

from colorize.inference.hints.spots import Spot
from colorize.inference.hints.things import Ground

SHAPE = (80, 120)


def disc(row=40, column=50, radius=22):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.hypot(rows - row, columns - column) <= radius


def picture(generator, thing, logits=True):
    """L, ab and logits of a thing before another ground, with a little noise in all."""

    def layer(inside, outside, noise):
        flat = np.where(thing, np.reshape(inside, (-1, 1, 1)), np.reshape(outside, (-1, 1, 1)))
        return torch.from_numpy(flat).float() + noise * torch.randn(flat.shape, generator=generator)

    L = layer([45.0], [60.0], 1.0)
    ab = layer([8.0, 12.0], [-6.0, 20.0], 0.5)
    peaks = np.random.default_rng(0).normal(0, 2, (2, 313))
    return L, ab, layer(*peaks, 0.3) if logits else None


def spot(row, column, ab=(45.0, -30.0), **more):
    return Spot(row, column, torch.tensor(ab), **more)


@pytest.mark.parametrize("logits", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_a_thing_takes_the_colour_up_to_its_edge_and_no_further(generator, logits, asked):
    thing = disc()
    L, ab, logits = picture(generator, thing, logits)
    wish = spot(40, 50)
    answered = ab + torch.from_numpy(thing * 0.7) * (wish.ab.view(2, 1, 1) - ab) if asked else None
    found, mask = Ground(L, ab, logits).recoloured([wish], answered)
    near, far = disc(radius=20), ~disc(radius=25)
    missed = (found - wish.ab.view(2, 1, 1)).norm(dim=0).numpy()
    assert missed[near].mean() < 0.15 * float((wish.ab - ab[:, 40, 50]).norm())
    moved = (found - ab).norm(dim=0).numpy()
    assert moved[far].mean() < 2
    assert mask.shape == SHAPE and mask.min() >= 0 and mask.max() <= 1
    assert mask.numpy()[near].mean() > 0.85 and mask.numpy()[far].mean() < 0.1


def test_two_things_take_a_colour_each(generator):
    left, right = disc(40, 30, 18), disc(40, 90, 18)
    L, ab, logits = picture(generator, left | right)
    one, other = spot(40, 30), spot(40, 90, (-40.0, 30.0))
    found, _ = Ground(L, ab, logits).recoloured([one, other])
    for wish, thing in ((one, disc(40, 30, 15)), (other, disc(40, 90, 15))):
        missed = (found - wish.ab.view(2, 1, 1)).norm(dim=0).numpy()[thing]
        assert missed.mean() < 8


def test_a_stroke_takes_in_all_that_it_crosses(generator):
    left, right = disc(40, 30, 18), disc(40, 90, 18)
    L, ab, logits = picture(generator, left | right)
    line = tuple((40, column) for column in range(31, 91))
    _, mask = Ground(L, ab, logits).recoloured([spot(40, 30, along=line, radius=4.0)])
    assert mask.numpy()[left].mean() > 0.85 and mask.numpy()[right].mean() > 0.85
    assert mask.numpy()[:20].mean() < mask.numpy()[38:43, 52:68].mean()


def test_witnesses_tell_how_far_predicted_colour_and_lightness_are_from_the_hints(generator):
    thing = disc()
    ground = Ground(*picture(generator, thing))
    line = tuple((40, column) for column in range(50, 100))  # a stroke over both
    spots = [spot(40, 50), spot(40, 50, along=line, radius=1.0)]
    said = ground.witnesses(spots, None, ["apart", "shade"])
    inside, outside = disc(radius=19), ~disc(radius=25)
    for name, step in (("apart", np.hypot(14, 8)), ("shade", 15.0)):
        of_point, of_stroke = said[name].numpy()
        assert of_point[inside].mean() < 0.15 * step
        assert of_point[outside].mean() == pytest.approx(step, rel=0.1)
        assert of_stroke.mean() < 0.15 * step


def test_a_larger_photo_is_done_on_the_same_grid(generator):
    thing = disc()
    L, ab, logits = picture(generator, thing)
    twice = [torch.nn.functional.interpolate(x[None], scale_factor=2)[0] for x in (L, ab)]
    _, mask = Ground(L, ab, logits).recoloured([spot(40, 50)])
    _, larger = Ground(*twice, logits).recoloured([spot(80, 100)])
    assert larger.shape == (160, 240)
    assert np.abs(larger.numpy()[1::2, 1::2] - mask.numpy()).mean() < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (8, 300), (300, 9)])
def test_every_shape(generator, shape):
    L, ab = torch.full((1, *shape), 50.0), torch.zeros(2, *shape)
    found, mask = Ground(L, ab, torch.zeros(313, *shape)).recoloured([spot(0, 0)])
    assert found.isfinite().all() and mask.isfinite().all()
    assert torch.allclose(found[:, 0, 0], torch.tensor([45.0, -30.0]), atol=0.01)


def test_the_same_spots_give_the_same_bits(generator):
    L, ab, logits = picture(generator, disc())
    spots = [spot(40, 50), spot(10, 100, (0.0, 50.0))]
    first, again = (Ground(L, ab, logits).recoloured(spots) for _ in range(2))
    assert all(torch.equal(x, y) for x, y in zip(first, again, strict=True))
