"""Bradley-Terry: against statsmodels, where there is no answer, and by simulation."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize, stats
from scipy.special import expit

from tests.turing.support.by_hand import by_loops
from turing.statistics.bradley_terry import bradley_terry, resampled_ranks

WORTH = {"grey": -1.0, "baseline": -0.2, "fusion": 0.3, "unet": 0.9}


def simulate(rng, people=30, trials=24, photos=24, left=0.2, sds=(0.0, 0.0), worth=WORTH):
    """Random pairs; `sds` is how much people and photos differ in what they make of a model."""
    names = list(worth)
    n = people * trials
    shown = np.argsort(rng.random((n, len(names))), axis=1)[:, :2]
    participant, photo = np.repeat(np.arange(people), trials), np.arange(n) % photos
    values = np.array([worth[name] for name in names])
    values = values + rng.normal(0, sds[0], (people, len(names)))[participant]
    values = values + rng.normal(0, sds[1], (photos, len(names)))[photo]
    of_left, of_right = np.take_along_axis(values, shown, axis=1).T
    choice = (rng.random(n) > expit(of_left - of_right + left)).astype(int)
    labels = np.array(names)[shown]
    return labels[:, 0], labels[:, 1], choice, participant, photo


def test_scores_are_those_of_logistic_regression():
    left, right, choice, participant, photo = simulate(np.random.default_rng(0))
    names = sorted(WORTH)
    columns = [(left == name).astype(float) - (right == name) for name in names[1:]]
    reference = sm.Logit(1 - choice, np.column_stack([*columns, np.ones(len(left))])).fit(disp=0)
    worth = np.array([0, *reference.params[:-1]])

    fit = bradley_terry(left, right, choice, participant, photo)

    expected = dict(zip(names, worth - worth.mean(), strict=True))
    assert {m: s.estimate for m, s in fit.scores.items()} == pytest.approx(expected, abs=1e-7)
    assert fit.left.estimate == pytest.approx(reference.params[-1], abs=1e-7)
    assert list(fit.scores) == sorted(names, key=expected.get, reverse=True)
    assert (fit.n, fit.participants, fit.photos, fit.note) == (720, 30, 24, "")
    assert len(fit.comparisons) == 6
    best, *_, last = fit.scores
    compared = fit.comparisons[best, last]
    assert compared.estimate == pytest.approx(expected[best] - expected[last])
    assert compared.low < compared.estimate < compared.high and compared.p_value < 0.001


def test_intervals_are_the_two_way_sandwich():
    """People of strong tastes; influence from statsmodels' fit, summed by loops."""
    left, right, choice, participant, photo = simulate(np.random.default_rng(5), sds=(1.5, 0.5))
    names = sorted(WORTH)
    columns = [(left == name).astype(float) - (right == name) for name in names[1:]]
    design = np.column_stack([*columns, np.ones(len(left))])
    reference = sm.Logit(1 - choice, design).fit(disp=0)
    contrast = np.array([0.0, 0.0, 1.0, 0.0])  # unet - baseline
    weight = reference.cov_params() @ contrast
    shares = design @ weight * reference.resid_response
    found = by_loops(participant.tolist(), photo.tolist(), shares.tolist())
    (a, people), (b, photos), (c, _) = found["A"], found["B"], found["C"]
    own = contrast @ reference.cov_params() @ contrast
    v = max(a + b - c, a, b, own)
    assert v > 1.5 * own
    nu = max(min(people, photos) - 1, v**2 / (a**2 / (people - 1) + b**2 / (photos - 1)))
    half = stats.t.ppf(0.975, nu) * math.sqrt(v)

    fit = bradley_terry(left, right, choice, participant, photo)

    compared = fit.comparisons["unet", "baseline"]
    assert (compared.high - compared.low) / 2 == pytest.approx(half, rel=1e-6)


def test_variance_is_no_less_than_the_models_own():
    """Independent choices: the sandwich is close to statsmodels' errors, and never below them."""
    left, right, choice, _, _ = simulate(np.random.default_rng(1), left=0.0)
    n = len(left)
    design = np.column_stack([(left == "unet").astype(float) - (right == "unet"), np.ones(n)])
    two = np.isin(left, ["unet", "grey"]) & np.isin(right, ["unet", "grey"])
    error = sm.Logit(1 - choice[two], design[two]).fit(disp=0).bse[0]
    m = int(two.sum())
    fit = bradley_terry(left[two], right[two], choice[two], np.arange(m), np.arange(m))
    compared = fit.comparisons["unet", "grey"]
    assert 2 * 1.95 * error <= compared.high - compared.low <= 2 * 2.3 * error


