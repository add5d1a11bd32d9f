"""The states of all random generators that training may draw from, as plain values and tensors."""

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor


def generator_states(device: torch.device) -> dict[str, Any]:
    """Those of Python, numpy, torch on the CPU, and on `device` where that is a GPU."""
    version, words, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    on_gpu = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return {
        "python": [version, list(words), gauss],
        "numpy": [name, keys.tolist(), *rest],
        "torch": torch.get_rng_state(),
        "cuda": on_gpu,
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
    if device.type == "cuda" and states["cuda"] is not None:
        torch.cuda.set_rng_state(states["cuda"], device)
