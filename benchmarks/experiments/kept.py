"""What an experiment asks of each dataset, and what it measured, in a file so that it can go on."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from colorize.data.datasets import Dataset, find_datasets
from colorize.files import replacing


def of_split(data: Path, split: str, names: Iterable[str] = ()) -> list[Dataset]:
    """The datasets of a folder that have photos in the split; of them those named, if any are."""
    wanted = set(names)
    found = (one for one in find_datasets(data) if one.photos[split])
    return [one for one in found if not wanted or one.name in wanted]


def of_each(
    datasets: Iterable[Dataset], file: Path | None, measure: Callable[[Dataset], Any]
) -> dict[str, Any]:
    """`measure` of each dataset by its name; with a JSON `file` nothing that is in it is measured
    again, and each is written into it as soon as it is known.
    """
    found = json.loads(file.read_text("utf-8")) if file and file.exists() else {}
    for one in datasets:
        if one.name in found:
            continue
        found[one.name] = measure(one)
        if file:
            with replacing(file) as out:
                out.write(json.dumps(found).encode())
    return found
