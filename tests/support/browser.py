"""The browser that the tests of pages drive. Run as a script it installs one where none is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str:
    """The path of an installed Chromium; the test fails and says what to do where there is none."""
    path = _installed()
    if path is None:
        import pytest

        pytest.fail("No Chromium: run `python tests/support/browser.py` or pytest -m 'not browser'")
    return path


def main() -> int:
    """Installs a Chromium unless there is one; the exit status."""
    if (path := _installed()) is None:
        for commands in _ways():
            if all(subprocess.run(command).returncode == 0 for command in commands):
                break
        path = _installed()
    print(path or "No Chromium could be installed; install one with your system's packages")
    return 0 if path else 1


def _installed() -> str | None:
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwrights_own()


def _playwrights_own() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def _ways() -> list[list[list[str]]]:
    """Commands to try, most wanted first: Debian's package, else Playwright's own build."""
    ways = [[[sys.executable, "-m", "playwright", "install", "chromium"]]]
    sudo = [] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not sudo or shutil.which("sudo")):
        apt = [*sudo, "apt-get"]
        ways.insert(0, [[*apt, "update", "-q"], [*apt, "install", "-q", "-y", "chromium"]])
    return ways


if __name__ == "__main__":
    sys.exit(main())
