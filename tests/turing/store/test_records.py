"""What lies in a store and what comes out as rows."""

import pytest

from tests.turing.support.answering import participant, two_people
from tests.turing.support.studies import build, built, rows
from turing.analysis.frames import load_data
from turing.report.exports.choices import COLUMNS
from turing.store.records import choice_rows, iso_time, participant_rows
from turing.store.sessions import Sessions
from turing.study.trials import WILD, correct_choice

store = pytest.fixture(two_people)


def test_the_analysis_and_the_export_read_the_same(tmp_path):
    with built(tmp_path, protocol="single") as store:
        store.open_study()
        participant(store, seed=1)
        participant(store, 3, seed=2)
        exported, trials = choice_rows(store), load_data(store).trials
    answered = trials[trials["choice"].notna()].to_dict("records")
    assert len(trials) == 16 and len(answered) == 11
    for row, trial in zip(exported, answered, strict=True):
        assert (row["participant"], row["position"]) == (trial["participant"], trial["position"])
        assert (row["dataset"], row["photo_file"]) == (trial["dataset"], trial["photo_file"])
        assert (row["choice"], row["rt_ms"]) == (trial["choice"], trial["rt_ms"])
        for side in ("left", "right"):
            assert row[side] == (trial[side])
        expected = None if trial["correct"] != trial["correct"] else bool(trial["correct"])
        assert row["correct"] is expected


def test_one_row_for_each_choice(store):
    found = choice_rows(store)
    assert len(found) == len(rows(store, "choices")) == 11
    assert [row["participant"] for row in found] == [1] * 8 + [2] * 3
    assert [row["position"] for row in found[:8]] == list(range(8))
    assert [row["practice"] for row in found[:8]] == [True] + [False] * 7
    assert sum(row["catch"] for row in found[:8]) == 1
    assert set(found[0]) == set(COLUMNS) - {"study"}


@pytest.mark.parametrize(
    "protocol", ["pick-original", "pick-fake-sequential", "single", "preference"]
)
def test_rows_say_what_was_shown_and_whether_the_choice_was_right(tmp_path, protocol):
    with built(tmp_path, protocol=protocol) as store:
        store.open_study()
        participant(store, seed=3)
        stimuli = {row["id"]: row for row in rows(store, "stimuli")}
        trials = rows(store, "trials")
        for row, trial in zip(choice_rows(store), trials, strict=True):
            shown = stimuli[trial["stimulus"]]
            parts = (shown["left"], shown["right"])[: shown["parts"]]
            right = correct_choice(protocol, parts)
            assert row["correct"] == (None if right is None else row["choice"] == right)
            assert row["left"] == (parts[0] or "original")
            assert row["right"] == (None if len(parts) == 1 else parts[1] or "original")
            alone = parts == (None,)  # an original, which counts for every model
            assert row["model"] == (None if alone else trial["model"])
            assert row["protocol"] == protocol
            if row["catch"]:
                assert row["model"] is None and WILD in (row["left"], row["right"])


def test_times_are_the_servers_own(tmp_path):
    with built(tmp_path) as store:
        store.open_study()
        clock = iter([1_751_630_400_000, *range(1_751_630_401_500, 1_751_630_900_000, 1000)])
        sessions = Sessions(store, clock=lambda: next(clock))
        token, state = sessions.start(None, {}, {"colour_vision": "no"}, None)
        for _ in range(2):
            state = sessions.answer(token, state.trial.trial, 0, 700).state
        first, second = choice_rows(store)
        assert first["consented"] == "2025-07-04T12:00:00.000Z"
        assert second["server_ms"] == 1000 and first["server_ms"] > 0
        assert first["answered"] < second["answered"]
    assert iso_time(0) == "1970-01-01T00:00:00.000Z"


def test_a_clock_that_goes_back_gives_no_time_below_none(tmp_path):
    with built(tmp_path) as store:
        store.open_study()
        clock = iter([1_751_630_400_000] * 2 + [1_751_630_000_000] + [1_751_630_003_000] * 50)
        sessions = Sessions(store, clock=lambda: next(clock))
        token, state = sessions.start(None, {}, {"colour_vision": "no"}, None)
        for _ in range(3):
            state = sessions.answer(token, state.trial.trial, 0, 700).state
        assert [row["server_ms"] for row in choice_rows(store)][:3] == [None, 3000, 0]


def test_previews_and_those_who_left_are_asked_for(store):
    participant(store, 4, preview=store.facts().preview_key)
    Sessions(store).leave(participant(store, 2))
    assert len(choice_rows(store)) == 11
    everything = choice_rows(store, everything=True)
    assert len(everything) == 17
    assert [row["preview"] for row in everything[11:]] == [True] * 4 + [False] * 2
    assert all(row["withdrawn"] for row in everything[15:])
    assert len(participant_rows(store)) == 2
    assert len(participant_rows(store, everything=True)) == 4


def test_participants(store):
    first, second = participant_rows(store)
    assert first["query"] == {"PROLIFIC_PID": "p1", "SESSION_ID": "s1"}
    assert first["answers"] == {"colour_vision": "no", "hints": "the sky"}
    assert (first["trials"], first["answered"]) == (8, 8) and first["finished"]
    assert (second["trials"], second["answered"], second["finished"]) == (8, 3, None)


def test_versions(store):
    build(store.path.parent, per_participant=4).close()
    participant(store)
    assert [row["version"] for row in choice_rows(store)] == [1] * 11 + [2] * 6
    assert len(choice_rows(store, version=2)) == 6
    assert len(participant_rows(store, version=1)) == 2
