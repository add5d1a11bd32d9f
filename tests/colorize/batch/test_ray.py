"""The pipeline on Ray: two workers on this machine, one of them killed in the middle."""

import csv
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from PIL import Image

from colorize import Colorizer
from colorize.batch import ray as cluster
from colorize.batch.outcome import Settings
from colorize.batch.plan import Task, make_plan
from colorize.errors import ColorizeError

PHOTOS = 24


@pytest.fixture
def album(tmp_path, make_pixels) -> Path:
    folder = tmp_path / "album"
    (folder / "sub").mkdir(parents=True)
    for number in range(PHOTOS):
        file = folder / ("sub" if number % 2 else ".") / f"{number:02d}.jpg"
        Image.fromarray(make_pixels(number, 800, 1000)).save(file)
    (folder / "text.jpg").write_text("no picture")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_a_killed_workers_photos_are_done_by_another(checkpoints, album, tmp_path):
    command = ["photo", "album", "-o", "out", "--manifest", "list.csv"]
    with subprocess.Popen(
        [sys.executable, "-m", "colorize", *command, "--engine", "ray", "--workers", "2"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(cluster.__file__).parents[2]), "TMPDIR": "/tmp"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while len(results(tmp_path)) < 2 and process.poll() is None:
            time.sleep(0.02)
        if process.returncode is not None:
            pytest.fail("".join(process.communicate()))
        family = psutil.Process(process.pid).children(recursive=True)
        workers = [child for child in family if "MapWorker" in "".join(child.cmdline())]
        workers[0].kill()
        assert len(results(tmp_path)) < PHOTOS  # it was in the middle
        stdout, stderr = process.communicate(timeout=500)
    assert process.returncode == 1
    assert stdout == f"{PHOTOS} colorized, 1 failed\n"
    assert stderr == "album/text.jpg is text, not a picture; give a picture file.\n"
    assert psutil.wait_procs(family, timeout=30)[1] == []

    model = Colorizer("direct", device="cpu")
    assert len(results(tmp_path)) == PHOTOS
    for task in make_plan([album], tmp_path / "out").tasks:
        if task.format:
            alone = model(task.source)
            alone.save(tmp_path / "alone.jpg")
            assert task.target.read_bytes() == (tmp_path / "alone.jpg").read_bytes()
    with (tmp_path / "list.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["input"] for row in rows}) == len(rows) == PHOTOS + 1
    assert [row["input"] for row in rows if row["error"]] == ["album/text.jpg"]
    # how long the killed worker took for what it had written, nobody knows
    assert sum(row["seconds"] == "" for row in rows) <= cluster._BLOCK


def results(folder):
    return [file for file in folder.glob("out/**/*.jpg") if not file.name.startswith(".")]


def test_what_is_there_is_not_sent_away(checkpoints, tmp_path, make_pixels, monkeypatch):
    monkeypatch.setattr(cluster, "_ray", lambda _: pytest.fail("started"))
    for name in ("old.png", "new.png"):
        Image.fromarray(make_pixels(0)).save(tmp_path / name)
    task = Task(tmp_path / "old.png", tmp_path / "new.png", "PNG")
    own = Task(tmp_path / "old.png", tmp_path / "old.png", "PNG")
    record = checkpoints / "direct.json"
    errors = [outcome.error for outcome in cluster.execute_on_ray(record, [task, own], Settings())]
    assert errors == [
        f"{task.source}: {task.target} exists already; --overwrite replaces it, "
        "--resume keeps it where it is whole",
        f"{own.source}: the result would replace the photo; choose another output",
    ]


@pytest.fixture
def make_actor(checkpoints, monkeypatch):
    """A function of how often a block was begun before: an actor without Ray around it."""
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get=lambda value: value))

    def make(begun=0, **settings):
        attempts = cluster._Attempts()
        for _ in range(begun):
            attempts.begin(5)
        record = str(checkpoints / "direct.json")
        return cluster._Actor(record, "cpu", Settings(**settings), 1, attempts.begin)

    return make


@pytest.fixture
def block(tmp_path, make_pixels):
    Image.fromarray(make_pixels(0)).save(tmp_path / "old.png")
    return {
        "number": np.array([5, 7]),
        "source": np.array([str(tmp_path / "old.png"), str(tmp_path / "no.png")]),
        "target": np.array([str(tmp_path / "new.png"), str(tmp_path / "no2.png")]),
        "format": np.array(["PNG", ""]),
    }


def test_a_block_that_is_done_again_is_found_done(make_actor, block):
    rows = make_actor(resume=True)(block)
    assert rows["number"] == [5, 7]
    assert rows["before"] == [False, False]
    again = make_actor(begun=1, resume=True)(block)
    assert again["before"] == [True, False]
    assert again["error"] == rows["error"] == ["", rows["error"][1]]


def test_a_block_whose_worker_ends_each_time_is_given_up(make_actor, block, tmp_path):
    ended = f"{tmp_path}/old.png: its worker ended 3 times, perhaps for want of memory"
    assert make_actor(begun=3)(block)["error"][0] == ended
    assert not (tmp_path / "new.png").exists()
    make_actor(begun=2)(block)
    assert make_actor(begun=3)(block)["error"][0] == ""


def test_sentences_have_the_paths_that_were_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = Task(Path("a/old.png"), Path("b/new.png"), "PNG")
    said = f"{tmp_path}/a/old.png: {tmp_path}/b/new.png exists already"
    row = {"error": said, "notices": '["One."]', "seconds": 1.0, "before": False}
    outcome = cluster._outcome(task, row)
    assert outcome.error == "a/old.png: b/new.png exists already"
    assert (outcome.notices, outcome.seconds) == (("One.",), 1.0)


def test_without_ray_it_says_what_to_install(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    task = Task(tmp_path / "old.png", tmp_path / "new.png", "PNG")
    outcomes = cluster.execute_on_ray(checkpoints / "direct.json", [task], Settings())
    with pytest.raises(ColorizeError, match=r"pip install 'ray\[data\]'"):
        list(outcomes)
