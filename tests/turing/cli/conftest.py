"""A study that is built, one that people took part in, and photos of one that is not."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.turing.support.studies import built, study_text
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate


@pytest.fixture
def folder(tmp_path):
    """A built study with its file."""
    built(tmp_path / "studies").close()
    (tmp_path / "study.toml").write_text(study_text())
    return tmp_path


@pytest.fixture
def store(folder):
    return folder / "studies" / "tiny.sqlite"


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory):
    directory = tmp_path_factory.mktemp("filled")
    with built(directory) as store:
        skills = Skills({(None, "plain"): 0.95}, careless=0.1, withdraws=0.1)
        simulate(store, skills, 12, seed=2)
    return directory


@pytest.fixture
def filled(filled_once, tmp_path):
    shutil.copytree(filled_once, tmp_path / "filled")
    return tmp_path / "filled" / "tiny.sqlite"


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Six photos in each of two folders: blocks of colour, unlike each other."""
    # Without checkpoints the models under test serve for practice as well.
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "none"))
    for seed, dataset in enumerate(("hills", "apples")):
        (tmp_path / dataset).mkdir()
        for number in range(6):
            rng = np.random.default_rng([seed, number])
            blocks = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
            picture = blocks.resize((72, 60), Image.Resampling.BICUBIC)
            picture.save(tmp_path / dataset / f"{number}.png")
    # Models that need no checkpoint: the original's own colours at a low resolution.
    text = study_text().replace('["plain", "bright"]', '["control-2", "control-4"]')
    (tmp_path / "study.toml").write_text(text)
    return tmp_path
