"""The page outlasts reloads, restarts, lost connections and refusals, and loses no answer."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.turing.support.participant import HINTS, Participant, dropped
from tests.turing.support.pretend_study import Failure, PretendStudy

pytestmark = pytest.mark.browser


def test_reload_resumes_at_the_same_trial(arrive):
    person = arrive()
    person.begin()
    person.pick(1)
    person.wait_for_trial("2 of 4")
    person.page.reload()
    person.wait_for_trial("2 of 4")
    person.pick(0)
    person.wait_for_trial("3 of 4")
    assert person.saved() == [1, 0]
    assert len(person.study.participants) == 1


def test_server_restarts_in_the_middle_without_reload(arrive):
    person = arrive()
    person.begin()
    person.pick(0)
    person.wait_for_trial("2 of 4")
    person.served.stop()
    person.pick(1)
    person.sees("Your answer is kept and will be sent")
    assert '"choice":1' in person.kept("unsent")
    person.served.start()
    person.wait_for_trial("3 of 4")
    expect(person.page.locator("#quiet")).to_be_hidden()
    assert person.saved() == [0, 1]
    assert person.kept("unsent") is None


def test_unsent_answer_survives_a_reload(arrive):
    person = arrive()
    person.begin()
    with dropped(person.page, "answer"):
        person.pick(1)
        person.sees("Your answer is kept and will be sent")
        assert person.saved() == []
    with dropped(person.page, "answer"):
        person.page.reload()
        person.sees("Your answer is kept and will be sent")
    person.wait_for_trial("2 of 4")
    assert person.saved() == [1]


def test_answer_whose_acknowledgement_is_lost_is_saved_once(arrive):
    person = arrive()
    person.begin()
    with dropped(person.page, "answer", after_it_was_served=True) as broken:
        person.pick(1)
        person.sees("Your answer is kept and will be sent")
    person.wait_for_trial("2 of 4")
    assert len(broken) >= 1
    assert person.saved() == [1]


@pytest.mark.slow
def test_second_tab_goes_on_where_the_first_is(arrive):
    person = arrive()
    person.begin()
    other = Participant(person.page.context.new_page(), person.served)
    other.visit()
    other.wait_for_trial("1 of 4")
    person.pick(0)
    person.wait_for_trial("2 of 4")
    other.pick(1)  # answered by the first tab already: the first answer stands
    other.wait_for_trial("2 of 4")
    other.pick(1)
    other.wait_for_trial("3 of 4")
    person.pick(1)  # the same answer again is no conflict
    person.wait_for_trial("3 of 4")
    assert person.saved() == [0, 1]
    assert len(person.study.participants) == 1


def test_finished_participant_is_told_so(arrive):
    person = arrive(PretendStudy(practice=0, scored=1))
    person.begin()
    person.pick(0)
    person.sees("All done")
    person.page.reload()
    person.sees("You have taken part already")
    person.sees("C0L0R")
    assert len(person.study.participants) == 1


@pytest.mark.slow
def test_draft_of_the_last_questions_survives_a_reload(arrive):
    person = arrive(PretendStudy(practice=0, scored=1, after=[HINTS]))
    person.begin()
    person.pick(0)
    person.page.get_by_label("What gave").fill("Blue hands")
    person.page.reload()
    person.press("Finish")
    person.sees("All done")
    (record,) = person.study.participants.values()
    assert record.end == {"hints": "Blue hands"}
    assert person.kept("draft") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "failure",
    [
        Failure(503, {"Retry-After": "1"}),
        Failure(503, {"Retry-After": "1"}, saves=True),
        Failure(429, {"Retry-After": "1"}),
        Failure(502, code=None),
        Failure(404, code=None),  # a proxy's page, not the study's word
    ],
    ids=str,
)
def test_passing_failures_are_retried(arrive, failure):
    person = arrive()
    person.begin()
    person.study.failures["answer"] = [failure]
    pressed = time.monotonic()
    person.pick(1)
    person.wait_for_trial("2 of 4")
    assert person.saved() == [1]
    calls = [call for call, *_ in person.study.calls]
    assert calls.count("answer") == 2
    if "Retry-After" in failure.headers:
        assert time.monotonic() - pressed > 1


@pytest.mark.slow
def test_every_call_outlasts_a_lost_connection(arrive):
    person = arrive(PretendStudy(practice=0, scored=1, after=[HINTS]))
    for call in ("info", "start", "picture", "answer", "finish"):
        person.study.failures[call] = [Failure(503, {"Retry-After": "0"})]
    person.begin()
    person.pick(0)
    person.press("Finish")
    person.sees("All done")
    assert person.saved() == [0]


@pytest.mark.slow
def test_token_is_kept_before_it_is_sent(arrive):
    person = arrive()
    person.visit()
    person.press("I agree")
    with dropped(person.page, "start") as broken:
        person.press("Start")
        person.sees("The server does not answer yet. Trying again by itself")
        token = person.kept("token")
        person.page.reload()  # the start may or may not have arrived: the token stays
        person.press("I agree")
        person.press("Start")
        expect(person.page.locator("#quiet")).to_be_visible()
    person.wait_for_trial()
    assert len(broken) >= 2
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert list(person.study.participants) == [token]


def test_unknown_token_is_dropped_and_a_start_offered(arrive):
    person = arrive()
    person.begin()
    (token,) = person.study.participants
    person.study.participants.clear()  # the store was restored from an older copy
    person.pick(1)
    person.page.get_by_text("The server does not know this browser any more").wait_for()
    assert person.kept("token") is None
    assert person.kept("unsent") is None
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial("1 of 4")
    assert token not in person.study.participants
    assert person.saved() == []


@pytest.mark.slow
def test_unknown_token_after_a_reload(arrive):
    person = arrive()
    person.begin()
    person.study.participants.clear()
    person.page.reload()
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial("1 of 4")


@pytest.mark.slow
def test_answer_that_is_refused_for_good_ends_in_a_message(arrive):
    person = arrive()
    person.begin()
    person.study.failures["answer"] = [Failure(422, code="invalid")]
    person.pick(0)
    person.sees("Something went wrong")
    person.press("Load again")
    person.wait_for_trial("1 of 4")


@pytest.mark.slow
def test_a_browser_whose_storage_is_full_still_sends_and_keeps(arrive):
    """Other pages of the same host have left room for a few characters."""
    person = arrive(PretendStudy(practice=0, scored=2))
    person.page.add_init_script(
        """Storage.prototype.setItem = function (key, value) {
          if (value.length > 3) throw new DOMException("full", "QuotaExceededError");
          Reflect.set(this, key, value);
        }"""
    )
    person.begin()
    with dropped(person.page, "answer"):
        person.pick(1)
        person.sees("Your answer is kept and will be sent")
        person.page.reload()
        person.page.get_by_text("Your answer is kept and will be sent").wait_for()
    person.wait_for_trial("2 of 2")
    person.pick(0)
    person.sees("All done")
    assert person.saved() == [1, 0]


@pytest.mark.slow
def test_browser_that_keeps_nothing(arrive):
    person = arrive(PretendStudy(practice=0, scored=1))
    person.page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
          get() { throw new DOMException("denied", "SecurityError"); },
        })"""
    )
    person.visit()
    person.page.get_by_text("This browser keeps nothing for this page").wait_for()
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial()
    person.page.reload()  # nobody is locked out by that
    person.pick(0)
    person.sees("All done")
