"""Weights that others published, converted to a checkpoint of ours."""

import hashlib
import pickle
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from colorize.models.checkpoint import build_network, load_weights, save_checkpoint
from colorize.models.record import CheckpointError, Record, check_name

# How each network's published weights are run: what a file of weights does not say.
_CONVENTIONS: dict[str, dict[str, Any]] = {
    "zhang": {
        "title": "Zhang et al. 2016",
        "summary": "Colorful Image Colorization, with its published weights",
        "size": 256,
        "decoding": {"kind": "annealed-mean", "temperature": 1.0},
        "lightness": (50.0, 100.0),
        "ab_scale": 110.0,
    },
}


def import_weights(network: str, file: Path, name: str, folder: Path) -> Record:
    """Converts published weights to the checkpoint `name` in `folder`; returns its record.

    `file` is a state dict of torch.save or safetensors, told apart by content. Only tensors are
    read: no pickle's code runs. CheckpointError where the file is neither, where its tensors are
    not the network's, or where there is a checkpoint of that name already.
    """
    file, folder = Path(file), Path(folder)
    if network not in _CONVENTIONS:
        raise CheckpointError(
            f"Published weights of {network!r} are not known here; known: {', '.join(_CONVENTIONS)}"
        )
    check_name(name)
    for existing in (folder / f"{name}.json", folder / f"{name}.safetensors"):
        if existing.exists():
            raise CheckpointError(f"{existing}: is there already; take another name")
    state = {
        key: value.float()
        for key, value in _read_tensors(file).items()
        if not key.endswith("num_batches_tracked")
    }
    module = build_network(network, {})
    load_weights(module, state, file)
    record = Record(
        name=name,
        network=network,
        arguments={},
        data={"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
        training={"by": "others"},
        licence="that of the imported weights; ask where they are from",
        **_CONVENTIONS[network],
    )
    return save_checkpoint(module, record, folder)


def _read_tensors(file: Path) -> dict[str, Tensor]:
    try:
        with file.open("rb") as opened:
            is_safetensors = opened.read(9)[8:] == b"{"  # after the header's length
        content = load_file(file) if is_safetensors else _unpickle_tensors(file)
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read ({error.strerror})") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{file}: holds more than tensors, which could run code, or is no file of tensors; "
            "not read"
        ) from error
    except Exception as error:  # of a broken file, both readers raise anything
        raise CheckpointError(
            f"{file}: expected a file of tensors (safetensors, or saved by torch), found neither"
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise CheckpointError(
            f"{file}: expected a state dict (names to tensors), found {type(content).__name__}"
        )
    return content


def _unpickle_tensors(file: Path) -> Any:
    with warnings.catch_warnings(action="ignore"):  # about files that are refused anyway
        return torch.load(file, map_location="cpu", weights_only=True)
