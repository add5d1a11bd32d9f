"""How fast answers are saved while many people take part and a photo is being colorized.

    python -m benchmarks.study.people
    python -m benchmarks.study.people --people 50 --seconds 20 --no-colorization
    python -m benchmarks.study.people --every-key

It starts the app with a built-in study of its own in a temporary folder; with `--every-key` that
study has plates before its trials, and asks all that one can ask. People come, answer and
go, and others come in their place; their pictures are fetched as the page does. Exit status 1
where an acknowledged answer is not in the store exactly once. `server_ms` is what the app spent on
the processor while they answered, for each answer, everything else that it did included.
"""

import argparse
import http.client
import json
import random
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.study import every_key as asked
from benchmarks.study.serving import App, cpu_seconds
from turing.stimuli.build import build
from turing.stimuli.demo import MODELS, make_demo
from turing.store.store import Store, create_store, store_path
from turing.study.screening import ANSWERS
from turing.study.study import load_study

PREFIX = "/gradio_api/study"
PLAIN, EVERY_KEY = "demo", "every-key"  # names of studies; the app builds the first
AIM_MS = 300  # 95 of 100 answers are to be quicker
ARRIVING = 5.0  # seconds in which the first of all seats come
PHOTO = (4000, 3000)  # pixels, as a phone takes them


@dataclass
class Load:
    """What was asked, how long each call took in seconds, and what became of the answers."""

    people: int = 0
    seconds: float = 0.0
    every_key: bool = False
    spent: float = 0.0  # seconds of the app on the processor
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    saved: dict[str, int] = field(default_factory=dict)  # trial -> choice, as acknowledged
    plates: dict[str, int] = field(default_factory=dict)  # and of plates
    retried: Counter[str] = field(default_factory=Counter)
    colorized: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def study(self) -> str:
        return EVERY_KEY if self.every_key else PLAIN

    def percentiles(self, call: str) -> dict[str, float]:
        """Milliseconds: p50, p95, p99 and the longest."""
        times = np.array(self.times[call] or [np.nan]) * 1000
        return {f"p{p}": np.percentile(times, p) for p in (50, 95, 99)} | {"longest": times.max()}

    @property
    def lines(self) -> Iterator[str]:
        answers = len(self.times["answer"])
        yield (
            f"{self.people} people at a time for {self.seconds:.0f} s: {answers} answers, "
            f"{answers / self.seconds:.1f}/s, {self.retried.total()} calls made again"
        )
        if self.colorized:
            megapixels = PHOTO[0] * PHOTO[1] / 1e6
            yield (
                f"meanwhile {len(self.colorized)} photos of {megapixels:.0f} megapixels were "
                f"colorized, {np.mean(self.colorized):.1f} s each"
            )
        for call in ("start", "picture", "answer", "finish"):
            if self.times[call]:
                figures = (f"{name} {ms:.0f} ms" for name, ms in self.percentiles(call).items())
                yield f"{call:8} {', '.join(figures)}"
        yield f"server   {self.spent / max(answers, 1) * 1000:.2f} ms on the processor an answer"
        yield from self.faults
        p95 = self.percentiles("answer")["p95"]
        yield f"95% of answers within {p95:.0f} ms; the aim is {AIM_MS} ms"


class Visitor:
    """One participant after another, at one connection, like the page in a browser."""

    def __init__(self, port: int, load: Load, seed: int, pause: float) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._load = load
        self._study = f"{PREFIX}/{load.study}"
        self._mind = random.Random(seed)
        self._pause = pause

    def come_and_go(self, until: float) -> None:
        time.sleep(self._mind.random() * ARRIVING)
        while time.monotonic() < until:
            self._take_part(until)
        self._connection.close()

    def _take_part(self, until: float) -> None:
        self._token, seen = secrets.token_urlsafe(32), set()
        body = {"consent": True, "answers": {"colour_vision": "no"}}
        if self._load.every_key:
            body |= asked.started() | {"query": {"PID": self._token}}
        state = self._call("start", "POST", f"{self._study}/start", body)["state"]
        while "trial" in state:
            for picture in (state["trial"]["picture"], state.get("next_picture")):
                if picture and picture not in seen:
                    seen.add(picture)
                    self._call("picture", "GET", picture)
            time.sleep(min(self._mind.expovariate(1 / self._pause), 5 * self._pause))
            if time.monotonic() >= until:
                return
            trial, choice = state["trial"]["trial"], self._mind.randrange(2)
            body = {"trial": trial, "choice": choice, "rt_ms": 1000.0, "focus_lost": 0}
            if self._load.every_key:
                body |= asked.said(state["trial"], self._mind)
            is_plate = state["trial"]["kind"] == "plate"
            state = self._call("answer", "POST", f"{self._study}/answer", body)["state"]
            (self._load.plates if is_plate else self._load.saved)[trial] = choice
        self._call("finish", "POST", f"{self._study}/finish", {"answers": {}})

    def _call(self, call: str, method: str, path: str, body: object = None) -> dict:
        """The JSON that is answered in the end; it takes as long as all tries do."""
        started = time.perf_counter()
        while True:
            reused = self._connection.sock is not None
            try:
                status, content = self._once(method, path, body)
            except (OSError, http.client.HTTPException):
                self._connection.close()
                if reused:  # the server hangs up after some seconds; browsers connect anew as well
                    continue
                status, content = 503, b""
            if status < 400:
                break
            if status not in (429, 503):
                raise RuntimeError(f"{path}: {status} {content[:200]!r}")
            self._load.retried[call] += 1
            time.sleep(0.5)
        self._load.times[call].append(time.perf_counter() - started)
        return json.loads(content) if content[:1] == b"{" else {}

    def _once(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, path, sent, headers)
        response = self._connection.getresponse()
        return response.status, response.read()


