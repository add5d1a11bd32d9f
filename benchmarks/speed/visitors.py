"""The memory of the running app after many visitors, each with one small photo."""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.speed.footprint import memory
from benchmarks.speed.photos import write_photo
from benchmarks.speed.visitor import Visitor
from benchmarks.study.serving import App
from colorize.models.record import list_checkpoints
from colorize.web.cache import bound

MEGAPIXELS = 0.2


def measure(visitors: int = 300, **environment: str) -> dict[str, Any]:
    """MB of the app's process at its start, after the first visitor, and after them all.

    A visitor drops a photo, sees it in colour by the default model, and stays. `peak`: the most
    there was; `bound`: what may be kept for them. None where the system does not tell: Linux does.
    """
    model = next(record.name for record in list_checkpoints() if record.default)
    with tempfile.TemporaryDirectory() as folder:
        photo = write_photo(Path(folder), MEGAPIXELS)
        with App(Path(folder) / "studies", TMPDIR=folder, **environment) as app:
            found: dict[str, Any] = {"visitors": visitors, "megapixels": MEGAPIXELS}
            found["bound"] = bound({**os.environ, **environment}) / 2**20
            found["started"] = memory("VmRSS", app.pid)
            began = time.perf_counter()
            for number in range(visitors):
                visitor = Visitor(app.port, number, model)
                visitor.send([photo])
                visitor.run()
                for picture in ("grey", "original", "{model}/colour"):
                    visitor.get(picture, saturation=1)
                if number == 0:
                    found["first"] = memory("VmRSS", app.pid)
            found["seconds"] = time.perf_counter() - began
            return found | {"all": memory("VmRSS", app.pid), "peak": memory("VmHWM", app.pid)}
