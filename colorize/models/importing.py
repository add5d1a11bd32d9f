"""Weights that others published, converted to a checkpoint of ours."""

import hashlib
import pickle
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from colorize.models.checkpoint import Undrawn, build_network, load_weights, save_checkpoint
from colorize.models.folding import fold
from colorize.models.networks import NETWORKS
from colorize.models.published import FAMILIES, UNMEASURED, variant_of
from colorize.models.record import CheckpointError, Record, check_name, checkpoints_folders

_WRAPPERS = ("params", "params_ema", "model", "state_dict")  # keys that a state dict may lie under


def import_weights(
    network: str,
    file: Path,
    name: str,
    folder: Path,
    *,
    licence: str | None = None,
    **texts: str,
) -> Record:
    """Converts published weights to the checkpoint `name` in `folder`; returns its record.

    `file` is a state dict of torch.save or safetensors, told apart by content, plain or under
    one of the usual keys. Only tensors are read: no pickle's code runs. `licence` is the authors'
    where None; `texts` are other fields of the record. CheckpointError where the file is
    neither, where its tensors are not the network's, or where there is a checkpoint of that name
    already.
    """
    file, folder = Path(file), Path(folder)
    if network not in FAMILIES:
        raise CheckpointError(
            f"Published weights of {network!r} are not known here; known: {', '.join(FAMILIES)}"
        )
    check_name(name)
    check_free(name, folder)
    state = _read_tensors(file)
    family = FAMILIES[network]
    arguments = getattr(NETWORKS[network], "published_arguments", lambda state: {})(state)
    with Undrawn():
        module = build_network(network, arguments)
    load_weights(module, fold(state, module, file), file)
    variant = variant_of(network, arguments)
    fields = {
        "title": variant.title,
        "summary": variant.summary,
        "source": f"imported from {file.name}",
        **texts,
    }
    record = Record(
        name=name,
        network=network,
        arguments=arguments,
        size=family.size,
        decoding=dict(family.decoding),
        lightness=family.lightness,
        stretch=family.stretch,
        data={"file": file.name, "sha256": sha256_of(file)},
        training={"by": "others", "note": UNMEASURED},
        licence=family.licence if licence is None else licence,
        **fields,
    )
    return save_checkpoint(module, record, folder)


def check_free(name: str, folder: Path) -> None:
    """CheckpointError where `folder`, or another that is looked in, has a checkpoint `name`."""
    for place in dict.fromkeys((folder, *checkpoints_folders())):
        for existing in (place / f"{name}.json", place / f"{name}.safetensors"):
            if existing.exists():
                raise CheckpointError(f"{existing}: is there already; take another name")


def sha256_of(file: Path) -> str:
    """Of a file of any size, read in pieces."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


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
    if isinstance(content, dict):
        inner = (content[key] for key in _WRAPPERS if isinstance(content.get(key), dict))
        content = next(inner, content)
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise CheckpointError(
            f"{file}: expected a state dict (names to tensors), found {type(content).__name__}"
        )
    return content


def _unpickle_tensors(file: Path) -> Any:
    with warnings.catch_warnings(action="ignore"):  # about files that are refused anyway
        return torch.load(file, map_location="cpu", weights_only=True)
