"""Who waits for whom: for a network's turn or a model that loads, nobody but those who need it."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from colorize.inference import colorizer
from colorize.inference import loaded as module
from colorize.models.record import list_checkpoints
from colorize.web.pictures.routes import PREFIX, Pictures
from colorize.web.session import MOST_RELOADS, Sessions
from colorize.web.workshop import Look, Upload, Workshop
from tests.support import gates

SOON = 60.0
until = partial(gates.until, within=SOON)


@pytest.fixture
def workshop(with_hints, tmp_path):
    (tmp_path / "files").mkdir()
    return Workshop(tmp_path / "files", list_checkpoints())


@pytest.fixture
def sessions(workshop, tmp_path):
    sessions = Sessions(workshop, tmp_path / "sessions")
    yield sessions
    sessions.close()


@pytest.fixture
def file(shipped_photos, tmp_path):
    Image.fromarray(shipped_photos["coffee.png"]).resize((90, 60)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.fixture
def get(sessions):
    """A function: the status of a picture of a session; all requests are of one event loop."""
    with TestClient(Starlette(routes=Pictures(sessions, []).routes())) as client:
        yield lambda session, path: client.get(f"{PREFIX}/{session.key}/1/{path}").status_code


def test_pictures_come_while_the_hints_of_others_wait(sessions, workshop, file, get):
    """Two visitors ask for more hinted pictures than the server has threads."""
    visitors = [sessions.of(str(number)) for number in range(2)]
    for session in visitors:
        list(session.add([file]))
        session.choose(["hinted"], None)
        list(session.run())
    hinted = "hinted/{}?hints=1,2,%23ff0000&x=1&y=2"
    with ThreadPoolExecutor(64) as pool:
        with workshop.turn("a"), workshop.turn("b"):  # the networks are at others' photos
            asked = [
                pool.submit(get, session, hinted.format(what))
                for session in visitors
                for what in ("colour", "swatches", "uncertainty") * 8
            ]
            until(lambda: workshop.turns.waiting() == 2)  # one for each visitor, not each picture
            for session in visitors:
                for path in ("grey", "original", "hinted/colour", "hinted/file"):
                    assert pool.submit(get, session, path).result(SOON) == 200
            assert not any(one.done() for one in asked)
        assert {one.result(SOON) for one in asked} == {200}


def test_new_photos_are_taken_in_while_the_networks_are_busy(sessions, workshop, file, get):
    session = sessions.of("me")
    with workshop.turn("a"), workshop.turn("b"), ThreadPoolExecutor(1) as pool:
        pool.submit(list, session.add([file])).result(SOON)
        assert pool.submit(get, session, "grey").result(SOON) == 200


@pytest.fixture
def slow_loading(monkeypatch):
    """Models load as long as `slow_loading.over` is not set; `slow_loading.begun` names them."""

    class SlowLoading:
        begun, over = [], threading.Event()

    real = module.Colorizer

    def load(name):
        SlowLoading.begun.append(name)
        assert SlowLoading.over.wait(SOON)
        return real(name)

    monkeypatch.setattr(module, "Colorizer", load)
    return SlowLoading


def test_a_model_that_loads_holds_up_nobody_who_has_another(workshop, file, slow_loading):
    upload = Upload("me", file)
    slow_loading.over.set()
    workshop.preview(upload, Look("direct"), 400)
    slow_loading.over.clear()
    with ThreadPoolExecutor(3) as pool:
        loading = [pool.submit(workshop.colorizer, "bins") for _ in range(2)]
        until(lambda: "bins" in slow_loading.begun)
        shown = pool.submit(workshop.preview, upload, Look("direct", saturation=0.5), 400)
        assert shown.result(SOON).shape == (60, 90, 3)
        assert pool.submit(workshop.preview, upload, Look("direct", 64), 400).result(SOON).any()
        slow_loading.over.set()
        one, other = (future.result(SOON) for future in loading)
    assert one is other and slow_loading.begun == ["direct", "bins"]


def test_coming_back_waits_without_a_thread(sessions):
    session = sessions.of("me")

    async def come_back():
        threads = set(threading.enumerate())  # some of earlier tests may end meanwhile
        waits = [
            asyncio.create_task(sessions.until_left(session.key, f"copy {number}", SOON))
            for number in range(200)
        ]
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert set(threading.enumerate()) <= threads
        assert sum(not wait.done() for wait in waits) == MOST_RELOADS  # the others are answered
        sessions.leave("me")
        await asyncio.wait_for(asyncio.gather(*waits), SOON)

    asyncio.run(come_back())
    assert sessions.resume(session.key, "me again")


def test_one_who_stops_waiting_does_not_stop_the_others(workshop, file):
    upload, look = Upload("me", file), Look("direct")

    async def wait():
        with workshop.turn("a"), workshop.turn("b"):
            one, other = (asyncio.create_task(workshop.made(upload, look)) for _ in range(2))
            await asyncio.sleep(0.01)
            one.cancel()
            await asyncio.wait([one])
        return await asyncio.wait_for(other, SOON)

    assert asyncio.run(wait()).seconds > 0
    assert asyncio.run(workshop.made(upload, look)).seconds == 0  # remembered


def test_two_visitors_runs_take_turns_photo_by_photo(sessions, workshop, file, monkeypatch):
    order, run = [], colorizer.run_network

    def noted(network, record, L):
        order.append("few" if L.shape[-2] > L.shape[-1] else "many")
        return run(network, record, L)

    monkeypatch.setattr(colorizer, "run_network", noted)
    many, few = sessions.of("many"), sessions.of("few")
    list(many.add([file] * 3))
    Image.open(file).rotate(90, expand=True).save(file)  # so that its photo is told from theirs
    list(few.add([file]))
    for session in (many, few):
        session.choose(["direct"], None)
    with ThreadPoolExecutor(2) as pool, workshop.turn("a"):
        with workshop.turn("b"):
            runs = [pool.submit(lambda: list(many.run()))]
            until(lambda: workshop.turns.waiting() == 1)
            runs.append(pool.submit(lambda: list(few.run())))
            until(lambda: workshop.turns.waiting() == 2)
        for one in runs:
            one.result(SOON)
    assert order == ["many", "few", "many", "many"]
