import threading
import time
from itertools import pairwise

import pytest

from tests.turing.backup.test_snapshots import counts, damage
from tests.turing.support.answering import participant
from tests.turing.support.keepers import SOON, Hand, other
from tests.turing.support.studies import BEFORE, built, rows
from turing.backup.keeper import Keeper
from turing.backup.remote import RemoteError
from turing.backup.sender import Sender
from turing.backup.snapshots import snapshots
from turing.store.sessions import Sessions
from turing.store.upkeep.forgetting import forget


@pytest.fixture
def running(remote, store):
    keeper = Keeper(remote, store.path.parent, ["tiny"], poll=0.01)
    keeper.start()
    yield keeper
    remote.fails = ""
    if remote.slow:
        remote.slow.set()
    keeper.close(SOON)
    assert not keeper._thread.is_alive()


def until(condition):
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def clock(seconds):
    return time.strftime("%H:%M:%S UTC", time.gmtime(seconds))


def test_a_snapshot_at_the_start_then_every_few_minutes_while_people_answer(hand, store):
    assert hand.after(0) == 1
    assert hand.after(10_000) == 1  # nothing has changed
    participant(store, trials=1)
    assert hand.after(10) == 2  # the last one was long ago
    participant(store, trials=1)
    assert hand.after(290) == 2
    assert hand.after(20) == 3


def test_a_snapshot_follows_every_finish(hand, store, remote):
    remote.pause = 30.0
    assert hand.after(0) == 1
    participant(store)
    assert hand.after(29) == 1
    assert hand.after(2) == 2
    assert counts(remote.stored()[-1]) == len(rows(store, "choices")) == 8
    for _ in range(5):  # many who finish make no more than one a pause
        participant(store)
        hand.after(2)
    assert len(remote.stored()) == 2
    assert hand.after(30) == 3


def test_a_snapshot_follows_when_somebody_is_forgotten(hand, store, remote):
    participant(store, trials=3)
    hand.after(0)
    forget(store, 1)
    assert hand.after(2) == 2
    assert counts(remote.stored()[-1]) == 0


def test_a_study_that_rests_is_sent_once_a_day_so_that_old_ones_can_go(hand, store, remote):
    participant(store, trials=3)
    hand.after(0)
    (first,) = remote.stored()
    forget(store, 1)
    hand.after(2)
    for day in range(1, 33):
        for _ in range(4):
            hand.after(6 * 3600 + 10)
        today = time.strftime("%Y-%m-%d", time.gmtime(hand.clock.now))
        assert hand.sentence.startswith(f"Answers after {today} ")
        ages = [hand.clock.now - one.taken.timestamp() for one in snapshots(remote, "tiny")]
        assert max(ages) <= 30 * 86400 and len(ages) > min(day, 28)
    assert not first.exists()
    assert {counts(path) for path in remote.stored()} == {0}


def test_the_loss_bound_is_the_moment_of_the_last_snapshot(hand, store):
    assert "All answers would be lost" in hand.keeper.sentence("tiny")
    hand.after(0)
    taken = hand.clock.now
    assert hand.keeper.sentence("tiny").startswith(f"Answers after {clock(taken)} would be lost")
    participant(store, trials=1)
    hand.after(100)
    assert f"Answers after {clock(taken)} would be lost" in hand.keeper.sentence("tiny")
    hand.after(250)
    assert f"Answers after {clock(hand.clock.now)} would" in hand.keeper.sentence("tiny")
    hand.after(50)  # nobody has answered since: nothing of that time can be lost
    assert f"Answers after {clock(hand.clock.now)} would" in hand.keeper.sentence("tiny")


def test_a_date_stands_with_a_bound_of_another_day(hand):
    hand.clock.now -= 3 * 86400
    hand.after(0)
    day = time.strftime("%Y-%m-%d", time.gmtime(hand.clock.now))
    assert f"Answers after {day} " in hand.keeper.sentence("tiny")


