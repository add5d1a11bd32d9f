"""A picture file to a `Photo` and back. No torch here."""

from colorize.photo.opening import Photo, PhotoError

__all__ = ["Photo", "PhotoError"]
