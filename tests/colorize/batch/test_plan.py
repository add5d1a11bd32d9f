import os
from pathlib import Path

import pytest

from colorize.batch import plan as batch
from colorize.batch.plan import PlanError
from colorize.photo.saving import instead
from tests.support.plans import pairs, picture, plan

# Where results go


@pytest.mark.parametrize(
    ("given", "out", "choice", "told"),
    [("a.gif", "out", "keep", True), ("a.gif", "out", "png", False), ("a.gif", "b.png", "keep", 0),
     ("a.gif", "out", "jpg", False), ("a.png", "out", "keep", False)],
)  # fmt: skip
def test_a_format_that_cannot_be_kept_and_was_not_chosen_is_told(here, given, out, choice, told):
    picture(given)
    made = plan(given, out=out, choice=choice)
    assert made.notices == ([f"a.gif: {instead('GIF')}"] if told else [])


def test_a_format_that_cannot_be_kept_is_told_once_for_all_photos(here):
    for name in ("in/a.gif", "in/b.gif", "in/c.png"):
        picture(name)
    said = "GIF holds too few colours: 2 photos come back as PNG, unless another format is chosen."
    assert plan("in").notices == [said]


def test_one_file_goes_to_the_file_that_is_named(here):
    picture("old.jpg")
    made = plan("old.jpg", out="new/one.jpg")
    assert pairs(made) == {"old.jpg": "new/one.jpg"}
    assert made.tasks[0].format == "JPEG"


@pytest.mark.parametrize(
    ("given", "out", "choice", "target", "format"),
    [
        ("a.jpg", "b.png", "keep", "b.png", "PNG"),
        ("a.png", "b.JPEG", "keep", "b.JPEG", "JPEG"),
        ("a.jpg", "b.tif", "keep", "b.tif", "TIFF"),
        ("a.jpg", "b.gif", "keep", "b.png", "PNG"),
        ("a.gif", "b.gif", "keep", "b.png", "PNG"),
        ("a.jpg", "b.jpg", "png", "b.png", "PNG"),
        ("a.png", "b.png", "webp", "b.webp", "WEBP"),
        ("a.jpg", "b.v2.jpg", "jpg", "b.v2.jpg", "JPEG"),
    ],
)
def test_the_format_of_a_named_file(here, given, out, choice, target, format):
    picture(given)
    (task,) = plan(given, out=out, choice=choice).tasks
    assert (task.target.as_posix(), task.format) == (target, format)


@pytest.mark.parametrize(
    ("given", "choice", "target", "format"),
    [
        ("a.jpg", "keep", "out/a.jpg", "JPEG"),
        ("a.JPeG", "keep", "out/a.JPeG", "JPEG"),
        ("a.png", "keep", "out/a.png", "PNG"),
        ("a.webp", "keep", "out/a.webp", "WEBP"),
        ("a.tiff", "keep", "out/a.tiff", "TIFF"),
        ("a.bmp", "keep", "out/a.bmp", "BMP"),
        ("a.avif", "keep", "out/a.avif", "AVIF"),
        ("a.gif", "keep", "out/a.png", "PNG"),
        ("a.png", "jpg", "out/a.jpg", "JPEG"),
        ("a.jpeg", "jpg", "out/a.jpeg", "JPEG"),
        ("a.tiff", "webp", "out/a.webp", "WEBP"),
    ],
)
def test_the_format_in_a_folder(here, given, choice, target, format):
    picture(given)
    (task,) = plan(given, choice=choice).tasks
    assert (task.target.as_posix(), task.format) == (target, format)


def test_the_format_is_told_by_content(here):
    picture("web.jpg", "WEBP")
    picture("scan", "PNG")
    picture("scan.v2", "JPEG")
    made = plan("web.jpg", "scan", "scan.v2")
    assert pairs(made) == {
        "web.jpg": "out/web.webp",
        "scan": "out/scan.png",
        "scan.v2": "out/scan.v2.jpg",
    }


def test_files_of_folders_keep_their_paths(here):
    for name in ("in/b.png", "in/a/c.png", "in/a/d e/é.jpg", "other/a/c.png"):
        picture(name)
    assert pairs(plan("in")) == {
        "in/a/c.png": "out/a/c.png",
        "in/a/d e/é.jpg": "out/a/d e/é.jpg",
        "in/b.png": "out/b.png",
    }
    assert pairs(plan("in/a", "in/b.png")) == {
        "in/a/c.png": "out/c.png",
        "in/a/d e/é.jpg": "out/d e/é.jpg",
        "in/b.png": "out/b.png",
    }


