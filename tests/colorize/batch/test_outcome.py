import pytest

from colorize.batch.outcome import Settings, check_start, refused, sentence
from colorize.batch.plan import Task
from colorize.errors import ColorizeError
from colorize.photo.opening import Photo, PhotoError


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\r\nb.jpg", "a\u2028b.jpg", "a\x1b[2Kb.jpg"])
def test_a_name_with_line_breaks_makes_one_line(tmp_path, name):
    """Whoever raised the error, and told once."""
    file = tmp_path / name
    file.touch()
    with pytest.raises(PhotoError) as caught:
        Photo.open(file)
    task = Task(file, tmp_path / "out.png", "JPEG")
    for error in (caught.value, ColorizeError("is of no use"), OSError(5, "gone"), KeyError(name)):
        told = sentence(task, error)
        assert told.isprintable() and told.count("b.jpg") <= 1 + isinstance(error, KeyError)
    gone = Task(tmp_path / f"no {name}", tmp_path / "out.png", "JPEG")
    (outcome,) = refused([gone], Settings(), check_start).values()
    assert outcome.error.isprintable() and outcome.error.count("b.jpg") == 1


def test_a_photo_that_is_missing_is_told_before_a_result_that_is_there(tmp_path):
    target = tmp_path / "out.png"
    target.touch()
    task = Task(tmp_path / "gone.jpg", target, "PNG")
    (outcome,) = refused([task], Settings(), check_start).values()
    assert "gone.jpg" in outcome.error and "--overwrite" not in outcome.error
