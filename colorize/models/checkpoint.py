"""A network and its record, to and from disk: NAME.safetensors and NAME.json.

Only safetensors files are opened, so no pickle's code ever runs.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from colorize.errors import ColorizeError
from colorize.files import replacing
from colorize.models.networks import NETWORKS
from colorize.models.record import (
    CheckpointError,
    Record,
    check_name,
    find_record,
    read_record,
    write_record,
)


def save_checkpoint(network: nn.Module, record: Record, folder: Path) -> Record:
    """Writes NAME.safetensors in fp16 and NAME.json; returns the record with the file's hash.

    Tensors that fp16 cannot hold stay in float32. CheckpointError where weights are not finite
    or the name is none for a file.
    """
    check_name(record.name)
    content = save({key: _shipped(key, value) for key, value in _weights(network).items()})
    weights = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "dtype": "float16",
    }
    record = replace(record, weights=weights)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / f"{record.name}.safetensors") as out:
        out.write(content)
    write_record(record, folder / f"{record.name}.json")
    return record


def load_checkpoint(
    name: str | Path, device: str | torch.device = "cpu"
) -> tuple[nn.Module, Record]:
    """The network and the record of a name in checkpoints/, a path, or "default".

    The network is in float32, in eval mode, on `device`. CheckpointError names the file and
    what is wrong: truncated, foreign, or not what the record promises.
    """
    file = find_record(name)
    record = read_record(file)
    weights_file = file.parent / f"{record.name}.safetensors"
    state = _read_weights(weights_file, record)
    with Undrawn():
        network = build_network(record.network, record.arguments, file)
    if network.over_bins != record.over_bins:
        raise CheckpointError(
            f"{file}: the decoding {record.decoding['kind']!r} does not go with {record.network}"
        )
    load_weights(network, state, weights_file)
    return network.eval().requires_grad_(False).to(device), record


def build_network(network: str, arguments: dict[str, Any], file: Path | None = None) -> nn.Module:
    """A network by its name in NETWORKS, with random weights; CheckpointError where none.

    `file` is the record that asks for it.
    """
    where = f"{file}: " if file else ""
    if network not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise CheckpointError(f"{where}no network is called {network!r}; there are: {known}")
    try:
        return NETWORKS[network](**arguments)
    except ColorizeError as error:
        raise CheckpointError(f"{where}{error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{where}{network} does not take {arguments}: {error}") from error


class Undrawn(TorchFunctionMode):
    """Networks that are built in this block hold whatever lay in memory, for weights to replace.

    Drawing 200 million random numbers takes longer than reading them.
    """

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _DRAWS:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


_DRAWS = frozenset(
    (
        *(Tensor.uniform_, Tensor.normal_, Tensor.erfinv_),
        *(nn.init.kaiming_uniform_, nn.init.uniform_, nn.init.normal_, nn.init.trunc_normal_),
    )
)


def load_weights(network: nn.Module, state: dict[str, Tensor], file: Path) -> None:
    """Gives the network these tensors, which it keeps.

    CheckpointError names the `file` and the first tensor that does not fit.
    """
    expected = _weights(network)
    for what, keys in (
        ("lacks", expected.keys() - state.keys()),
        ("has unknown", state.keys() - expected.keys()),
    ):
        if keys:
            raise CheckpointError(f"{file}: {what} {len(keys)} tensors, first {min(keys)}")
    for key, value in expected.items():
        if state[key].shape != value.shape:
            raise CheckpointError(
                f"{file}: expected {key} of shape {tuple(value.shape)}, "
                f"found {tuple(state[key].shape)}"
            )
    network.load_state_dict(state, strict=False, assign=True)


def _weights(network: nn.Module) -> dict[str, Tensor]:
    """What a checkpoint holds: all but BatchNorm's counters, which only training reads."""
    state = network.state_dict()
    return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}


def _shipped(key: str, value: Tensor) -> Tensor:
    value = value.detach().cpu().contiguous()
    if not value.is_floating_point():
        return value
    if not value.isfinite().all():
        raise CheckpointError(f"The weights hold NaN or infinity (first in {key}); not saved")
    half = value.half()
    return half if half.isfinite().all() else value.float()


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
    except (SafetensorError, KeyError) as error:  # KeyError: a kind of number torch has not
        raise CheckpointError(f"{file}: expected a safetensors file, found {error}") from error
