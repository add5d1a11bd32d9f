"""Order, sides, balance and secrecy of the trials."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.turing.support.designs import make_design
from turing.study.trials import (
    ROUND,
    SIDE_BLOCK,
    WILD,
    Design,
    correct_choice,
    every_stimulus,
    offers_break,
    participant_trials,
    was_right,
)

KEY = bytes(range(32))
PROTOCOLS = ["pick-original", "pick-fake-sequential", "single", "preference"]


def scored(trials):
    return [trial for trial in trials if trial.kind == "scored"]


def side(trial):
    """Which way round a treatment is shown: 0 or 1."""
    if len(trial.parts) == 1:
        return int(trial.parts[0] is None)
    if None in trial.parts:
        return trial.parts.index(None)
    return int(trial.parts[0] > trial.parts[1])


def spread(values):
    return max(values) - min(values)


designs = st.builds(
    make_design,
    sizes=st.lists(st.integers(9, 30), min_size=1, max_size=4),
    models=st.integers(2, 4),
    trials=st.integers(1, 5),
    practice=st.integers(0, 2),
    catch=st.integers(0, 2),
    protocol=st.sampled_from(PROTOCOLS),
    seed=st.integers(0, 2**63 - 1),
)


@given(designs, st.integers(1, 400), st.integers(1, 3), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_holds_for_every_participant(design, number, part, preview):
    trials = participant_trials(design, KEY, number, part, preview)
    assert trials == participant_trials(design, KEY, number, part, preview)

    kinds = [trial.kind for trial in trials]
    n_practice, n_catch = len(design.practice), len(design.catch)
    assert kinds[:n_practice] == ["practice"] * n_practice
    assert kinds.count("scored") == design.per_participant and kinds.count("catch") == n_catch
    assert kinds[n_practice] == "scored"

    shown = [trial.photo for trial in trials]
    assert len(set(shown)) == len(shown)
    used = {photo for of in design.photos.values() for photo in of}
    assert all((trial.photo in used) == (trial.kind == "scored") for trial in trials)
    possible = set(every_stimulus(design))
    assert all(((trial.dataset, trial.photo), trial.parts) in possible for trial in trials)


@given(
    sizes=st.lists(st.integers(2, 25), min_size=1, max_size=4),
    models=st.integers(2, 5),
    share=st.floats(0.05, 1),
    number=st.integers(1, 50),
    protocol=st.sampled_from(PROTOCOLS),
)
@settings(max_examples=150, deadline=None)
def test_datasets_models_and_sides_are_as_even_as_counts_allow(
    sizes, models, share, number, protocol
):
    design = make_design(sizes, models, max(1, int(share * sum(sizes))), 0, 0, protocol)
    trials = participant_trials(design, KEY, number)
    datasets = Counter(trial.dataset for trial in trials)
    most = max(datasets.values())
    for name, photos in design.photos.items():
        assert datasets[name] >= most - 1 or datasets[name] == len(photos)

    treatment = {
        trial: tuple(sorted(trial.parts)) if protocol == "preference" else trial.model
        for trial in trials
    }
    every = models * (models - 1) // 2 if protocol == "preference" else models
    overall = Counter(treatment.values())
    assert spread([*overall.values(), *[0] * (every - len(overall))]) <= 1
    for name in datasets:
        cells = Counter(treatment[trial] for trial in trials if trial.dataset == name)
        assert spread([*cells.values(), *[0] * (every - len(cells))]) <= 1
        for cell in cells:
            sides = [
                side(trial) for trial in trials if (trial.dataset, treatment[trial]) == (name, cell)
            ]
            assert abs(len(sides) - 2 * sum(sides)) <= 1
    for cell in overall:
        sides = [side(trial) for trial in trials if treatment[trial] == cell]
        assert abs(len(sides) - 2 * sum(sides)) <= 1
    for start in range(0, len(trials), SIDE_BLOCK):
        sides = [side(trial) for trial in trials[start : start + SIDE_BLOCK]]
        assert abs(len(sides) - 2 * sum(sides)) <= len(sides) % 2


@pytest.fixture(scope="module")
def many_sides():
    """Sides of 100,000 scored trials, (2,500 participants, 40); one participant a round."""
    design = make_design((60,), trials=40, practice=0)
    return np.array(
        [
            [side(t) for t in scored(participant_trials(design, KEY, 1 + ROUND * n))]
            for n in range(2500)
        ]
    )


def test_sides_are_a_fair_coin_at_every_position(many_sides):
    people = len(many_sides)
    p_values = [stats.binomtest(int(k), people).pvalue for k in many_sides.sum(axis=0)]
    assert min(p_values) > 0.001 / len(p_values)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_sides_follow_no_pattern_from_one_participant_to_the_next(many_sides):
    for position in (0, 1, 20, 39):
        sequence = many_sides[:, position]
        n1, n2 = int(sequence.sum()), int((1 - sequence).sum())
        n = n1 + n2
        expected = 2 * n1 * n2 / n + 1
        variance = (expected - 1) * (expected - 2) / (n - 1)
        runs = 1 + np.count_nonzero(np.diff(sequence))
        assert abs(runs - expected) / np.sqrt(variance) < 3.5


def test_sides_within_blocks_are_in_random_order(many_sides):
    """Wald-Wolfowitz for n/2 of each in every block, over all 5,000 blocks together."""
    blocks = many_sides.reshape(-1, SIDE_BLOCK)
    half = SIDE_BLOCK // 2
    assert np.all(blocks.sum(axis=1) == half)
    runs = 1 + np.count_nonzero(np.diff(blocks, axis=1), axis=1)
    expected = half + 1
    variance = half * (half - 1) / (SIDE_BLOCK - 1)
    z = (runs.sum() - len(runs) * expected) / np.sqrt(len(runs) * variance)
    assert abs(z) < 3.5
    assert runs.var() == pytest.approx(variance, rel=0.1)


def test_sides_tell_nothing_of_the_model_or_dataset():
    design = make_design(trials=20)
    table = np.zeros((4, 2))
    for n in range(1000):
        for trial in scored(participant_trials(design, KEY, 1 + ROUND * n))[:1]:
            table[2 * (trial.model == "model0") + (trial.dataset == "set0"), side(trial)] += 1
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_catch_trials_are_anywhere_but_first():
    design = make_design(trials=20, practice=2, catch=3)
    slots, apart = [], []
    for n in range(4000):
        trials = participant_trials(design, KEY, 1 + ROUND * n)[2:]
        here = [i for i, trial in enumerate(trials) if trial.kind == "catch"]
        slots += here
        apart += [b - a for a, b in pairwise(here)]
    counts = np.bincount(slots, minlength=23)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 0.001
    assert min(apart) == 3 and len(set(apart)) > 5


def test_as_many_catch_trials_as_can_be():
    design = make_design((20,), trials=1, practice=0, catch=6)
    kinds = [trial.kind for trial in participant_trials(design, KEY, 1)]
    assert kinds == ["scored"] + ["catch"] * 6


@pytest.mark.parametrize(
    ("sizes", "models", "trials"), [((20, 20), 2, 20), ((50,), 3, 40), ((9, 21, 40), 2, 25)]
)
def test_photos_rotate(sizes, models, trials):
    """Within a round each photo of a dataset is seen equally often, and by every model."""
    design = make_design(sizes, models, trials, practice=0, catch=0)
    seen, seen_by = Counter(), Counter()
    for number in range(1, 41):
        for trial in participant_trials(design, KEY, number):
            seen[trial.photo] += 1
            seen_by[trial.photo, trial.model] += 1
    for of in design.photos.values():
        assert spread([seen[photo] for photo in of]) <= 1
        cells = [seen_by[photo, model] for photo in of for model in design.models]
        assert spread(cells) <= 3


def test_rounds_add_up():
    design = make_design((12, 12), trials=10, practice=0, catch=0)
    seen_by = Counter()
    for number in range(1, 2 * ROUND + 31):
        for trial in participant_trials(design, KEY, number):
            seen_by[trial.photo, trial.model] += 1
    expected = (2 * ROUND + 30) * 10 / 48
    assert all(abs(count - expected) <= 4 for count in seen_by.values()) and len(seen_by) == 48


def agreement(one, other):
    """Share of equal sides among participants' scored trials at the same position."""
    same = [
        side(a) == side(b)
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x, y, strict=True)
    ]
    return np.mean(same)


