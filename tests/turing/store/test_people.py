"""Participants who are released and who are forgotten."""

import pytest

from tests.turing.support.sitting import answer, refusal, start
from tests.turing.support.studies import BEFORE, built, rows
from turing.errors import TuringError
from turing.store import people
from turing.store.records import participant_rows
from turing.store.sessions import Sessions
from turing.store.upkeep.forgetting import forget


def test_who_is_released_goes_on_under_another_token(sessions, store):
    token, state = start(sessions, PROLIFIC_PID="p1")
    state = answer(sessions, token, state).state
    assert people.release(store, "p1") == 1
    assert refusal(sessions.state, token) == (401, "token")
    store.close_study()  # who has started may finish
    other, theirs = start(sessions, PROLIFIC_PID="p1")
    assert other != token and theirs == state
    assert refusal(start, sessions, PROLIFIC_PID="p1") == (409, "already")  # once
    assert len(rows(store, "participants")) == 1
    whats = [row["what"] for row in rows(store, "events") if row["participant"] == 1]
    assert whats == ["released", "returned"]


def test_release_says_what_is_wrong(sessions, store):
    with pytest.raises(TuringError, match="no participant has PROLIFIC_PID 'p1'"):
        people.release(store, "p1")
    token, _ = start(sessions, PROLIFIC_PID="p1")
    sessions.leave(token)
    with pytest.raises(TuringError, match="participant 1 has left the study"):
        people.release(store, "p1")


@pytest.fixture
def strict(tmp_path):
    """Sessions of a study that asks for an ID, as one with identify_by does unless told."""
    with built(tmp_path / "strict", require_id="true") as store:
        store.open_study()
        yield Sessions(store)


PLACEHOLDERS = [
    *("{{%PROLIFIC_PID%}}", "{PROLIFIC_PID}", "[ID]", "%24%7Be%3A%2F%2FField%2FPROLIFIC_PID%7D"),
    *("${PROLIFIC_PID}", "${e://Field/PID}", "$e{PID}", "#{ID}", "[% SESSION_ID %]", "[[ID]]"),
    *("%7B%7B%25PROLIFIC_PID%25%7D%7D", "%257BID%257D", "%SURVEY_CODE%", "<id>", "$ID$", "$ID"),
    *("__ID__", "@ID@", "@{ID}", " {ID} ", "{}", "PROLIFIC_PID", "undefined", "null"),
    *("ASSIGNMENT_ID_NOT_AVAILABLE", "#ID#", "##PID##", "*|PID|*", "XXXX", "(PROLIFIC_PID)"),
    *("%PROLIFIC_PID", "{{PROLIFIC_PID", "}}", "&lt;PID&gt;", "&#123;PID&#125;", "prolific_pid"),
    *("None", "NULL", "NaN", "Undefined", "undefined,undefined", "\u00abPID\u00bb", "?"),
    *("\uff5bPID\uff5d", "\u200b", "\ufeff{ID}", "PROLIFIC PID", "prolific-pid", ":PROLIFIC_PID"),
    *("PROLIFIC_PID=", "^PROLIFIC_PID^", "|PROLIFIC_PID|", "'${id}'", '"{{id}}"', "abc{{id}}"),
    *("\\{PROLIFIC_PID\\}", "-", "--", "..", "_", "''", "N/A", "nil", "undefined;"),
]


@pytest.mark.parametrize("value", [None, "", "  ", *PLACEHOLDERS])
def test_nobody_starts_without_an_id(strict, value):
    query = {} if value is None else {"PROLIFIC_PID": value}
    assert refusal(strict.start, None, query, BEFORE, None) == (422, "id")
    assert rows(strict.store, "participants") == []


@pytest.mark.parametrize(
    "value",
    [
        "5f3c9a",
        "a@b.org",
        "100%",
        "50% off 20%x",
        "O'Neill",
        "a b",
        "[x",
        "x]",
        "a_b",
        "0",
        "\u5de5",
        "-1",
    ],
)
def test_what_may_be_an_id_is_one(strict, value):
    assert start(strict, PROLIFIC_PID=value)[1].position == 1


@pytest.mark.parametrize(
    "other", ["Jose\u0301-1", "Jos\u00e9-1\u200b", "\ufeffJos\u00e9-1", " Jos\u00e9-1\u00a0"]
)
def test_one_id_however_it_is_written_is_one_person(strict, other):
    start(strict, PROLIFIC_PID="Jos\u00e9-1")
    assert refusal(strict.start, None, {"PROLIFIC_PID": other}, BEFORE, None) == (409, "already")


def test_a_placeholder_in_the_browser_of_another_is_somebody_new(strict):
    token, _ = start(strict, PROLIFIC_PID="first")
    query = {"PROLIFIC_PID": "[ID]"}
    assert refusal(strict.start, token, query, BEFORE, None) == (422, "id")
    assert strict.start(token, {}, BEFORE, None)[0] == token  # a reload


