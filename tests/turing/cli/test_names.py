"""Names of studies, files and folders that nobody would choose: refused, or right; never more than
a line."""

import os
import shutil
import unicodedata

import pytest
from typer.testing import CliRunner

from tests.turing.support.studies import built, study_text
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.cli import app

NAMES = {
    "a new line": "a\nb",
    "a return": "a\rb",
    "an escape": "a\x1b[31m",
    "right to left": "a\u202eb",
    "a smile": "\U0001f600",
    "points": "a...",
    "blanks": " a ",
    "decomposed": unicodedata.normalize("NFD", "\u00e9\u00fc"),
    "markup": "a[red]b",
    "not UTF-8": os.fsdecode(b"a\xff"),
    "percent": "a%20b",
    "too long": "x" * 300,
    "a null": "a\0b",
}
REFUSED = {"too long", "a null"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    directory = tmp_path_factory.mktemp("studies")
    with built(directory) as store:
        simulate(store, Skills(), 3, seed=1)
    return directory


def run(*arguments):
    """The exit code; whatever was said is a line each, and nothing steers the terminal."""
    result = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "120"})
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert "Traceback" not in result.output
    assert all(line.isprintable() for line in result.output.splitlines())
    if result.exit_code == 1:
        assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.exit_code


@pytest.mark.parametrize("which", [*NAMES, "up"])
def test_a_study_is_called_by_letters_digits_and_dashes(tmp_path, which):
    file = tmp_path / "study.toml"
    name = (NAMES | {"up": ".."})[which]
    if which == "not UTF-8":
        file.write_bytes(os.fsencode(study_text(name=name)))
    else:
        file.write_text(study_text(name=name), "utf-8", newline="")
    for command in ("build", "open", "close", "status", "preview"):
        assert run(command, file, "--store", tmp_path / "studies") == 1
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize("which", NAMES)
def test_files_and_folders_may_be_called_as_one_likes(tiny, tmp_path, which):
    store, name = tiny / "tiny.sqlite", NAMES[which]
    expected = 1 if which in REFUSED else 0
    out = tmp_path / "out"
    out.mkdir()
    assert run("export", store, "-o", f"{out}/{name}.csv") in ({1, 2} if expected else {0})
    assert run("export", store, "-o", f"{out}/{name}/x.csv") in ({1, 2} if expected else {0})
    assert run("results", f"{out}/{name}/no.sqlite") in (1, 2)
    if expected:
        assert list(out.iterdir()) == []
        return
    made = {path.name for path in out.iterdir()}
    assert {f"{name}.csv", f"{name}.participants.csv", f"{name}.events.csv", name} <= made
    folder = tmp_path / name
    shutil.copytree(tiny, folder)
    assert run("results", folder / "tiny.sqlite") == 0
    (folder / f"{name}.sqlite").write_bytes(store.read_bytes())  # without its pictures
    assert run("publish", folder / f"{name}.sqlite", "-o", folder / "data") == 1
    assert not (folder / "data").exists()


@pytest.mark.slow
@pytest.mark.parametrize("which", [name for name in NAMES if name not in REFUSED])
def test_reports_and_data_sets_of_such_folders(tiny, tmp_path, which):
    folder = tmp_path / NAMES[which]
    shutil.copytree(tiny, folder)
    assert run("report", folder / "tiny.sqlite", "-o", folder / f"{NAMES[which]}.html") == 0
    assert run("publish", folder / "tiny.sqlite", "-o", folder / "data") == 0
    assert (folder / "data" / "key.json").is_file()
