"""`python -m colorize photo`: files and folders, what is kept, manifests, going on."""

import csv
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.cli import interrupts
from colorize.inference import colorizer
from colorize.photo.opening import Photo
from colorize.photo.saving import instead
from tests.support.commands import ALL_FORMATS, colorize, lines
from tests.support.scans import scanned


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
    before_all = f"{album / 'photo.gif.gif'}: {instead('GIF')}"
    assert lines(result.stderr) == [before_all, *(f"{file}{said[file]}" for file in sorted(said))]
    assert result.stdout == ("9 colorized, 3 failed, 2 skipped that do not end like a picture\n")
    assert before == {file: file.read_bytes() for file in album.rglob("*") if file.is_file()}


def test_leftovers_of_a_killed_run_are_cleared(checkpoints, photo, tmp_path):
    out = tmp_path / "out"
    (out / "deep").mkdir(parents=True)
    for folder in (out, out / "deep"):
        (folder / ".colorize-0123456789ab.tmp").write_bytes(b"half")
    album = tmp_path / "album"
    (album / "deep").mkdir(parents=True)
    for folder in (album, album / "deep"):
        shutil.copy(photo, folder / "a.jpg")
    colorize("photo", album, "-o", out)
    assert sorted(file.name for file in out.rglob("*")) == ["a.jpg", "a.jpg", "deep"]


def test_existing_outputs_are_kept_unless_overwritten(checkpoints, photo, tmp_path):
    new = tmp_path / "new.png"
    new.write_bytes(b"mine")
    result = colorize("photo", photo, "-o", new, code=1)
    assert result.stderr == (
        f"{photo}: {new} exists already; --overwrite replaces it, --resume keeps it where it is "
        "whole\n"
    )
    assert new.read_bytes() == b"mine"
    colorize("photo", photo, "-o", new, "--overwrite")
    with Image.open(new) as opened:
        assert opened.format == "PNG"


def test_what_cannot_be_is_told_before_a_model_is_loaded(checkpoints, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(colorizer, "Colorizer", lambda *_: pytest.fail("a model was loaded"))
    new = tmp_path / "new.png"
    new.write_bytes(b"mine")
    colorize("photo", photo, "-o", new, code=1)
    missing = tmp_path / "missing.jpg"
    result = colorize("photo", missing, "-o", tmp_path / "b.png", code=1)
    assert result.stderr == f"{missing} was not found; check the name and the folder.\n"


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
    assert result.stdout == "0 colorized, 1 skipped that does not end like a picture\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_folder_is_told_as_what_it_is(checkpoints, photo, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    photo.rename(folder / "old.jpg")
    os.mkfifo(folder / "f.png")
    result = colorize("photo", folder, "-o", tmp_path / "out")
    told = "1 skipped that is a pipe or device"
    assert result.stdout == f"1 colorized: {tmp_path / 'out' / 'old.jpg'}, {told}\n"
    os.mkfifo(folder / "g.png")
    (folder / "notes.txt").touch()
    result = colorize("photo", folder, "-o", tmp_path / "again")
    told = "1 skipped that does not end like a picture, 2 skipped that are pipes or devices"
    assert told in result.stdout


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


def test_scans_keep_their_border_and_faded_tones_are_stretched_if_asked(
    checkpoints, tmp_path, make_pixels
):
    scan, _ = scanned(make_pixels(5, 150, 200)[..., 0] // 2 + 60, 225)
    old, new = tmp_path / "old.png", tmp_path / "new.png"
    Image.fromarray(scan).save(old)
    assert colorize("photo", old, "-o", new).stderr == ""
    tint = np.ptp(Photo.open(new).pixels.astype(int), axis=2)
    assert tint[:20].max() <= 1 < tint[80:100].mean()
    colorize("photo", old, "-o", new, "--colour-borders", "--overwrite")
    assert np.ptp(np.atleast_3d(Photo.open(new).pixels).astype(int), axis=2)[:20].mean() > 1
    result = colorize("photo", old, "-o", new, "--restore", "--overwrite")
    assert "Its faded tones were stretched" in result.stderr
    assert "stretched" in Photo.open(new).metadata.xmp.decode()


def test_results_in_a_folder_are_named_by_a_pattern(checkpoints, album, tmp_path):
    out = tmp_path / "out"
    colorize("photo", album / "photo.jpg.jpg", album / "photo.png.png", "-o", out,
             "--name", "{number} {name} ({model})")  # fmt: skip
    assert sorted(file.name for file in out.iterdir()) == [
        "1 photo.jpg (direct).jpg", "2 photo.png (direct).png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "out"), [("{size}", "out"), ("a/{name}", "out"), ("{name}", "one.jpg")]
)
def test_a_wrong_pattern_is_wrong_use(checkpoints, photo, tmp_path, pattern, out):
    result = colorize("photo", photo, "-o", tmp_path / out, "--name", pattern, code=2)
    assert "name: " in lines(result.stderr)[-1]
    assert not (tmp_path / out).exists()


def test_one_name_for_all_is_numbered_or_refused(checkpoints, album, tmp_path):
    result = colorize("photo", album, "-o", tmp_path / "out", "--name", "colour", code=1)
    assert "becomes colour-2" in result.stderr
