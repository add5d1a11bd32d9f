"""Films: `colorize(source, output)` colours one, with steady colours from frame to frame."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colorize.film.run import Film, Progress

__all__ = ["colorize"]


def colorize(
    source: str | Path,
    output: str | Path,
    model: Any = "default",
    progress: "Callable[[Progress], None] | None" = None,
    **options: Any,
) -> "Film":
    """Colours the film `source` and writes it as `output`, whole or not at all.

    model: a checkpoint's name or path, or a Colorizer. options: those of
    `settings.FilmSettings`, by name. progress: called with a `run.Progress` after each frame;
    what it raises ends the work. The output's lightness, times, sound, subtitles and chapters are
    the film's. Raises FilmError for what is no film or cannot be written, ColorizeError for
    options that do not fit.
    """
    from colorize.film.reading import library
    from colorize.film.run import run
    from colorize.film.settings import check_model, make_settings
    from colorize.inference.colorizer import Colorizer

    settings = make_settings(options)
    library()
    colorizer = model if isinstance(model, Colorizer) else Colorizer(model, settings.device)
    check_model(colorizer.record, settings)
    return run(colorizer, Path(source), Path(output), settings, progress)
