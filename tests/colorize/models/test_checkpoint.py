import hashlib
import json
import pickle
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save

from colorize.models.checkpoint import build_network, load_checkpoint, save_checkpoint
from colorize.models.record import CheckpointError, Record

RECORD = Record(
    name="small",
    title="Small",
    summary="A network with random weights",
    network="baseline",
    arguments={},
    size=96,
    decoding={"kind": "direct"},
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = build_network("baseline", {})
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.num_batches_tracked += 5
    return network


@pytest.fixture
def saved(network, tmp_path):
    save_checkpoint(network, RECORD, tmp_path)
    return tmp_path / "small"


def rewrite(saved, content, **changes):
    """Other weights with a record that agrees with them in size and hash."""
    saved.with_suffix(".safetensors").write_bytes(content)
    record = json.loads(saved.with_suffix(".json").read_text())
    record["weights"] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    saved.with_suffix(".json").write_text(json.dumps(record | changes))


def refused(saved, match):
    with pytest.raises(CheckpointError, match=match) as error:
        load_checkpoint(saved)
    message = str(error.value)
    assert "\n" not in message
    assert str(saved) in message


# there and back


def test_there_and_back_in_half_precision(network, saved):
    loaded, record = load_checkpoint(saved)
    assert record == replace(RECORD, weights=record.weights)
    own, theirs = network.state_dict(), loaded.state_dict()
    for key, value in own.items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(theirs[key], value.half().float()), key
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}
    L = torch.rand(1, 1, 32, 32) * 2 - 1
    assert torch.allclose(loaded(L), network.eval()(L), atol=1e-2)


def test_file_is_fp16_and_its_hash_stands_in_the_record(saved):
    file = saved.with_suffix(".safetensors")
    record = json.loads(saved.with_suffix(".json").read_text())
    assert record["weights"] == {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "bytes": file.stat().st_size,
        "dtype": "float16",
    }
    state = load_file(file)
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert not any("num_batches" in key for key in state)


def test_a_name_is_found_in_the_folder(saved, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(saved.parent))
    assert load_checkpoint("small")[1].name == "small"


def test_arguments_and_a_backbone_travel_along(tmp_path):
    arguments = {"backbone": "test_resnet", "backbone_size": 32}
    network = build_network("fusion", arguments)
    save_checkpoint(network, replace(RECORD, network="fusion", arguments=arguments), tmp_path)
    loaded, _ = load_checkpoint(tmp_path / "small")
    L = torch.rand(1, 1, 32, 32) * 2 - 1
    assert torch.allclose(loaded(L), network.eval()(L), atol=1e-2)
    key = "backbone.network.conv1.0.weight"
    assert torch.allclose(loaded.state_dict()[key], network.state_dict()[key], atol=1e-3)


def test_what_fp16_cannot_hold_stays_in_float32(network, tmp_path):
    network.layers[2].running_var.fill_(1e6)
    save_checkpoint(network, RECORD, tmp_path)
    loaded, _ = load_checkpoint(tmp_path / "small")
    assert torch.equal(loaded.layers[2].running_var, network.layers[2].running_var)


def test_weights_that_are_not_finite_are_not_saved(network, saved):
    before = saved.with_suffix(".safetensors").read_bytes()
    network.layers[0].weight.data[0] = float("nan")
    with pytest.raises(CheckpointError, match=r"NaN or infinity \(first in layers.0.weight\)"):
        save_checkpoint(network, RECORD, saved.parent)
    assert saved.with_suffix(".safetensors").read_bytes() == before
    load_checkpoint(saved)


def test_a_bad_name_is_refused_before_anything_is_written(network, tmp_path):
    with pytest.raises(CheckpointError, match="cannot be called"):
        save_checkpoint(network, replace(RECORD, name="../up"), tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


# strictness


def test_truncated_weights(saved):
    file = saved.with_suffix(".safetensors")
    file.write_bytes(file.read_bytes()[:-100])
    refused(saved, r"expected \d+ bytes, found \d+; the file is cut off")


def test_a_changed_byte(saved):
    file = saved.with_suffix(".safetensors")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    refused(saved, "sha256 is not the one in the record")


def test_missing_weights(saved):
    saved.with_suffix(".safetensors").unlink()
    refused(saved, r"cannot be read \(No such file")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"\xff" * 100])
def test_foreign_weights_with_a_record_that_agrees(saved, content):
    rewrite(saved, content)
    refused(saved, "expected a safetensors file")


def test_no_pickle_is_ever_run(saved, tmp_path):
    class Malicious:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    rewrite(saved, pickle.dumps(Malicious()))
    refused(saved, "expected a safetensors file")
    assert not (tmp_path / "ran").exists()


def test_a_tensor_of_another_shape(saved):
    state = load_file(saved.with_suffix(".safetensors"))
    state["layers.0.weight"] = torch.zeros(16, 3, 3, 3)
    rewrite(saved, save(state))
    refused(saved, r"expected layers.0.weight of shape \(16, 1, 3, 3\), found \(16, 3, 3, 3\)")


def test_a_missing_and_an_unknown_tensor(saved):
    state = load_file(saved.with_suffix(".safetensors"))
    bias = state.pop("layers.0.bias")
    rewrite(saved, save(state))
    refused(saved, "lacks 1 tensors, first layers.0.bias")
    rewrite(saved, save(state | {"layers.0.bias": bias, "extra": bias.clone()}))
    refused(saved, "has unknown 1 tensors, first extra")


def test_the_weights_of_another_network(saved):
    content = saved.with_suffix(".safetensors").read_bytes()
    rewrite(saved, content, network="regression")
    refused(saved, "lacks .* tensors")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"network": "pix2pix"}, "no network is called 'pix2pix'; there are: baseline, "),
        ({"arguments": {"depth": 3}}, r"baseline does not take \{'depth': 3\}"),
        ({"network": "fusion", "arguments": {"backbone": "none"}}, "timm knows no network 'none'"),
        ({"network": "fusion", "arguments": {"backbone": 5}}, "does not take"),
        (
            {"decoding": {"kind": "annealed-mean", "temperature": 1}},
            "the decoding 'annealed-mean' does not go with baseline",
        ),
        ({"network": "classifier"}, "the decoding 'direct' does not go with classifier"),
    ],
)
def test_a_record_that_no_network_fits(saved, changes, match):
    rewrite(saved, saved.with_suffix(".safetensors").read_bytes(), **changes)
    refused(saved, match)
