"""Two runs of one app beside each other: nothing that either was told is lost."""

import shutil
import threading

import pytest
from typer.testing import CliRunner

from tests.turing.backup.test_snapshots import damage, fresh
from tests.turing.store.upkeep.test_merging import told
from tests.turing.support.answering import participant
from tests.turing.support.studies import build, rows
from turing.backup.overlap import send_first, take_over
from turing.backup.remote import RemoteError
from turing.backup.sender import Sender
from turing.backup.snapshots import restore_newest
from turing.cli import app
from turing.errors import TuringError
from turing.store.people import RefusedError
from turing.store.sessions import Sessions
from turing.store.store import Store
from turing.store.upkeep.forgetting import forget


class Runs:
    """The old run of an app, and the new one that began with a snapshot of it."""

    def __init__(self, old, remote, folder):
        self.remote = remote
        self.old, self.old_sender = old, Sender(remote, "a" * 8)
        self.old_sender.send(old)
        restore_newest(remote, folder, "tiny")
        self.new, self.new_sender = Store(folder / "tiny.sqlite"), Sender(remote, "b" * 8)

    def take_over(self, seen=None):
        return take_over(self.remote, self.new, seen, self.new_sender.run)


@pytest.fixture
def runs(store, remote, tmp_path):
    participant(store, 3, PROLIFIC_PID="before")
    runs = Runs(store, remote, fresh(tmp_path))
    yield runs
    runs.new.close()


def everyone(store):
    return {row["query"] for row in rows(store, "participants")}


def test_what_the_old_run_still_wrote_is_taken_over(runs):
    late = participant(runs.old, PROLIFIC_PID="late")
    participant(runs.new, 2, PROLIFIC_PID="new")
    runs.old_sender.send(runs.old)
    (taken,) = runs.take_over()
    assert (taken.participants, taken.choices, taken.notes) == (1, 8, ())
    assert "1 participant and 8 choices of another run" in str(taken)
    assert sorted(told(runs.new)) == sorted(
        told(runs.old) + [row for row in told(runs.new) if "new" in row[0]]
    )
    assert len(rows(runs.new, "participants")) == 3
    assert Sessions(runs.new).state(late).stage == "done"  # and whoever comes back is known
    assert runs.new.facts().state == "open"
    assert runs.take_over() == []


def test_a_participant_goes_on_where_both_runs_together_are(runs):
    token = participant(runs.old, 2, PROLIFIC_PID="x")
    with pytest.raises(RefusedError) as refused:
        Sessions(runs.new).state(token)
    assert refused.value.status == 401
    runs.old_sender.send(runs.old)
    runs.take_over()
    sessions = Sessions(runs.new)
    state = sessions.state(token)
    count = 2
    while state.trial:
        state, count = sessions.answer(token, state.trial.trial, 0, 1).state, count + 1
    assert count == 8 and sessions.finish(token, {}) is not None


def test_who_starts_anew_with_the_same_token_stays_where_they_are(runs):
    """The page keeps a token whose start was never acknowledged."""
    token = participant(runs.old, 2)
    sessions = Sessions(runs.new)
    sessions.start(token, {}, {"colour_vision": "no"}, None)
    runs.old_sender.send(runs.old)
    (taken,) = runs.take_over()
    assert (taken.participants, taken.choices) == (1, 2)
    assert len(rows(runs.new, "participants")) == 3
    assert sessions.state(token).position == 1


def test_one_trial_answered_in_both_is_told_and_ours_stands(runs):
    token = participant(runs.old, 2)
    runs.old_sender.send(runs.old)
    runs.take_over()
    trial = Sessions(runs.new).state(token).trial.trial
    Sessions(runs.new).answer(token, trial, 1, 1)
    Sessions(runs.old).answer(token, trial, 0, 1)
    participant(runs.old, 1)
    runs.old_sender.send(runs.old)
    (taken,) = runs.take_over()
    assert "1 trial was answered in both files, differently" in taken.notes[0]
    assert rows(runs.new, "choices")[-2]["choice"] == 1


def test_who_left_or_was_forgotten_in_the_old_run_has_left_and_is_forgotten(runs):
    other = participant(runs.old, 2)
    runs.old_sender.send(runs.old)
    runs.take_over()
    Sessions(runs.old).leave(other)
    forget(runs.old, 1)
    runs.old_sender.send(runs.old)
    assert len(runs.take_over()) == 1
    (left,) = rows(runs.new, "participants")
    assert left["withdrawn"] and len(rows(runs.new, "choices")) == 2


def test_two_runs_that_go_on_know_all_and_come_to_rest(runs):
    participant(runs.old, PROLIFIC_PID="o")
    participant(runs.new, PROLIFIC_PID="n")
    count, seen_old, seen_new = 0, {}, {}
    for _ in range(4):
        for store, sender, seen in (
            (runs.old, runs.old_sender, seen_old),
            (runs.new, runs.new_sender, seen_new),
        ):
            sender.send(store)
            count += len(take_over(runs.remote, store, seen, sender.run))
    assert count == 2  # each once: no talking to and fro
    assert sorted(told(runs.old)) == sorted(told(runs.new)) != []


