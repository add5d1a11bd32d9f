"""The protocol over HTTP without a socket: calls of a participant at the routes of `tiny`."""

import re

from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.turing.support.studies import BEFORE
from turing.store import people
from turing.web.routes import study_routes

PREFIX = "/gradio_api/study"
BASE = f"{PREFIX}/tiny"
EVIL = "\"><script>alert(1)</script>'; DROP TABLE choices; -- \u202e\U0001f600"


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
