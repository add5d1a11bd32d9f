"""Which addresses there are, of which studies, and when."""

import time

import pytest

from tests.turing.support.routes import BASE, PREFIX, answer, auth, refusal, serving, start
from tests.turing.support.studies import BEFORE, built, rows
from turing.errors import TuringError
from turing.web.routes import study_routes
from turing.web.serving import Studies

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


def wait_until(holds, seconds=60):
    over = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < over
        time.sleep(0.05)


def test_only_named_studies_are_served(store, page):
    with Studies(store.path.parent, {"other"}) as studies, serving(studies, page) as client:
        assert refusal(client.get(f"{BASE}/info")) == (404, "unknown")


def test_names_lead_nowhere(client):
    names = ["%2e%2e", "..%2ftiny", "Tiny", "tiny.sqlite", "%00", "a%20b", "ä", "x" * 300]
    for name in [*names, "tiny/..", "-"]:
        assert refusal(client.get(f"{PREFIX}/{name}/info")) == (404, "unknown"), name


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
