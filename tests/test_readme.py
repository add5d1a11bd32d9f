"""The README says what was measured, its commands are the ones that are run, and a Space can
read its front matter.
"""

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from huggingface_hub import SpaceHardware
from huggingface_hub.repocard import SpaceCard
from huggingface_hub.utils import filter_repo_objects

from colorize.record import list_checkpoints
from colorize.tables import update_document
from turing.deploying import plan

ROOT = Path(__file__).parents[1]
ROWS = json.loads((ROOT / "docs" / "scores.json").read_text(encoding="utf-8"))["rows"]
SHIPPED = list_checkpoints(ROOT / "checkpoints")


def test_the_tables_are_those_of_the_scores():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert update_document(text, ROWS) == text


@pytest.mark.parametrize("record", SHIPPED, ids=lambda record: record.name)
def test_every_record_holds_its_scores(record):
    assert record.scores == [row for row in ROWS if row["model"] == record.name]


def test_every_shipped_model_beats_both_controls_in_mse():
    mse = {(r["model"], r["decoding"], r["dataset"]): r["mse"] for r in ROWS}
    for record in SHIPPED:
        decoding = "T = 1" if record.over_bins else None
        for dataset in ("landscapes", "animals", "people", "fruits"):
            controls = (mse[name, None, dataset] for name in ("grey", "mean-colour"))
            assert mse[record.name, decoding, dataset] < min(controls), (record.name, dataset)


def test_one_model_is_the_default_and_all_are_small():
    assert sum(record.default for record in SHIPPED) == 1
    for record in SHIPPED:
        assert record.weights["bytes"] < 30_000_000


TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FRONT = SpaceCard(TEXT).data.to_dict()
# Of the configuration reference of Spaces.
KEYS = {
    *("title", "emoji", "colorFrom", "colorTo", "sdk", "python_version", "sdk_version"),
    *("suggested_hardware", "app_file", "license", "models", "datasets", "tags", "pinned"),
    *("short_description", "header", "fullWidth", "thumbnail", "preload_from_hub"),
}
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def test_front_matter_is_what_a_space_reads():
    assert set(FRONT) <= KEYS
    assert {"title", "emoji", "colorFrom", "colorTo", "sdk", "app_file", "license"} <= set(FRONT)
    assert FRONT["sdk"] == "gradio" and (ROOT / FRONT["app_file"]).is_file()
    assert {FRONT["colorFrom"], FRONT["colorTo"]} <= COLOURS
    assert len(FRONT["emoji"]) == 1 and not FRONT["emoji"].isascii()
    assert len(FRONT["short_description"]) <= 60
    if "suggested_hardware" in FRONT:
        assert FRONT["suggested_hardware"] in {hardware.value for hardware in SpaceHardware}


def test_front_matter_agrees_with_the_project():
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert f"gradio=={FRONT['sdk_version']}\n" in requirements
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (least,) = re.findall(r'requires-python = ">=3\.(\d+)"', project)
    assert isinstance(FRONT["python_version"], str)  # 3.10 would be the number 3.1
    assert int(FRONT["python_version"].removeprefix("3.")) >= int(least)
    (license,) = re.findall(r'^license = "(.+)"', project, re.MULTILINE)
    assert FRONT["license"] == license.lower()


def commands(program):
    """The commands of that program in the README, as words; the demo's names in them."""
    lines = re.findall(rf"^{program} .+|`({program} [^`]+)`", TEXT, re.MULTILINE)
    found = re.findall(rf"(?m)^{program} .*$", TEXT) + [line for line in lines if line]
    return [shlex.split(line, comments=True) for line in found]


@cache
def help_of(*command):
    done = subprocess.run(
        [sys.executable, "-m", *command, "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "HF_HUB_DISABLE_UPDATE_CHECK": "1"},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("words", commands("hf"), ids=" ".join)
def test_commands_of_hf_are_those_of_the_installed_one(words):
    parts = [word for word in words[1:] if re.fullmatch("[a-z-]+", word) and word[0] != "-"]
    known = {"auth": 2, "repos": 2, "upload": 1, "buckets": 2, "spaces": 3}
    help_text = help_of("huggingface_hub.cli.hf", *parts[: known[words[1]]])
    options = [word.partition("=")[0] for word in words if re.match("--?[a-z]", word)]
    for option in options:
        assert re.search(rf"(^|[\s,/]){option}[\s,]", help_text), option


@pytest.mark.slow
@pytest.mark.parametrize("words", commands("python -m turing"), ids=" ".join)
def test_commands_of_turing_are_there(words):
    help_text = help_of("turing", words[3])
    for option in [word for word in words if re.match("--[a-z]", word)]:
        assert option in help_text, option


@pytest.mark.slow
@pytest.mark.parametrize("words", commands("accelerate"), ids=" ".join)
def test_options_of_accelerate_are_those_of_the_installed_one(words):
    help_text = help_of("accelerate.commands.launch")
    for option in [word for word in words[: words.index("-m")] if word.startswith("--")]:
        assert re.search(rf"(^|[\s,\[]){option}[\s,\]]", help_text), option


def test_what_hf_uploads_by_hand_is_what_deploy_uploads():
    (words,) = [words for words in commands("hf") if words[1] == "upload"]
    given = {flag: [] for flag in ("--include", "--exclude")}
    for flag, value in pairwise(words):
        given.get(flag, []).append(value)
    names = [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if path.is_file() and not {".git", ".venv", "studies", "runs"} & set(path.parts)
    ]
    sent = filter_repo_objects(
        names, allow_patterns=given["--include"], ignore_patterns=given["--exclude"]
    )
    assert set(sent) == set(plan(ROOT, "me/colorize").files)