def put_load(
    app: App,
    people: int = 200,
    seconds: float = 60,
    pause: float = 2.0,
    colorize: bool = True,
    every_key: bool = False,
) -> Load:
    """People at the app's built-in study: each answers every `pause` seconds on average.

    With `colorize`, photos are colorized by the same app one after the other, from before the
    first answer until the last. The store is compared with what was acknowledged.
    """
    load = Load(people, seconds, every_key)
    app.wait_for(f"{PREFIX}/{load.study}/info")
    before = cpu_seconds(app.pid)
    with _colorizing(app, load, colorize), ThreadPoolExecutor(people) as pool:
        until = time.monotonic() + seconds
        visitors = [Visitor(app.port, load, seed, pause) for seed in range(people)]
        for done in [pool.submit(visitor.come_and_go, until) for visitor in visitors]:
            done.result()
    load.spent = cpu_seconds(app.pid) - before
    load.faults += _faults(app, load)
    return load


def build_every_key(folder: Path) -> Path:
    """The built-in study with every key of `every_key`, built and opened; its study file."""
    photos = folder / "demo-photos"
    plain = make_demo(photos).source
    text = plain.replace(f'name = "{PLAIN}"', f'name = "{EVERY_KEY}"')
    text = text.replace("exposure_ms = 0\n", f"exposure_ms = {asked.EXPOSURES}\n{asked.TRIALS}")
    people = f'[participants]\nquery = ["PID"]\nidentify_by = "PID"\n{asked.PARTICIPANTS}'
    rest = asked.REST.replace("[analysis]\n", "")
    looks = next(line for line in rest.splitlines() if line.startswith("looks"))
    text = text.replace("[texts]", f"{people}{rest.replace(looks, '')}\n[texts]", 1)
    text = text.replace("[analysis]", f"[analysis]\n{looks}", 1)
    file = photos / "study.toml"
    file.write_text(text, "utf-8")
    with create_store(folder, EVERY_KEY) as store:
        build(load_study(file), store)
        store.open_study()
    return file


@contextmanager
def _colorizing(app: App, load: Load, wanted: bool) -> Iterator[None]:
    """Within it, photos are colorized all the time through the app's API."""
    if not wanted:
        yield
        return
    from gradio_client import Client, handle_file

    client = Client(app.address, verbose=False)
    over, began = threading.Event(), threading.Event()
    noise = np.random.default_rng(0)

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            while not over.is_set():
                coarse = noise.integers(0, 256, (6, 8), np.uint8)  # another photo every time
                path = Path(folder) / "photo.jpg"
                Image.fromarray(coarse).resize(PHOTO).save(path)
                began.set()
                started = time.perf_counter()
                photo, models = handle_file(path), list(MODELS)
                client.predict(photo, models, 1.0, None, None, api_name="/colorize")
                load.colorized.append(time.perf_counter() - started)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        began.wait()
        try:
            yield
        finally:
            over.set()
            working.result()


def _faults(app: App, load: Load) -> list[str]:
    """Where the store does not hold each acknowledged answer once, and nothing else."""
    with Store(store_path(app.store, load.study)) as store, store.reading() as db:
        rows = db.execute(
            "SELECT t.picture, c.choice FROM choices c JOIN trials t ON t.id = c.trial"
        ).fetchall()
        rows += [
            (picture, ANSWERS.index(answer))
            for picture, answer in db.execute(
                "SELECT p.picture, a.answer FROM answers a JOIN plates p ON p.participant = "
                "a.participant AND a.question = 'plate ' || p.place"
            )
        ]
        (whole,) = db.execute("PRAGMA integrity_check").fetchone()
    written, saved = dict(rows), load.saved | load.plates
    lost = sum(written.get(trial) != choice for trial, choice in saved.items())
    others = sum(trial not in saved for trial in written) + len(rows) - len(written)
    found = {"answers lost": lost, "answers too many": others}
    faults = [f"{number} {what}" for what, number in found.items() if number]
    return faults if whole == "ok" else [*faults, f"the store is damaged: {whole}"]


def main() -> int:
    """Prints the figures; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.study.people", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--people", type=int, default=200, help="at a time (default: 200)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: 60)")
    parser.add_argument(
        "--pause", type=float, default=2.0, help="mean seconds between answers (default: 2)"
    )
    parser.add_argument(
        "--no-colorization", action="store_true", help="nothing else runs in the app"
    )
    parser.add_argument(
        "--every-key", action="store_true", help="a study that asks all that one can ask"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        studies = Path(folder) / "studies"
        shown = ("--study", str(build_every_key(studies))) if options.every_key else ()
        with App(studies, *shown, TMPDIR=folder) as app:
            load = put_load(
                app,
                options.people,
                options.seconds,
                options.pause,
                not options.no_colorization,
                options.every_key,
            )
    for line in load.lines:
        print(line)
    return 1 if load.faults else 0


if __name__ == "__main__":
    sys.exit(main())
