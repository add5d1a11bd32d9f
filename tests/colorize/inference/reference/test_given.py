"""Photos that others take their colours from."""

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.errors import ColorizeError
from colorize.inference.reference.given import Reference
from colorize.photo.opening import PhotoError


def test_a_photo_without_colours_is_refused(make_pixels, tmp_path):
    grey = make_pixels(1, 60, 80)[..., 0]
    sepia = np.clip(grey[..., None] * np.array([1.0, 0.9, 0.7]), 0, 255).astype(np.uint8)
    file = tmp_path / "grandmother.png"
    Image.fromarray(np.stack([grey] * 3, -1)).save(file)
    for given, name in ((grey, "photo"), (sepia, "photo"), (file, "grandmother.png")):
        with pytest.raises(ColorizeError, match=f"reference: {name} has no colours to take"):
            Reference.open(given)


def test_what_is_no_photo_is_refused(tmp_path):
    with pytest.raises(PhotoError, match="was not found"):
        Reference.open(tmp_path / "nothing.jpg")


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_is_a_share(make_pixels, strength):
    photo = Reference.open(make_pixels(1)).photo
    with pytest.raises(ColorizeError, match="expected a strength from 0 to 1"):
        Reference.open(Reference(photo, strength))


@pytest.mark.parametrize(
    ("shape", "seen"), [((300, 600), (256, 512)), ((40, 50), (40, 50)), ((2000, 300), (1024, 154))]
)
def test_it_is_looked_at_small(make_pixels, shape, seen):
    lab = Reference.open(make_pixels(3, *shape)).lab()
    assert lab.shape == (3, *seen) and lab.dtype == torch.float32
    assert lab[0].min() >= 0 and lab[0].max() <= 100.01
