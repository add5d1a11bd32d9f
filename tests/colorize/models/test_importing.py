import pickle

import pytest
import torch
from safetensors.torch import save_file

from colorize.color import bins
from colorize.inference.predict import decode, run_network
from colorize.models.checkpoint import load_checkpoint
from colorize.models.importing import import_weights
from colorize.models.networks.published.zhang import Zhang
from colorize.models.record import CheckpointError, read_record


@pytest.fixture(scope="module")
def state():
    """Made-up weights under the published names."""
    torch.manual_seed(0)
    network = Zhang()
    network.model_out.weight.data.normal_(std=0.3)
    network.model1[4].running_var.fill_(2.0)
    return {key: value.clone() for key, value in network.state_dict().items()}


def refused(match, tmp_path, file, network="zhang", name="mine"):
    with pytest.raises(CheckpointError, match=match) as error:
        import_weights(network, file, name, tmp_path / "checkpoints")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "checkpoints").exists()
    return str(error.value)


def save_as(kind, state, file):
    if kind == "safetensors":
        save_file(state, file)
    elif kind == "old torch":
        torch.save(state, file, _use_new_zipfile_serialization=False)
    elif kind == "wrapped":
        torch.save({"state_dict": state, "epoch": 3}, file)
    else:
        torch.save(state, file)


@pytest.mark.parametrize("kind", ["torch", "old torch", "wrapped", "safetensors"])
def test_file_becomes_a_checkpoint_like_any_other(state, tmp_path, kind):
    file = tmp_path / "published.bin"  # told apart by content, not by name
    save_as(kind, state, file)
    record = import_weights("zhang", file, "mine", tmp_path / "checkpoints")
    network, loaded = load_checkpoint(tmp_path / "checkpoints" / "mine")
    assert loaded == record == read_record(tmp_path / "checkpoints" / "mine.json")
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert torch.allclose(value, state[key], rtol=1e-3, atol=1e-7), key


def test_record_holds_the_published_conventions(state, tmp_path):
    torch.save(state, tmp_path / "published.pth")
    record = import_weights("zhang", tmp_path / "published.pth", "mine", tmp_path)
    assert record.network == "zhang"
    assert record.decoding == {"kind": "annealed-mean", "temperature": 1.0}
    assert record.lightness == (50.0, 100.0)
    assert record.ab_scale == 110
    assert record.size == 256
    assert record.data["file"] == "published.pth"


@torch.inference_mode()
def test_colours_are_those_that_the_published_program_computes(state, tmp_path):
    torch.save(state, tmp_path / "published.pth")
    import_weights("zhang", tmp_path / "published.pth", "mine", tmp_path)
    network, record = load_checkpoint(tmp_path / "mine")
    L = torch.rand(1, 1, 32, 40) * 100
    original = Zhang().eval()
    original.load_state_dict({key: value.half().float() for key, value in state.items()})
    logits = original((L - 50) / 100)
    expected = original.model_out(logits.softmax(1)) * 110
    ab = decode(network, record, run_network(network, record, L))
    assert ab.shape == (1, 2, 8, 10)
    assert torch.allclose(ab, expected, atol=1e-3)
    assert not torch.allclose(ab, bins.annealed_mean(logits, 1.0), atol=1)


def test_older_files_without_batch_counters_do(state, tmp_path):
    trimmed = {key: value for key, value in state.items() if "num_batches" not in key}
    torch.save(trimmed, tmp_path / "published.pth")
    import_weights("zhang", tmp_path / "published.pth", "mine", tmp_path)


@pytest.mark.parametrize("form", ["torch", "old torch", "bare pickle"])
def test_a_pickles_code_never_runs(tmp_path, form):
    class Malicious:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    file = tmp_path / "published.pth"
    if form == "bare pickle":
        file.write_bytes(pickle.dumps({"model1.0.weight": Malicious()}))
    else:
        save_as(form, {"model1.0.weight": Malicious()}, file)
    refused("could run code", tmp_path, file)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"text\n", b"\x08" + b"\0" * 7 + b"{broken}", b"PK\3\4"])
def test_what_is_no_file_of_tensors_is_one_line(tmp_path, content):
    file = tmp_path / "published.pth"
    file.write_bytes(content)
    assert str(file) in refused("no file of tensors|expected a file of tensors", tmp_path, file)


def test_a_truncated_file(state, tmp_path):
    file = tmp_path / "published.pth"
    torch.save(state, file)
    file.write_bytes(file.read_bytes()[:1_000_000])
    refused("expected a file of tensors", tmp_path, file)


def test_a_file_that_is_not_there(tmp_path):
    refused(r"cannot be read \(No such file", tmp_path, tmp_path / "none.pth")


def test_something_else_saved_by_torch(tmp_path):
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    refused("expected a state dict .* found list", tmp_path, tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "dict.pth")
    refused("expected a state dict", tmp_path, tmp_path / "dict.pth")


def test_tensors_of_another_network(state, tmp_path):
    file = tmp_path / "published.pth"
    torch.save({"conv.weight": torch.zeros(3)}, file)
    refused("lacks .* tensors, first model1.0.bias", tmp_path, file)
    torch.save(state | {"model9.0.weight": torch.zeros(3)}, file)
    refused("has unknown 1 tensors, first model9.0.weight", tmp_path, file)
    torch.save(state | {"model8.6.bias": torch.zeros(529)}, file)
    refused(r"expected model8.6.bias of shape \(313,\), found \(529,\)", tmp_path, file)


def test_networks_without_published_weights_and_bad_names(tmp_path):
    refused(
        "of 'baseline' are not known here; known: zhang, siggraph17, deoldify, ddcolor",
        tmp_path,
        tmp_path,
        "baseline",
    )
    refused("cannot be called", tmp_path, tmp_path, name="a/b")


def test_an_existing_checkpoint_is_never_overwritten(state, tmp_path):
    torch.save(state, tmp_path / "published.pth")
    import_weights("zhang", tmp_path / "published.pth", "mine", tmp_path)
    before = (tmp_path / "mine.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match=r"mine\.json: is there already"):
        import_weights("zhang", tmp_path / "published.pth", "mine", tmp_path)
    assert (tmp_path / "mine.safetensors").read_bytes() == before
