"""Places outside this machine where snapshots of studies are kept.

`TURING_BACKUP` names one: a folder (a mounted bucket, another disk), or
`hf://datasets/OWNER/NAME[/FOLDER]`, a private dataset repository of the Hugging Face Hub.
"""

import contextlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from turing.errors import TuringError, WrongUseError
from turing.store.files import unfinished

_log = logging.getLogger(__name__)

VARIABLE = "TURING_BACKUP"
_HUB = re.compile(r"hf://datasets/([^/]+/[^/]+)(?:/(.+?))?/?")
_FILES_A_COMMIT = 200
_SECRET = re.compile(r"hf_\w+|(?i:bearer)\s+\S+")
_SECRET_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "TURING_ADMIN_PASSWORD")


class RemoteError(TuringError):
    """The place cannot be reached, read or written; the same may work later."""


class Remote(Protocol):
    """Files by name (`a/b.c`). `pause`: seconds that writers leave between two changes.

    The methods raise RemoteError.
    """

    location: str
    pause: float

    def names(self, folder: str) -> list[str]:
        """All files below `folder`, sorted."""

    def fetch(self, name: str, to: Path) -> None:
        """Write a file's content to a new file."""

    def change(self, add: Mapping[str, Path], remove: Collection[str] = ()) -> None:
        """Add files in their order, the last one last, then remove others. None is half-written."""


def open_remote(location: str) -> Remote:
    """The place of that name; it is not reached for yet. TuringError for what is none."""
    if match := _HUB.fullmatch(location):
        return HubRemote(*match.groups(default=""))
    if "://" in location:
        raise WrongUseError(
            f"{VARIABLE}: expected a folder or hf://datasets/OWNER/NAME, "
            f"found {without_secrets(location)}"
        )
    return FolderRemote(Path(location))


class FolderRemote:
    """A folder. Buckets may bring what is written late, but whole."""

    pause = 5.0

    def __init__(self, folder: Path) -> None:
        self.location = str(folder)
        self._folder = folder

    def names(self, folder: str) -> list[str]:
        with _explained():
            if not self._folder.is_dir():
                raise RemoteError(f"{self.location}: there is no such folder")
            files = (self._folder / folder).rglob("*")
            names = [path.relative_to(self._folder) for path in files if path.is_file()]
        return sorted(n.as_posix() for n in names if not n.name.startswith("."))

    def fetch(self, name: str, to: Path) -> None:
        with _explained():
            shutil.copyfile(self._folder / name, to)

    def change(self, add: Mapping[str, Path], remove: Collection[str] = ()) -> None:
        with _explained():
            if not self._folder.is_dir():
                raise RemoteError(f"{self.location}: there is no such folder")
            for name, path in add.items():
                self._put(path, self._folder / name)
            for name in remove:
                (self._folder / name).unlink(missing_ok=True)

    def _put(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(target) as path:
            shutil.copyfile(source, path)


class HubRemote:
    """A private dataset repository, made where there is none. The Hub allows 128 commits an hour.

    The token is that of `huggingface_hub`: the variable HF_TOKEN, else `hf auth login`.
    """

    pause = 60.0

    def __init__(self, repository: str, folder: str = "", api: Any = None) -> None:
        self.location = f"hf://datasets/{repository}" + (f"/{folder}" if folder else "")
        self._place = {"repo_id": repository, "repo_type": "dataset"}
        self._prefix = f"{folder}/" if folder else ""
        self._given_api = api
        self._is_checked = False
        self._removed: set[str] = set()  # and still in the repository's history

    def names(self, folder: str) -> list[str]:
        with _explained():
            if not self._exists():
                return []
            names = self._api.list_repo_files(**self._place)
        start = f"{self._prefix}{folder}/"
        return sorted(n.removeprefix(self._prefix) for n in names if n.startswith(start))

    def fetch(self, name: str, to: Path) -> None:
        with _explained(), tempfile.TemporaryDirectory(dir=to.parent) as folder:
            found = self._api.hf_hub_download(
                filename=self._prefix + name, local_dir=folder, **self._place
            )
            Path(found).replace(to)

    def change(self, add: Mapping[str, Path], remove: Collection[str] = ()) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        with _explained():
            self._check_private()
            operations: list[Any] = [
                CommitOperationAdd(self._prefix + name, path) for name, path in add.items()
            ]
            operations += [CommitOperationDelete(self._prefix + name) for name in remove]
            for start in range(0, len(operations), _FILES_A_COMMIT):
                self._api.create_commit(
                    operations=operations[start : start + _FILES_A_COMMIT],
                    commit_message="Snapshot of a study",
                    **self._place,
                )
            self._removed |= {self._prefix + name for name in remove}
            if self._removed:
                self._drop_from_history()

    @property
    def _api(self) -> Any:
        if self._given_api is None:
            from huggingface_hub import HfApi

            self._given_api = HfApi()
        return self._given_api

    def _exists(self) -> bool:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            self._is_private = self._api.repo_info(**self._place).private
        except RepositoryNotFoundError:
            return False
        return True

    def _check_private(self) -> None:
        """What participants answered must not lie open: a public repository is refused."""
        if self._is_checked:
            return
        if not self._exists():
            self._api.create_repo(private=True, exist_ok=True, **self._place)
        elif not self._is_private:
            raise RemoteError(f"{self.location}: is public; answers need a private repository")
        self._is_checked = True

    def _drop_from_history(self) -> None:
        """A repository remembers what was removed: large files are dropped for good, others with
        the history of all that lies there. What fails is tried again after the next change.
        """
        try:
            files = self._api.list_lfs_files(**self._place)
            large = [file for file in files if file.filename in self._removed]
            if large:
                self._api.permanently_delete_lfs_files(lfs_files=large, **self._place)
            if self._removed - {file.filename for file in large}:
                self._api.super_squash_history(**self._place)
            self._removed.clear()
        except Exception as error:
            _log.warning("%s: old snapshots stay in its history: %s", self.location, plain(error))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Whatever goes wrong with a disk or a network, in one line."""
    try:
        yield
    except TuringError:
        raise
    except Exception as error:  # httpx, huggingface_hub, OSError
        raise RemoteError(plain(error)) from error


def plain(error: BaseException) -> str:
    """An error's first line, without secrets."""
    text = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
    return without_secrets(text)[:200] or type(error).__name__


def without_secrets(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """A text for a log or a page: tokens and passwords are left out."""
    for variable in _SECRET_VARIABLES:
        if value := environment.get(variable):
            text = text.replace(value, "***")
    return _SECRET.sub("***", text)
