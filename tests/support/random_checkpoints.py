"""Checkpoints of random weights, small and quick."""

from pathlib import Path

import torch

from colorize.models.checkpoint import build_network, save_checkpoint
from colorize.models.record import Record

OVER_BINS = {"kind": "annealed-mean", "temperature": 0.38}
SMALL_UNET = {"backbone": "test_efficientnet", "widths": [24, 24, 16, 16, 16]}


def save_all(folder: Path, seed: int = 0) -> None:
    """ "direct", the default, and "bins"."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save("baseline", "direct", folder, {"kind": "direct"}, default=True)
        save("classifier", "bins", folder, OVER_BINS)


def save_hinted(folder: Path, seed: int = 0) -> None:
    """ "hinted", which takes colour hints."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save("unet", "hinted", folder, {**OVER_BINS, "temperature": 0.6}, arguments=SMALL_UNET)


def save(
    network: str,
    name: str,
    folder: Path,
    decoding: dict,
    default: bool = False,
    arguments: dict | None = None,
) -> None:
    module = build_network(network, arguments or {}).eval()
    over_bins = decoding["kind"] == "annealed-mean"
    run, head = (module, module.head) if over_bins else (module.layers[:-1], module.layers[-2])
    with torch.no_grad():  # an output that differs from place to place, around nothing
        output = run(torch.rand(1, 1, 64, 64) * 2 - 1)
        scale = (3 if over_bins else 0.3) / output.std((2, 3)).mean()
        head.weight *= scale
        head.bias.copy_((head.bias - output.mean((0, 2, 3))) * scale)
    record = Record(
        name,
        name.title(),
        f"{network}, random",
        network,
        arguments or {},
        96,
        decoding,
        default=default,
    )
    save_checkpoint(module, record, folder)
