"""The thread that sends snapshots goes on whatever fails, at any of its steps, however often."""

import re

import pytest

from tests.turing.backup.test_snapshots import counts
from tests.turing.support.answering import participant
from tests.turing.support.keepers import SOON, Hand
from turing.backup import keeper as module
from turing.backup.keeper import Keeper, _Kept
from turing.backup.sender import Sender
from turing.store.store import Store

STEPS = [
    (Sender, "send"),
    (Sender, "prune"),
    (Keeper, "_version_and_people"),
    (Keeper, "_send"),
    (Keeper, "_tidy"),
    (Keeper, "_look_for_others"),
    (Keeper, "_at"),
    (_Kept, "wait"),
    (Store, "reading"),
    (module, "take_over"),
    (module, "plain"),
    (module, "facts"),
]


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("not even its words")


@pytest.mark.parametrize("error", [ValueError("x"), MemoryError(), UnspeakableError()])
@pytest.mark.parametrize(("place", "name"), STEPS, ids=[name for _, name in STEPS])
def test_one_failure_of_any_step_is_survived(remote, store, monkeypatch, place, name, error):
    working, failed = getattr(place, name), []

    def failing(*given, **options):
        if not failed:
            failed.append(name)
            raise error
        return working(*given, **options)

    if name in ("wait", "plain"):  # which are asked only after another failure
        remote.fails = "503"
    with monkeypatch.context() as patch:
        patch.setattr(place, name, failing)
        for times in ("_TIDY_EVERY", "_LOOK_SOON", "_FIRST_WAIT", "_LONGEST_WAIT"):
            patch.setattr(module, times, 0.01)
        keeper = Keeper(remote, store.path.parent, ["tiny"], every=0.01, poll=0.01)
        keeper.start()
        for _ in range(int(SOON * 50)):
            if failed:
                break
            participant(store, trials=1)
            keeper._thread.join(0.02)
        assert failed and keeper._thread.is_alive()
        remote.fails = ""
    participant(store, trials=1)
    keeper.close(SOON)
    assert not keeper._thread.is_alive()
    with store.reading() as db:
        (choices,) = db.execute("SELECT count(*) FROM choices").fetchone()
    assert counts(remote.stored()[-1]) == choices


@pytest.mark.parametrize("failures", [1, 1023, 1025, 10**6, 10**400])
def test_no_number_of_failures_ends_it(remote, store, failures):
    """1,025 are a week of a place that is down."""
    hand = Hand(remote, store)
    hand.kept.failures, hand.kept.reason = failures, "503"
    hand.kept.tried = hand.clock.now
    assert "the next one is at" in hand.sentence
    assert 10 <= hand.kept.wait() <= 600
    assert hand.after(601) == 1
    assert "failed" not in hand.sentence


def test_a_clock_that_goes_back_holds_up_no_snapshot(remote, store):
    hand = Hand(remote, store)
    assert hand.after(0) == 1
    participant(store, trials=1)
    assert hand.after(-7200) == 2
    participant(store, trials=1)
    remote.fails = "503"
    hand.after(301)
    remote.fails = ""
    assert hand.after(-86400) == 3


def test_the_results_page_says_when_it_last_worked(remote, store):
    keeper = Keeper(remote, store.path.parent, ["tiny"], poll=0.01)
    assert "last worked" not in keeper.sentence("tiny")  # nothing runs
    keeper.start()
    try:
        for _ in range(int(SOON * 50)):
            if keeper._kept["tiny"].worked:
                break
            keeper._thread.join(0.02)
        said = keeper.sentence("tiny")
        assert re.search(r"What keeps them last worked at \d\d:\d\d:\d\d UTC\.", said)
    finally:
        keeper.close(SOON)
