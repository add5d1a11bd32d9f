"""How many uploads there are, what room they leave, and what broken ones leave."""

import asyncio
import os
import time
from collections import namedtuple

import pytest

from colorize.web.guards import middleware, uploads
from colorize.web.guards.middleware import Guard
from colorize.web.guards.uploads import RefusedError, Uploads

API = "/gradio_api"

Usage = namedtuple("Usage", "free")


@pytest.mark.parametrize(("free", "status"), [(2**30 - 1, 507), (2**31, 200)])
def test_uploads_leave_room_for_the_studies(ask, monkeypatch, free, status):
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage(free))
    assert ask("POST", f"{API}/upload", headers=[("Content-Length", 0)])[0] == status
    assert ask("POST", f"{API}/study/demo/answer")[0] == 200


def test_the_size_of_an_upload_counts_beforehand(ask, monkeypatch):
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage(2**30 + 1000))
    assert ask("POST", f"{API}/upload", headers=[("Content-Length", 999)])[0] == 200
    assert ask("POST", f"{API}/upload", headers=[("Content-Length", 1001)])[0] == 507


def test_an_upload_that_announces_nothing_stops_where_the_room_ends(ask, monkeypatch):
    """As its pieces arrive; what came before them is on the disk by then."""
    free = [2**30 + 2500]
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage(free[0]))

    async def app(scope, receive, send):
        while (message := await receive()).get("more_body"):
            free[0] -= len(message["body"])

    status, sentence = ask("POST", f"{API}/upload", [b"x" * 1000] * 10, app=app)
    assert status == 507 and "no room" in sentence
    assert len(ask.left) == 7 and free[0] >= 2**30


def test_uploads_that_are_under_way_count(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage(2**30 + 1000))
    known = Uploads(tmp_path)
    first = known.begin("10.0.0.7", 600)
    with pytest.raises(RefusedError):
        known.begin("10.0.0.8", 500)
    known.begin("10.0.0.8", 400)
    known.arrive(first, 200)
    with pytest.raises(RefusedError):  # the disk has not less room, though it should have
        known.begin("10.0.0.9", 300)
    known.end(first)
    known.begin("10.0.0.9", 600)


def test_one_client_has_so_many_uploads_at_once(tmp_path):
    known = Uploads(tmp_path)
    under_way = [known.begin("10.0.0.7", 0) for _ in range(uploads.MOST_AT_ONCE)]
    with pytest.raises(RefusedError, match="being sent already") as refused:
        known.begin("10.0.0.7", 0)
    assert refused.value.status == 429
    known.begin("10.0.0.8", 0)
    known.end(under_way[0])
    known.begin("10.0.0.7", 0)


@pytest.mark.parametrize("ends", ["well", "refused", "left", "failed"])
def test_an_upload_counts_until_it_ends(ask, monkeypatch, tmp_path, ends):
    monkeypatch.setattr(uploads, "MOST_AT_ONCE", 1)
    stack = Guard(ask.app, tmp_path)

    async def send(message):
        pass

    async def receive():
        if ends == "failed":
            raise OSError("broken")
        if ends == "left":
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"x" * 1000, "more_body": ends == "refused"}

    monkeypatch.setattr(middleware, "MOST_UPLOAD", 10_000)
    headers = [] if ends == "refused" else [(b"content-length", b"1000")]
    scope = {"type": "http", "method": "POST", "path": f"{API}/upload", "headers": headers}
    for _ in range(3):
        asyncio.run(stack(scope | {"client": ("10.0.0.7", 1)}, receive, send))
    assert not stack._uploads._under_way


def test_what_a_broken_upload_left_is_deleted(tmp_path):
    written = tmp_path / "gradio"
    (written / "hash").mkdir(parents=True)
    known = Uploads(tmp_path, written)
    slow = known.begin("10.0.0.7", 0)
    broken = known.begin("10.0.0.8", 0)
    ours, before = written / "tmpslow", written / "tmpbroken"
    for file in (ours, before, written / "hash" / "photo.png", written / "other"):
        file.touch()
    os.utime(before, (time.time() - 60,) * 2)
    known.end(broken)
    assert ours.exists() and not before.exists()
    known.end(slow)
    assert {file.name for file in written.rglob("*")} == {"hash", "photo.png", "other"}
