"""Which photos a study can use, and what is said about the others."""

import numpy as np
import pytest
from PIL import Image

from tests.turing.support.made_up import external, photo, save_photos, study_in, toned
from turing.errors import TuringError
from turing.stimuli.photos import LeftOut
from turing.stimuli.progress import quiet
from turing.stimuli.selection import report, report_lines, select, survey


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_every_photo_is_used_or_reported(tmp_path):
    save_photos(tmp_path, photos=3)
    save(tmp_path / "hills" / "copy.jpg", photo(1))
    save(tmp_path / "hills" / "grey.png", photo(50).mean(axis=2).astype(np.uint8))
    (tmp_path / "apples" / "zero.png").touch()
    calls = []
    surveyed = survey(study_in(tmp_path), lambda *call: calls.append(call))
    assert [(s.facts.dataset, s.facts.file) for s in surveyed.good] == [
        ("hills", "000.png"),
        ("hills", "001.png"),
        ("hills", "002.png"),
        ("apples", "000.png"),
        ("apples", "001.png"),
        ("apples", "002.png"),
    ]
    assert {(one.dataset, one.file, one.reason) for one in surveyed.left_out} == {
        ("hills", "copy.jpg", "near-duplicate"),
        ("hills", "grey.png", "near-grey"),
        ("apples", "zero.png", "unreadable"),
    }
    assert calls == [("photos", 9, 9)]
    facts = surveyed.good[1].facts
    assert (facts.width, facts.height) == (80, 60) and facts.chroma > 5
    assert len(facts.sha256) == 64 and len(facts.phash) == 16


def test_a_photo_without_its_colorization_is_left_out(tmp_path):
    save_photos(tmp_path, photos=3)
    for dataset, number in (("hills", 0), ("apples", 1000)):
        for i in range(3):
            save(tmp_path / "out" / dataset / f"{i:03}.png", toned(photo(number + i)))
    (tmp_path / "out" / "hills" / "000.png").rename(tmp_path / "out" / "new.png")
    save(tmp_path / "out" / "hills" / "001.png", photo(99))
    (tmp_path / "out" / "apples" / "002.png").write_text("no picture")
    surveyed = survey(study_in(tmp_path, external=external("theirs", "out")), quiet)
    details = {f"{one.dataset}/{one.file}": one.detail for one in surveyed.left_out}
    assert details.keys() == {"hills/000.png", "hills/001.png", "apples/002.png"}
    lacks = "theirs: has no picture called 000; it has for no photo: new.png"
    assert details["hills/000.png"] == lacks
    assert details["hills/001.png"].startswith("theirs: 001.png shows something else (lightness")
    assert details["apples/002.png"].startswith("theirs: 002.png is text, not a picture")
    assert {one.reason for one in surveyed.left_out} == {"unmatched"}
    path, sha256 = surveyed.good[0].external["theirs"]
    assert path == tmp_path / "out" / "hills" / "002.png" and len(sha256) == 64


def test_too_few_photos_says_how_many_are_missing_and_why(tmp_path):
    save_photos(tmp_path, photos=3)
    save(tmp_path / "hills" / "copy.png", photo(1))
    study = study_in(tmp_path, per_participant=6, practice=2, catch=1)
    with pytest.raises(TuringError) as caught:
        select(study, survey(study, quiet))
    assert str(caught.value) == (
        "made-up: one participant needs 9 photos (6 scored, 2 for practice, 1 for catch trials), "
        "found 6: 3 missing (left out: 1 near-duplicate, as copy.png: nearly the same as "
        "hills/001.png); add photos or ask for fewer trials"
    )


def test_too_few_colorizations_says_which_names_were_expected_and_found(tmp_path):
    save_photos(tmp_path, photos=3)
    save(tmp_path / "out" / "hills" / "000.png", toned(photo(0)))
    for i in range(5):
        save(tmp_path / "out" / f"result{i}.png", toned(photo(i)))
    study = study_in(tmp_path, external=external("theirs", "out"))
    with pytest.raises(TuringError) as caught:
        select(study, survey(study, quiet))
    assert (
        "(left out: 5 unmatched, as 001.png: theirs: has no picture called 001; it has for no "
        "photo: result0.png, result1.png, result2.png and 2 more)"
    ) in str(caught.value)


def test_report_in_words(tmp_path):
    save_photos(tmp_path, photos=4)
    save(tmp_path / "apples" / "grey.png", photo(50).mean(axis=2).astype(np.uint8))
    study = study_in(tmp_path, per_dataset=4, display_size=64)
    surveyed = survey(study, quiet)
    kept = report(study, surveyed, select(study, surveyed))
    assert kept["datasets"] == {
        "hills": {"found": 4, "good": 4, "used": 4},
        "apples": {"found": 5, "good": 4, "used": 4},
    }
    assert sum(kept["missing"].values()) == 2 and sum(kept["scored"].values()) == 6
    assert report_lines(kept) == [
        *(
            f"{name}: 4 of {found} photos are used: {kept['scored'][name]} scored, "
            f"{4 - kept['scored'][name]} for practice and catch trials"
            for name, found in (("hills", 4), ("apples", 5))
        ),
        *(
            f"{name}: 1 scored photo fewer than photos_per_dataset asks for"
            for name in kept["missing"]
        ),
        "enlarged to display_size, as they are smaller: 8 photos",
        "left out as near-grey: apples/grey.png: mean chroma 0.00, below min_chroma = 5",
    ]
    assert LeftOut(**kept["left_out"][0]).reason == "near-grey"