@pytest.mark.parametrize("given", [".", "../in", "./"])
def test_any_spelling_of_a_folder_will_do(here, given, monkeypatch):
    picture("in/a/c.png")
    monkeypatch.chdir("in")
    (task,) = plan(given, out="../out").tasks
    assert task.target == Path("../out/a/c.png")


def test_a_picture_name_is_a_folder_for_several_photos(here):
    picture("a.png")
    picture("b.png")
    picture("in/c.png")
    assert pairs(plan("a.png", "b.png", out="o.png")) == {
        "a.png": "o.png/a.png",
        "b.png": "o.png/b.png",
    }
    assert pairs(plan("in", out="o.png")) == {"in/c.png": "o.png/c.png"}


def test_a_folder_that_is_there_is_a_folder(here):
    picture("a.png")
    Path("album.png").mkdir()
    assert pairs(plan("a.png", out="album.png")) == {"a.png": "album.png/a.png"}


# What is tried


def test_known_endings_are_tried_and_the_rest_is_counted(here):
    picture("in/a.png")
    for name in ("in/broken.JPG", "in/notes.txt", "in/sub/x.mp4", "in/.png", "in/noending"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"")
    made = plan("in")
    assert pairs(made) == {"in/a.png": "out/a.png", "in/broken.JPG": "out/broken.JPG"}
    assert made.skipped == 4
    assert not made.failures


def test_a_file_named_outright_is_always_tried(here):
    Path("notes.txt").write_text("no picture")
    made = plan("notes.txt", "missing.jpg")
    assert pairs(made) == {"notes.txt": "out/notes.txt", "missing.jpg": "out/missing.jpg"}
    assert [task.format for task in made.tasks] == [None, None]
    assert not made.skipped


def test_an_empty_folder_is_an_empty_plan(here):
    Path("in").mkdir()
    made = plan("in")
    assert not made.tasks
    assert made.skipped == 0


def test_names_that_no_file_can_have_are_only_failures(here):
    made = plan("x" * 5000 + ".jpg", "ok.jpg")
    assert [task.format for task in made.tasks] == [None, None]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_are_not_waited_for(here):
    Path("in").mkdir()
    os.mkfifo("in/pipe.jpg")
    made = plan("in")
    assert (made.skipped, made.no_files, made.tasks) == (0, 1, [])
    assert plan("in/pipe.jpg").tasks[0].format is None


def test_loops_of_links_end(here):
    picture("in/a.png")
    picture("in/sub/b.png")
    Path("in/sub/up").symlink_to(here / "in", target_is_directory=True)
    Path("in/self").symlink_to("self")
    Path("in/self.jpg").symlink_to("self.jpg")
    made = plan("in")
    assert list(pairs(made)) == ["in/a.png", "in/self.jpg", "in/sub/b.png"]


def test_linked_folders_are_entered_once_and_rather_by_their_own_path(here):
    picture("in/real/a.png")
    picture("elsewhere/b.png")
    Path("in/alias").symlink_to(here / "in" / "real", target_is_directory=True)
    Path("in/far").symlink_to(here / "elsewhere", target_is_directory=True)
    assert pairs(plan("in")) == {"in/real/a.png": "out/real/a.png", "in/far/b.png": "out/far/b.png"}


def test_a_folder_that_cannot_be_read_is_a_failure_and_the_rest_is_done(here, monkeypatch):
    picture("in/a.png")
    picture("in/locked/b.png")
    iterdir = Path.iterdir

    def refuse(folder):
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied", str(folder))
        return iterdir(folder)

    monkeypatch.setattr(batch.Path, "iterdir", refuse)
    made = plan("in")
    assert list(pairs(made)) == ["in/a.png"]
    assert made.failures == ["in/locked: cannot be read (Permission denied)"]


# What is refused


def test_output_in_an_input_folder_is_refused(here):
    picture("in/a.png")
    Path("link").symlink_to(here / "in", target_is_directory=True)
    for out in ("in", "in/out", "in/x/y", "./in/../in/out", "link/out"):
        with pytest.raises(PlanError, match="lies in the input folder"):
            plan("in", out=out)
    assert plan("in", out="in2").tasks
    assert plan("in/a.png", out="in/sub").tasks  # the input is a file, not its folder