def test_people_answer_meanwhile(runs):
    for _ in range(20):
        participant(runs.old)
    runs.old_sender.send(runs.old)
    over, came = threading.Event(), []

    def answer_on():
        while not over.is_set():
            came.append(participant(runs.new))

    thread = threading.Thread(target=answer_on)
    thread.start()
    try:
        (taken,) = runs.take_over()
    finally:
        over.set()
        thread.join()
    assert taken.choices == 160
    assert len(rows(runs.new, "participants")) == 21 + len(came)
    assert len(rows(runs.new, "choices")) == 163 + 8 * len(came)


def test_the_one_before_a_damaged_snapshot_is_taken(runs, caplog):
    participant(runs.old, 2)
    runs.old_sender.send(runs.old)
    participant(runs.old, 2)
    newest = runs.old_sender.send(runs.old)
    damage(runs.remote.stored()[-1])
    seen = {}
    (taken,) = runs.take_over(seen)
    assert taken.choices == 2 and "damaged" in caplog.text
    assert seen["a" * 8] == newest.taken  # and not looked at again


def test_a_place_that_fails_changes_nothing(runs):
    participant(runs.old)
    runs.old_sender.send(runs.old)
    runs.remote.fails = "no route"
    seen = {}
    with pytest.raises(RemoteError, match="no route"):
        runs.take_over(seen)
    assert len(rows(runs.new, "participants")) == 1
    runs.remote.fails = ""
    assert len(runs.take_over(seen)) == 1


def test_another_stores_snapshots_are_not_mixed_in(runs, tmp_path):
    with build(tmp_path / "other") as other:
        other.open_study()
        participant(other)
        Sender(runs.remote).send(other)
    assert runs.take_over() == []


def test_a_new_version_that_was_deployed_while_the_old_run_went_on_holds(store, remote, tmp_path):
    """The old run's last snapshot is newer than the deployed one, and begins the next run."""
    sender = Sender(remote, "a" * 8)
    sender.send(store)
    with restored(remote, tmp_path / "desk"):
        pass
    build(tmp_path / "desk", per_participant=4).close()
    with Store(tmp_path / "desk" / "tiny.sqlite") as desk:
        (desk.pictures / "preregistration-2.json").write_text("two")
        send_first(remote, desk)
    participant(store)
    sender.send(store)
    with restored(remote, fresh(tmp_path)) as new:
        assert new.facts().version == 1 and len(rows(new, "choices")) == 8
        (taken,) = take_over(remote, new)
        assert "1 other version(s) of the study" in taken.notes[0]
        assert new.facts().version == 2 and new.facts().state == "open"
        assert (new.pictures / "preregistration-2.json").read_text() == "two"
        participant(new)
        assert rows(new, "participants")[-1]["version"] == 2


def test_a_study_that_was_closed_last_is_closed(runs):
    runs.old.close_study()
    runs.old_sender.send(runs.old)
    assert len(runs.take_over()) == 1
    assert runs.new.facts().state == "closed"


def restored(remote, folder):
    return Store(restore_newest(remote, folder, "tiny").kept.path)


def test_fetch_joins_what_several_runs_wrote(runs, tmp_path):
    participant(runs.old, PROLIFIC_PID="late")
    runs.old_sender.send(runs.old)
    participant(runs.new, 2, PROLIFIC_PID="new")
    runs.new_sender.send(runs.new)
    bucket, here = str(runs.remote._folder), tmp_path / "here"
    command = ["fetch", "tiny", "--from", bucket, "--store", str(here)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "2 participants, 5 choices" in said
    assert "Joined: 1 participant and 8 choices of another run" in said
    with Store(here / "tiny.sqlite") as fetched:
        assert len(rows(fetched, "choices")) == 13
        assert everyone(fetched) == everyone(runs.old) | everyone(runs.new)
        send_first(runs.remote, fetched)  # nothing is there that it has not
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0 and "Joined" not in again.output


# Before a study is sent


def test_a_built_study_is_sent_and_sent_again(store, remote, tmp_path):
    send_first(remote, store)
    participant(store, trials=2)
    send_first(remote, store)
    assert restore_newest(remote, fresh(tmp_path), "tiny").kept.rows["choices"] == 2


def test_answers_that_are_there_alone_are_not_covered(store, remote, tmp_path):
    shutil.copytree(store.path.parent, fresh(tmp_path))
    participant(store, trials=2)
    Sender(remote).send(store)
    with (
        Store(fresh(tmp_path) / "tiny.sqlite") as behind,
        pytest.raises(TuringError, match=r"holds answers that .* has not; first run"),
    ):
        send_first(remote, behind)


def test_answers_of_a_run_before_the_newest_are_not_covered_either(runs):
    participant(runs.old)
    runs.old_sender.send(runs.old)
    runs.new_sender.send(runs.new)
    with pytest.raises(TuringError, match=r"holds answers that .* has not; first run"):
        send_first(runs.remote, runs.new)


def test_a_damaged_snapshot_is_no_obstacle(store, remote):
    participant(store, trials=2)
    Sender(remote).send(store)
    damage(remote.stored()[-1])
    send_first(remote, store)
    assert len(remote.stored()) == 2


def test_another_store_of_the_same_name_is_not_mixed_in(store, remote, tmp_path):
    send_first(remote, store)
    with (
        build(fresh(tmp_path)) as other,
        pytest.raises(TuringError, match="holds another store of tiny"),
    ):
        send_first(remote, other)
