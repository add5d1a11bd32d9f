"""Many people at once, over real HTTP."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .servers import Browser, Nursery, Server
from .studies import built, rows

PEOPLE = 200
SECONDS = 30
MEAN_PAUSE = 2.0


class TimedBrowser(Browser):
    """It notes how long each answer took."""

    def __init__(self, port, times):
        super().__init__(port)
        self.times = times

    def once(self, method, path, body=None):
        started = time.perf_counter()
        reply = super().once(method, path, body)
        if path == "answer":
            self.times.append(time.perf_counter() - started)
        return reply


@pytest.mark.slow
def test_200_people_lose_nothing_and_double_nothing(tmp_path):
    times, nursery = [], Nursery()
    over = time.monotonic() + SECONDS

    def visit(number):
        mind = random.Random(number)
        time.sleep(mind.random() * 3)
        browser = TimedBrowser(server.port, times)
        state = browser.start()
        while "trial" in state and time.monotonic() < over:
            assert browser.once("GET", state["trial"]["picture"])[0] == 200
            time.sleep(min(mind.expovariate(1 / MEAN_PAUSE), 10))
            state = browser.answer(state, mind.randrange(2))
        if "trial" not in state:
            assert browser.call("POST", "finish", {"answers": {}})["code"] == "C0L0R"
        browser.close()
        return browser

    with (
        built(tmp_path / "studies", photos=12, per_participant=10) as store,
        Server(nursery, tmp_path / "studies", tmp_path / "page") as server,
    ):
        store.open_study()
        with ThreadPoolExecutor(PEOPLE) as pool:
            browsers = list(pool.map(visit, range(PEOPLE)))
        saved = {trial: choice for browser in browsers for trial, choice in browser.saved.items()}
        names = {row["id"]: row["picture"] for row in rows(store, "trials")}
        written = {names[row["trial"]]: row["choice"] for row in rows(store, "choices")}
        assert written == saved
        assert len(saved) == sum(len(browser.saved) for browser in browsers) > PEOPLE * 5
        numbers = [row["number"] for row in rows(store, "participants")]
        assert numbers == list(range(1, PEOPLE + 1))
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    nursery.close()
    times.sort()
    half, most = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(
        f"{len(times)} answers: median {half * 1000:.0f} ms, 95th percentile {most * 1000:.0f} ms"
    )