def test_with_two_models_the_score_is_the_logit_of_the_share():
    """Sides balanced within each answer: the left term drops out by symmetry."""
    left, right = ["a"] * 20 + ["b"] * 20, ["b"] * 20 + ["a"] * 20
    choice = [0] * 15 + [1] * 5 + [1] * 15 + [0] * 5
    fit = bradley_terry(left, right, choice, np.arange(40) % 8, np.arange(40) % 5)
    assert fit.comparisons["a", "b"].estimate == pytest.approx(math.log(3))
    assert fit.left.estimate == pytest.approx(0, abs=1e-9)


def fit_of(rows, ties=False):
    """Rows of (left, right, choice), each by another person at another photo."""
    left, right, choice = zip(*rows, strict=True) if rows else ((), (), ())
    return bradley_terry(left, right, choice, range(len(rows)), range(len(rows)), ties=ties)


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        ([], "no choices"),
        (
            [("a", "b", 0), ("b", "a", 0), ("c", "d", 1), ("d", "c", 1)],
            "groups never compared with each other: a, b | c, d",
        ),
        ([("a", "b", 0), ("a", "b", 1)], "sides never swapped"),
        (
            [("a", "b", 0), ("b", "a", 1), ("b", "c", 0), ("c", "b", 0), ("c", "b", 1)],
            "no finite scores: a never lost to another model",
        ),
        (
            [("a", "b", 0), ("b", "a", 0), ("b", "c", 0), ("c", "b", 0), ("a", "c", 0)],
            "no finite scores: side and model foretell every choice",
        ),
    ],
)
def test_no_answer_is_said_not_guessed(rows, note):
    fit = fit_of(rows)
    assert note in fit.note
    assert (fit.scores, fit.left, fit.comparisons) == ({}, None, {})


def test_one_participant_is_described():
    rows = [("a", "b", 0), ("b", "a", 1), ("a", "b", 1), ("b", "a", 0), ("b", "a", 1)]
    left, right, choice = zip(*rows, strict=True)
    fit = bradley_terry(left, right, choice, [1] * 5, range(5))
    score = fit.scores["a"]
    assert score.estimate > 0 and math.isnan(score.low) and "described" in score.note
    assert "described" in resampled_ranks(left, right, choice, [1] * 5, range(5)).note


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], ["a"], [0], [1], [1]), "two different models in a trial, found 'a' twice"),
        ((["a"], ["b"], [2], [1], [1]), "choice: expected 0 or 1"),
        ((["a", "b"], ["b"], [0], [1], [1]), "one length"),
        ((["a"], [None], [0], [1], [1]), "right: expected a label"),
    ],
)
def test_wrong_input_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        bradley_terry(*arguments)


def test_resampled_ranks():
    choices = simulate(np.random.default_rng(2), people=40, sds=(0.3, 0.0))
    found = resampled_ranks(*choices, draws=400)
    assert found == resampled_ranks(*choices, draws=400)
    assert found.ranks["unet"] == (1, 1) and found.ranks["grey"] == (4, 4)
    assert found.draws == 400 and found.note == ""
    alike = simulate(np.random.default_rng(3), people=8, worth=dict.fromkeys("abc", 0.0))
    low, high = zip(*resampled_ranks(*alike, draws=400).ranks.values(), strict=True)
    assert min(low) == 1 and max(high) == 3 and any(a < b for a, b in zip(low, high, strict=True))


def test_ranks_know_that_few_photos_decide():
    """Many people agree on each of 6 photos, half of which favour a: its rank is not known."""
    rng = np.random.default_rng(1)
    people, photos = np.repeat(np.arange(60), 6), np.tile(np.arange(6), 60)
    a_first = rng.random(360) < 0.5
    favours = np.where(photos < 4, 0.85, 0.2)  # 0.63 of all choices are of a
    a_chosen = rng.random(360) < favours
    left, right = np.where(a_first, "a", "b"), np.where(a_first, "b", "a")
    choice = np.where(a_chosen == a_first, 0, 1)
    scores = bradley_terry(left, right, choice, people, photos)
    assert scores.comparisons["a", "b"].low < 0 < scores.comparisons["a", "b"].high
    assert resampled_ranks(left, right, choice, people, photos).ranks["a"] == (1, 2)


