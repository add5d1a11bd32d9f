"""A network and its record, to and from disk: NAME.safetensors and NAME.json.

Only safetensors files are opened, so no pickle's code ever runs.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from colorize.networks import NETWORKS
from colorize.record import CheckpointError, Record, find_record, read_record, write_record


def save_checkpoint(network: nn.Module, record: Record, folder: Path) -> Record:
    """Writes NAME.safetensors in fp16 and NAME.json; returns the record with the file's hash."""
    content = save({key: _shipped(value) for key, value in _parameters(network).items()})
    weights = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "dtype": "float16",
    }
    record = replace(record, weights=weights)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{record.name}.safetensors.tmp"
    temporary.write_bytes(content)
    temporary.replace(folder / f"{record.name}.safetensors")
    write_record(record, folder / f"{record.name}.json")
    return record


def load_checkpoint(name: str | Path, device: str | torch.device = "cpu") -> tuple:
    """`(network, record)` of a name in checkpoints/, a path, or "default".

    The network is in float32, in eval mode, on `device`. CheckpointError names the file and
    what is wrong: truncated, foreign, or not what the record promises.
    """
    file = find_record(name)
    record = read_record(file)
    state = _read_weights(file.with_suffix(".safetensors"), record)
    network = build_network(record.network, record.arguments, file)
    _check_state(file.with_suffix(".safetensors"), state, _parameters(network))
    network.load_state_dict(state, strict=False)
    return network.eval().requires_grad_(False).to(device), record


def build_network(network: str, arguments: dict, file: Path | None = None) -> nn.Module:
    """A network by its name in NETWORKS, with random weights; CheckpointError where none."""
    where = f"{file}: " if file else ""
    if network not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise CheckpointError(f"{where}no network is called {network!r}; there are: {known}")
    try:
        return NETWORKS[network](**arguments)
    except TypeError as error:
        raise CheckpointError(f"{where}{network} does not take {arguments}: {error}") from error


def _parameters(network: nn.Module) -> dict[str, Tensor]:
    """What a checkpoint holds: all but BatchNorm's counters, which only training reads."""
    state = network.state_dict()
    return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}


def _shipped(value: Tensor) -> Tensor:
    value = value.detach().cpu()
    return value.half().contiguous() if value.is_floating_point() else value.contiguous()


def _read_weights(file: Path, record: Record) -> dict[str, Tensor]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read ({error.strerror})") from error
    expected = record.weights
    if len(content) != expected["bytes"]:
        raise CheckpointError(
            f"{file}: expected {expected['bytes']} bytes, found {len(content)}; the file is cut "
            "off or not the record's. Fetch it again"
        )
    if hashlib.sha256(content).hexdigest() != expected["sha256"]:
        raise CheckpointError(
            f"{file}: its sha256 is not the one in the record, so it is damaged or another "
            "file. Fetch it again"
        )
    try:
        return {key: value.float() for key, value in load(content).items()}
    except SafetensorError as error:
        raise CheckpointError(f"{file}: expected a safetensors file, found {error}") from error


def _check_state(file: Path, found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    for what, keys in (
        ("lacks", expected.keys() - found.keys()),
        ("has unknown", found.keys() - expected.keys()),
    ):
        if keys:
            raise CheckpointError(f"{file}: {what} {len(keys)} tensors, first {min(keys)}")
    for key, value in expected.items():
        if found[key].shape != value.shape:
            raise CheckpointError(
                f"{file}: expected {key} of shape {tuple(value.shape)}, "
                f"found {tuple(found[key].shape)}"
            )
