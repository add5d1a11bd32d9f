"""What goes wrong while people answer: servers that die, locks, full disks, everybody at once.

Whatever happens: what the server said is saved is there, once.
"""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.turing.support.kills import kill_while_people_answer
from tests.turing.support.servers import Browser, Server
from tests.turing.support.studies import BEFORE, built, rows
from turing.store import database
from turing.store.store import Store
from turing.web.guards import RateLimit
from turing.web.routes import study_routes
from turing.web.serving import Studies

AT_ONCE = 20


@pytest.fixture
def store(tmp_path):
    with built(tmp_path / "studies", photos=12, per_participant=20, break_every=0) as store:
        store.open_study()
        yield store


@pytest.fixture
def server(nursery, store, tmp_path):
    with Server(nursery, store.path.parent, tmp_path / "page") as server:
        yield server


def check(store, *browsers):
    """Everything that was acknowledged is there once, and the file is whole."""
    saved = {trial: choice for browser in browsers for trial, choice in browser.saved.items()}
    with Store(store.path) as fresh, fresh.reading() as db:
        written = db.execute(
            "SELECT t.picture, c.choice FROM choices c JOIN trials t ON t.id = c.trial"
        ).fetchall()
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        trials = db.execute("SELECT count(*) FROM trials GROUP BY participant").fetchall()
    assert len(written) == len(dict(written))
    assert saved.items() <= dict(written).items()
    assert {count for (count,) in trials} == {22}
    return dict(written)


@pytest.mark.parametrize(
    "rounds", [pytest.param(5, id="5"), pytest.param(50, id="50", marks=pytest.mark.slow)]
)
def test_kill_9_while_people_answer(nursery, store, tmp_path, rounds):
    store.close()  # while it is open here, nothing has to be recovered
    browsers: list[Browser] = []

    def visit(mind):
        browser = Browser(server.port)
        browsers.append(browser)
        state = browser.start()
        while "trial" in state:
            state = browser.answer(state, mind.randrange(2))
        end = browser.call("POST", "finish", {"answers": {}})
        assert end["code"] == "C0L0R"
        browser.close()

    def said():
        return sum(len(browser.saved) for browser in browsers)

    with Server(nursery, store.path.parent, tmp_path / "page") as server:
        kill_while_people_answer(
            server, visit, said, rounds, more=10, look=lambda: check(store, *browsers)
        )
    written = check(store, *browsers)
    assert len(written) == sum(len(browser.saved) for browser in browsers) > 10 * rounds
    finished = [row for row in rows(store, "participants") if row["finished"]]
    assert len(finished) == len(browsers)


