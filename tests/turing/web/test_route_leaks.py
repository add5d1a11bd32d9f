"""Nothing but the colours to go by: what the server sends tells no side, model or photo."""

import json
import re
import time
from collections import defaultdict

import numpy as np
import pytest
from scipy.stats import ks_2samp
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.turing.support.servers import Browser, Server
from tests.turing.support.studies import BEFORE, built, rows
from turing.web.guards import RateLimit
from turing.web.routes import study_routes
from turing.web.serving import Studies

PROTOCOLS = ["pick-original", "pick-fake-sequential", "single", "preference"]


@pytest.fixture
def client(tmp_path):
    """Makes a client of an open study."""
    stores, open_ = [], []
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "page.html").write_text("")

    def make(**changes):
        stores.append(built(tmp_path / "studies", **changes))
        stores[0].open_study()
        open_.append(Studies(tmp_path / "studies"))
        routes = study_routes(open_[0], tmp_path / "page", RateLimit(10**6))
        base = "http://localhost/gradio_api/study/tiny/"
        open_.append(TestClient(Starlette(routes=routes), base_url=base).__enter__())
        return stores[0], open_[1]

    yield make
    open_[1].__exit__(None, None, None)
    open_[0].close()
    stores[0].close()


def sides(store):
    """For each picture: which part is the original, None where none or a catch trial."""
    shown = {row["id"]: (row["left"], row["right"]) for row in rows(store, "stimuli")}
    return {
        row["picture"]: None if row["catch"] else shown[row["stimulus"]].index(None)
        for row in rows(store, "trials")
    }


