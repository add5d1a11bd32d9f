"""The states of all random generators that training may draw from, as plain values and tensors."""

import random
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor


def generator_states(device: torch.device) -> dict[str, Any]:
    """Those of Python, numpy, torch on the CPU, and on `device` where that is an accelerator."""
    version, words, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    return {
        "python": [version, list(words), gauss],
        "numpy": [name, keys.tolist(), *rest],
        "torch": torch.get_rng_state(),
        "device": None if device.type == "cpu" else _of(device).get_rng_state(*_place(device)),
    }


def restore_generators(states: dict[str, Any] | Tensor, device: torch.device) -> None:
    """What `generator_states` gave; a run from before that kept the CPU's tensor alone."""
    if isinstance(states, Tensor):
        torch.set_rng_state(states)
        return
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    on_device = states.get("device", states.get("cuda"))  # its name in runs from before
    if device.type != "cpu" and on_device is not None:
        _of(device).set_rng_state(on_device, *_place(device))


def _of(device: torch.device) -> ModuleType:
    """The part of torch that is for a kind of accelerator: cuda, xpu, mps, ..."""
    return torch.get_device_module(device)


def _place(device: torch.device) -> tuple[torch.device, ...]:
    """How its functions are told which one: there is one `mps` alone."""
    return () if device.type == "mps" else (device,)
