"""`python -m colorize film`: files and folders, what is refused, what is interrupted."""

import os
import signal
import subprocess
import sys
import time

import pytest

from colorize.film.parts import folder_of
from tests.support.commands import colorize, command_line, lines
from tests.support.films import panned, pictures_of, times_of, write_film


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
    assert result.stdout == "3 colorized, 1 failed, 1 skipped that do not end like a film\n"
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


@pytest.mark.parametrize(
    ("options", "said"),
    [
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


def test_photo_given_a_film_names_this_command(checkpoints, film):
    result = colorize("photo", film, "-o", film.with_name("new.jpg"), code=1)
    assert "python -m colorize film takes films" in result.stderr


def test_without_pyav_one_line_says_how_to_get_it(checkpoints, film, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    result = colorize("film", film, "-o", film.with_name("new.mp4"), code=1)
    assert result.stderr.startswith('Films need PyAV; get it with: pip install "av>=')


@pytest.mark.slow
def test_what_is_interrupted_goes_on(checkpoints, tmp_path):
    cuts = [panned(25, photo=photo) for photo in ("camera", "coins", "page")]
    film = write_film(tmp_path / "old.mp4", [one for cut in cuts for one in cut])
    new = tmp_path / "new.mp4"
    command = [sys.executable, "-m", "colorize", "film", str(film), "-o", str(new), "--speed", "1"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list(folder_of(new).glob("000002.mp4")):
        assert running.poll() is None
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGINT)
    assert running.wait(60) == 130
    assert "1 of 1 films are left; the same command with --resume goes on" in running.stderr.read()
    running.stderr.close()
    assert not new.exists()
    done = command_line("film", film, "-o", new, "--speed", "1", "--resume")
    assert done.returncode == 0 and "75 frames" in done.stdout
    assert len(pictures_of(new)) == 75