def at_once(calls):
    """The results of calls that begin together."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def same_person(browser, many):
    """Connections of one participant."""
    others = [Browser(browser.port) for _ in range(many)]
    for other in others:
        other.token = browser.token
    return others


def close(browsers):
    for browser in browsers:
        browser.close()


def test_the_same_answer_20_times_at_once(store, server):
    browser = Browser(server.port)
    trial = browser.start()["trial"]["trial"]
    tabs = same_person(browser, AT_ONCE)
    body = {"trial": trial, "choice": 1, "rt_ms": 500}
    replies = at_once([lambda tab=tab: tab.once("POST", "answer", body) for tab in tabs])
    close([browser, *tabs])
    assert {status for status, _ in replies} == {200}
    assert len({json.dumps(json.loads(reply)) for _, reply in replies}) == 1
    assert check(store) == {trial: 1}
    assert Counter(row["what"] for row in rows(store, "events"))["retried"] == AT_ONCE - 1


def test_conflicting_answers_at_once(store, server):
    browser = Browser(server.port)
    trial = browser.start()["trial"]["trial"]
    tabs = same_person(browser, AT_ONCE)
    replies = at_once(
        [
            lambda tab=tab, choice=n % 2: (
                choice,
                tab.once("POST", "answer", {"trial": trial, "choice": choice, "rt_ms": 500})[0],
            )
            for n, tab in enumerate(tabs)
        ]
    )
    close([browser, *tabs])
    (stands,) = check(store).values()
    assert Counter(replies) == {(stands, 200): AT_ONCE // 2, (1 - stands, 409): AT_ONCE // 2}
    assert Counter(row["what"] for row in rows(store, "events"))["refused"] == AT_ONCE // 2


def test_one_token_starts_once(store, server):
    browser = Browser(server.port)
    tabs = same_person(browser, AT_ONCE)
    states = at_once([tab.start for tab in tabs])
    close([browser, *tabs])
    assert all(state == states[0] for state in states)
    assert len(rows(store, "participants")) == 1


def test_one_id_starts_once(store, server):
    tabs = [Browser(server.port) for _ in range(10)]
    body = {"consent": True, "answers": BEFORE, "query": {"PROLIFIC_PID": "p1"}}
    replies = at_once([lambda tab=tab: tab.once("POST", "start", body)[0] for tab in tabs])
    close(tabs)
    assert sorted(replies) == [201, *[409] * 9]
    assert len(rows(store, "participants")) == 1


def test_people_who_start_at_once_have_numbers_one_after_the_other(store, server):
    tabs = [Browser(server.port) for _ in range(AT_ONCE)]
    at_once([tab.start for tab in tabs])
    close(tabs)
    assert [row["number"] for row in rows(store, "participants")] == list(range(1, AT_ONCE + 1))


# Locks and full disks


class Lock:
    """Another process that holds the write lock."""

    CODE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
"""

    def __init__(self, store) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.CODE, str(store.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._process.stdout.readline()

    def release(self) -> None:
        self._process.communicate("\n")

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.release()


def timed(call):
    started = time.monotonic()
    return call(), time.monotonic() - started


def test_an_answer_waits_for_another_programs_lock_and_nobody_else_does(store, server):
    browser, other = Browser(server.port), Browser(server.port)
    state, _ = browser.start(), other.start()
    with Lock(store) as lock, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(browser.answer, state, 1)
        time.sleep(0.3)
        for path in ("info", "state", state["trial"]["picture"]):
            assert other.once("GET", path)[0] == 200  # who waits for the lock gets a 503
        assert not waiting.done() and check(store) == {}
        lock.release()
        waiting.result(timeout=30)
    close([browser, other])
    assert check(store, browser) == {state["trial"]["trial"]: 1}


@pytest.mark.slow
def test_a_lock_of_10_seconds_means_waiting_or_503(store, server):
    browsers = [Browser(server.port) for _ in range(8)]
    states = [browser.start() for browser in browsers]
    body = {"choice": 1, "rt_ms": 500}
    with Lock(store) as lock, ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(b.once, "POST", "answer", {**body, "trial": s["trial"]["trial"]})
            for b, s in zip(browsers, states, strict=True)
        ]
        time.sleep(10)
        lock.release()
        statuses = [call.result(timeout=30)[0] for call in calls]
    assert set(statuses) <= {200, 503}
    said = {s["trial"]["trial"] for s, code in zip(states, statuses, strict=True) if code == 200}
    assert said == set(check(store))
    for browser, state in zip(browsers, states, strict=True):
        browser.answer(state, 1)
    close(browsers)
    assert len(check(store, *browsers)) == 8


@pytest.fixture
def client(store, tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "page.html").write_text("")
    with Studies(store.path.parent) as studies:
        routes = study_routes(studies, tmp_path / "page", RateLimit(10**6))
        app = Starlette(routes=routes)
        with TestClient(app, base_url="http://localhost/gradio_api/study/tiny/") as client:
            yield client


def begin(client):
    """A participant's headers and state."""
    reply = client.post("start", json={"consent": True, "answers": BEFORE}).json()
    return {"Authorization": f"Bearer {reply['token']}"}, reply["state"]


