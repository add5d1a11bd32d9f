"""Puts the app, its checkpoints and a built study on a Hugging Face Space.

The study goes to the private dataset repository that its answers are kept in, never into the
Space's own repository: that may be public, and the store knows which photo is real.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turing.backup.overlap import send_first
from turing.backup.remote import HubRemote, Remote, open_remote, plain
from turing.errors import TuringError, WrongUseError
from turing.store.store import Store

CPU, ZEROGPU = "cpu-basic", "zero-a10g"
# The newest versions that ZeroGPU lists; they go together.
_ZEROGPU_VERSIONS = {"torch": "torch==2.11.0", "torchvision": "torchvision==0.26.0"}
_FILES = ("app.py", "requirements.txt", "README.md", "LICENSE")
_FOLDERS = ("colorize", "turing", "checkpoints", "docs")
_LEFT_OUT = ("__pycache__", ".*", "*.pyc")
_NAMES = re.compile(r"[a-z0-9-]+(,[a-z0-9-]+)*")
_SPACE = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Plan:
    """What goes where. `files` maps the names on the Space to files here."""

    space: str
    hardware: str
    files: Mapping[str, Path]
    study: Path | None = None
    backup: str = ""
    fetch: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """The Space's variables, which say what it serves and where answers are kept."""
        named = {"TURING_STUDY": self.study.stem} if self.study else {}
        named |= {"TURING_BACKUP": self.backup} if self.backup else {}
        return named | ({"COLORIZE_FETCH": self.fetch} if self.fetch else {})

    @property
    def address(self) -> str:
        """Where the app is reached outside Hugging Face's frame: participants go there."""
        return f"https://{re.sub(r'[^a-z0-9]+', '-', self.space.lower())}.hf.space"


def plan(
    root: Path,
    space: str,
    hardware: str = ZEROGPU,
    study: Path | None = None,
    backup: str = "",
    fetch: str = "",
) -> Plan:
    """What `deploy` would do. TuringError where it could not be done."""
    if not _SPACE.fullmatch(space):
        raise WrongUseError(f"{space}: expected OWNER/NAME, the name of a Space")
    if not (root / "app.py").is_file():
        raise TuringError(f"{root}: expected app.py there; run this in a clone of the project")
    if backup and not isinstance(open_remote(backup), HubRemote) and study:
        raise WrongUseError(
            f"--backup: expected hf://datasets/OWNER/NAME to send the study to, found {backup}"
        )
    if study:
        if not backup:
            raise WrongUseError(
                "--study needs --backup hf://datasets/OWNER/NAME: the study goes there, "
                "for a Space's own files may be read by all"
            )
        with Store(study) as store:
            if store.facts().version is None:
                raise TuringError(f"{study}: was not built to the end; build it again")
            if store.facts().state == "built":
                raise TuringError(f"{study}: is not open; first run python -m turing open")
    files = dict(_files(root))
    if not any(name.startswith("checkpoints/") for name in files):
        raise TuringError(f"{root / 'checkpoints'}: expected models, found none")
    if fetch and not _NAMES.fullmatch(fetch):
        raise WrongUseError(f"--fetch: expected names of models, by commas, found {fetch!r}")
    return Plan(space, hardware, files, study, backup, fetch)


def deploy(planned: Plan, api: Any, remote: Remote | None = None) -> None:
    """Send the study, make the Space where there is none, set its variables, upload the app.

    api: a `huggingface_hub.HfApi`, signed in. TuringError says what went wrong; the same may be
    called again.
    """
    if planned.study:
        with Store(planned.study) as store:
            send_first(remote or open_remote(planned.backup), store)
    place = {"repo_id": planned.space}
    try:
        api.create_repo(
            repo_type="space",
            space_sdk="gradio",
            space_hardware=planned.hardware,
            exist_ok=True,
            **place,
        )
        for key, value in planned.variables.items():
            api.add_space_variable(key=key, value=value, **place)
        with tempfile.TemporaryDirectory() as folder:
            _stage(planned, Path(folder))
            api.upload_folder(
                repo_type="space",
                folder_path=folder,
                delete_patterns=[f"{name}/*" for name in _FOLDERS],
                commit_message="Deploy",
                **place,
            )
    except Exception as error:  # httpx, huggingface_hub
        raise TuringError(f"{planned.space}: {plain(error)}") from error


def zerogpu_requirements(text: str) -> str:
    """requirements.txt with versions of torch that ZeroGPU takes."""
    lines = text.splitlines()
    names = [re.split(r"[^\w-]", line, maxsplit=1)[0] for line in lines]
    return "\n".join(map(_ZEROGPU_VERSIONS.get, names, lines)) + "\n"


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for name in _FILES:
        if (root / name).is_file():
            yield name, root / name
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if path.is_file() and not any(
                Path(part).match(pattern) for part in relative.parts for pattern in _LEFT_OUT
            ):
                yield relative.as_posix(), path


def _stage(planned: Plan, folder: Path) -> None:
    """All files as they are to be on the Space."""
    for name, path in planned.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    if planned.hardware == ZEROGPU:
        requirements = folder / "requirements.txt"
        requirements.write_text(zerogpu_requirements(requirements.read_text("utf-8")), "utf-8")
