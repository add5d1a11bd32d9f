"""What .ci/audit.py makes of pip-audit's reports."""

import importlib.util
import json
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / ".ci" / "audit.py"


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("audit", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(*vulns):
    sound = {"name": "numpy", "version": "2.4.0", "vulns": []}
    left_out = {"name": "colorize-turing", "skip_reason": "not on PyPI"}
    return json.dumps(
        {"dependencies": [sound, left_out, {"name": "pillow", "version": "11.0", "vulns": vulns}]}
    )


def test_a_fault_is_told_and_fails(audit, capsys):
    fault = {"id": "PYSEC-2026-1", "fix_versions": ["11.1"], "aliases": []}
    open_ = {"id": "PYSEC-2026-2", "fix_versions": [], "aliases": []}
    assert audit.judge(report(fault, open_), "") == 1
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "pillow 11.0: PYSEC-2026-1, fixed in 11.1",
        "pillow 11.0: PYSEC-2026-2, fixed in no version yet",
    ]
    assert told.out == "audit: 3 packages, 2 known vulnerabilities\n"


def test_no_fault_passes(audit, capsys):
    assert audit.judge(report(), "") == 0
    assert capsys.readouterr().out == "audit: 3 packages, 0 known vulnerabilities\n"


@pytest.mark.parametrize("out", ["", "Traceback", "[]", '{"other": 1}'])
def test_no_report_is_no_fault(audit, out, capsys):
    assert audit.judge(out, "noise\nConnectionError: no route to the service\n") == 0
    assert capsys.readouterr().out == "audit: skipped, ConnectionError: no route to the service\n"
    assert audit.judge(out, "") == 0


@pytest.mark.parametrize("fails", ["install", "hangs"])
def test_without_a_network_it_is_skipped(audit, fails, monkeypatch, capsys):
    def run(command, **_):
        if fails == "hangs":
            raise audit.subprocess.TimeoutExpired(command, 300)
        return audit.subprocess.CompletedProcess(command, 1, "", "no route")

    monkeypatch.setattr(audit.venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(audit.subprocess, "run", run)
    assert audit.main() == 0
    assert capsys.readouterr().out.startswith("audit: skipped, ")


def test_ci_runs_it():
    assert "python .ci/audit.py" in (FILE.parent / "run").read_text()