def test_output_in_a_folder_that_is_linked_from_the_input_is_refused(here):
    picture("in/a.png")
    picture("results/old.png")
    Path("in/link").symlink_to(here / "results", target_is_directory=True)
    with pytest.raises(PlanError, match="lies in the input folder"):
        plan("in", out="results")


def test_two_inputs_with_one_output_are_refused(here):
    for name in ("a.png", "in/a.png"):
        picture(name)
    for inputs in (["a.png", "in/a.png"], ["a.png", "a.png"], ["a.png", "in"]):
        with pytest.raises(PlanError, match="would both become out/"):
            plan(*inputs)


def test_what_is_no_picture_takes_no_output(here):
    picture("x/p.png")
    Path("x/p.gif").write_text("no picture")
    assert len(plan("x", choice="png").tasks) == 2


def test_an_output_that_is_another_input_is_refused(here):
    picture("in/sub/a.png")
    picture("out/sub/a.png")
    with pytest.raises(PlanError, match=r"would replace out/sub/a\.png, an input itself"):
        plan("in", "out/sub/a.png")


def test_a_file_where_a_folder_is_needed_is_refused(here):
    picture("a.png")
    Path("notes.txt").write_text("keep")
    with pytest.raises(PlanError, match=r"notes\.txt: expected a folder"):
        plan("a.png", out="notes.txt")
    with pytest.raises(PlanError, match=r"notes\.txt: expected a folder"):
        plan("a.png", "a.png", out="notes.txt")


def test_a_plan_changes_nothing(here):
    picture("in/a.png")
    before = sorted(here.rglob("*"))
    plan("in", out="new/deep")
    assert sorted(here.rglob("*")) == before


# Folders as they come from phones, Macs and NAS


@pytest.mark.parametrize(
    "name",
    [
        "._a.jpg",
        "sub/._a.jpg",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_S.jpg",
        "sub/@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg",
        ".@__thumb/defaulta.jpg",
        "@Recycle/old.jpg",
        "#recycle/old.jpg",
        "$RECYCLE.BIN/old.jpg",
        "System Volume Information/old.jpg",
        "__MACOSX/._a.jpg",
        "__MACOSX/sub/a.jpg",
        ".AppleDouble/a.jpg",
        ".Trashes/501/a.jpg",
        ".thumbnails/a.jpg",
        ".Trash-0/files/a.jpg",
        ".Trash-1000/files/a.jpg",
        ".dtrash/files/a.jpg",
        ".picasaoriginals/a.jpg",
        "@SynoResource",
        "@SynoResource/a.jpg",
        "lost+found/a.jpg",
        ".stfolder/a.jpg",
        ".stversions/a~20240101.jpg",
        ".sync/Archive/a.jpg",
        "sub/.sync/Archive/a.jpg",
        ".trashed-1712345678-a.jpg",
        "FOUND.000/a.jpg",
        "#snapshot/daily/a.jpg",
        ".snapshots/1/a.jpg",
        ".recycle/somebody/a.jpg",
        ".dropbox.cache/a.jpg",
    ],
)
def test_what_systems_keep_beside_photos_is_left_out(here, name):
    picture("album/a.jpg")
    picture(f"album/{name}", "JPEG")
    made = plan("album")
    assert pairs(made) == {"album/a.jpg": "out/a.jpg"}
    assert made.of_systems == 1
    assert not made.skipped


@pytest.mark.parametrize(
    "name",
    [
        "Trash/a.jpg",
        "sync/a.jpg",
        "recycled/a.jpg",
        ".hidden/a.jpg",
        "lost and found/a.jpg",
        "_.jpg",
    ],
)
def test_what_people_called_so_themselves_is_done(here, name):
    picture(f"album/{name}", "JPEG")
    assert pairs(plan("album")) == {f"album/{name}": f"out/{name}"}


def test_files_of_systems_without_a_picture_are_counted_as_ever(here):
    picture("album/a.jpg")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".picasa.ini"):
        Path("album", name).touch()
    made = plan("album")
    assert (len(made.tasks), made.skipped, made.of_systems) == (1, 4, 0)


def test_what_is_named_outright_is_always_tried(here):
    picture("album/._a.jpg", "JPEG")
    assert len(plan("album/._a.jpg").tasks) == 1
