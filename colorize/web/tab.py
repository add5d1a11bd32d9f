"""The Colorize tab: Gradio's queue, choices and API around the stage, which page/main.js draws."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr

from colorize.errors import ColorizeError
from colorize.film.settings import FILM_ENDINGS
from colorize.inference.options import MOST_HINTS
from colorize.models.record import Record
from colorize.web.api import add_api
from colorize.web.arrivals import Arrivals
from colorize.web.guards.calls import uploaded
from colorize.web.network_queue import done
from colorize.web.photos.examples import EXAMPLES
from colorize.web.photos.item import MOST_PHOTO_BYTES
from colorize.web.pictures.film_jobs import FilmJobs
from colorize.web.pictures.news import known
from colorize.web.session import MOST_PHOTOS, Session, Sessions
from colorize.web.workshop import Workshop

PAGE = Path(__file__).parent / "page"
# Gradio has events of those names alone that stand in quotes here.
_ON_LOAD = """
// "photos", "example", "rest", "cancel", "remove", "restart", "resume", "look", "crop"
import(new URL("gradio_api/colorize/page/main.js", document.baseURI))
    .then((page) => page.mount(element, props, trigger, upload, watch))
    .catch((error) => {
        element.innerHTML = '<p class="cz-error" role="alert">This page could not be loaded whole. '
            + 'Check the connection, then load it again; if that does not help, the browser may be '
            + 'too old for it.</p>';
        throw error;
    });
