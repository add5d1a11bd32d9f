"""Files as the authors publish them, of made-up weights, become checkpoints of ours."""

import pytest
import torch
from safetensors.torch import save_file

from colorize.models.checkpoint import load_checkpoint
from colorize.models.importing import import_weights
from colorize.models.record import CheckpointError, read_record
from tests.support.published_weights import NETWORK, facts, photo, shapes, state

HALF = 1e-3  # of the range: what fp16 on disk may move a picture by
# Name, key that the state dict lies under, ending, title.
FORMS = [
    ("siggraph17", None, "pth", "Zhang et al. 2017"),
    ("ddcolor-tiny", "params", "bin", "DDColor tiny"),
    ("ddcolor-tiny", None, "safetensors", "DDColor tiny"),
    ("ddcolor-large", "params", "pt", "DDColor"),
    ("deoldify-artistic", "model", "pth", "DeOldify artistic"),
    ("deoldify-stable", "model", "pth", "DeOldify stable or video"),
]


def output(name, network):
    grey = photo(96, 64 if NETWORK[name] != "deoldify" else 96)
    if NETWORK[name] == "siggraph17":
        return network(grey - 0.5) * 110
    if NETWORK[name] == "ddcolor":
        return network.ab(grey.expand(-1, 3, -1, -1))
    return (network.rgb(grey.expand(-1, 3, -1, -1)) - network.mean) / network.deviation


@pytest.mark.parametrize(
    ("name", "key", "ending", "title"),
    [pytest.param(*form, marks=pytest.mark.slow if form[0][0] == "d" else ()) for form in FORMS],
)
@torch.inference_mode()
def test_a_published_file_becomes_a_checkpoint(tmp_path, monkeypatch, name, key, ending, title):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "published"))
    file, tensors = tmp_path / f"weights.{ending}", state(name)
    if ending == "safetensors":
        save_file(tensors, file)
    else:
        torch.save({key: tensors, "epoch": 1} if key else tensors, file)
    del tensors
    record = import_weights(NETWORK[name], file, "theirs", tmp_path / "published")
    assert record == read_record(tmp_path / "published" / "theirs.json")
    assert record.title == title
    assert record.line.endswith("(published weights, not measured here)")
    assert record.stretch == (NETWORK[name] in ("ddcolor", "deoldify"))
    assert record.takes_hints == (name == "siggraph17")
    assert record.source == f"imported from {file.name}"
    assert "https://github.com/" in record.licence
    network, _ = load_checkpoint("theirs")
    known = facts(name)
    expected = known.get("ab", known.get("rgb"))
    found = output(name, network)[..., ::2, ::2]
    assert (found - expected).abs().max() < HALF * (expected.max() - expected.min())


def test_a_wrong_file_is_refused_by_what_it_lacks(tmp_path):
    made = {name: torch.zeros(shape) for name, shape in shapes("siggraph17").items()}
    del made["model2short9.0.bias"]
    torch.save({"model": made}, tmp_path / "weights.pth")
    for network, first in (
        ("siggraph17", "lacks 1 tensors, first model2short9.0.bias"),
        ("deoldify", "lacks .* tensors, first layers.0.0.weight"),
        ("ddcolor", "lacks .* tensors, first decoder.color_decoder.color_embed.layers.0.bias"),
    ):
        with pytest.raises(CheckpointError, match=first) as error:
            import_weights(network, tmp_path / "weights.pth", "theirs", tmp_path / "published")
        assert "\n" not in str(error.value)
    assert not (tmp_path / "published").exists()
