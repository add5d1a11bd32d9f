"""The results page: nobody sees anything without the password, and with it everything is there."""

import csv
import io
import json
import logging
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.turing.support.studies import build, built
from turing.analysis.analysis import analyse
from turing.analysis.frames import load_data
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.publish.dataset import publish
from turing.report.words import answer
from turing.store import people
from turing.store.store import Store
from turing.web.admin import admin_routes
from turing.web.routes import study_routes
from turing.web.serving import Studies
from turing.web.sign_in import FREE_TRIES

PASSWORD = "correct horse"
BASE = "/gradio_api/study/tiny/admin"
FILES = (
    "report.html",
    "choices.csv",
    "choices.json",
    "participants.csv",
    "events.csv",
    "columns.csv",
)
SECRETS = ("plain", "bright", "hills", "told apart", "Naive")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("studies")
    with built(directory) as store:
        simulate(store, Skills({(None, "plain"): 0.95}), 12, seed=1)
    built(directory, name="other").close()
    return directory


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "page"
    (folder / "texts").mkdir(parents=True)
    (folder / "page.html").write_text("<!doctype html><title>Study</title>")
    (folder / "texts" / "en.json").write_text("{}")
    return folder


@pytest.fixture
def client(directory, page):
    with Studies(directory) as studies:
        routes = [*admin_routes(studies, PASSWORD, "tiny"), *study_routes(studies, page)]
        with TestClient(Starlette(routes=routes)) as client:
            yield client


def sign_in(client, password=PASSWORD, **more):
    return client.post(BASE, data={"password": password}, follow_redirects=False, **more)


def test_a_study_whose_key_is_published_says_that_it_stays_closed(tmp_path, page):
    with built(tmp_path / "studies") as store, Studies(store.path.parent) as studies:
        store.open_study()
        store.close_study()
        routes = admin_routes(studies, PASSWORD, "tiny")
        with TestClient(Starlette(routes=routes)) as client:
            sign_in(client)
            assert "The study is closed. " in client.get(BASE).text
            publish(store, tmp_path / "data")
            assert "The study is closed for good: its trial key is published." in (
                client.get(BASE).text
            )


def test_admin_leads_to_the_study(client):
    response = client.get("/admin", follow_redirects=False)
    assert response.status_code == 303 and response.headers["location"] == BASE


@pytest.mark.parametrize("path", ["", "?version=1", *(f"/{file}" for file in FILES), "/nothing"])
def test_nothing_without_the_password(client, path):
    for cookie in (None, "turing_results=1.2", "turing_results=9999999999.abc"):
        headers = {"cookie": cookie} if cookie else {}
        response = client.get(BASE + path, headers=headers)
        assert response.status_code == 403
        assert 'type="password"' in response.text
        assert not any(secret in response.text for secret in SECRETS)


def test_who_may_not_look_does_not_learn_which_studies_there_are(client):
    known = client.get(BASE)
    unknown = client.get(BASE.replace("tiny", "no-such"))
    assert known.status_code == unknown.status_code
    assert known.text == unknown.text.replace("no-such", "tiny")


def test_signed_in_the_report_is_there(client, directory):
    response = sign_in(client)
    assert response.status_code == 303 and response.headers["location"] == f"{BASE}?signed=in"
    shown = client.get(response.headers["location"])
    assert shown.status_code == 200 and shown.url.path == BASE and not shown.url.query
    with Store(directory / "tiny.sqlite") as store:
        sentences = answer(analyse(load_data(store)))
    assert sentences and all(sentence in shown.text for sentence in sentences)
    assert "data:image/jpeg" in shown.text
    assert 'href="/gradio_api/study/other/admin"' in shown.text
    for file in FILES:
        assert f'href="{BASE}/{file}?version=1"' in shown.text


