import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from PIL import Image

from colorize.models import importing
from colorize.models.record import read_record, write_record
from tests.support.commands import MEASURES, colorize, command_line, lines

COMMANDS = (
    *("photo", "film", "models", "train", "evaluate", "sheet"),
    *(*MEASURES, "score-hints", "export", "blend", "import", "fetch"),
)


def test_models_lists_the_checkpoints(own_checkpoints):
    record = read_record(own_checkpoints / "bins.json")
    row = dict.fromkeys(("mse", "ciede2000", "colorfulness"), 0.0123)
    scores = [
        row | {"dataset": "all", "shipped": False, "mse": 0.5},
        row | {"dataset": "all", "shipped": True},
        row | {"dataset": "fruits", "shipped": True, "mse": 0.7},
    ]
    odd = "[red]odd[/red] summary"
    write_record(replace(record, scores=scores, summary=odd), own_checkpoints / "bins.json")
    output = colorize("models").stdout
    assert "direct (default)" in output
    assert odd in output
    assert "0.01230" in output
    assert "0.5" not in output
    found = json.loads(colorize("models", "--json").stdout)
    assert [entry["name"] for entry in found] == ["direct", "bins"]
    assert found[1]["scores"] == scores


def test_models_without_any(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "none"))
    assert "There is no checkpoint in" in colorize("models").stdout
    assert json.loads(colorize("models", "--json").stdout) == []


def test_published_weights_are_imported(own_checkpoints, tmp_path, monkeypatch):
    weights = tmp_path / "weights.pth"
    weights.write_text("no weights")
    for network, file, name, code in [
        ("zhang", weights, "bad/name", 2),
        ("nothing", weights, "new", 1),
        ("zhang", tmp_path / "missing.pth", "new", 1),
        ("zhang", weights, "new", 1),
        ("zhang", weights, "direct", 1),
    ]:
        result = colorize("import", network, file, "-o", name, code=code)
        assert len(lines(result.stderr)) == 1
    calls = []

    def fake(*arguments, **options):
        calls.append((*arguments, options))
        return read_record(own_checkpoints / "bins.json")

    monkeypatch.setattr(importing, "import_weights", fake)
    assert "can be used now" in colorize("import", "zhang", weights, "-o", "new").stdout
    colorize("import", "ddcolor", weights, "-o", "other", "--licence", "theirs")
    assert calls == [
        ("zhang", weights, "new", own_checkpoints, {"licence": None}),
        ("ddcolor", weights, "other", own_checkpoints, {"licence": "theirs"}),
    ]


def test_a_run_is_exported(own_checkpoints, tmp_path, photo):
    run = tmp_path / "run"
    run.mkdir()
    record = read_record(own_checkpoints / "bins.json")
    write_record(replace(record, name="best"), run / "best.json")
    shutil.copy(own_checkpoints / "bins.safetensors", run / "best.safetensors")
    texts = ("--title", "Mine", "--summary", "My own", "--licence", "CC0", "--default")
    colorize("export", run, "-o", "mine", *texts)
    mine = read_record(own_checkpoints / "mine.json")
    assert (mine.title, mine.summary, mine.licence, mine.default) == ("Mine", "My own", "CC0", True)
    assert mine.weights == record.weights
    assert not read_record(own_checkpoints / "direct.json").default
    colorize("photo", photo, "-o", tmp_path / "new.png", "--temperature", 1)
    assert "--overwrite replaces it" in colorize("export", run, "-o", "mine", code=1).stderr
    colorize("export", run, "-o", "a/b", code=2)
    colorize("export", tmp_path, "-o", "other", code=1)


def test_checkpoints_are_blended(own_checkpoints):
    options = ("bins", "bins", "--share", "0.3", "-o", "mixed", "--title", "Mixed")
    assert "Mixed can be used now" in colorize("blend", *options).stdout
    assert read_record(own_checkpoints / "mixed.json").training["share"] == 0.3
    assert "--overwrite replaces it" in colorize("blend", *options, code=1).stderr
    assert "mixed" in colorize("models").stdout
    colorize("blend", "bins", "bins", "--share", "2", "-o", "other", code=2)
    assert "expected the network" in colorize("blend", "bins", "direct", "-o", "o", code=1).stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_each_command_with_an_example(command):
    output = colorize(command, "--help").stdout
    assert f"python -m colorize {command}" in output.split("Usage:")[1].partition("\n")[2]
    assert colorize(command, "-h").stdout == output


def test_help_lists_every_command():
    output = colorize("--help").stdout
    assert [line.split()[0] for line in lines(output.partition("Commands:\n")[2])] == [*COMMANDS]


def test_no_command_at_all_is_wrong_use():
    assert "photo" in colorize(code=2).output
    assert "No such command" in colorize("nonsense", code=2).stderr
    assert "Missing argument" in colorize("photo", code=2).stderr
    assert "Missing option" in colorize("photo", "a.jpg", code=2).stderr


def test_torch_is_not_imported_for_help_and_wrong_use(checkpoints):
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from colorize.cli import app\n"
        "for line in sys.argv[1:]:\n"
        "    CliRunner().invoke(app, line.split())\n"
        "assert 'colorize.batch.plan' in sys.modules\n"
        "assert 'torch' not in sys.modules, line\n"
    )
    used = ["--help", "photo --help", "train --help", "photo x.jpg -o y.jpg --hint 1,1,#ff0000"]
    used += ["photo x.jpg -o y.jpg --model nothing", "models", "evaluate --data nowhere"]
    command = [sys.executable, "-c", script, *used]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_exit_codes_of_the_real_command(tmp_path):
    environment = os.environ | {"COLORIZE_CHECKPOINTS": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    for arguments, code in [
        (("--help",), 0),
        (("models",), 0),
        (("photo", "é.jpg", "-o", "x.jpg"), 2),
        (("train", "--network", "baseline", "--data", "nowhere", "--output", tmp_path / "r"), 2),
    ]:
        done = command_line(*arguments, env=environment)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_real_command_on_a_mixed_tree(checkpoints, album, tmp_path):
    done = command_line("photo", album, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert len(lines(done.stderr)) == 5
    assert done.stdout.startswith("9 colorized, 3 failed")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_the_real_command_in_one_line(checkpoints, tmp_path, make_pixels):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    Image.fromarray(make_pixels(0, 300, 400)).save(folder / "000.png")
    for number in range(1, 200):
        shutil.copy(folder / "000.png", folder / f"{number:03d}.png")
    command = [sys.executable, "-m", "colorize", "photo", str(folder), "-o", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list(out.glob("*.png")) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stderr = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    written = sorted(out.iterdir())
    assert 0 < len(written) < 200
    left = 200 - len(written)
    assert stderr == (
        f"Interrupted. {left} of 200 photos are left; the same command with --resume does them\n"
    )
    for file in written:
        with Image.open(file) as opened:
            opened.load()


@pytest.mark.slow
def test_on_a_terminal_there_is_a_bar(checkpoints, album, tmp_path):
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "colorize", "photo", album, "-o", tmp_path / "out"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen(
        command, stderr=child, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        os.close(child)
        seen = b""
        while True:
            try:
                part = os.read(parent, 4096)
            except OSError:  # Linux says so at the end
                break
            if not part:
                break
            seen += part
        assert process.stdout.read().startswith("9 colorized")
    os.close(parent)
    assert "/12" in seen.decode()
    assert "photos/s" in seen.decode()
    assert seen.decode().count("is text, not a picture") == 1
