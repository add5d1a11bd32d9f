"""What calls bring, and what requests say of themselves."""

import json
import socket
import threading
import time

import pytest

from colorize.web.guards import middleware
from colorize.web.guards.middleware import waiting_clients
from tests.support.open_app import STUDY, file_data, serving


@pytest.mark.slow
def test_nonsense_is_answered_and_leaves_no_traceback(server, capfd, caplog):
    """Of whatever type what a call brings is."""
    events = {one["api_name"]: one["id"] for one in server.demo.config["dependencies"]}
    chosen = [["direct"], "Automatic"]

    def call(event, data, given):
        body = {"fn_index": events.get(event, event), "data": data, "event_data": given}
        way = "queue/join" if event in ("add", "example", "run") else "run/predict"
        return server.post(f"/gradio_api/{way}", body | {"session_hash": "visitor"})

    for strange in (None, 7, "x", [], {}, [None], [[]], [{}], {"a": None}, 1e400, True):
        for event in ("add", "example", "look", "remove", "resume"):
            for given in (strange, *({name: strange} for name in ("paths", "number", "photo"))):
                data = [] if event in ("look", "resume") else chosen
                assert call(event, data, given)[0] in (200, 422), (event, given)
        given = {"paths": [], "number": 9, "photo": 9}
        for event in ("add", "example", "prepare", "cancel", "remove", "restart"):
            assert call(event, [strange, strange], given)[0] == 422 or strange == [], event
            assert call(event, [["direct"], strange], given)[0] == 422 or event == "restart"
            assert call(event, strange, given)[0] in (400, 422) or strange == [[]], event
        status, _, answer = server.post("/gradio_api/call/colorize", {"data": [strange] * 5})
        assert status == 422 or strange is None, answer
    for number in (999, -1, 0):
        assert call(number, [], None)[0] in (200, 404)
    for path in ("call/colorize/unknown", "call/v2/colorize/unknown", "call/nothing/unknown"):
        assert server.ask("GET", f"/gradio_api/{path}")[0] == 404
    status, _, answer = server.ask("GET", "/gradio_api/queue/data?session_hash=nobody")
    assert status == 200 and b"session_not_found" in answer
    assert server.ask("GET", f"/assets/{'x' * 5000}")[0] == 404
    part = b'--cut\r\nContent-Disposition: form-data; name="files"\r\n\r\nx\r\n--cut--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=cut"}
    assert server.ask("POST", "/gradio_api/upload", part, kind)[0] == 400
    news = json.loads(call("cancel", chosen, None)[2])["data"][0]
    state = json.loads(server.ask("GET", f"/gradio_api/colorize/{news['key']}/news")[2])
    assert state["photos"] == [] and state["models"] == ["direct"]
    assert [one for one in caplog.records if one.exc_info] == []
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.fixture
def listener():
    """A server that must not be asked; its port and who came."""
    came = []
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        own.listen()
        own.settimeout(0.1)
        over = threading.Event()

        def listen():
            while not over.is_set():
                try:
                    connection, _ = own.accept()
                except TimeoutError:
                    continue
                came.append(connection.recv(1000))
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield own.getsockname()[1], came
        over.set()
        thread.join()


@pytest.mark.slow
def test_the_server_fetches_no_address_for_anybody(server, listener):
    port, came = listener
    for place in (f"http://127.0.0.1:{port}/x.png", f"http://localhost:{port}/x.png"):
        status, answer = server.colorize(file_data(place))
        assert status == 422 and "addresses are not fetched" in answer
        for path in (f"/gradio_api/file={place}", f"/gradio_api/proxy={place}"):
            assert server.ask("GET", path)[0] == 404
        for call in ("queue/join", "run/predict", "call/v2/colorize"):
            body = {"data": [file_data(place)], "photo": file_data(place), "fn_index": 0}
            status, _, _ = server.post(f"/gradio_api/{call}", body | {"session_hash": "x"})
            assert status == 422, call
        file = file_data("/x") | {"url": place}  # an address beside a path is not followed
        assert server.colorize(file)[0] == 422
    time.sleep(0.3)
    assert came == []


OTHERS = ["http://evil.example", "http://127.0.0.1:1", "http://other.app.example", "null"]


@pytest.mark.slow
@pytest.mark.parametrize("origin", OTHERS)
def test_no_header_of_a_request_makes_it_the_own_pages(server, origin):
    """A page of another site, or of another port, with whatever headers it may set."""
    host = origin.rpartition("/")[2]
    for name in (
        "X-Forwarded-Host",
        "X-Forwarded-Server",
        "X-Host",
        "X-Original-Host",
        "Forwarded",
    ):
        headers = {"Origin": origin, name: f"host={host}" if name == "Forwarded" else host}
        assert server.ask("GET", f"{STUDY}/admin", headers=headers)[0] == 403
        for method, path in (("POST", "start"), ("POST", "admin"), ("GET", "info")):
            status = server.ask(method, f"{STUDY}/{path}", "{}", headers)[0]
            assert status == 403 or path == "info", path
        if name == "X-Forwarded-Host":  # nor are others sent elsewhere by what is kept on the way
            assert b"evil.example" not in server.ask("GET", "/config", headers=headers)[2]


@pytest.mark.slow
def test_a_proxy_that_the_owner_named_is_believed(shipped_checkpoints, tmp_path, picture):
    """Plain HTTP, where browsers do not say which site calls, and a proxy that changes the host."""
    page = {"Origin": "http://app.example", "X-Forwarded-Host": "app.example"}
    with serving(shipped_checkpoints, tmp_path, proxies="127.0.0.1") as server:
        assert server.post(f"{STUDY}/start", {}, page)[0] != 403
        config = json.loads(server.ask("GET", "/config", headers=page)[2])
        assert config["root"] == "http://app.example"
        assert server.post(f"{STUDY}/start", {}, page, source="127.0.0.2")[0] == 403
        call = {"data": [file_data(server.upload(picture())), ["direct"], 1.0, None, None]}
        workshop = server.sessions.workshop
        with workshop.turn("a"), workshop.turn("b"):
            clients = [f"203.0.113.{number}" for number in range(middleware.MOST_WAITING + 8)]
            for client in clients:  # each has places of its own
                said = {"X-Forwarded-For": client}
                assert server.post("/gradio_api/call/colorize", call, said)[0] == 200
            assert len(set(waiting_clients(server.demo._queue)) & set(clients)) > 30
