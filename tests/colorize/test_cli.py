import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from colorize import cli_data, colorizer, importing, interrupts, metrics
from colorize.cli import app
from colorize.hint_scores import missed_by
from colorize.record import read_record, write_record

ALL_FORMATS = ("jpg", "png", "webp", "tif", "bmp", "avif", "gif")
MEASURES = ("judge", "decodings", "robustness", "bleeding")
COMMANDS = (
    *("photo", "models", "train", "evaluate", "sheet"),
    *(*MEASURES, "score-hints", "export", "blend", "import"),
)


def colorize(*arguments, code=0):
    """Runs a command in this process: its result, if the exit code is right and none crashed."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result


def command_line(*arguments, **options):
    command = [sys.executable, "-m", "colorize", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def lines(text):
    return text.splitlines()


@pytest.fixture
def photo(tmp_path, make_pixels) -> Path:
    file = tmp_path / "old.jpg"
    Image.fromarray(make_pixels(1, 60, 80)[..., 0]).save(file)
    return file


@pytest.fixture
def album(tmp_path, make_pixels) -> Path:
    """A folder tree with a photo of every format and whatever else folders hold."""
    folder = tmp_path / "album"
    (folder / "sub ü" / "deep").mkdir(parents=True)
    pixels = make_pixels(2, 50, 40)
    for ending in ALL_FORMATS:
        Image.fromarray(pixels).save(folder / f"photo.{ending}.{ending}")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(folder / "sub ü" / "deep16.png")
    Image.fromarray(pixels).convert("CMYK").save(folder / "sub ü" / "deep" / "日本 [x].JPEG")
    (folder / "sub ü" / "text.jpg").write_text("no picture at all")
    whole = (folder / "photo.jpg.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "zero.png").write_bytes(b"")
    (folder / "notes.txt").write_text("about these photos")
    (folder / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    (folder / "sub ü" / "loop").symlink_to(folder, target_is_directory=True)
    return folder


@pytest.fixture
def own_checkpoints(shipped_checkpoints, tmp_path, monkeypatch) -> Path:
    """A copy of the checkpoints that may be written to."""
    folder = shutil.copytree(shipped_checkpoints, tmp_path / "own")
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(folder))
    return folder


@pytest.fixture
def data(tmp_path, make_pixels) -> Path:
    """Two datasets of tiny photos; `people` has no `val`."""
    folder = tmp_path / "data"
    for name, splits in (("fruits", ("train", "val", "test")), ("people", ("train", "test"))):
        for number, split in enumerate(splits):
            (folder / name / split).mkdir(parents=True)
            for i in range(3):
                pixels = make_pixels(10 * number + i, 40, 50)
                Image.fromarray(pixels).save(folder / name / split / f"{name} {i}.png")
    return folder


@pytest.fixture
def no_lpips(monkeypatch):
    monkeypatch.setattr(metrics, "lpips_vgg", lambda: (None, "left out in this test"))


# photo


def test_a_photo_becomes_a_colour_photo(checkpoints, photo):
    new = photo.with_name("new.jpg")
    result = colorize("photo", photo, "-o", new)
    assert result.stdout == f"1 colorized: {new}\n"
    assert result.stderr == ""
    with Image.open(new) as opened:
        assert (opened.format, opened.size, opened.mode) == ("JPEG", (80, 60), "RGB")
        pixels = np.asarray(opened).astype(int)
    assert np.abs(pixels[..., 0] - pixels[..., 2]).mean() > 3


def test_a_tree_of_mixed_files_is_done_but_for_what_cannot_be(checkpoints, album, tmp_path):
    out = tmp_path / "out"
    before = {file: file.read_bytes() for file in album.rglob("*") if file.is_file()}
    result = colorize("photo", album, "-o", out, code=1)
    expected = {f"photo.{ending}.{ending}" for ending in ALL_FORMATS if ending != "gif"}
    expected |= {"photo.gif.png", "sub ü/deep16.png", "sub ü/deep/日本 [x].JPEG"}
    written = {f.relative_to(out).as_posix() for f in out.rglob("*") if f.is_file()}
    assert written == expected
    for name in expected:
        with Image.open(out / name) as opened:
            assert opened.size == (40, 50), name
            opened.load()
    inks = album / "sub ü" / "deep" / "日本 [x].JPEG"
    said = {
        album / "cut.jpg": " is cut off or damaged; copy it again from where it came.",
        inks: ": It has no profile for its printing inks; their colours are estimates.",
        album / "sub ü" / "text.jpg": " is text, not a picture; give a picture file.",
        album / "zero.png": " is empty (0 bytes); copy it again from where it came.",
    }
    assert lines(result.stderr) == [f"{file}{said[file]}" for file in sorted(said)]
    assert result.stdout == ("9 colorized, 3 failed, 2 skipped that do not end like a picture\n")
    assert before == {file: file.read_bytes() for file in album.rglob("*") if file.is_file()}


def test_existing_outputs_are_kept_unless_overwritten(checkpoints, photo, tmp_path):
    new = tmp_path / "new.png"
    new.write_bytes(b"mine")
    result = colorize("photo", photo, "-o", new, code=1)
    assert result.stderr == f"{photo}: {new} exists already; --overwrite replaces it\n"
    assert new.read_bytes() == b"mine"
    colorize("photo", photo, "-o", new, "--overwrite")
    with Image.open(new) as opened:
        assert opened.format == "PNG"


def test_the_photo_itself_is_never_overwritten(checkpoints, photo):
    before = photo.read_bytes()
    for out in (photo, photo.parent):
        result = colorize("photo", photo, "-o", out, "--overwrite", code=1)
        assert "would replace the photo" in result.stderr
    assert photo.read_bytes() == before


@pytest.mark.parametrize(
    ("choice", "ending", "format"),
    [("jpg", ".jpg", "JPEG"), ("png", ".png", "PNG"), ("webp", ".webp", "WEBP")],
)
def test_formats_change_endings(checkpoints, photo, tmp_path, choice, ending, format):
    colorize("photo", photo, "-o", tmp_path / "out", "--format", choice)
    with Image.open(tmp_path / "out" / f"old{ending}") as opened:
        assert opened.format == format


def test_settings_reach_the_picture(checkpoints, photo, tmp_path):
    def run(name, *options):
        colorize("photo", photo, "-o", tmp_path / name, *options)
        with Image.open(tmp_path / name) as opened:
            return np.asarray(opened).astype(int)

    plain = run("plain.png")
    grey = run("grey.png", "--saturation", 0)
    assert (grey == grey[..., :1]).all()
    assert np.array_equal(plain, run("same.png", "--model", "direct", "--saturation", 1))
    assert not np.array_equal(plain, run("larger.png", "--size", 160))
    bins = run("bins.png", "--model", "bins")
    assert np.array_equal(bins, run("same2.png", "--model", "bins", "--temperature", 0.38))
    assert not np.array_equal(bins, run("mean.png", "--model", "bins", "--temperature", 1))
    assert np.array_equal(plain, run("path.png", "--model", checkpoints / "direct.json"))


def test_saving_options_reach_the_file(checkpoints, photo, tmp_path):
    exif = Image.Exif()
    exif[315] = "Somebody"
    Image.open(photo).save(photo, exif=exif)
    sizes = {}
    for quality in (30, 95):
        new = tmp_path / f"{quality}.jpg"
        colorize("photo", photo, "-o", new, "--quality", quality)
        sizes[quality] = new.stat().st_size
        with Image.open(new) as opened:
            assert opened.getexif()[315] == "Somebody"
    assert sizes[30] < sizes[95]
    colorize("photo", photo, "-o", tmp_path / "stripped.jpg", "--strip")
    with Image.open(tmp_path / "stripped.jpg") as opened:
        assert 315 not in opened.getexif()
        assert b"algorithmicallyEnhanced" in opened.info["xmp"]
    pictures = []
    for options in ([], ["--mark"]):
        colorize("photo", photo, "-o", tmp_path / "m.png", "--overwrite", *options)
        with Image.open(tmp_path / "m.png") as opened:
            pictures.append(np.asarray(opened))
    changed = np.argwhere((pictures[0] != pictures[1]).any(axis=2))
    assert len(changed)
    assert changed[:, 0].min() >= 30  # in the lower half alone


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--model", "nothing"], "No checkpoint 'nothing'"),
        (["--saturation", "-1"], "saturation: expected"),
        (["--saturation", "nan"], "saturation: expected"),
        (["--temperature", "0.4"], "direct is not a model over bins"),
        (["--model", "bins", "--temperature", "99"], "temperature: expected"),
        (["--size", "7"], "size: expected"),
        (["--hint", "3,4,#ff0000"], "direct cannot follow colour hints; no model here can"),
        (["--seed", "1"], "direct is not a model over bins"),
        (["--model", "bins", "--seed", "-1"], "seed: expected"),
        (["--hint", "3,4,red"], "hint: expected x,y,#rrggbb"),
        (["--hint", "3,4"], "hint: expected x,y,#rrggbb"),
        (["--device", "cuda:77"], "No device 'cuda:77' here"),
        (["--device", "nonsense"], "No device 'nonsense' here"),
        (["--quality", "0"], "--quality"),
        (["--quality", "101"], "--quality"),
        (["--format", "gif"], "--format"),
        (["--size", "big"], "--size"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_use_of_photo_is_said_before_any_work(
    checkpoints, photo, tmp_path, options, sentence, monkeypatch
):
    monkeypatch.setattr(colorizer, "run_network", lambda *_: pytest.fail("worked"))
    result = colorize("photo", photo, "-o", tmp_path / "new.png", *options, code=2)
    assert sentence in result.stderr
    if not result.stderr.startswith("Usage:"):
        assert len(lines(result.stderr)) == 1
    assert not (tmp_path / "new.png").exists()


def test_plans_that_cannot_be_are_wrong_use(checkpoints, album, photo, tmp_path):
    out = tmp_path / "out"
    for arguments, sentence in [
        ((album, "-o", album / "new"), "lies in the input folder"),
        ((album, "-o", album), "lies in the input folder"),
        ((photo, photo, "-o", out), "would both become"),
        ((album, "-o", out, "--hint", "1,1,#00ff00"), "hint: expected one photo, found 12"),
        ((album, "-o", album / "notes.txt"), "expected a folder"),
    ]:
        result = colorize("photo", *arguments, code=2)
        assert sentence in result.stderr
        assert len(lines(result.stderr)) == 1
    assert not out.exists()
    assert not (album / "new").exists()


def test_missing_inputs_are_failures_and_the_others_are_done(checkpoints, photo, tmp_path):
    missing = tmp_path / "missing.jpg"
    result = colorize("photo", missing, photo, "-o", tmp_path / "out", code=1)
    assert result.stderr == f"{missing} was not found; check the name and the folder.\n"
    assert (tmp_path / "out" / "old.jpg").is_file()


def test_a_folder_without_photos_is_no_failure(checkpoints, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing here")
    result = colorize("photo", tmp_path / "empty", "-o", tmp_path / "out")
    assert result.stdout == "0 colorized, 1 skipped that do not end like a picture\n"


def test_names_that_a_terminal_cannot_show(checkpoints, photo, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    names = [b"line\nbreak.jpg", b"\x1b[31mred.jpg", b"[bold]x.jpg"]
    if sys.platform == "linux":
        names.append(b"\xff\xfe.jpg")
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("no picture")
    result = colorize("photo", folder, "-o", tmp_path / "out", code=1)
    assert len(lines(result.stderr)) == len(names)
    assert "\x1b" not in result.stderr
    assert "[bold]x.jpg is text, not a picture" in result.stderr


def test_long_lines_are_not_broken(checkpoints, tmp_path):
    file = tmp_path / ("very " * 30 + "long.jpg")
    file.write_text("no picture")
    result = colorize("photo", file, "-o", tmp_path / "new.jpg", code=1)
    assert result.stderr == f"{file} is text, not a picture; give a picture file.\n"


def test_a_damaged_checkpoint_is_one_line(own_checkpoints, photo, tmp_path):
    weights = own_checkpoints / "direct.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    result = colorize("photo", photo, "-o", tmp_path / "new.jpg", code=1)
    assert "cut off" in result.stderr
    (own_checkpoints / "direct.json").write_text("{")
    result = colorize("photo", photo, "-o", tmp_path / "new.jpg", "--model", "direct", code=1)
    assert "expected a record in JSON" in result.stderr
    assert len(lines(result.stderr)) == 1


def test_interrupting_is_one_line(checkpoints, photo, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(colorizer, "run_network", interrupt)
    result = colorize("photo", photo, "-o", tmp_path / "out", code=130)
    assert result.stderr == "Interrupted.\n"
    assert not list((tmp_path / "out").glob("*"))


def read_rows(file):
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_a_manifest_says_what_became_of_each_photo(checkpoints, album, tmp_path):
    file = tmp_path / "list.csv"
    result = colorize("photo", album, "-o", tmp_path / "out", "--manifest", file, code=1)
    rows = read_rows(file)
    assert list(rows[0]) == ["input", "output", "model", "seconds", "error"]
    assert len(rows) == len({row["input"] for row in rows}) == 12
    failed = {row["input"]: row["error"] for row in rows if row["error"]}
    assert set(failed) == {str(album / name) for name in ("cut.jpg", "zero.png", "sub ü/text.jpg")}
    assert all(error in result.stderr for error in failed.values())
    for row in rows:
        assert row["model"] == "direct"
        assert float(row["seconds"]) >= 0
        assert Path(row["output"]).is_file() != bool(row["error"])


def test_resuming_does_the_rest(checkpoints, album, tmp_path, make_pixels):
    file, out = tmp_path / "list.csv", tmp_path / "out"
    arguments = ("photo", album, "-o", out, "--manifest", file)
    colorize(*arguments, code=1)
    before = {row["output"]: row for row in read_rows(file) if not row["error"]}
    Image.fromarray(make_pixels(3, 30, 30)).save(album / "cut.jpg")
    (out / "photo.png.png").unlink()
    (out / "photo.webp.webp").write_bytes((out / "photo.webp.webp").read_bytes()[:-9])
    result = colorize(*arguments, "--resume", code=1)
    # the BMP names no model, so it is done again
    assert result.stdout == (
        "4 colorized, 6 done before, 2 failed, 2 skipped that do not end like a picture\n"
    )
    rows = {row["output"]: row for row in read_rows(file)}
    assert len(rows) == len(read_rows(file)) == 12
    again = {"photo.png.png", "photo.webp.webp", "photo.bmp.bmp"}
    for output, row in before.items():
        if Path(output).name not in again:
            assert rows[output] == row
    assert rows[str(out / "cut.jpg")]["error"] == ""
    for name in again:
        with Image.open(out / name) as opened:
            opened.load()


def test_resuming_with_another_model_does_all_again(checkpoints, photo, tmp_path):
    new = tmp_path / "new.jpg"
    colorize("photo", photo, "-o", new)
    assert colorize("photo", photo, "-o", new, "--resume").stdout == (
        "0 colorized, 1 done before\n"
    )
    result = colorize("photo", photo, "-o", new, "--resume", "--model", "bins")
    assert result.stdout == f"1 colorized: {new}\n"


def test_resuming_keeps_what_no_model_made(checkpoints, photo, tmp_path):
    new = tmp_path / "new.jpg"
    shutil.copy(photo, new)
    result = colorize("photo", photo, "-o", new, "--resume", code=1)
    assert "names no model that made it; --overwrite replaces it" in result.stderr
    assert new.read_bytes() == photo.read_bytes()
    colorize("photo", photo, "-o", new, "--resume", "--overwrite")
    assert new.read_bytes() != photo.read_bytes()


def test_resuming_lists_what_no_row_told_of(checkpoints, photo, tmp_path):
    new, file = tmp_path / "new.jpg", tmp_path / "list.csv"
    colorize("photo", photo, "-o", new)
    colorize("photo", photo, "-o", new, "--resume", "--manifest", file)
    assert [(row["output"], row["seconds"], row["error"]) for row in read_rows(file)] == [
        (str(new), "", "")
    ]


def test_manifests_that_cannot_be_are_wrong_use(checkpoints, photo, tmp_path):
    new = tmp_path / "new.jpg"
    mine = tmp_path / "mine.csv"
    mine.write_text("my,own,list\n")
    listed = tmp_path / "listed.csv"
    listed.write_text("input,output,model,seconds,error\n")
    for file, options, sentence in [
        (mine, ("--overwrite",), "expected the columns"),
        (mine, ("--resume",), "expected the columns"),
        (listed, (), "--resume goes on with it, --overwrite replaces it"),
        (tmp_path, (), "found a folder"),
        (tmp_path / "no" / "list.csv", (), "make it first"),
        (new, (), "is a photo of this command"),
        (photo, ("--overwrite",), "is a photo of this command"),
    ]:
        result = colorize("photo", photo, "-o", new, "--manifest", file, *options, code=2)
        assert sentence in result.stderr
        assert len(lines(result.stderr)) == 1
    assert mine.read_text() == "my,own,list\n"
    assert not new.exists()


def test_an_interrupted_run_says_how_to_go_on(checkpoints, album, tmp_path, monkeypatch):
    @contextmanager
    def stopped_after_a_while():
        asked = []
        yield lambda: asked.append(1) or len(asked) > 2

    monkeypatch.setattr(interrupts, "interruptible", stopped_after_a_while)
    arguments = ("photo", album, "-o", tmp_path / "out", "--workers", 1)
    result = colorize(*arguments, code=130)
    (*_, last) = lines(result.stderr)
    left = int(last.split()[1])
    assert 0 < left < 12
    assert last == (
        f"Interrupted. {left} of 12 photos are left; the same command with --resume does them"
    )
    assert result.stdout == ""


# models, import, export


def test_models_lists_the_checkpoints(own_checkpoints):
    record = read_record(own_checkpoints / "bins.json")
    row = dict.fromkeys(("mse", "ciede2000", "colorfulness"), 0.0123)
    scores = [
        row | {"dataset": "all", "shipped": False, "mse": 0.5},
        row | {"dataset": "all", "shipped": True},
        row | {"dataset": "fruits", "shipped": True, "mse": 0.7},
    ]
    odd = "[red]odd[/red] summary"
    write_record(replace(record, scores=scores, summary=odd), own_checkpoints / "bins.json")
    output = colorize("models").stdout
    assert "direct (default)" in output
    assert odd in output
    assert "0.01230" in output
    assert "0.5" not in output
    found = json.loads(colorize("models", "--json").stdout)
    assert [entry["name"] for entry in found] == ["direct", "bins"]
    assert found[1]["scores"] == scores


def test_models_without_any(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "none"))
    assert "There is no checkpoint in" in colorize("models").stdout
    assert json.loads(colorize("models", "--json").stdout) == []


def test_published_weights_are_imported(own_checkpoints, tmp_path, monkeypatch):
    weights = tmp_path / "weights.pth"
    weights.write_text("no weights")
    for network, file, name, code in [
        ("zhang", weights, "bad/name", 2),
        ("nothing", weights, "new", 1),
        ("zhang", tmp_path / "missing.pth", "new", 1),
        ("zhang", weights, "new", 1),
        ("zhang", weights, "direct", 1),
    ]:
        result = colorize("import", network, file, "-o", name, code=code)
        assert len(lines(result.stderr)) == 1
    calls = []

    def fake(*arguments):
        calls.append(arguments)
        return read_record(own_checkpoints / "bins.json")

    monkeypatch.setattr(importing, "import_weights", fake)
    assert "can be used now" in colorize("import", "zhang", weights, "-o", "new").stdout
    assert calls == [("zhang", weights, "new", own_checkpoints)]


def test_a_run_is_exported(own_checkpoints, tmp_path, photo):
    run = tmp_path / "run"
    run.mkdir()
    record = read_record(own_checkpoints / "bins.json")
    write_record(replace(record, name="best"), run / "best.json")
    shutil.copy(own_checkpoints / "bins.safetensors", run / "best.safetensors")
    texts = ("--title", "Mine", "--summary", "My own", "--licence", "CC0", "--default")
    colorize("export", run, "-o", "mine", *texts)
    mine = read_record(own_checkpoints / "mine.json")
    assert (mine.title, mine.summary, mine.licence, mine.default) == ("Mine", "My own", "CC0", True)
    assert mine.weights == record.weights
    assert not read_record(own_checkpoints / "direct.json").default
    colorize("photo", photo, "-o", tmp_path / "new.png", "--temperature", 1)
    assert "--overwrite replaces it" in colorize("export", run, "-o", "mine", code=1).stderr
    colorize("export", run, "-o", "a/b", code=2)
    colorize("export", tmp_path, "-o", "other", code=1)


def test_checkpoints_are_blended(own_checkpoints):
    options = ("bins", "bins", "--share", "0.3", "-o", "mixed", "--title", "Mixed")
    assert "Mixed can be used now" in colorize("blend", *options).stdout
    assert read_record(own_checkpoints / "mixed.json").training["share"] == 0.3
    assert "--overwrite replaces it" in colorize("blend", *options, code=1).stderr
    assert "mixed" in colorize("models").stdout
    colorize("blend", "bins", "bins", "--share", "2", "-o", "other", code=2)
    assert "expected the network" in colorize("blend", "bins", "direct", "-o", "o", code=1).stderr


# train


@pytest.fixture
def trained(monkeypatch):
    """What `train` was called with, instead of training."""
    from colorize import train

    calls = []

    def fake(settings, datasets, output, budget, *, resume):
        calls.append((settings, [dataset.name for dataset in datasets], output, budget, resume))
        return output.name != "interrupted"

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


def test_evaluate_writes_json_tables_and_scores(own_checkpoints, data, tmp_path, no_lpips):
    document = tmp_path / "README.md"
    document.write_text("# Mine\n<!-- mse -->\n<!-- /mse -->\nafter\n")
    file = tmp_path / "scores.json"
    options = ("--json", file, "--document", document, "--save-scores")
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


@pytest.fixture
def any_eye(monkeypatch):
    """The judge without pretrained weights."""
    from colorize import judge
    from colorize.networks.backbone import create

    network = create("test_resnet", features_only=True, out_indices=(-1,))
    monkeypatch.setattr(judge, "open_eye", lambda file: judge.Eye(network))


def test_judge_writes_json_and_its_table(checkpoints, data, tmp_path, make_pixels, any_eye):
    for i in range(3, 8):
        Image.fromarray(make_pixels(i, 40, 50)).save(data / "fruits" / "test" / f"{i}.png")
    document, file = tmp_path / "README.md", tmp_path / "judge.json"
    document.write_text("<!-- judge -->\n<!-- /judge -->\nafter\n")
    result = colorize("judge", "--data", data, "--json", file, "--document", document)
    rows = json.loads(file.read_text())["rows"]
    assert [row["model"] for row in rows if row["dataset"] == "all"] == ["direct", "bins", "grey"]
    assert "bins, T = 0.38" in result.stdout
    assert "| bins, T = 0.38 |" in document.read_text()
    assert document.read_text().endswith("after\n")


def test_decodings_are_compared_and_the_best_one_can_be_kept(own_checkpoints, data, tmp_path):
    file = tmp_path / "decodings.json"
    options = ("--dataset", "fruits", "--temperature", 0.5, "--gain", 1.2, "--json", file)
    before = read_record(own_checkpoints / "bins.json")
    result = colorize("decodings", "--data", data, *options)
    assert "bins: best is" in result.stdout
    assert read_record(own_checkpoints / "bins.json") == before
    colorize("decodings", "--data", data, *options, "--save")
    record = read_record(own_checkpoints / "bins.json")
    assert record.weights == before.weights
    assert record.how in [(t, g, 1) for t in (0.5, 1) for g in (1, 1.2)]
    rows = json.loads(file.read_text())["rows"]
    assert {row["decoding"] for row in rows if row["model"] == "bins"} >= {"T = 0.5, gain 1.2"}


@pytest.mark.parametrize(
    ("command", "figure"), [("robustness", "between sizes"), ("bleeding", "elsewhere")]
)
def test_measures_write_json_and_a_table(checkpoints, data, tmp_path, command, figure):
    file = tmp_path / "figures.json"
    options = ("--dataset", "fruits", "--model", "direct", "--json", file)
    assert figure in colorize(command, "--data", data, *options).stdout
    assert {"settings", "rows"} == json.loads(file.read_text()).keys()


@pytest.mark.parametrize("command", MEASURES)
def test_wrong_use_of_measures(checkpoints, data, tmp_path, command):
    (tmp_path / "plain.md").write_text("no place for tables")
    wrong = [
        (("--model", "nothing"), "No checkpoint 'nothing'"),
        (("--dataset", "nothing"), "no dataset 'nothing'"),
        (("--json", tmp_path / "no" / "scores.json"), "make it first"),
        (("--device", "nonsense"), "No device"),
    ]
    if command == "judge":
        wrong.pop()  # the random checkpoints have no backbone for it, which is said first
        wrong.append(((), "--backbone-file"))
        wrong.append((("--document", tmp_path / "plain.md"), "found none"))
        wrong.append((("--backbone-file", tmp_path / "no.safetensors"), "no.safetensors"))
    if command == "decodings":
        wrong.append((("--save", "--split", "test"), "chosen on val"))
        wrong.append((("--temperature", "-1"), "--temperature"))
    for options, sentence in wrong:
        assert sentence in colorize(command, "--data", data, *options, code=2).stderr


# sheet


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


# The command itself


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_each_command_with_an_example(command):
    output = colorize(command, "--help").stdout
    assert f"python -m colorize {command}" in output.split("Usage:")[1].partition("\n")[2]
    assert colorize(command, "-h").stdout == output


def test_help_lists_every_command():
    output = colorize("--help").stdout
    assert [line.split()[0] for line in lines(output.partition("Commands:\n")[2])] == [*COMMANDS]


def test_no_command_at_all_is_wrong_use():
    assert "photo" in colorize(code=2).output
    assert "No such command" in colorize("nonsense", code=2).stderr
    assert "Missing argument" in colorize("photo", code=2).stderr
    assert "Missing option" in colorize("photo", "a.jpg", code=2).stderr


def test_torch_is_not_imported_for_help_and_wrong_use(checkpoints):
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from colorize.cli import app\n"
        "for line in sys.argv[1:]:\n"
        "    CliRunner().invoke(app, line.split())\n"
        "assert 'colorize.batch' in sys.modules\n"
        "assert 'torch' not in sys.modules, line\n"
    )
    used = ["--help", "photo --help", "train --help", "photo x.jpg -o y.jpg --hint 1,1,#ff0000"]
    used += ["photo x.jpg -o y.jpg --model nothing", "models", "evaluate --data nowhere"]
    command = [sys.executable, "-c", script, *used]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_exit_codes_of_the_real_command(tmp_path):
    environment = os.environ | {"COLORIZE_CHECKPOINTS": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    for arguments, code in [
        (("--help",), 0),
        (("models",), 0),
        (("photo", "é.jpg", "-o", "x.jpg"), 2),
        (("train", "--network", "baseline", "--data", "nowhere", "--output", tmp_path / "r"), 2),
    ]:
        done = command_line(*arguments, env=environment)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_real_command_on_a_mixed_tree(checkpoints, album, tmp_path):
    done = command_line("photo", album, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert len(lines(done.stderr)) == 4
    assert done.stdout.startswith("9 colorized, 3 failed")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_the_real_command_in_one_line(checkpoints, tmp_path, make_pixels):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    Image.fromarray(make_pixels(0, 300, 400)).save(folder / "000.png")
    for number in range(1, 200):
        shutil.copy(folder / "000.png", folder / f"{number:03d}.png")
    command = [sys.executable, "-m", "colorize", "photo", str(folder), "-o", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list(out.glob("*.png")) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stderr = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    written = sorted(out.iterdir())
    assert 0 < len(written) < 200
    left = 200 - len(written)
    assert stderr == (
        f"Interrupted. {left} of 200 photos are left; the same command with --resume does them\n"
    )
    for file in written:
        with Image.open(file) as opened:
            opened.load()


@pytest.mark.slow
def test_on_a_terminal_there_is_a_bar(checkpoints, album, tmp_path):
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "colorize", "photo", album, "-o", tmp_path / "out"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen(
        command, stderr=child, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        os.close(child)
        seen = b""
        while True:
            try:
                part = os.read(parent, 4096)
            except OSError:  # Linux says so at the end
                break
            if not part:
                break
            seen += part
        assert process.stdout.read().startswith("9 colorized")
    os.close(parent)
    assert "/12" in seen.decode()
    assert "photos/s" in seen.decode()
    assert seen.decode().count("is text, not a picture") == 1


def test_hints_and_seeds_on_the_command_line(with_hints, photo, tmp_path):
    with Image.open(photo) as opened:
        width, height = opened.size
    hint = f"{width // 2},{height // 2},#2050c0"
    other = f"{width - 1},0,#c03020"
    for name, options in (
        ("plain", []), ("hints", ["--hint", hint, "--hint", other]), ("seed", ["--seed", "4"]),
    ):  # fmt: skip
        out = tmp_path / f"{name}.png"
        colorize("photo", photo, "-o", out, "--model", "hinted", *options)
    plain, hints, seed = (
        np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("plain", "hints", "seed")
    )
    assert (hints != plain).any() and (seed != plain).any()
    wishes = [(width // 2, height // 2, "#2050c0"), (width - 1, 0, "#c03020")]
    assert max(missed_by(hints, wishes)) < 10


def test_wrong_hints_on_the_command_line(with_hints, photo, album, tmp_path):
    model = ("--model", "hinted", "--hint")
    many = ["--hint", "3,4,#ff0000"] * 201
    for arguments, code, sentence in [
        ((photo, "-o", tmp_path / "x.png", *model, "9999,1,#ff0000"), 1, "lies outside the photo"),
        ((photo, "-o", tmp_path / "x.png", "--model", "hinted", *many), 2, "at most 200"),
        ((photo, "-o", tmp_path / "x.png", "--hint", "1,1,#ff0000"), 2, "choose hinted"),
        ((album, "-o", tmp_path / "out", *model, "1,1,#ff0000"), 2, "expected one photo"),
    ]:
        result = colorize("photo", *arguments, code=code)
        assert sentence in result.stderr and len(lines(result.stderr)) == 1
    assert not (tmp_path / "x.png").exists()


def test_score_hints(with_hints, data, tmp_path):
    out = tmp_path / "hints.json"
    result = colorize(
        "score-hints", "--data", data, "--model", "hinted", "--hints", "3,0", "--photos", "2",
        "--size", "64", "--json", out,
    )  # fmt: skip
    content = json.loads(out.read_text())
    assert [row["hints"] for row in content["rows"] if row["dataset"] == "all"] == [0, 3]
    assert "within CIEDE2000 10" in result.stdout
    for options, sentence in [
        (["--model", "direct"], "direct cannot follow colour hints"),
        (["--model", "hinted", "--hints", "1,x"], "hints: expected numbers"),
        (["--model", "hinted", "--hints", "201"], "hints: expected numbers"),
        (["--model", "hinted", "--size", "1"], "size: expected"),
    ]:
        assert sentence in colorize("score-hints", "--data", data, *options, code=2).stderr
