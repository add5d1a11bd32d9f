"""docs/formats.md promises nothing that no test holds."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "formats.md"
NAMED = r"`(tests/[\w/]+\.py)::(\w+)`"


def test_every_promise_has_its_tests():
    rows = re.findall(r"^\|(?!---)(.+)\|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    promises = [row for row in rows if "| Tests" not in row]
    assert len(promises) >= 20
    for promise in promises:
        assert re.findall(NAMED, promise), promise


def test_every_test_that_is_named_is_there():
    named = re.findall(NAMED, DOCUMENT.read_text("utf-8"))
    assert len(named) >= 50
    for file, name in named:
        nodes = ast.walk(ast.parse((ROOT / file).read_text("utf-8")))
        known = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        assert name in known, f"{DOCUMENT}: there is no test {file}::{name}"