def test_a_placeholder_blocks_nobody_where_no_id_is_required(sessions, store):
    for _ in range(2):
        start(sessions, PROLIFIC_PID="{{%PROLIFIC_PID%}}")
    assert [row["identity"] for row in rows(store, "participants")] == [None, None]


def test_a_preview_needs_no_id(strict):
    key = strict.store.facts().preview_key
    assert strict.start(None, {}, BEFORE, key)[1].position == 1


@pytest.mark.parametrize(("key", "most"), [("max_open", 2), ("max_an_hour", 3)])
def test_limits_make_people_wait(tmp_path, key, most):
    with built(tmp_path / "studies", **{key: most}) as store:
        store.open_study()
        now = 1_000_000_000_000
        sessions = Sessions(store, lambda: now)
        tokens = [start(sessions, PROLIFIC_PID=f"p{n}")[0] for n in range(most)]
        for _ in range(3):
            assert refusal(start, sessions) == (503, "full")
        assert start(sessions, tokens[0])[0] == tokens[0]  # who is in stays in
        sessions.start(None, {}, BEFORE, store.facts().preview_key)
        events = [row for row in rows(store, "events") if row["what"] == "full"]
        assert [(row["detail"], row["at"]) for row in events] == [(key, now)]
        with store.reading() as db:
            assert people.limits_that_bit(db) == [(key, 1, now)]
        if key == "max_open":
            sessions.leave(tokens[0])
            start(sessions)
            assert refusal(start, sessions) == (503, "full")
        now += 3 * 3_600_000  # they are not expected back
        start(sessions)


def test_an_id_in_the_link_wins_over_the_token(sessions, store):
    token, state = start(sessions, PROLIFIC_PID="p1")
    state = answer(sessions, token, state).state
    other, theirs = start(sessions, token, PROLIFIC_PID="p2")
    assert other != token and people.is_token(other)
    assert theirs.position == 1 and theirs.trial != state.trial
    assert sessions.state(token) == state  # who was there before stands where they stopped
    assert [row["query"] for row in rows(store, "participants")] == [
        '{"PROLIFIC_PID": "p1"}',
        '{"PROLIFIC_PID": "p2"}',
    ]
    for query in ({"PROLIFIC_PID": "p1"}, {"PROLIFIC_PID": " p1 "}, {}):
        assert start(sessions, token, **query) == (token, state)
    assert refusal(start, sessions, token, PROLIFIC_PID="p2") == (409, "already")
    people.release(store, "p2")
    again, _ = start(sessions, token, PROLIFIC_PID="p2")
    assert again not in (token, other) and sessions.state(again) == theirs
    assert len(rows(store, "participants")) == 2


@pytest.mark.parametrize(
    "foreign", [{"fbclid": "a" * 900}, {"token": "\x00"}, {"n" * 300: "1"}, {"x": ["y"], "": None}]
)
def test_what_a_study_does_not_ask_of_a_link_is_ignored(sessions, store, foreign):
    sessions.start(None, {"PROLIFIC_PID": "p1"} | foreign, BEFORE, None)
    assert rows(store, "participants")[0]["query"] == '{"PROLIFIC_PID": "p1"}'


@pytest.fixture
def picky(tmp_path):
    """Sessions of a study that some answers end."""
    with built(tmp_path / "picky", asks='screen_out = { colour_vision = ["yes"] }') as store:
        store.open_study()
        yield Sessions(store)


def test_an_answer_may_screen_out(picky):
    store, yes = picky.store, {"colour_vision": "yes"}
    token, state = picky.start(None, {"PROLIFIC_PID": "p1"}, yes, None)
    assert (state.stage, state.trial, state.next_picture) == ("screened_out", None, None)
    assert picky.state(token) == state and picky.start(token, {}, BEFORE, None)[1] == state
    once_more = {"PROLIFIC_PID": "p1"}, BEFORE, None  # with the answer that lets in
    assert refusal(picky.start, None, *once_more) == (409, "already")
    assert refusal(picky.finish, token, {}) == (409, "screened")
    assert rows(store, "trials") == []
    assert [row["answer"] for row in rows(store, "answers")] == ["yes"]
    event = rows(store, "events")[1]
    assert (event["participant"], event["what"], event["detail"]) == (
        1,
        "screened out",
        "colour_vision",
    )
    start(picky)
    assert [row["number"] for row in rows(store, "participants")] == [0, 1]  # none is lost
    assert people_who_count(store) == [2]
    forget(store, 1)
    assert [row["id"] for row in rows(store, "participants")] == [2]


def people_who_count(store):
    return [row["participant"] for row in participant_rows(store)]


