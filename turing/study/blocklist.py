"""The IDs that may not take part, as a study's file has them: those of an earlier study, say."""

from turing.errors import TuringError
from turing.study.study import Study

LARGEST_LIST = 1 << 24  # bytes


def blocked_ids(study: Study) -> tuple[str, ...]:
    """The lines of `participants.blocklist`, without empty ones; none where no file is named.

    TuringError where there is no such file, or it is no text in UTF-8 of 16 MiB at most.
    """
    name = study.participants.blocklist
    if not name:
        return ()
    path = study.path(name)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_LIST + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise TuringError(
            f"participants.blocklist: expected a file of IDs, one a line, found none that can be "
            f"read: {path} ({error.strerror})"
        ) from None
    except UnicodeDecodeError:
        raise TuringError(f"{path}: expected IDs in UTF-8, one a line, found other bytes") from None
    if len(data) > LARGEST_LIST:
        raise TuringError(f"{path}: expected a list of 16 MiB at most, found a larger one")
    return tuple(line.strip() for line in text.splitlines() if line.strip())
