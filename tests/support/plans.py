"""Plans of small photos, made where the test is."""

from pathlib import Path

from PIL import Image

from colorize.batch.plan import make_plan, photos


def picture(path, format=None) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4)).save(path, format)
    return path


def plan(*inputs, out="out", choice="keep"):
    return make_plan([Path(given) for given in inputs], Path(out), photos(choice))


def pairs(made):
    return {task.source.as_posix(): task.target.as_posix() for task in made.tasks}
