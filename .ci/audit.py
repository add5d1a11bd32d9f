"""Asks pip-audit for known vulnerabilities of the installed packages: `python .ci/audit.py`.

Exits 1 where there are any, 0 where there are none. Where pip-audit cannot be had or reach its
source, it says so in one line and exits 0: no network is no fault of a change.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

SECONDS = 300


def main() -> int:
    """The exit status."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        packages = sysconfig.get_path("purelib")
        install = [python, "-m", "pip", "install", "--quiet", "--retries", "1", "pip-audit>=2.7,<3"]
        audit = [python, "-m", "pip_audit", "--path", packages, "--format", "json"]
        audit += ["--progress-spinner", "off", "--timeout", "15"]
        for command in (install, audit):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return skipped(f"no answer in {SECONDS} s")
            if done.returncode and command is install:
                return skipped("pip-audit cannot be installed here")
    return judge(done.stdout, done.stderr)


def judge(out: str, errors: str) -> int:
    """The exit status that pip-audit's report in JSON calls for, which is told."""
    try:
        packages = json.loads(out)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = errors.strip().splitlines()
        return skipped(lines[-1][:200] if lines else "pip-audit gave no report")
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}, "
        f"fixed in {', '.join(fault['fix_versions']) or 'no version yet'}"
        for package in packages
        for fault in package.get("vulns", ())
    ]
    for line in faults:
        print(line, file=sys.stderr)
    print(f"audit: {len(packages)} packages, {len(faults)} known vulnerabilities")
    return 1 if faults else 0


def skipped(why: str) -> int:
    print(f"audit: skipped, {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
