"""Hints and seeds of `python -m colorize photo`."""

import numpy as np
from PIL import Image

from colorize.evaluation.hint_scores import missed_by
from tests.support.commands import colorize, lines


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
