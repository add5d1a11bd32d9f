"""What a run starts from: device and precision, network, record, and what decides its course."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from colorize.color import bins
from colorize.data.cache import PhotoCache
from colorize.data.datasets import Dataset
from colorize.errors import ColorizeError
from colorize.models.checkpoint import build_network, load_checkpoint
from colorize.models.networks.backbone import load_pretrained
from colorize.models.record import Record
from colorize.training.settings import Settings, is_over_bins


def make_accelerator(settings: Settings) -> Any:
    """Accelerate's, at the settings' precision; ColorizeError where it is not there or cannot."""
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise ColorizeError("Training needs accelerate: pip install -e '.[train]'") from error
    precision = best_precision() if settings.precision == "auto" else settings.precision
    try:
        accelerator = Accelerator(mixed_precision=precision)
    except ValueError as error:  # what this device cannot do
        raise ColorizeError(f"--set precision={precision}: {error}") from error
    if precision == "fp16" and accelerator.device.type == "cpu":
        raise ColorizeError("--set precision=fp16: needs a GPU; take bf16 or no")
    return accelerator


def best_precision() -> str:
    """bf16 where the hardware has it, fp16 on an older GPU, else full."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16" if cpu_has_bf16() else "no"


def cpu_has_bf16() -> bool:
    """Whether the processor has bf16; PyTorch would emulate it, a hundred times slower."""
    return getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()


def run_config(settings: Settings, datasets: list[Dataset], processes: int) -> dict[str, dict]:
    """What decides the course of a run, so that a resumed one is the same."""
    names = [[d.name, [photo.name for photo in d.photos["train"]]] for d in datasets]
    photos = hashlib.sha256(json.dumps(names).encode()).hexdigest()
    return {
        "settings": asdict(settings),
        "data": {
            "train": {dataset.name: len(dataset.photos["train"]) for dataset in datasets},
            "names of the photos": photos,
        },
        "machine": {"number of processes": processes},
    }


def first_record(
    settings: Settings, network: nn.Module, origin: dict[str, Any], photos: PhotoCache
) -> Record:
    """What the checkpoints of a run are, before any step."""
    decoding = {"kind": "annealed-mean", "temperature": settings.temperature}
    counts = dict(Counter(photos.datasets))
    return Record(
        name="best",
        title=settings.network.capitalize(),
        summary=f"{settings.network}, trained on {', '.join(counts)}",
        network=settings.network,
        arguments=_arguments(settings),
        size=settings.size,
        decoding=decoding if network.over_bins else {"kind": "direct"},
        lightness=network.lightness,
        data={"train": counts, "repeat": settings.repeat},
        **origin,
    )


def _arguments(settings: Settings) -> dict[str, Any]:
    if not settings.backbone:
        return {}
    if settings.network == "unet":
        outputs = bins.COUNT if is_over_bins(settings) else 2
        arguments = {"backbone": settings.backbone, "outputs": outputs}
        return arguments | ({"attention": True} if settings.attention else {})
    arguments = {
        "backbone": settings.backbone,
        "backbone_size": settings.backbone_size or None,
    }
    if settings.zero_embedding:
        arguments["zero_embedding"] = True
    more = {"local": settings.local, "unpooled": settings.unpooled}
    return arguments | {key: value for key, value in more.items() if value}


def make_network(settings: Settings) -> tuple[nn.Module, dict[str, Any]]:
    """The network before the first step, and what its record says of its weights' origin."""
    network, origin = _go_on_from(settings) if settings.start else _new(settings)
    if settings.drop_path:
        network.backbone.drop_paths(settings.drop_path)
    if settings.frozen_norms:
        network.backbone.freeze_norms()
    return network, origin


def parameter_groups(network: nn.Module, settings: Settings) -> list[dict[str, Any]]:
    """What trains, with its highest learning rate: the backbone by itself where it has its own."""
    trained = [p for p in network.parameters() if p.requires_grad]
    if not settings.backbone_lr:
        return [{"params": trained, "lr": settings.lr}]
    backbone = list(network.backbone.parameters())
    known = set(map(id, backbone))
    return [
        {"params": [p for p in trained if id(p) not in known], "lr": settings.lr},
        {"params": backbone, "lr": settings.backbone_lr},
    ]


def _new(settings: Settings) -> tuple[nn.Module, dict[str, Any]]:
    network = build_network(settings.network, _arguments(settings))
    if not settings.backbone:
        return network, {}
    return network, {"backbone": _load_backbone(network, settings)}


def _load_backbone(network: nn.Module, settings: Settings) -> dict[str, str]:
    file = Path(settings.backbone_file) if settings.backbone_file else None
    source = load_pretrained(network.backbone.network, settings.backbone, file)
    return {"name": settings.backbone, "weights": source}


def _go_on_from(settings: Settings) -> tuple[nn.Module, dict[str, Any]]:
    network, record = load_checkpoint(Path(settings.start))
    arguments = _arguments(settings)
    if (record.network, record.arguments | _more(arguments)) != (settings.network, arguments):
        raise ColorizeError(
            f"--set start={settings.start}: expected a {settings.network} of "
            f"{arguments}, found a {record.network} of {record.arguments}"
        )
    if record.arguments != arguments:  # what is new begins at nothing
        grown = build_network(settings.network, arguments)
        grown.load_state_dict(network.state_dict(), strict=False)
        network = grown
    origin = {"backbone": record.backbone, "training": {"before": record.training}}
    if settings.backbone_file:  # what it knew before the training that this one goes on from
        origin["backbone"] = _load_backbone(network, settings)
    return network.train().requires_grad_(True), origin


def _more(arguments: dict[str, Any]) -> dict[str, Any]:
    """What a network may have that the one it goes on from has not."""
    return {key: value for key, value in arguments.items() if key == "attention"}
