"""docs/architecture.md names the rooms that are there, in the order in which they may import."""

import re
import tomllib

import pytest

from tests.support.documents import ROOT, TEXTS, paths

TEXT = TEXTS["docs/architecture.md"]
NAMED = {path.rstrip("/") for path in paths(TEXT)}


def test_every_path_that_it_names_is_there():
    assert len(NAMED) > 50
    assert {path for path in NAMED if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("package", ["colorize", "turing"])
def test_it_names_every_sub_package(package):
    folders = [file.parent for file in (ROOT / package).glob("*/**/__init__.py")]
    assert len(folders) > 5
    for folder in folders:
        is_room = folder.parent == ROOT / package
        named = folder.relative_to(ROOT).as_posix() in NAMED
        assert named or (not is_room and f"`{folder.name}/`" in TEXT), folder


@pytest.mark.parametrize("package", ["colorize", "turing"])
def test_its_rooms_stand_in_the_order_of_the_imports(package):
    (table,) = re.findall(rf"^## Rooms of {package}$(.+?)^##? ", TEXT, re.MULTILINE | re.DOTALL)
    rooms = re.findall(rf"^\| `{package}/(\w+)(?:/|\.py)` \|", table, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (
        each
        for each in project["tool"]["importlinter"]["contracts"]
        if each.get("containers") == [package]
    )
    there = [layer for layer in contract["layers"] if layer[0] not in "(_"]
    assert rooms == there[::-1]


def test_the_walks_are_short():
    """A photo passes at most ten files, a choice at most nine."""
    for walk, most in (("A photo, from", 10), ("A choice, from", 9)):
        (steps,) = re.findall(rf"^## {walk} .+?$(.+?)^[^\d\s]", TEXT, re.MULTILINE | re.DOTALL)
        files = re.findall(r"^\d+\. `([\w./]+)`", steps, re.MULTILINE)
        assert 5 < len(files) == len(set(files)) <= most
