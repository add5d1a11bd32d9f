"""Checkpoints of random weights, small and quick."""

from pathlib import Path

import torch

from colorize.checkpoint import build_network, save_checkpoint
from colorize.record import Record


def save_all(folder: Path, seed: int = 0) -> None:
    """ "direct", the default, and "bins"."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save("baseline", "direct", folder, {"kind": "direct"}, default=True)
        save("classifier", "bins", folder, {"kind": "annealed-mean", "temperature": 0.38})


def save(network: str, name: str, folder: Path, decoding: dict, default: bool = False) -> None:
    module = build_network(network, {}).eval()
    over_bins = decoding["kind"] == "annealed-mean"
    run, head = (module, module.head) if over_bins else (module.layers[:-1], module.layers[-2])
    with torch.no_grad():  # an output that differs from place to place, around nothing
        output = run(torch.rand(1, 1, 64, 64) * 2 - 1)
        scale = (3 if over_bins else 0.3) / output.std((2, 3)).mean()
        head.weight *= scale
        head.bias.copy_((head.bias - output.mean((0, 2, 3))) * scale)
    record = Record(
        name, name.title(), f"{network}, random", network, {}, 96, decoding, default=default
    )
    save_checkpoint(module, record, folder)