def test_nothing_follows_from_the_seed_without_the_key():
    design = make_design(trials=20)
    numbers = range(1, 100 * ROUND + 1, ROUND)

    def all_of(key=KEY, **named):
        return [scored(participant_trials(design, key, n, **named)) for n in numbers]

    mine = all_of()
    for others in (
        all_of(bytes(32)),
        all_of(KEY[:-1] + b"\0"),
        all_of(part=2),
        all_of(preview=True),
        [mine[-1], *mine[:-1]],
    ):
        assert abs(agreement(mine, others) - 0.5) < 4 * 0.5 / np.sqrt(2000)
        assert [t.photo for t in mine[0]] != [t.photo for t in others[0]]
    with pytest.raises(ValueError, match="key: expected 32 bytes, found 16"):
        participant_trials(design, b"0" * 16, 1)
    with pytest.raises(ValueError, match="number: expected 1 or more, found 0"):
        participant_trials(design, KEY, 0)


def test_trials_are_the_same_on_every_machine_and_release():
    """Balance is replayed from the first participant on, so a running study relies on this."""
    design = make_design((6,), trials=3, practice=1, catch=1)
    assert [tuple(trial) for trial in participant_trials(design, KEY, 2)] == [
        ("practice", "set0", "0-5", ("model1", None), "model1"),
        ("scored", "set0", "0-2", ("model0", None), "model0"),
        ("catch", "set0", "0-0", (WILD, None), None),
        ("scored", "set0", "0-3", (None, "model1"), "model1"),
        ("scored", "set0", "0-4", ("model1", None), "model1"),
    ]


