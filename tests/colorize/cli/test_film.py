"""`python -m colorize film`: files and folders, what is refused, what is interrupted."""

import os
import signal
import subprocess
import sys

import pytest

from tests.support.commands import colorize, command_line, lines
from tests.support.films import panned, pictures_of, times_of, write_film
from tests.support.gates import SOON, until


@pytest.fixture
def film(tmp_path):
    return write_film(tmp_path / "old.mp4", panned(6), sound=True)


def test_a_film_becomes_a_colour_film(checkpoints, film):
    new = film.with_name("new.mp4")
    result = colorize("film", film, "-o", new, "--speed", 2, "--saturation", 1.5, "--quality", 90)
    assert result.stdout == f"1 colorized: {new} (6 frames, 1 shot, 0.2 s)\n"
    assert result.stderr == ""
    assert times_of(new) == times_of(film)


def test_a_folder_is_done_but_for_what_cannot_be(checkpoints, film, tmp_path):
    reels, out = tmp_path / "reels", tmp_path / "out"
    (reels / "deep").mkdir(parents=True)
    film.rename(reels / "a.mp4")
    write_film(reels / "deep" / "b.avi", panned(2), codec="mpeg4")
    write_film(reels / "c.mkv", panned(2), subtitles="subrip")
    (reels / "d.mp4").write_bytes(b"no film at all")
    (reels / "notes.txt").write_text("about these films")
    result = colorize("film", reels, "-o", out, code=1)
    assert result.stdout == "3 colorized, 1 failed, 1 skipped that does not end like a film\n"
    (line,) = lines(result.stderr)
    assert line.startswith(f"{reels / 'd.mp4'}: cannot be read as a film; ")
    written = {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()}
    assert written == {"a.mp4", "deep/b.mp4", "c.mkv"}
    again = colorize("film", reels, "-o", out, code=1)
    assert "4 failed" in again.stdout
    assert lines(again.stderr)[0] == (
        f"{reels / 'a.mp4'}: {out / 'a.mp4'}: exists; choose another name or give --overwrite"
    )
    resumed = colorize("film", reels, "-o", out, "--resume", code=1)
    assert "0 colorized, 3 left as they are there, 1 failed" in resumed.stdout


def test_resuming_refuses_what_was_made_of_something_else(checkpoints, film):
    new = film.with_name("new.mp4")
    colorize("film", film, "-o", new)
    assert colorize("film", film, "-o", new, "--resume").stdout == (
        "0 colorized, 1 left as it is there\n"
    )
    content = new.read_bytes()
    said = (
        f"{film}: {new}: exists, and was not made of this film with this model and these settings; "
        "choose another name or give --overwrite\n"
    )
    for other in (["--saturation", 2], ["--model", "bins"], ["--start", "0:00.1"]):
        assert colorize("film", film, "-o", new, "--resume", *other, code=1).stderr == said
    write_film(film, panned(5))
    assert colorize("film", film, "-o", new, "--resume", code=1).stderr == said
    assert new.read_bytes() == content
    new.write_bytes(b"mine")
    assert colorize("film", film, "-o", new, "--resume", code=1).stderr == said
    colorize("film", film, "-o", new, "--resume", "--overwrite")
    assert len(pictures_of(new)) == 5


@pytest.mark.parametrize("name", ["new.jpg", "new.xyz", "new.mp3"])
def test_a_name_with_an_ending_of_no_film_is_refused_by_name(checkpoints, film, name):
    new = film.with_name(name)
    said = f"{name}: films are written as .mp4, .m4v, .mov, .mkv, .webm; give it such an ending"
    assert said in colorize("film", film, "-o", new, code=2).stderr
    assert not new.exists()
    new.mkdir()
    colorize("film", film, "-o", new, "--end", "0:00.1")
    assert [file.name for file in new.iterdir()] == ["old.mp4"]


