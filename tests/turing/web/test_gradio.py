"""The routes inside a Gradio app, as app.py serves them."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.turing.support.servers import Browser
from tests.turing.support.studies import built, rows

APP = """
import sys
from pathlib import Path
import gradio
from turing.web.routes import study_routes
from turing.web.serving import Studies
routes = study_routes(Studies(sys.argv[1]), Path(sys.argv[2]))
with gradio.Blocks() as blocks:
    gradio.Markdown("Colorize")
blocks.launch(
    app_kwargs={"routes": routes},
    prevent_thread_lock=True,
    quiet=True,
    server_name="127.0.0.1",
    ssr_mode=False,
    root_path=sys.argv[3],
)
print("port", blocks.server_port, flush=True)
sys.stdin.readline()
"""


@pytest.fixture(params=["", "/behind/a/proxy"])
def app(request, tmp_path):
    """An open study, and a Gradio app's port and root path."""
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "page.html").write_text("<!doctype html><title>Study</title>")
    arguments = [str(tmp_path / "studies"), str(tmp_path / "page"), request.param]
    with built(tmp_path / "studies") as store:
        store.open_study()
        process = subprocess.Popen(
            [sys.executable, "-c", APP, *arguments],
            cwd=Path(__file__).parents[3],
            env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        words = next(line.split() for line in process.stdout if line.startswith("port "))
        yield store, int(words[1]), request.param
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_gradio_serves_the_routes(app):
    store, port, root_path = app
    browser = Browser(port)
    response = browser.respond("GET", "info")
    assert (response.status, response.getheader("cache-control")) == (200, "no-store")
    state = browser.start()
    picture = state["trial"]["picture"]
    assert picture.startswith(f"{root_path}/gradio_api/study/tiny/picture/")
    assert browser.once("GET", picture.removeprefix(root_path))[0] == 200
    browser.answer(state, 1)
    assert [row["choice"] for row in rows(store, "choices")] == [1]
    assert browser.once("GET", "/study?study=tiny")[1].startswith(b"<!doctype html>")
    status, body = browser.once("GET", "/gradio_api/study/none/info")
    assert (status, json.loads(body)["code"]) == (404, "unknown")
    assert b"gradio" in browser.once("GET", "/")[1]
    browser.close()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{browser.base}/leave",
        b"{}",
        {"Origin": "https://evil.example", "Authorization": f"Bearer {browser.token}"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403
    refused.value.close()
