"""Photos whose results would have one name get numbers."""

import unicodedata
from pathlib import Path

import pytest

from tests.support.plans import pairs, picture, plan


def test_two_photos_of_a_folder_with_one_output_get_numbers_and_a_line(here):
    for name in ("p.gif", "p.png", "p.bmp", "p-2.png", "sub/p.gif"):
        picture(f"x/{name}")
    made = plan("x", choice="png")
    assert pairs(made) == {
        "x/p.png": "out/p.png",
        "x/p-2.png": "out/p-2.png",
        "x/p.bmp": "out/p-3.png",
        "x/p.gif": "out/p-4.png",
        "x/sub/p.gif": "out/sub/p.png",
    }
    assert made.notices == [
        "x/p.bmp: becomes p-3.png, for x/p.png becomes p.png",
        "x/p.gif: becomes p-4.png, for x/p.png becomes p.png",
    ]


def test_two_folders_with_one_output_get_numbers(here):
    picture("one/a.png")
    picture("two/a.png")
    made = plan("one", "two")
    assert pairs(made) == {"one/a.png": "out/a.png", "two/a.png": "out/a-2.png"}
    assert len(made.notices) == 1


@pytest.mark.parametrize("name", ["Köln", "café", "Å", "が"])
def test_names_that_are_one_on_a_mac_get_numbers(here, name):
    composed, apart = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert composed != apart
    picture(f"x/{composed}.png")
    picture(f"x/{apart}.png")
    if len(list(Path("x").iterdir())) == 1:
        pytest.skip("this disk holds them as one file")
    made = plan("x")
    places = {unicodedata.normalize("NFC", task.target.name) for task in made.tasks}
    assert places == {f"{composed}.png", f"{composed}-2.png"}
    assert len(made.notices) == 1


def test_names_that_differ_in_case_alone_get_numbers(here):
    names = ("IMG.jpg", "img.jpg", "Img.JPG", "Ärger.png", "ärger.png", "other.png")
    for name in names:
        picture(f"x/{name}")
    if len(list(Path("x").iterdir())) < len(names):
        pytest.skip("this disk holds them as one file")
    made = plan("x")
    assert pairs(made) == {
        "x/IMG.jpg": "out/IMG.jpg",
        "x/Img.JPG": "out/Img-2.JPG",
        "x/img.jpg": "out/img-3.jpg",
        "x/Ärger.png": "out/Ärger.png",
        "x/ärger.png": "out/ärger-2.png",
        "x/other.png": "out/other.png",
    }
    assert len(made.notices) == 3


def test_numbers_are_the_same_every_time(here):
    for name in ("p.gif", "p.bmp", "p.png"):
        picture(f"x/{name}")
    assert pairs(plan("x", choice="png")) == pairs(plan("x", choice="png"))


@pytest.mark.parametrize("letter", ["x", "ü", "が", "🎨"])
def test_numbered_names_are_no_longer_than_disks_take(here, letter):
    stem = letter * (251 // len(letter.encode()))
    for folder in ("one", "two", "three"):
        picture(f"{folder}/{stem}.png")
    made = plan("one", "two", "three")
    targets = [task.target for task in made.tasks]
    assert targets[0].name == f"{stem}.png"
    assert all(target.name.endswith(f"-{n}.png") for n, target in enumerate(targets[1:], 2))
    for target in targets:
        target.parent.mkdir(exist_ok=True)
        target.touch()
        assert len(target.name.encode()) <= 255 and set(target.stem[:-2]) == {letter}
    assert len(set(targets)) == 3


def test_a_name_that_gets_an_ending_is_no_longer_than_disks_take(here):
    picture("a.png")
    Path("a.png").rename("x" * 255)
    (task,) = plan("x" * 255).tasks
    assert task.target.name == "x" * 251 + ".png"


def test_names_that_differ_in_letters_that_fold_alone_get_numbers(here):
    """Windows takes the long s for an s."""
    picture("x/Hochzeit.png")
    picture("x/Hochzeitſ.png")
    picture("x/HochzeitS.png")
    assert {task.target.name for task in plan("x").tasks} == {
        "Hochzeit.png",
        "HochzeitS.png",
        "Hochzeitſ-2.png",
    }
