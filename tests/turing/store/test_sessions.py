"""Participants from start to end, over the store alone."""

import json
import secrets

import pytest

from tests.turing.support.sitting import answer, refusal, start, walk
from tests.turing.support.studies import build, built, rows
from turing.store import people
from turing.store.beside import answers
from turing.store.people import RefusedError
from turing.store.sessions import Sessions
from turing.study.trials import Placed, correct_choice, participant_trials

PROTOCOLS = ["pick-original", "pick-fake-sequential", "single", "preference"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_whole_study(tmp_path, protocol):
    with built(tmp_path, protocol=protocol, practice=2, catch=2) as store:
        store.open_study()
        sessions = Sessions(store)
        token, state = start(sessions)
        states = walk(sessions, token, state)
        assert [(s.stage, s.position, s.total) for s in states] == [
            *(("practice", n, 2) for n in (1, 2)),
            *(("trials", n, 8) for n in range(1, 9)),  # catch trials are trials like any other
            ("questions", 8, 8),
        ]
        assert [s.position for s in states if s.offers_break] == [4, 7]  # after 3 and after 6
        assert [s.next_picture for s in states[:-2]] == [s.trial.trial for s in states[1:-1]]
        assert states[-2].next_picture is None
        parts = 1 if protocol == "single" else 2
        assert {(s.trial.practice, s.trial.parts) for s in states[:2]} == {(True, parts)}
        assert {(s.trial.practice, s.trial.parts) for s in states[2:-1]} == {(False, parts)}
        assert [question.id for question in states[-1].questions] == ["hints"]
        sessions.finish(token, {"hints": "the sky"})
        assert sessions.state(token).stage == "done"
        assert len(rows(store, "choices")) == 10


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_trials_are_those_drawn_for_the_number(tmp_path, protocol):
    with built(tmp_path, protocol=protocol) as store:
        store.open_study()
        sessions = Sessions(store)
        for _ in range(3):
            start(sessions)
        with store.reading() as db:
            version = store.version(db, 1)
        photos = {row["id"]: row for row in rows(store, "photos")}
        stimuli = {row["id"]: row for row in rows(store, "stimuli")}
        for number in (1, 2, 3):
            drawn = participant_trials(version.design, store.facts().trial_key, number)
            written = [row for row in rows(store, "trials") if row["participant"] == number]
            assert [row["position"] for row in written] == list(range(8))
            for trial, row in zip(drawn, written, strict=True):
                stimulus, photo = stimuli[row["stimulus"]], photos[row["photo"]]
                assert (photo["dataset"], photo["sha256"]) == (trial.dataset, trial.photo)
                assert stimulus["photo"] == photo["id"]
                assert (stimulus["left"], stimulus["right"])[: stimulus["parts"]] == trial.parts
                assert (row["practice"], row["catch"], row["model"], row["kind"]) == (
                    trial.kind == "practice",
                    trial.kind == "catch",
                    trial.model,
                    protocol,
                )


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("picks_right", [True, False])
def test_practice_says_what_was_right_and_the_end_counts_scored_trials(
    tmp_path, protocol, picks_right
):
    with built(tmp_path, protocol=protocol) as store:
        store.open_study()
        sessions = Sessions(store)
        token, state = start(sessions)
        stimuli = {row["id"]: row for row in rows(store, "stimuli")}
        right = {}
        for row in rows(store, "trials"):
            shown = stimuli[row["stimulus"]]
            parts = (shown["left"], shown["right"])[: shown["parts"]]
            right[row["picture"]] = correct_choice(protocol, parts)
        told = []
        while state.trial:
            truth = right[state.trial.trial] or 0
            reply = answer(sessions, token, state, truth if picks_right else 1 - truth)
            told.append(reply.correct)
            state = reply.state
        end = sessions.finish(token, {})
        if protocol == "preference":
            assert told == [None] * 8 and end.score is None
        else:
            assert told == [picks_right] + [None] * 7
            assert end.score == (6 if picks_right else 0, 6)


def test_the_score_can_be_kept_back(tmp_path):
    with built(tmp_path, show_score="false") as store:
        store.open_study()
        sessions = Sessions(store)
        token, state = start(sessions)
        walk(sessions, token, state)
        assert sessions.finish(token, {}).score is None


def test_the_same_answer_again_is_no_other(sessions, store):
    token, state = start(sessions)
    first = answer(sessions, token, state, 1)
    assert answer(sessions, token, state, 1, rt_ms=5) == first
    (choice,) = rows(store, "choices")
    assert (choice["choice"], choice["rt_ms"]) == (1, 800)
    answer(sessions, token, first.state)
    again = answer(sessions, token, state, 1)
    assert again.correct == first.correct and again.state.position == 2
    assert [event["what"] for event in rows(store, "events")[1:]] == ["retried"] * 2


def test_another_answer_is_refused_and_noted(sessions, store):
    token, state = start(sessions)
    answer(sessions, token, state, 1)
    before = rows(store, "choices")
    assert refusal(answer, sessions, token, state, 0) == (409, "answered")
    assert rows(store, "choices") == before
    event = rows(store, "events")[-1]
    assert (event["participant"], event["what"]) == (1, "refused")


def test_only_the_own_present_trial_can_be_answered(sessions, store):
    token, state = start(sessions)
    other, theirs = start(sessions)
    for trial in (secrets.token_hex(16), "", theirs.trial.trial, state.next_picture):
        assert refusal(sessions.answer, token, trial, 0, 1) == (404, "unknown")
    for nobody in (None, "", people.new_token(), "x" * 43):
        assert refusal(sessions.answer, nobody, state.trial.trial, 0, 1) == (401, "token")
        assert refusal(sessions.state, nobody) == (401, "token")
        assert refusal(sessions.finish, nobody, {}) == (401, "token")
        assert refusal(sessions.leave, nobody) == (401, "token")
    assert rows(store, "choices") == []
    assert answer(sessions, other, theirs).state.stage == "trials"


def test_finishing_takes_every_trial_and_is_done_once(sessions, store):
    token, state = start(sessions, PROLIFIC_PID="a b&c")
    assert refusal(sessions.finish, token, {}) == (409, "unfinished")
    walk(sessions, token, state)
    assert refusal(sessions.finish, token, {"nothing": "x"}) == (422, "invalid")
    end = sessions.finish(token, {"hints": "<b>'; DROP TABLE choices; --"})
    assert end.code == "C0L0R"
    assert end.return_url == "https://example.org/back?cc=C0L0R&pid=a%20b%26c"
    assert sessions.finish(token, {"hints": "other", "nothing": "x"}) == end
    answers = {row["question"]: row["answer"] for row in rows(store, "answers")}
    assert answers == {"colour_vision": "no", "hints": "<b>'; DROP TABLE choices; --"}
    assert rows(store, "participants")[0]["finished"]


def test_who_leaves_is_withdrawn(sessions, store):
    token, state = start(sessions)
    answer(sessions, token, state)
    assert sessions.leave(token).stage == "withdrawn"
    left = rows(store, "participants")[0]["withdrawn"]
    assert sessions.leave(token).stage == sessions.state(token).stage == "withdrawn"
    assert rows(store, "participants")[0]["withdrawn"] == left
    assert refusal(answer, sessions, token, state) == (409, "withdrawn")
    assert refusal(sessions.finish, token, {}) == (409, "withdrawn")
    assert start(sessions, token)[1].stage == "withdrawn"
    assert len(rows(store, "choices")) == 1  # nothing is deleted


def test_who_comes_back_goes_on(sessions, store):
    token, state = start(sessions, SESSION_ID="1")
    state = answer(sessions, token, state).state
    assert start(sessions, token, SESSION_ID="2") == (token, state)
    assert sessions.state(token) == state
    (participant,) = rows(store, "participants")
    assert json.loads(participant["query"]) == {"SESSION_ID": "1"}
    assert rows(store, "events")[-1]["what"] == "resumed"


def test_a_token_is_made_where_none_is_brought(sessions, store):
    token, _ = start(sessions)
    assert people.is_token(token)
    own = people.new_token()
    assert start(sessions, own)[0] == own
    for weak in ("", "abc", "x" * 42, "x" * 44, "ä" * 43, "x" * 42 + "\n"):
        assert people.is_token(weak) is False
    assert refusal(start, sessions, "abc") == (422, "invalid")
    assert token.encode() not in store.path.read_bytes()


def test_only_the_studys_parameters_are_kept(sessions, store):
    start(sessions, PROLIFIC_PID="<script>", utm_source="x", study="tiny")
    assert json.loads(rows(store, "participants")[0]["query"]) == {"PROLIFIC_PID": "<script>"}


@pytest.mark.parametrize(
    "answers",
    [{}, {"colour_vision": None}, {"colour_vision": " "}, {"colour_vision": "NO"}, {"hints": "x"}],
)
def test_questions_before_are_answered_at_the_start(sessions, store, answers):
    assert refusal(sessions.start, None, {}, answers, None) == (422, "invalid")
    assert rows(store, "participants") == []


def test_an_id_takes_part_once(sessions, store):
    token, state = start(sessions, PROLIFIC_PID="p1")
    assert refusal(start, sessions, PROLIFIC_PID="p1") == (409, "already")
    assert refusal(start, sessions, PROLIFIC_PID=" p1 ") == (409, "already")
    assert start(sessions, token, PROLIFIC_PID="p1") == (token, state)
    start(sessions, PROLIFIC_PID="p2")
    for _ in range(2):
        start(sessions)  # without an ID there is nothing to compare
    sessions.leave(token)
    assert refusal(start, sessions, PROLIFIC_PID="p1") == (409, "already")
    identities = [row["identity"] for row in rows(store, "participants")]
    assert len(set(identities[:2])) == 2 and identities[2:] == [None, None]
    assert all(len(identity) == 32 and b"p1" not in identity for identity in identities[:2])


def test_an_id_takes_part_once_in_all_versions(sessions, store):
    start(sessions, PROLIFIC_PID="p1")
    build(store.path.parent, per_participant=4).close()
    assert refusal(start, sessions, PROLIFIC_PID="p1") == (409, "already")


def test_a_changed_study_is_for_those_who_come_after(sessions, store):
    token, state = start(sessions)
    build(store.path.parent, per_participant=4, break_every=0).close()
    other, theirs = start(sessions)
    assert sessions.info(token, None).trials.per_participant == 6
    assert sessions.info(None, None).trials.per_participant == 4
    assert [len(walk(sessions, *each)) for each in ((token, state), (other, theirs))] == [9, 7]
    found = [(row["version"], row["number"]) for row in rows(store, "participants")]
    assert found == [(1, 1), (2, 1)]


def test_before_it_is_opened_a_study_is_unknown(tmp_path):
    with built(tmp_path) as store:
        sessions = Sessions(store)
        assert refusal(sessions.info, None, None) == (404, "unknown")
        assert refusal(start, sessions) == (404, "unknown")


def test_after_it_is_closed_who_started_may_finish(sessions, store):
    token, state = start(sessions)
    store.close_study()
    assert refusal(sessions.info, None, None) == (410, "closed")
    assert refusal(start, sessions) == (410, "closed")
    assert sessions.info(token, None).name == "tiny"
    assert start(sessions, token) == (token, state)
    walk(sessions, token, state)
    assert sessions.finish(token, {}).code


@pytest.mark.parametrize("state", ["built", "open", "closed"])
def test_a_preview_works_always_and_counts_never(tmp_path, state):
    with built(tmp_path) as store:
        if state != "built":
            store.open_study()
        if state == "closed":
            store.close_study()
        sessions = Sessions(store)
        key = store.facts().preview_key
        assert sessions.info(None, key).name == "tiny"
        for _ in range(2):
            token, shown = start(sessions, preview=key, PROLIFIC_PID="me")
        walk(sessions, token, shown)
        assert sessions.finish(token, {}).code == "C0L0R"
        found = [(r["preview"], r["number"], r["identity"]) for r in rows(store, "participants")]
        assert found == [(1, 1, None), (1, 2, None)]
        for wrong in ("", "x", key + "x", "ä"):
            assert refusal(sessions.info, None, wrong) == (404, "unknown")
            assert refusal(start, sessions, preview=wrong) == (404, "unknown")
        store.open_study()
        start(sessions, PROLIFIC_PID="me")
        assert rows(store, "participants")[-1]["number"] == 1


def test_pictures_are_for_the_present_trial_and_the_next(sessions, store):
    token, state = start(sessions)
    names = [row["picture"] for row in rows(store, "trials")]
    for position in range(len(names)):
        served = [name for name in names if is_served(sessions, name)]
        assert served == names[position : position + 2]
        state = answer(sessions, token, state).state
    assert not any(is_served(sessions, name) for name in names)
    for name in ("", "x", "../tiny.sqlite", names[0][:-1]):
        assert not is_served(sessions, name)


def test_who_has_left_gets_no_pictures(sessions):
    token, state = start(sessions)
    assert is_served(sessions, state.trial.trial)
    sessions.leave(token)
    assert not is_served(sessions, state.trial.trial)


def is_served(sessions, name):
    try:
        return sessions.picture(name).is_file()
    except RefusedError as refused:
        assert refused.status == 404
        return False


def test_the_picture_is_that_of_the_stimulus(sessions, store):
    _, state = start(sessions)
    trial = rows(store, "trials")[0]
    stimulus = next(row for row in rows(store, "stimuli") if row["id"] == trial["stimulus"])
    assert sessions.picture(state.trial.trial) == store.picture_path(stimulus["sha256"])


def test_names_are_random_for_each_trial_and_participant(tmp_path):
    with built(tmp_path, photos=4, practice=0, catch=0) as store:  # few photos: many repeats
        store.open_study()
        sessions = Sessions(store)
        for _ in range(20):
            start(sessions)
        trials = rows(store, "trials")
    names = [row["picture"] for row in trials]
    assert len(set(names)) == len(names) == 120
    assert all(len(bytes.fromhex(name)) == 16 for name in names)
    shown = {row["stimulus"] for row in trials}
    assert len(shown) < 40  # the same pictures, under other names


def test_a_start_that_fails_leaves_nothing(sessions, store, monkeypatch):
    def fails(*args):
        raise RuntimeError

    monkeypatch.setattr(answers, "keep", fails)
    with pytest.raises(RuntimeError):
        start(sessions)
    assert rows(store, "participants") == rows(store, "trials") == []
    monkeypatch.undo()
    start(sessions)
    assert rows(store, "participants")[0]["number"] == 1


def test_a_number_that_was_taken_meanwhile_is_drawn_again(sessions, store, monkeypatch):
    """Two processes start somebody at once: numbers stay one after the other."""
    import turing.store.sessions

    draw = turing.store.sessions._draw
    other = Sessions(store)
    taken = []

    def slow(version, place):
        if not taken:
            taken.append(place.number)
            start(other)
        return draw(version, place)

    monkeypatch.setattr(turing.store.sessions, "_draw", slow)
    start(sessions)
    assert taken == [1]
    found = rows(store, "participants")
    assert [row["number"] for row in found] == [1, 2]


def test_the_clock_and_the_focus(store):
    times = iter(range(1_000_000, 9_000_000, 1000))
    sessions = Sessions(store, clock=lambda: next(times))
    token, state = start(sessions)
    sessions.answer(token, state.trial.trial, 0, 812.5, 1003, focus_lost=2)
    (choice,) = rows(store, "choices")
    assert (choice["rt_ms"], choice["shown_ms"]) == (812.5, 1003)
    consented = rows(store, "participants")[0]["consented"]
    assert 1_000_000 <= consented < choice["received"] < 1_020_000
    event = rows(store, "events")[-1]
    assert (event["what"], event["detail"]) == ("focus lost", "trial 0, 2")


def test_events_of_one_participant_are_bounded(sessions, store):
    token, _ = start(sessions)
    with store.writing() as db:
        db.executemany(
            "INSERT INTO events (participant, at, what, detail) VALUES (1, 0, 'resumed', ?)",
            [(str(n),) for n in range(1000)],
        )
    count = len(rows(store, "events"))
    sessions.note(token, "resumed")
    assert len(rows(store, "events")) == count
    store.close_study()
    assert len(rows(store, "events")) == count + 1


def test_no_network_address_is_anywhere(store):
    with store.reading() as db:
        names = [
            column[0]
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for column in db.execute(f"SELECT * FROM {table} LIMIT 0").description
        ]
    words = {word for name in names for word in name.split("_")}
    assert not words & {"ip", "address", "host", "agent", "client"}


def test_placed_stimuli_cover_every_draw(store):
    with store.reading() as db:
        version = store.version(db, 1)
    for number in range(1, 40):
        for trial in participant_trials(version.design, store.facts().trial_key, number):
            assert (Placed(trial.dataset, trial.photo), trial.parts) in version.stimuli
