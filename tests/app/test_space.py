"""The app as a Hugging Face Space runs it: its variables, its folders, its proxy's headers."""

import http.client
import io
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import pytest
import skimage.data
from PIL import Image

from tests.support.ports import free_port

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STUDY = "/gradio_api/study/demo"
HOST = "me-colorize.hf.space"
PROXY = {
    "Host": "10.16.7.92:7860",  # as where the proxy passes its own name for the app
    "X-Forwarded-For": "203.0.113.9, 10.16.1.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": HOST,
}
SOON = 180.0  # seconds that a start may take on a busy machine

FAKE_SPACES = '''
"""What the package `spaces` does on ZeroGPU as far as the app can see, with no GPU."""
import os, sys
assert "torch" not in sys.modules and "gradio" not in sys.modules, "imported too late"
import torch

torch.cuda.is_available = lambda: True

def _stays(to):
    def moving(self, *given, **options):
        return self if given == ("cuda",) else to(self, *given, **options)
    return moving

torch.nn.Module.to = _stays(torch.nn.Module.to)
torch.Tensor.to = _stays(torch.Tensor.to)

def gradio_auto_wrap(function):  # which Gradio calls for every event
    return function

def GPU(duration):
    def decorate(function):
        def decorated(*inputs):
            with open(os.environ["GPU_LOG"], "a") as log:
                print(inputs[0], duration(*inputs), file=log)
            return function(*inputs)
        return decorated
    return decorate
'''


class Space:
    """A Space: its repository is read-only, what is written elsewhere is gone after a restart."""

    def __init__(self, tmp_path, checkpoints, **variables):
        self.app = tmp_path / "home" / "user" / "app"
        self.bucket = tmp_path / "data"
        self.bucket.mkdir()
        self._tmp_path, self._variables, self._starts = tmp_path, variables, 0
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("colorize", "turing"):
            shutil.copytree(ROOT / name, self.app / name, ignore=ignored)
        for name in ("app.py", "requirements.txt", "README.md"):
            shutil.copy(ROOT / name, self.app / name)
        shutil.copytree(checkpoints, self.app / "checkpoints")
        self._files = self._listed()
        self._protect(0o555)

    def start(self):
        """A container: a fresh disk but for the repository and the bucket."""
        self._starts += 1
        scratch = self._tmp_path / f"tmp{self._starts}"
        scratch.mkdir()
        self.temporary = scratch
        self.port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(scratch / "home"),
            "TMPDIR": str(scratch),
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            "SYSTEM": "spaces",
            "SPACE_ID": "me/colorize",
            "SPACE_HOST": HOST,
            "SPACE_AUTHOR_NAME": "me",
            "SPACE_REPO_NAME": "colorize",
            "SPACE_TITLE": "Colorize",
            "SPACE_CREATOR_USER_ID": "0123456789abcdef01234567",
            "GRADIO_SERVER_NAME": "0.0.0.0",
            "GRADIO_SERVER_PORT": str(self.port),
            "GRADIO_ALLOW_FLAGGING": "never",
            "GRADIO_NUM_PORTS": "1",
            "CPU_CORES": "2",
            "MEMORY": "16Gi",
            **self._variables,
        }
        self.process = subprocess.Popen(
            [*_without_roots_rights(), sys.executable, "app.py"],
            cwd=self.app,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith(("The results page", "Results: ")):
                return self
        raise AssertionError("".join(self.said))

    def stop(self):
        """As a Space is stopped; what it has said."""
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=SOON)
        assert self.process.returncode == 0, rest
        assert self._listed() == self._files
        return "".join(self.said) + rest

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self._protect(0o755)

    def ask(self, method, path, body=None, headers=(), patience=SOON):
        """An answer's status, headers and content; 503 is asked again."""
        over = time.monotonic() + patience
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SOON)
            with closing(connection):
                sent = body if body is None or isinstance(body, bytes) else json.dumps(body)
                connection.request(method, path, sent, PROXY | dict(headers))
                answer = connection.getresponse()
                content = answer.read()
            if answer.status != 503 or time.monotonic() > over:
                return answer.status, answer.headers, content
            time.sleep(0.5)

    def upload(self, size=(96, 64)):
        """A grey photo, as calls name it."""
        file = io.BytesIO()
        Image.fromarray(skimage.data.camera()).resize(size).save(file, "PNG")
        boundary = b"cut-here"
        part = b'--%b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        form = part % boundary + file.getvalue() + b"\r\n--%b--\r\n" % boundary
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
        status, _, content = self.ask("POST", "/gradio_api/upload", form, kind)
        assert status == 200, content
        return {"path": json.loads(content)[0], "meta": {"_type": "gradio.FileData"}}

    def join(self, photo, models, headers=()):
        """Status and content of a call of the public endpoint, which then waits in the queue."""
        call = {"data": [photo, models, 1.0, None, None]}
        kind = {"Content-Type": "application/json"} | dict(headers)
        status, _, content = self.ask("POST", "/gradio_api/call/colorize", call, kind, patience=0)
        return status, content

    def colorize(self, models):
        """The bytes of the colour photos that the public endpoint gives for a grey one."""
        status, content = self.join(self.upload(), models)
        assert status == 200, content
        event = json.loads(content)["event_id"]
        _, _, events = self.ask("GET", f"/gradio_api/call/colorize/{event}")
        data = [line[6:] for line in events.decode().splitlines() if line.startswith("data: ")]
        files, _ = json.loads(data[-1])
        return [self.ask("GET", f"/gradio_api/file={file['path']}")[2] for file in files]

    def _listed(self):
        return sorted((str(p), p.stat().st_size) for p in self.app.rglob("*") if p.is_file())

    def _protect(self, mode):
        for path in (self.app, *self.app.rglob("*")):
            if path.is_dir():
                path.chmod(mode)


