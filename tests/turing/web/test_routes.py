"""The protocol over HTTP, to the letter."""

from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.turing.support.routes import BASE, EVIL, answer, auth, refusal, start
from tests.turing.support.studies import BEFORE, rows
from turing.store import people
from turing.web.guards import RateLimit
from turing.web.routes import study_routes
from turing.web.serving import Studies


def test_info(client):
    response = client.get(f"{BASE}/info")
    assert response.json() == {
        "title": "Which photo is real?",
        "language": "en",
        "protocol": "pick-original",
        "texts": {
            "consent": "Will you take part?",
            "instructions": "Look.",
        },
        "questions": [
            {
                "id": "colour_vision",
                "ask": "Do you have a colour vision deficiency?",
                "choices": ["no", "yes"],
                "required": True,
            }
        ],
    }
    asks = "query=PROLIFIC_PID&query=SESSION_ID&identify_by=PROLIFIC_PID&require_id=false"
    assert response.headers["study-link"] == asks


def test_a_whole_study(client, store):
    token, state = start(client, PROLIFIC_PID="p1")
    assert state == {
        "stage": "practice",
        "position": 1,
        "total": 1,
        "trial": {
            "trial": state["trial"]["trial"],
            "kind": "pick-original",
            "practice": True,
            "picture": f"{BASE}/picture/{state['trial']['trial']}",
            "parts": 2,
            "exposure_ms": 1000,
            "prompt": "Which one?",
        },
        "next_picture": state["next_picture"],
    }
    replies = []
    while "trial" in state:
        assert client.get(f"{BASE}/state", headers=auth(token)).json() == state
        response = answer(client, token, state)
        assert response.status_code == 200
        replies.append(response.json())
        state = replies[-1]["state"]
    assert set(replies[0]) == {"saved", "state", "correct"}
    assert all(set(reply) == {"saved", "state"} for reply in replies[1:])
    assert all(reply["saved"] is True for reply in replies)
    assert [reply["state"].get("break") for reply in replies] == [None] * 3 + [
        *(True, None, None, True, None)
    ]
    assert state == {
        "stage": "questions",
        "position": 7,
        "total": 7,
        "questions": [
            {"id": "hints", "ask": "What gave them away?", "choices": [], "required": False}
        ],
    }
    end = client.post(f"{BASE}/finish", headers=auth(token), json={"answers": {"hints": EVIL}})
    assert end.status_code == 200
    assert set(end.json()) == {"code", "return_url", "score"}
    assert end.json()["return_url"] == "https://example.org/back?cc=C0L0R&pid=p1"
    assert end.json()["score"]["total"] == 6
    again = client.post(f"{BASE}/finish", headers=auth(token), json={"answers": {"hints": "x"}})
    assert again.json() == end.json()
    done = client.get(f"{BASE}/state", headers=auth(token)).json()
    assert done == {"stage": "done", "position": 7, "total": 7}
    assert [row["answer"] for row in rows(store, "answers")] == ["no", EVIL]


def test_answers_again_and_others(client, store):
    token, state = start(client)
    first = answer(client, token, state, 1)
    assert answer(client, token, state, 1).json() == first.json()
    assert refusal(answer(client, token, state, 0)) == (409, "answered")
    assert [row["choice"] for row in rows(store, "choices")] == [1]


def test_start_again_is_the_same(client):
    token, state = start(client)
    body = {"consent": True, "answers": BEFORE}
    response = client.post(f"{BASE}/start", headers=auth(token), json=body)
    assert (response.status_code, response.json()) == (201, {"token": token, "state": state})


def test_a_caller_without_a_token_gets_one(client):
    response = client.post(f"{BASE}/start", json={"consent": True, "answers": BEFORE})
    token = response.json()["token"]
    assert people.is_token(token)
    assert client.get(f"{BASE}/state", headers=auth(token)).status_code == 200


def test_unknown_tokens(client):
    for headers in ({}, auth("x"), auth(people.new_token()), {"Authorization": "Basic eA=="}):
        for call in (
            client.get(f"{BASE}/state", headers=headers),
            client.post(
                f"{BASE}/answer", headers=headers, json={"trial": "x", "choice": 0, "rt_ms": 1}
            ),
            client.post(f"{BASE}/finish", headers=headers, json={"answers": {}}),
            client.post(f"{BASE}/leave", headers=headers),
        ):
            assert refusal(call) == (401, "token")


def test_finishing_too_early(client):
    token, _ = start(client)
    response = client.post(f"{BASE}/finish", headers=auth(token), json={"answers": {}})
    assert refusal(response) == (409, "unfinished")


def test_trials_of_nobody_and_of_others(client):
    token, state = start(client)
    _, other = start(client)
    for trial in (other, {"trial": {"trial": "0" * 32}}, {"trial": {"trial": EVIL}}):
        assert refusal(answer(client, token, trial)) == (404, "unknown")
    following = state["next_picture"].rpartition("/")[2]
    assert refusal(answer(client, token, {"trial": {"trial": following}})) == (404, "unknown")


def test_more_than_twenty_answers_a_second(store, page):
    now = [0.0]
    rate = RateLimit(clock=lambda: now[0])
    app = Starlette(routes=study_routes(Studies(store.path.parent), page, rate))
    with TestClient(app) as client:
        token, state = start(client)
        other, _ = start(client)
        assert {answer(client, token, state).status_code for _ in range(20)} == {200}
        limited = answer(client, token, state)
        assert refusal(limited) == (429, "rate")
        assert limited.headers["retry-after"] == "1"
        assert client.get(f"{BASE}/state", headers=auth(other)).status_code == 200
        now[0] = 1.0
        assert answer(client, token, state).status_code == 200
        assert len(rows(store, "choices")) == 1


def test_a_store_that_cannot_be_read_is_no_traceback(client, store):
    token, state = start(client)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.path.unlink()
    response = answer(client, token, state)
    assert refusal(response) == (503, "busy")
    assert response.headers["retry-after"] == "2"
    assert str(store.path) not in response.text


def test_a_fault_of_ours_is_no_traceback(client, store, monkeypatch):
    token, state = start(client)

    def fails(*args, **kwargs):
        raise RuntimeError(str(store.path))

    monkeypatch.setattr("turing.store.beside.choices.present", fails)
    response = answer(client, token, state)
    assert refusal(response) == (500, "failed")
    assert "sqlite" not in response.text
    assert rows(store, "choices") == []


def test_events_are_written(client, store):
    token, state = start(client)
    client.get(f"{BASE}/state", headers=auth(token))
    answer(client, token, state)  # comes after the event in the same queue
    assert [row["what"] for row in rows(store, "events")] == ["open", "resumed"]
