"""The app's endpoints for programs, which do what the tab does."""

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from colorize.errors import ColorizeError
from colorize.film.settings import DEFAULT_SPEED
from colorize.inference.hints.strokes import parse_strokes
from colorize.inference.options import MOST_SATURATION, OTHERS, VARIANTS
from colorize.models.record import Record
from colorize.photo.saving import FORMAT_CHOICES
from colorize.web.guards.middleware import client_of
from colorize.web.photos.item import Upload
from colorize.web.pictures.film_jobs import FilmJobs
from colorize.web.workshop import Look, Made, Workshop, fit

_FIGURES = ["file", "model", "seconds", "psnr", "ciede2000", "colorfulness"]
_FORMATS = list(FORMAT_CHOICES)


def add_api(workshop: Workshop, coming: Iterable[str], films: FilmJobs | None = None) -> None:
    """The public endpoints: components that nobody sees give them their types.

    coming: names of models that are being fetched; films: None where none are taken.
    """
    coming = list(coming)
    with gr.Row(visible=False):
        given = [
            gr.File(label="Photo"),
            gr.CheckboxGroup([*workshop.records, *coming], label="Models"),
            gr.Number(1.0, label="Saturation", minimum=0, maximum=MOST_SATURATION),
            gr.Number(None, label="Temperature"),
            gr.Number(None, label="Working size", precision=0),
        ]
        later = {
            gr.JSON([], label="Hints"): [],
            gr.JSON([], label="Strokes"): [],
            gr.Dropdown(list(VARIANTS), value=VARIANTS[0], label="Variant"): VARIANTS[0],
            gr.Number(None, label="Seed", precision=0): None,
            gr.Dropdown(_FORMATS, value=_FORMATS[0], label="Format"): _FORMATS[0],
            gr.File(label="Reference"): None,
            gr.Checkbox(True, label="Borders"): True,
            gr.Checkbox(False, label="Restore"): False,
        }
        files = gr.File(file_count="multiple", label="Colorized photos, full size")
        figures = gr.Dataframe(headers=_FIGURES, label="Figures")
        button = gr.Button()
    for one, default in later.items():
        one.when_missing = default  # programs of before give the first five alone
    endpoint = _Endpoint(workshop)
    button.click(
        endpoint.colorize, [*given, *later], [files, figures], api_name="colorize", preprocess=False
    )
    if films is not None:
        _add_film(_FilmEndpoint(films), [*workshop.records, *coming])


def _add_film(endpoint: "_FilmEndpoint", models: list[str]) -> None:
    with gr.Row(visible=False):
        file = gr.File(label="Film")
        later = {
            gr.Dropdown(models, value=models[0], label="Model"): models[0],
            gr.Number(1.0, label="Saturation", minimum=0, maximum=MOST_SATURATION): 1.0,
            gr.Dropdown(list(VARIANTS), value=VARIANTS[0], label="Variant"): VARIANTS[0],
            gr.Number(None, label="Start"): None,
            gr.Number(None, label="End"): None,
            gr.Number(DEFAULT_SPEED, label="Speed", precision=0): DEFAULT_SPEED,
            gr.JSON([], label="Hints"): [],
            gr.File(file_count="multiple", label="Stills"): None,
            gr.JSON([], label="Seconds of the stills"): [],
            gr.File(label="Reference"): None,
        }
        coloured = gr.File(label="Colorized film")
        figures = gr.JSON(label="Frames, shots, seconds")
        button = gr.Button()
    for one, default in later.items():
        one.when_missing = default
    button.click(
        endpoint.film, [file, *later], [coloured, figures], api_name="film", preprocess=False,
        concurrency_limit=4,
    )  # fmt: skip


