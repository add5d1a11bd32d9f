"""One app for all tests of a file."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.open_app import serving


@pytest.fixture(scope="module")
def server(shipped_checkpoints, tmp_path_factory):
    with serving(shipped_checkpoints, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def picture():
    def encode(format="PNG"):
        file = io.BytesIO()
        noise = np.random.default_rng().integers(0, 256, (24, 32), dtype=np.uint8)
        Image.fromarray(noise).save(file, format)
        return file.getvalue()

    return encode
