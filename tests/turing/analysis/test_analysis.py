"""Whole studies of synthetic people against the same figures had another way."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.simulation.crowd import Skills
from turing.report.gallery import photos_table
from turing.statistics.bradley_terry import bradley_terry
from turing.statistics.fractions import holm, turing_fraction, verdict
from turing.study.trials import ORIGINAL

SKILLS = Skills({(None, "baseline"): 0.93, (None, "fusion"): 0.6})
CROWDED = dataclasses.replace(SKILLS, careless=0.15, leaves=0.15, withdraws=0.1)


@pytest.fixture(scope="module")
def clean():
    return analyse(made_up_data(24, SKILLS))


@pytest.fixture(scope="module")
def crowded():
    answers = [(n, "colour_vision", "yes" if n == 3 else "no") for n in range(1, 41)]
    return analyse(made_up_data(40, CROWDED, answers=answers))


def with_choices(data, choices):
    """The same study, only these of its choices answered."""
    trials = data.trials.copy()
    trials.loc[~trials.index.isin(choices), ["choice", "correct", "rt_ms"]] = np.nan
    return dataclasses.replace(data, trials=trials)


def test_a_cell_is_the_fraction_of_its_choices(clean):
    trials = clean.data.trials
    for cell in clean.cells:
        of = trials[(trials["kind"] == "scored") & (trials["model"] == cell.model)]
        if cell.dataset:
            of = of[of["dataset"] == cell.dataset]
        picked_original = np.where(of["choice"] == 0, of["left"], of["right"]) == ORIGINAL
        assert cell.correct == picked_original.sum() and cell.fraction.n == len(of)
        again = turing_fraction(picked_original, of["participant"], of["photo_id"])
        assert cell.fraction == again
        assert cell.verdict == verdict(picked_original, of["participant"], of["photo_id"], 0.1)


def test_cells_come_by_dataset_then_all_in_the_order_of_the_study_file(clean):
    assert [(cell.dataset, cell.model) for cell in clean.cells] == [
        ("landscapes", "baseline"),
        ("landscapes", "fusion"),
        ("fruits", "baseline"),
        ("fruits", "fusion"),
        (None, "baseline"),
        (None, "fusion"),
    ]
    assert sum(cell.fraction.n for cell in clean.cells if cell.dataset) == 24 * 20


def test_the_truth_lies_in_the_intervals(clean):
    truth = {"baseline": 0.93, "fusion": 0.6}
    for cell in clean.cells:
        if cell.dataset is None:
            assert cell.fraction.low < truth[cell.model] < cell.fraction.high
            assert cell.naive[0] < cell.fraction.estimate < cell.naive[1]


def test_practice_and_catch_trials_are_in_no_cell(clean):
    kinds = clean.data.trials["kind"].value_counts()
    assert kinds["practice"] == 24 and kinds["catch"] == 96
    assert len(clean.choices) == kinds["scored"]
    assert set(clean.choices["kind"]) == {"scored"}


def test_holm_is_over_all_pairs_of_all_datasets_and_over_the_whole_apart():
    data = made_up_data(16, SKILLS, models=("a", "b", "c"), trials=24)
    of = analyse(data).comparisons
    assert [(c.dataset, c.a, c.b) for c in of[-3:]] == [
        (None, "a", "b"),
        (None, "a", "c"),
        (None, "b", "c"),
    ]
    assert len(of) == 9
    by_dataset, whole = of[:6], of[6:]
    for family in (by_dataset, whole):
        expected = holm([c.difference.p_value for c in family])
        assert [c.p_holm for c in family] == pytest.approx(expected.tolist())


def test_the_excluded_are_in_no_figure_and_everybody_is_in_the_other(crowded):
    out = crowded.exclusions.participants
    gone = set(crowded.data.participants.index[crowded.data.participants["withdrawn"]])
    assert gone and out > gone and 3 in out
    assert crowded.counted.isdisjoint(out)
    assert set(crowded.choices["participant"]) == set(crowded.counted)
    answered = crowded.data.trials[
        (crowded.data.trials["kind"] == "scored") & crowded.data.trials["choice"].notna()
    ]
    everyone = answered[~answered["participant"].isin(gone)]
    whole = [cell for cell in crowded.cells_of_all if cell.dataset is None]
    assert sum(cell.fraction.n for cell in whole) == len(everyone)
    assert sum(cell.fraction.n for cell in crowded.cells if cell.dataset is None) == len(
        everyone[~everyone["participant"].isin(out)]
    )
    assert len(crowded.people) == 40
    assert (crowded.people["excluded_by"] != "").sum() == len(out)


def test_only_complete_leaves_out_who_left_half_way():
    loose = analyse(made_up_data(30, CROWDED))
    strict = analyse(made_up_data(30, CROWDED, analysis="only_complete = true"))
    left = set(loose.people.index[~loose.people["complete"]])
    assert left & loose.counted and not left & strict.counted
    assert set(strict.choices.groupby("participant").size()) == {20}


def test_single_counts_originals_and_gives_bias(clean):
    data = made_up_data(24, SKILLS, protocol="single", trials=40)
    results = analyse(data)
    cell = results.cells[-1]
    assert cell.model == "fusion" and cell.fraction.n == 24 * (10 + 20)  # all originals
    assert cell.detection.n == cell.fraction.n
    assert cell.d_prime == cell.detection.d_prime > 0
    assert abs(cell.detection.criterion) < 0.3
    assert results.position is None and clean.cells[0].detection is None


def test_one_answer_to_everything_is_no_proof_of_likeness():
    """Who always says "colorized" is right on half of the pictures, and has seen nothing."""
    data = made_up_data(30, SKILLS, protocol="single", trials=40)
    trials, scored = data.trials.copy(), data.trials["kind"] == "scored"
    trials.loc[scored, "choice"] = 1.0
    trials.loc[scored, "correct"] = (trials.loc[scored, "left"] != ORIGINAL).astype(float)
    results = analyse(dataclasses.replace(data, trials=trials))
    assert {cell.fraction.estimate for cell in results.cells} == {0.5}
    assert {cell.verdict for cell in results.cells} == {"undecided"}


def test_originals_of_single_count_for_every_model():
    """No answer about an original depends on a model, so all of a dataset's are used for each."""
    results = analyse(made_up_data(24, SKILLS, protocol="single", trials=40))
    choices = results.choices
    originals = choices[choices["left"] == ORIGINAL]
    assert len(originals) == 24 * 20 and originals["model"].isna().all()
    for cell in results.cells:
        of = choices if cell.dataset is None else choices[choices["dataset"] == cell.dataset]
        told = of[of["left"] == cell.model]["correct"]
        spared = of[of["left"] == ORIGINAL]["correct"]
        assert (cell.fraction.n, cell.correct) == (
            len(told) + len(spared),
            told.sum() + spared.sum(),
        )
        assert cell.fraction.estimate == pytest.approx((told.mean() + spared.mean()) / 2)
        assert cell.detection.false_alarm_rate == pytest.approx(1 - spared.mean())
    a, b = (cell for cell in results.cells if cell.dataset is None)
    (pair,) = (pair for pair in results.comparisons if pair.dataset is None)
    assert (pair.a, pair.b) == (a.model, b.model)
    assert pair.difference.estimate == pytest.approx(a.fraction.estimate - b.fraction.estimate)