def _without_roots_rights():
    """A prefix that makes read-only folders read-only for root, too."""
    if os.geteuid() == 0 and shutil.which("setpriv"):
        return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    return []


@pytest.fixture
def space(tmp_path, shipped_checkpoints):
    made = []

    def make(**variables):
        made.append(Space(tmp_path, shipped_checkpoints, **variables))
        return made[-1].start()

    yield make
    for one in made:
        one.end()


def starts_the_study(space, token):
    sign_in = {"Authorization": f"Bearer {token}"}
    body = {"consent": True, "answers": {"colour_vision": "no"}}
    status, _, content = space.ask("POST", f"{STUDY}/start", body, sign_in)
    assert status == 201, content
    return json.loads(content)["state"]


def test_the_app_runs_unchanged_on_a_space(space):
    running = space()
    status, headers, page = running.ask("GET", "/")
    assert status == 200 and b"gradio" in page
    assert json.loads(running.ask("GET", "/config")[2])["root"] == f"https://{HOST}"
    policy = headers["content-security-policy"]
    assert "connect-src 'self'" in policy
    assert "frame-ancestors" not in policy and "x-frame-options" not in headers  # it is in a frame
    (picture,) = running.colorize(["direct"])
    assert Image.open(io.BytesIO(picture)).size == (96, 64)
    assert running.ask("GET", "/study?study=demo")[0] == 200
    state = starts_the_study(running, secrets.token_urlsafe(32))
    assert running.ask("GET", state["trial"]["picture"])[0] == 200

    said = "".join(running.said)
    assert "The results page is off: set TURING_ADMIN_PASSWORD" in said
    status, headers, _ = running.ask("GET", "/admin")
    status, _, page = running.ask("GET", headers["location"])
    assert status == 404 and b"set TURING_ADMIN_PASSWORD (on a Space: a secret" in page
    said = running.stop()
    # Gradio's hot reload asks in vain for the package `spaces`, which a Space has.
    assert str(running.app) not in said, "a traceback of ours"


def test_a_connection_that_says_nothing_is_let_go(space):
    running = space()
    with socket.create_connection(("127.0.0.1", running.port), timeout=SOON) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert silent.recv(100) == b""
    running.stop()


def test_answers_outlive_a_restart_of_the_space(space, tmp_path):
    running = space(TURING_BACKUP=str(tmp_path / "data"), TURING_ADMIN_PASSWORD="opensesame")
    token = secrets.token_urlsafe(32)
    sign_in = {"Authorization": f"Bearer {token}"}
    state = starts_the_study(running, token)
    answer = {"trial": state["trial"]["trial"], "choice": 1, "rt_ms": 700}
    assert running.ask("POST", f"{STUDY}/answer", answer, sign_in)[0] == 200
    status, _, content = running.ask("GET", f"{STUDY}/state", headers=sign_in)
    before = json.loads(content)
    assert status == 200 and before["stage"] == "trials"
    said = running.stop()
    newest = max((tmp_path / "data" / "demo" / "snapshots").glob("*.sqlite"))
    with closing(sqlite3.connect(newest)) as db:
        assert db.execute("SELECT choice FROM choices").fetchall() == [(1,)]

    running.start()
    status, _, content = running.ask("GET", f"{STUDY}/state", headers=sign_in)
    assert (status, json.loads(content)) == (200, before)
    base = f"{STUDY}/admin"
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}"}
    status, headers, _ = running.ask("POST", base, b"password=opensesame", form)
    assert status == 303
    cookie = headers["set-cookie"]
    assert "Secure" in cookie and "Partitioned" in cookie
    _, _, page = running.ask("GET", base, headers={"Cookie": cookie.partition(";")[0]})
    assert b"would be lost with this machine" in page
    said += running.stop()
    assert "opensesame" not in said and token not in said