class _FilmEndpoint:
    def __init__(self, films: FilmJobs) -> None:
        self._films = films

    async def film(
        self,
        film: dict[str, Any] | None,
        model: str,
        saturation: float | None = 1.0,
        variant: str = VARIANTS[0],
        start: float | None = None,
        end: float | None = None,
        speed: float | None = DEFAULT_SPEED,
        hints: Any = (),
        stills: list[dict[str, Any]] | None = None,
        still_seconds: Any = (),
        reference: dict[str, Any] | None = None,
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Colorizes one film, as `python -m colorize film` does: its file, and figures of it.

        Hints `[[x, y, "#rrggbb", seconds], ...]` are in pixels of the upright film; stills are
        pictures of it in colour, at `still_seconds`; reference is a photo in colour.
        """
        if not film:
            raise gr.Error("Give a film's file", print_exception=False)
        options = {
            "saturation": 1.0 if saturation is None else saturation,
            "variant": variant,
            "start": start,
            "end": end,
            "speed": DEFAULT_SPEED if speed is None else int(speed),
            "hints": hints,
            "reference": Path(reference["path"]) if reference else None,
        }
        try:
            options["stills"] = _stills(stills or (), still_seconds)
            with tempfile.TemporaryDirectory(prefix="colorize-") as folder:
                given = Path(film["path"]), Path(folder), model
                coming = await run_in_threadpool(lambda: self._films.submit(*given, **options))
                job = await asyncio.wrap_future(coming)
                if job.film is None:
                    raise ColorizeError(job.error or "The film was given up")
                made = job.film
                figures = {"frames": made.frames, "shots": made.shots, "seconds": made.seconds}
                yield str(made.path), figures | {"notices": list(made.notices)}
        except ColorizeError as error:
            raise gr.Error(str(error), print_exception=False) from error


def _stills(files: Sequence[dict[str, Any]], seconds: Any) -> list[tuple[Any, Path]]:
    seconds = [] if seconds is None else seconds
    if not isinstance(seconds, list) or len(seconds) != len(files):
        raise ColorizeError(f"still_seconds: expected a list of {len(files)}, one for each still")
    return [(at, Path(file["path"])) for at, file in zip(seconds, files, strict=True)]


class _Endpoint:
    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop

    async def colorize(
        self,
        photo: dict[str, Any] | None,
        models: list[str],
        saturation: float | None = 1.0,
        temperature: float | None = None,
        size: float | None = None,
        hints: Any = (),
        strokes: Any = (),
        variant: str = VARIANTS[0],
        seed: float | None = None,
        format: str = _FORMATS[0],
        reference: dict[str, Any] | None = None,
        borders: bool = True,
        restore: bool = False,
        request: gr.Request | None = None,
    ) -> AsyncIterator[tuple[list[str], list[list[Any]]]]:
        """Colorizes one photo with each of the models; full-size files and a table of figures.

        Hints `[[x, y, "#rrggbb"], ...]` and strokes as of `parse_strokes` are in pixels of the
        upright photo; reference is a photo in colour to take colours from. What a model does not
        take is left out for it; an error where none does.
        """
        if not photo:
            raise gr.Error("Give a photo file", print_exception=False)
        workshop, rows = self.workshop, []
        upload = Upload(secrets.token_urlsafe(8), Path(photo["path"]))
        client = client_of(request.request.scope) if request else ""
        try:
            models = list(dict.fromkeys(models or ())) or list(workshop.records)[:1]
            look = Look(
                "", _whole(size), 1.0 if saturation is None else saturation, temperature,
                _whole(seed), _hints(hints), parse_strokes(strokes or ()), variant,
                borders, restore,
                Upload(upload.owner, Path(reference["path"])) if reference else None,
            )  # fmt: skip
            if look.reference:
                await workshop.whole(workshop.reference, look.reference)
            _refuse_what_none_takes(look, [workshop.record(model) for model in models])
            with tempfile.TemporaryDirectory(prefix="colorize-") as folder:
                for model in models:
                    own = fit(replace(look, model=model), workshop.record(model))
                    made = await workshop.made(upload, own, client)
                    given = (upload, own, made, format, Path(folder))
                    rows.append(await workshop.whole(self._row, *given))
                # Gradio copies the files to where they are served before it asks for more.
                yield [row[0] for row in rows], [[Path(row[0]).name, *row[1:]] for row in rows]
        except ColorizeError as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            workshop.forget(upload.owner)

    def _row(self, upload: Upload, look: Look, made: Made, format: str, folder: Path) -> list[Any]:
        """A row of the table; figures only for a photo that has colours of its own."""
        began = time.perf_counter()
        name = f"{upload.file.stem}-{look.model}"
        file = self.workshop.save(upload, look, format, folder / name)
        seconds = made.seconds + time.perf_counter() - began
        figures = {}
        if self.workshop.take(upload).has_colours:
            figures = self.workshop.figures(upload, look)
        return [str(file), look.model, round(seconds, 3), *map(figures.get, _FIGURES[3:])]


def _whole(number: float | None) -> int | None:
    """JSON of some programs has 256 as 256.0."""
    return None if number is None else int(number)


def _hints(given: Any) -> tuple[Any, ...]:
    """Hints as they came: `options.check` looks at each."""
    if given is None:
        return ()
    if isinstance(given, str | dict) or not isinstance(given, Sequence):
        raise ColorizeError('hints: expected a list of [x, y, "#rrggbb"]')
    return tuple(tuple(hint) if isinstance(hint, list) else hint for hint in given)


def _refuse_what_none_takes(look: Look, records: Sequence[Record]) -> None:
    def none(takes: Callable[[Record], bool]) -> bool:
        return not any(map(takes, records))

    over_bins, follow = none(lambda one: one.over_bins), none(lambda one: one.takes_hints)
    for name, is_given, is_lost in (
        ("temperature", look.temperature is not None, over_bins),
        ("seed", look.seed is not None, over_bins),
        ("variant", look.variant in OTHERS, over_bins),
        ("hints", bool(look.hints), follow),
    ):
        if is_given and is_lost:
            raise ColorizeError(f"{name}: none of these models takes one; leave it out")
