"""Pictures for the tests: what scikit-image ships, and photos made up from a seed."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from colorize import Colorizer
from colorize.data.datasets import SPLITS, Dataset, PhotoFile
from colorize.evaluation import metrics
from colorize.inference import colorizer
from colorize.training import start
from tests.support.commands import ALL_FORMATS

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
    from tests.support.tab_pages import a_browser  # gradio, which most tests do without

    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with a_browser(flags) as browser:
        yield browser


@pytest.fixture(scope="module")
def server(shipped_with_hints, tmp_path_factory):
    """The app, running, with the models of `shipped_with_hints`."""
    from tests.support.tab_pages import running

    with running(shipped_with_hints, tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture
def visit(chromium, server):
    """A function that opens the app of the module's `server` as a new visitor; see `visitors`."""
    from tests.support.tab_pages import visitors

    with visitors(chromium, server, permissions=["camera"]) as visit:
        yield visit


@pytest.fixture
def photo(tmp_path, make_pixels) -> Path:
    file = tmp_path / "old.jpg"
    Image.fromarray(make_pixels(1, 60, 80)[..., 0]).save(file)
    return file


@pytest.fixture
def album(tmp_path, make_pixels) -> Path:
    """A folder tree with a photo of every format and whatever else folders hold."""
    folder = tmp_path / "album"
    (folder / "sub ü" / "deep").mkdir(parents=True)
    pixels = make_pixels(2, 50, 40)
    for ending in ALL_FORMATS:
        Image.fromarray(pixels).save(folder / f"photo.{ending}.{ending}")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(folder / "sub ü" / "deep16.png")
    Image.fromarray(pixels).convert("CMYK").save(folder / "sub ü" / "deep" / "日本 [x].JPEG")
    (folder / "sub ü" / "text.jpg").write_text("no picture at all")
    whole = (folder / "photo.jpg.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "zero.png").write_bytes(b"")
    (folder / "notes.txt").write_text("about these photos")
    (folder / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    (folder / "sub ü" / "loop").symlink_to(folder, target_is_directory=True)
    return folder


@pytest.fixture
def own_checkpoints(shipped_checkpoints, tmp_path, monkeypatch) -> Path:
    """A copy of the checkpoints that may be written to."""
    folder = shutil.copytree(shipped_checkpoints, tmp_path / "own")
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(folder))
    return folder


@pytest.fixture
def data(tmp_path, make_pixels) -> Path:
    """Two datasets of tiny photos; `people` has no `val`."""
    folder = tmp_path / "data"
    for name, splits in (("fruits", ("train", "val", "test")), ("people", ("train", "test"))):
        for number, split in enumerate(splits):
            (folder / name / split).mkdir(parents=True)
            for i in range(3):
                pixels = make_pixels(10 * number + i, 40, 50)
                Image.fromarray(pixels).save(folder / name / split / f"{name} {i}.png")
    return folder


@pytest.fixture
def no_lpips(monkeypatch):
    monkeypatch.setattr(metrics, "lpips_vgg", lambda: (None, "left out in this test"))


@pytest.fixture(params=("direct", "bins"))
def model(request, checkpoints) -> Colorizer:
    return Colorizer(request.param, device="cpu")


@pytest.fixture
def direct(checkpoints) -> Colorizer:
    return Colorizer("direct", device="cpu")


@pytest.fixture
def over_bins(checkpoints) -> Colorizer:
    return Colorizer("bins", device="cpu")


@pytest.fixture
def runs(monkeypatch) -> list[tuple[int, ...]]:
    """The shapes of the batches that networks were given."""
    shapes = []
    run = colorizer.run_network

    def counted(network, record, L):
        shapes.append(tuple(L.shape))
        return run(network, record, L)

    monkeypatch.setattr(colorizer, "run_network", counted)
    return shapes


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A colour photo, a grey one, and a text file that calls itself a photo."""
    folder = tmp_path_factory.mktemp("photos")
    coffee = Image.fromarray(skimage.data.coffee())
    coffee.save(folder / "coffee.jpg", quality=95)
    Image.fromarray(skimage.data.camera()).resize((300, 400)).save(folder / "camera.png")
    (folder / "notes.jpg").write_text("Buy milk, bread and film for the camera.")
    return folder


@pytest.fixture
def fresh_accelerator(monkeypatch):
    """accelerate keeps the precision of a process's first run; and no weights are fetched."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    monkeypatch.setattr(start, "load_pretrained", lambda network, name, file: file.name)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def made(make_pixels, encode):
    """Made photos: 18 to train (two datasets), 2 to validate."""

    def photos(*seeds):
        contents = {seed: encode(make_pixels(seed, 40, 48)) for seed in seeds}
        return [PhotoFile(f"{s}.png", lambda c=content: c) for s, content in contents.items()]

    return [
        Dataset("a", {"train": photos(*range(12)), "val": photos(100, 101), "test": []}),
        Dataset("b", {"train": photos(*range(20, 26)), "val": [], "test": []}),
    ]
