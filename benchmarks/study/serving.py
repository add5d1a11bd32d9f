"""The app in a process of its own, to be measured, killed and started again."""

import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600.0  # seconds until the app answers, on a slow and busy machine


class App:
    """`python app.py` over a folder of studies; every start listens at the same port.

    As a context manager it is started, and killed at the end. Raises RuntimeError with what the
    app printed where it does not start.
    """

    def __init__(self, store: Path, *arguments: str, **environment: str) -> None:
        self.store = store
        self.port = _free_port()
        self._command = [sys.executable, "app.py", "--port", str(self.port), *arguments]
        self._environment = {**os.environ, "TURING_STORE": str(store), **environment}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return self._process.pid

    @property
    def log(self) -> Path:
        """What the app printed since its last start."""
        return self.store.with_name(f"{self.store.name}.log")

    def start(self) -> None:
        """Returns when the app answers."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        self.wait_for("/study")

    def wait_for(self, path: str) -> None:
        """Returns when `path` is served."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(self.address + path, timeout=10) as answer:
                    answer.read()
                return
            except urllib.error.HTTPError as refused:
                refused.close()
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"the app does not serve {path}:\n{self.log.read_text('utf-8')}")

    def kill(self) -> None:
        """kill -9: the app has no time to tidy up."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> "App":
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def cpu_seconds(process: int) -> float:
    """The time that a process has had on the processor; NaN where there is no /proc."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.is_file():
        return float("nan")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    """Not from the range of outgoing connections: one of those could take it between starts."""
    for port in random.sample(range(10_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port was found")
