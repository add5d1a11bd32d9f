"""What a request must pass: size, JSON, origin, token, rate."""

import asyncio

import pytest
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from turing.store.people import RefusedError
from turing.web import guards


def request(headers=(), chunks=(b"",)):
    """A request whose body comes in chunks."""
    messages = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]

    async def receive():
        return messages.pop(0)

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive), messages


def read(**kwargs):
    asked, left = request(**kwargs)
    return asyncio.run(guards.read_body(asked)), left


def test_a_body_is_read_whole():
    assert read(chunks=(b"a" * 8192, b"b" * 8192))[0] == b"a" * 8192 + b"b" * 8192


def test_a_body_that_says_it_is_too_large_is_not_read():
    asked, left = request([("Content-Length", "16385")], (b"x",))
    with pytest.raises(RefusedError) as refused:
        asyncio.run(guards.read_body(asked))
    assert (refused.value.status, refused.value.code) == (413, "large")
    assert len(left) == 1


@pytest.mark.parametrize("headers", [[], [("Content-Length", "3")], [("Content-Length", "-1")]])
def test_reading_stops_where_a_body_is_too_large(headers):
    asked, left = request(headers, (b"x" * 10_000,) * 100)
    with pytest.raises(RefusedError):
        asyncio.run(guards.read_body(asked))
    assert len(left) == 98


class Pet(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)
    legs: int = Field(ge=0, description="a number of legs")
    names: dict[str, str] = Field(default_factory=dict, description="names by language")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "legs: expected a number of legs, found nothing"),
        (b"{}", "legs: expected a number of legs, found nothing"),
        (b'{"legs": "4"}', 'legs: expected a number of legs, found "4"'),
        (b'{"legs": 4, "names": {"en": 1}}', "names: expected names by language, found 1"),
        (b"[4]", "expected an object, found [4]"),
        (b"legs=4", "Expected JSON in UTF-8."),
        (b'{"legs": 4', "Expected JSON in UTF-8."),
        (b'{"legs": 4, "names": {"en": "\xff"}}', "Expected JSON in UTF-8."),
        (b'{"legs": 4, "names": {"en": "\\ud800"}}', "Expected JSON in UTF-8."),
        (b"[" * 10_000, "Expected JSON in UTF-8."),
    ],
)
def test_a_body_that_is_not_as_expected_says_so(body, sentence):
    with pytest.raises(RefusedError) as refused:
        guards.parsed(Pet, body)
    assert (refused.value.status, str(refused.value)) == (422, sentence)


def test_fields_that_nobody_asked_for_are_left_aside():
    assert guards.parsed(Pet, b'{"legs": 4, "wings": 2}') == Pet(legs=4)


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        ("http://a.org", {"Host": "a.org"}),
        ("https://a.org", {"Host": "a.org"}),
        ("https://a.org:443", {"Host": "a.org"}),
        ("https://a.org", {"Host": "a.org:443"}),
        ("http://127.0.0.1:7860", {"Host": "127.0.0.1:7860"}),
        ("http://[::1]:7860", {"Host": "[::1]:7860"}),
        ("https://A.org", {"Host": "a.ORG"}),
    ],
)
def test_the_own_page_may_call(origin, headers):
    guards.check_origin(request([("Origin", origin), *headers.items()])[0])


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "a.org:8080", "app.internal"])
def test_the_own_page_may_call_through_a_proxy_that_changes_the_host(host):
    headers = [("Origin", "https://a.org"), ("Host", host), ("Sec-Fetch-Site", "same-origin")]
    guards.check_origin(request(headers)[0])


@pytest.mark.parametrize("said", ["same-site", "cross-site", "none", "", "same-origin, x"])
def test_what_the_browser_says_of_others_lets_nobody_in(said):
    headers = [("Origin", "https://b.org"), ("Host", "a.org"), ("Sec-Fetch-Site", said)]
    with pytest.raises(RefusedError, match="X-Forwarded-Host") as refused:
        guards.check_origin(request(headers)[0])
    assert refused.value.code == "origin"


@pytest.mark.parametrize("said", [None, "same-site", "cross-site", "none"])
@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "Forwarded"])
def test_a_header_that_a_page_can_set_names_no_host(name, said):
    """What a named proxy says stands in Host by then (colorize/web/guards/proxies.py)."""
    value = "host=b.org" if name == "Forwarded" else "b.org"
    headers = [("Origin", "https://b.org"), ("Host", "a.org"), (name, value)]
    headers += [("Sec-Fetch-Site", said)] if said else []
    with pytest.raises(RefusedError) as refused:
        guards.check_origin(request(headers)[0])
    assert refused.value.code == "origin"


def test_a_script_may_call():
    guards.check_origin(request([("Host", "a.org")])[0])


@pytest.mark.parametrize(
    "origin",
    [
        *("http://b.org", "http://a.org.b.org", "http://a.org:81", "null", "", "a.org", "//a.org"),
        *("http://a.org:x", "http://a.org:99999", "http://", "file://", "http://xa.org"),
    ],
)
def test_another_sites_page_may_not_call(origin):
    with pytest.raises(RefusedError) as refused:
        guards.check_origin(request([("Origin", origin), ("Host", "a.org:80")])[0])
    assert (refused.value.status, refused.value.code) == (403, "origin")


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Bearer ", None),
        ("Bearer", None),
        ("Basic abc", None),
        ("", None),
    ],
)
def test_the_token_stands_in_the_header(header, token):
    assert guards.bearer(request([("Authorization", header)])[0]) == token


def test_the_rate_is_limited_for_each_key():
    now = [0.0]
    rate = guards.RateLimit(clock=lambda: now[0])
    for _ in range(20):
        rate.check("a")
        now[0] += 0.01
    with pytest.raises(RefusedError) as refused:
        rate.check("a")
    assert (refused.value.status, refused.value.code) == (429, "rate")
    rate.check("b")
    now[0] = 1.0  # a second after the first
    rate.check("a")
    with pytest.raises(RefusedError):
        rate.check("a")


def test_a_steady_rate_below_the_limit_passes():
    now = [0.0]
    rate = guards.RateLimit(clock=lambda: now[0])
    for _ in range(1000):
        rate.check("a")
        now[0] += 0.0501


def test_keys_are_forgotten():
    now = [0.0]
    rate = guards.RateLimit(most_keys=100, clock=lambda: now[0])
    for number in range(1000):
        rate.check(str(number))
        now[0] += 0.1
    assert len(rate._calls) <= 100
