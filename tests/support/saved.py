"""A picture to save, and the saving of it."""

import numpy as np

from colorize.photo.saving import save_picture

y, x = np.mgrid[:60, :80]
PICTURE = np.stack([x * 3, y * 4, 255 - x - y], axis=-1).astype(np.uint8)
GREY = (x + y * 2).astype(np.uint8)
ALPHA = (x * 3).astype(np.uint8)


MODEL = {"model": "fusion", "weights_hash": "1a2b3c4d5e6f7890"}


def save(photo, path, picture=PICTURE, **options):
    return save_picture(picture, path, photo, **{**MODEL, **options})
