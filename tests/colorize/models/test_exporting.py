import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from colorize.models.checkpoint import load_checkpoint
from colorize.models.exporting import export_run
from colorize.models.record import CheckpointError, list_checkpoints, read_record, write_record


@pytest.fixture
def run(shipped_checkpoints, tmp_path) -> Path:
    """A run whose best weights are those of `direct`."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(shipped_checkpoints / "direct.safetensors", folder / "best.safetensors")
    record = read_record(shipped_checkpoints / "direct.json")
    write_record(replace(record, name="best", default=False), folder / "best.json")
    return folder


def defaults(folder):
    return [record.name for record in list_checkpoints(folder) if record.default]


def test_a_run_becomes_a_checkpoint(run, tmp_path):
    folder = tmp_path / "new" / "checkpoints"
    record = export_run(run, "mine", folder)
    source = read_record(run / "best.json")
    assert record == replace(source, name="mine") == read_record(folder / "mine.json")
    assert load_checkpoint(folder / "mine.json")[1] == record
    exported = (folder / "mine.safetensors").read_bytes()
    assert exported == (run / "best.safetensors").read_bytes()
    assert sorted(file.name for file in folder.iterdir()) == ["mine.json", "mine.safetensors"]


def test_texts_are_changed_where_they_are_given(run, tmp_path):
    record = export_run(run, "mine", tmp_path / "c", title="Mine", licence="")
    assert (record.title, record.licence) == ("Mine", "")
    assert record.summary == read_record(run / "best.json").summary


def test_there_is_one_default(run, tmp_path):
    folder = tmp_path / "c"
    export_run(run, "a", folder)
    assert defaults(folder) == []
    export_run(run, "b", folder, default=True)
    export_run(run, "c", folder, default=True)
    assert defaults(folder) == ["c"]
    export_run(run, "c", folder, overwrite=True)
    assert defaults(folder) == ["c"]
    export_run(run, "d", folder)
    assert defaults(folder) == ["c"]


def test_nothing_is_replaced_unasked(run, tmp_path):
    folder = tmp_path / "c"
    export_run(run, "mine", folder, title="Old")
    with pytest.raises(CheckpointError, match="--overwrite replaces it"):
        export_run(run, "mine", folder, title="New")
    assert read_record(folder / "mine.json").title == "Old"
    export_run(run, "mine", folder, title="New", overwrite=True)
    assert read_record(folder / "mine.json").title == "New"


@pytest.mark.parametrize("name", ["", "default", "a/b", ".hidden", "a b"])
def test_names_are_checked(run, tmp_path, name):
    with pytest.raises(CheckpointError, match="cannot be called"):
        export_run(run, name, tmp_path / "c")


def test_only_sound_runs_are_exported(run, tmp_path):
    folder = tmp_path / "c"
    with pytest.raises(CheckpointError, match=r"expected a run with best\.json"):
        export_run(tmp_path, "mine", folder)
    weights = run / "best.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1])
    with pytest.raises(CheckpointError, match="cut off"):
        export_run(run, "mine", folder)
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="sha256"):
        export_run(run, "mine", folder)
    assert not folder.exists()
