"""The protocol over HTTP, to the letter."""

import contextlib
import json
import re
import time

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.turing.support.studies import BEFORE, built, rows
from turing.errors import TuringError
from turing.store import people
from turing.store.records import choice_rows
from turing.store.upkeep.forgetting import by_receipt
from turing.web.guards import LONGEST_TEXT, RateLimit
from turing.web.routes import study_routes
from turing.web.serving import Studies

PREFIX = "/gradio_api/study"
BASE = f"{PREFIX}/tiny"
EVIL = "\"><script>alert(1)</script>'; DROP TABLE choices; -- \u202e\U0001f600"


@pytest.fixture
def page(tmp_path):
    """A page's folder, and things in it that are nobody's business."""
    folder = tmp_path / "page"
    (folder / "texts").mkdir(parents=True)
    (folder / "page.html").write_text("<!doctype html><title>Study</title>")
    (folder / "page.js").write_text("export {};")
    (folder / "texts" / "en.json").write_text('{"prompt_pick-original": "Which one?"}')
    (folder / "texts" / "de.json").write_text('{"prompt_pick-original": "Welches?"}')
    (folder / "notes.txt").write_text("secret")
    return folder


@pytest.fixture
def client(store, page):
    with Studies(store.path.parent) as studies, serving(studies, page) as client:
        yield client


def serving(studies, page):
    return TestClient(Starlette(routes=study_routes(studies, page)))


def auth(token):
    return {"Authorization": f"Bearer {token}"}


def start(client, **query):
    token = people.new_token()
    body = {"consent": True, "query": query, "answers": BEFORE}
    response = client.post(f"{BASE}/start", headers=auth(token), json=body)
    assert response.status_code == 201
    assert response.json()["token"] == token
    return token, response.json()["state"]


def answer(client, token, state, choice=0, rt_ms=700):
    body = {"trial": state["trial"]["trial"], "choice": choice, "rt_ms": rt_ms}
    return client.post(f"{BASE}/answer", headers=auth(token), json=body)


def refusal(response):
    """Status and code of an error, whose form is checked."""
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    error = response.json()
    assert set(error) == {"error", "code"} and len(error["error"].splitlines()) == 1
    assert re.fullmatch("[a-z]+", error["code"])
    return response.status_code, error["code"]


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


def test_the_same_id_under_another_token(client):
    start(client, PROLIFIC_PID="p1")
    body = {"consent": True, "query": {"PROLIFIC_PID": "p1"}, "answers": BEFORE}
    assert refusal(client.post(f"{BASE}/start", json=body)) == (409, "already")


def test_a_full_study_says_when_to_come_again(tmp_path, page):
    with built(tmp_path / "full", max_open=1) as store:
        store.open_study()
    with Studies(tmp_path / "full") as studies, serving(studies, page) as client:
        start(client)
        response = client.post(f"{BASE}/start", json={"consent": True, "answers": BEFORE})
        assert refusal(response) == (503, "full")
        assert response.headers["retry-after"] == "30"


VIEW = {
    "frames": 60,
    "dropped_frames": 1,
    "refresh_hz": 59.9,
    "drawn_width": 320.5,
    "drawn_height": 240,
    "device_pixel_ratio": 2,
    "layout": "beside",
}


def test_what_was_measured_is_kept_beside_the_choice(client, store):
    token, state = start(client)
    body = {"trial": state["trial"]["trial"], "choice": 0, "rt_ms": 700, "shown_ms": 1001.2}
    response = client.post(f"{BASE}/answer", headers=auth(token), json=body | {"view": VIEW})
    assert response.status_code == 200
    state = response.json()["state"]
    assert answer(client, token, state).status_code == 200  # a script measures nothing
    first, second = choice_rows(store)
    assert {key: first[key] for key in VIEW} == VIEW
    assert (first["exposure_ms"], first["shown_ms"]) == (1000, 1001.2)
    assert (second["exposure_ms"], second["frames"], second["layout"]) == (1000, None, None)


@pytest.mark.parametrize(
    "view", [{"frames": -1}, {"frames": 1.5}, {"refresh_hz": "60"}, {"layout": "x"}, [], "x"]
)
def test_what_cannot_have_been_measured_is_refused(client, store, view):
    token, state = start(client)
    body = {"trial": state["trial"]["trial"], "choice": 0, "rt_ms": 700, "view": view}
    response = client.post(f"{BASE}/answer", headers=auth(token), json=body)
    assert refusal(response) == (422, "invalid") and rows(store, "choices") == []


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


