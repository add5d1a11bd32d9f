"""How long pictures are shown: levels in balance, and staircases."""

from collections import Counter

import numpy as np
import pytest

from tests.turing.support.synthetic import design_of, made_up_study
from turing.errors import TuringError
from turing.study.draws import Draws
from turing.study.study import parse_study
from turing.study.timing import FIRST_RUNG, LADDER, Step, balanced, staircase_ms, tracks
from turing.study.trials import participant_trials

LEVELS = (100, 250, 500, 1000)


def drawn_for(number, **settings):
    design = design_of(made_up_study(**settings))
    trials = participant_trials(design, bytes(32), number)
    return trials, balanced(LEVELS, trials, Draws(bytes(32), "exposures", number))


def spread(counts, of=LEVELS):
    return max(counts[level] for level in of) - min(counts[level] for level in of)


@pytest.mark.parametrize("protocol", ["pick-original", "single", "preference"])
@pytest.mark.parametrize("number", [1, 7])
def test_levels_are_in_balance_within_a_participant(protocol, number):
    trials, levels = drawn_for(number, protocol=protocol, trials=36)
    scored = [(t, ms) for t, ms in zip(trials, levels, strict=True) if t.kind == "scored"]
    assert spread(Counter(ms for _, ms in scored)) <= 1
    for model in {t.model for t, _ in scored}:
        assert spread(Counter(ms for t, ms in scored if t.model == model)) <= 1
    for cell in {(t.model, t.parts) for t, _ in scored}:  # colorized and original apart
        assert spread(Counter(ms for t, ms in scored if (t.model, t.parts) == cell)) <= 1
    for cell in {(t.model, t.dataset) for t, _ in scored}:
        assert spread(Counter(ms for t, ms in scored if (t.model, t.dataset) == cell)) <= 2


def test_levels_follow_from_the_key_and_differ_between_people():
    assert drawn_for(3) == drawn_for(3)
    assert drawn_for(3)[1] != drawn_for(4)[1]


def test_a_level_tells_neither_side_nor_place():
    """Over many participants each level comes up alike often at each place and for each way."""
    design = design_of(made_up_study(protocol="pick-original", trials=8, catch=0, photos=10))
    ways, places = Counter(), Counter()
    for number in range(1, 301):
        trials = participant_trials(design, bytes(32), number)
        levels = balanced(LEVELS, trials, Draws(bytes(32), "exposures", number))
        for place, (trial, ms) in enumerate(zip(trials, levels, strict=True)):
            if trial.kind == "scored":
                ways[trial.parts[0] is None, ms] += 1
                places[place, ms] += 1
    for counts in (ways, places):
        expected = sum(counts.values()) / len(counts)
        assert all(abs(n - expected) < 5 * np.sqrt(expected) for n in counts.values())


def steps(*answers, track="a"):
    return [Step(track, answer) for answer in answers]


def test_a_staircase_starts_at_half_a_second_and_hurries_until_the_first_error():
    assert LADDER[FIRST_RUNG] == 500 and staircase_ms("a", []) == 500
    assert staircase_ms("a", steps(True)) == 354
    assert staircase_ms("a", steps(True, True)) == 250
    assert staircase_ms("a", steps(True, True, False)) == 297


def test_after_it_three_right_ones_go_down_and_one_wrong_one_up():
    first = steps(False)
    assert staircase_ms("a", first) == 595
    assert staircase_ms("a", first + steps(True, True)) == 595
    assert staircase_ms("a", first + steps(True, True, True)) == 500
    assert staircase_ms("a", first + steps(True, True, False, True, True)) == 707
    assert staircase_ms("a", first + steps(True, True, True, True)) == 500


def test_tracks_know_nothing_of_each_other():
    others = [Step("b", False)] * 5
    assert staircase_ms("a", others) == 500
    assert staircase_ms("a", steps(True) + others) == staircase_ms("a", others + steps(True)) == 354


