"""Starts the server. `python app.py --help` lists the settings."""

import argparse
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import spaces  # on ZeroGPU, and before anything that touches CUDA
except ImportError:
    spaces = None

if TYPE_CHECKING:
    import gradio as gr

    from colorize.web.session import Sessions
    from turing.web.hosting import Hosting

# Everything the page needs comes from here; on a Space it would ask other hosts for fonts.
# No frame-ancestors: a Space is shown in a frame.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "connect-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
    )
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until Ctrl-C or SIGTERM. Returns the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Torch's idle threads otherwise spin: on a busy machine a preview took 11 s in place of 0.2 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with tempfile.TemporaryDirectory(prefix="colorize-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = str(Path(folder) / "gradio")
        try:
            return _serve(Path(folder), options)
        except KeyboardInterrupt:
            return 0
        except _StartError as error:
            print(error, file=sys.stderr)
            return 1
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in ("colorize", "turing"):
                raise
            has_not = f"Python at {sys.executable} has no {error.name}"
            print(f"{has_not}: pip install -r requirements.txt", file=sys.stderr)
            return 1


class _StartError(Exception):
    """One line that says why the server cannot start."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Colour for black-and-white photos, and the colorization Turing test, "
        "in the browser.",
    )
    parser.add_argument(
        "--study",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a study to serve, built with `python -m turing build` before; the tab shows the "
        "first one (default: a built-in demo)",
    )
    parser.add_argument(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        help="address to listen at; 0.0.0.0 lets other machines in (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("GRADIO_SERVER_PORT", "7860"),
        help="port to listen at (default: %(default)s)",
    )
    parser.add_argument(
        "--share", action="store_true", help="make a public address through gradio.live"
    )
    return parser


def _serve(folder: Path, options: argparse.Namespace) -> int:
    _check_port(options.host, options.port)
    from colorize.errors import ColorizeError
    from colorize.web.cache import bound
    from colorize.web.guards.proxies import named_proxies
    from colorize.web.guards.slow_clients import impatient
    from turing.errors import TuringError
    from turing.web.hosting import host
    from turing.web.sign_in import announcement, on_space

    try:
        most_bytes = bound(os.environ)
        hosting = host(options.study)
        proxies = named_proxies(os.environ, on_space(os.environ), options.share)
        demo, settings, sessions = build(folder, hosting, proxies, most_bytes)
    except (ColorizeError, TuringError) as error:
        raise _StartError(error) from error
    with ExitStack() as ending:  # all of it, in this order, whatever one of them raises
        ending.callback(sessions.close)
        ending.callback(hosting.close)  # which sends the last snapshot
        ending.callback(demo.close, verbose=False)
        ending.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        try:
            demo.launch(
                server_name=options.host,
                server_port=options.port,
                share=options.share,
                prevent_thread_lock=True,
                **settings,
            )
            served = demo.server.config
            served.http_protocol_class = impatient(served.http_protocol_class)
            address = demo.share_url or demo.local_url
            print(f"Colorize runs at {address} (Ctrl-C ends it)", flush=True)
            for line in (*hosting.notes, announcement(hosting.password, address)):
                print(line, flush=True)
            hosting.start()
            demo.block_thread()
        except OSError as error:
            raise _StartError(f"The server did not start: {error}") from error
    return 0


def _check_port(host: str, port: int) -> None:
    """Before the models are read, so that a taken port is told at once."""
    if not 0 < port < 65536:
        raise _StartError(f"--port: expected 1 to 65535, found {port}")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise _StartError(f"--host {host}: there is no such address here") from error
    except OSError as error:
        raise _StartError(
            f"Port {port} on {host} cannot be used ({error.strerror}). Stop what runs there, "
            f"or choose another: python app.py --port {port % 65535 + 1}"
        ) from error


def build(
    folder: Path, hosting: "Hosting", proxies: str = "", most_bytes: int = 512 * 2**20
) -> tuple["gr.Blocks", dict[str, Any], "Sessions"]:
    """The page, the settings of `launch` and the visitors' sessions; files go into `folder`.

    proxies: whose word on clients and hosts counts, as `named_proxies` gives them.
    most_bytes: kept in memory for all visitors together.
    """
    import gradio as gr
    from gradio.utils import get_upload_folder
    from starlette.middleware import Middleware

    from colorize.errors import ColorizeError
    from colorize.inference.zerogpu import on_zerogpu
    from colorize.models.record import checkpoints_folder, list_checkpoints
    from colorize.web.arrivals import Arrivals, names_to_fetch, with_first
    from colorize.web.guards.calls import Calls
    from colorize.web.guards.middleware import Guard, waiting_clients
    from colorize.web.guards.proxies import VARIABLE, Proxies
    from colorize.web.photos.examples import write_examples
    from colorize.web.pictures.archives import Archives
    from colorize.web.pictures.film_jobs import FilmJobs, limits
    from colorize.web.pictures.film_routes import FilmRoutes
    from colorize.web.pictures.news import News
    from colorize.web.pictures.routes import Pictures, page_route
    from colorize.web.session import Sessions
    from colorize.web.tab import MAX_FILE_SIZE, PAGE, PLACES, build_tab
    from colorize.web.workshop import Workshop
    from turing.web import tab as study_tab
    from turing.web.admin import admin_routes
    from turing.web.routes import study_routes

    records = list_checkpoints()
    if not records:
        raise ColorizeError(
            f"There are no models in {checkpoints_folder()}; fetch them with the code, or name "
            "another folder with COLORIZE_CHECKPOINTS"
        )
    asked = names_to_fetch(os.environ)
    records, notes = with_first(records, os.environ.get("COLORIZE_DEFAULT", ""), asked)
    for note in notes:
        _say(note)
    (folder / "files").mkdir(parents=True)
    examples = write_examples(folder / "examples")
    workshop = Workshop(folder / "files", records, most_bytes)
    arrivals = Arrivals(asked, workshop.records, workshop.models.add, _say)
    if spaces is not None and on_zerogpu():
        arrivals.run()  # there models are loaded before the app is launched
        workshop.use_zerogpu(spaces)
    arrivals.start()
    sessions = Sessions(workshop, folder / "sessions")
    films = FilmJobs(workshop, limits(os.environ))
    with gr.Blocks(
        title="Colorize", fill_width=True, analytics_enabled=False, delete_cache=(300, 3000)
    ) as demo:
        with gr.Tab("Colorize"):
            build_tab(demo, sessions, examples, arrivals if asked else None, films)
        with gr.Tab("Turing test"):
            study_tab.build_tab(hosting.shown)

    def told(name: str) -> str:
        return f"{hosting.kept(name)} {sessions.sentence()}".strip()

    os.environ[VARIABLE] = ""  # uvicorn would believe whoever calls from this machine
    demo.queue(max_size=256, default_concurrency_limit=4, api_open=False)
    settings = {
        "app_kwargs": {
            "routes": [
                page_route(PAGE),
                *FilmRoutes(sessions, films).routes(),
                *News(sessions).routes(),
                *Archives(sessions).routes(),
                *Pictures(sessions, examples).routes(),
                *admin_routes(hosting.studies, hosting.password.value, hosting.shown, told),
                *study_routes(hosting.studies),
            ],
            "middleware": [
                Middleware(_Headers),
                Middleware(Proxies, named=proxies),
                Middleware(
                    Guard,
                    folder=folder,
                    waiting=lambda: waiting_clients(demo._queue),
                    calls=Calls(demo),
                    written=Path(get_upload_folder()),
                ),
            ],
        },
        "theme": _theme(),
        "css_paths": sorted(PAGE.rglob("*.css")),
        "css": study_tab.CSS,
        "max_file_size": max(MAX_FILE_SIZE, films.limits.bytes),
        "max_threads": PLACES,
        "blocked_paths": [
            str(folder / "files"),
            str(folder / "sessions"),
            str(hosting.directory.resolve()),
        ],
        "ssr_mode": False,
        "run_history": False,
        "footer_links": [],
        "enable_monitoring": False,
        "pwa": False,
        "quiet": True,
    }
    return demo, settings, sessions


def _say(line: str) -> None:
    print(line, flush=True)


def _theme() -> "gr.Theme":
    import gradio as gr

    return gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="zinc",
        radius_size="lg",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )


class _Headers:
    """ASGI middleware: the headers above on every answer."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _leave(status: int) -> None:
    """Ends the process when all is closed, without taking the interpreter apart: threads that are
    still at work inside torch would abort it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _leave(main())
