import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.turing.backup.test_snapshots import counts, damage
from tests.turing.support.answering import participant
from tests.turing.support.studies import build, rows
from turing.backup.sender import DamagedError, Sender
from turing.store.upkeep.forgetting import forget


def test_a_snapshot_is_one_whole_file_of_this_moment(store, remote):
    participant(store, trials=3)
    snapshot = Sender(remote).send(store)
    participant(store, trials=3)
    (path,) = remote.stored()
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(snapshot.sha256)
    assert snapshot.uid == store.facts().uid[:12]
    assert counts(path) == 3
    assert not list(path.parent.glob("*-wal"))
    assert not list(store.path.parent.glob(".snapshot-*"))


def test_pictures_are_sent_once_and_before_what_needs_them(store, remote):
    sent = []
    change = remote.change
    remote.change = lambda add, remove=(): (sent.append(list(add)), change(add, remove))
    sender = Sender(remote)
    sender.send(store)
    sender.send(store)
    Sender(remote).send(store)  # of another run
    first, second, third = sent
    assert len(first) == 1 + len(rows(store, "stimuli"))
    assert first[-1].endswith(".sqlite")
    assert [len(second), len(third)] == [1, 1]
    assert len(remote.pictures()) == len(rows(store, "stimuli"))


def old_ones(remote, store, run, ages):
    """Snapshots that were taken hours ago, as far as their names say."""
    made = []
    for hours in ages:
        sender = Sender(remote, run)
        snapshot = sender.send(store)
        taken = snapshot.taken - timedelta(hours=hours)
        name = snapshot.name.replace(
            f"{snapshot.taken:%Y%m%dT%H%M%S%fZ}", f"{taken:%Y%m%dT%H%M%S%fZ}"
        )
        folder = remote._folder
        (folder / snapshot.name).rename(folder / name)
        made.append(snapshot._replace(name=name, taken=taken))
    return made


OLD = [24 * 40 + n for n in range(6)]  # hours


def now():
    return datetime.now(UTC)


def names(remote):
    return {f"tiny/snapshots/{path.name}" for path in remote.stored()}


def test_old_snapshots_go_as_soon_as_two_new_ones_are_whole(store, remote):
    old = old_ones(remote, store, "a" * 8, OLD)
    sender = Sender(remote, "a" * 8)
    first = sender.send(store)
    assert set(sender.prune(first, {}, now())) == {one.name for one in old[1:]}
    second = sender.send(store)  # now nothing has to be kept of what is too old
    assert sender.prune(second, {}, now()) == [old[0].name]
    assert names(remote) == {first.name, second.name}


def test_whoever_is_forgotten_is_gone_after_a_month(store, remote):
    """Over days with a snapshot each, until no snapshot of before is there; two always are."""
    participant(store, trials=2)
    sender = Sender(remote, "a" * 8)
    before = old_ones(remote, store, "a" * 8, range(0, 24 * 40, 24))
    forget(store, 1)
    newest = sender.send(store)
    for day in range(1, 32):
        later = now() + timedelta(days=day)
        sender.prune(newest, {}, later)
        there = names(remote)
        assert len(there) >= 2 and newest.name in there
        assert (
            all(later - one.taken <= timedelta(days=30) for one in before if one.name in there)
            or len(there) == 2
        )
    assert len(there) == 2
    newest = sender.send(store)
    sender.prune(newest, {}, now() + timedelta(days=30))
    assert not names(remote) & {one.name for one in before}
    assert {counts(path) for path in remote.stored()} == {0}


def test_nothing_is_pruned_while_the_newest_is_damaged(store, remote):
    old_ones(remote, store, "a" * 8, OLD)
    sender = Sender(remote, "a" * 8)
    newest = sender.send(store)
    damage(remote.stored()[-1])
    with pytest.raises(DamagedError, match="came back damaged"):
        sender.prune(newest, {}, now())
    assert len(remote.stored()) == 7


def test_a_damaged_one_is_nothing_to_fall_back_on(store, remote):
    old = old_ones(remote, store, "a" * 8, OLD)
    sender = Sender(remote, "a" * 8)
    sender.send(store)
    damage(remote.stored()[-1])
    newest = sender.send(store)
    sender.prune(newest, {}, now())
    assert old[0].name in names(remote) and old[1].name not in names(remote)


def test_the_only_whole_one_takes_nothing_with_it(store, remote):
    old_ones(remote, store, "a" * 8, OLD)
    for path in remote.stored():
        damage(path)
    sender = Sender(remote, "a" * 8)
    assert sender.prune(sender.send(store), {}, now()) == []
    assert len(remote.stored()) == 7


def test_what_another_run_wrote_and_nobody_saw_stays_for_a_month(store, remote):
    """It may hold answers of the minute in which the two overlapped."""
    other = old_ones(remote, store, "b" * 8, [24 * 28, 24 * 28 + 1, 24 * 28 + 2])
    sender = Sender(remote, "a" * 8)
    for _ in range(5):
        newest = sender.send(store)
    assert sender.prune(newest, {}, now()) == []
    assert sender.prune(newest, {"b" * 8: other[1].taken}, now()) == [other[2].name]
    assert set(sender.prune(newest, {}, now() + timedelta(days=2))) == {
        one.name for one in other[:2]
    }


def test_another_stores_snapshots_are_left_alone(store, remote, tmp_path):
    with build(tmp_path / "other") as other:
        old_ones(remote, other, "a" * 8, OLD)
    sender = Sender(remote, "a" * 8)
    assert sender.prune(sender.send(store), {}, now()) == []
