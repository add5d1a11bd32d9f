"""Rules of the whole code that no linter knows, read from its syntax trees."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("colorize", "turing")
FILES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
# Modules that stand at the bottom, and the small ones below them.
PURE = {
    "colorize.color.lab",
    "colorize.color.bins",
    "colorize.photo.opening",
    "turing.statistics.fractions",
    "turing.study.trials",
}
BELOW = {
    "colorize",
    "colorize.errors",
    "colorize.files",
    "colorize.photo.exif",
    "colorize.photo.formats",
    "colorize.photo.metadata",
    "colorize.photo.pixels",
    "turing.errors",
    "turing.stimuli.rounding",
}
DOORS = {"tab", "routes", "admin", "cli", "__main__"}


def name_of(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(file) for file in FILES}


def running(node):
    """The nodes of a tree but those that only type checkers see."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        return
    for child in ast.iter_child_nodes(node):
        yield from running(child)


def imports(file):
    """What a file imports when it runs, wherever in it: full names, of modules if they are."""
    found = set()
    for node in running(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else node.module for name in names}
    return found


GRAPH = {name_of(file): imports(file) & NAMES - {name_of(file)} for file in FILES}


def closure(name):
    reached, waiting = set(), [name]
    while waiting:
        for below in GRAPH[waiting.pop()] - reached:
            reached.add(below)
            waiting.append(below)
    return reached


def is_door(name):
    last = name.rpartition(".")[2]
    return last in DOORS or last.startswith("cli_")


def test_there_is_something_to_read():
    assert {"turing", "colorize.color.lab", "colorize.models.networks.published.zhang"} <= NAMES


def test_imports_run_one_way():
    TopologicalSorter(GRAPH).prepare()  # CycleError names the circle


def test_colorize_knows_nothing_of_turing():
    users = [
        name
        for name in NAMES
        if name.startswith("colorize") and any(below.startswith("turing") for below in GRAPH[name])
    ]
    assert users == []


def test_stimuli_alone_of_turing_knows_colorize():
    users = {
        name
        for name in NAMES
        if name.startswith("turing") and any(below.startswith("colorize") for below in GRAPH[name])
    }
    assert users <= {"turing.stimuli.render"}


@pytest.mark.parametrize("name", sorted(PURE & NAMES))
def test_modules_at_the_bottom_stand_on_each_other_alone(name):
    assert closure(name) <= PURE | BELOW


def test_what_is_below_the_bottom_stays_there():
    for name in sorted(BELOW & NAMES):
        assert closure(name) <= BELOW, name


def test_doors_are_opened_by_the_app_and_by_doors_alone():
    users = {name for name in NAMES if not is_door(name) and any(map(is_door, GRAPH[name]))}
    assert users == set()


def test_gradio_is_imported_by_doors_alone():
    users = {
        name_of(file)
        for file in FILES
        if any(used.partition(".")[0] == "gradio" for used in imports(file))
    }
    assert users <= {"colorize.web.tab", "turing.web.tab", "turing.web.admin"}


@pytest.mark.parametrize(
    "name",
    [
        "colorize",
        "turing",
        "colorize.photo.opening",
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


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nothing_is_validated_by_assert(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert lines == [], "`assert` is gone under python -O: raise an error"
