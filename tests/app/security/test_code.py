"""What is true of the code as a whole, and of the document that tells it."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "security.md"


def calls(name):
    for package in ("colorize", "turing"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
                    yield f"{file.name}: {ast.unparse(node)}"


def test_no_pickle_is_ever_run():
    loads = list(calls("torch.load"))
    assert loads and all("weights_only=True" in call for call in loads)
    for name in ("pickle.load", "pickle.loads", "joblib.load", "np.load", "eval", "exec"):
        found = [call for call in calls(name) if not re.search(r"\.eval\(\)|\.\w*exec", call)]
        assert [one for one in found if "allow_pickle=False" not in one] == [], name


def test_shipped_models_are_safetensors_alone():
    endings = {path.suffix for path in (ROOT / "checkpoints").iterdir()}
    assert endings == {".json", ".safetensors"}


def threats():
    """The threats of the document, and the tests that it names for each: (file, name)."""
    text = DOCUMENT.read_text(encoding="utf-8")
    parts = re.findall(r"^### (.+?)$(.+?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    return {title: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", body) for title, body in parts}


def test_every_threat_has_its_tests():
    """docs/security.md names tests, and they are there."""
    known = {
        (file.relative_to(ROOT).as_posix(), node.name)
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    found = threats()
    assert len(found) >= 17
    for threat, tests in found.items():
        assert tests, f"{DOCUMENT}: {threat} has no test"
        for test in tests:
            assert test in known, f"{DOCUMENT}: {threat}: there is no test {test}"