def test_a_staircase_ends_at_its_ladders_ends():
    assert staircase_ms("a", steps(*[True] * 60)) == LADDER[0] == 31
    assert staircase_ms("a", steps(*[False] * 60)) == LADDER[-1] == 2000


def test_a_staircase_settles_where_four_in_five_are_right():
    rng = np.random.default_rng(0)
    seen, done = [], []
    for _ in range(4000):
        ms = staircase_ms("a", done[-300:])  # near enough, and it does not walk all of it
        right = 0.5 + 0.5 / (1 + (150 / ms) ** 2)
        seen.append(right)
        done.append(Step("a", bool(rng.random() < right)))
    assert 0.77 < np.mean(seen[200:]) < 0.82  # 0.5 ** (1 / 3) = 0.794 (Levitt 1971)


def test_one_model_has_two_tracks_in_turn():
    assert tracks(["x", "y", "x"]) == ["x", "y", "x"]
    one, other, again = tracks(["x", "x", "x"])
    assert one == again != other


SHORT = """
[study]
name = "s"
title = "T"
protocol = "{protocol}"
seed = 0
[stimuli]
photos_per_dataset = 0
display_size = 64
models = ["m", "n"]
datasets = [{{ name = "d", folder = "d" }}]
[trials]
per_participant = 10
practice = 0
catch = 0
{trials}
[texts]
consent = "Yes?"
instructions = "Look."
"""


def read(trials, protocol="pick-original"):
    return parse_study(SHORT.format(protocol=protocol, trials=trials), "my.toml")


def test_exposures_of_a_study():
    assert read("exposure_ms = 0").trials.exposures == ()
    several = read("exposure_ms = [500, 100]").trials
    assert several.exposure_ms == (500, 100) and several.exposures == (100, 500)
    assert several.is_timed and not several.has_staircase
    assert read('exposure_ms = "staircase"').trials.has_staircase
    hashes = {
        read(f"exposure_ms = {value}").sha256 for value in ("100", "[100, 500]", "[100, 250]")
    }
    assert len(hashes) == 3


@pytest.mark.parametrize(
    "value", ["-1", "600001", "true", "1.5", '"stairs"', "[]", "[100]", "[100, 100]", "[0, 100]"]
)
def test_other_exposures_are_refused(value):
    with pytest.raises(TuringError) as refused:
        read(f"exposure_ms = {value}")
    (line,) = str(refused.value).splitlines()
    assert line.startswith(
        "my.toml: trials.exposure_ms: expected milliseconds, 0 = until answered, a list of two or "
        "more, or 'staircase', found "
    )


@pytest.mark.parametrize(
    ("trials", "protocol", "fault"),
    [
        ('exposure_ms = "staircase"', "preference", "trials.exposure_ms: expected milliseconds"),
        ("exposure_ms = 0\nmask_ms = 100", "single", "trials.mask_ms: expected exposure_ms above"),
        ("exposure_ms = 0\nties = true", "single", "trials.ties: expected false for single"),
        (f"exposure_ms = {list(range(1, 12))}", "single", "trials.exposure_ms: expected 10 at"),
    ],
)
def test_keys_of_trials_that_contradict_each_other(trials, protocol, fault):
    with pytest.raises(TuringError, match=fault):
        read(trials, protocol)


def test_keys_at_their_defaults_make_no_other_study():
    plain = read("exposure_ms = 1000")
    defaults = "fixation_ms = 0\ngap_ms = 0\nmask_ms = 0\n"
    switches = ("ties", "confidence", "marks")
    defaults += "".join(f"{key} = false\n" for key in switches)
    assert read(f"exposure_ms = 1000\n{defaults}").sha256 == plain.sha256
    for key in (
        "fixation_ms = 1",
        "gap_ms = 1",
        "mask_ms = 1",
        "confidence = true",
        "marks = true",
    ):
        assert read(f"exposure_ms = 1000\n{key}").sha256 != plain.sha256
    assert read("exposure_ms = 0", "preference").sha256 != (
        read("exposure_ms = 0\nties = true", "preference").sha256
    )
