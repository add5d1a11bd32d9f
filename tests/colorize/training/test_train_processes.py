"""Training in processes of its own: Ctrl-C from outside, and two processes together."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import colorize
from colorize.models.checkpoint import load_checkpoint
from tests.support.ports import free_port
from tests.support.train_runs import assert_same, state_of

pytestmark = pytest.mark.slow

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": ""}
SCRIPT = """
import json, os, sys, time
from pathlib import Path
from colorize.cli.interrupts import interruptible
from colorize.data.datasets import find_datasets
from colorize.training import start, train as training
from colorize.training.settings import make_settings

data, output, network, batch, epochs, resume, stays_at = sys.argv[1:]
start.load_pretrained = lambda network, name, file: file.name
step, batches = training._Trainer._train_step, training._Trainer._batches

def said(self, rgb):
    loss = step(self, rgb)
    print("step", self.step, flush=True)
    while self.step == int(stays_at) and not stopped():  # a signal comes when it comes
        time.sleep(0.01)
    return loss

def noted(self):
    loader = batches(self)
    file = Path(output).parent / f"seen-{self.accelerator.process_index}.json"
    file.write_text(json.dumps(loader.batch_sampler))
    return loader

training._Trainer._train_step, training._Trainer._batches = said, noted
changes = ["crop=32", f"batch={batch}", "precision=no"]
if network == "fusion":
    changes += ["backbone=test_resnet", "backbone_size=32", "backbone_file=w.safetensors"]
with interruptible() as stopped:
    done = training.train(
        make_settings(network, changes),
        find_datasets(Path(data)),
        Path(output),
        training.Budget(epochs=int(epochs)),
        resume=resume == "resume",
        stopped=stopped,
    )
sys.exit(0 if done else 3)
"""


@pytest.fixture
def on_disk(tmp_path, make_pixels, encode):
    for split, seeds in (("train", range(16)), ("val", range(100, 102))):
        folder = tmp_path / "data" / "made" / split
        folder.mkdir(parents=True)
        for seed in seeds:
            (folder / f"{seed:03}.png").write_bytes(encode(make_pixels(seed, 40, 48)))
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path


@pytest.fixture
def start(on_disk):
    """A function that starts a training; what still runs at the end is ended.

    stays_at: a step at which it stays until it is asked to stop.
    """
    processes = []

    def start(
        output, network="baseline", batch=4, epochs=2, resume=False, launcher=(), stays_at=-1
    ):
        script = [str(on_disk / "script.py"), str(on_disk / "data"), str(on_disk / output)]
        how = [network, batch, epochs, "resume" if resume else "anew", stays_at]
        package = Path(colorize.__file__).parents[1]
        processes.append(
            subprocess.Popen(
                [sys.executable, *launcher, *script, *map(str, how)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | ENVIRONMENT | {"PYTHONPATH": str(package)},
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=120)


def finish(process, expected=0):
    out, errors = process.communicate(timeout=600)
    assert process.returncode == expected, errors
    return out, errors


def interrupt_at(process, step):
    for line in process.stdout:
        if line.startswith(f"step {step}"):
            process.send_signal(signal.SIGINT)
            return


def two_processes():
    return [
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",  # its launcher serves CPUs too; --cpu starts one process
        "--num_processes=2",
        "--num_machines=1",
        "--mixed_precision=no",
        "--dynamo_backend=no",
        "--main_process_ip=127.0.0.1",
        f"--main_process_port={free_port()}",
    ]


def test_ctrl_c_ends_cleanly_and_the_run_goes_on(on_disk, start):
    finish(start("through", epochs=4))
    process = start("stopped", epochs=4, stays_at=5)
    interrupt_at(process, 5)
    out, errors = finish(process, expected=3)
    assert "Traceback" not in errors
    assert "go on with --resume" in out + errors
    step = state_of(on_disk / "stopped")["place"][0]
    assert 5 <= step <= 9
    finish(start("stopped", epochs=4, resume=True))
    through, stopped = state_of(on_disk / "through"), state_of(on_disk / "stopped")
    for key in ("network", "ema", "optimizer", "place", "best"):
        assert_same(through[key], stopped[key], key)


def test_two_processes_learn_what_one_learns_from_twice_the_batch(on_disk, start):
    """fusion has no BatchNorm that trains, so only the order of sums differs."""
    finish(start("one", "fusion", batch=4))
    one = json.loads((on_disk / "seen-0.json").read_text())
    finish(start("two", "fusion", batch=2, launcher=two_processes()))
    first, second = (json.loads((on_disk / f"seen-{rank}.json").read_text()) for rank in (0, 1))
    assert [a + b for a, b in zip(first, second, strict=True)] == one
    places = [place for batch in first + second for place in batch]
    assert len(places) == len(set(places)) == 16
    states = [state_of(on_disk / name) for name in ("one", "two")]
    assert states[0]["place"] == states[1]["place"]
    for key, value in states[0]["network"].items():
        assert torch.allclose(value, states[1]["network"][key], atol=2e-4), key
    load_checkpoint(on_disk / "two" / "best")


def test_two_processes_train_a_network_with_a_layer_that_stays(on_disk, start):
    """Two steps: what the first left without a gradient is missed at the second."""
    finish(start("run", "zhang", 4, epochs=1, launcher=two_processes()))
    assert state_of(on_disk / "run")["place"][0] == 2


def test_two_processes_go_on_where_they_were_stopped(on_disk, start):
    finish(start("through", batch=2, epochs=3, launcher=two_processes()))
    process = start("stopped", batch=2, epochs=3, launcher=two_processes(), stays_at=5)
    interrupt_at(process, 5)
    process.communicate(timeout=600)
    assert state_of(on_disk / "stopped")["place"][0] >= 5
    finish(start("stopped", batch=2, epochs=3, resume=True, launcher=two_processes()))
    through, stopped = state_of(on_disk / "through"), state_of(on_disk / "stopped")
    for key in ("network", "ema", "optimizer", "place"):
        assert_same(through[key], stopped[key], key)
    _, errors = finish(start("stopped", batch=2, epochs=3, resume=True), expected=1)
    assert "started with another number of processes" in errors
