"""Options and rules that hold for every test."""

import ipaddress
import os
import shutil
import socket
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

_SLOW_WEIGHT = 10  # a slow test takes as long as about so many others


def pytest_addoption(parser):
    parser.addoption("--runslow", action="store_true", help="run the slow tests too")


def pytest_xdist_auto_num_workers(config):
    """Two processes share all tests, or a folder of them; those of files that are named have one.

    Two, for their memory: tests of the largest networks take some gigabytes.
    """
    files = [argument for argument in config.args if ".py" in argument]
    return 0 if files else min(2, os.cpu_count() or 1)


def pytest_configure():
    """Before torch is there: two processes of a thread each, as of all that they start."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(config, items):
    runs_slow = config.getoption("--runslow")
    skip = pytest.mark.skip(reason="slow: give --runslow")
    weights = Counter()
    for item in items:
        weights[item.path] += _SLOW_WEIGHT if runs_slow and "slow" in item.keywords else 1
        if "slow" in item.keywords and not runs_slow:
            item.add_marker(skip)
    # Heavy files first: a process that begins one last would leave the others idle.
    items.sort(key=lambda item: -weights[item.path])


@pytest.fixture(scope="session")
def _settings_at_first() -> dict[str, str]:
    return _settings()


@pytest.fixture(scope="module", autouse=True)
def _begins_as_the_first_did(_settings_at_first):
    """No file of tests finds what another one's fixtures or tests have set."""
    assert _settings() == _settings_at_first


def _settings() -> dict[str, str]:
    names = ("COLORIZE_", "TURING_", "GRADIO_")
    return {name: value for name, value in os.environ.items() if name.startswith(names)}


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch):
    """A test that reaches for the network fails at once, whether or not there is one."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise AssertionError(f"a test reached for the network: {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", _resolve_loopback(socket.getaddrinfo))


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _resolve_loopback(getaddrinfo):
    def guarded(host, *arguments, **options):
        if host and not _is_loopback(host.decode() if isinstance(host, bytes) else host):
            raise AssertionError(f"a test looked up the name {host!r}")
        return getaddrinfo(host, *arguments, **options)

    return guarded


@pytest.fixture(scope="session")
def make_pixels():
    """A function of (seed, height, width): a smooth colour picture, uint8 `(h, w, 3)`."""

    def make(seed: int, height: int = 64, width: int = 64) -> np.ndarray:
        coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))

    return make


@pytest.fixture(scope="session")
def shipped_checkpoints(tmp_path_factory) -> Path:
    """A folder with checkpoints of random weights: "direct", the default, and "bins"."""
    from tests.support.random_checkpoints import save_all  # torch, which many tests do without

    folder = tmp_path_factory.mktemp("checkpoints")
    save_all(folder)
    return folder


@pytest.fixture
def checkpoints(shipped_checkpoints, monkeypatch) -> Path:
    """`shipped_checkpoints` as the folder where models are looked for. Not to be written to."""
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(shipped_checkpoints))
    return shipped_checkpoints


@pytest.fixture(scope="session")
def shipped_with_hints(shipped_checkpoints, tmp_path_factory) -> Path:
    """`shipped_checkpoints` and "hinted", a small U-Net, which takes colour hints."""
    from tests.support.random_checkpoints import save_hinted

    folder = tmp_path_factory.mktemp("hinted") / "checkpoints"
    shutil.copytree(shipped_checkpoints, folder)
    save_hinted(folder)
    return folder


@pytest.fixture
def with_hints(shipped_with_hints, monkeypatch) -> Path:
    """`shipped_with_hints` as the folder where models are looked for. Not to be written to."""
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(shipped_with_hints))
    return shipped_with_hints