"""
MAX_FILE_SIZE = MOST_PHOTO_BYTES
_AUTOMATIC = "Automatic"
_SIZES = [_AUTOMATIC, "192", "256", "384"]
_SATURATION = (0.0, 2.0)
_TEMPERATURE = (0.0, 1.0)
_GLANCE = 5.0  # seconds after which a page asks whether models have come, while they are fetched
# Events under way, which wait without a thread (`Workshop.made`): of all together, and of those
# that may take long, so that others find a place.
PLACES = 64
_RUN = {"concurrency_limit": 32}
_TAKE = {"concurrency_limit": 8}
# "multiple": what is clicked while another event is under way counts too. No preprocessing, which
# logs a traceback for a value that is none of the choices; `guards.calls` has looked at the types.
_SLOW = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "trigger_mode": "multiple",
    "preprocess": False,
}
_QUICK = {"queue": False, **_SLOW}
# One at a time, then what is chosen by then: an older wish cannot come after a newer one.
_LAST = {**_QUICK, "trigger_mode": "always_last"}


def build_tab(
    demo: gr.Blocks,
    sessions: Sessions,
    examples: Sequence[Path],
    arrivals: Arrivals | None = None,
    films: FilmJobs | None = None,
) -> None:
    """Builds the tab at the place in `demo` that is open.

    arrivals: models that are being fetched, which the list tells of and then has. films: those
    of visitors; None where the app takes no films.
    """
    records = list(sessions.workshop.records.values())
    handlers = _Handlers(sessions, list(examples))
    with gr.Column(elem_id="colorize"), gr.Row(elem_classes="cz-columns"):
        with gr.Column():
            stage = _stage(records, films)
        with gr.Column(elem_classes="cz-side-column", min_width=240):
            models, size, adjustments = _controls(records, arrivals)
    chosen = [models, size]
    run = handlers.run  # one object, by which Gradio counts what is under way
    _listen_to_adjustments(adjustments)
    demo.unload(handlers.leave)
    for trigger, handler in ((stage.photos, handlers.add), (stage.example, handlers.example)):
        added = trigger(handler, chosen, stage, **_TAKE, **_SLOW)
        _then_run(added, run, stage)
    wishes = [models.input, size.input]
    _then_run(gr.on(wishes, handlers.prepare, chosen, stage, **_LAST), run, stage)
    _then_run(stage.rest(handlers.prepare, chosen, stage, **_QUICK), run, stage)
    for trigger, handler in ((stage.cancel, handlers.cancel), (stage.remove, handlers.remove)):
        trigger(handler, chosen, stage, **_QUICK)
    stage.look(handlers.look, None, None, **_QUICK)
    _then_run(stage.crop(handlers.crop, chosen, stage, **_TAKE, **_SLOW), run, stage)
    stage.restart(handlers.restart, models, [stage, size], **_QUICK)
    resumed = stage.resume(handlers.resume, None, [stage, *chosen], **_QUICK)
    _then_run(resumed, run, stage)
    if arrivals is not None:
        _follow_arrivals(demo, sessions.workshop, arrivals, models)
    add_api(sessions.workshop, arrivals.waiting if arrivals else (), films)


def _stage(records: list[Record], films: FilmJobs | None) -> gr.HTML:
    return gr.HTML(
        html_template="<div></div>",
        js_on_load=_ON_LOAD,
        apply_default_css=False,
        elem_id="colorize-stage",
        models=[known(record) for record in records],
        most_hints=MOST_HINTS,
        examples=list(EXAMPLES),
        most_bytes=MAX_FILE_SIZE,
        most_photos=MOST_PHOTOS,
        films=sorted(FILM_ENDINGS - {".gif"}) if films else [],
        film_bytes=films.limits.bytes if films else 0,
    )


def _choices(records: Iterable[Record]) -> list[tuple[str, str]]:
    """Title, line, licence and size, a line each."""
    return [(f"{record.title}\n{record.line}\n{record.facts}", record.name) for record in records]


def _info(arrivals: Arrivals | None) -> str:
    told = "The first suits most photos. Tick more to see them side by side."
    return " ".join((told, *(arrivals.lines() if arrivals else ())))


def _follow_arrivals(
    demo: gr.Blocks, workshop: Workshop, arrivals: Arrivals, models: gr.CheckboxGroup
) -> None:
    """Pages that are open, and those that are opened later, get the models that have come."""

    def look(seen: int) -> tuple[Any, int, Any]:
        changes = arrivals.changes
        listed = gr.skip()
        if changes != seen:
            choices = _choices(workshop.records.values())
            listed = gr.CheckboxGroup(choices=choices, info=_info(arrivals))
        return listed, changes, gr.Timer(active=bool(arrivals.waiting))

    seen, timer = gr.State(0), gr.Timer(_GLANCE)
    for trigger in (demo.load, timer.tick):
        trigger(look, seen, [models, seen, timer], **_QUICK)


def _controls(
    records: list[Record], arrivals: Arrivals | None
) -> tuple[gr.CheckboxGroup, gr.Dropdown, dict[str, Any]]:
    over_bins = [record for record in records if record.over_bins]
    with gr.Column(elem_classes="cz-adjust"):
        intensity = gr.Slider(*_SATURATION, value=1.0, step=0.05, label="Intensity")
        gr.HTML('<div class="cz-spread-place"></div>', apply_default_css=False)
        gr.HTML('<div class="cz-fix-place"></div>', apply_default_css=False)
    gr.HTML('<div class="cz-advanced-place"></div>', apply_default_css=False)
    with gr.Column(elem_id="cz-advanced"):
        gr.HTML('<div class="cz-of-files-place"></div>', apply_default_css=False)
        with gr.Column(elem_classes=["cz-of-result", "cz-bins"], visible=bool(over_bins)):
            temperature = gr.Slider(
                *_TEMPERATURE,
                value=over_bins[0].temperature if over_bins else 0.38,
                step=0.01,
                label="Temperature",
                info="Low: the likeliest colour of each spot, or grey. High: a mix.",
            )
            unsure = gr.Checkbox(label="Outline the most unsure tenth")
        size = gr.Dropdown(
            _SIZES,
            value=_AUTOMATIC,
            label="Working size",
            info="Of the model's view: results keep their size. "
            "At 384 blotches of a wrong colour are twice as common.",
            elem_classes=["cz-of-result", "cz-starts-work"],
            filterable=False,
        )
        models = gr.CheckboxGroup(
            _choices(records),
            value=[record.name for record in records[:1]],
            label="Models",
            info=_info(arrivals),
            elem_classes=["cz-models", "cz-starts-work"],
        )
    return models, size, {"saturation": intensity, "temperature": temperature, "unsure": unsure}


def _listen_to_adjustments(adjustments: dict[str, Any]) -> None:
    """They change the addresses of pictures alone: the page does that by itself."""
    for name, control in adjustments.items():
        control.change(
            None,
            control,
            js=f"(value) => {{ window.dispatchEvent(new CustomEvent('colorize-adjust',"
            f" {{ detail: ['{name}', value] }})); }}",
            api_visibility="private",
        )


def _then_run(first: Any, run: Callable[..., Any], stage: gr.HTML) -> None:
    ran = first.then(run, None, stage, **_RUN, **_SLOW)
    for event in (first, ran):
        event.failure(
            None,
            js="() => { window.dispatchEvent(new CustomEvent('colorize-failed')); }",
            api_visibility="private",
        )


class _Handlers:
    """What the events do. Each answers with the news that the stage asks about."""

    def __init__(self, sessions: Sessions, examples: list[Path]) -> None:
        self.workshop = sessions.workshop
        self._sessions, self._examples = sessions, examples

    async def add(
        self, models: list[str], size: str, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[dict[str, Any]]:
        files, goes_on = _uploaded(event.paths), bool(getattr(event, "goesOn", False))
        async for state in self._add(files, models, size, request, goes_on=goes_on):
            yield state

    async def example(
        self, models: list[str], size: str, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[dict[str, Any]]:
        chosen = self._examples[int(event.number) : int(event.number) + 1]
        async for state in self._add(chosen, models, size, request):
            yield state

    def prepare(self, models: list[str], size: str, request: gr.Request) -> dict[str, Any]:
        session = self._session(request, models, size)
        session.choose(models, _pixels(size))
        session.prepare()
        return session.news()

    async def run(self, request: gr.Request) -> AsyncIterator[dict[str, Any]]:
        session = self._sessions.of(request.session_hash or "")
        with closing(session.run()) as work:
            for made in work:
                yield session.news()
                if made:
                    await done(made)  # the session notes what became of it
        yield session.news()

    def look(self, event: gr.EventData, request: gr.Request) -> None:
        self._sessions.of(request.session_hash or "").look_at(int(event.photo))

    def cancel(self, models: list[str], size: str, request: gr.Request) -> dict[str, Any]:
        session = self._session(request, models, size)
        session.cancel()
        return session.news()

    def remove(
        self, models: list[str], size: str, event: gr.EventData, request: gr.Request
    ) -> dict[str, Any]:
        session = self._session(request, models, size)
        session.remove(int(event.photo))
        return session.news()

    async def crop(
        self, models: list[str], size: str, event: gr.EventData, request: gr.Request
    ) -> dict[str, Any]:
        session = self._session(request, models, size)
        await self.workshop.whole(session.crop, int(event.photo), bool(event.cropped))
        session.prepare()
        return session.news()

    def restart(self, models: list[str], request: gr.Request) -> tuple[dict[str, Any], str]:
        """The working size belonged to the photos; the models stay."""
        self._sessions.drop(request.session_hash or "")
        return self._session(request, models, _AUTOMATIC).news(), _AUTOMATIC

    async def resume(
        self, event: gr.EventData, request: gr.Request
    ) -> tuple[dict[str, Any], list[str], str]:
        """After a reload of the page: the photos, models and working size that it had."""
        key, visitor = str(event.key), request.session_hash or ""
        await self._sessions.until_left(key, visitor)
        if not self._sessions.resume(key, visitor):
            return self._sessions.of(visitor).news(), gr.skip(), gr.skip()
        models = [name for name in self.workshop.records if name in event.models]
        size = str(event.size) if str(event.size) in _SIZES else _AUTOMATIC
        session = self._session(request, models, size)
        session.choose(models, _pixels(size))
        await session.rest()
        session.prepare()
        return session.news(), models, size

    def leave(self, request: gr.Request) -> None:
        self._sessions.leave(request.session_hash or "")

    async def _add(
        self,
        files: list[Path],
        models: list[str],
        size: str,
        request: gr.Request,
        *,
        goes_on: bool = False,
    ) -> AsyncIterator[dict[str, Any]]:
        session = self._session(request, models, size)
        adding, over = session.add(files, goes_on=goes_on), object()
        try:
            while await self.workshop.whole(next, adding, over) is not over:
                yield session.news()
        except ColorizeError as error:
            gr.Warning(str(error))
        session.prepare()
        yield session.news()

    def _session(self, request: gr.Request, models: list[str], size: str) -> Session:
        """The visitor's; one that is new begins with these models at this working size.

        What is chosen later comes by `prepare` alone: what was dropped before that may wait longer.
        """
        session = self._sessions.of(request.session_hash or "")
        if not session.has_chosen:
            session.choose(models, _pixels(size))
        return session


def _pixels(size: str) -> int | None:
    return None if size == _AUTOMATIC else int(size)


def _uploaded(paths: list[str]) -> list[Path]:
    """The files that the page has just sent. Nothing else is opened because a page names it."""
    return [file for path in paths[: 2 * MOST_PHOTOS] if (file := uploaded(path))]