def test_a_dataset_that_everybody_tells_apart_differs_from_one_that_nobody_does():
    """Shares of 1 have no variance of their own and are compared all the same."""
    data = made_up_data(40, Skills(default=0.5), models=("a",))
    trials = data.trials.copy()
    trials.loc[(trials["dataset"] == "fruits") & (trials["kind"] == "scored"), "correct"] = 1.0
    results = analyse(dataclasses.replace(data, trials=trials))
    (whole,) = (of for of in results.heterogeneity if of.dataset is None)
    assert whole.datasets.groups == 2 and whole.datasets.sd > 0.25 and whole.differs == "datasets"


def test_preference_has_scores_and_no_fraction():
    data = made_up_data(24, SKILLS, protocol="preference", models=("baseline", "fusion", "third"))
    results = analyse(data)
    assert results.cells == results.cells_of_all == results.photos == ()
    assert results.learning is None and results.position is not None
    assert [of.dataset for of in results.preferences] == ["landscapes", "fruits", None]
    whole, of = results.preferences[-1], results.choices
    again = bradley_terry(of["left"], of["right"], of["choice"], of["participant"], of["photo_id"])
    assert whole.scores == again
    assert next(iter(whole.scores.scores)) == "fusion"
    assert whole.ranks.ranks["baseline"] == (3, 3)
    last = [c for c in results.comparisons if c.dataset is None]
    assert len(last) == 3 and last[0].a == "fusion" and last[0].difference.estimate > 0


def test_position_is_the_share_of_left(clean):
    left = (clean.choices["choice"] == 0).mean()
    assert clean.position.estimate == pytest.approx(left)
    assert clean.position.low < 0.5 < clean.position.high
    leaning = analyse(made_up_data(24, dataclasses.replace(SKILLS, left=1.5)))
    assert leaning.position.low > 0.5


def test_the_curve_covers_every_choice_once(clean):
    steps = clean.curve
    assert (steps[0].first, steps[-1].last, len(steps)) == (1, 20, 8)
    assert all(b.first == a.last + 1 for a, b in itertools.pairwise(steps))
    assert sum(step.fraction.n for step in steps) == len(clean.choices)


def test_photos_add_up_and_the_least_told_apart_come_first(clean):
    photos = clean.photos
    assert sum(photo.shown for photo in photos) == len(clean.choices)
    assert sum(photo.correct for photo in photos) == clean.choices["correct"].sum()
    shares = [photo.correct / photo.shown for photo in photos]
    assert shares == sorted(shares)
    assert {photo.model for photo in photos} == {"baseline", "fusion"}
    of = clean.choices
    stimuli = dict(
        zip(of["stimulus"], zip(of["photo_file"], of["model"], strict=True), strict=True)
    )
    assert all(stimuli[photo.stimulus] == (photo.file, photo.model) for photo in photos)