def test_single_shows_originals_in_half_of_every_models_trials():
    design = make_design(protocol="single", trials=24)
    for number in range(1, 11):
        trials = participant_trials(design, KEY, number)
        shown = Counter((t.model, t.parts[0] is None) for t in scored(trials))
        assert set(shown.values()) == {6} and len(shown) == 4
        assert all(t.parts in ((None,), (t.model,)) for t in trials if t.kind != "catch")
        assert all(t.parts == (WILD,) and t.model is None for t in trials if t.kind == "catch")


def test_preference_pairs_every_two_models():
    design = make_design(protocol="preference", models=3, trials=12)
    pairs, left = Counter(), Counter()
    for number in range(1, 31):
        for trial in participant_trials(design, KEY, number):
            assert trial.model is None
            if trial.kind == "catch":
                assert set(trial.parts) == {None, WILD}
                continue
            assert len(set(trial.parts)) == 2 and None not in trial.parts
            if trial.kind == "scored":
                pairs[frozenset(trial.parts)] += 1
                left[trial.parts[0]] += 1
    assert set(pairs.values()) == {120} and len(pairs) == 3
    assert set(left.values()) == {120}


def test_practice_uses_a_model_of_its_own_where_there_is_one():
    base = make_design(trials=4)
    own = Design(**{**vars(base), "practice_models": ("other",)})
    trials = participant_trials(own, KEY, 1)
    assert all(("other" in t.parts) == (t.kind == "practice") for t in trials)
    pair = Design(**{**vars(own), "protocol": "preference"})
    shown = {m for t in participant_trials(pair, KEY, 1) if t.kind == "practice" for m in t.parts}
    assert shown == {"model0", "model1"}, "a pair takes two practice models"


@pytest.mark.parametrize(
    ("protocol", "parts", "expected"),
    [
        ("pick-original", (None, "m"), 0),
        ("pick-original", ("m", None), 1),
        ("pick-fake-sequential", (None, "m"), 1),
        ("pick-fake-sequential", ("m", None), 0),
        ("pick-fake-sequential", (None, WILD), 1),
        ("single", (None,), 0),
        ("single", ("m",), 1),
        ("single", (WILD,), 1),
        ("preference", ("m", "k"), None),
        ("preference", (WILD, None), 1),
    ],
)
def test_right_is_what_the_protocol_asked_for(protocol, parts, expected):
    assert correct_choice(protocol, parts) == expected
    for choice in (0, 1):
        right = None if expected is None else choice == expected
        assert was_right(protocol, parts, choice) is right
    assert was_right(protocol, parts, None) is None


@pytest.mark.parametrize(
    ("protocol", "pictures"),
    [
        ("pick-original", 28 * 4 + 4 + 2),
        ("pick-fake-sequential", 28 * 4 + 4 + 2),
        ("single", 28 * 3 + 3 + 1),
        ("preference", 28 * 2 + 2 + 2),
    ],
)
def test_stimuli_are_listed_once(protocol, pictures):
    """30 photos, 28 of them scored; two models."""
    found = every_stimulus(make_design((22, 8), trials=5, practice=1, catch=1, protocol=protocol))
    assert len(found) == len(set(found)) == pictures


def test_breaks_count_every_trial():
    assert [p for p in range(22) if offers_break(p, 10)] == [10, 20]
    assert not any(offers_break(p, 0) for p in range(22))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"per_participant": 0}, "per_participant: expected 1 or more, found 0"),
        ({"per_participant": 99}, "needs 99 photos, found 56: 43 missing"),
        ({"models": ()}, "too few models for pick-original"),
        ({"models": ("m",), "protocol": "preference"}, "too few models for preference"),
    ],
)
def test_impossible_designs_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        Design(**{**vars(make_design()), **changed})
