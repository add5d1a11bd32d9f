"""The built-in study's photos: what packages that are installed anyway ship with themselves.

They are copied from there on the machine where the study runs, and are no part of this project.
"""

import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from turing.errors import TuringError
from turing.stimuli import render
from turing.study.study import Study, demo_study

NAME = "demo"
MODELS = ("baseline", "fusion")
ENOUGH = 10  # 8 trials, 1 practice, 1 catch


class Shipped(NamedTuple):
    """A colour photo in a package, and its licence as the package states it."""

    package: str
    file: str
    licence: str


PHOTOS = (
    Shipped("skimage", "data/astronaut.png", "public domain (NASA)"),
    Shipped("skimage", "data/chelsea.png", "CC0 (Stefan van der Walt)"),
    Shipped("skimage", "data/coffee.png", "CC0 (Rachel Michetti)"),
    Shipped("skimage", "data/rocket.jpg", "public domain (SpaceX)"),
    Shipped("skimage", "data/motorcycle_left.png", "Middlebury 2014 stereo benchmark"),
    Shipped("gradio", "media_assets/images/cheetah.jpg", "Apache-2.0, as the package"),
    Shipped("gradio", "media_assets/images/cheetah1.jpg", "Apache-2.0, as the package"),
    Shipped("gradio", "media_assets/images/lion.jpg", "Apache-2.0, as the package"),
    Shipped("gradio", "media_assets/images/tower.jpg", "Apache-2.0, as the package"),
    Shipped("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "public domain (US Navy)"),
)
SPARE = (  # less of a photo to judge; taken where the others are too few
    Shipped("gradio", "test_data/cheetah2.jpg", "Apache-2.0, as the package"),
    Shipped("skimage", "data/ihc.png", "no known copyright restrictions"),
)


def make_demo(directory: Path | str) -> Study:
    """The built-in study, with its photos in `directory`/photos, copied when first called.

    Its models are baseline and fusion where both are there, else the first checkpoints. Raises
    TuringError where there are no checkpoints or too few photos.
    """
    folder = Path(directory) / "photos"
    if not folder.is_dir():
        _copy(folder)
    return demo_study(directory, _models())


def shipped_photos() -> list[Path]:
    """The photos that are installed here, with spare ones where there are fewer than `ENOUGH`."""
    found = list(_installed(PHOTOS))
    return found + list(_installed(SPARE))[: max(0, ENOUGH - len(found))]


def _installed(photos: tuple[Shipped, ...]) -> Iterator[Path]:
    for photo in photos:
        spec = find_spec(photo.package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            if (path := Path(root) / photo.file).is_file():
                yield path


def _copy(folder: Path) -> None:
    """All photos or none."""
    photos = shipped_photos()
    if len(photos) < ENOUGH:
        raise TuringError(
            f"demo: expected {ENOUGH} photos in the packages scikit-image and gradio, found "
            f"{len(photos)}; install the versions that requirements.txt names"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".photos.", dir=folder.parent) as temporary:
        whole = Path(temporary) / folder.name
        whole.mkdir()
        for photo in photos:
            shutil.copyfile(photo, whole / photo.name)
        whole.rename(folder)


def _models() -> tuple[str, ...]:
    names = render.checkpoints()
    if not names:
        raise TuringError("demo: expected checkpoints, found none; see the README")
    return MODELS if set(MODELS) <= set(names) else tuple(names[:2])
