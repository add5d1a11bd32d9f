import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import app
from colorize.models.checkpoint import build_network, save_checkpoint
from colorize.models.record import Record
from tests.support.gates import SOON, until
from tests.support.ports import free_port

ROOT = Path(app.__file__).parent


def run(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "app.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def port():
    return free_port()


def failed(capsys, *arguments):
    assert app.main([str(argument) for argument in arguments]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    return message


@pytest.fixture(autouse=True)
def _keep_signals_and_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("TURING_STORE", str(tmp_path / "studies"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")


def test_taken_port(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        message = failed(capsys, "--port", taken)
    assert f"Port {taken} on 127.0.0.1 cannot be used" in message and "--port" in message


@pytest.mark.parametrize(
    "door", [["app.py"], ["-m", "colorize", "models"], ["-m", "turing", "status", "x"]]
)
def test_a_python_without_the_packages_is_named(door):
    """As the machine's own Python is, beside the environment that has them."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    bare = [sys.executable, "-S", *door]
    done = subprocess.run(bare, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert sys.executable in done.stderr and "pip install -r requirements.txt" in done.stderr


def test_wrong_port(capsys):
    assert "1 to 65535" in failed(capsys, "--port", 70000)


def test_no_models(capsys, port, tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path))
    assert str(tmp_path) in failed(capsys, "--port", port)


def test_damaged_record(capsys, port, tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path))
    (tmp_path / "broken.json").write_text("{")
    assert "broken.json" in failed(capsys, "--port", port)


def test_wrong_memory(capsys, port, monkeypatch):
    monkeypatch.setenv("COLORIZE_VISITOR_MEMORY", "much")
    assert "expected a whole number of megabytes" in failed(capsys, "--port", port)


def test_spaces_settings_are_the_defaults(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7861")
    options = app._parser().parse_args([])
    assert (options.host, options.port) == ("0.0.0.0", 7861)
    assert app._parser().parse_args(["--port", "1234"]).port == 1234


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_it_is_stopped_and_leaves_nothing(tmp_path, port, ending):
    record = Record("some", "Some", "random", "baseline", {}, 96, {"kind": "direct"})
    save_checkpoint(build_network("baseline", {}), record, tmp_path / "models")
    process = run("--port", port, COLORIZE_CHECKPOINTS=tmp_path / "models", TMPDIR=tmp_path)
    try:
        assert process.stdout.readline() == (
            f"Colorize runs at http://127.0.0.1:{port}/ (Ctrl-C ends it)\n"
        )
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert answer.status == 200
        assert list(tmp_path.glob("colorize-*"))
        process.send_signal(ending)
        _, errors = process.communicate(timeout=SOON)
        assert process.returncode == 0 and "Traceback" not in errors, errors
    finally:
        process.kill()
        process.wait()
    until(lambda: not list(tmp_path.glob("colorize-*")))