def test_a_folder_without_films_says_so_as_for_photos(checkpoints, tmp_path):
    (tmp_path / "empty").mkdir()
    for command in ("film", "photo"):
        result = colorize(command, tmp_path / "empty", "-o", tmp_path / "out")
        assert (result.stdout, result.stderr) == ("0 colorized\n", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--start", "soon"], "start: expected a time such as 90, 1:30 or 0:01:30.5, found 'soon'"),
        (["--end", "1:99"], "end: expected a time such as 90, 1:30 or 0:01:30.5, found '1:99'"),
        (["--hint", "3,4,#ff0000"], "hint: expected x,y,#rrggbb@seconds"),
        (["--hint", "3,4,red@1"], "hint: expected x,y,#rrggbb, such as"),
        (["--hint", "3,4,#ff0000@0.1"], "direct cannot follow colour hints"),
        (["--still", "painted.png"], "still: expected seconds=file"),
        (["--still", "9=painted.png", "--end", "4"], "9 s: a hint or still lies outside"),
        (["--start", "5", "--end", "5"], "end: expected more than the start, 5 s, found 5"),
        (["--codec", "xvid"], "codec: expected one of h264, vp9, av1, found 'xvid'"),
        (["--quality", "0"], "quality: expected a number from 1 to 100, found 0"),
        (["--speed", "0"], "speed: expected a number from 1 to 48, found 0"),
        (["--variant", "loud"], "variant: expected one of"),
        (["--model", "none"], "none"),
        (["--saturation", "11"], "saturation: expected a number from 0 to 10"),
    ],
)
def test_wrong_use_is_one_line_and_nothing_is_made(checkpoints, film, options, said):
    new = film.with_name("new.mp4")
    result = colorize("film", film, "-o", new, *options, code=2)
    assert said in result.stderr
    assert len(lines(result.stderr)) == 1
    assert [file.name for file in film.parent.iterdir()] == ["old.mp4"]


def test_a_hint_of_several_films_is_wrong_use(with_hints, film, tmp_path):
    other = write_film(tmp_path / "b.mp4", panned(2))
    result = colorize(
        "film", film, other, "-o", tmp_path / "out", "--model", "hinted",
        "--hint", "3,4,#ff0000@0", code=2,
    )  # fmt: skip
    assert result.stderr == "hint: expected one film, found 2\n"


def test_a_start_behind_the_end_is_that_films_failure(checkpoints, film):
    new = film.with_name("new.mp4")
    result = colorize("film", film, "-o", new, "--start", "7", code=1)
    assert f"{film}: start: 7 s lies behind its end, 0." in result.stderr


def test_a_film_is_not_replaced_by_itself_and_named_once(checkpoints, film):
    content = film.read_bytes()
    said = f"{film}: would be replaced by itself; choose another output\n"
    for options in ([], ["--overwrite"], ["--resume"]):
        assert colorize("film", film, "-o", film, *options, code=1).stderr == said
    assert film.read_bytes() == content


def test_a_film_as_reference_is_wrong_use_and_says_what_to_give(checkpoints, film):
    for command, new in (("film", "new.mp4"), ("photo", "new.jpg")):
        given = film, "-o", film.with_name(new), "--reference", film
        said = colorize(command, *given, code=2).stderr
        assert said.startswith("reference: old.mp4")
        assert "takes films" not in said and "give a photo, such as a picture" in said
    assert [file.name for file in film.parent.iterdir()] == ["old.mp4"]


def test_photo_given_a_film_names_this_command(checkpoints, film):
    result = colorize("photo", film, "-o", film.with_name("new.jpg"), code=1)
    assert "python -m colorize film takes films" in result.stderr


def test_without_pyav_one_line_says_how_to_get_it(checkpoints, film, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    result = colorize("film", film, "-o", film.with_name("new.mp4"), code=1)
    assert result.stderr.startswith('Films need PyAV; get it with: pip install "av>=')


# The command line, which stays in the middle of a film until it was told that the signal is sent.
STAYS = """
import sys, time
from pathlib import Path
from colorize.cli import main
from colorize.film.parts import Parts

here, go, next_path = Path(sys.argv.pop(1)), Path(sys.argv.pop(1)), Parts.next_path

def stays(self):
    path = next_path(self)
    if path.name == "000002.mp4":
        here.touch()
        while not go.exists():
            time.sleep(0.01)
    return path

Parts.next_path = stays
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)], ids=str
)
def test_what_is_interrupted_or_killed_goes_on(checkpoints, tmp_path, end, code):
    cuts = [panned(25, photo=photo) for photo in ("camera", "coins", "page")]
    film = write_film(tmp_path / "old.mp4", [one for cut in cuts for one in cut])
    new, here, go = (tmp_path / name for name in ("new.mp4", "here", "go"))
    asked = ["film", film, "-o", new, "--speed", "1"]
    command = [sys.executable, "-c", STAYS, *map(str, (here, go, *asked))]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until(lambda: here.exists() or running.poll() is not None)
    os.kill(running.pid, end)
    go.touch()
    assert running.wait(SOON) == code
    said = "1 of 1 films are left; the same command with --resume goes on"
    assert (said in running.stderr.read()) == (end == signal.SIGINT)
    running.stderr.close()
    assert not new.exists()
    done = command_line(*asked, "--resume")
    assert done.returncode == 0 and "75 frames" in done.stdout
    assert len(pictures_of(new)) == 75
