import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from colorize.files import clear_leftovers, replacing

KILLED = """
import sys, time
from pathlib import Path
from colorize.files import replacing
with replacing(Path(sys.argv[1])) as out:
    out.write(b"half")
    out.flush()
    print("ready", flush=True)
    time.sleep(600)
"""


def test_file_takes_its_place_only_at_the_end(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"old")
    with replacing(file) as out:
        out.write(b"new")
        out.flush()
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("place", ["none/a.bin", "folder"])
def test_what_the_disk_refuses_is_told_of_the_file_that_was_asked_for(tmp_path, place):
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(OSError) as caught, replacing(tmp_path / place) as out:
        out.write(b"new")
    assert caught.value.filename == str(tmp_path / place)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_all_is_as_it_was(tmp_path, error):
    file = tmp_path / "a.bin"
    file.write_bytes(b"old")
    with pytest.raises(error), replacing(file) as out:
        out.write(b"half of the n")
        raise error
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_others_may_read_it_as_they_may_read_any_new_file(tmp_path):
    with replacing(tmp_path / "a.bin") as out:
        out.write(b"x")
    (tmp_path / "b.bin").write_bytes(b"x")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.bin", "b.bin")}
    assert len(modes) == 1


def test_what_a_killed_program_left_is_cleared_by_the_next(tmp_path):
    file, root = tmp_path / "a.bin", Path(__file__).resolve().parents[2]
    program = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(file)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout.readline() == "ready\n"
        with replacing(file) as out:
            out.write(b"x")
        assert len(list(tmp_path.iterdir())) == 2  # its owner is still at it
    finally:
        program.send_signal(signal.SIGKILL)
        program.communicate()
    with replacing(file) as out:
        out.write(b"y")
    assert list(tmp_path.iterdir()) == [file] and file.read_bytes() == b"y"


def test_files_of_others_stay(tmp_path):
    names = [".colorize-notes.tmp", "colorize-0123456789ab.tmp", ".colorize-0123456789ab.tmp.png"]
    for name in (*names, ".colorize-0123456789ab.tmp"):
        (tmp_path / name).write_bytes(b"x")
    clear_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    clear_leftovers(tmp_path / "nowhere")
