"""How many answers a second one app writes, each on disk before it is confirmed.

    python -m benchmarks.study.answers [--people 100] [--seconds 20] [--folder DIR]

People answer over HTTP without a pause, from processes of their own; then the store alone is
measured, without HTTP. Prints one line of JSON. `server_ms` is the time that an answer takes the
server on the processor, starts of participants included, whatever else runs beside it. `--folder`
lies on the disk to be measured.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.turing.support.servers import Browser, Nursery, Server
from tests.turing.support.studies import BEFORE, built
from turing.store.sessions import Sessions

TRIALS = 60
CLIENTS = 4  # processes


def answer_away(port: int, people: int, seconds: float) -> list[float]:
    """The seconds that each answer took, of people who take turns, once all have started."""
    crowd = [Browser(port) for _ in range(people)]
    states = [browser.start() for browser in crowd]
    took: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for number, browser in enumerate(crowd):
            if "trial" not in states[number]:
                browser.close()
                browser = crowd[number] = Browser(port)
                states[number] = browser.start()
            began = time.perf_counter()
            states[number] = browser.answer(states[number], number % 2)
            took.append(time.perf_counter() - began)
    return took


def over_http(folder: Path, people: int, seconds: float) -> dict[str, float]:
    nursery = Nursery()
    with (
        built(folder / "studies", photos=80, per_participant=TRIALS) as store,
        Server(nursery, folder / "studies", folder / "page") as server,
        ProcessPoolExecutor(CLIENTS, multiprocessing.get_context("spawn")) as pool,
    ):
        store.open_study()
        done = [
            pool.submit(answer_away, server.port, people // CLIENTS, seconds)
            for _ in range(CLIENTS)
        ]
        times = sorted(took for one in done for took in one.result())
        spent = cpu_seconds(server.pid)
        first, last, count = store.connection.execute(
            "SELECT min(received), max(received), count(*) FROM choices"
        ).fetchone()
    nursery.close()
    return {
        "answers": count,
        "a_second": round(count / (last - first) * 1000, 1),
        "median_ms": round(times[len(times) // 2] * 1000, 1),
        "p95_ms": round(times[int(len(times) * 0.95)] * 1000, 1),
        "server_ms": round(spent / count * 1000, 2),
    }


def cpu_seconds(process: int) -> float:
    """The time that a process has had on the processor; NaN where there is no /proc."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.is_file():
        return float("nan")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = {
            "cores": len(os.sched_getaffinity(0)),
            "people": options.people,
            "http": over_http(Path(folder), options.people, options.seconds),
            "store_alone_a_second": store_alone(Path(folder), options.seconds / 4),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