def walk(client, visit=lambda response: None, choice=0):
    """A whole study; every response passes `visit`. Returns the states."""

    def call(method, path, **kwargs):
        response = client.request(method, path, **kwargs)
        visit(response)
        return response

    call("GET", "info")
    reply = call("POST", "start", json={"consent": True, "answers": BEFORE}).json()
    headers, state = {"Authorization": f"Bearer {reply['token']}"}, reply["state"]
    states = [state]
    while "trial" in state:
        call("GET", "state", headers=headers)
        call("GET", state["trial"]["picture"].rpartition("tiny/")[2])
        body = {"trial": state["trial"]["trial"], "choice": choice, "rt_ms": 500}
        state = call("POST", "answer", json=body, headers=headers).json()["state"]
        call("POST", "answer", json=body | {"choice": 1 - choice}, headers=headers)
        call("POST", "answer", json=body | {"trial": "0"}, headers=headers)
        states.append(state)
    call("POST", "finish", json={"answers": {}}, headers=headers)
    call("POST", "finish", json={"answers": {}})
    call("GET", "state", headers=headers)
    call("GET", f"picture/{body['trial']}")
    call("GET", "nothing")
    return states


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_traffic_names_what_was_shown(client, protocol):
    store, browser = client(protocol=protocol, show_score="false")
    traffic = []
    states = walk(browser, traffic.append)
    assert len(traffic) == 7 + 5 * (len(states) - 1)
    text = "\n".join(
        f"{response.url} {response.headers}"
        + ("" if response.headers["content-type"] == "image/png" else response.text)
        for response in traffic
    )
    hashes = [
        value
        for table in ("photos", "stimuli", "study")
        for row in rows(store, table)
        for key, value in row.items()
        if "sha256" in key or key == "fingerprint"
        if value
    ]
    assert len(hashes) > 50
    secrets = ["plain", "bright", "hills", "apples", ".jpg", "wild", "catch", "left", "right"]
    secrets += ["sqlite", str(store.path.parent), *hashes, "scored", "stimul", "dataset", "model"]
    for secret in secrets:
        assert secret not in text
    assert set(re.findall(r'"(\w+)":', text)) <= {
        *("title", "language", "protocol", "texts", "consent", "instructions", "thanks"),
        *("questions", "id", "ask", "choices", "required", "token", "state", "stage", "position"),
        *("total", "trial", "kind", "practice", "picture", "parts", "exposure_ms", "prompt"),
        *("next_picture", "break", "saved", "correct", "error", "code", "return_url"),
    }
    assert {response.headers["cache-control"] for response in traffic} == {"no-store"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_scored_reply_tells_what_was_right(client, protocol):
    _, browser = client(protocol=protocol)
    replies = []
    walk(
        browser,
        lambda response: replies.append(response.json() if "answer" in str(response.url) else {}),
    )
    replies = [reply for reply in replies if reply.get("saved")]
    told = ["correct" in reply for reply in replies]
    assert told == [protocol != "preference"] + [False] * 7
    assert all("score" not in json.dumps(reply) for reply in replies)


def test_catch_trials_look_like_any_other(client):
    store, browser = client(catch=4)
    states = {state["trial"]["trial"]: state for state in walk(browser) if "trial" in state}
    forms = defaultdict(set)
    for row in rows(store, "trials"):
        trial = states[row["picture"]]["trial"]
        form = {key: value for key, value in trial.items() if key not in ("trial", "picture")}
        forms[row["practice"], row["catch"]].add(json.dumps(form, sort_keys=True))
    assert len(forms[0, 1]) == 1 and forms[0, 0] == forms[0, 1]


def test_a_state_depends_on_place_and_names_alone(client):
    """Two people with other photos, models and sides: the same states but for the names."""
    _, browser = client()

    def nameless(states):
        return re.sub(r"\b[0-9a-f]{32}\b", "NAME", json.dumps(states))

    first, second = walk(browser), walk(browser, choice=1)
    assert nameless(first) == nameless(second)
    names = [re.findall(r"\b[0-9a-f]{32}\b", json.dumps(states)) for states in (first, second)]
    assert not {*names[0]} & {*names[1]}


def test_names_of_pictures_tell_no_side(client):
    """No bit of a name goes with the side that the original is on."""
    store, browser = client()
    for _ in range(60):
        browser.post("start", json={"consent": True, "answers": BEFORE})
    of = {name: side for name, side in sides(store).items() if side is not None}
    bits = np.array([[int(bit) for bit in f"{int(name, 16):0128b}"] for name in of])
    side = np.array(list(of.values()))
    together = 4 * ((bits - 0.5) * (side[:, None] - 0.5)).sum(axis=0) / np.sqrt(len(of))
    assert len(of) > 400 and np.abs(together).max() < 5


def test_a_reload_shows_the_same_and_another_answer_changes_nothing(client):
    store, browser = client()
    reply = browser.post("start", json={"consent": True, "answers": BEFORE}).json()
    headers, state = {"Authorization": f"Bearer {reply['token']}"}, reply["state"]
    for _ in range(3):
        assert browser.get("state", headers=headers).json() == state
    body = {"trial": state["trial"]["trial"], "choice": 0, "rt_ms": 500}
    after = browser.post("answer", json=body, headers=headers).json()
    assert browser.post("answer", json=body, headers=headers).json() == after
    refused = browser.post("answer", json=body | {"choice": 1}, headers=headers)
    assert refused.status_code == 409
    assert browser.get("state", headers=headers).json() == after["state"]
    assert [row["choice"] for row in rows(store, "choices")] == [0]


def test_pictures_have_equal_headers(nursery, tmp_path):
    """Over a real connection, in which servers add headers of their own."""
    with (
        built(tmp_path / "studies", per_participant=10, practice=0, catch=0) as store,
        Server(nursery, tmp_path / "studies", tmp_path / "page") as server,
    ):
        store.open_study()
        browser = Browser(server.port)
        state, seen = browser.start(), defaultdict(set)
        of = sides(store)
        while "trial" in state:
            response = browser.respond("GET", state["trial"]["picture"])
            assert response.status == 200 and browser.content[:4] == b"\x89PNG"
            headers = [
                (name, "" if name == "date" else value) for name, value in response.getheaders()
            ]
            assert int(dict(headers)["content-length"]) == len(browser.content)
            headers = [h for h in headers if h[0] != "content-length"]  # one file, both halves
            seen[of[state["trial"]["trial"]]].add(tuple(headers))
            state = browser.answer(state, 0)
        browser.close()
    assert set(seen) == {0, 1} and len(seen[0] | seen[1]) == 1
    (headers,) = seen[0]
    assert [name for name, _ in headers] == [
        *("date", "server", "cache-control", "x-content-type-options", "content-type")
    ]


def test_server_times_do_not_tell_the_side(client):
    store, browser = client(photos=12, per_participant=20, practice=0, catch=0)
    pictures, answers = defaultdict(list), defaultdict(list)

    def ten_take_part():
        states = {}
        for _ in range(10):
            reply = browser.post("start", json={"consent": True, "answers": BEFORE}).json()
            states[reply["token"]] = reply["state"]
        of = sides(store)
        while any("trial" in state for state in states.values()):
            for token, state in states.items():
                trial = state["trial"]["trial"]
                started = time.perf_counter()
                browser.get(f"picture/{trial}")
                pictures[of[trial]].append(time.perf_counter() - started)
                body = {"trial": trial, "choice": 0, "rt_ms": 500}
                sign_in = {"Authorization": f"Bearer {token}"}
                started = time.perf_counter()
                reply = browser.post("answer", json=body, headers=sign_in)
                answers[of[trial]].append(time.perf_counter() - started)
                states[token] = reply.json()["state"]

    def would_be_found(times):
        slower = np.array(times[1]) + 0.5 * np.median(times[1])
        return ks_2samp(times[0], slower).pvalue < 1e-4

    ten_take_part()
    for _ in range(20):  # on a busy machine times are far apart, and it takes more to tell
        if would_be_found(pictures) and would_be_found(answers):
            break
        ten_take_part()
    for times in (pictures, answers):
        assert len(times[0]) == len(times[1]) >= 100
        assert ks_2samp(times[0], times[1]).pvalue > 1e-4
        assert would_be_found(times)
