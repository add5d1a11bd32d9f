"""Against a server that speaks the hub's protocol: nothing else is reached."""

import errno
import io

import huggingface_hub
import pytest
import torch

from colorize.models import fetching
from colorize.models.checkpoint import load_checkpoint
from colorize.models.fetching import fetch
from colorize.models.published import FETCHABLE, Fetchable
from colorize.models.record import CheckpointError, read_record
from tests.support.hubs import REPOSITORY, content_of, small_hub, use


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with small_hub(monkeypatch, tmp_path / "cache", "small") as hub:
        use(hub.endpoint, monkeypatch)
        yield hub


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "published"))
    return tmp_path / "published"


def refused(match, folder, name="small", **options):
    with pytest.raises(CheckpointError, match=match) as error:
        fetch(name, folder, **options)
    assert "\n" not in str(error.value)
    assert not list(folder.glob("*"))


def test_a_file_is_fetched_once_checked_and_converted(hub, folder):
    record = fetch("small", folder)
    assert record == read_record(folder / "small.json")
    assert (record.title, record.summary, record.licence) == ("Small", "made up", "MIT, nobody")
    assert record.line == "made up (published weights, not measured here)"
    assert record.revision == hub.revision
    source = f"https://huggingface.co/{REPOSITORY}/blob/{hub.revision}/pytorch_model.bin"
    assert record.source == source
    content = hub.files[REPOSITORY]["pytorch_model.bin"]
    assert record.data["sha256"] == hub.sha256(content)
    load_checkpoint(folder / "small")
    with pytest.raises(CheckpointError, match="is there already"):
        fetch("small", folder)
    for file in folder.iterdir():
        file.unlink()
    fetch("small", folder, revision="main")  # from the cache
    assert [path for method, path, _ in hub.asked if method == "GET" and "resolve" in path] == [
        f"/{REPOSITORY}/resolve/{hub.revision}/pytorch_model.bin"
    ]


@pytest.mark.slow
def test_a_download_goes_on_where_it_was_cut_off(hub, folder, monkeypatch):
    large = Fetchable("siggraph17", REPOSITORY, "Large", "made up", 137, 68, "MIT, nobody")
    monkeypatch.setitem(FETCHABLE, "small", large)
    hub.files[REPOSITORY]["pytorch_model.bin"] = content_of("siggraph17")  # some pieces
    hub.cut = 20_000_000
    fetch("small", folder)
    ranges = [asked for method, path, asked in hub.asked if method == "GET" and "resolve" in path]
    assert ranges[0] is None and ranges[1].startswith("bytes=")
    assert 0 < int(ranges[1].removeprefix("bytes=").rstrip("-")) <= 20_000_000


def test_the_one_weights_file_is_taken_by_its_ending(hub, folder):
    files = dict.fromkeys(("a.pth", "sub/model.safetensors", "notes.txt", "b.bin"), b"no weights")
    hub.files[REPOSITORY] = files
    refused("expected a file of tensors, found neither|expected a file of tensors", folder)
    del files["sub/model.safetensors"]
    refused("b.bin", folder)
    hub.files[REPOSITORY] = {"README.md": b""}
    refused(r"expected a file of weights \(.safetensors, .bin, .pt, .pth\), found none", folder)


def test_weights_of_another_network(hub, folder):
    out = io.BytesIO()
    torch.save({"params": {"conv.weight": torch.zeros(3)}}, out)
    hub.files[REPOSITORY]["pytorch_model.bin"] = out.getvalue()
    refused("lacks .* tensors, first ", folder)


def test_a_changed_file_is_deleted(hub, folder):
    hub.announced = "0" * 64
    refused("is not the file that was announced", folder)
    hub.announced = ""
    fetch("small", folder)


def test_what_is_not_there(hub, folder):
    refused("there is no revision 'v9'", folder, revision="v9")
    del hub.files[REPOSITORY]
    refused(f"has no repository {REPOSITORY}", folder)
    refused("'other' cannot be fetched; there are: ddcolor-tiny", folder, "other")


def test_without_a_network(hub, folder, monkeypatch):
    use("http://127.0.0.1:9", monkeypatch)
    refused("http://127.0.0.1:9 cannot be reached; try again when this machine is online", folder)
    assert hub.asked == []


@pytest.mark.parametrize("place", ["hub", "import"])
def test_a_full_disk(hub, folder, monkeypatch, place):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    if place == "hub":
        monkeypatch.setattr(huggingface_hub.HfApi, "hf_hub_download", full)
    else:
        from colorize.models import importing

        monkeypatch.setattr(importing, "save_checkpoint", full)
    refused("the disk is full; make room", folder)


def test_a_folder_that_cannot_be_written(hub, folder, monkeypatch, tmp_path):
    monkeypatch.setattr(fetching.os, "access", lambda *_: False)
    refused(f"{folder}: cannot be written to", folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be made"):
        fetch("small", tmp_path / "file" / "sub")
    assert hub.asked == []


def test_what_can_be_fetched_is_told_with_size_and_licence():
    assert list(FETCHABLE) == ["ddcolor-tiny", "ddcolor-large", "ddcolor-artistic", "ddcolor-paper"]
    for one in FETCHABLE.values():
        assert one.licence.startswith("Apache-2.0") and one.megabytes > 200
        assert one.repository.startswith("piddnad/ddcolor")
        assert one.summary.count("2023") == one.summary.count("Some ") == 1
