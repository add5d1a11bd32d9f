"""The beginning of a film as an animated picture: for browsers that cannot play it."""

import io
from pathlib import Path

from PIL import Image

from colorize.film.picture import Converter
from colorize.film.reading import Source

SECONDS, WIDTH = 3.0, 320
_RATE = 12  # pictures a second, about


def animated(file: Path) -> bytes:
    """An endless WebP of the first SECONDS, WIDTH pixels wide at most. FilmError for no film."""
    film = Source(file)
    converter, pictures, durations, shown = Converter(film.about, WIDTH), [], [], -1.0
    for frame in film.frames(0.0, SECONDS):
        clock = film.about.time_base
        begins = float(frame.pts * clock)
        seconds = float(frame.duration * clock)
        if pictures and begins - shown < 0.9 / _RATE:
            durations[-1] += 1000 * seconds
            continue
        shown = begins
        pictures.append(Image.fromarray(converter.pixels(frame)).convert("RGB"))
        durations.append(1000 * seconds)
    out = io.BytesIO()
    pictures[0].save(
        out, "WEBP", save_all=True, append_images=pictures[1:], quality=70, method=2, loop=0,
        duration=[max(1, round(one)) for one in durations],
    )  # fmt: skip
    return out.getvalue()