def test_headers_keep_it_private_and_frameable(client):
    sign_in(client)
    for path in (BASE, f"{BASE}/report.html", f"{BASE}/choices.csv"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors" not in policy
        assert "x-frame-options" not in headers
        assert headers["referrer-policy"] == "same-origin"


def test_the_page_has_no_script(client):
    sign_in(client)
    html = client.get(BASE).text
    assert "<script" not in html and not re.search(r"\son[a-z]+=", html)
    assert "<script" not in client.get(BASE, headers={"cookie": ""}).text


def test_downloads(client):
    sign_in(client)
    found = {file: client.get(f"{BASE}/{file}") for file in FILES}
    for file, response in found.items():
        assert response.status_code == 200
        assert response.headers["content-disposition"] == f'attachment; filename="tiny-{file}"'
    rows = list(csv.DictReader(io.StringIO(found["choices.csv"].content.decode("utf-8-sig"))))
    assert len(rows) == 12 * 8 == len(json.loads(found["choices.json"].text))
    columns = list(csv.DictReader(io.StringIO(found["columns.csv"].content.decode("utf-8-sig"))))
    of_choices = [row["column"] for row in columns if row["table"] == "choices"]
    assert of_choices == list(rows[0])
    for file in ("participants.csv", "events.csv"):
        assert found[file].content.decode("utf-8-sig").startswith("study,version,")
    assert "The answer" in found["report.html"].text
    assert "Sign out" not in found["report.html"].text
    assert client.get(f"{BASE}/secrets.txt").status_code == 404


def test_versions_are_shown_apart(tmp_path, page):
    with built(tmp_path, catch=0) as store:  # a catch trial may go wrong, and leave one out
        simulate(store, Skills(), 3)
    build(tmp_path, catch=0, per_participant=4).close()
    with Studies(tmp_path) as studies:
        app = Starlette(routes=admin_routes(studies, PASSWORD, "tiny"))
        with TestClient(app) as client:
            sign_in(client)
            newest, first = client.get(BASE).text, client.get(f"{BASE}?version=1").text
            assert "version 2" in newest and "0 counted of 0" in newest
            assert "version 1" in first and "3 counted of 3" in first
            assert f'href="{BASE}?version=1"' in newest
            for wrong in ("0", "3", "x", "-1", "1" * 9, "1" * 30):
                for place in (BASE, *(f"{BASE}/{file}" for file in FILES)):
                    answer = client.get(f"{place}?version={wrong}")
                    assert answer.status_code == 404
                    assert "There is no such version." in answer.text


def test_signing_out(client):
    sign_in(client)
    assert client.get(BASE).status_code == 200
    response = client.post(f"{BASE}/out", follow_redirects=False)
    assert response.status_code == 303 and "Max-Age=0" in response.headers["set-cookie"]
    assert client.get(BASE).status_code == 403


def test_wrong_passwords_are_slowed(client, caplog):
    with caplog.at_level(logging.WARNING):
        tries = [sign_in(client, "guess") for _ in range(FREE_TRIES)]
    assert [r.status_code for r in tries] == [403] * (FREE_TRIES - 1) + [429]
    assert all("set-cookie" not in r.headers for r in tries)
    assert tries[-1].headers["retry-after"] == "1"
    assert sign_in(client).status_code == 429  # the right one has to wait as well
    assert "guess" not in caplog.text and "wrong password" in caplog.text


def test_who_is_signed_in_is_not_locked_out_by_guessers(client):
    cookie = sign_in(client).headers["set-cookie"].split(";")[0]
    client.cookies.clear()
    for _ in range(FREE_TRIES + 2):
        sign_in(client, "guess")
    assert client.get(BASE, headers={"cookie": cookie}).status_code == 200


def test_a_browser_that_was_signed_in_is_not_locked_out_by_guessers(client):
    """Behind a proxy that the owner did not name, the guesser has the same address."""
    sign_in(client)
    browser = client.cookies["turing_browser"]
    client.cookies.clear()
    for _ in range(FREE_TRIES + 2):
        sign_in(client, "guess")
    assert sign_in(client).status_code == 429
    back = sign_in(client, headers={"cookie": f"turing_browser={browser}"})
    assert back.status_code == 303
    client.cookies.clear()
    assert client.get(BASE, headers={"cookie": f"turing_browser={browser}"}).status_code == 403


def test_another_sites_form_is_refused(client):
    for origin in ("https://evil.example", "null"):
        response = sign_in(client, headers={"origin": origin})
        assert response.status_code == 403 and "set-cookie" not in response.headers
        sent = client.post(f"{BASE}/out", headers={"origin": origin}, follow_redirects=False)
        assert sent.status_code == 403
    assert sign_in(client, headers={"origin": "http://testserver"}).status_code == 303


def test_another_sites_script_reads_nothing(client):
    sign_in(client)
    for path in (BASE, f"{BASE}/report.html", f"{BASE}/choices.csv"):
        response = client.get(path, headers={"origin": "https://evil.example"})
        assert response.status_code == 403
        assert not any(secret in response.text for secret in SECRETS)
        assert client.get(path, headers={"origin": "http://testserver"}).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"password", b"\xff\xfe=1", b"user=x&password=", b"a" * 15000]
)
def test_bodies_that_are_no_password(client, body):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = client.post(BASE, content=body, headers=headers, follow_redirects=False)
    assert response.status_code == 403
    assert client.post(BASE, content=b"x" * 20_000).status_code == 413


