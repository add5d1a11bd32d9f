"""Batches, threads and memory of a Colorizer."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch

from colorize import Photo
from colorize.errors import ColorizeError
from colorize.inference import colorizer
from tests.support.pictures import picture


def test_a_batch_gives_what_single_photos_give(model, make_pixels, runs):
    shapes = [(64, 64), (60, 80), (64, 64), (128, 128), (60, 80)]
    photos = [Photo.open(make_pixels(i, *shape)) for i, shape in enumerate(shapes)]
    together = model.predict(photos)
    assert sorted(shape[0] for shape in runs) == [2, 3]
    for photo, prediction in zip(photos, together, strict=True):
        alone = model.predict([photo])[0]
        assert prediction.shape == alone.shape
        assert torch.allclose(prediction.output, alone.output, atol=1e-3)
        difference = model.finish(photo, prediction).ab - model.finish(photo, alone).ab
        assert np.abs(difference).max() < 0.05


def test_batches_are_bounded_and_share_no_memory(direct, make_pixels, runs, monkeypatch):
    monkeypatch.setattr(colorizer, "_BATCH_PIXELS", 3 * 96 * 96)
    photos = [Photo.open(make_pixels(i)) for i in range(7)]
    predictions = direct.predict(photos)
    assert [shape[0] for shape in runs] == [3, 3, 1]
    for prediction in predictions:
        assert prediction.output.untyped_storage().nbytes() == prediction.output.nbytes
    assert direct.predict([]) == []


def test_threads_share_a_colorizer(model, make_pixels):
    photos = [make_pixels(i, 40 + i, 50) for i in range(8)]
    expected = [picture(model(photo)) for photo in photos]
    barrier = Barrier(4)

    def colorize(number):
        barrier.wait(timeout=30)
        result = model(photos[number])
        return picture(result), picture(result.adjusted(saturation=0.5))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(colorize, range(8)))
    for number, (whole, half) in enumerate(found):
        assert np.abs(whole.astype(int) - expected[number]).max() <= 1
        again = picture(model(photos[number], saturation=0.5))
        assert np.abs(half.astype(int) - again).max() <= 1


def test_threads_share_a_colorization(direct, make_pixels):
    result = direct(make_pixels(1, 300, 300))
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda _: np.asarray(result.image), range(8)))
    assert all(np.array_equal(one, pictures[0]) for one in pictures)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"),
    ],
)
def test_too_little_memory_is_one_sentence(direct, make_pixels, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(colorizer, "run_network", fail)
    with pytest.raises(ColorizeError, match="direct needs more memory than cpu has at 96 x 96"):
        direct(make_pixels(0))


def test_other_errors_of_a_network_are_not_hidden(direct, make_pixels, monkeypatch):
    def fail(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(colorizer, "run_network", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        direct(make_pixels(0))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory as Linux counts it")
def test_memory_is_bounded(checkpoints):
    """16 megapixels cost their result, 4 bytes each as encoders take them, and no floats."""
    script = """
        import re
        from pathlib import Path
        import numpy as np
        from colorize import Colorizer, Photo

        def peak():
            status = Path("/proc/self/status").read_text()  # ru_maxrss may be its parent's
            return int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1024

        model = Colorizer("direct", device="cpu")
        model(np.zeros((600, 600), np.uint8)).pixels
        grey = np.random.default_rng(0).integers(0, 256, (2000, 8000), dtype=np.uint8)
        photo = Photo(grey)
        before = peak()
        assert model(photo).pixels.shape == (2000, 8000, 3)
        print(peak() - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = 2000 * 8000 * 4 / 2**20
    assert float(done.stdout) < result + 40  # one channel as floats is 61 already
