import shutil
from dataclasses import replace

import pytest
import torch

from colorize.models.blending import blend
from colorize.models.checkpoint import load_checkpoint, save_checkpoint
from colorize.models.record import CheckpointError, list_checkpoints, read_record, write_record


@pytest.fixture
def folder(shipped_checkpoints, tmp_path):
    """Checkpoints "bins", "direct" (the default), and "other": "bins" with all weights raised."""
    folder = shutil.copytree(shipped_checkpoints, tmp_path / "checkpoints")
    network, record = load_checkpoint(folder / "bins.json")
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value += 0.5
    training = {"command": "train", "before": record.training}
    save_checkpoint(network, replace(record, name="other", training=training), folder)
    return folder


def weights(file):
    state = load_checkpoint(file)[0].state_dict()
    return {key: value for key, value in state.items() if value.is_floating_point()}


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_every_weight_lies_between_both(folder, share):
    blend(folder / "bins.json", folder / "other.json", share, "mixed", folder)
    first, mixed = weights(folder / "bins.json"), weights(folder / "mixed.json")
    assert first
    for key, value in first.items():
        expected = value + 0.5 * share
        most = (2e-3 * expected.abs()).clamp(min=2e-3)  # kept in fp16
        assert ((mixed[key] - expected).abs() <= most).all(), key


def test_the_record_says_what_it_is_of(folder):
    write_record(replace(read_record(folder / "bins.json"), scores=[{}]), folder / "bins.json")
    files = folder / "bins.json", folder / "other.json"
    record = blend(*files, 0.25, "mixed", folder, title="Mixed")
    first, second = (read_record(file) for file in files)
    assert record == read_record(folder / "mixed.json")
    assert record.title == "Mixed"
    assert (record.summary, record.decoding) == (first.summary, first.decoding)
    assert record.training["share"] == 0.25
    assert record.training["first"] == first.training
    assert record.training["second"] == second.training
    assert record.scores == []  # they were those of other weights


def test_a_checkpoint_is_replaced_when_asked_and_stays_the_default(folder):
    default = replace(read_record(folder / "bins.json"), default=True)
    write_record(
        replace(read_record(folder / "direct.json"), default=False), folder / "direct.json"
    )
    write_record(default, folder / "bins.json")
    files, before = (folder / "bins.json", folder / "other.json"), weights(folder / "bins.json")
    with pytest.raises(CheckpointError, match="--overwrite replaces it"):
        blend(*files, 0.5, "bins", folder)
    assert weights(folder / "bins.json").keys() == before.keys()
    assert read_record(folder / "bins.json") == default
    blend(*files, 0.5, "bins", folder, overwrite=True)
    assert [record.name for record in list_checkpoints(folder) if record.default] == ["bins"]
    assert not blend(*files, 0.5, "new", folder).default


def test_only_the_same_network_is_blended(folder):
    with pytest.raises(CheckpointError, match=r"direct\.json: expected the network of .*bins"):
        blend(folder / "bins.json", folder / "direct.json", 0.5, "mixed", folder)
    with pytest.raises(ValueError, match=r"share from 0 to 1, found 1\.5"):
        blend(folder / "bins.json", folder / "other.json", 1.5, "mixed", folder)
    assert not (folder / "mixed.json").exists()
