"""A forward of each network at 256 x 256, in fp32 and, where the processor has it, in bf16."""

import time
from statistics import median
from typing import Any

import torch
from torch import nn

from colorize.models.checkpoint import load_checkpoint
from colorize.models.networks import NETWORKS
from colorize.models.record import list_checkpoints
from colorize.training.start import cpu_has_bf16


def measure(size: int = 256, rounds: int = 5) -> dict[str, Any]:
    """Seconds for one photo, medians; each round runs both, after one that is not counted.

    bf16 is autocast's, and None where it would be emulated, a hundred times slower. Networks
    without a checkpoint run with random weights: as fast.
    """
    rows = []
    for name, network in _networks():
        L = torch.linspace(-1, 1, size * size).view(1, 1, size, size)
        kinds = (False, True) if cpu_has_bf16() else (False,)
        times = [[_seconds(network, L, kind) for kind in kinds] for _ in range(rounds + 1)]
        fp32, *bf16 = (median(column) for column in zip(*times[1:], strict=True))
        parameters = sum(p.numel() for p in network.parameters())
        row = {"model": name, "parameters": parameters, "fp32": fp32}
        rows.append(row | {"bf16": next(iter(bf16), None)})
    return {"rows": rows, "size": size}


def _networks() -> list[tuple[str, nn.Module]]:
    loaded = [load_checkpoint(record.name) for record in list_checkpoints()]
    there = {record.network for _, record in loaded}
    found = [(record.name, network) for network, record in loaded]
    left_out = {"fusion", "siggraph17", "deoldify", "ddcolor"}  # fetches; `models` has the others
    without = [name for name in NETWORKS if name not in there | left_out]
    return found + [(name, NETWORKS[name]().eval()) for name in without]


def _seconds(network: nn.Module, L: torch.Tensor, bf16: bool = False) -> float:
    began = time.perf_counter()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        network(L)
    return time.perf_counter() - began