def test_leaving(client):
    token, state = start(client)
    assert client.post(f"{BASE}/leave", headers=auth(token)).json()["stage"] == "withdrawn"
    assert refusal(answer(client, token, state)) == (409, "withdrawn")
    assert client.post(f"{BASE}/leave", headers=auth(token), json={}).status_code == 200


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


STATES = {
    "unknown": (None, (404, "unknown")),
    "built": (lambda store: None, (404, "unknown")),
    "open": (lambda store: store.open_study(), None),
    "closed": (lambda store: (store.open_study(), store.close_study()), (410, "closed")),
}


@pytest.mark.parametrize("state", STATES)
def test_who_may_start_when(tmp_path, page, state):
    change, refused = STATES[state]
    with built(tmp_path / "studies") as store:
        if change:
            change(store)
        key = store.facts().preview_key
        name = "tiny" if change else "other"
        with Studies(store.path.parent) as studies, serving(studies, page) as client:
            body = {"consent": True, "answers": BEFORE}
            info = client.get(f"{PREFIX}/{name}/info")
            started = client.post(f"{PREFIX}/{name}/start", json=body)
            if refused:
                assert refusal(info) == refusal(started) == refused
            else:
                assert (info.status_code, started.status_code) == (200, 201)
            if change:
                assert client.get(f"{BASE}/info?preview={key}").status_code == 200
                assert refusal(client.get(f"{BASE}/info?preview=x")) == (404, "unknown")
                started = client.post(f"{BASE}/start", json={**body, "preview": key})
                assert started.status_code == 201
                headers = auth(started.json()["token"])
                assert client.get(f"{BASE}/info", headers=headers).status_code == 200
                assert rows(store, "participants")[-1]["preview"] == 1


def test_a_study_is_opened_and_closed_while_it_is_served(tmp_path, page):
    (tmp_path / "studies").mkdir()
    with Studies(tmp_path / "studies") as studies, serving(studies, page) as client:
        assert refusal(client.get(f"{BASE}/info")) == (404, "unknown")  # the port opens first
        with built(tmp_path / "studies") as store:
            assert refusal(client.get(f"{BASE}/info")) == (404, "unknown")
            store.open_study()
            assert client.get(f"{BASE}/info").status_code == 200
            store.close_study()
            assert refusal(client.get(f"{BASE}/info")) == (410, "closed")


def test_only_named_studies_are_served(store, page):
    with Studies(store.path.parent, {"other"}) as studies, serving(studies, page) as client:
        assert refusal(client.get(f"{BASE}/info")) == (404, "unknown")


def test_names_lead_nowhere(client):
    names = ["%2e%2e", "..%2ftiny", "Tiny", "tiny.sqlite", "%00", "a%20b", "ä", "x" * 300]
    for name in [*names, "tiny/..", "-"]:
        assert refusal(client.get(f"{PREFIX}/{name}/info")) == (404, "unknown"), name


TRIAL = {"trial": "x", "choice": 0, "rt_ms": 1}
BODIES = {
    "start": [
        {"consent": 1},
        {"consent": False, "answers": BEFORE},
        {"answers": BEFORE},
        {"consent": True, "answers": {"colour_vision": 1}},
        {"consent": True, "answers": {"colour_vision": "maybe"}},
        {"consent": True, "answers": BEFORE, "query": {"PROLIFIC_PID": ["a"]}},
        {"consent": True, "answers": BEFORE, "query": {"PROLIFIC_PID": "a" * 501}},
        {"consent": True, "answers": BEFORE, "query": {"PROLIFIC_PID": "a\0b"}},
        {"consent": True, "answers": {**BEFORE, "hints": "not yet"}},
    ],
    "answer": [
        {"choice": 0, "rt_ms": 1},
        {"trial": "x", "rt_ms": 1},
        *(TRIAL | {"choice": choice} for choice in (2, -1, 0.5, True)),
        *(TRIAL | {"rt_ms": ms} for ms in (-1, "1", 1e300, True)),
        TRIAL | {"shown_ms": -1},
    ],
    "finish": [{"answers": {"hints": {}}}, {"answers": {"hints": "x" * 5001}}],
    "leave": [[]],
}


