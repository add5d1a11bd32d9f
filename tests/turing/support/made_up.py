"""Studies with photos made up from a seed, in folders, as a researcher has them."""

from pathlib import Path

import numpy as np
from PIL import Image

from turing.study.study import parse_study

STUDY = """
[study]
name = "{name}"
title = "Which photo is real?"
protocol = "{protocol}"
seed = {seed}
[stimuli]
photos_per_dataset = {per_dataset}
display_size = {display_size}
models = {models}
[[stimuli.datasets]]
name = "hills"
folder = "hills"
[[stimuli.datasets]]
name = "apples"
folder = "apples"
{external}
[trials]
per_participant = {per_participant}
practice = {practice}
catch = {catch}
exposure_ms = {exposure_ms}
{asks}
[participants]
completion_code = "C0L0R"
{planned}
[texts]
consent = "Will you take part?"
instructions = "Look."
"""

DEFAULTS = {
    "name": "made-up",
    "protocol": "pick-original",
    "seed": 7,
    "per_dataset": 0,
    "display_size": 48,
    "models": ["control-8"],
    "external": "",
    "per_participant": 4,
    "practice": 1,
    "exposure_ms": 1000,
    "asks": "",  # more lines of [trials]
    "catch": 1,
    "planned": "planned = 40",
}


def study_in(folder, **changes):
    """The study whose photos are in `folder`/hills and `folder`/apples."""
    settings = DEFAULTS | changes
    settings["models"] = str(settings["models"]).replace("'", '"')
    return parse_study(STUDY.format(**settings), Path(folder) / "study.toml")


def external(name, folder):
    return f'[[stimuli.external]]\nname = "{name}"\nfolder = "{folder}"'


def photo(seed, height=60, width=80, grain=6):
    """uint8 `(height, width, 3)`: shapes and shades of many colours, with grain."""
    rng = np.random.default_rng(seed)
    shades = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    pixels = np.asarray(shades.resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    edges = np.kron(rng.integers(-50, 50, (4, 4)), np.ones((height // 4 + 1, width // 4 + 1)))
    pixels += edges[:height, :width, None] + rng.normal(0, grain, (height, width, 1))
    return pixels.clip(0, 255).astype(np.uint8)


def toned(pixels):
    """Other colours, about the same lightness: red-green and blue-yellow exchanged."""
    y, cb, cr = Image.fromarray(pixels).convert("YCbCr").split()
    return np.asarray(Image.merge("YCbCr", (y, cr, cb)).convert("RGB"))


def save_photos(folder, photos=4, start=0, **look):
    """`photos` PNG files in each of two datasets."""
    for number, dataset in enumerate(("hills", "apples")):
        (folder / dataset).mkdir(parents=True, exist_ok=True)
        for i in range(start, start + photos):
            pixels = photo(1000 * number + i, **look)
            Image.fromarray(pixels).save(folder / dataset / f"{i:03}.png")
    return folder
