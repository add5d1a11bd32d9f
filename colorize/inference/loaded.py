"""Models by name, loaded when they are first needed; large ones leave when nobody uses them."""

import threading
import time
from collections.abc import Iterable
from typing import Any

from colorize.inference.colorizer import Colorizer
from colorize.inference.zerogpu import ZeroGPU
from colorize.models.record import CheckpointError, Record

_LARGE = 50_000_000  # bytes of weights
_IDLE = 600.0  # seconds


class LoadedModels:
    """`records` has the models that there are, by name. Safe between threads."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = {record.name: record for record in records}
        self._colorizers: dict[str, Colorizer] = {}
        self._used: dict[str, float] = {}
        self._stays = False
        self._loading = {name: threading.Lock() for name in self.records}

    def record(self, model: str) -> Record:
        """CheckpointError for a model that is not of the list."""
        if model not in self.records:
            raise CheckpointError(f"There is no model {model!r}; choose one of the list")
        return self.records[model]

    def colorizer(self, model: str) -> Colorizer:
        """Loaded now if it is not yet; those who ask for other models do not wait for that."""
        self.record(model)
        self._used[model] = time.monotonic()
        loaded = self._colorizers.get(model)
        if loaded is None:
            with self._loading[model]:
                loaded = self._colorizers.get(model)
                if loaded is None:
                    loaded = self._colorizers[model] = Colorizer(model)
        return loaded

    def add(self, record: Record) -> None:
        """One more model, from now on."""
        self._loading[record.name] = threading.Lock()
        self.records = {**self.records, record.name: record}

    def release(self, idle: float = _IDLE) -> None:
        """Lets large models go that were not used for `idle` seconds; loaded again when needed."""
        before = time.monotonic() - idle
        for model in list(self._colorizers):
            large = self.records[model].weights["bytes"] >= _LARGE
            if large and not self._stays and self._used[model] <= before:
                self._colorizers.pop(model, None)

    def use_zerogpu(self, spaces: Any) -> None:
        """Load every model, for good, and run their networks on ZeroGPU."""
        self._stays = True
        networks = {name: self.colorizer(name).network for name in self.records}
        gpu = ZeroGPU(spaces, networks)
        for name, colorizer in self._colorizers.items():
            colorizer.network = gpu.network(name)
