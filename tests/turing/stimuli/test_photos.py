"""Finding a study's photos, matching others' colorizations, near-duplicates and grey ones."""

import io
import unicodedata

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tests.turing.support.made_up import external, photo, study_in
from turing.errors import TuringError
from turing.stimuli.photos import (
    NEAR,
    find_photos,
    match_external,
    perceptual_hash,
    some_of,
    usable,
)
from turing.store.store import PhotoFacts

ENDINGS = {".jpg", ".png"}


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(folder, **changes):
    return find_photos(study_in(folder, **changes), ENDINGS)


def matched(folder, name="theirs"):
    study = study_in(folder, external=external("theirs", "out"))
    matches = match_external(study, find_photos(study, ENDINGS), ENDINGS)[name].of_photos
    return {
        f"{one.dataset}/{one.file}": path.relative_to(folder / "out").as_posix()
        for one, path in matches.items()
    }


def test_pictures_in_folders_and_below_by_name(tmp_path):
    touch(tmp_path / "hills", "b.PNG", "a.jpg", "deep/er/c.png", "notes.txt", ".hidden.png")
    touch(tmp_path / "hills", ".thumbs/d.png", "@eaDir/a.jpg/S.jpg", "#recycle/e.jpg")
    touch(tmp_path / "apples", "a.jpg")
    assert [(one.dataset, one.file) for one in found(tmp_path)] == [
        ("hills", "a.jpg"),
        ("hills", "b.PNG"),
        ("hills", "deep/er/c.png"),
        ("apples", "a.jpg"),
    ]
    assert found(tmp_path)[2].path == tmp_path / "hills" / "deep" / "er" / "c.png"


def test_line_breaks_in_names_break_no_line(tmp_path):
    touch(tmp_path / "hills", "a\nb.jpg")
    touch(tmp_path / "apples", "a.jpg")
    touch(tmp_path / "out", "a\nb.png", "sub/x.png", "a\nb.jpg")
    with pytest.raises(TuringError) as caught:
        matched(tmp_path)
    assert len(str(caught.value).splitlines()) == 1 and "a?b" in str(caught.value)


def test_folders_without_photos_are_all_told(tmp_path):
    touch(tmp_path / "apples", "notes.txt")
    with pytest.raises(TuringError) as caught:
        found(tmp_path)
    first, second = str(caught.value).splitlines()
    assert first.startswith("stimuli.datasets.folder (hills): expected a folder of colour photos")
    assert f"no such folder: {tmp_path / 'hills'}" in first
    assert "(apples)" in second and "no pictures in it" in second


def test_colorizations_are_matched_by_name_with_any_ending(tmp_path):
    touch(tmp_path / "hills", "1.jpg", "2.jpg", "sub/3.jpg")
    touch(tmp_path / "apples", "1.jpg")
    touch(tmp_path / "out", "hills/1.png", "apples/1.png", "2.jpg", "sub/3.png", "4.png")
    assert matched(tmp_path) == {
        "hills/1.jpg": "hills/1.png",
        "hills/2.jpg": "2.jpg",
        "hills/sub/3.jpg": "sub/3.png",
        "apples/1.jpg": "apples/1.png",
    }


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "expected a folder of colorizations, found no such folder: "),
        (
            ["9.png"],
            "expected pictures called like the photos (1, with any ending), found 9.png in ",
        ),
        (["1.png"], "expected one photo called like 1.png, found hills/1.jpg and apples/1.jpg; "),
        (["hills/1.png", "hills/1.jpg"], "expected one picture for 1.jpg, found hills/1.jpg, "),
    ],
)
def test_colorizations_that_cannot_be_told_apart(tmp_path, names, message):
    touch(tmp_path / "hills", "1.jpg")
    touch(tmp_path / "apples", "1.jpg")
    touch(tmp_path / "out", *names)
    with pytest.raises(TuringError) as caught:
        matched(tmp_path)
    assert str(caught.value).startswith(f"stimuli.external.folder (theirs): {message}")


def test_some_names_are_told_and_how_many_more_there_are():
    assert some_of([]) == "none"
    assert some_of(["a", "b", "c"]) == "a, b, c"
    assert some_of(list("abcde")) == "a, b, c and 2 more"


def facts(pixels, file, dataset="hills", chroma=20.0):
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    return PhotoFacts(file, dataset, file, 80, 60, perceptual_hash(grey), chroma)


def shot(seed, shift=0):
    """A frame of a burst: the camera moves by `shift` pixels."""
    return photo(seed, height=240, width=320)[shift : shift + 220, shift : shift + 300]


def altered(pixels):
    """Re-encoded, brightened and made smaller."""
    image = ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(1.15)
    buffer = io.BytesIO()
    image.resize((160, 120), Image.Resampling.BILINEAR).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))


def test_one_of_a_burst_is_taken_and_the_others_reported():
    moved, copied = facts(shot(1, shift=2), "b"), facts(altered(shot(1)), "c", "apples")
    kept, left_out = usable([facts(shot(1), "a"), moved, copied, facts(shot(2), "d")], 5)
    assert [one.file for one in kept] == ["a", "d"]
    assert [(one.dataset, one.file, one.reason, one.detail) for one in left_out] == [
        ("hills", "b", "near-duplicate", "nearly the same as hills/a"),
        ("apples", "c", "near-duplicate", "nearly the same as hills/a"),
    ]


def test_unrelated_photos_are_kept():
    photos = [facts(shot(seed), str(seed)) for seed in range(40)]
    assert usable(photos, 5) == (photos, [])


def test_a_grey_photo_is_left_out_and_takes_nobody_with_it():
    grey = facts(shot(1), "grey", chroma=4.96)
    kept, left_out = usable([grey, facts(shot(1), "coloured")], 5)
    assert [one.file for one in kept] == ["coloured"]
    assert left_out[0].reason == "near-grey"
    assert left_out[0].detail == "mean chroma 4.96, below min_chroma = 5"
    assert usable([grey], 4.9)[0] == [grey]
    assert len(usable([facts(shot(1), "x", chroma=0.0)], 0)[0]) == 1


def test_distance_that_counts_as_near():
    bits = int(facts(shot(1), "a").phash, 16)
    for differing, near in ((NEAR, True), (NEAR + 1, False)):
        other = bits ^ ((1 << differing) - 1)
        pair = [facts(shot(1), "a"), PhotoFacts("b", "hills", "b", 8, 8, f"{other:016x}", 20.0)]
        assert (len(usable(pair, 5)[0]) == 1) == near


@pytest.mark.parametrize(("ours", "theirs"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_names_that_look_the_same_are_the_same(tmp_path, ours, theirs):
    names = ["café.png", "Müller.png", "é/ñ.png", "한글.png", "Å.png"]
    for folder, form in (("hills", ours), ("apples", ours), ("out/hills", theirs)):
        written = [unicodedata.normalize(form, name) for name in names]
        touch(tmp_path / folder, *(written if folder != "apples" else ["plain.png"]))
    found = matched(tmp_path)
    assert {unicodedata.normalize("NFC", one) for one in found} == {f"hills/{n}" for n in names}
