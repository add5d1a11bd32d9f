"""`python -m colorize train`, `evaluate` and `sheet`."""

import json
import os
import shutil
import signal
from dataclasses import replace

import pytest
from PIL import Image

from colorize.cli import train as cli_data
from colorize.models.record import read_record, write_record
from tests.support.commands import colorize


@pytest.fixture
def trained(monkeypatch):
    """What `train` was called with, instead of training."""
    from colorize.training import train

    calls = []

    def fake(settings, datasets, output, budget, *, resume, stopped):
        calls.append((settings, [dataset.name for dataset in datasets], output, budget, resume))
        assert not stopped()
        if output.name == "interrupted":
            os.kill(os.getpid(), signal.SIGINT)
        return not stopped()

    monkeypatch.setattr(train, "train", fake)
    return calls


def test_train_passes_on_what_it_is_given(data, tmp_path, trained):
    base = ("train", "--network", "baseline", "--data", data, "--output", tmp_path / "run")
    result = colorize(*base, "--minutes", 1.5, "--set", "batch=2", "--set", "lr=0.01")
    assert "export" in result.stdout
    settings, names, output, budget, resume = trained.pop()
    assert (settings.network, settings.batch, settings.lr) == ("baseline", 2, 0.01)
    assert names == ["fruits", "people"]
    assert output == tmp_path / "run"
    assert (budget.minutes, budget.epochs, resume) == (1.5, None, False)
    colorize(*base, "--dataset", "people", "--epochs", 3, "--resume")
    _, names, _, budget, resume = trained.pop()
    assert (names, budget.minutes, budget.epochs, resume) == (["people"], None, 3, True)
    colorize(*base)
    assert trained.pop()[3].epochs == cli_data._EPOCHS


def test_an_interrupted_training_says_so_by_its_code(data, tmp_path, trained):
    output = tmp_path / "interrupted"
    colorize("train", "--network", "baseline", "--data", data, "--output", output, code=130)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--minutes", "1", "--epochs", "1"], "--minutes or --epochs, not both"),
        (["--minutes", "0"], "minutes: expected"),
        (["--minutes", "nan"], "minutes: expected"),
        (["--epochs", "0"], "--epochs"),
        (["--network", "nothing"], "there are: baseline"),
        (["--set", "nothing=1"], "expected key=value with a key of: crop"),
        (["--set", "batch=many"], "found 'many'"),
        (["--dataset", "nothing"], "no dataset 'nothing'"),
        (["--data", "no/such/folder"], "no such folder"),
    ],
)
def test_wrong_use_of_train(data, tmp_path, trained, options, sentence):
    base = ("train", "--network", "baseline", "--data", data, "--output", tmp_path / "run")
    assert sentence in colorize(*base, *options, code=2).stderr
    assert not trained


@pytest.mark.slow
def test_training_to_a_checkpoint_to_a_colour_photo(own_checkpoints, data, tmp_path, photo):
    options = ("--epochs", 1, "--set", "batch=2", "--set", "crop=32", "--set", "short_side=40")
    base = ("train", "--network", "baseline", "--data", data, "--output", tmp_path / "run")
    colorize(*base, *options)
    assert "holds a run already" in colorize(*base, *options, code=1).stderr
    colorize("export", tmp_path / "run", "-o", "mine")
    colorize("photo", photo, "-o", tmp_path / "new.png", "--model", "mine")


# evaluate


def test_where_no_photo_can_be_read_the_document_has_dashes(own_checkpoints, tmp_path, no_lpips):
    folder = tmp_path / "data" / "grey" / "test"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"no picture")
    document = tmp_path / "README.md"
    document.write_text("<!-- mse -->\n<!-- /mse -->\n")
    result = colorize("evaluate", "--data", tmp_path / "data", "--document", document)
    assert result.exit_code == 0, result.output
    assert "| bins, T = 0.38 | – | – |" in document.read_text()


