"""Colours stay with things: less flicker, no smear at cuts, no trails, and given ones hold."""

from itertools import pairwise

import numpy as np
import pytest
import skimage.data
from PIL import Image

from colorize.film.motion import Motion, warp
from colorize.film.steady import Given, SteadyColours

HEIGHT, WIDTH = 96, 128
RED, BLUE = (50.0, 40.0), (-10.0, -45.0)


def scenery(photo="camera"):
    return np.asarray(
        Image.fromarray(getattr(skimage.data, photo)()).convert("L").resize((300, 140))
    )


def pan(count=16, photo="camera", step=2):
    whole = scenery(photo)
    return [
        np.ascontiguousarray(whole[20 : 20 + HEIGHT, n * step : n * step + WIDTH])
        for n in range(count)
    ]


def everywhere(colour):
    return np.broadcast_to(np.float32(colour)[:, None, None], (2, HEIGHT, WIDTH)).copy()


def run(greys, predict, speed=4, given=None):
    steady = SteadyColours(predict, speed)
    found = []
    for number, grey in enumerate(greys):
        found += steady.add(number, grey, (given or {}).get(number, ()))
    found += steady.finish()
    assert [one.item for one in found] == list(range(len(greys)))
    return found


def flicker(greys, colours):
    """Mean change of ab along trusted motion, from a frame to the next."""
    motion, changes = Motion(), []
    for (first, one), (second, other) in pairwise(zip(greys, colours, strict=True)):
        _, back = motion.between(first, second)
        moved = warp(np.ascontiguousarray(one.transpose(1, 2, 0)), back.vectors)
        changes.append(np.abs(other.transpose(1, 2, 0) - moved)[back.trust > 0.9].mean())
    return np.mean(changes)


@pytest.mark.parametrize("speed", [1, 4, 7])
def test_noisy_predictions_flicker_less_than_a_third(speed):
    greys, before, after = pan(24), [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        noisy = [everywhere(RED) + rng.normal(0, 8, (2, 1, 1)).astype(np.float32) for _ in greys]
        found = [one.ab for one in run(greys, lambda n, noisy=noisy: noisy[n], speed)]
        assert flicker(greys, found) <= flicker(greys, noisy) / 3
        for errors, colours in ((before, noisy), (after, found)):
            errors += [np.abs(one - everywhere(RED)).mean() for one in colours]
    assert np.mean(after) <= np.mean(before)


@pytest.mark.parametrize("speed", [1, 4, 5])
def test_nothing_is_carried_over_a_cut(speed):
    greys = [*pan(7), *pan(6, "coins")]
    found = run(greys, lambda n: everywhere(RED if n < 7 else BLUE), speed)
    assert [one.shot for one in found] == [0] * 7 + [1] * 6
    for one in found:
        assert np.abs(one.ab - everywhere(RED if one.item < 7 else BLUE)).max() < 1e-3


def passing(count=20):
    """A light square that goes over a textured ground; and its colours."""
    ground = pan(1)[0] // 2
    greys, truths = [], []
    for n in range(count):
        grey, truth = ground.copy(), everywhere(BLUE)
        at = 8 + 4 * n
        grey[30:60, at : at + 30] = 190 + (scenery("coins")[30:60, 30:60] // 6)
        truth[:, 30:60, at : at + 30] = np.float32(RED)[:, None, None]
        greys.append(grey)
        truths.append(truth)
    return greys, truths


@pytest.mark.parametrize("speed", [1, 4])
def test_nothing_trails_behind_what_moves(speed):
    greys, truths = passing()
    found = [one.ab for one in run(greys, lambda n: truths[n], speed)]
    wrong = [np.abs(one - truth).mean(0) > 20 for one, truth in zip(found, truths, strict=True)]
    assert np.mean(wrong) < 0.01
    behind = wrong[-1][30:60, 8:60]  # where it has been
    assert behind.mean() < 0.02


def test_the_network_sees_the_ends_of_a_shot_and_every_nth_frame():
    asked = []

    def predict(number):
        asked.append(number)
        return everywhere(RED)

    run(pan(14), predict, 5)
    assert asked == [0, 5, 10, 13]


def test_it_sees_more_where_motion_explains_little():
    rng = np.random.default_rng(0)
    asked = []

    def predict(number):
        asked.append(number)
        return everywhere(RED)

    greys = pan(9)
    for grey in greys[4:7]:
        grey[:, :80] = rng.integers(0, 256, (HEIGHT, 80))
    run(greys, predict, 8)
    assert {4, 5, 6} <= set(asked)


def test_what_is_newly_seen_follows_its_surroundings():
    """The prediction is another one from the second key frame on: what enters must not differ."""
    greys = pan(30, step=3)
    found = run(greys, lambda n: everywhere(RED if n == 0 else BLUE), 4)
    fresh, old = found[4].ab[:, :, -9:], found[4].ab[:, :, 40:90]
    assert np.abs(fresh.mean((1, 2)) - old.mean((1, 2))).max() < 25
    assert np.abs(found[-1].ab - everywhere(BLUE)).mean() < 25  # and in time it is believed


def test_given_colours_hold_for_the_shot():
    greys = [*pan(20), *pan(4, "coins")]
    weight = np.zeros((HEIGHT, WIDTH), np.float32)
    weight[40:70, 60:100] = 1
    some = Given(everywhere(RED).transpose(1, 2, 0), weight, False)
    found = run(greys, lambda n: everywhere(BLUE), 4, {6: [some]})
    at = (slice(None), slice(48, 62), slice(70, 80))
    assert np.abs(found[6].ab[at].mean((1, 2)) - RED).max() < 1
    moved = (slice(None), slice(48, 62), slice(70 - 2 * 13, 80 - 2 * 13))
    assert np.abs(found[19].ab[moved].mean((1, 2)) - RED).max() < 6
    assert np.abs(found[19].ab[:, :20] - everywhere(BLUE)[:, :20]).mean() < 1
    for one in found[20:]:
        assert np.abs(one.ab - everywhere(BLUE)).max() < 1e-3


def test_pictures_that_wait_are_bounded():
    steady, ready = SteadyColours(lambda n: everywhere(RED), 48), []
    for number, grey in enumerate(pan(12)):
        ready.append(len(list(steady.add(number, grey, nbytes=2**26))))
    assert max(ready) <= 4 and sum(ready) >= 9
