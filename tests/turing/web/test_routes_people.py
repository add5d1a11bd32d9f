"""Who may take part, who comes back, who goes, and what each is told."""

import contextlib
import re

import pytest

from tests.turing.support.routes import BASE, answer, auth, refusal, serving, start
from tests.turing.support.studies import BEFORE, built, rows
from turing.errors import TuringError
from turing.store import people
from turing.store.upkeep.forgetting import by_receipt
from turing.web.serving import Studies


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


def test_leaving(client):
    token, state = start(client)
    assert client.post(f"{BASE}/leave", headers=auth(token)).json()["stage"] == "withdrawn"
    assert refusal(answer(client, token, state)) == (409, "withdrawn")
    assert client.post(f"{BASE}/leave", headers=auth(token), json={}).status_code == 200


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
    with store.writing() as db:
        people.block(db, study, ["p1"])
    body = {"consent": True, "query": {"PROLIFIC_PID": "p1"}, "answers": BEFORE}
    out = client.post(f"{BASE}/start", headers=auth(people.new_token()), json=body)
    assert refusal(out) == (409, "blocked")
    assert out.headers["study-link"] == "closed_url=https%3A%2F%2Fpanel.example%2Fover"


def test_boxes_to_tick_are_told(asking):
    client, _ = asking('consent_boxes = ["I am 18 or older", "I have read it"]')
    info = client.get(f"{BASE}/info").json()
    assert info["consent_boxes"] == ["I am 18 or older", "I have read it"]


def test_the_page_is_told_what_device_is_asked_for(tmp_path, page, client, store):
    assert "study-device" not in client.get(f"{BASE}/info").headers
    rest = '[device]\nrequire = "desktop"\nmin_width = 900\nfullscreen = true'
    with built(tmp_path / "asking", rest=rest) as asking:
        asking.open_study()
        with Studies(tmp_path / "asking") as studies, serving(studies, page) as other:
            asks = other.get(f"{BASE}/info").headers["study-device"]
    assert asks == "require=desktop&min_width=900&fullscreen=true"


def test_plates_are_trials_of_a_stage_of_their_own(tmp_path, page, client):
    rest = "[screening]\nplates = 6\nmin_correct = 5"
    with built(tmp_path / "screening", rest=rest) as store:
        store.open_study()
        with Studies(tmp_path / "screening") as studies, serving(studies, page) as other:
            assert other.get(f"{BASE}/info").headers["study-device"] == "plates=6"
            token, state = start(other)
            plate = rows(store, "plates")[0]
            store.picture_path(plate["sha256"]).write_bytes(b"a plate")
            shown = state["trial"]
            assert (state["stage"], state["position"], state["total"]) == ("screening", 1, 6)
            assert shown == {
                "trial": plate["picture"],
                "kind": "plate",
                "practice": False,
                "picture": f"{BASE}/picture/{plate['picture']}",
                "parts": 1,
                "exposure_ms": 0,
                "prompt": "",
                "answers": ["left", "up", "right", "down", "none"],
            }
            assert other.get(shown["picture"]).content == b"a plate"
            later = f"{BASE}/picture/{rows(store, 'plates')[2]['picture']}"
            assert refusal(other.get(later)) == (404, "unknown")
            for _ in range(6):
                reply = answer(other, token, state, choice=4)
                assert set(reply.json()) == {"saved", "state"}
                state = reply.json()["state"]
            assert state["stage"] == "screened_out" and "trial" not in state
            assert by_receipt(store, reply.headers["study-receipt"]) == 1
            assert refusal(answer(other, token, {"trial": shown}, choice=0)) == (409, "answered")
    token, state = start(client)
    assert refusal(answer(client, token, state, choice=4)) == (422, "invalid")


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
