"""What a keeper restores at the start of an app."""

import logging
import threading

import pytest

from tests.turing.backup.test_snapshots import damage
from tests.turing.support.answering import participant
from tests.turing.support.keepers import SOON, other
from tests.turing.support.studies import rows
from turing.backup.remote import RemoteError
from turing.store.store import Store


def test_a_study_without_a_store_is_restored(hand, store, remote, tmp_path):
    participant(store)
    hand.after(0)
    keeper = other(remote, tmp_path)
    restored = keeper.restore("tiny")
    with Store(tmp_path / "fresh" / "tiny.sqlite") as again:
        assert rows(again, "choices") == rows(store, "choices")
    assert keeper._kept["tiny"].runs == {restored.snapshot.run: restored.snapshot.taken}


def test_the_one_before_a_damaged_snapshot_is_restored(hand, store, remote, tmp_path, caplog):
    participant(store, trials=2)
    hand.after(0)
    participant(store, trials=2)
    hand.after(301)
    damage(remote.stored()[-1])
    restored = other(remote, tmp_path).restore("tiny")
    assert restored.kept.rows["choices"] == 2
    assert remote.stored()[-1].name in restored.damaged[0]
    assert "damaged" in caplog.text


def test_what_several_runs_wrote_is_restored_together(hand, store, remote, tmp_path):
    hand.after(0)
    first = other(remote, tmp_path / "a")
    first.restore("tiny")
    participant(store)
    hand.after(301)
    with Store(tmp_path / "a" / "fresh" / "tiny.sqlite") as there:
        participant(there, trials=2)
        first._kept["tiny"].sender.send(there)
    keeper = other(remote, tmp_path / "b")
    assert keeper.restore("tiny").kept.rows["choices"] == 8
    (taken,) = keeper.taken_over("tiny")
    assert (taken.participants, taken.choices) == (1, 2)
    with Store(tmp_path / "b" / "fresh" / "tiny.sqlite") as again:
        assert len(rows(again, "choices")) == 10


def test_a_store_that_is_here_stays(hand, store, tmp_path):
    hand.after(0)
    assert hand.keeper.restore("tiny") is None


def test_a_place_that_fails_for_a_moment_is_waited_for(hand, remote, tmp_path, caplog):
    hand.after(0)
    remote.fails = "starting"
    threading.Timer(0.5, setattr, (remote, "fails", "")).start()
    assert other(remote, tmp_path).restore("tiny", patience=SOON) is not None
    assert "starting; trying again" in caplog.text


def test_a_place_that_goes_on_failing_is_an_error(remote, tmp_path, caplog):
    caplog.set_level(logging.CRITICAL)
    remote.fails = "no such bucket"
    with pytest.raises(RemoteError, match="no such bucket"):
        other(remote, tmp_path).restore("tiny", patience=0.1)
