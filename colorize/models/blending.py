"""Two checkpoints of one network as one, by the weighted mean of their weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from colorize.models.checkpoint import load_checkpoint, save_checkpoint
from colorize.models.exporting import clear_default, is_default, told
from colorize.models.record import CheckpointError, Record, check_name

_SAME = ("network", "arguments", "lightness", "ab_scale")


def blend(
    first: str | Path,
    second: str | Path,
    share: float,
    name: str,
    folder: Path,
    *,
    title: str | None = None,
    summary: str | None = None,
    overwrite: bool = False,
) -> Record:
    """Writes (1 - share) x `first` + share x `second` as NAME.* into `folder`; its record.

    Works where `second` was trained on from `first`: Wang et al. 2018 ("ESRGAN", 3.4) go so from
    the least error to an adversarial finish, Wortsman et al. 2022 (2) from robust to fine-tuned.
    The record is that of `first` with the training of both, without scores; `title` and
    `summary` change it where they are given.
    CheckpointError where the two are not the same network, or NAME is there and `overwrite` is
    not given; ValueError for a share outside [0, 1].
    """
    check_name(name)
    if not 0 <= share <= 1:
        raise ValueError(f"expected a share from 0 to 1, found {share}")
    default = is_default(folder, name, overwrite=overwrite)
    (network, record), (other, other_record) = load_checkpoint(first), load_checkpoint(second)
    for key in _SAME:
        if getattr(record, key) != getattr(other_record, key):
            raise CheckpointError(
                f"{second}: expected the {key} of {first}, {getattr(record, key)}, found "
                f"{getattr(other_record, key)}; only two of the same network can be blended"
            )
    _mix(network, other, share)
    training: dict[str, Any] = {
        "command": f"python -m colorize blend FIRST SECOND --share {share:g} --output {name}",
        "share": share,
        "first": record.training,
        "second": other_record.training,
    }
    changes = {"name": name, "default": default, "training": training, "scores": []}
    texts = told({"title": title, "summary": summary})
    saved = save_checkpoint(network, replace(record, **changes, **texts), folder)
    if default:
        clear_default(folder, name)
    return saved


@torch.no_grad()
def _mix(network: nn.Module, other: nn.Module, share: float) -> None:
    """Counters and other whole numbers stay the network's own."""
    state = other.state_dict()
    for key, value in network.state_dict().items():
        if value.is_floating_point():
            value.lerp_(state[key], share)
