"""The rooms stay small, and their doors open fast. `lint-imports` holds who imports whom."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENTRIES = {"colorize": 15, "turing": 13}  # of the packages themselves; their folders hold 12
LINES = 400


def _folders():
    for package in ENTRIES:
        for folder in (ROOT / package, *(ROOT / package).rglob("*/")):
            if folder.name != "__pycache__":
                yield folder


def _entries(folder):
    return [entry for entry in folder.iterdir() if entry.name != "__pycache__"]


def test_no_folder_is_too_full_to_look_through():
    full = {
        str(folder.relative_to(ROOT)): count
        for folder in _folders()
        if (count := len(_entries(folder))) > ENTRIES.get(str(folder.relative_to(ROOT)), 12)
    }
    assert full == {}


def test_no_file_is_too_long_to_read():
    files = [file for folder in _folders() for file in _entries(folder) if file.is_file()]
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines())
        for file in files
        if file.suffix in (".py", ".js", ".css", ".html", ".toml")
    }
    assert len(lengths) > 150
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


@pytest.mark.parametrize(
    "name",
    [
        "colorize",
        "turing",
        "colorize.photo",
        "colorize.models.record",
        "colorize.training.settings",
    ],
)
def test_imports_that_must_be_cheap_load_neither_torch_nor_gradio(name):
    code = f"import sys, {name}; print(sorted({{'torch', 'gradio'}} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
