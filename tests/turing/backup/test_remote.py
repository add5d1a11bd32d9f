import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import RepositoryNotFoundError

from turing.backup.remote import FolderRemote, HubRemote, RemoteError, open_remote, without_secrets
from turing.errors import TuringError


class FakeHub:
    """What HubRemote uses of huggingface_hub.HfApi, in memory."""

    def __init__(self, private=True, exists=True):
        self.files, self.private, self.exists = {}, private, exists
        self.commits, self.dropped, self.squashed = [], [], 0

    def repo_info(self, repo_id, repo_type):
        assert (repo_id, repo_type) == ("me/answers", "dataset")
        if not self.exists:
            response = SimpleNamespace(headers={}, request=None)
            raise RepositoryNotFoundError("404", response=response)
        return SimpleNamespace(private=self.private)

    def create_repo(self, repo_id, repo_type, private, exist_ok):
        self.exists, self.private = True, private

    def list_repo_files(self, repo_id, repo_type):
        return list(self.files)

    def hf_hub_download(self, repo_id, repo_type, filename, local_dir):
        path = Path(local_dir) / filename.replace("/", "_")
        path.write_bytes(self.files[filename])
        return str(path)

    def create_commit(self, repo_id, repo_type, operations, commit_message):
        self.commits.append(len(operations))
        for one in operations:
            if isinstance(one, CommitOperationAdd):
                with one.as_file() as content:
                    self.files[one.path_in_repo] = content.read()
            else:
                del self.files[one.path_in_repo]

    def list_lfs_files(self, repo_id, repo_type):
        return [SimpleNamespace(filename=name) for name in ("sub/a/1", "sub/a/2")]

    def permanently_delete_lfs_files(self, repo_id, repo_type, lfs_files):
        self.dropped += [file.filename for file in lfs_files]

    def super_squash_history(self, repo_id, repo_type):
        self.squashed += 1


@pytest.fixture(params=["folder", "hub"])
def remote(request, tmp_path):
    if request.param == "hub":
        return HubRemote("me/answers", "sub", FakeHub())
    (tmp_path / "bucket").mkdir()
    return FolderRemote(tmp_path / "bucket")


@pytest.fixture
def files(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    return {"a/1": tmp_path / "one", "a/b/2": tmp_path / "two"}


def test_there_and_back(remote, files, tmp_path):
    assert remote.names("a") == []
    remote.change(files)
    assert remote.names("a") == ["a/1", "a/b/2"]
    assert remote.names("a/b") == ["a/b/2"]
    remote.fetch("a/b/2", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "two"
    remote.change({"a/1": tmp_path / "two"}, ["a/b/2"])
    assert remote.names("a") == ["a/1"]
    remote.fetch("a/1", tmp_path / "again")
    assert (tmp_path / "again").read_text() == "two"


def test_what_is_not_there(remote, tmp_path):
    with pytest.raises(RemoteError):
        remote.fetch("a/none", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("/data", FolderRemote),
        ("backup/here", FolderRemote),
        ("hf://datasets/me/answers", HubRemote),
        ("hf://datasets/me/answers/study/one", HubRemote),
    ],
)
def test_places_by_name(location, kind):
    remote = open_remote(location)
    assert isinstance(remote, kind) and remote.location == location


@pytest.mark.parametrize(
    "location", ["hf://me/model", "s3://bucket", "hf://datasets/me", "ftp://x"]
)
def test_other_places_are_refused(location):
    with pytest.raises(TuringError, match="expected a folder or hf://datasets/OWNER/NAME"):
        open_remote(location)


def test_a_folder_that_is_not_mounted_is_no_place(tmp_path, files):
    remote = FolderRemote(tmp_path / "bucket")
    for call in (lambda: remote.names("a"), lambda: remote.change(files)):
        with pytest.raises(RemoteError, match="there is no such folder"):
            call()


def test_a_full_disk_leaves_nothing_half_written(tmp_path, files, monkeypatch):
    (tmp_path / "bucket").mkdir()
    remote = FolderRemote(tmp_path / "bucket")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RemoteError, match="No space left on device"):
        remote.change(files)
    assert [path for path in (tmp_path / "bucket").rglob("*") if path.is_file()] == []


def test_a_repository_is_made_and_is_private(files):
    hub = FakeHub(exists=False)
    remote = HubRemote("me/answers", "", hub)
    assert remote.names("a") == []
    remote.change(files)
    assert hub.exists and hub.private
    assert hub.files == {"a/1": b"one", "a/b/2": b"two"}


def test_a_public_repository_is_refused(files):
    hub = FakeHub(private=False)
    with pytest.raises(RemoteError, match="is public; answers need a private repository"):
        HubRemote("me/answers", "", hub).change(files)
    assert hub.files == {}


def test_many_files_go_in_several_commits_the_last_one_last(files, tmp_path):
    hub = FakeHub()
    many = {f"p/{number}": tmp_path / "one" for number in range(450)}
    HubRemote("me/answers", "", hub).change({**many, "snapshot": tmp_path / "two"})
    assert hub.commits == [200, 200, 51]
    assert list(hub.files)[-1] == "snapshot"


def test_what_is_removed_is_dropped_from_history_too(files):
    hub = FakeHub()
    remote = HubRemote("me/answers", "sub", hub)
    remote.change(files)
    remote.change({}, ["a/1"])
    assert (hub.dropped, hub.squashed) == (["sub/a/1"], 0)
    remote.change({}, ["a/b/2"])  # a small one, which is a part of the history itself
    assert (hub.dropped, hub.squashed) == (["sub/a/1"], 1)
    remote.change(files)
    assert (hub.dropped, hub.squashed) == (["sub/a/1"], 1)


def test_a_history_that_stays_is_told_and_tried_again(files, caplog):
    hub = FakeHub()
    hub.permanently_delete_lfs_files = None
    remote = HubRemote("me/answers", "sub", hub)
    remote.change(files)
    remote.change({}, ["a/1"])
    assert remote.names("a") == ["a/b/2"]
    assert "old snapshots stay in its history" in caplog.text
    del hub.permanently_delete_lfs_files
    remote.change(files)
    assert hub.dropped == ["sub/a/1"]


def test_errors_of_the_hub_are_one_line_without_the_token(files, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "topsecret")

    class Broken(FakeHub):
        def create_commit(self, **_):
            raise ConnectionError("no route; token topsecret\nsecond line")

    with pytest.raises(RemoteError) as caught:
        HubRemote("me/answers", "", Broken()).change(files)
    assert str(caught.value) == "no route; token ***"


def test_secrets_are_left_out():
    text = "Bearer abc.def, hf_QwErTy and opensesame"
    environment = {"TURING_ADMIN_PASSWORD": "opensesame"}
    assert without_secrets(text, environment) == "*** *** and ***"


def test_the_hub_has_the_methods_that_are_used():
    from inspect import signature

    from huggingface_hub import HfApi

    used = {
        "repo_info": {"repo_id", "repo_type"},
        "create_repo": {"repo_id", "repo_type", "private", "exist_ok"},
        "list_repo_files": {"repo_id", "repo_type"},
        "hf_hub_download": {"repo_id", "repo_type", "filename", "local_dir"},
        "create_commit": {"repo_id", "repo_type", "operations", "commit_message"},
        "list_lfs_files": {"repo_id", "repo_type"},
        "permanently_delete_lfs_files": {"repo_id", "repo_type", "lfs_files"},
        "super_squash_history": {"repo_id", "repo_type"},
    }
    for name, arguments in used.items():
        assert arguments <= set(signature(getattr(HfApi, name)).parameters), name
