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


def test_the_first_frames_know_what_only_later_ones_show():
    """As where a pan brings in what tells the network what a thing is."""
    found = run(pan(24), lambda n: everywhere(BLUE if n < 4 else RED), 4)
    for one in found[0], found[2], found[20]:
        assert np.abs(one.ab - everywhere(RED)).mean() < np.abs(one.ab - everywhere(BLUE)).mean()
    assert flicker(pan(24), [one.ab for one in found]) < 0.5


@pytest.mark.parametrize("length", [1, 2])
def test_behind_a_flash_the_shot_goes_on(length):
    greys = pan(20)
    for n in range(9, 9 + length):
        greys[n] = np.full_like(greys[n], 250)
    found = run(greys, lambda n: everywhere(RED if n < 9 else BLUE), 4)
    assert [one.shot for one in found] == [0] * 9 + [1] * length + [2] * (11 - length)
    before, after = found[8].ab, found[9 + length].ab
    fresh = slice(4, -12)  # what the pan has not just brought in
    assert np.abs(after[:, :, fresh] - everywhere(RED)[:, :, fresh]).mean() < 50  # 72 is BLUE
    assert np.abs(before - everywhere(RED)).max() < 1e-3


def test_a_short_shot_of_something_else_is_no_flash_of_what_follows():
    greys = [*pan(6), *pan(2, "coins"), *pan(6, "text")]
    found = run(greys, lambda n: everywhere(BLUE if 6 <= n < 8 else RED if n < 6 else (5, 60)), 4)
    assert [one.shot for one in found] == [0] * 6 + [1] * 2 + [2] * 6
    assert np.abs(found[8].ab - everywhere((5, 60))).max() < 1e-3


@pytest.mark.parametrize("speed", [1, 4])
def test_a_dissolve_leaves_nothing_of_what_was_before(speed):
    first, second = pan(28, step=1), pan(28, "coins", step=1)
    weights = np.clip((np.arange(28) - 7) / 8, 0, 1)
    greys = [
        np.rint(one + share * (other.astype(float) - one)).astype(np.uint8)
        for one, other, share in zip(first, second, weights, strict=True)
    ]
    truths = [everywhere(np.float32(RED) * (1 - w) + np.float32(BLUE) * w) for w in weights]
    found = [one.ab for one in run(greys, lambda n: truths[n], speed)]
    for n in (0, *range(20, 28)):
        assert np.abs(found[n] - truths[n]).mean() < 12, n  # 72 is between RED and BLUE


def test_a_fade_to_black_keeps_a_things_colour():
    light = np.clip((14 - np.arange(16)) / 12, 0.08, 1)
    greys = [
        np.rint(one * share).astype(np.uint8) for one, share in zip(pan(16), light, strict=True)
    ]
    found = run(greys, lambda n: everywhere(np.float32(RED) * np.float32(light[n])), 4)
    assert {one.shot for one in found} == {0}
    assert np.abs(found[2].ab - everywhere(RED)).mean() < 8
    alone = [everywhere(np.float32(RED) * np.float32(one)) for one in light]
    assert flicker(greys, [one.ab for one in found]) < flicker(greys, alone) / 4


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