def test_evaluate_writes_json_tables_and_scores(own_checkpoints, data, tmp_path, no_lpips):
    document = tmp_path / "README.md"
    document.write_text("# Mine\n<!-- mse -->\n<!-- /mse -->\nafter\n")
    other = tmp_path / "results.md"
    other.write_text("<!-- scores -->\n<!-- /scores -->\n")
    file = tmp_path / "scores.json"
    documents = ("--document", document, "--document", other)
    options = ("--json", file, *documents, "--save-scores")
    result = colorize("evaluate", "--data", data, *options)
    for text in (
        "fruits, 3 photos",
        "all, 6 photos",
        "bins, T = 1 *",
        "mean-colour",
        "Note: lpips",
    ):
        assert text in result.stdout
    found = json.loads(file.read_text())
    rows = found["rows"]
    expected = ["direct", "bins", "bins", "grey", "mean-colour"]
    assert [row["model"] for row in rows if row["dataset"] == "all"] == expected
    assert list(dict.fromkeys(row["dataset"] for row in rows)) == ["fruits", "people", "all"]
    assert all(row["lpips"] is None and row["mse"] > 0 for row in rows)
    assert "| bins, T = 1 (not shipped) |" in document.read_text()
    assert document.read_text().endswith("after\n")
    assert "CIEDE2000" not in document.read_text()
    assert "| people | bins, T = 1 (not shipped) |" in other.read_text()
    record = read_record(own_checkpoints / "bins.json")
    assert record.scores == [row for row in rows if row["model"] == "bins"]
    assert record.weights == read_record(own_checkpoints / "bins.json").weights
    assert "0." in colorize("models").stdout


def test_evaluate_some_models_on_some_datasets(checkpoints, data, tmp_path, no_lpips):
    file = tmp_path / "scores.json"
    options = ("--dataset", "fruits", "--model", "direct", "--split", "val", "--json", file)
    colorize("evaluate", "--data", data, *options)
    rows = json.loads(file.read_text())["rows"]
    assert {row["model"] for row in rows} == {"direct", "grey", "mean-colour"}
    assert {row["dataset"] for row in rows} == {"fruits", "all"}
    options = ("--split", "val", "--model", "direct")
    assert "Note: people has no 'val'" in colorize("evaluate", "--data", data, *options).stdout


def test_models_of_one_name_are_told_apart_by_their_paths(
    shipped_checkpoints, data, tmp_path, no_lpips
):
    paths = []
    for name in ("direct", "bins"):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        shutil.copy(shipped_checkpoints / f"{name}.safetensors", folder / "best.safetensors")
        record = read_record(shipped_checkpoints / f"{name}.json")
        write_record(replace(record, name="best"), folder / "best.json")
        paths.append(str(folder / "best"))
    file = tmp_path / "scores.json"
    options = ("--dataset", "fruits", "--model", paths[0], "--model", paths[1], "--json", file)
    colorize("evaluate", "--data", data, *options)
    rows = json.loads(file.read_text())["rows"]
    assert {row["model"] for row in rows} == {*paths, "grey", "mean-colour"}


def test_wrong_use_of_evaluate(checkpoints, data, tmp_path):
    (tmp_path / "plain.md").write_text("no place for tables")
    for options, sentence in [
        (("--model", "nothing"), "No checkpoint 'nothing'"),
        (("--dataset", "nothing"), "no dataset 'nothing'"),
        (("--split", "nothing"), "--split"),
        (("--save-scores", "--split", "val"), "--save-scores goes with the test photos"),
        (("--save-scores", "--dataset", "fruits"), "--save-scores goes with the test photos"),
        (("--json", tmp_path / "no" / "scores.json"), "make it first"),
        (("--json", tmp_path), "found a folder"),
        (("--document", tmp_path / "plain.md"), "found none"),
        (("--document", tmp_path / "missing.md"), "missing.md"),
        (("--device", "nonsense"), "No device"),
    ]:
        result = colorize("evaluate", "--data", data, *options, code=2)
        assert sentence in result.stderr
    assert (
        "nothing to evaluate"
        in colorize(
            "evaluate", "--data", data, "--dataset", "people", "--split", "val", code=1
        ).stderr
    )


# judge, decodings, robustness, bleeding


def test_a_sheet_is_drawn(checkpoints, data, tmp_path):
    file = tmp_path / "sheet.png"
    base = ("sheet", "--data", data, "--dataset", "people", "-o", file)
    assert colorize(*base).stdout == f"{file}\n"
    with Image.open(file) as opened:
        assert opened.format == "PNG"
        before = opened.size
    colorize(*base, "--photos", 1, "--model", "direct", "--seed", 3)
    with Image.open(file) as opened:
        assert opened.size[0] < before[0]
        assert opened.size[1] < before[1]


def test_wrong_use_of_sheet(checkpoints, data, tmp_path):
    base = ("sheet", "--data", data, "--dataset", "people", "-o")
    for options, sentence in [
        ((tmp_path / "sheet.jpg",), "ends in .png"),
        ((tmp_path / "no" / "sheet.png",), "make it first"),
        ((tmp_path / "sheet.png", "--split", "val"), "people has no photos in 'val'"),
        ((tmp_path / "sheet.png", "--photos", 0), "--photos"),
        ((tmp_path / "sheet.png", "--model", "nothing"), "No checkpoint"),
    ]:
        assert sentence in colorize(*base, *options, code=2).stderr
    assert not list(tmp_path.glob("*.png"))
