import asyncio
import logging

import pytest

from colorize.web.guards.proxies import VARIABLE, Proxies, named_proxies

SPACE = named_proxies({}, on_space=True)


def seen(named, client, *headers, kind="http"):
    """Client, scheme and headers of a request as what stands behind the proxies gets it."""
    got = []

    async def app(scope, receive, send):
        got.append(scope)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "scheme": "http", "headers": raw, "client": client and (client, 1234)}
    asyncio.run(Proxies(app, named)(scope, None, None))
    (scope,) = got
    pairs = [(name.decode(), value.decode()) for name, value in scope["headers"]]
    return (scope["client"] or ("",))[0], scope["scheme"], pairs


SAID = (
    ("Host", "127.0.0.1:7860"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Host", "app.example"),
    ("Accept", "*/*"),
)


@pytest.mark.parametrize("named", ["", "127.0.0.2", "10.0.0.0/8, 192.168.1.1", "proxy"])
@pytest.mark.parametrize("client", ["127.0.0.1", "203.0.113.1", "::1", None])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_from_anybody_it_is_taken_out(named, client, kind):
    told, scheme, headers = seen(named, client, *SAID, kind=kind)
    assert (told, scheme) == (client or "", "http")
    assert headers == [("host", "127.0.0.1:7860"), ("accept", "*/*")]


@pytest.mark.parametrize(
    ("named", "client"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1, ::1", "::1"),
        ("10.0.0.0/8", "10.16.7.92"),
        ("proxy,10.0.0.7", "10.0.0.7"),
        (SPACE, "10.16.7.92"),
        (SPACE, "127.0.0.1"),
    ],
)
def test_a_named_proxy_is_believed(named, client):
    told, scheme, headers = seen(named, client, *SAID, ("X-Forwarded-Proto", "https"))
    assert (told, scheme) == ("203.0.113.9", "https")
    assert headers == [("host", "app.example"), ("accept", "*/*"), ("x-forwarded-proto", "https")]


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        (["app.example"], "app.example"),
        (["app.example:8443"], "app.example:8443"),
        (["evil.example, app.example"], "app.example"),  # Apache appends to what came
        (["evil.example", "app.example"], "app.example"),
        ([""], "here"),
        ([], "here"),
    ],
)
def test_the_nearest_proxys_word_for_the_host_counts(hosts, host):
    given = [("X-Forwarded-Host", value) for value in hosts]
    assert seen("10.0.0.7", "10.0.0.7", ("Host", "here"), *given)[2] == [("host", host)]


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the first one came with the request
        ("1.1.1.1, 203.0.113.9, 10.0.0.8", "203.0.113.9"),  # two proxies of ours
        ("10.0.0.9, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:5555", "203.0.113.9"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("", "10.0.0.7"),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy_of_ours(chain, client):
    assert seen("10.0.0.0/8", "10.0.0.7", ("X-Forwarded-For", chain))[0] == client
    assert seen(SPACE, "10.0.0.7", ("X-Forwarded-For", chain))[0] == client


def test_who_may_name_proxies():
    assert named_proxies({}) == ""
    assert named_proxies({VARIABLE: " 10.0.0.7 "}) == "10.0.0.7"
    assert named_proxies({VARIABLE: ""}, on_space=True) == ""
    assert "127.0.0.1" in named_proxies({}, shared=True)  # where the tunnel of --share ends
    assert named_proxies({VARIABLE: "10.0.0.7"}, shared=True) == "10.0.0.7"


def test_a_proxy_that_nobody_named_is_told_once(caplog):
    async def app(scope, receive, send):
        pass

    stack = Proxies(app)
    scope = {"type": "http", "scheme": "http", "client": ("10.0.0.7", 1)}
    with caplog.at_level(logging.WARNING):
        asyncio.run(stack({**scope, "headers": []}, None, None))
        assert caplog.text == ""
        for _ in range(3):
            headers = [(b"x-forwarded-for", b"1.1.1.1\nforged line")]
            asyncio.run(stack({**scope, "headers": headers}, None, None))
    (line,) = caplog.messages
    assert line.endswith("FORWARDED_ALLOW_IPS=10.0.0.7")


def test_other_kinds_of_connection_pass():
    async def app(scope, receive, send):
        scope["seen"] = True

    scope = {"type": "lifespan"}
    asyncio.run(Proxies(app)(scope, None, None))
    assert scope["seen"]
