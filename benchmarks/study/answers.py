"""How many answers a second one app writes, each on disk before it is confirmed.

    python -m benchmarks.study.answers [--people 100] [--seconds 20] [--folder DIR] [--every-key]

People answer over HTTP without a pause, from processes of their own; then the store alone is
measured, without HTTP. Prints one line of JSON. `server_ms` is the time that an answer takes the
server on the processor, starts of participants included, whatever else runs beside it. `--folder`
lies on the disk to be measured; `--every-key` is a study that asks all that one can ask.
"""

import argparse
import json
import multiprocessing
import os
import random
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.study import every_key as asked
from benchmarks.study.serving import cpu_seconds
from tests.turing.support.servers import Browser, Nursery, Server
from tests.turing.support.studies import BEFORE, built
from turing.store.sessions import Sessions

TRIALS = 60
CLIENTS = 4  # processes
EVERY_KEY = {
    "exposure_ms": asked.EXPOSURES,
    "trials": asked.TRIALS,
    "asks": asked.PARTICIPANTS,
    "rest": asked.REST,
}


def answer_away(port: int, people: int, seconds: float, every_key: bool) -> list[float]:
    """The seconds that each answer took, of people who take turns, once all have started."""
    mind = random.Random(port)

    def start(browser: Browser) -> dict:
        more = asked.started() | {"query": {"PROLIFIC_PID": browser.token}} if every_key else {}
        return browser.start(**more)

    crowd = [Browser(port) for _ in range(people)]
    states = [start(browser) for browser in crowd]
    took: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for number, browser in enumerate(crowd):
            if "trial" not in states[number]:
                browser.close()
                browser = crowd[number] = Browser(port)
                states[number] = start(browser)
            more = asked.said(states[number]["trial"], mind) if every_key else {}
            began = time.perf_counter()
            states[number] = browser.answer(states[number], number % 2, **more)
            took.append(time.perf_counter() - began)
    return took


def over_http(
    folder: Path, people: int, seconds: float, every_key: bool = False
) -> dict[str, float]:
    nursery, keys = Nursery(), EVERY_KEY if every_key else {}
    with (
        built(folder / "studies", photos=80, per_participant=TRIALS, **keys) as store,
        Server(nursery, folder / "studies", folder / "page") as server,
        ProcessPoolExecutor(CLIENTS, multiprocessing.get_context("spawn")) as pool,
    ):
        store.open_study()
        done = [
            pool.submit(answer_away, server.port, people // CLIENTS, seconds, every_key)
            for _ in range(CLIENTS)
        ]
        times = sorted(took for one in done for took in one.result())
        spent = cpu_seconds(server.pid)
        first, last, count = store.connection.execute(
            "SELECT min(received), max(received), count(*) FROM (SELECT received FROM choices "
            "UNION ALL SELECT received FROM answers WHERE question LIKE 'plate %')"
        ).fetchone()
    nursery.close()
    return {
        "answers": count,
        "a_second": round(count / (last - first) * 1000, 1),
        "median_ms": round(times[len(times) // 2] * 1000, 1),
        "p95_ms": round(times[int(len(times) * 0.95)] * 1000, 1),
        "server_ms": round(spent / count * 1000, 2),
    }


def store_alone(folder: Path, seconds: float) -> float:
    """Answers a second of one thread that does nothing else."""
    with built(folder / "alone", photos=80, per_participant=TRIALS) as store:
        store.open_study()
        sessions, count, spent = Sessions(store), 0, 0.0
        while spent < seconds:
            token, state = sessions.start(None, {}, BEFORE, None)
            began = time.perf_counter()
            while state.trial:
                state = sessions.answer(token, state.trial.trial, 0, 500).state
                count += 1
            spent += time.perf_counter() - began
    return round(count / spent, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.study.answers", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--people", type=int, default=100, help="at a time (default: 100)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long (default: 20)")
    parser.add_argument("--folder", type=Path, help="on which disk (default: the temporary one)")
    parser.add_argument(
        "--every-key", action="store_true", help="a study that asks all that one can ask"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = {
            "cores": len(os.sched_getaffinity(0)),
            "people": options.people,
            "http": over_http(Path(folder), options.people, options.seconds, options.every_key),
            "store_alone_a_second": store_alone(Path(folder), options.seconds / 4),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