def test_a_place_that_fails_is_told_and_tried_less_and_less_often(hand, store, remote, caplog):
    hand.after(0)
    bound = clock(hand.clock.now)
    participant(store, trials=1)
    remote.fails = "503 from the bucket"
    hand.after(301)
    tries = remote.calls
    waits = []
    for _ in range(5000):
        hand.after(1)
        if remote.calls > tries:
            waits.append(hand.clock.now)
            tries = remote.calls
    gaps = [round(b - a) for a, b in pairwise(waits)]
    assert gaps[:6] == [20, 40, 80, 160, 320, 600] and set(gaps[6:]) <= {600}
    sentence = hand.keeper.sentence("tiny")
    assert f"Answers after {bound} would be lost" in sentence
    assert "tries have failed (503 from the bucket); the next one is at " in sentence
    assert "no snapshot could be sent: 503 from the bucket" in caplog.text
    remote.fails = ""
    assert hand.after(601) == 2
    assert "failed" not in hand.keeper.sentence("tiny")


def test_no_secret_is_told(hand, remote, caplog, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "topsecret")
    remote.fails = "401 for Bearer topsecret with hf_abcDEF123 in it\nand more"
    hand.after(0)
    for told in (hand.keeper.sentence("tiny"), caplog.text):
        assert "401 for ***" in told
        assert not any(word in told for word in ("topsecret", "hf_abc", "and more"))


def test_a_store_that_cannot_be_read_is_told(hand, store):
    hand.after(0)
    participant(store, trials=1)
    store.path.rename(store.path.with_suffix(".gone"))
    hand.after(301)
    assert "failed" in hand.keeper.sentence("tiny")
    store.path.with_suffix(".gone").rename(store.path)


def test_answers_never_wait_for_a_place_that_hangs(running, store, remote):
    until(lambda: running._kept["tiny"].safe_until)
    sent = running._kept["tiny"].safe_until
    until(lambda: running._kept["tiny"].safe_until > sent)  # a later look: nothing is under way
    remote.slow = threading.Event()
    participant(store)
    until(lambda: "A snapshot is being sent since" in running.sentence("tiny"))
    sessions = Sessions(store)
    for _ in range(5):
        token, state = sessions.start(None, {}, BEFORE, None)
        while state.trial:
            state = sessions.answer(token, state.trial.trial, 0, 500).state
    assert len(remote.stored()) == 1  # all answers are in, and the place still hangs
    remote.slow.set()
    until(lambda: len(remote.stored()) >= 2)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("send", "A snapshot is being sent since"),
        ("prune", "Snapshots are being looked through since"),
        ("take_over", "Other runs of the app are being looked for since"),
    ],
)
def test_a_place_that_hangs_is_told_whatever_it_was_asked(
    running, store, remote, monkeypatch, call, told
):
    go_on = threading.Event()

    def hang(*_):
        go_on.wait(SOON)
        raise RemoteError("gone")

    until(lambda: running._kept["tiny"].looked and running._work is None)
    bound = running._kept["tiny"].safe_until
    kept = running._kept["tiny"]
    if call == "take_over":
        monkeypatch.setattr("turing.backup.keeper.take_over", hang)
        kept.looked = 0.0
    else:
        monkeypatch.setattr(kept.sender, call, hang)
        kept.tidied = 0.0
    participant(store)
    try:
        until(lambda: told in running.sentence("tiny"))
        since = running.sentence("tiny")
        assert since.startswith("Answers after ") and "would be lost with this machine" in since
        assert kept.safe_until >= bound
        later = kept.safe_until
        participant(store, trials=1)
        time.sleep(0.1)
        assert kept.safe_until == later  # what came since is not said to be safe
    finally:
        go_on.set()


def test_what_a_place_does_for_another_study_is_told(remote, store):
    keeper = Keeper(remote, store.path.parent, ["first", "tiny"])
    with keeper._at("A snapshot is being sent", keeper._kept["first"]):
        assert "sent of the study first since" in keeper.sentence("tiny")
        assert "of the study" not in keeper.sentence("first")


def test_a_newest_snapshot_that_came_damaged_is_told_and_sent_again(hand, store, remote, caplog):
    hand.after(0)
    first = clock(hand.clock.now)
    participant(store)
    change = remote.change

    def broken(add, remove=()):
        change(add, remove)
        damage(remote.stored()[-1])

    remote.change = broken
    hand.after(601)
    assert "the newest snapshot came back damaged" in caplog.text
    assert hand.sentence.startswith(f"Answers after {first} would be lost")
    assert "came back damaged" in hand.sentence
    remote.change = change
    assert hand.after(11) == 3
    assert hand.sentence.startswith(f"Answers after {clock(hand.clock.now)} would")
    assert "damaged" not in hand.sentence