def send(client, headers, state, choice=1):
    body = {"trial": state["trial"]["trial"], "choice": choice, "rt_ms": 500}
    return client.post("answer", json=body, headers=headers)


def test_a_lock_for_too_long_is_a_clear_503(store, client, monkeypatch):
    headers, state = begin(client)
    with monkeypatch.context() as hurried, Lock(store):
        hurried.setattr(database, "BUSY_SECONDS", 0.5)
        for call in ("answer", "finish", "leave", "start"):
            body = {
                "answer": {"trial": state["trial"]["trial"], "choice": 1, "rt_ms": 5},
                "start": {"consent": True, "answers": BEFORE},
            }
            response = client.post(call, json=body.get(call, {}), headers=headers)
            assert response.status_code == 503
            assert response.json()["code"] == "busy" and "saved" not in response.json()
            assert int(response.headers["retry-after"]) >= 1
    assert check(store) == {}
    assert send(client, headers, state).json()["saved"] is True


def test_calls_that_waited_too_long_in_the_queue_are_given_up(store, client, monkeypatch):
    """Ten answers behind a lock take the time of one, not of ten."""
    people = [begin(client) for _ in range(10)]
    with monkeypatch.context() as hurried, Lock(store):
        hurried.setattr(database, "BUSY_SECONDS", 2.0)
        replies, seconds = timed(
            lambda: at_once([lambda each=each: send(client, *each) for each in people])
        )
    assert {reply.status_code for reply in replies} == {503}
    assert seconds < 2.0 * 5
    assert [send(client, *each).status_code for each in people] == [200] * 10


def test_a_full_disk_is_a_visible_error_and_goes_on_when_there_is_room(store, client, monkeypatch):
    connections = []
    connect = database.connect
    monkeypatch.setattr(
        database, "connect", lambda path: connections.append(connect(path)) or connections[-1]
    )

    def limit(pages):
        for connection in served:
            connection.execute(f"PRAGMA max_page_count={pages}")

    people = [begin(client) for _ in range(20)]
    send(client, *people[0])
    served = list(connections)
    limit(served[0].execute("PRAGMA page_count").fetchone()[0])
    saved = {people[0][1]["trial"]["trial"]: 1}
    failed = None
    for headers, state in people[1:]:
        while "trial" in state and not failed:
            response = send(client, headers, state)
            if response.status_code == 200:
                saved[state["trial"]["trial"]] = 1
                state = response.json()["state"]
            else:
                failed = headers, state
    assert failed and response.status_code == 503
    assert response.json()["code"] == "busy" and response.headers["retry-after"]
    for _ in range(3):
        assert send(client, *failed).status_code == 503
    assert client.post("leave", headers=failed[0]).status_code in (200, 503)
    assert client.get("state", headers=people[-1][0]).json() == people[-1][1]
    starts = [client.post("start", json={"consent": True, "answers": BEFORE}) for _ in range(9)]
    assert starts[-1].status_code == 503  # half-full pages take some
    assert check(store) == saved
    limit(1_000_000)
    headers, state = people[-1]
    while "trial" in state:
        saved[state["trial"]["trial"]] = 1
        state = send(client, headers, state).json()["state"]
    assert client.post("finish", json={"answers": {}}, headers=headers).status_code == 200
    begin(client)
    assert check(store) == saved


def test_a_commit_that_fails_is_not_saved(store, client, monkeypatch):
    """The disk fails at the last moment: after the INSERT, at COMMIT."""
    failing = threading.Event()

    class Unlucky(sqlite3.Connection):
        def execute(self, sql, *args):
            if sql == "COMMIT" and failing.is_set():
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
                raise error
            return super().execute(sql, *args)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Unlucky))
    headers, state = begin(client)
    failing.set()
    response = send(client, headers, state)
    assert (response.status_code, response.json()["code"]) == (503, "busy")
    failing.clear()
    assert check(store) == {}
    assert send(client, headers, state).json()["saved"] is True
    assert check(store) == {state["trial"]["trial"]: 1}
