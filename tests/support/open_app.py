"""The running app with a study, as whoever means ill meets it."""

import http.client
import json
from contextlib import closing, contextmanager

import pytest

import app
from colorize.web.guards.proxies import VARIABLE
from tests.support.gradio_locks import no_stray_loops
from tests.support.ports import free_port
from turing.web.hosting import host

SECRET = "SECRET-of-the-study"
SOON = 60.0
STUDY = "/gradio_api/study/demo"


class Server:
    """The app in this process, with an open study's folder that holds a secret."""

    def __init__(self, folder, proxies=""):
        self.folder = folder
        self.studies = folder / "studies"
        self.hosting = host([], {"TURING_STORE": str(self.studies)})
        (self.studies / "demo.sqlite-key").write_text(SECRET)
        self.demo, settings, self.sessions = app.build(folder / "app", self.hosting, proxies)
        (folder / "app" / "files" / "secret.png").write_text(SECRET)
        (folder / "outside.txt").write_text(SECRET)
        self.port = free_port()
        self.demo.launch(server_port=self.port, prevent_thread_lock=True, **settings)

    def close(self):
        self.demo.close(verbose=False)
        self.sessions.close()
        self.hosting.close()

    def ask(self, method, path, body=None, headers=(), source="127.0.0.1"):
        """Status, headers and content of an answer; the path goes as it is."""
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.port, SOON, source_address=(source, 0))
        ) as connection:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def post(self, path, content, headers=(), **options):
        kind = {"Content-Type": "application/json"}
        return self.ask("POST", path, json.dumps(content), kind | dict(headers), **options)

    def upload(self, content, name="photo.png"):
        """The path that an upload is told."""
        part = f'--cut\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        form = part.encode() + content + b"\r\n--cut--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=cut"}
        status, _, answer = self.ask("POST", "/gradio_api/upload", form, kind)
        assert status == 200, answer
        return json.loads(answer)[0]

    def colorize(self, file):
        """The events of a call of the public endpoint with a file's data."""
        call = {"data": [file, ["direct"], 1.0, None, None]}
        status, _, answer = self.post("/gradio_api/call/colorize", call)
        if status != 200:
            return status, answer.decode()
        event = json.loads(answer)["event_id"]
        return status, self.ask("GET", f"/gradio_api/call/colorize/{event}")[2].decode()


@contextmanager
def serving(checkpoints, folder, proxies=""):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLORIZE_CHECKPOINTS", str(checkpoints))
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "app" / "gradio"))
        patch.setenv(VARIABLE, "")
        with no_stray_loops():
            server = Server(folder, proxies)
        yield server
        server.close()


def file_data(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}