def test_who_is_screened_out_cannot_leave_to_try_again(tmp_path):
    asks = 'screen_out = { colour_vision = ["yes"] }\non_leave = "delete"'
    with built(tmp_path, asks=asks) as store:
        store.open_study()
        sessions, link = Sessions(store), {"PROLIFIC_PID": "p1"}
        token, _ = sessions.start(None, link, {"colour_vision": "yes"}, None)
        sessions.leave(token)
        assert refusal(sessions.start, None, link, BEFORE, None) == (409, "already")
        token, _ = sessions.start(None, {"PROLIFIC_PID": "p2"}, BEFORE, None)
        sessions.leave(token)
        assert [row["id"] for row in rows(store, "participants")] == [1]  # who just left is gone


@pytest.mark.parametrize("resume", ["token", "id"])
def test_who_left_and_was_deleted_cannot_take_part_again(tmp_path, resume):
    with built(tmp_path, asks=f'on_leave = "delete"\nresume = "{resume}"') as store:
        store.open_study()
        sessions, mine = Sessions(store), {"PROLIFIC_PID": "p1"}
        token, state = sessions.start(None, mine, BEFORE, None)
        while state.trial:
            state = answer(sessions, token, state).state
        sessions.finish(token, {})
        sessions.leave(token)
        for who, only_back in ((token, False), (None, False), (None, True)):
            again = (who, mine, BEFORE, None, only_back)
            assert refusal(sessions.start, *again) == (409, "already")
        with pytest.raises(TuringError, match="p1' has left the study, and stays so"):
            people.release(store, "p1")
        sessions.start(None, {"PROLIFIC_PID": "p2"}, BEFORE, None)
        without_id, _ = sessions.start(None, {}, BEFORE, None)
        sessions.leave(without_id)
        ((mark,),) = store.connection.execute("SELECT * FROM took_part").fetchall()
        assert len(mark) == 32


def test_who_is_screened_out_later_goes_no_further(sessions, store):
    token, state = start(sessions)
    for _ in range(1200):  # more events than are noted of one person
        sessions.note(token, "resumed")
    with store.writing() as db:
        for _ in range(2):
            people.screen_out(db, 1, "plates", 1_000)
    assert [row["at"] for row in rows(store, "events") if row["what"] == "screened out"] == [1_000]
    assert sessions.state(token).stage == "screened_out"
    assert refusal(answer, sessions, token, state) == (409, "screened")
    assert refusal(sessions.picture, state.trial.trial) == (404, "unknown")
    assert people_who_count(store) == []
    assert sessions.leave(token).stage == "withdrawn"


def test_who_is_screened_out_is_not_under_way(tmp_path):
    with built(tmp_path, max_open=1, asks='screen_out = { colour_vision = ["yes"] }') as store:
        store.open_study()
        sessions = Sessions(store)
        for _ in range(3):
            sessions.start(None, {}, {"colour_vision": "yes"}, None)
        start(sessions)
        assert refusal(start, sessions) == (503, "full")


@pytest.fixture
def by_id(tmp_path):
    """Sessions of a study in which an ID is enough to go on."""
    with built(tmp_path / "by-id", asks='resume = "id"') as store:
        store.open_study()
        yield Sessions(store)


def test_whoever_brings_the_id_goes_on_where_the_study_says_so(by_id):
    token, state = start(by_id, PROLIFIC_PID="p1")
    state = answer(by_id, token, state).state
    by_id.store.close_study()  # who has started may finish
    other, theirs = start(by_id, PROLIFIC_PID="p1")
    assert other != token and theirs == state
    assert refusal(by_id.state, token) == (401, "token")
    third, _ = by_id.start(None, {"PROLIFIC_PID": "p1"}, {}, None, True)  # without answers
    assert by_id.state(third) == state
    assert len(rows(by_id.store, "participants")) == 1
    by_id.leave(third)
    assert start(by_id, PROLIFIC_PID="p1")[1].stage == "withdrawn"  # for good


def test_who_only_comes_back_is_not_let_in_anew(by_id):
    start(by_id, PROLIFIC_PID="p1")
    for query in ({"PROLIFIC_PID": "p2"}, {}):
        assert refusal(by_id.start, None, query, {}, None, True) == (404, "unknown")
    assert len(rows(by_id.store, "participants")) == 1


def test_ids_of_a_blocklist_cannot_start(sessions, store):
    study = sessions.info(None, None)
    token, _ = start(sessions, PROLIFIC_PID="here-already")
    with store.writing() as db:
        people.block(db, study, ["here-already", "Jos\u00e9-1", "old", "[ID]", "old"])
    for blocked in ("old", " old ", "Jose\u0301-1"):
        assert refusal(start, sessions, PROLIFIC_PID=blocked) == (409, "blocked")
    assert start(sessions, token, PROLIFIC_PID="here-already")[0] == token
    start(sessions, PROLIFIC_PID="new")
    start(sessions)
    kept = b"".join(row["identity"] for row in rows(store, "blocked"))
    assert len(kept) == 3 * 32
    with store.writing() as db:
        people.block(db, study, ["new"])
    start(sessions, PROLIFIC_PID="old")
