"""Published weights from the Hugging Face hub, checked and converted to a checkpoint of ours.

Nothing is fetched but by `fetch`. Downloads go on where they were cut off and are kept in the
hub's own cache.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError
from colorize.models.published import FETCHABLE, Fetchable
from colorize.models.record import CheckpointError, Record, check_name

_ENDINGS = (".safetensors", ".bin", ".pt", ".pth")  # the first that a repository has is taken


def check_fetchable(name: str) -> Fetchable:
    """What is fetched under this name; CheckpointError for another, with those there are."""
    if name not in FETCHABLE:
        raise CheckpointError(f"{name!r} cannot be fetched; there are: {', '.join(FETCHABLE)}")
    return FETCHABLE[name]


def fetch(name: str, folder: Path, *, revision: str | None = None) -> Record:
    """Fetches NAME of `FETCHABLE` and writes it as a checkpoint into `folder`; its record.

    `revision`: a commit, branch or tag, the newest where None. The file's names, shapes and,
    where the hub tells it, sha256 are checked. CheckpointError in one line: not online, nothing
    there, no room, a changed file, a folder that cannot be written, a name that is taken.
    """
    wanted = check_fetchable(name)
    check_name(name)
    from colorize.models.importing import check_free, import_weights, sha256_of

    check_free(name, folder)
    _check_can_write(folder)
    from huggingface_hub import HfApi

    api, repository = HfApi(), wanted.repository
    with _told(repository, revision, api.endpoint):
        info = api.model_info(repository, revision=revision, files_metadata=True)
        file = _weights_file(repository, info.siblings or [])
        fetched = Path(api.hf_hub_download(repository, file.rfilename, revision=info.sha))
    expected = file.lfs.sha256 if file.lfs else None
    if expected and (found := sha256_of(fetched)) != expected:
        with suppress(OSError):
            fetched.resolve().unlink()
        raise CheckpointError(
            f"{repository}: {file.rfilename} is not the file that was announced (sha256 "
            f"{found[:12]}, expected {expected[:12]}); it was deleted. Fetch it again"
        )
    with _room(repository):
        return import_weights(
            wanted.network,
            fetched,
            name,
            folder,
            licence=wanted.licence,
            title=wanted.title,
            summary=wanted.summary,
            source=f"https://huggingface.co/{repository}/blob/{info.sha}/{file.rfilename}",
            revision=info.sha,
        )


def _weights_file(repository: str, files: list[Any]) -> Any:
    """The one weights file of a repository: by its ending, then the one that lies highest."""
    found = [file for file in files if file.rfilename.endswith(_ENDINGS)]
    if not found:
        raise CheckpointError(
            f"{repository}: expected a file of weights ({', '.join(_ENDINGS)}), found none"
        )

    def place(file: Any) -> tuple[int, int, str]:
        name = file.rfilename
        ending = next(number for number, end in enumerate(_ENDINGS) if name.endswith(end))
        return ending, name.count("/"), name

    return min(found, key=place)


def _check_can_write(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot be made ({error.strerror})") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CheckpointError(
            f"{folder}: cannot be written to; name another one last in COLORIZE_CHECKPOINTS"
        )


@contextmanager
def _told(repository: str, revision: str | None, endpoint: str) -> Iterator[None]:
    """The hub's many errors as one line each. Its HTTP client is another in other versions."""
    from huggingface_hub import errors

    try:
        with _room(repository):
            yield
    except ColorizeError:
        raise
    except errors.RevisionNotFoundError as error:
        raise CheckpointError(f"{repository}: there is no revision {revision!r}") from error
    except errors.RepositoryNotFoundError as error:
        raise CheckpointError(f"{endpoint} has no repository {repository}, or hides it") from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "an error")
        raise CheckpointError(f"{repository}: {endpoint} answered with {status}") from error
    except Exception as error:
        if not _is_offline(error):
            why = str(error).strip().partition("\n")[0] or type(error).__name__
            raise CheckpointError(f"{repository}: could not be fetched ({why})") from error
        raise CheckpointError(
            f"{repository}: {endpoint} cannot be reached; try again when this machine is online. "
            "What came so far is kept"
        ) from error


def _is_offline(error: Exception) -> bool:
    from huggingface_hub import errors

    known = (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError)
    return isinstance(error, known) or any(
        base.__name__ == "TransportError" for base in type(error).__mro__
    )


@contextmanager
def _room(repository: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise CheckpointError(
            f"{repository}: the disk is full; make room and fetch it again"
        ) from error