def test_draws_without_a_model_are_counted():
    """Only one of six people saw model c: it is missing from (5/6)^6 = 33% of the draws."""
    rows = [(p, "a", "b", k % 2) for p in range(6) for k in range(4)]
    rows += [(p, "b", "a", k % 2) for p in range(6) for k in range(4)]
    rows += [(0, "c", "a", 0), (0, "a", "c", 0), (0, "c", "a", 1), (0, "a", "c", 1)]
    participant, left, right, choice = zip(*rows, strict=True)
    photo = range(len(rows))
    found = resampled_ranks(left, right, choice, participant, photo, draws=600)
    assert 0.25 < 1 - found.draws / 600 < 0.42
    assert found.note == f"{600 - found.draws} of 600 draws left out: models never compared"


def test_without_a_draw_that_has_all_models_there_are_no_ranks():
    """Each pair was one person's, on one photo: half of all draws lack one of the two people."""
    pair = (("a", "b", 0), ("b", "a", 0), ("a", "b", 1), ("b", "a", 1))
    rows = [(0, *row) for row in pair]
    rows += [(1, *(chr(ord(side) + 1) for side in sides), c) for *sides, c in pair]
    participant, left, right, choice = zip(*rows, strict=True)
    given = left, right, choice, participant, participant
    lacking = [found for s in range(8) if not (found := resampled_ranks(*given, 1, seed=s)).draws]
    assert lacking and bradley_terry(*given).scores
    assert lacking[0] == ({}, 0, "1 of 1 draws left out: models never compared")


@pytest.mark.slow
def test_intervals_hold():
    """Truth is the scores of a population: each of 500,000 choices by another person and photo."""
    rng, sds = np.random.default_rng(4), (0.4, 0.4)
    population = simulate(rng, people=500_000, trials=1, photos=500_000, sds=sds)
    truth = {model: s.estimate for model, s in bradley_terry(*population).scores.items()}
    held = []
    for _ in range(500):
        fit = bradley_terry(*simulate(rng, people=40, trials=24, photos=48, sds=sds))
        held += [score.low <= truth[model] <= score.high for model, score in fit.scores.items()]
    assert 0.92 <= np.mean(held) <= 0.98


def with_ties(rng, nu, **settings):
    """As `simulate`, with Davidson's ties: drawn from the probabilities as they are printed."""
    left, right, _, participant, photo = simulate(rng, **settings)
    scores = np.array([[WORTH[name] for name in side] for side in (left, right)])
    a, b = np.exp(scores + np.array([[0.2], [0.0]]))
    total = a + b + nu * np.sqrt(a * b)
    drawn = rng.random(len(left)) * total
    choice = np.where(drawn < a, 0, np.where(drawn < a + b, 1, 2))
    return left, right, choice, participant, photo


def davidson_by_hand(left, right, choice):
    """Scores, left term and log nu by a general optimiser on Davidson's likelihood (1970, 2.3)."""
    names = sorted({*left, *right})
    at = [np.array([names.index(name) for name in side]) for side in (left, right)]

    def loss(theta):
        scores = np.append(theta[: len(names) - 1], -theta[: len(names) - 1].sum())
        a, b = np.exp(scores[at[0]] + theta[-2]), np.exp(scores[at[1]])
        alike = np.exp(theta[-1]) * np.sqrt(a * b)
        chosen = np.select([choice == 0, choice == 1], [a, b], alike)
        return -np.log(chosen / (a + b + alike)).sum()

    found = optimize.minimize(loss, np.zeros(len(names) + 1), method="BFGS", options={"gtol": 1e-7})
    theta = found.x
    scores = np.append(theta[: len(names) - 1], -theta[: len(names) - 1].sum())
    return dict(zip(names, scores, strict=True)), theta[-2], theta[-1], found.hess_inv


