"""A sheet of a dataset's photos for the eye: grey, each model, truth, eight photos a block."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps
from tqdm import tqdm

from colorize.color.render import render
from colorize.color.resample import shrink
from colorize.data.datasets import PhotoFile
from colorize.errors import ColorizeError
from colorize.files import replacing
from colorize.inference.colorizer import Colorizer
from colorize.photo.opening import Photo

SIDE = 192  # of a tile, in pixels
COLUMNS = 8
_LETTERS, _PAD, _GAP = 16, 6, 2
_LONGEST = 8 * SIDE  # of what a tile is cut from
_BACKGROUND, _INK = "white", "black"


def choose(photos: Sequence[PhotoFile], count: int, seed: int) -> Iterator[tuple[str, Photo]]:
    """`count` photos at random (all where there are fewer) with their names, the same for a seed.

    One that cannot be read is said and another one takes its place.
    """
    found = 0
    for photo in random.Random(seed).sample(photos, len(photos)):
        if found == count:
            return
        try:
            opened = Photo.open(photo.read())
        except ColorizeError as error:
            tqdm.write(f"{photo.name}: left out: {error}")
            continue
        found += 1
        yield PurePosixPath(photo.name).stem, opened


def make_sheet(photos: Iterable[tuple[str, Photo]], models: Mapping[str, Colorizer]) -> Image.Image:
    """The sheet, RGB: in each block a row of grey photos, a row a model, and a row of the truth.

    A tile is the middle square of its photo. `models` are by their labels, which stand to the
    left; the photos' names stand above. Raises ColorizeError where there is no photo.
    """
    labels = ["grey", *models, "truth"]
    progress = tqdm(photos, "sheet", unit="photo", leave=False, disable=None)
    columns = [(name, _tiles(photo, models.values())) for name, photo in progress]
    if not columns:
        raise ColorizeError("None of the photos can be read; nothing to put on a sheet")
    font = ImageFont.load_default(_LETTERS)
    left = round(max(font.getlength(label) for label in labels)) + 2 * _PAD
    line = _LETTERS + 2 * _PAD
    blocks = [columns[start : start + COLUMNS] for start in range(0, len(columns), COLUMNS)]
    step = SIDE + _GAP
    block_height = line + len(labels) * step
    width = left + min(COLUMNS, len(columns)) * step
    sheet = Image.new("RGB", (width, len(blocks) * block_height), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for number, block in enumerate(blocks):
        top = number * block_height
        for row, label in enumerate(labels):
            middle = top + line + row * step + SIDE // 2
            draw.text((_PAD, middle), label, fill=_INK, font=font, anchor="lm")
        for column, (name, tiles) in enumerate(block):
            x = left + column * step
            draw.text((x, top + _PAD), _fitted(name, font), fill=_INK, font=font, anchor="la")
            for row, tile in enumerate(tiles):
                sheet.paste(tile, (x, top + line + row * step))
    return sheet


def write_sheet(sheet: Image.Image, file: Path) -> None:
    """Writes a PNG, whole or not at all."""
    with replacing(file) as out:
        sheet.save(out, "PNG")


def _tiles(photo: Photo, models: Iterable[Colorizer]) -> list[Image.Image]:
    truth = shrink(photo.pixels, _LONGEST)
    pictures = [Image.fromarray(render(truth, torch.zeros(2, 1, 1)))]
    pictures += [model(photo).preview(_LONGEST) for model in models]
    pictures.append(Image.fromarray(_with_colours(truth)))
    return [ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.LANCZOS) for picture in pictures]


def _with_colours(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _fitted(name: str, font: ImageFont.FreeTypeFont) -> str:
    """The beginning of a name, as much of it as a tile is wide."""
    room = SIDE - _PAD
    while font.getlength(name) > room:
        name = name.removesuffix("…")[:-1] + "…"
    return name
