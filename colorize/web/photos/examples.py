"""Three photos to try the app with: scikit-image's own, turned grey."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

# Public domain or CC0, and inside scikit-image's package: nothing is fetched.
EXAMPLES: dict[str, Callable[[], np.ndarray]] = {
    "Astronaut": skimage.data.astronaut,
    "Cat": skimage.data.chelsea,
    "Coffee": skimage.data.coffee,
}


def write_examples(folder: Path) -> list[Path]:
    """Writes the examples as grey JPEG files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, read in EXAMPLES.items():
        files.append(folder / f"{name.lower()}.jpg")
        Image.fromarray(read()).convert("L").save(files[-1], quality=92)
    return files
