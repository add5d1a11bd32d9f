"""The demo study's photos: there, in colour, different, and enough for one participant."""

import shutil

import numpy as np
import pytest

from turing.errors import TuringError
from turing.stimuli import demo, render
from turing.stimuli.build import build
from turing.stimuli.demo import ENOUGH, make_demo, shipped_photos
from turing.stimuli.photos import usable
from turing.store.store import PhotoFacts, create_store
from turing.study.study import demo_study


def test_enough_good_photos_are_installed():
    photos = [*shipped_photos(), *demo._installed(demo.SPARE)]
    facts = [
        PhotoFacts(str(i), "photos", path.name, *render.measure(path))
        for i, path in enumerate(dict.fromkeys(photos))
    ]
    kept, left_out = usable(facts, 5)
    assert left_out == [] and len(kept) >= ENOUGH
    assert min(min(one.width, one.height) for one in kept) >= 256
    assert all(photo.licence for photo in (*demo.PHOTOS, *demo.SPARE))


def test_spare_photos_make_up_for_packages_that_are_not_there(monkeypatch):
    monkeypatch.setattr(demo, "PHOTOS", demo.PHOTOS[:8])
    assert len(shipped_photos()) == ENOUGH
    monkeypatch.setattr(demo, "PHOTOS", (demo.Shipped("nobody_has_this", "a.png", "none"),))
    assert len(shipped_photos()) == len(demo.SPARE)


def test_photos_are_copied_once(tmp_path, checkpoints):
    study = make_demo(tmp_path / "demo")
    folder = study.path(study.stimuli.datasets[0].folder)
    copies = {path.name: path for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in shipped_photos()} == {
        name: path.read_bytes() for name, path in copies.items()
    }
    shutil.copyfile(copies["lion.jpg"], folder / "mine.jpg")
    copies["coffee.png"].unlink()
    make_demo(tmp_path / "demo")
    assert (folder / "mine.jpg").exists() and not (folder / "coffee.png").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["photos"]


def test_models(tmp_path, checkpoints, monkeypatch):
    assert make_demo(tmp_path).models == ("direct", "bins")
    monkeypatch.setattr(render, "checkpoints", lambda: ["default", "fusion", "baseline"])
    assert make_demo(tmp_path).models == ("baseline", "fusion")
    monkeypatch.setattr(render, "checkpoints", list)
    with pytest.raises(TuringError, match="expected checkpoints, found none"):
        make_demo(tmp_path)


def test_too_few_photos_leave_nothing_behind(tmp_path, checkpoints, monkeypatch):
    monkeypatch.setattr(demo, "PHOTOS", demo.PHOTOS[:3])
    monkeypatch.setattr(demo, "SPARE", ())
    with pytest.raises(TuringError, match=r"expected 10 photos .* found 3"):
        make_demo(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()


@pytest.mark.slow
def test_the_demo_study_builds(tmp_path, checkpoints):
    study = make_demo(tmp_path / demo.NAME)
    with create_store(tmp_path, demo.NAME) as store:
        built = build(study, store, device="cpu")
        scored = len(shipped_photos()) - 2
        assert built.rendered == scored * 4 + 4 + 2  # two models, two ways; practice; catch
        assert built.report["left_out"] == []
        with store.reading() as db:
            version = store.version(db, built.version)
    assert len(version.design.practice) == len(version.design.catch) == 1
    assert np.sum([len(of) for of in version.design.photos.values()]) >= 8


def test_one_slip_leaves_nobody_out(tmp_path, checkpoints):
    """There is one catch trial, and a careful person may miss it."""
    study = make_demo(tmp_path)
    assert study.trials.catch == 1 and study.analysis.min_catch_correct == 0


def test_it_asks_whether_a_photo_was_known(tmp_path):
    asked = {question.id: question.when for question in demo_study(tmp_path).questions}
    assert asked["seen_before"] == "after"
