"""Looks: nothing before them, then the first so many, at levels that hold together."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from tests.turing.support.answering import participant
from tests.turing.support.studies import build, built, rows
from tests.turing.support.synthetic import QUESTIONS, made_up_data, study_text
from turing.analysis.analysis import analyse
from turing.analysis.exclusions import exclusions
from turing.analysis.looks import looking, note_last_look
from turing.analysis.results_json import results_json
from turing.analysis.simulation.crowd import Skills
from turing.errors import TuringError
from turing.report.of_store import store_report, store_results
from turing.report.tables.people import answers_of, participants_table
from turing.report.words import answer
from turing.statistics.sequential import looks
from turing.store.sessions import Sessions
from turing.store.store import Store
from turing.study.study import parse_study

PLANNED = (6, 12, 18)
LOOKS = {"planned": "planned = 18", "analysis": f"{QUESTIONS}\nlooks = {list(PLANNED)}"}


def after(people, **settings):
    return made_up_data(people, Skills(default=0.7), **(LOOKS | settings))


@pytest.mark.parametrize("people", [1, 5])
def test_before_the_first_look_there_are_no_figures(people):
    results = analyse(after(people))
    assert not len(results.choices) and results.cells == results.cells_of_all == ()
    assert results.comparisons == results.photos == results.heterogeneity == ()
    assert results.people["correct"].isna().all()
    assert len(results.counted) == people and len(results.people) == people
    have = "has" if people == 1 else "have"
    assert f"at 6 counted participants who finished: {people} {have}" in results.notes[0]
    assert not any("Nobody is counted" in note for note in results.notes)
    shown = results_json(results)
    assert shown["cells"] == [] and shown["participants"] == people
    assert shown["look"] == {
        "planned": [6, 12, 18],
        "reached": 0,
        "finished": people,
        "confidence": 0.95,
        "unblinded": False,
    }


@pytest.mark.parametrize(("people", "reached"), [(6, 1), (11, 1), (12, 2), (17, 2), (18, 3)])
def test_a_look_is_of_the_first_who_finished_at_its_level(people, reached):
    results = analyse(after(people))
    first = PLANNED[reached - 1]
    assert set(results.choices["participant"]) == set(range(1, first + 1))
    same = made_up_data(first, Skills(default=0.7))
    (whole,) = (c for c in results.cells if c.dataset is None and c.model == "fusion")
    (usual,) = (c for c in analyse(same).cells if c.dataset is None and c.model == "fusion")
    assert whole.fraction.estimate == usual.fraction.estimate
    wider = reached < 3
    assert (whole.fraction.low < usual.fraction.low - 0.01) == wider
    assert results.look.levels.wide == 1 - looks(PLANNED)[reached - 1].level
    assert results.look.levels.narrow == 1 - 2 * looks(PLANNED, two_sided=False)[reached - 1].level
    assert results.people["correct"].isna().all() == wider  # those to come stay hidden


def test_who_finished_counts_in_the_order_in_which_they_did():
    data = after(8)
    people = data.participants.copy()
    people.loc[1, "finished"] = people["finished"].max() + pd.Timedelta(hours=1)
    people.loc[2, "finished"] = pd.NaT
    people.loc[3, "withdrawn"] = True
    data = dataclasses.replace(data, participants=people)
    found = looking(data, exclusions(data))
    assert found.finished == (4, 5, 6, 7, 8, 1)
    assert set(analyse(data).choices["participant"]) == {1, 4, 5, 6, 7, 8}


def test_an_overrun_is_told_and_not_counted_in():
    results = analyse(after(20))
    assert set(results.choices["participant"]) == set(range(1, 19))
    assert any("Overrun: 20 counted participants finished where 18" in n for n in results.notes)
    plain = made_up_data(20, planned="planned = 18")
    notes = analyse(plain).notes
    assert any("Overrun: 20 participants are counted where 18 were planned" in n for n in notes)


def test_what_is_asked_for_before_its_time_is_shown_and_said():
    results = analyse(after(5), unblind=True)
    assert len(results.cells) and set(results.choices["participant"]) == set(range(1, 6))
    assert results.look.levels == (0.90, 0.95) or results.look.is_unblinded
    assert "Seen before their time" in results.notes[0]
    assert results.people["correct"].notna().all()


def test_preference_waits_for_its_looks_too():
    results = analyse(after(5, protocol="preference"))
    assert results.preferences == results.comparisons == ()
    assert analyse(after(6, protocol="preference")).preferences


@pytest.fixture
def store(tmp_path):
    rest = "[analysis]\nlooks = [2, 3]"
    with built(tmp_path, catch=0, asks="planned = 3", rest=rest) as store:
        store.open_study()
        yield store


def test_of_a_store_nothing_shows_until_a_look_and_asking_is_written_down(store):
    participant(store, seed=1)
    blind = store_results(store)
    page = store_report(store, blind)
    assert "No figures before the first look" in page and "told apart" not in page
    assert all(row[4] == "–" for row in participants_table(blind).rows)
    assert not any(row["what"] == "unblinded" for row in rows(store, "events"))
    assert store_results(store, unblind="results").cells
    assert [row["detail"] for row in rows(store, "events") if row["what"] == "unblinded"]
    assert not note_last_look(store)
    participant(store, seed=2)
    assert store_results(store).cells and not note_last_look(store)
    participant(store, seed=3)
    assert note_last_look(store) and not note_last_look(store)  # once: one may open it again
    json.dumps(results_json(store_results(store)), allow_nan=False)


def test_a_study_without_looks_is_never_complete(tmp_path):
    with built(tmp_path) as store:
        store.open_study()
        participant(store, seed=1)
        assert not note_last_look(store) and store_results(store).look is None


@pytest.mark.parametrize(
    ("planned", "given", "said"),
    [
        ("", "looks = [6, 12]", "participants.planned: expected 12, the last of analysis.looks"),
        ("planned = 20", "looks = [6, 12]", "expected 12, the last of analysis.looks, found 20"),
        ("planned = 6", "looks = [12, 6]", "analysis.looks: expected rising numbers"),
        ("planned = 6", "looks = [0, 6]", "expected a list of rising whole numbers, 1 or more"),
        ("planned = 6", 'looks = [6]\nspending = "all"', "expected 'obrien-fleming' or 'pocock'"),
    ],
)
def test_looks_that_do_not_go_together_are_refused(planned, given, said):
    with pytest.raises(TuringError, match=said):
        parse_study(study_text(planned=planned, analysis=given))


def test_studies_without_looks_are_the_ones_they_were():
    """At their defaults the keys are no part of what is hashed."""
    plain = parse_study(study_text(planned="planned = 6"))
    named = parse_study(study_text(planned="planned = 6", analysis=f"{QUESTIONS}\nlooks = []"))
    looked = parse_study(study_text(planned="planned = 6", analysis=f"{QUESTIONS}\nlooks = [6]"))
    assert plain.sha256 == named.sha256 != looked.sha256
    assert np.isfinite(looks([6])[0].z)


def test_a_last_look_stays_reached_when_somebody_leaves(store):
    tokens = [participant(store, seed=seed) for seed in (1, 2, 3)]
    assert note_last_look(store)
    Sessions(store).leave(tokens[2])
    results = store_results(store)
    assert results.look.is_over and results.cells and len(results.counted) == 2


@pytest.mark.parametrize("planned", [[20, 500], [1, 100_000], list(range(1, 41))])
def test_a_look_that_may_spend_next_to_nothing_has_a_bound_all_the_same(planned):
    found = looks(planned)
    assert found[0].z == pytest.approx(8) and 0 < found[0].level < 1e-14
    assert 1 - found[0].level < 1
    data = made_up_data(2, planned=f"planned = {planned[-1]}", analysis=f"looks = {planned}")
    assert analyse(data).look.planned == found


def test_versions_with_looks_are_not_pooled(tmp_path):
    rest = "[analysis]\nlooks = [2, 3]"
    with built(tmp_path, catch=0, asks="planned = 3", rest=rest) as store:
        store.open_study()
        participant(store, seed=1)
    build(tmp_path, catch=0, per_participant=4).close()
    with Store(store.path) as store, pytest.raises(TuringError, match="versions without looks"):
        store_results(store, [1, 2])


def test_a_preference_at_a_look_is_sure_at_the_level_of_the_look():
    """A p below 0.05 is not below what the first of two looks may spend."""
    skills = Skills({(None, "a"): 0.6, (None, "b"): 0.75}, sd_photo=0.1)
    settings = {"protocol": "preference", "models": ("a", "b")}
    rest = {"planned": "planned = 60", "analysis": "looks = [12, 60]"}
    looked = analyse(made_up_data(12, skills, **settings, **rest))
    plain = analyse(made_up_data(12, skills, **settings))
    whole = [c.p_holm for c in plain.comparisons if c.dataset is None]
    assert whole[0] < 0.05 and any("looks more real than" in line for line in answer(plain))
    assert all("not shown to look more real" in line for line in answer(looked))


def test_what_people_wrote_is_hidden_until_the_looks_are_over():
    answers = [(1, "hints", "I was told 5 of 6"), (1, "colour_vision", "no")]
    before, over = (after(n, answers=answers) for n in (5, 18))
    texts = [[of.texts for of in answers_of(analyse(data))] for data in (before, over)]
    assert texts[0] == [(), ()] and ["I was told 5 of 6"] in texts[1]
    assert answers_of(analyse(before))[0].counts[0] == ("no", 1)