def test_a_photo_that_everybody_knows_stands_out():
    """Prior exposure: one photo of a model that else nobody tells apart is always told apart."""
    data = made_up_data(60, Skills(default=0.5, sd_photo=0), models=("a",), photos=12, trials=12)
    trials = data.trials.copy()
    famous = trials.loc[trials["kind"] == "scored", "photo_id"].iloc[0]
    known = (trials["photo_id"] == famous) & (trials["kind"] == "scored")
    trials.loc[known, "choice"] = (trials.loc[known, "left"] != ORIGINAL).astype(float)
    trials.loc[known, "correct"] = 1.0
    results = analyse(dataclasses.replace(data, trials=trials))
    unusual = {photo.file for photo in results.photos if photo.unusual}
    file = trials.loc[trials["photo_id"] == famous, "photo_file"].iloc[0]
    assert file in unusual and len(unusual) <= len(results.photos) / 4
    told = [row for row in photos_table(results.photos).rows if file in row]
    assert [row[-1] for row in told] == ["*"]


def test_photos_of_single_show_a_colorization():
    results = analyse(made_up_data(24, SKILLS, protocol="single"))
    shown = results.choices.set_index("stimulus")["left"]
    assert {photo.model for photo in results.photos} == {"baseline", "fusion", ORIGINAL}
    for photo in results.photos:
        assert set(shown.loc[[photo.stimulus]]) == {photo.model}
    assert sum(photo.shown for photo in results.photos) == len(results.choices)


def test_people_are_counted_by_what_they_did(crowded):
    people, trials = crowded.people, crowded.data.trials
    for number in (1, 2, 3):
        of = trials[trials["participant"] == number]
        scored = of[of["kind"] == "scored"]
        row = people.loc[number]
        assert row["trials"] == 20 and row["catch_trials"] == 4
        assert row["answered"] == scored["choice"].notna().sum()
        assert row["correct"] == scored["correct"].sum()
        assert row["complete"] == of["choice"].notna().all()
        assert row["median_rt_ms"] == pytest.approx(scored["rt_ms"].median())


def test_a_study_without_choices_has_no_results_and_says_so():
    data = made_up_data(3, SKILLS)
    for empty in (with_choices(data, []), dataclasses.replace(data, trials=data.trials[:0])):
        results = analyse(empty)
        assert results.cells == results.comparisons == results.photos == results.curve == ()
        assert results.started == 3 and not results.counted
        assert np.isnan(results.position.estimate)
        assert results.notes == ("Nobody is counted yet: no results",)
    nobody = dataclasses.replace(
        data, participants=data.participants[:0], trials=data.trials[:0], answers=data.answers[:0]
    )
    assert analyse(nobody).started == 0


@pytest.mark.parametrize("protocol", ["pick-original", "single", "preference"])
def test_one_choice_is_described(protocol):
    data = made_up_data(2, SKILLS, protocol=protocol)
    first = data.trials.index[data.trials["kind"] == "scored"][:1]
    results = analyse(with_choices(data, first))
    assert len(results.choices) == 1
    for cell in results.cells:
        assert np.isnan(cell.fraction.low) and cell.verdict == "undecided"
        assert "described" in cell.note


def test_a_model_that_nobody_saw_is_no_cell():
    data = made_up_data(6, SKILLS)
    seen = data.trials.index[data.trials["model"] == "fusion"]
    results = analyse(with_choices(data, seen))
    assert {cell.model for cell in results.cells} == {"fusion"}
    assert results.comparisons == ()


def test_four_participants_cannot_show_indistinguishable():
    notes = analyse(made_up_data(4, SKILLS)).notes
    expected = "4 participants cannot be expected to show 'indistinguishable'"
    (note,) = notes  # the same of both models
    assert note.startswith(f"baseline, fusion: {expected}") and note.endswith("would do")


def test_where_the_photos_are_too_few_it_is_said():
    (note,) = analyse(made_up_data(40, SKILLS, models=("a",), photos=3, trials=6)).notes
    assert note.startswith("a: ") and note.endswith("with 6 photos no number of people could")


def test_enough_people_and_photos_need_no_note():
    assert analyse(made_up_data(40, SKILLS, photos=60, trials=60, catch=0)).notes == ()


def test_fewer_than_planned_is_said():
    notes = analyse(made_up_data(12, SKILLS, planned="planned = 40")).notes
    assert "12 of the 40 planned participants are counted so far" in notes
    done = analyse(made_up_data(12, SKILLS, planned="planned = 12")).notes
    assert not any("planned" in note for note in done)


def test_analysis_changes_no_data():
    data = made_up_data(8, CROWDED)
    before = [frame.copy() for frame in (data.trials, data.participants, data.answers)]
    analyse(data)
    for old, new in zip(before, (data.trials, data.participants, data.answers), strict=True):
        pd.testing.assert_frame_equal(old, new)


def test_people_of_other_versions_are_mentioned():
    data = dataclasses.replace(made_up_data(3, SKILLS), elsewhere={1: 12, 3: 1})
    notes = analyse(data).notes
    assert "Not in these figures: 12 participants of version 1" in notes
    assert "Not in these figures: 1 participant of version 3" in notes
