"""Commands, Python and settings that the README and docs/ show are those that there are."""

import ast
import re
import shlex
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from huggingface_hub.utils import filter_repo_objects
from typer.main import get_command

import app as server
from colorize.training.settings import make_settings
from tests.support.documents import ROOT, TEXTS, blocks, commands
from turing.backup.deploying import plan
from turing.study.study import parse_study

HF = [words for _, words in commands("hf")]
ACCELERATE = [words for _, words in commands("accelerate")]
LAUNCHED = [["python", *words[words.index("-m") :]] for words in ACCELERATE]
OURS = [
    *(("turing", words) for _, words in commands("python -m turing")),
    *(("colorize", words) for _, words in commands("python -m colorize")),
    *(("colorize", words) for words in LAUNCHED),
]
BENCHMARKS = [words for _, words in commands("python -m") if "bench" in words[2]]


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


def test_every_document_with_commands_is_read():
    read = {document for document, _ in commands("python -m")}
    assert read == {name for name, text in TEXTS.items() if "python -m" in text}


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
    words = [word.removeprefix("/") for word in words]
    for word in words:
        if re.search(r"\.(jpg|toml|sqlite|pth|json)$", word):
            (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / word).touch()
    for folder in ("album", "nfs/album"):
        (tmp_path / folder).mkdir(parents=True)
    command = get_command(import_module(f"{program}.cli").app)
    args = [word for word in words[3:] if word not in ("COMMAND", "--help")]
    if args != words[3:] or len(args) == 1:  # it is named, or its help is
        assert {*args} <= {*command.commands}
        return
    given = parsed(command, args)
    if args[0] == "train":
        assert make_settings(given["network"], given["changes"] or ())


@pytest.mark.parametrize("words", BENCHMARKS, ids=" ".join)
def test_benchmarks_are_there_with_their_options(words):
    name = words[2]
    found = find_spec(f"{name}.__main__" if name == "benchmarks" else name)
    source = Path(found.origin).read_text(encoding="utf-8")
    assert 'if __name__ == "__main__":' in source
    for option in [word for word in words[3:] if word.startswith("--")]:
        in_typer = rf"^    {option[2:].replace('-', '_')}: Annotated"
        assert f'"{option}"' in source or re.search(in_typer, source, re.MULTILINE), option


def test_the_app_takes_the_options_that_are_named():
    found = [words for _, words in commands("python app.py")]
    assert any("--study" in words for words in found)
    for words in found:
        assert server._parser().parse_args(words[2:])


@pytest.mark.slow
@pytest.mark.parametrize("words", ACCELERATE, ids=" ".join)
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
        if path.is_file()
        and not {".git", ".venv", "studies", "runs"} & set(path.relative_to(ROOT).parts)
    ]
    sent = filter_repo_objects(
        names, allow_patterns=given["--include"], ignore_patterns=given["--exclude"]
    )
    assert set(sent) == set(plan(ROOT, "me/colorize").files)


@pytest.mark.parametrize("document", TEXTS)
def test_its_python_and_its_studies_are_sound(document):
    for block in blocks(TEXTS[document], "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)
    for block in blocks(TEXTS[document], "toml"):
        assert parse_study(block)


# What the code sets for others, and a name that it only keeps out of its logs.
NO_SETTINGS = {
    *("GRADIO_TEMP_DIR", "HUGGING_FACE_HUB_TOKEN", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"),
    *("RAY_BACKEND_LOG_LEVEL", "RAY_DEDUP_LOGS_SKIP_REGEX", "RAY_USAGE_STATS_ENABLED"),
}


def test_the_table_of_settings_has_what_the_code_reads():
    files = [ROOT / "app.py", *(ROOT / "colorize").rglob("*.py"), *(ROOT / "turing").rglob("*.py")]
    texts = {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    pattern = r"(COLORIZE|TURING|FORWARDED|GRADIO|RAY|HF|HUGGING_FACE)(_[A-Z]+)+"
    read = {text for text in texts if re.fullmatch(pattern, text)} - NO_SETTINGS
    table = TEXTS["README.md"].partition("## Settings from the environment")[2]
    rows = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == read
