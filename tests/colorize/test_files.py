import stat

import pytest

from colorize.files import replacing


def test_file_takes_its_place_only_at_the_end(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"old")
    with replacing(file) as out:
        out.write(b"new")
        out.flush()
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


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