def test_it_ends_in_order_while_the_queue_is_full(space, tmp_path):
    """Networks run, photos are being opened, everybody waits: the last answer is kept."""
    running = space(TURING_BACKUP=str(tmp_path / "data"))
    token = secrets.token_urlsafe(32)
    sign_in = {"Authorization": f"Bearer {token}"}
    state = starts_the_study(running, token)
    photo, clients, refused = running.upload((3000, 2000)), 0, 0
    while not refused and clients < 20:
        clients += 1
        said = {"X-Forwarded-For": f"203.0.113.{clients}"}
        for _ in range(32):
            status, content = running.join(photo, ["bins", "direct"], said)
            refused += status == 503
    assert b"ueue" in content  # is full
    answer = {"trial": state["trial"]["trial"], "choice": 1, "rt_ms": 700}
    assert running.ask("POST", f"{STUDY}/answer", answer, sign_in)[0] == 200
    said = running.stop()
    assert "terminate called" not in said and "was never awaited" not in said
    newest = max((tmp_path / "data" / "demo" / "snapshots").glob("*.sqlite"))
    with closing(sqlite3.connect(newest)) as db:
        assert db.execute("SELECT choice FROM choices").fetchall() == [(1,)]
    assert not list(running.temporary.glob("colorize-*"))


def test_what_the_old_container_was_still_told_the_new_one_knows(space, tmp_path):
    """A restart in which the two overlap."""
    running = space(TURING_BACKUP=str(tmp_path / "data"), TURING_ADMIN_PASSWORD="opensesame")
    old, old_port = running.process, running.port
    try:
        until(lambda: list((tmp_path / "data" / "demo" / "snapshots").glob("*.sqlite")))
        running.start()
        assert running.ask("GET", f"{STUDY}/info")[0] == 200
        new_port, running.port = running.port, old_port
        token = secrets.token_urlsafe(32)
        sign_in = {"Authorization": f"Bearer {token}"}
        state = starts_the_study(running, token)
        answer = {"trial": state["trial"]["trial"], "choice": 1, "rt_ms": 700}
        status, _, content = running.ask("POST", f"{STUDY}/answer", answer, sign_in)
        assert status == 200
        running.port = new_port
        assert running.ask("GET", f"{STUDY}/state", headers=sign_in)[0] == 401
    finally:
        old.send_signal(signal.SIGTERM)
        old.communicate(timeout=SOON)
    until(lambda: running.ask("GET", f"{STUDY}/state", headers=sign_in)[0] == 200)
    there = json.loads(running.ask("GET", f"{STUDY}/state", headers=sign_in)[2])
    assert there == json.loads(content)["state"]
    assert "took over 1 participant and 1 choice of another run" in running.stop()


def until(condition):
    over = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < over
        time.sleep(0.5)


def test_zerogpu_is_used_where_it_is(space, tmp_path):
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "spaces.py").write_text(FAKE_SPACES)
    log = tmp_path / "gpu.log"
    running = space(PYTHONPATH=str(tmp_path / "packages"), SPACES_ZERO_GPU="true", GPU_LOG=str(log))
    pictures = running.colorize(["direct", "bins"])
    assert [Image.open(io.BytesIO(picture)).size for picture in pictures] == [(96, 64)] * 2
    assert [line.split() for line in log.read_text().splitlines()] == [
        ["direct", "6"],
        ["bins", "6"],
    ]
    starts_the_study(running, secrets.token_urlsafe(32))  # its pictures were made on the CPU
    assert len(log.read_text().splitlines()) == 2
    assert "runs on the CPU" not in running.stop()


# A torch for CPUs as `spaces` expects one: what it replaces on ZeroGPU has to be there.
CUDA_TORCH = """
import torch
if torch.version.cuda is None:
    torch.version.cuda = "12.8"
    torch._C._cuda_init = lambda: None
    torch.cuda._is_in_bad_fork = bool
"""


class DeviceApi(BaseHTTPRequestHandler):
    """Who lends GPUs on ZeroGPU, as far as the package `spaces` asks: nobody's minutes are left."""

    asked: ClassVar[list[str]] = []

    def do_POST(self):
        self.asked.append(self.path)
        is_start = self.path.startswith("/startup-report")
        content = b"{}" if is_start else json.dumps({"left": 0, "wait": 3600}).encode()
        self.send_response(200 if is_start else 429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def device_api():
    with ThreadingHTTPServer(("127.0.0.1", 0), DeviceApi) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.skipif(find_spec("spaces") is None, reason="the package spaces is not installed")
def test_the_real_package_is_asked_and_the_cpu_goes_on_without_minutes(space, tmp_path, device_api):
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "sitecustomize.py").write_text(CUDA_TORCH)
    folder = Path(find_spec("spaces").origin).parents[1]
    running = space(
        PYTHONPATH=f"{tmp_path / 'packages'}:{folder}",
        SPACES_ZERO_GPU="true",
        SPACES_ZERO_DEVICE_API_URL=device_api,
    )
    (picture,) = running.colorize(["bins"])
    assert Image.open(io.BytesIO(picture)).size == (96, 64)
    started, asked = DeviceApi.asked
    assert started.startswith("/startup-report")  # launch() was called, which `spaces` patches
    assert asked.startswith("/schedule?") and "durationSeconds=" in asked
    said = running.stop()
    assert "bins runs on the CPU" in said and "GPU limit" in said
