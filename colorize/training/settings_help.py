"""The settings of a training run as text for `train --help`."""

import dataclasses
import inspect
import re

from colorize.training.settings import Settings

_MEANINGS = {
    "lr": "highest learning rate",
    "weight_decay": "of AdamW",
    "seed": "of weights, crops and their order",
}
_NOT_SET = "network"  # an option of its own


def describe_settings() -> str:
    """A line a setting: key, default and meaning, as the comments in its class say it."""
    meanings = _comments() | _MEANINGS
    fields = [field for field in dataclasses.fields(Settings) if field.name != _NOT_SET]
    pairs = {field.name: f"{field.name}={_default(field)}" for field in fields}
    width = max(map(len, pairs.values()))
    return "\n".join(f"{pair:{width}}  {meanings.get(key, '')}" for key, pair in pairs.items())


def _comments() -> dict[str, str]:
    try:
        source = inspect.getsource(Settings)
    except OSError:  # installed without its source
        return {}
    found = re.finditer(r"^    (\w+): .*?  # (.+)$", source, re.MULTILINE)
    return {match[1]: match[2] for match in found}


def _default(field: dataclasses.Field) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
