"""Made scans: a print with its paper border, on a scanner's bed, askew."""

import numpy as np
from PIL import Image


def scanned(photo, paper=230, *, width=40, sides=(1, 1, 1, 1), bed=None, tilt=0.0, deckle=False):
    """A photo uint8 `(h, w)` with a border of paper (top, right, bottom, left), perhaps on a bed.

    Returns the scan and the corners of the photo in it, (x, y) in pixels.
    """
    noise = np.random.default_rng(0)
    height, across = photo.shape
    top, right, bottom, left = (width * side for side in sides)
    size = across + left + right, height + top + bottom
    sheet = np.full(size[::-1], paper, np.uint8)
    sheet[top : top + height, left : left + across] = photo
    corners = np.array([(0, 0), (across, 0), (across, height), (0, height)])
    corners += left, top
    mask = np.full(sheet.shape, 255, np.uint8)
    if deckle:
        for turns in range(4):
            side = np.rot90(mask, turns)
            torn = 4 + 3 * np.sin(np.arange(side.shape[1]) / 4) + noise.normal(0, 1, side.shape[1])
            side[np.arange(len(side))[:, None] < torn] = 0
    if bed is not None:
        around = 60
        sheet = np.pad(sheet, around, constant_values=bed)
        mask = np.pad(mask, around)
        corners = corners + around
    whole = Image.fromarray(sheet).rotate(tilt, Image.Resampling.BICUBIC, fillcolor=paper)
    if bed is not None:
        lying = Image.fromarray(mask).rotate(tilt, Image.Resampling.BICUBIC)
        whole = Image.composite(whole, Image.new("L", whole.size, bed), lying)
    angle, middle = np.radians(-tilt), np.array(whole.size) / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    pixels = np.asarray(whole) + noise.normal(0, 2, whole.size[::-1])
    return pixels.clip(0, 255).astype(np.uint8), (corners - middle) @ turn.T + middle
