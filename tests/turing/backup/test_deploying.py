import shutil
from inspect import signature
from pathlib import Path

import pytest
from huggingface_hub import HfApi, SpaceHardware
from typer.testing import CliRunner

from tests.turing.support.answering import participant
from tests.turing.support.remotes import FakeRemote
from tests.turing.support.studies import built, rows
from turing.backup import deploying
from turing.backup.deploying import CPU, ZEROGPU, deploy, plan, zerogpu_requirements
from turing.backup.sender import Sender
from turing.backup.snapshots import restore_newest
from turing.cli import app
from turing.errors import TuringError
from turing.store.store import Store

BACKUP = "hf://datasets/me/answers"


class FakeApi:
    """What `deploy` uses of huggingface_hub.HfApi; it keeps what it was told."""

    def __init__(self, fails=None):
        self.calls, self.uploaded, self.fails = [], {}, fails

    def __getattr__(self, name):
        def call(**given):
            self.calls.append((name, given))
            if name == self.fails:
                raise ConnectionError("no route to hf_abc123\nmore")
            if name == "upload_folder":
                self._upload(**given)

        return call

    def _upload(self, folder_path, **_):
        root = Path(folder_path)
        self.uploaded = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }

    def given(self, name):
        return [given for called, given in self.calls if called == name]


