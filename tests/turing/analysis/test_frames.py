"""What lies in a store and what comes out as data frames."""

import pandas as pd
import pytest

from tests.turing.support.studies import BEFORE, build, built, rows
from turing.analysis.frames import load_data
from turing.errors import TuringError
from turing.store.people import new_token
from turing.store.records import built_versions
from turing.store.sessions import Sessions
from turing.store.store import Store, create_store
from turing.store.upkeep.forgetting import forget
from turing.study.trials import ORIGINAL, WILD


@pytest.fixture
def store(tmp_path):
    with built(tmp_path) as store:
        store.open_study()
        yield store


def take_part(store, choices=8, leave=False, finish=False, preview=None):
    """Somebody who always picks the left part; returns their token."""
    sessions = Sessions(store)
    token, state = sessions.start(new_token(), {}, BEFORE, preview)
    for n in range(choices):
        state = sessions.answer(token, state.trial.trial, 0, 1000 + n).state
    if leave:
        sessions.leave(token)
    if finish:
        sessions.finish(token, {"hints": "<b>blue</b>"})
    return token


def test_a_row_is_a_trial_as_it_was_shown(store):
    take_part(store, finish=True)
    data = load_data(store)
    assert len(data.trials) == 8
    stimuli = {row["sha256"]: row for row in rows(store, "stimuli")}
    photos = {row["id"]: row for row in rows(store, "photos")}
    for trial, stored in zip(data.trials.to_dict("records"), rows(store, "trials"), strict=True):
        shown = stimuli[trial["stimulus"]]
        assert shown["id"] == stored["stimulus"]
        assert trial["left"] == (ORIGINAL if shown["left"] is None else shown["left"])
        assert trial["right"] == (ORIGINAL if shown["right"] is None else shown["right"])
        photo = photos[stored["photo"]]
        assert (trial["dataset"], trial["photo_file"]) == (photo["dataset"], photo["file"])
        assert trial["position"] == stored["position"]
        assert trial["model"] == stored["model"]
        assert trial["choice"] == 0 and trial["rt_ms"] == 1000 + stored["position"]
        assert trial["correct"] == float(shown["left"] is None)
    assert data.trials["kind"].value_counts().to_dict() == {"scored": 6, "practice": 1, "catch": 1}
    (catch,) = data.trials[data.trials["kind"] == "catch"].to_dict("records")
    assert {catch["left"], catch["right"]} == {ORIGINAL, WILD} and catch["model"] is None


def test_a_row_of_single_has_one_part(tmp_path):
    with built(tmp_path, protocol="single") as store:
        store.open_study()
        take_part(store)
        trials = load_data(store).trials
    assert trials["right"].isna().all()
    assert set(trials["left"]) == {ORIGINAL, WILD, "plain", "bright"}
    originals = trials[trials["left"] == ORIGINAL]
    assert (originals["correct"] == 1).all()  # choice 0 is "real"
    assert (trials[trials["left"] != ORIGINAL]["correct"] == 0).all()
    assert originals["model"].isna().all()  # they count for every model
    others = trials[(trials["left"] != ORIGINAL) & (trials["kind"] == "scored")]
    assert (others["model"] == others["left"]).all()


def test_people_come_with_their_times_and_answers(store):
    take_part(store, finish=True)
    take_part(store, choices=3, leave=True)
    take_part(store, choices=2)
    data = load_data(store)
    assert data.participants["withdrawn"].tolist() == [False, True, False]
    assert data.participants["finished"].notna().tolist() == [True, False, False]
    stored = rows(store, "participants")
    started = [pd.Timestamp(row["consented"], unit="ms", tz="UTC") for row in stored]
    assert data.participants["started"].tolist() == started
    answered = data.trials.groupby("participant")["choice"].count()
    assert answered.tolist() == [8, 3, 2]
    assert ["hints", "<b>blue</b>"] in data.answers[["question", "answer"]].to_numpy().tolist()
    assert len(data.answers) == 4


def test_previews_are_not_counted(store):
    take_part(store, preview=store.facts().preview_key)
    data = load_data(store)
    assert data.participants.empty and data.trials.empty and data.answers.empty
    take_part(store)
    assert len(load_data(store).participants) == 1


def test_the_forgotten_are_gone(store):
    take_part(store)
    take_part(store)
    forget(store, 1)
    assert load_data(store).participants.index.tolist() == [2]


def test_the_present_version_unless_said(store, tmp_path):
    take_part(store)
    build(tmp_path, per_participant=4).close()
    with Store(store.path) as store:
        assert built_versions(store) == [1, 2]
        take_part(store, choices=6)
        take_part(store, choices=6)
        assert load_data(store).versions == (2,)
        assert len(load_data(store).participants) == 2
        assert len(load_data(store, [1]).participants) == 1
        assert load_data(store, [1]).study.trials.per_participant == 6
        both = load_data(store, [2, 1])
        assert both.versions == (1, 2) and len(both.participants) == 3
        assert load_data(store).elsewhere == {1: 1} and both.elsewhere == {}
        with pytest.raises(TuringError, match="expected a version of 1, 2, found"):
            load_data(store, [3])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": "preference"}, "one protocol, found pick-original and preference"),
        ({"exposure_ms": 500}, "one trials.exposure_ms, found 500 and 1000"),
    ],
)
def test_versions_that_ask_other_things_are_not_pooled(store, tmp_path, changes, message):
    take_part(store)
    build(tmp_path, **changes).close()
    with Store(store.path) as store:
        assert load_data(store, [2]).participants.empty
        with pytest.raises(TuringError, match=message):
            load_data(store, [1, 2])


def test_versions_with_another_checkpoint_of_a_name_are_not_pooled(store, tmp_path):
    take_part(store)
    build(tmp_path, checkpoints="2").close()
    with Store(store.path) as store:
        assert len(load_data(store, [1, 2]).participants) == 1  # nobody saw the second yet
        take_part(store)
        with pytest.raises(TuringError, match=r"in which (plain|bright) is the same"):
            load_data(store, [1, 2])
        assert len(load_data(store, [2]).participants) == 1


def test_versions_with_a_model_that_the_last_one_lacks_are_not_pooled(store, tmp_path):
    build(tmp_path, models='["bright"]').close()
    with Store(store.path) as store:
        assert load_data(store, [1, 2]).versions == (1, 2)  # nobody saw the other model yet
    build(tmp_path).close()
    with Store(store.path) as store:
        take_part(store)
        assert len(load_data(store).participants) == 1
    build(tmp_path, models='["bright"]').close()
    with Store(store.path) as store, pytest.raises(TuringError, match="plain, which version 2"):
        load_data(store, [1, 2])


def test_nothing_built_is_said(tmp_path):
    with create_store(tmp_path, "tiny") as store, pytest.raises(TuringError, match="is built"):
        load_data(store)


def test_what_built_it_is_known(store):
    data = load_data(store)
    assert data.program == "0.1.0" and not data.simulated
