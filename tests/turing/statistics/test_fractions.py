"""Intervals and tests: against statsmodels, against loops by hand, and by simulation."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from tests.turing.support.by_hand import by_loops
from tests.turing.support.simulated import population_mean, simulate_study
from turing import statistics
from turing.statistics.fractions import (
    difference,
    holm,
    learning,
    naive_interval,
    position_bias,
    turing_fraction,
    verdict,
)

SMALL = {
    "correct": [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1],
    "participant": list("aaabbbcccdd"),
    "photo": [1, 2, 3, 1, 2, 4, 2, 3, 4, 1, 4],
}


@pytest.mark.parametrize(
    ("function", "parameters", "result"),
    [
        (
            "turing_fraction",
            "correct participant photo confidence",
            "estimate low high n participants photos n_effective df note",
        ),
        ("difference", "correct model participant photo a b", "estimate low high p_value df"),
        ("verdict", "correct participant photo delta", None),
    ],
)
def test_the_packages_door_has_the_three_that_others_call(function, parameters, result):
    found = inspect.signature(getattr(statistics, function), eval_str=True)
    names = parameters.split()
    assert list(found.parameters)[: len(names)] == names
    if result:
        fields = result.split()
        assert list(found.return_annotation._fields)[: len(fields)] == fields


def test_fraction_follows_the_printed_formulas():
    y, n = SMALL["correct"], len(SMALL["correct"])
    p = sum(y) / n
    found = by_loops(SMALL["participant"], SMALL["photo"], [(v - p) / n for v in y])
    (a, people), (b, photos), (c, _) = found["A"], found["B"], found["C"]
    v = max(a + b - c, a, b, p * (1 - p) / n)
    nu = min(
        n - 1, max(min(people, photos) - 1, v**2 / (a**2 / (people - 1) + b**2 / (photos - 1)))
    )
    t, effective = stats.t.ppf(0.975, nu), p * (1 - p) / v
    middle = p + t**2 / (2 * effective)
    root = t * math.sqrt(p * (1 - p) / effective + t**2 / (4 * effective**2))

    fraction = turing_fraction(**SMALL)

    assert fraction[3:6] == (n, 4, 4)
    expected = p, (middle - root) / (1 + t**2 / effective), (middle + root) / (1 + t**2 / effective)
    assert fraction[:3] == pytest.approx(expected, rel=1e-12)
    assert (fraction.n_effective, fraction.df) == pytest.approx((effective, nu), rel=1e-12)
    assert fraction.note == ""


@pytest.mark.parametrize(("k", "n"), [(0, 7), (1, 7), (30, 40), (40, 40), (512, 1000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_naive_interval_is_wilsons(k, n, confidence):
    expected = proportion_confint(k, n, alpha=1 - confidence, method="wilson")
    found = naive_interval([1] * k + [0] * (n - k), confidence)
    assert found == pytest.approx(expected, abs=1e-12)


def test_independent_choices_get_the_naive_effective_number():
    """One choice a participant and a photo: no clusters, so n* is n at most, and close to it."""
    y = np.random.default_rng(0).random(400) < 0.7
    fraction = turing_fraction(y, np.arange(400), np.arange(400))
    assert 0.99 * 400 < fraction.n_effective <= 400


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=60
    )
)
@settings(max_examples=200, deadline=None)
def test_interval_holds_the_estimate_and_mirrors(rows):
    y, participant, photo = (np.array(column) for column in zip(*rows, strict=True))
    straight = turing_fraction(y, participant, photo)
    mirrored = turing_fraction(~y, participant, photo)
    if math.isnan(straight.low):
        assert straight.note.endswith("described, no interval")
        assert math.isnan(mirrored.low)
        return
    assert 0 <= straight.low <= straight.estimate <= straight.high <= 1
    assert straight.low == pytest.approx(1 - mirrored.high, abs=1e-9)
    assert straight.high == pytest.approx(1 - mirrored.low, abs=1e-9)


def test_all_right_uses_the_planning_design_effect():
    people, photos = np.repeat(np.arange(4), 21), np.tile(np.arange(21), 4)
    fraction = turing_fraction(np.ones(84), people, photos)
    effective = 84 / (1 + 20 * 0.02 + 3 * 0.05)
    z = stats.norm.ppf(0.975)
    assert fraction.note == "planning design effect"
    assert fraction.n_effective == pytest.approx(effective)
    assert fraction[:3] == pytest.approx((1, 1 / (1 + z**2 / effective), 1))
    assert fraction.df == math.inf


def test_unequal_clusters_in_the_planning_design_effect():
    fraction = turing_fraction(np.zeros(4), [1, 1, 1, 2], ["x", "y", "z", "x"])
    assert fraction.n_effective == pytest.approx(4 / (1 + (10 / 4 - 1) * 0.02 + 0.5 * 0.05))


@pytest.mark.parametrize(
    ("participant", "photo", "note"),
    [
        ([1, 1, 1], [1, 2, 3], "one participant: described, no interval"),
        ([1, 2, 3], [1, 1, 1], "one photo: described, no interval"),
    ],
)
@pytest.mark.parametrize("correct", [[1, 0, 1], [1, 1, 1]])
def test_one_participant_or_photo_is_described(correct, participant, photo, note):
    fraction = turing_fraction(correct, participant, photo)
    assert fraction.estimate == pytest.approx(np.mean(correct))
    assert math.isnan(fraction.low) and math.isnan(fraction.high)
    assert (fraction.n, fraction.note) == (3, note)


def test_no_choices():
    fraction = turing_fraction([], [], [])
    assert math.isnan(fraction.estimate) and fraction.n == 0 and fraction.note == "no choices"
    assert all(map(math.isnan, naive_interval([])))
    assert verdict([], [], []) == "undecided"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 0], [1], [1, 2]), "expected arrays of one length, found correct 2, participant 1"),
        (([1, float("nan")], [1, 2], [1, 2]), "correct: expected 0 or 1 .* found nan"),
        (([1, 2], [1, 2], [1, 2]), "correct: expected 0 or 1 .* found 2"),
        ((["yes", "no"], [1, 2], [1, 2]), "correct: expected 0 or 1"),
        (([[1, 0]], [1, 2], [1, 2]), r"correct: .* found shape \(1, 2\)"),
        (([1, 0], [1, float("nan")], [1, 2]), "participant: .* none at row 1"),
        (([1, 0], [1, 2], ["a", None]), "photo: .* none at row 1"),
        (([1, 0], [1, 2], [1, 2], 95), "confidence: .* found 95"),
    ],
)
def test_wrong_input_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        turing_fraction(*arguments)


def test_labels_may_be_of_any_kind():
    plain = turing_fraction(**SMALL)
    mixed = [("p", x) for x in SMALL["participant"]]
    labels = np.empty(len(mixed), dtype=object)
    labels[:] = mixed
    assert turing_fraction(SMALL["correct"], labels, list(map(str, SMALL["photo"]))) == plain


def test_difference_follows_the_printed_formulas():
    rng = np.random.default_rng(3)
    participant, photo = rng.integers(0, 6, 90), rng.integers(0, 9, 90)
    model = rng.choice(["u", "v", "w"], 90)
    y = (rng.random(90) < 0.6).astype(int)
    means = {m: y[model == m].mean() for m in "uv"}
    sizes = {m: int((model == m).sum()) for m in "uv"}
    used = [i for i in range(90) if model[i] in "uv"]
    shares = [
        (1 if model[i] == "u" else -1) * (y[i] - means[model[i]]) / sizes[model[i]] for i in used
    ]
    found = by_loops(participant[used].tolist(), photo[used].tolist(), shares)
    (a, people), (b, photos), (c, _) = found["A"], found["B"], found["C"]
    v = max(a + b - c, c)
    spread = a**2 / (people - 1) + b**2 / (photos - 1)
    nu = min(len(used) - 1, max(min(people, photos) - 1, v**2 / spread))
    estimate = means["u"] - means["v"]

    result = difference(y, model, participant, photo, "u", "v")

    half = stats.t.ppf(0.975, nu) * math.sqrt(v)
    p_value = 2 * stats.t.sf(abs(estimate) / math.sqrt(v), nu)
    assert result[:5] == pytest.approx((estimate, estimate - half, estimate + half, p_value, nu))
    turned = difference(y, model, participant, photo, "v", "u")
    assert turned[:4] == pytest.approx((-result[0], -result[2], -result[1], result[3]))


def test_difference_of_models_at_the_ends():
    people, photos = np.tile(np.repeat(np.arange(4), 20), 2), np.tile(np.arange(40), 4)
    model = np.repeat(["a", "b"], 80)
    same = difference(np.ones(160), model, people, photos, "a", "b")
    assert (same.estimate, same.p_value, same.note) == (0, 1, "planning design effect")
    assert same.low == pytest.approx(-same.high) and 0.03 < same.high < 0.2
    apart = difference(model == "a", model, people, photos, "a", "b")
    assert apart.estimate == apart.high == 1 and 0.8 < apart.low < 1 and apart.p_value < 1e-10


def test_difference_needs_two_models_with_enough_of_each():
    y, model, people, photos = [1, 0, 1, 0], list("aabb"), [1, 1, 2, 3], [1, 2, 3, 4]
    described = difference(y, model, people, photos, "a", "b")
    assert described.estimate == 0 and math.isnan(described.low) and "described" in described.note
    with pytest.raises(ValueError, match="choices of 'c', found none"):
        difference(y, model, people, photos, "a", "c")
    with pytest.raises(ValueError, match="two models, found 'a' twice"):
        difference(y, model, people, photos, "a", "a")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_holm_is_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(expected)


def test_holm_passes_over_what_was_not_tested():
    assert holm([0.01, math.nan, 0.04]) == pytest.approx([0.02, math.nan, 0.04], nan_ok=True)
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm([0.5, 1.5])


def even_study(share, people=60, trials=100):
    """Everybody right on the same share of trials, photos as evenly as can be."""
    y = np.zeros((people, trials))
    for person in range(people):
        y[person, (np.arange(round(share * trials)) + person * 7) % trials] = 1
    who = np.repeat(np.arange(people), trials)
    return y.ravel(), who, np.tile(np.arange(trials), people)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.50, "indistinguishable"),
        (0.55, "indistinguishable, but detectable"),
        (0.45, "indistinguishable, but detectable"),
        (0.80, "told apart"),
        (0.20, "reversed"),
    ],
)
def test_verdicts(share, expected):
    assert verdict(*even_study(share)) == expected


def test_verdict_is_undecided_where_the_data_are_few():
    assert verdict(*even_study(0.5, people=4, trials=10)) == "undecided"
    assert verdict([1, 1, 1, 0], [1, 1, 1, 1], [1, 2, 3, 4]) == "undecided"
    assert verdict(*even_study(0.5), delta=0.001) == "undecided"
    with pytest.raises(ValueError, match="delta"):
        verdict([1], [1], [1], delta=0.5)


def test_position_bias_is_the_share_of_the_left():
    choice = np.array([0, 0, 0, 1] * 10)
    people, photos = np.repeat(np.arange(5), 8), np.tile(np.arange(8), 5)
    assert position_bias(choice, people, photos) == turing_fraction(choice == 0, people, photos)


def test_learning_compares_halves_of_each_participants_own_trials():
    y = [0, 1, 1, 0, 0, 1, 1, 1]
    position = [3, 9, 10, 1, 2, 7, 4, 5]  # first half of x: 1, 2, 3; of y: 4
    people = list("xxxxxxyy")
    second = [False, True, True, False, False, True, False, True]
    photos = [1, 2, 3, 4, 5, 6, 1, 2]
    expected = difference(y, second, people, photos, True, False)
    assert learning(y, position, people, photos) == expected
    assert expected.estimate == pytest.approx(1 - 1 / 4)
    assert learning([1, 0], [1, 1], [1, 2], [1, 2]).note == "no participant with two choices"
    assert math.isnan(learning([], [], [], []).estimate)


@pytest.mark.parametrize("photos", [50, 200])
@pytest.mark.parametrize("truth", [0.5, 0.7, 0.9])
def test_95_per_cent_intervals_hold_95_per_cent_of_the_time(truth, photos):
    """Truth is the mean over the population of people and photos that the study drew from."""
    rng = np.random.default_rng(1)
    held = naive = 0
    for _ in range(1000):
        study = simulate_study(rng, truth, participants=40, trials=40, photos=photos)
        fraction = turing_fraction(*study)
        low, high = naive_interval(study.correct)
        held += fraction.low <= truth <= fraction.high
        naive += low <= truth <= high
    assert 920 <= held <= 980
    assert naive < 900, "the simulation has no clusters to speak of"


def test_false_alarms_of_the_difference_are_rare():
    """Two models of one truth, photos split between them by participant: p < 0.05 in about 5%."""
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(1000):
        study = simulate_study(rng, 0.7, participants=40, trials=40, photos=100)
        model = (study.participant + np.arange(len(study.correct))) % 2
        alarms += difference(study.correct, model, study.participant, study.photo, 0, 1)[3] < 0.05
    assert 25 <= alarms <= 75


def test_population_mean_of_the_simulation():
    rng = np.random.default_rng(0)
    p = 1 / (1 + np.exp(-(1.2 + rng.normal(0, np.hypot(0.5, 0.8), 400_000))))
    assert population_mean(1.2) == pytest.approx(p.mean(), abs=0.002)
