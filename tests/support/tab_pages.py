"""The app with a Colorize tab, running, and visitors of it in a real headless Chromium."""

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

import app
from colorize.inference import colorizer
from colorize.web.session import Sessions
from tests.support.browser import FLAGS, find_browser
from tests.support.gates import Gate
from tests.support.gradio_locks import no_stray_loops
from tests.support.ports import free_port
from turing.web.hosting import host

PATIENCE_MS = 60_000  # for a busy machine; what is there is never waited for
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Server:
    """A running app. `runs` names the models whose networks ran, each after `pause` seconds.

    Before that each comes to the `gate`, and to its name in `runs` before the gate.
    """

    folder: Path
    address: str = ""
    sessions: Sessions | None = None
    runs: list[str] = field(default_factory=list)
    pause: dict[str, float] = field(default_factory=lambda: {"seconds": 0.0})
    gate: Gate = field(default_factory=Gate)


@contextmanager
def running(checkpoints: Path, folder: Path, most_bytes: int = 2**20) -> Iterator[Server]:
    """The app with these models, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLORIZE_CHECKPOINTS", str(checkpoints))
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
        server, run = Server(folder), colorizer.run_network

        def counted(network, record, *given):
            server.runs.append(record.name)
            server.gate.pass_through()
            time.sleep(server.pause["seconds"])
            return run(network, record, *given)

        patch.setattr(colorizer, "run_network", counted)
        with no_stray_loops():
            hosting = host([], {"TURING_STORE": str(folder / "studies")})
            demo, settings, server.sessions = app.build(folder, hosting)
            settings["max_file_size"] = most_bytes
            _, server.address, _ = demo.launch(
                server_port=free_port(), prevent_thread_lock=True, **settings
            )
        yield server
        demo.close(verbose=False)
        server.sessions.close()
        hosting.close()


@contextmanager
def a_browser(flags: list[str] = ()) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=[*FLAGS, *flags])
        yield browser
        browser.close()


@contextmanager
def visitors(browser: Browser, server: Server, **always) -> Iterator[Callable[..., Page]]:
    """A function that opens the app as a new visitor; every page must stay free of errors.

    folded: the settings that few need stay folded away, as they are at first.
    """
    contexts, errors = [], []

    def visit(width=1280, height=800, folded=False, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, **always, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.extend(refusals(said.text)))
        page.goto(server.address)
        page.locator(".cz-drop").wait_for()
        page.wait_for_function(EXAMPLES_ARE_THERE)  # in colour, for which a network runs
        if not folded:
            page.get_by_role("button", name="Advanced").click()
        return page

    yield visit
    for context in contexts:
        context.close()
    server.pause["seconds"] = 0.0
    server.gate.open()
    assert errors == []


EXAMPLES_ARE_THERE = """() => {
    const images = [...document.querySelectorAll(".cz-examples img")];
    return images.length > 0 && images.every((image) => image.complete);
}"""


def refusals(said):
    """What the browser refused because of the app's Content-Security-Policy."""
    return [said] if "Content Security Policy" in said else []


def grey_coffee(folder: Path) -> Path:
    """A small grey photo, written into a folder as "coffee.png"."""
    file = folder / "coffee.png"
    Image.fromarray(skimage.data.coffee()).resize((300, 200)).convert("L").save(file)
    return file


def give(page, *files):
    """Chooses files, once the page takes any: while others are at work it does not."""
    page.wait_for_function("() => document.querySelector('.cz-drop')?.inert === false")
    page.get_by_label("Choose photos").set_input_files(list(files))


# Pastes or drops a file: [kind, bytes, name].
SEND = """([kind, bytes, name]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
    const options = { bubbles: true, cancelable: true };
    document.body.dispatchEvent(kind === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: data })
        : new DragEvent("drop", { ...options, dataTransfer: data }));
}"""


def choose(page, title):
    page.get_by_role("checkbox", name=re.compile(f"^{title}")).check()


def card(page, title):
    return page.locator(".cz-card", has=page.get_by_role("heading", name=title, exact=True))


def done(page, *titles):
    for title in titles:
        expect(card(page, title)).to_have_attribute("data-state", "done", timeout=60_000)
        page.wait_for_function(
            "(image) => image.complete && image.naturalWidth > 0",
            arg=picture(page, title).element_handle(),
        )


def rests(page):
    """Waits for the end of all work: what it locks can be used, and what it shows is gone."""
    expect(page.locator(".cz-work")).to_be_hidden()


def stands_still(page):
    """Waits for the end of a smooth scroll, so that what was measured stays where it is."""
    page.evaluate(STANDS_STILL)


STANDS_STILL = """async () => {
    for (let y = scrollY, same = 0; same < 6; y = scrollY) {
        await new Promise(requestAnimationFrame);
        same = scrollY === y ? same + 1 : 0;
    }
}"""


def picture(page, title):
    return card(page, title).get_by_role("img", name=re.compile(f"colorized by {title}$"))


def pixels(page, image):
    """What the browser got for an `<img>`, `(h, w, 3)`, once it is all there."""
    page.wait_for_function(IS_THERE, arg=image.element_handle())
    address = image.evaluate("(image) => image.src")
    return np.asarray(Image.open(io.BytesIO(page.request.get(address).body())).convert("RGB"))


IS_THERE = "(image) => image.complete && image.naturalWidth > 0 && !image.ahead"


def chroma(picture):
    """How colourful pixels `(h, w, 3)` are: 0 is grey."""
    return float((picture.max(2).astype(int) - picture.min(2)).mean())


def save(page, link):
    with page.expect_download() as download:
        link.click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def press_twice(page, locator, across, down, touch=False):
    """A double click, or tap, at shares of a part: 0.1 s from one to the other by the clock of the
    events, whenever the page comes to handle them."""
    box, now = locator.bounding_box(), time.time()
    at = {"x": box["x"] + across * box["width"], "y": box["y"] + down * box["height"]}
    session = page.context.new_cdp_session(page)
    for count in (1, 2):
        when = now + 0.1 * count
        if touch:
            events = [("touchStart", {"touchPoints": [at]}), ("touchEnd", {"touchPoints": []})]
        else:
            of_mouse = {**at, "button": "left", "clickCount": count}
            events = [("mousePressed", of_mouse), ("mouseReleased", of_mouse)]
        call = "Input.dispatchTouchEvent" if touch else "Input.dispatchMouseEvent"
        for kind, event in events:
            session.send(call, {"type": kind, "timestamp": when, **event})


def start_over(page):
    page.get_by_role("button", name="Start over").click()
    page.get_by_role("dialog").get_by_role("button", name="Start over").click()


def forget(sessions, key):
    """As if the visitor with this key had not used the page for long."""
    while (session := sessions.by_key(key)) is not None:  # what the page still asks for is a use
        session.used -= 4000
        sessions.sweep()


def scrolls_sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