def test_a_place_that_damages_everything_is_not_filled(hand, store, remote):
    change = remote.change

    def broken(add, remove=()):
        change(add, remove)
        damage(remote.stored()[-1])

    remote.change = broken
    for _ in range(3600):
        hand.after(1)
    assert 7 <= len(remote.stored()) <= 14
    assert hand.sentence.startswith("All answers would be lost")


def test_what_another_run_wrote_is_taken_over_told_and_sent(hand, store, remote, tmp_path):
    hand.after(0)
    keeper = other(remote, tmp_path)
    keeper.restore("tiny")
    participant(store)
    Sender(remote).send(store)
    new = Hand(remote, store)
    new.keeper = keeper
    new.kept = keeper._kept["tiny"]
    keeper.clock = new.clock
    new.after(61)
    assert "1 participant and 8 choices of it were taken over" in new.sentence
    new.after(1)
    assert counts(remote.stored()[-1]) == 8
    stored = len(remote.stored())
    new.after(61)
    assert len(remote.stored()) == stored
    assert len(keeper.taken_over("tiny")) == 1
    new.kept.store.close()


def test_other_runs_are_looked_for_often_at_first(hand, store, monkeypatch):
    looked = []
    monkeypatch.setattr(
        "turing.backup.keeper.take_over", lambda *_: looked.append(hand.clock.now) or []
    )
    for _ in range(3600):
        hand.after(1)
    gaps = [b - a for a, b in pairwise(looked)]
    assert set(gaps[:44]) == {20} and set(gaps[46:]) == {600}


def test_other_runs_that_cannot_be_read_are_no_reason_to_stop(hand, store, monkeypatch, caplog):
    def fail(*_):
        raise RemoteError("not now")

    monkeypatch.setattr("turing.backup.keeper.take_over", fail)
    hand.after(0)
    participant(store, trials=1)
    assert hand.after(301) == 2
    assert "other runs' answers stay there: not now" in caplog.text


def test_the_app_ends_though_the_place_hangs(store, remote, caplog):
    keeper = Keeper(remote, store.path.parent, ["tiny"], poll=0.01)
    remote.slow = threading.Event()
    keeper.start()
    until(lambda: "being sent" in keeper.sentence("tiny"))
    keeper.close(0.1)
    assert "the app ends while a snapshot is being sent" in caplog.text
    assert "All answers would be lost" in caplog.text
    remote.slow.set()
    keeper._thread.join(SOON)


def test_the_last_answers_are_sent_at_the_end(store, remote):
    keeper = Keeper(remote, store.path.parent, ["tiny"], poll=0.01)
    keeper.start()
    until(lambda: len(remote.stored()) == 1)
    participant(store, trials=3)
    keeper.close(SOON)
    assert counts(remote.stored()[-1]) == 3


def test_a_place_that_was_down_for_weeks_is_tried_again(hand, remote):
    remote.fails = "down"
    hand.after(0)
    hand.kept.failures = 1025  # 2.0 ** 1024 is no float
    assert "1025 tries have failed" in hand.sentence
    assert hand.after(599) == 0
    remote.fails = ""
    assert hand.after(1) == 1


def test_the_end_is_one_more_try_of_a_place_that_failed(hand, store, remote):
    remote.fails = "down"
    hand.after(0)
    remote.fails = ""
    hand.keeper._stop.set()
    hand.keeper._run()
    assert len(remote.stored()) == 1


def test_a_study_that_is_built_later_is_found(remote, tmp_path):
    keeper = Keeper(remote, tmp_path / "studies", ["tiny"], poll=0.01)
    keeper.start()
    time.sleep(0.1)
    built(tmp_path / "studies").close()
    until(lambda: len(remote.stored()) == 1)
    keeper.close(SOON)


def test_old_snapshots_are_looked_at_now_and_then(hand, store, remote, monkeypatch):
    looked = []
    monkeypatch.setattr(hand.kept.sender, "prune", lambda *given: looked.append(given))
    for _ in range(30):
        participant(store, trials=1)
        hand.after(301)
    assert 10 <= len(looked) <= 16
    assert {newest.run for newest, *_ in looked} == {hand.kept.sender.run}


def test_a_failing_prune_is_told_and_snapshots_go_on(hand, store, monkeypatch, caplog):
    def fail(*_):
        raise RemoteError("not now")

    monkeypatch.setattr(hand.kept.sender, "prune", fail)
    hand.after(0)
    participant(store, trials=1)
    assert hand.after(301) == 2
    assert "old snapshots stay: not now" in caplog.text
