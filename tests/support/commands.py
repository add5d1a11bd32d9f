"""The command line in the test's own process, and as users run it."""

import subprocess
import sys

from typer.testing import CliRunner

from colorize.cli import app

ALL_FORMATS = ("jpg", "png", "webp", "tif", "bmp", "avif", "gif")
MEASURES = ("judge", "decodings", "robustness", "bleeding")


def colorize(*arguments, code=0):
    """Runs a command in this process: its result, if the exit code is right and none crashed."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result


def command_line(*arguments, **options):
    command = [sys.executable, "-m", "colorize", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def lines(text):
    return text.splitlines()
