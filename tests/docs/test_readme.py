"""The README is short, has the two commands and a study, and a Space can read its front matter."""

import re
from inspect import signature
from pathlib import Path

from huggingface_hub import SpaceHardware
from huggingface_hub.repocard import SpaceCard
from huggingface_hub.repocard_data import SpaceCardData
from huggingface_hub.utils import validate_repo_id

from colorize.models.record import list_checkpoints
from tests.support.documents import blocks
from turing.study.study import parse_study

ROOT = Path(__file__).parents[2]
SHIPPED = list_checkpoints(ROOT / "checkpoints")
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_short():
    assert len(TEXT.splitlines()) <= 170


def test_its_two_commands_stand_after_their_marks():
    """`.ci/run` takes the second one from there."""
    for name, end in (("start", "python app.py"), ("test", "pytest")):
        (command,) = re.findall(rf"^<!-- {name} command -->\n```sh\n(.+)\n```$", TEXT, re.MULTILINE)
        assert command.startswith("python3 -m venv .venv && ")
        assert command.endswith(f" && {end}")
        assert "-r requirements.txt" in command


def test_the_readmes_study_is_one():
    (example,) = blocks(TEXT, "toml")
    study = parse_study(example)
    assert study.models == ("unet", "fusion", "theirs")
    assert set(study.stimuli.models) <= {record.name for record in SHIPPED}
    assert f"studies/{study.name}.sqlite" in TEXT


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
