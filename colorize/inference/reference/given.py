"""A photo that another one is to take its colours from."""

from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from colorize.color.lab import lab_from_rgb
from colorize.color.resample import resize_picture
from colorize.color.toned import is_toned, unit
from colorize.errors import ColorizeError
from colorize.photo.opening import Photo, given_as

_SIDE, _LONGEST = 256, 1024  # pixels of a reference's short side, and of its long one at most


@dataclass(frozen=True, eq=False)
class Reference:
    """A photo in colour. strength: 0 leaves what is predicted, 1 takes its colours whole."""

    photo: Photo
    strength: float = 1.0

    @classmethod
    def open(cls, given: Any) -> "Reference":
        """Opens what `Photo.open` takes, or a Reference.

        PhotoError for what is no photo, ColorizeError for one without colours of things.
        """
        with given_as("reference"):
            reference = given if isinstance(given, Reference) else cls(Photo.open(given))
        if not 0 <= reference.strength <= 1:
            raise ColorizeError(
                f"reference: expected a strength from 0 to 1, found {reference.strength}"
            )
        if reference.photo.is_grey or is_toned(reference.photo.pixels):
            raise ColorizeError(
                f"reference: {reference.photo.name} has no colours to take, it is grey or toned in "
                "one ink; choose a photo in colour"
            )
        return reference

    def lab(self) -> Tensor:
        """Lab `(3, h, w)`, its short side of at most 256 pixels."""
        width, height = self.photo.size
        scale = min(1.0, _SIDE / min(width, height), _LONGEST / max(width, height))
        size = tuple(max(8, round(side * scale)) for side in (width, height))
        small = resize_picture(self.photo.pixels, size, Image.Resampling.BILINEAR)
        return lab_from_rgb(torch.from_numpy(unit(small)))
