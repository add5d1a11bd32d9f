"""Callers who send what no page would: timers, tokens, cookies, lengths."""

import json
import random

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from benchmarks.study import every_key as asked
from tests.turing.support.routes import BASE, auth, refusal, serving, start
from tests.turing.support.studies import BEFORE, built, rows
from turing.analysis.results_json import results_json
from turing.publish.dataset import publish
from turing.report.exports.export import export
from turing.report.of_store import store_report, store_results
from turing.store.sessions import Sessions
from turing.web.admin import admin_routes
from turing.web.guards import RateLimit
from turing.web.routes import study_routes
from turing.web.serving import Studies
from turing.web.sign_in import BROWSER, COOKIE

MANY = "9" * 5000  # more digits than Python makes a number of
NO_NUMBERS = (MANY, f"-{MANY}", "NaN", "Infinity", "-Infinity", "1e400", "-1", "1e13", "true")
NO_NUMBERS += ('"1"', "[]", "{}")
TIMERS = {
    "rt_ms": '"rt_ms": {}',
    "shown_ms": '"rt_ms": 1, "shown_ms": {}',
    "focus_lost": '"rt_ms": 1, "focus_lost": {}',
    "choice": '"rt_ms": 1, "choice": {}',
    "confidence": '"rt_ms": 1, "confidence": {}',
    "marks": '"rt_ms": 1, "marks": [{{"part": 0, "x": {}, "y": 0}}]',
    "viewport": '"rt_ms": 1, "device": {{"viewport_width": {}}}',
    **{
        key: f'"rt_ms": 1, "view": {{{{"{key}": {{}}}}}}'
        for key in ("frames", "dropped_frames", "refresh_hz", "drawn_width", "device_pixel_ratio")
    },
    **{
        key: f'"rt_ms": 1, "absence": {{{{"{key}": {{}}}}}}'
        for key in ("hidden_ms", "fullscreen_left")
    },
}


@pytest.fixture
def unlimited(store, page):
    """Clients of a study at any rate, with its results page; the password is "pw"."""
    with Studies(store.path.parent) as studies:
        routes = admin_routes(studies, "pw", "tiny")
        routes += study_routes(studies, page, RateLimit(10**9))
        with TestClient(Starlette(routes=routes)) as client:
            yield client


@pytest.mark.parametrize("key", TIMERS)
def test_what_no_timer_says_is_refused(unlimited, store, key):
    token, state = start(unlimited)
    trial = state["trial"]["trial"]
    first = '"choice": 0, ' if key != "choice" else ""
    for number in NO_NUMBERS:
        body = f'{{"trial": "{trial}", {first}{TIMERS[key].format(number)}}}'
        response = unlimited.post(f"{BASE}/answer", content=body, headers=auth(token))
        assert refusal(response) == (422, "invalid"), body[:200]
        assert len(response.text) < 500
    assert rows(store, "choices") == [] and len(rows(store, "events")) == 1


def tokens_like(token):
    return {
        "short": token[:-1],
        "long": f"{token}A",
        "8 KB": "x" * 8192,
        "another case": token.swapcase(),
        "twice": f"{token},{token}",
        "two": f"{token} {token}",
        "quoted": f'"{token}"',
        "not ASCII": "\xe9" * 43,
        "a control": "\x7f" * 43,
    }


@pytest.mark.parametrize("which", tokens_like("x"))
def test_tokens_that_are_nobodys_open_nothing(unlimited, store, which):
    token, state = start(unlimited)
    bearer = f"Bearer {tokens_like(token)[which]}".encode("latin-1")
    body = {"trial": state["trial"]["trial"], "choice": 0, "rt_ms": 1}
    for method, call in (
        ("GET", "state"),
        ("POST", "answer"),
        ("POST", "finish"),
        ("POST", "leave"),
    ):
        content = json.dumps(body if call == "answer" else {}) if method == "POST" else None
        headers = [(b"authorization", bearer)]
        response = unlimited.request(method, f"{BASE}/{call}", content=content, headers=headers)
        assert refusal(response) == (401, "token")
    assert rows(store, "choices") == [] and rows(store, "participants")[0]["withdrawn"] is None


def test_a_participant_of_another_study_is_nobody_here(tmp_path, page):
    for name in ("tiny", "other"):
        with built(tmp_path / "studies", name=name) as store:
            store.open_study()
    with Studies(tmp_path / "studies") as studies, serving(studies, page) as client:
        token, state = start(client)
        there = BASE.replace("tiny", "other")
        body = {"trial": state["trial"]["trial"], "choice": 0, "rt_ms": 1}
        response = client.post(f"{there}/answer", json=body, headers=auth(token))
        assert refusal(response) == (401, "token")
        picture = client.get(state["trial"]["picture"].replace("tiny", "other"))
        assert refusal(picture) == (404, "unknown")


@pytest.mark.parametrize(
    ("length", "status"),
    [(MANY, 413), ("9" * 19, 413), ("\u0663".encode(), 422), ("+5", 422), ("", 422), ("-1", 422)],
)
def test_lengths_that_are_none(unlimited, length, status):
    length = length if isinstance(length, bytes) else length.encode()
    response = unlimited.post(
        f"{BASE}/answer", content=b"{}", headers=[(b"content-length", length)]
    )
    assert refusal(response)[0] == status