def test_behind_https_the_cookie_works_in_a_frame(client):
    response = sign_in(client, headers={"x-forwarded-proto": "https"})
    assert "SameSite=None; Secure; Partitioned" in response.headers["set-cookie"]
    assert "SameSite=Strict" in sign_in(client).headers["set-cookie"]


def test_a_browser_that_keeps_no_cookie_is_told(client):
    response = client.get(f"{BASE}?signed=in")
    assert response.status_code == 403 and "keeps no cookie" in response.text
    assert f'href="{BASE}" target="_blank"' in response.text


def test_the_address_behind_a_proxys_path(directory):
    with Studies(directory) as studies:
        app = Starlette(routes=admin_routes(studies, PASSWORD, "tiny"))
        with TestClient(app, root_path="/apps/colorize") as client:
            where = client.get("/admin", follow_redirects=False).headers["location"]
            assert where == f"/apps/colorize{BASE}"
            sent = sign_in(client)
            assert sent.headers["location"].startswith(f"/apps/colorize{BASE}")
            assert "Path=/apps/colorize/gradio_api/study;" in sent.headers["set-cookie"]


def test_off_without_a_password(directory):
    with Studies(directory) as studies:
        app = Starlette(routes=admin_routes(studies, None, "tiny"))
        with TestClient(app) as client:
            for path in ("", "/report.html"):
                response = client.get(BASE + path)
                assert response.status_code == 404
                assert "TURING_ADMIN_PASSWORD" in response.text
                assert 'type="password"' not in response.text
            assert sign_in(client, "").status_code == 404
            assert sign_in(client, "None").status_code == 404


def test_participants_see_none_of_it(client):
    sign_in(client)
    for path in ("/study", "/gradio_api/study", "/gradio_api/study/tiny/info"):
        text = client.get(path).text
        assert "admin" not in text and not any(secret in text for secret in SECRETS)


def test_what_would_be_lost_stands_on_the_page(directory, page):
    said = "Answers after 14:03:00 UTC would be lost <now>"
    with Studies(directory) as studies:
        routes = admin_routes(studies, PASSWORD, "tiny", {"tiny": said}.get)
        with TestClient(Starlette(routes=routes)) as client:
            assert "would be lost" not in client.get(BASE).text
            sign_in(client)
            assert "Answers after 14:03:00 UTC would be lost &lt;now&gt;" in client.get(BASE).text


def test_limits_that_turned_people_away_are_told(client, directory):
    sign_in(client)
    assert "kept people waiting" not in client.get(BASE).text
    with Store(directory / "tiny.sqlite") as store, store.writing() as db:
        for hour in (1, 2):
            people.note_full(db, "max_open", 1_780_000_000_000 + hour * 4_000_000)
    assert "max_open kept people waiting in 2 hours, last at 2026-" in client.get(BASE).text