def test_ties_are_davidsons():
    left, right, choice, participant, photo = with_ties(np.random.default_rng(2), nu=0.8)
    scores, side, log_nu, _ = davidson_by_hand(left, right, choice)
    fit = bradley_terry(left, right, choice, participant, photo, ties=True)
    assert {m: s.estimate for m, s in fit.scores.items()} == pytest.approx(scores, abs=1e-4)
    assert fit.left.estimate == pytest.approx(side, abs=1e-4)
    assert fit.alike.estimate == pytest.approx(log_nu, abs=1e-4)
    assert fit.alike.low < math.log(0.8) < fit.alike.high
    assert fit.ties == (choice == 2).sum() and fit.n == len(choice)


def test_intervals_with_ties_are_no_narrower_than_the_models_own():
    """Independent choices: no narrower than Fisher's information, by differences of the score."""
    left, right, choice, _, _ = with_ties(np.random.default_rng(3), nu=0.8)
    n = len(left)
    fit = bradley_terry(left, right, choice, np.arange(n), np.arange(n), ties=True)
    own = math.sqrt(_covariance_of_difference(left, right, choice, fit))
    compared = fit.comparisons["unet", "grey"]
    assert 2 * 1.95 * own <= compared.high - compared.low <= 2 * 2.2 * own


def _covariance_of_difference(left, right, choice, fit):
    """Variance of unet - grey from the second differences of the log likelihood."""
    names = sorted(WORTH)
    theta = np.array([*(fit.scores[name].estimate for name in names[:-1]), 0.0, 0.0])
    theta[-2:] = fit.left.estimate, fit.alike.estimate
    at = [np.array([names.index(name) for name in side]) for side in (left, right)]

    def log_likelihood(theta):
        scores = np.append(theta[:3], -theta[:3].sum())
        a, b = np.exp(scores[at[0]] + theta[3]), np.exp(scores[at[1]])
        alike = np.exp(theta[4]) * np.sqrt(a * b)
        chosen = np.select([choice == 0, choice == 1], [a, b], alike)
        return np.log(chosen / (a + b + alike)).sum()

    h = 1e-3 * np.eye(5)
    second = [
        [
            sum(
                sign * log_likelihood(theta + one * h[i] + other * h[j])
                for one, other, sign in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
            )
            / 4e-6
            for j in range(5)
        ]
        for i in range(5)
    ]
    contrast = np.zeros(5)
    contrast[:3] = -1  # unet is the last one: minus the sum of the others
    contrast[names.index("grey")] -= 1
    return contrast @ np.linalg.inv(-np.array(second)) @ contrast


def test_without_ties_there_is_no_such_term():
    fit = bradley_terry(*simulate(np.random.default_rng(0)), ties=True)
    assert fit.alike is None and fit.ties == 0


def test_a_tie_can_join_who_never_lost_and_who_never_won():
    often = [("a", "b", 0), ("b", "a", 0), ("a", "b", 1), ("b", "a", 1)]
    beaten = [*often, ("a", "c", 0), ("c", "a", 1)]
    assert fit_of(beaten).note == "no finite scores: a, b never lost to another model"
    joined = fit_of([*beaten, ("a", "c", 2), ("c", "a", 2)], ties=True)
    assert joined.note == "" and list(joined.scores)[-1] == "c"


def test_ties_without_a_loss_bound_nothing():
    """P(b chosen) goes to 0 while those of a and of alike keep their ratio."""
    rows = [("a", "b", 0), ("b", "a", 1), ("a", "b", 2), ("b", "a", 2)]
    assert fit_of(rows, ties=True).note == "no finite scores: a never lost to another model"
    assert fit_of([("a", "b", 2), ("b", "a", 2)], ties=True).note == (
        "no finite scores: everything was found alike"
    )


def test_ranks_with_ties():
    found = resampled_ranks(*with_ties(np.random.default_rng(4), nu=0.5), draws=200, ties=True)
    assert found.draws == 200
    assert found.ranks["unet"][0] == 1 and found.ranks["grey"] == (4, 4)


def test_a_choice_is_left_right_or_alike():
    with pytest.raises(ValueError, match="choice: expected 0 or 1 for every choice, found 3"):
        bradley_terry(["a"], ["b"], [3], [0], [0], ties=True)
