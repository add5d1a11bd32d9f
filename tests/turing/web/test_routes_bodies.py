"""What the calls of the protocol take, and what they refuse."""

import json

import pytest

from tests.turing.support.routes import BASE, EVIL, answer, auth, refusal, serving, start
from tests.turing.support.studies import BEFORE, built, rows
from turing.store import people
from turing.store.records import choice_rows
from turing.web.guards import LONGEST_TEXT
from turing.web.serving import Studies

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


ASKING = "fixation_ms = 200\ngap_ms = 100\nmask_ms = 50\nconfidence = true\nmarks = true"


@pytest.fixture
def asked_more(tmp_path, page):
    """The client and the store of a study that asks for all there is."""
    with built(tmp_path / "asking", exposure_ms="[100, 500]", trials=ASKING) as store:
        store.open_study()
        with Studies(store.path.parent) as studies, serving(studies, page) as client:
            yield client, store


def test_the_page_is_told_what_a_trial_asks(asked_more):
    client, _ = asked_more
    _, state = start(client)
    trial = state["trial"]
    told = {"fixation_ms": 200, "gap_ms": 100, "mask_ms": 50, "confidence": True, "marks": True}
    assert {key: trial[key] for key in told} == told and "ties" not in trial
    assert trial["exposure_ms"] in (100, 500)


def test_a_plain_trial_has_no_more_keys(client):
    _, state = start(client)
    plain = {"trial", "kind", "practice", "picture", "parts", "exposure_ms", "prompt"}
    assert set(state["trial"]) == plain


def test_confidence_and_marks_are_kept_beside_the_choice(asked_more):
    client, store = asked_more
    token, state = start(client)
    marks = [{"part": 0, "x": 0.5, "y": 0}, {"part": 1, "x": 1, "y": 0.25}]
    body = {"trial": state["trial"]["trial"], "choice": 0, "rt_ms": 1}
    said = body | {"confidence": 3, "marks": marks}
    assert client.post(f"{BASE}/answer", headers=auth(token), json=said).status_code == 200
    (row,) = choice_rows(store)
    assert row["confidence"] == 3 and json.loads(row["marks"]) == marks


@pytest.mark.parametrize(
    "said",
    [
        *({"confidence": level} for level in (0, 5, 1.5, "3", True)),
        *({"marks": marks} for marks in ([{"part": 0}], [{"part": 2, "x": 0, "y": 0}], "x")),
        {"marks": [{"part": 0, "x": 1.01, "y": 0}]},
        {"marks": [{"part": 0, "x": 0, "y": 0}] * 21},
    ],
)
def test_what_cannot_be_said_is_refused(asked_more, said):
    client, store = asked_more
    token, state = start(client)
    body = {"trial": state["trial"]["trial"], "choice": 0, "rt_ms": 1}
    response = client.post(f"{BASE}/answer", headers=auth(token), json=body | said)
    assert refusal(response) == (422, "invalid") and rows(store, "choices") == []


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


def test_text_is_kept_as_given_and_harms_nothing(client, store):
    token, _ = start(client, PROLIFIC_PID=EVIL, SESSION_ID="'; DELETE FROM trials; --")
    query = json.loads(rows(store, "participants")[0]["query"])
    assert query == {"PROLIFIC_PID": EVIL, "SESSION_ID": "'; DELETE FROM trials; --"}
    assert client.get(f"{BASE}/state", headers=auth(token)).json()["total"] == 1
    for trial in (EVIL, "' OR 1=1 --", "%", "*"):
        assert refusal(answer(client, token, {"trial": {"trial": trial}})) == (404, "unknown")
    assert refusal(client.get(f"{BASE}/picture/' OR 1=1 --")) == (404, "unknown")
    assert rows(store, "choices") == [] and len(rows(store, "trials")) == 8


def test_a_device_is_taken_at_the_start_and_with_an_answer(client, store):
    desk, phone = ({"viewport_width": width, "forced_colors": False} for width in (1280, 390))
    screen = {"dark": True, "light": True, "saturation": False}
    body = {"consent": True, "answers": BEFORE, "device": desk, "screen": screen}
    begun = client.post(f"{BASE}/start", json=body).json()
    trial = {"trial": begun["state"]["trial"]["trial"], "choice": 0, "rt_ms": 700}
    more = {"device": phone, "absence": {"hidden_ms": 900, "fullscreen_left": 1}}
    said = client.post(f"{BASE}/answer", headers=auth(begun["token"]), json=trial | more)
    assert said.status_code == 200
    noted = [row["what"] for row in rows(store, "events") if row["participant"]]
    assert noted == ["device", "screen", "hidden", "left full screen", "device"]
    for wrong in (
        {"device": {"viewport_width": "wide"}},
        {"device": {"pointer": "a nose"}},
        {"screen": {"dark": 1}},
    ):
        assert refusal(client.post(f"{BASE}/start", json=body | wrong)) == (422, "invalid")
