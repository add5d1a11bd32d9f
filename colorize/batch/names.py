"""How results are named: a pattern such as `{name}-{model}`."""

import re
import unicodedata
from collections.abc import Mapping

from colorize.errors import ColorizeError

FIELDS = ("name", "model", "number")
USUAL = "{name}-{model}"
_FIELD = re.compile(r"\{([^{}]*)\}")
_MOST = 100  # characters of a pattern
_MOST_OF_SYSTEMS = 255  # bytes of a name with its ending
_MOST_BYTES = 200  # of a name, with an ending and a number to come
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')  # in names on one system or another


def check_pattern(pattern: str) -> str:
    """The pattern; ColorizeError, in one sentence, for one that gives no names."""
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    if not pattern.strip() or len(pattern) > _MOST:
        raise ColorizeError(f"name: expected 1 to {_MOST} characters, such as {USUAL}")
    unknown = [field for field in _FIELD.findall(pattern) if field not in FIELDS]
    if unknown or set("{}") & set(_FIELD.sub("", pattern)):
        raise ColorizeError(f"name: expected {known} and plain text, found {pattern!r}")
    if _FORBIDDEN.search(pattern):
        raise ColorizeError(f"name: {pattern!r} has a character that file names cannot have")
    return pattern


def name_by(pattern: str, fields: Mapping[str, str]) -> str:
    """A file's name without ending, by a pattern that was checked."""
    text = _filled(pattern, fields)
    over = _size(text) - _MOST_BYTES
    if over > 0:  # the photo's name gives way: what follows it may tell files apart
        name = _cut(fields["name"], _size(fields["name"]) - over)
        text = _filled(pattern, {**fields, "name": name})
    return _cut(text, _MOST_BYTES) or fields["name"]


def _filled(pattern: str, fields: Mapping[str, str]) -> str:
    text = _FIELD.sub(lambda found: fields[found[1]], pattern)
    return _FORBIDDEN.sub("-", text).strip(" .")


def fitted(stem: str, ending: str) -> str:
    """A file's name, its stem cut where systems would not take the whole."""
    return _cut(stem, _MOST_OF_SYSTEMS - _size(ending)) + ending


def anywhere(name: str) -> str:
    """The same text for names that are one on some disk: those of Macs, Windows, most sticks and
    network disks know no upper and lower case, those of Macs not how accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _cut(text: str, most: int) -> str:
    while text and _size(text) > most:
        text = text[:-1]
    return text


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def numbered(place: int, of: int) -> str:
    """A place in a row of so many, with as many digits as the last one has."""
    return str(place).zfill(len(str(of)))
