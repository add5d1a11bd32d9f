"""Hugging Face's ZeroGPU: a GPU that is there only while a function that `spaces` knows of runs.

Networks are moved to it at the start; a call runs in a process of its own, which gets and gives
tensors on the CPU. Where no GPU can be had (a visitor's minutes are used up, say), the CPU does it.
"""

import copy
import logging
import math
import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

_log = logging.getLogger(__name__)

_BASE_SECONDS, _MEGAPIXEL_SECONDS = 5.0, 4.0  # of GPU time that are asked for


def on_zerogpu(environment: Mapping[str, str] = os.environ) -> bool:
    return environment.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def gpu_seconds(name: str, *inputs: Tensor) -> int:
    """What a call is expected to take at most, by the pixels `(N, 1, H, W)` of its photos."""
    count, _, height, width = inputs[0].shape
    return math.ceil(_BASE_SECONDS + _MEGAPIXEL_SECONDS * count * height * width / 2**20)


class ZeroGPU:
    """Networks by name, on the GPU. `spaces` is the package of that name."""

    def __init__(self, spaces: Any, networks: Mapping[str, nn.Module]) -> None:
        moved = {name: copy.deepcopy(network).to("cuda") for name, network in networks.items()}

        def run(name: str, *inputs: Tensor) -> Tensor:
            return moved[name](*(x.to("cuda") for x in inputs)).float().cpu()

        self._run = spaces.GPU(duration=gpu_seconds)(run)
        self._networks = networks

    def network(self, name: str) -> nn.Module:
        """A network like the one of that name, which runs on the GPU."""
        return _OnGPU(name, self._networks[name], self._run)


class _OnGPU(nn.Module):
    """All that its network on the CPU is, but for where it runs."""

    def __init__(self, name: str, network: nn.Module, run: Any) -> None:
        super().__init__()
        self._name, self._network, self._run = name, network, run

    def forward(self, *inputs: Tensor) -> Tensor:
        try:
            return self._run(self._name, *(x.clone() for x in inputs))
        except Exception as error:  # whatever `spaces` raises: above all, that there is none
            _log.warning("%s runs on the CPU: %s", self._name, error)
            return self._network(*inputs)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._network, name)
