"""The results page's guard by its own clock."""

import time

import pytest

from turing.web import sign_in
from turing.web.sign_in import (
    FREE_TRIES,
    LIFETIME,
    LONGEST_WAIT,
    Guard,
    admin_password,
    announcement,
    set_cookie,
)


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(clock):
    return Guard("correct horse", clock)


def test_the_password_from_the_environment():
    given = admin_password({"TURING_ADMIN_PASSWORD": " s3cret \n", "SPACE_ID": "me/space"})
    assert given.value == "s3cret" and not given.made_up


@pytest.mark.parametrize("environment", [{}, {"TURING_ADMIN_PASSWORD": ""}])
def test_a_random_one_where_there_is_none(environment):
    first, second = admin_password(environment), admin_password(environment)
    assert first.made_up and len(first.value) >= 16 and first.value != second.value


@pytest.mark.parametrize("space", [{"SPACE_ID": "me/space"}, {"SYSTEM": "spaces"}])
def test_off_on_a_space_without_one(space):
    assert admin_password(space).value is None
    assert admin_password(space | {"TURING_ADMIN_PASSWORD": "  "}).value is None


def test_only_a_made_up_password_is_printed():
    made_up, given = admin_password({}), admin_password({"TURING_ADMIN_PASSWORD": "s3cret"})
    line = announcement(made_up, "http://127.0.0.1:7860/")
    assert "http://127.0.0.1:7860/admin" in line and made_up.value in line
    assert "s3cret" not in announcement(given, "http://127.0.0.1:7860")
    assert "is off" in announcement(admin_password({"SPACE_ID": "me/space"}), "http://x")


def test_right_and_wrong(guard):
    assert guard.try_password("correct horse")
    for wrong in ("", "correct horse ", "Correct horse", "corrèct horse", "x" * 10_000):
        assert not guard.try_password(wrong)


def test_wrong_tries_get_slower_and_the_right_one_waits_too(guard, clock):
    for _ in range(FREE_TRIES - 1):
        assert not guard.try_password("guess") and guard.seconds_to_wait() == 0
    waits = []
    for _ in range(10):
        assert not guard.try_password("guess")
        waits.append(guard.seconds_to_wait())
        assert not guard.try_password("correct horse")  # a guesser must not learn it meanwhile
        assert guard.seconds_to_wait() == waits[-1]  # and asking does not make it longer
        clock.now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert max(waits) == LONGEST_WAIT
    assert guard.try_password("correct horse")
    assert not guard.try_password("guess") and guard.seconds_to_wait() == 0


def test_a_guesser_keeps_nobody_else_waiting(guard, clock):
    for _ in range(FREE_TRIES + 5):
        guard.try_password("guess", "203.0.113.7")
        clock.now += 1
    assert guard.seconds_to_wait("203.0.113.7") > 0 == guard.seconds_to_wait("198.51.100.1")
    assert not guard.try_password("correct horse", "203.0.113.7")
    assert guard.try_password("correct horse", "198.51.100.1")
    assert guard.seconds_to_wait("203.0.113.7") > 0  # which the right one elsewhere does not end


def test_a_browser_that_was_signed_in_waits_for_nobody_at_its_address(guard):
    known = guard.client("203.0.113.7", guard.browser())
    for _ in range(FREE_TRIES):
        guard.try_password("guess", guard.client("203.0.113.7"))
    assert guard.seconds_to_wait("203.0.113.7") > 0 == guard.seconds_to_wait(known)
    assert guard.try_password("correct horse", known)
    for _ in range(FREE_TRIES):  # nor is its cookie a way to guess for ever
        guard.try_password("guess", known)
    assert guard.seconds_to_wait(known) > 0


def test_forged_browsers_are_their_address(guard):
    other = Guard("correct horse")
    value = guard.browser()
    forged = ["", ".", value + "0", "0" + value, value.partition(".")[0], other.browser(), "é.é"]
    forged += [guard.cookie(), f"{value.partition('.')[0]}.{'0' * 64}"]
    assert {guard.client("203.0.113.7", one) for one in [None, *forged]} == {"203.0.113.7"}
    assert guard.client("203.0.113.7", value) == guard.client("198.51.100.1", value)
    assert not guard.is_signed_in(value)


def test_all_addresses_of_a_network_of_ipv6_are_one_client(guard):
    for number in range(FREE_TRIES):
        guard.try_password("guess", f"2001:db8:1:2::{number}")
    assert guard.seconds_to_wait("2001:db8:1:2:3:4:5:6") > 0
    assert guard.seconds_to_wait("2001:db8:1:3::1") == 0


def test_the_latest_of_many_clients_are_remembered(guard, monkeypatch):
    monkeypatch.setattr(sign_in, "_MOST_CLIENTS", 20)
    for number in range(100):
        for _ in range(FREE_TRIES):
            guard.try_password("guess", f"203.0.113.{number}")
    assert guard.seconds_to_wait("203.0.113.99") > 0 == guard.seconds_to_wait("203.0.113.0")
    assert len(guard._tries) == 20


def test_the_wait_is_told_by_a_clock_that_nobody_sets(monkeypatch):
    guard = Guard("correct horse")
    for _ in range(FREE_TRIES):
        guard.try_password("guess")
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert guard.seconds_to_wait() > 0


def test_a_cookie_lasts_its_time(guard, clock):
    cookie = guard.cookie()
    assert guard.is_signed_in(cookie)
    clock.now += LIFETIME - 1
    assert guard.is_signed_in(cookie)
    clock.now += 1
    assert not guard.is_signed_in(cookie)


def test_forged_cookies(guard, clock):
    expires, signature = guard.cookie().split(".")
    later = str(int(expires) + 1000)
    for forged in (
        None,
        "",
        ".",
        expires,
        f"{expires}.",
        f"{later}.{signature}",
        f"{expires}.{signature[:-1]}",
        f"{expires}.{signature.upper()}",
        f"{expires}.{signature}x",
        f"{expires}.ü",
        f"x.{signature}",
    ):
        assert not guard.is_signed_in(forged)


def test_a_restart_signs_everybody_out(guard, clock):
    assert not Guard("correct horse", clock).is_signed_in(guard.cookie())


def test_the_cookie_is_for_this_page_alone():
    plain = set_cookie("v", "/gradio_api/study", https=False)
    assert plain == (
        "turing_results=v; Path=/gradio_api/study; Max-Age=14400; HttpOnly; SameSite=Strict"
    )
    framed = set_cookie("v", "/gradio_api/study", https=True)
    assert framed.endswith("HttpOnly; SameSite=None; Secure; Partitioned")


def test_a_clock_that_goes_back_makes_no_wait_longer():
    now = [1_000_000.0]
    guard = Guard("secret", clock=lambda: now[0])
    for _ in range(50):
        guard.try_password("guess")
        now[0] += LONGEST_WAIT + 1
    guard.try_password("guess")
    assert 0 < guard.seconds_to_wait() <= LONGEST_WAIT
    now[0] -= 86400
    assert guard.seconds_to_wait() == 0 and guard.try_password("secret")
