"""Which addresses are open, and what every answer says to browsers."""

import re

import pytest

from tests.support.open_app import STUDY

OPEN = """
GET /                             HEAD /                          GET /config
GET /config/                      GET /svelte/{path:path}         GET /static/{path:path}
GET /assets/{path:path}           GET /favicon.ico                GET /theme.css
GET /robots.txt                   GET /gradio_api/app_id          GET /gradio_api/app_id/
GET /gradio_api/info              GET /gradio_api/info/           GET /gradio_api/queue/data
GET /gradio_api/upload_progress   GET /gradio_api/startup-events
GET /gradio_api/heartbeat/{session_hash}        GET /gradio_api/call/{api_name}/{event_id}
GET /gradio_api/file={path_or_url:path}         HEAD /gradio_api/file={path_or_url:path}
POST /gradio_api/upload           POST /gradio_api/cancel         POST /gradio_api/queue/join
POST /gradio_api/reset            POST /gradio_api/reset/         POST /gradio_api/run/{api_name}
POST /gradio_api/run/{api_name}/  POST /gradio_api/call/{api_name}
POST /gradio_api/call/{api_name}/ POST /gradio_api/call/v2/{api_name}
POST /gradio_api/call/v2/{api_name}/             GET /gradio_api/call/v2/{api_name}/{event_id}
"""
SHUT = """
GET /openapi.json    HEAD /openapi.json   POST /login          POST /login/         GET /logout
GET /monitoring      GET /monitoring/summary                   GET /monitoring/{key}
GET /manifest.json   GET /pwa_icon        GET /pwa_icon/{size} GET /gradio_api/deep_link
GET /gradio_api/openapi.json              GET /gradio_api/dev/reload   GET /gradio_api/queue/status
GET /gradio_api/user                      GET /gradio_api/user/
GET /gradio_api/token                     GET /gradio_api/token/
GET /gradio_api/login_check               GET /gradio_api/login_check/
GET /gradio_api/runs                      GET /gradio_api/runs/
GET /gradio_api/theme.css                 GET /gradio_api/file/{path:path}
GET /gradio_api/proxy={url_path:path}     HEAD /gradio_api/proxy={url_path:path}
GET /gradio_api/vibe-code                 GET /gradio_api/vibe-code/
POST /gradio_api/vibe-code                POST /gradio_api/vibe-code/
POST /gradio_api/vibe-edit                POST /gradio_api/vibe-edit/
POST /gradio_api/undo-vibe-edit           POST /gradio_api/undo-vibe-edit/
POST /gradio_api/vibe-starter-queries     POST /gradio_api/vibe-starter-queries/
POST /gradio_api/api/{api_name}           POST /gradio_api/api/{api_name}/
POST /gradio_api/process_recording        POST /gradio_api/component_server
POST /gradio_api/component_server/        POST /gradio_api/stream/{event_id}
POST /gradio_api/stream/{event_id}/close
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
GET /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
GET /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}
"""


def doors(table):
    return set(re.findall(r"([A-Z]+) (\S+)", table))


def walk(routes, prefix=""):
    """Method and path of every route, those of routers within routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        if methods := getattr(route, "methods", None):
            yield from ((method, prefix + route.path) for method in methods)
        elif inner is not None and hasattr(inner, "routes"):
            context = getattr(route, "include_context", route)
            yield from walk(inner.routes, prefix + (getattr(context, "prefix", "") or ""))
        else:
            raise AssertionError(f"a kind of route that this test does not know: {route!r}")


@pytest.mark.slow
def test_every_door_of_gradio_is_known_and_open_only_where_it_is_needed(server):
    """A new version of Gradio may add doors: they are shut, and this test asks whether to open."""
    own = re.compile(r"/admin|(/gradio_api)?/(study|colorize)(/.*)?")
    found = {door for door in walk(server.demo.app.routes) if not own.fullmatch(door[1])}
    assert found == doors(OPEN) | doors(SHUT)
    for method, path in sorted(doors(SHUT)):
        place = re.sub(r"\{.*?\}", "x", path)
        status, _, content = server.ask(method, place, b"{}" if method == "POST" else None)
        assert status == 404 and (method == "HEAD" or b"There is nothing here." in content), path
    for method, path in sorted(doors(OPEN)):
        if not path.endswith(("{session_hash}", "{event_id}", "queue/data", "upload_progress")):
            place = re.sub(r"\{.*?\}", "x", path)
            _, _, content = server.ask(method, place, b"{}" if method == "POST" else None)
            assert b"There is nothing here." not in content, path


@pytest.mark.slow
def test_every_answer_has_the_headers(server):
    for path in ("/", "/study", f"{STUDY}/nothing", "/gradio_api/proxy=http://x/", "/nothing"):
        _, headers, _ = server.ask("GET", path)
        assert "default-src 'self'" in ", ".join(headers.get_all("content-security-policy"))
        assert "nosniff" in headers["x-content-type-options"]
