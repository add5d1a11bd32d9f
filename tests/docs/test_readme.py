"""The README says what was measured, its commands are the ones that are run, and a Space can
read its front matter.
"""

import json
import re
import shlex
import subprocess
import sys
from importlib import import_module
from inspect import signature
from itertools import pairwise
from pathlib import Path

import pytest
from huggingface_hub import SpaceHardware
from huggingface_hub.repocard import SpaceCard
from huggingface_hub.repocard_data import SpaceCardData
from huggingface_hub.utils import filter_repo_objects, validate_repo_id
from typer.main import get_command

from colorize.evaluation.markdown import update_document
from colorize.models.record import list_checkpoints
from turing.backup.deploying import plan
from turing.study.study import parse_study

ROOT = Path(__file__).parents[2]
ROWS = json.loads((ROOT / "benchmarks" / "scores.json").read_text(encoding="utf-8"))["rows"]
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


def test_the_readmes_study_is_one():
    (example,) = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    study = parse_study(example)
    assert study.models == ("unet", "fusion", "theirs")
    assert set(study.stimuli.models) <= {record.name for record in SHIPPED}
    assert f"studies/{study.name}.sqlite" in TEXT


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
    wanted = {"title", "emoji", "colorFrom", "colorTo", "sdk", "app_file", "license", "models"}
    assert wanted <= set(FRONT)
    assert SpaceCardData(**FRONT).to_dict() == FRONT  # nothing is dropped or read as another type
    known = signature(SpaceCardData.__init__).parameters
    for key in set(FRONT) & set(known):
        is_list = "list" in str(known[key].annotation)
        assert isinstance(FRONT[key], list if is_list else str), key
    assert FRONT["sdk"] == "gradio" and (ROOT / FRONT["app_file"]).is_file()
    assert {FRONT["colorFrom"], FRONT["colorTo"]} <= COLOURS
    assert len(FRONT["emoji"]) == 1 and not FRONT["emoji"].isascii()
    assert len(FRONT["short_description"]) <= 60
    if "suggested_hardware" in FRONT:
        assert FRONT["suggested_hardware"] in {hardware.value for hardware in SpaceHardware}


def test_the_models_that_are_named_are_those_that_ours_descend_from():
    backbones = {record.backbone["name"] for record in SHIPPED if record.backbone}
    assert FRONT["models"] == [f"timm/{name}.in1k" for name in sorted(backbones)]
    for model in FRONT["models"]:
        validate_repo_id(model)
        assert f"`{model}`" in TEXT.partition("---\n\n#")[2]


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
    """Every command of that program in the README, in blocks and in sentences, as words."""
    blocks = re.findall(r"^```sh$(.+?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.+?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    found = []
    for line in lines:
        for command in re.split(r"&&|;", line):
            if f"{command.strip()} ".startswith(f"{program} "):
                found.append(shlex.split(command, comments=True))
    return found


def parsed(group, words):
    """What a command line makes of its words, without running anything. click says what is wrong:
    an unknown command, option or choice, a value that is missing or one too many.
    """
    context = group.context_class(group, info_name=words[0])
    args = list(words)
    command = group
    while hasattr(command, "resolve_command"):
        name, command, args = command.resolve_command(context, args)
        context = command.context_class(command, info_name=name, parent=context)
    return command.make_context(context.info_name, args).params


HF = commands("hf")
OURS = [("turing", words) for words in commands("python -m turing")] + [
    ("colorize", words) for words in commands("python -m colorize")
]


@pytest.mark.parametrize("words", HF, ids=" ".join)
def test_commands_of_hf_are_those_of_the_installed_one(words):
    from huggingface_hub.cli.hf import app

    assert parsed(app, words[1:])


def test_every_step_of_a_deployment_is_among_them():
    assert {" ".join(words[1:3]) for words in HF} == {
        *("auth login", "repos create", "upload OWNER/SPACE"),
        *("spaces secrets", "spaces volumes", "spaces variables", "buckets create"),
    }


def test_a_command_that_is_wrong_would_be_found():
    from huggingface_hub.cli.hf import app

    for line in (
        "hf repo-files add OWNER/SPACE",
        "hf repos create OWNER/SPACE --kind space",
        "hf repos create OWNER/SPACE --type garden",
        "hf repos create OWNER/SPACE --flavor",
        "hf repos create OWNER/SPACE other words",
    ):
        with pytest.raises(Exception, match=r"(?i)no such|requires|unexpected|not one of"):
            parsed(app, shlex.split(line)[1:])


@pytest.mark.parametrize(
    ("program", "words"),
    OURS,
    ids=lambda given: given if isinstance(given, str) else " ".join(given),
)
def test_our_own_commands_are_there(program, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for word in words:
        if re.search(r"\.(jpg|toml|sqlite|pth)$", word):
            (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / word).touch()
    (tmp_path / "album").mkdir()
    command = get_command(import_module(f"{program}.cli").app)
    args = [word for word in words[3:] if word not in ("COMMAND", "--help")]
    if args != words[3:] or len(args) == 1:  # it is named, or its help is
        assert {*args} <= {*command.commands}
    else:
        parsed(command, args)


@pytest.mark.slow
@pytest.mark.parametrize("words", commands("accelerate"), ids=" ".join)
def test_options_of_accelerate_are_those_of_the_installed_one(words):
    command = [sys.executable, "-m", "accelerate.commands.launch", "--help"]
    environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, check=True
    )
    help_text = done.stdout
    for option in [word for word in words[: words.index("-m")] if word.startswith("--")]:
        assert re.search(rf"(^|[\s,\[]){option}[\s,\]]", help_text), option


def test_what_hf_uploads_by_hand_is_what_deploy_uploads():
    (words,) = [words for words in HF if words[1] == "upload"]
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