def cookies_like(good):
    expires, _, signature = good.partition(".")
    return {
        "none": "",
        "a point": ".",
        "cut": good[:-1],
        "longer": f"{good}0",
        "capitals": f"{expires}.{signature.upper()}",
        "later": f"{int(expires) + 1}.{signature}",
        "below zero": f"-{good}",
        "signed": f"+{good}",
        "8 KB": "9" * 8192,
        "8 KB and a point": f"{'9' * 4096}.{'a' * 4096}",
        "other digits": f"\u0663{good}",
        "not ASCII": f"\xe9.{signature}",
        "escaped": '"\\351\\000.\\351"',
    }


@pytest.mark.parametrize("which", cookies_like("1.x"))
def test_cookies_that_are_forged_show_nothing(unlimited, which):
    signed = unlimited.post(f"{BASE}/admin", data={"password": "pw"}, follow_redirects=False)
    unlimited.cookies.clear()
    pairs = [each.partition(";")[0] for each in signed.headers.get_list("set-cookie")]
    good, browser = (dict(pair.split("=", 1) for pair in pairs)[name] for name in (COOKIE, BROWSER))
    assert look(unlimited, good).status_code == 200
    for forged in (cookies_like(good)[which], browser):
        for path in ("", "/choices.csv", "?version=1"):
            assert look(unlimited, forged, path).status_code == 403


def look(client, cookie, path=""):
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())]
    return client.get(f"{BASE}/admin{path}", headers=headers)


@pytest.mark.parametrize("version", ["\u0663", "\u00b2", "1" * 10, MANY, "-1", "1e3", "%00", " 1"])
def test_versions_that_are_none(unlimited, version):
    unlimited.post(f"{BASE}/admin", data={"password": "pw"})
    assert unlimited.get(f"{BASE}/admin?version={version}").status_code == 404


EXTREMES = (0.0, 5e-324, 1.0, 1e12)  # the least and the most that is let through
EXCLUSIONS = """\
max_rt_ms = 60000
shown_again = true
max_focus_lost = 100000
min_median_rt_ms = 0
min_catch_correct = 0
"""


def answered_absurdly(directory, protocol, exposure_ms):
    """A closed study of eight people who sent whatever passes, by a clock that jumps."""
    is_preference = protocol == "preference"
    store = built(
        directory,
        protocol=protocol,
        exposure_ms=exposure_ms,
        trials=asked.TRIALS + ("ties = true" if is_preference else ""),
        rest=f"[screening]\nplates = 2\n[analysis]\n{EXCLUSIONS}",
        **({"catch": 0, "show_score": "false"} if is_preference else {}),
    )
    store.open_study()
    mind, now = random.Random(1), [10**12]

    def clock():
        now[0] = max(1, now[0] + mind.choice([-3_600_000, 0, 900, 10**9]))
        return now[0]

    def any_of(*values):
        return mind.choice(values)

    sessions = Sessions(store, clock)
    for _ in range(8):
        device = {"viewport_width": any_of(0, 1e5), "device_pixel_ratio": any_of(0, 1000, 1e-9)}
        token, state = sessions.start(None, {}, BEFORE, None, False, device)
        while state.trial:
            is_plate = state.trial.kind == "plate"
            view = {
                "frames": any_of(0, 10**7),
                "dropped_frames": any_of(0, 10**7),
                "refresh_hz": any_of(0.0, 5e-324, 1e5, None),
                "drawn_width": any_of(0.0, 1e5),
                "drawn_height": any_of(0.0, 1e5),
                "device_pixel_ratio": any_of(0.0, 1000.0),
                "layout": any_of("beside", "stacked", "single", None),
            }
            spot = {"part": 0, "x": any_of(0, 1), "y": any_of(0.0, 1.0)}
            state = sessions.answer(
                *(token, state.trial.trial, mind.randrange(3 if is_preference else 2)),
                *(any_of(*EXTREMES), any_of(*EXTREMES, None), any_of(0, 10_000), view),
                *((None, None) if is_plate else (any_of(1, 4), [spot] * any_of(0, 20))),
                *(
                    device,
                    {"hidden_ms": any_of(0, 0.4, 1e12), "fullscreen_left": any_of(0, 10_000)},
                ),
            ).state
        sessions.finish(token, {})
    store.close_study()
    return store


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("protocol", "exposure_ms"),
    [
        ("pick-original", "[100, 500]"),
        ("pick-fake-sequential", '"staircase"'),
        ("single", '"staircase"'),
        ("preference", "[100, 500]"),
    ],
)
def test_absurd_timers_make_no_figure_absurd(tmp_path, protocol, exposure_ms):
    store = answered_absurdly(tmp_path / "studies", protocol, exposure_ms)
    results = store_results(store)
    assert json.dumps(results_json(results), allow_nan=False)
    (slow,) = (rule for rule in results.exclusions.of_trials if rule.rule == "max_rt_ms")
    assert slow.trials and results.choices["rt_ms"].max() <= 60_000
    report = store_report(store, results)
    assert "Response times" in report and "1000000000.00" not in report
    for ending in ("csv", "json", "parquet"):
        assert export(store, tmp_path / f"out.{ending}").rows == len(rows(store, "choices"))
    assert '"1e+12"' not in (tmp_path / "out.json").read_text()
    assert publish(store, tmp_path / "data").trials
    store.close()