@pytest.mark.parametrize("call", BODIES)
def test_bodies_that_are_not_as_expected(client, store, call):
    token = people.new_token() if call == "start" else start(client)[0]
    before = rows(store, "participants")
    for body in BODIES[call]:
        response = client.post(f"{BASE}/{call}", json=body, headers=auth(token))
        assert refusal(response) == (422, "invalid"), body
    assert rows(store, "participants") == before and rows(store, "choices") == []


@pytest.mark.parametrize("call", ["start", "answer", "finish", "leave"])
def test_bodies_that_are_no_json_or_too_large(client, call):
    token, _ = start(client)
    for body in (b"trial=1&choice=0", b"\xff\xfe", b"[" * 9000, b'"text"', b"null"):
        response = client.post(f"{BASE}/{call}", content=body, headers=auth(token))
        assert refusal(response) == (422, "invalid")
    most = 100_000 if call in ("start", "finish") else 17_000
    large = json.dumps({"answers": {"hints": "x" * most}}).encode()
    response = client.post(f"{BASE}/{call}", content=large, headers=auth(token))
    assert refusal(response) == (413, "large")
    chunks = (b"x" * 1000 for _ in range(most // 1000 + 3))
    response = client.post(f"{BASE}/{call}", content=chunks, headers=auth(token))
    assert refusal(response) == (413, "large")


SCRIPTS = {"Chinese": "\u6f22", "Thai": "\u0e2b", "Linear B": "\U00010000", "a smile": "\U0001f600"}


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("script", SCRIPTS)
def test_answers_of_full_length_are_saved_in_any_script(tmp_path, page, script, escaped):
    more = "".join(
        f'[[questions]]\nid = "more_{when}"\nwhen = "{when}"\nask = "What else?"\n'
        for when in ("before", "after")
    )
    store = built(tmp_path / "studies", per_participant=1, practice=0, catch=0, rest=more)
    store.open_study()
    text = SCRIPTS[script] * LONGEST_TEXT
    with Studies(store.path.parent) as studies, serving(studies, page) as client:
        body = {"consent": True, "answers": BEFORE | {"more_before": text}}
        content = json.dumps(body, ensure_ascii=escaped).encode()
        response = client.post(f"{BASE}/start", content=content)
        assert response.status_code == 201, response.text
        token, state = response.json()["token"], response.json()["state"]
        assert answer(client, token, state).status_code == 200
        body = {"answers": {"hints": text, "more_after": text}}
        content = json.dumps(body, ensure_ascii=escaped).encode()
        response = client.post(f"{BASE}/finish", content=content, headers=auth(token))
        assert response.status_code == 200, response.text
    kept = [row for row in rows(store, "answers") if row["answer"] == text]
    assert {row["question"] for row in kept} == {"more_before", "hints", "more_after"}


def test_foreign_pages_are_refused_and_scripts_are_not(client, store):
    body = {"consent": True, "answers": BEFORE}
    for call in ("start", "answer", "finish", "leave"):
        for origin in ("https://evil.example", "null", "http://testserver:81"):
            response = client.post(f"{BASE}/{call}", json=body, headers={"Origin": origin})
            assert refusal(response) == (403, "origin")
    assert rows(store, "participants") == []
    response = client.post(f"{BASE}/start", json=body, headers={"Origin": "http://testserver"})
    assert response.status_code == 201
    assert client.post(f"{BASE}/start", json=body).status_code == 201


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


def test_text_is_kept_as_given_and_harms_nothing(client, store):
    token, _ = start(client, PROLIFIC_PID=EVIL, SESSION_ID="'; DELETE FROM trials; --")
    query = json.loads(rows(store, "participants")[0]["query"])
    assert query == {"PROLIFIC_PID": EVIL, "SESSION_ID": "'; DELETE FROM trials; --"}
    assert client.get(f"{BASE}/state", headers=auth(token)).json()["total"] == 1
    for trial in (EVIL, "' OR 1=1 --", "%", "*"):
        assert refusal(answer(client, token, {"trial": {"trial": trial}})) == (404, "unknown")
    assert refusal(client.get(f"{BASE}/picture/' OR 1=1 --")) == (404, "unknown")
    assert rows(store, "choices") == [] and len(rows(store, "trials")) == 8


def test_other_methods_and_places_under_the_prefix(client):
    for method, call in (
        ("put", "answer"),
        ("get", "answer"),
        ("post", "state"),
        ("delete", "info"),
    ):
        response = client.request(method, f"{BASE}/{call}")
        assert refusal(response) == (405, "method")
        assert response.headers["allow"] in ("GET", "POST")
    for path in (f"{BASE}/nothing", f"{BASE}/", f"{PREFIX}/tiny", f"{BASE}/picture/"):
        assert refusal(client.get(path)) == (404, "unknown")


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

    monkeypatch.setattr("turing.store.sessions._present", fails)
    response = answer(client, token, state)
    assert refusal(response) == (500, "failed")
    assert "sqlite" not in response.text
    assert rows(store, "choices") == []


def test_events_are_written(client, store):
    token, state = start(client)
    client.get(f"{BASE}/state", headers=auth(token))
    answer(client, token, state)  # comes after the event in the same queue
    assert [row["what"] for row in rows(store, "events")] == ["open", "resumed"]


# The page


@pytest.mark.parametrize("base", ["/study", PREFIX])
def test_the_page_is_served_and_nothing_else(client, base):
    assert client.get(base).text.startswith("<!doctype html>")
    assert client.get(f"{base}?study=tiny&preview=x").status_code == 200
    script = client.get(f"{base}/page.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert client.get(f"{base}/texts/en.json").json()
    for name in ("notes.txt", "../studies/tiny.sqlite", "%2e%2e/studies/tiny.sqlite", "texts"):
        assert client.get(f"{base}/{name}").status_code == 404


@pytest.mark.parametrize(("language", "prompt"), [("de", "Welches?"), ("fr", "Which one?")])
def test_the_prompt_is_in_the_studys_language(tmp_path, page, language, prompt):
    with built(tmp_path / "studies", language=language) as store:
        store.open_study()
        with Studies(store.path.parent) as studies, serving(studies, page) as client:
            assert start(client)[1]["trial"]["prompt"] == prompt


def test_a_missing_page_is_said(tmp_path):
    with pytest.raises(TuringError, match=r"expected the participant's page"):
        study_routes(Studies(tmp_path), tmp_path / "nothing")


@pytest.fixture
def asking(tmp_path, page):
    """A client of a study with these lines under [participants], and its store."""
    with contextlib.ExitStack() as closing:

        def make(asks):
            store = closing.enter_context(built(tmp_path / "asking", asks=asks))
            store.open_study()
            studies = closing.enter_context(Studies(store.path.parent))
            return closing.enter_context(serving(studies, page)), store

        yield make


def test_who_cannot_take_part_is_told_where_to_go(asking):
    client, store = asking('closed_url = "https://panel.example/over?p={PROLIFIC_PID}"')
    way = "closed_url=https%3A%2F%2Fpanel.example%2Fover%3Fp%3D%7BPROLIFIC_PID%7D"
    start(client, PROLIFIC_PID="p1")
    body = {"consent": True, "query": {"PROLIFIC_PID": "p1"}, "answers": BEFORE}
    again = client.post(f"{BASE}/start", headers=auth(people.new_token()), json=body)
    assert refusal(again) == (409, "already") and again.headers["study-link"] == way
    store.close_study()
    late = client.get(f"{BASE}/info")
    assert refusal(late) == (410, "closed") and late.headers["study-link"] == way


def test_who_is_screened_out_is_told_where_to_go(asking):
    client, store = asking(
        'screen_out = { colour_vision = ["yes"] }\n'
        'screened_out_url = "https://panel.example/out?p={PROLIFIC_PID}"'
    )
    way = "screened_out_url=https%3A%2F%2Fpanel.example%2Fout%3Fp%3D%7BPROLIFIC_PID%7D"
    assert way in client.get(f"{BASE}/info").headers["study-link"]
    token = people.new_token()
    body = {"consent": True, "answers": {"colour_vision": "yes"}}
    out = client.post(f"{BASE}/start", headers=auth(token), json=body)
    state = {"stage": "screened_out", "position": 0, "total": 0}
    assert out.status_code == 201 and out.json() == {"token": token, "state": state}
    again = client.get(f"{BASE}/state", headers=auth(token))
    assert again.json() == state
    assert by_receipt(store, out.headers["study-receipt"]) == 1
    assert again.headers["study-receipt"] == out.headers["study-receipt"]


def test_an_id_may_be_enough_to_go_on(asking):
    client, _ = asking('resume = "id"')
    assert "resume=id" in client.get(f"{BASE}/info").headers["study-link"]
    _, state = start(client, PROLIFIC_PID="p1")
    token = people.new_token()
    for pid, status in (("p2", 404), ("p1", 201)):
        body = {"consent": True, "query": {"PROLIFIC_PID": pid}, "resume": True}
        back = client.post(f"{BASE}/start", headers=auth(token), json=body)
        assert back.status_code == status
    assert back.json() == {"token": token, "state": state}


def test_who_is_on_the_blocklist_is_told_where_to_go(asking):
    client, store = asking('closed_url = "https://panel.example/over"')
    with store.reading() as db:
        study = store.version(db, 1).study
    people.block(store, study, ["p1"])
    body = {"consent": True, "query": {"PROLIFIC_PID": "p1"}, "answers": BEFORE}
    out = client.post(f"{BASE}/start", headers=auth(people.new_token()), json=body)
    assert refusal(out) == (409, "blocked")
    assert out.headers["study-link"] == "closed_url=https%3A%2F%2Fpanel.example%2Fover"


def test_boxes_to_tick_are_told(asking):
    client, _ = asking('consent_boxes = ["I am 18 or older", "I have read it"]')
    info = client.get(f"{BASE}/info").json()
    assert info["consent_boxes"] == ["I am 18 or older", "I have read it"]


def test_who_finishes_gets_the_code_to_be_forgotten_by(client, store):
    token, state = start(client)
    while "trial" in state:
        state = answer(client, token, state).json()["state"]
    end = client.post(f"{BASE}/finish", headers=auth(token), json={"answers": {}})
    assert by_receipt(store, end.headers["study-receipt"]) == 1


def test_who_leaves_is_forgotten_where_the_study_says_so(asking):
    client, store = asking('on_leave = "delete"')
    assert "on_leave=delete" in client.get(f"{BASE}/info").headers["study-link"]
    token, state = start(client, PROLIFIC_PID="nobody-else-is-called-so")
    answer(client, token, state)
    left = client.post(f"{BASE}/leave", headers=auth(token), json={})
    assert left.json()["stage"] == "withdrawn" and "study-receipt" not in left.headers
    assert refusal(client.get(f"{BASE}/state", headers=auth(token))) == (401, "token")
    for table in ("participants", "trials", "choices", "answers", "views"):
        assert rows(store, table) == []
    assert len(rows(store, "forgotten")) == 1
    files = b"".join(path.read_bytes() for path in store.path.parent.glob("tiny.sqlite*"))
    assert b"nobody-else-is-called-so" not in files


def test_who_leaves_gets_the_code_to_be_forgotten_by(client, store):
    start(client)
    token, _ = start(client)
    left = client.post(f"{BASE}/leave", headers=auth(token), json={})
    receipt = left.headers["study-receipt"]
    assert re.fullmatch("[A-Z2-7]{5}-[A-Z2-7]{5}", receipt)
    state = client.get(f"{BASE}/state", headers=auth(token))
    assert state.headers["study-receipt"] == receipt
    for typed in (receipt, receipt.lower(), receipt.replace("-", " "), f" {receipt} "):
        assert by_receipt(store, typed) == 2
    for wrong in ("", "AAAAA-AAAAA", receipt[:-1]):
        with pytest.raises(TuringError, match="no participant has the receipt"):
            by_receipt(store, wrong)


def test_a_study_closes_by_itself_after_its_last_look(tmp_path, page):
    rest = "[analysis]\nlooks = [1, 2]"
    with built(tmp_path, catch=0, asks="planned = 2", rest=rest) as store:
        store.open_study()
        under_way = None
        with Studies(tmp_path) as studies, serving(studies, page) as client:
            for _ in range(2):
                assert store.facts().state == "open"
                under_way = under_way or start(client)
                token, state = start(client)
                while "trial" in state:
                    state = answer(client, token, state).json()["state"]
                end = client.post(f"{BASE}/finish", headers=auth(token), json={"answers": {}})
                assert end.status_code == 200
            wait_until(lambda: store.facts().state == "closed")
            late = client.post(f"{BASE}/start", json={"consent": True, "answers": BEFORE})
            assert refusal(late) == (410, "closed")
            assert answer(client, *under_way).status_code == 200  # they may finish


def wait_until(holds, seconds=20):
    over = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < over
        time.sleep(0.05)