@pytest.fixture
def root(tmp_path):
    """A clone, with things in it that are nobody's business."""
    root = tmp_path / "clone"
    files = {
        "app.py": "print()",
        "README.md": "---\ntitle: x\n---\n",
        "LICENSE": "free",
        "requirements.txt": "# needs\ntorch>=2.8,<=2.13.0\ntorchvision>=0.23\ntimm>=1\n",
        "colorize/tab.py": "a",
        "colorize/page/a.js": "b",
        "colorize/__pycache__/tab.pyc": "x",
        "turing/store.py": "c",
        "checkpoints/m.safetensors": "w",
        "checkpoints/m.json": "{}",
        "studies/secret.sqlite": "the key",
        ".env": "TOKEN",
        "colorize/.secret": "x",
        ".git/config": "x",
        "tests/test_a.py": "x",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def study(tmp_path):
    with built(tmp_path / "studies") as store:
        store.open_study()
        yield store


WHAT_GOES = {
    "app.py",
    "README.md",
    "LICENSE",
    "requirements.txt",
    "colorize/tab.py",
    "colorize/page/a.js",
    "turing/store.py",
    "checkpoints/m.safetensors",
    "checkpoints/m.json",
}


def test_the_app_and_its_models_go_and_nothing_else(root):
    api = FakeApi()
    deploy(plan(root, "me/colorize", CPU), api)
    assert set(api.uploaded) == WHAT_GOES
    for name, content in api.uploaded.items():
        assert content == (root / name).read_bytes()
    (made,) = api.given("create_repo")
    assert made == {
        "repo_id": "me/colorize",
        "repo_type": "space",
        "space_sdk": "gradio",
        "space_hardware": "cpu-basic",
        "exist_ok": True,
    }
    (sent,) = api.given("upload_folder")
    assert (sent["repo_id"], sent["repo_type"]) == ("me/colorize", "space")
    assert "colorize/*" in sent["delete_patterns"]  # a module that is gone goes there, too
    assert not api.given("add_space_variable")


def test_a_study_goes_to_the_private_repository_alone(root, study, tmp_path):
    participant(study, trials=2)
    api, remote = FakeApi(), FakeRemote(tmp_path / "bucket")
    deploy(plan(root, "me/colorize", ZEROGPU, study.path, BACKUP), api, remote)
    assert set(api.uploaded) == WHAT_GOES
    variables = {given["key"]: given["value"] for given in api.given("add_space_variable")}
    assert variables == {"TURING_STUDY": "tiny", "TURING_BACKUP": BACKUP}
    restored = restore_newest(remote, tmp_path / "space", "tiny")
    assert restored.kept.rows["choices"] == 2
    with Store(tmp_path / "space" / "tiny.sqlite") as there:
        assert there.facts() == study.facts()


def test_the_space_fetches_published_weights_itself(root):
    api = FakeApi()
    (root / "published").mkdir()
    (root / "published" / "ddcolor-tiny.safetensors").write_text("large")
    deploy(plan(root, "me/colorize", CPU, fetch="ddcolor-tiny,ddcolor-paper"), api)
    assert set(api.uploaded) == WHAT_GOES
    (variable,) = api.given("add_space_variable")
    assert (variable["key"], variable["value"]) == ("COLORIZE_FETCH", "ddcolor-tiny,ddcolor-paper")
    with pytest.raises(TuringError, match="--fetch: expected names of models, by commas"):
        plan(root, "me/colorize", CPU, fetch="no name")


def test_zerogpu_gets_the_torch_that_it_takes(root):
    api = FakeApi()
    deploy(plan(root, "me/colorize"), api)
    assert api.uploaded["requirements.txt"].decode().splitlines() == [
        "# needs",
        "torch==2.11.0",
        "torchvision==0.26.0",
        "timm>=1",
    ]
    assert (root / "requirements.txt").read_text().startswith("# needs\ntorch>=2.8")


def test_the_projects_own_requirements_are_rewritten_where_they_must_be():
    text = (Path(deploying.__file__).parents[2] / "requirements.txt").read_text()
    pairs = zip(text.splitlines(), zerogpu_requirements(text).splitlines(), strict=True)
    changed = {old: new for old, new in pairs if old != new}
    assert sorted(changed.values()) == ["torch==2.11.0", "torchvision==0.26.0"]
    assert all(old.startswith("torch") for old in changed)


def test_participants_go_to_the_direct_address(root):
    assert plan(root, "Me_Lab/Color.Test").address == "https://me-lab-color-test.hf.space"


@pytest.mark.parametrize("space", ["colorize", "a/b/c", "", "me/ colorize", "me/../x"])
def test_other_names_are_refused(root, space):
    with pytest.raises(TuringError, match="expected OWNER/NAME"):
        plan(root, space)


def test_what_could_not_be_served_is_refused_before_anything_is_sent(root, study, tmp_path):
    with pytest.raises(TuringError, match=r"expected app\.py there"):
        plan(tmp_path, "me/colorize")
    with pytest.raises(TuringError, match="needs --backup"):
        plan(root, "me/colorize", CPU, study.path)
    with pytest.raises(TuringError, match=r"expected hf://datasets/OWNER/NAME .* found /data"):
        plan(root, "me/colorize", CPU, study.path, "/data")
    with built(tmp_path / "closed") as closed, pytest.raises(TuringError, match="is not open"):
        plan(root, "me/colorize", CPU, closed.path, BACKUP)
    for path in (root / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(TuringError, match="expected models, found none"):
        plan(root, "me/colorize")


def test_a_mounted_bucket_will_do_without_a_study(root):
    assert plan(root, "me/colorize", CPU, backup="/data").variables == {"TURING_BACKUP": "/data"}


def test_answers_that_the_place_has_alone_stop_everything(root, study, tmp_path):
    remote, api = FakeRemote(tmp_path / "bucket"), FakeApi()
    shutil.copytree(study.path.parent, tmp_path / "behind")
    participant(study, trials=2)
    Sender(remote).send(study)
    planned = plan(root, "me/colorize", CPU, tmp_path / "behind" / "tiny.sqlite", BACKUP)
    with pytest.raises(TuringError, match="holds answers that"):
        deploy(planned, api, remote)
    assert api.calls == []


@pytest.mark.parametrize("call", ["create_repo", "add_space_variable", "upload_folder"])
def test_what_fails_is_one_line_without_the_token(root, call):
    planned = plan(root, "me/colorize", CPU, backup="/data")
    with pytest.raises(TuringError) as caught:
        deploy(planned, FakeApi(fails=call))
    assert str(caught.value) == "me/colorize: no route to ***"


def test_the_hub_has_the_methods_that_are_used(root):
    api = FakeApi()
    deploy(plan(root, "me/colorize", CPU, backup="/data"), api)
    for name, given in api.calls:
        assert set(given) <= set(signature(getattr(HfApi, name)).parameters), name
    assert {CPU, ZEROGPU} <= {hardware.value for hardware in SpaceHardware}


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_dry_run_lists_what_would_go_and_sends_nothing(study, monkeypatch):
    monkeypatch.setattr(deploying, "deploy", None)
    done = run("deploy", "me/x", "--study", study.path, "--backup", BACKUP, "--dry-run")
    assert done.exit_code == 0, done.output
    page = "turing/web/page/page.html"
    for line in ("app.py", page, "TURING_STUDY=tiny", f"pictures to {BACKUP}"):
        assert line in done.output
    assert "nothing was sent" in done.output and "zero-a10g" in done.output
    assert "tests/" not in done.output and "__pycache__" not in done.output


def test_the_command_says_what_comes_next(study, monkeypatch):
    monkeypatch.setattr(deploying, "deploy", lambda planned, api: None)
    done = run("deploy", "me/x", "--study", study.path, "--backup", BACKUP)
    assert done.exit_code == 0, done.output
    assert "Participants go to https://me-x.hf.space/study?study=tiny" in done.output
    assert "hf spaces secrets add me/x -s TURING_ADMIN_PASSWORD -s HF_TOKEN" in done.output


def test_fetch_brings_the_newest_snapshot(study, tmp_path):
    remote = FakeRemote(tmp_path / "bucket")
    participant(study, trials=2)
    Sender(remote).send(study)
    arguments = ("fetch", "tiny", "--from", tmp_path / "bucket", "--store", tmp_path / "here")
    done = run(*arguments)
    assert done.exit_code == 0 and "2 choices" in done.output, done.output
    with Store(tmp_path / "here" / "tiny.sqlite") as here:
        assert rows(here, "choices") == rows(study, "choices")
    again = run(*arguments)
    assert again.exit_code == 0 and "kept as" in again.output


def test_fetch_of_what_is_not_there(tmp_path):
    (tmp_path / "bucket").mkdir()
    done = run("fetch", "tiny", "--from", tmp_path / "bucket", "--store", tmp_path / "here")
    assert done.exit_code == 1 and "there are no snapshots of tiny" in done.output
