"""Pictures for the tests: what scikit-image ships, and photos made up from a seed."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from colorize.data import SPLITS, Dataset, PhotoFile

SHIPPED = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg")


@pytest.fixture(scope="session")
def shipped_photos() -> dict[str, np.ndarray]:
    """Colour photos of scikit-image's package: uint8 `(h, w, 3)` by file name."""
    folder = Path(skimage.__file__).parent / "data"
    photos = {}
    for name in SHIPPED:
        with Image.open(folder / name) as image:
            image.thumbnail((384, 384))
            photos[name] = np.asarray(image.convert("RGB"))
    return photos


@pytest.fixture(scope="session")
def encode():
    """A function of (pixels, format): the bytes of a picture file."""

    def encode(pixels: np.ndarray, format: str = "PNG") -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format)
        return buffer.getvalue()

    return encode


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def make_dataset(make_pixels, encode):
    """A function of a name and sizes by split: a dataset of made photos."""

    def make(name, **sizes):
        photos = {"train": [], "val": [], "test": []}
        for split, all_sizes in sizes.items():
            for number, size in enumerate(all_sizes):
                seed = 100 * SPLITS.index(split) + number
                content = encode(make_pixels(seed, *size) // 2 + 64)  # far from the gamut's edge
                photos[split].append(PhotoFile(f"{number}.png", lambda content=content: content))
        return Dataset(name, photos)

    return make


@pytest.fixture(scope="module")
def chromium():
    """A browser with a made-up camera."""
    from tab_pages import a_browser  # gradio, which most tests do without

    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with a_browser(flags) as browser:
        yield browser


@pytest.fixture(scope="module")
def server(shipped_with_hints, tmp_path_factory):
    """The app, running, with the models of `shipped_with_hints`."""
    from tab_pages import running

    with running(shipped_with_hints, tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture
def visit(chromium, server):
    """A function that opens the app of the module's `server` as a new visitor; see `visitors`."""
    from tab_pages import visitors

    with visitors(chromium, server, permissions=["camera"]) as visit:
        yield visit
