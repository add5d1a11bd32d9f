"""Files of others, and files that are no photos."""

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from gradio.route_utils import delete_files_created_by_app

from tests.support.open_app import SECRET, file_data

ROOT = Path(__file__).parents[3]


def wanted(server):
    return [
        server.folder / "outside.txt",
        server.studies / "demo.sqlite-key",
        server.folder / "app" / "files" / "secret.png",
        ROOT / "app.py",
        Path("/etc/passwd"),
    ]


WAYS = [
    "/gradio_api/file={}",
    "/gradio_api/file%3D{}",
    "/gradio_api/file=/{}",
    "/gradio_api/file=./{}",
    "/gradio_api/file={upload}/../../../../../../../../../..{}",
    "/gradio_api/file={upload}/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/file=file://{}",
    "/gradio_api/file={}%00.png",
    "/gradio_api/file/{}",
    "/file={}",
    "/static/../../../../../../../../../../..{}",
    "/static/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/assets/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/svelte/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/study/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/study/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/study/demo/picture/..%2f..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/colorize/example/..%2f..%2f..%2f..%2f..%2f..{}",
    "/gradio_api/custom_component/x/client/component/..%2f..%2f..%2f..{}",
]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_no_route_gives_a_file_that_is_not_for_visitors(server, way, picture):
    upload = Path(server.upload(picture())).parent
    for path in wanted(server):
        content = path.read_bytes()
        for form in (str(path), quote(str(path), safe="")):
            address = way.replace("{upload}", str(upload)).replace("{}", form)
            status, _, answer = server.ask("GET", address)
            assert status != 200 or content not in answer, address
            assert SECRET.encode() not in answer


@pytest.mark.slow
def test_no_call_takes_a_file_that_was_not_uploaded(server):
    for path in wanted(server):
        status, events = server.colorize(file_data(path))
        assert status == 422 and "uploaded before" in events and SECRET not in events


@pytest.mark.slow
def test_uploads_of_others_are_not_to_be_guessed(server, picture):
    content = picture()
    path = Path(server.upload(content))
    (name,) = path.relative_to(server.folder / "app" / "gradio").parts[:-1]
    assert re.fullmatch("[0-9a-f]{64}", name)
    assert name != hashlib.sha256(content).hexdigest()  # who has the photo has not the address
    for folder in (path.parent, path.parent.parent):
        status, _, answer = server.ask("GET", f"/gradio_api/file={folder}")
        assert status in (403, 404) and path.name.encode() not in answer
    key = server.sessions.of("somebody").key
    assert len(key) >= 22  # 128 bits
    for guess in ("", "a" * len(key), key[:-1], key.swapcase()):
        assert server.ask("GET", f"/gradio_api/colorize/{guess}/1/grey")[0] == 404


@pytest.mark.slow
def test_uploads_are_gone_within_an_hour(server, picture):
    often, age = server.demo.delete_cache
    assert often + age <= 3600
    path = Path(server.upload(picture()))
    delete_files_created_by_app(server.demo, age)
    assert path.exists()
    delete_files_created_by_app(server.demo, 0)
    assert not path.exists()
    assert server.sessions._limit + 60 <= 3600  # of the copies in a visitor's session


HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [("a.html", HTML), ("a.svg", SVG), ("a.xhtml", HTML), ("a.xml", SVG), ("a.png", HTML)],
)
def test_web_pages_and_drawings_never_run(server, name, content):
    path = server.upload(content, name)
    status, headers, _ = server.ask("GET", f"/gradio_api/file={path}")
    assert status == 200 and headers["x-content-type-options"] == "nosniff"
    if name.endswith(".png"):
        assert headers["content-type"] == "image/png"
    else:
        assert headers["content-disposition"].startswith("attachment")
    _, events = server.colorize(file_data(path))
    assert "a web page or a drawing (HTML, SVG)" in events
