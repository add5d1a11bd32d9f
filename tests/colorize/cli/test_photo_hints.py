"""Hints, strokes, references and seeds of `python -m colorize photo`."""

import json

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


def test_strokes_on_the_command_line(with_hints, photo, album, tmp_path):
    file, out = tmp_path / "strokes.json", tmp_path / "out.png"
    stroke = {"points": [[10, 20], [40, 25]], "radius": 4, "color": "#2050c0"}
    file.write_text(json.dumps([stroke]))
    colorize("photo", photo, "-o", out, "--model", "direct", "--strokes", file)
    wishes = [(10, 20, "#2050c0"), (40, 25, "#2050c0"), (25, 22, "#2050c0")]
    assert max(missed_by(np.asarray(Image.open(out)), wishes)) < 10
    far = tmp_path / "far.json"
    far.write_text(json.dumps([{**stroke, "points": [[9999, 1]]}]))
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps([{**stroke, "radius": -1}]))
    for arguments, code, sentence in [
        ((photo, "-o", tmp_path / "x.png", "--strokes", far), 1, "lies outside the photo"),
        ((photo, "-o", tmp_path / "x.png", "--strokes", wrong), 2, "stroke 1: radius"),
        ((photo, "-o", tmp_path / "x.png", "--strokes", tmp_path / "no.json"), 2, "cannot be read"),
        ((album, "-o", tmp_path / "out", "--strokes", file), 2, "expected one photo"),
    ]:
        result = colorize("photo", *arguments, code=code)
        assert sentence in result.stderr and len(lines(result.stderr)) == 1
    assert not (tmp_path / "x.png").exists()


def test_a_reference_on_the_command_line(with_hints, photo, album, tmp_path, make_pixels):
    reference, grey = tmp_path / "today.png", tmp_path / "grey.png"
    Image.fromarray(make_pixels(1, 60, 80)).save(reference)  # of which the photo is a part
    Image.fromarray(make_pixels(1, 60, 80)[..., 0]).save(grey)
    plain, out = tmp_path / "plain.png", tmp_path / "out.png"
    colorize("photo", photo, "-o", plain, "--model", "hinted")
    colorize("photo", photo, "-o", out, "--model", "hinted", "--reference", reference)
    assert (np.asarray(Image.open(out)) != np.asarray(Image.open(plain))).any()
    for arguments, sentence in [
        ((photo, "-o", tmp_path / "x.png", "--reference", grey), "grey.png has no colours to take"),
        ((photo, "-o", tmp_path / "x.png", "--reference", tmp_path / "no.png"), "was not found"),
        ((album, "-o", tmp_path / "out", "--reference", reference), "expected one photo"),
    ]:
        result = colorize("photo", *arguments, "--model", "hinted", code=2)
        assert sentence in result.stderr and len(lines(result.stderr)) == 1
    assert not (tmp_path / "x.png").exists()
