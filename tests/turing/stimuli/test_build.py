"""`build`: everything is rendered once, ahead; stopped, it goes on; nothing shown is altered."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.random_checkpoints import save as save_random
from tests.turing.support.made_up import external, photo, save_photos, study_in, toned
from tests.turing.support.studies import rows
from turing.errors import TuringError
from turing.stimuli import build as build_module
from turing.stimuli import plates
from turing.stimuli.build import build
from turing.stimuli.selection import report_lines
from turing.store.store import create_store
from turing.study.study import parse_study
from turing.study.trials import WILD, every_stimulus, participant_trials


@pytest.fixture
def folder(tmp_path):
    return save_photos(tmp_path / "study")


@pytest.fixture
def store(tmp_path):
    with create_store(tmp_path / "stores", "made-up") as store:
        yield store


def pictures(store):
    return {path.name: path.read_bytes() for path in store.pictures.glob("*.png")}


def halves(store, row):
    with Image.open(store.picture_path(row["sha256"])) as image:
        return np.array_split(np.asarray(image), row["parts"], axis=1)


def test_everything_that_may_be_shown_is_there(folder, store, checkpoints):
    study = study_in(folder, models=["direct", "control-8"])
    built = build(study, store, device="cpu")
    with store.reading() as db:
        version = store.version(db, built.version)
    assert version.design.practice_models == ("bins",)
    assert any(
        line.startswith("practice shows bins, not under test: ")
        for line in report_lines(built.report)
    )
    assert {"direct", "bins"} <= set(built.report["models"])  # whose licences are to be told
    assert set(version.stimuli) == set(every_stimulus(version.design))
    assert built.rendered == len(version.stimuli) == len(pictures(store))
    assert built.kept == 0
    for number in range(1, 30):
        for trial in participant_trials(version.design, bytes(32), number):
            assert ((trial.dataset, trial.photo), trial.parts) in version.stimuli
    for row in rows(store, "stimuli"):
        png = store.picture_path(row["sha256"]).read_bytes()
        assert hashlib.sha256(png).hexdigest() == row["png_sha256"]
        with Image.open(io.BytesIO(png)) as image:
            assert image.size == (128, 48)
        for part, sha256 in (
            (row["left"], row["left_sha256"]),
            (row["right"], row["right_sha256"]),
        ):
            assert (sha256 is None) == (part in (None, WILD, "control-8"))


def test_the_blocklist_is_read_at_each_build(folder, store):
    asks = 'query = ["PID"]\nidentify_by = "PID"\nblocklist = "ids.txt"'
    study = study_in(folder, planned=asks)
    with pytest.raises(TuringError, match="blocklist: expected a file of IDs"):
        build(study, store)
    assert rows(store, "stimuli") == []  # before any work
    for ids, count in (("one\ntwo\n", 2), ("one\n", 1)):
        (folder / "ids.txt").write_text(ids)
        assert build(study, store).version == 1
        assert len(rows(store, "blocked")) == count
    build(study_in(folder), store)
    assert rows(store, "blocked") == []


def test_the_blocklist_comes_into_force_with_its_version(folder, store, monkeypatch):
    """Killed at any moment, nobody on the list of the version that is shown can start."""
    (folder / "ids.txt").write_text("one\n")
    study = study_in(folder, planned='query = ["PID"]\nidentify_by = "PID"\nblocklist = "ids.txt"')
    changed = study_in(folder, planned='query = ["X"]\nidentify_by = "X"\nblocklist = "ids.txt"')
    build(study, store)
    (before,) = rows(store, "blocked")

    def stops(*args):
        raise RuntimeError

    monkeypatch.setattr("turing.stimuli.build.block", stops)
    with pytest.raises(RuntimeError):
        build(changed, store)
    assert store.facts().version == 1 and rows(store, "blocked") == [before]


def test_the_two_ways_round_are_the_same_two_halves(folder, store):
    build(study_in(folder), store)
    made = {
        (row["photo"], row["left"], row["right"]): halves(store, row)
        for row in rows(store, "stimuli")
    }
    assert len(made) == 16
    for (one, left, right), (a, b) in made.items():
        c, d = made[one, right, left]
        assert np.array_equal(a, d) and np.array_equal(b, c)


def test_a_second_build_does_nothing(folder, store):
    study = study_in(folder)
    first = build(study, store)
    before = pictures(store), rows(store, "stimuli"), first.preregistration.read_bytes()
    calls = []
    second = build(study, store, lambda *call: calls.append(call))
    assert (second.version, second.rendered, second.kept) == (first.version, 0, first.rendered)
    after = pictures(store), rows(store, "stimuli"), second.preregistration.read_bytes()
    assert after == before
    assert calls == [("photos", 8, 8), ("pictures", 0, 0)]


def test_an_interrupted_build_goes_on(folder, store, monkeypatch):
    """As if it were killed after a picture was written and before its row."""
    study = study_in(folder)
    add, added = type(store).add_stimulus, []

    def stops_at_the_fourth(self, facts, png_sha256):
        if len(added) == 3:
            raise KeyboardInterrupt
        added.append(facts.sha256)
        return add(self, facts, png_sha256)

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "add_stimulus", stops_at_the_fourth)
        with pytest.raises(KeyboardInterrupt):
            build(study, store)
    assert store.facts().version is None
    assert len(rows(store, "stimuli")) == 3 and len(pictures(store)) == 4
    began = {name: store.pictures.joinpath(name).stat().st_mtime_ns for name in pictures(store)}
    built = build(study, store)
    assert (built.rendered, built.kept) == (13, 3)
    whole = {f"{sha256}.png" for sha256 in added}
    for name in whole:
        assert store.pictures.joinpath(name).stat().st_mtime_ns == began[name]
    with create_store(store.path.parent / "other", "made-up") as other:
        build(study, other)
        assert pictures(other) == pictures(store)


def test_progress_counts_photos_and_pictures(folder, store):
    calls = []
    build(study_in(folder), store, lambda *call: calls.append(call))
    assert calls[0] == ("photos", 8, 8)
    done = [done for what, done, total in calls if what == "pictures" and total == 16]
    assert done[0] == 0 and done[-1] == 16 and done == sorted(done) and len(done) > 2


@pytest.mark.parametrize("change", ["photo", "size", "model", "settings"])
def test_a_change_makes_new_pictures_and_keeps_the_old(tmp_path, store, change, monkeypatch):
    folder = save_photos(tmp_path / "study")
    models = tmp_path / "models"
    save_random("baseline", "direct", models, {"kind": "direct"})
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(models))
    wanted = {"models": ["direct"], "practice": 0}
    first = build(study_in(folder, **wanted), store, device="cpu")
    before = pictures(store)
    if change == "photo":
        Image.fromarray(photo(77)).save(folder / "hills" / "000.png")
    elif change == "model":
        save_random("baseline", "direct", models, {"kind": "direct"})
    elif change == "settings":
        record = models / "direct.json"
        record.write_text(record.read_text().replace('"size": 96', '"size": 64'))
    size = 40 if change == "size" else 48
    second = build(study_in(folder, **wanted, display_size=size), store, device="cpu")
    after = pictures(store)
    assert second.version == first.version + 1
    assert before.items() <= after.items()
    catch = len([row for row in rows(store, "stimuli") if WILD in (row["left"], row["right"])])
    if change == "photo":  # it may stand in for another one, too
        assert 0 < second.rendered <= 6
    elif change == "size":
        assert second.rendered == first.rendered and catch == 4
    else:
        assert second.rendered == first.rendered - 2 and catch == 2
    assert len(after) == len(before) + second.rendered


def test_a_lost_picture_is_made_again_as_it_was(folder, store):
    study = study_in(folder)
    build(study, store)
    before = pictures(store)
    lost, damaged = sorted(before)[:2]
    (store.pictures / lost).unlink()
    (store.pictures / damaged).write_bytes(before[damaged][:-1])
    assert build(study, store).rendered == 2
    assert pictures(store) == before


def test_a_picture_that_comes_out_otherwise_is_not_put_in_its_place(folder, store, monkeypatch):
    study = study_in(folder)
    build(study, store)
    lost = sorted(pictures(store))[0]
    (store.pictures / lost).unlink()
    render = build_module.render.render
    monkeypatch.setattr(build_module.render, "render", lambda L, ab: render(L, ab) ^ 1)
    with pytest.raises(TuringError, match="expected the picture as it was built, found another"):
        build(study, store)
    assert not (store.pictures / lost).exists()


def test_external_colorizations(folder, store):
    for dataset, number in (("hills", 0), ("apples", 1000)):
        (folder / "out" / dataset).mkdir(parents=True)
        for i in range(4):
            theirs = Image.fromarray(toned(photo(number + i)))
            theirs.save(folder / "out" / dataset / f"{i:03}.png")
    study = study_in(folder, models=[], external=external("theirs", "out"), practice=0)
    first = build(study, store)
    row = next(row for row in rows(store, "stimuli") if row["left"] == "theirs")
    original, theirs = reversed(halves(store, row))
    assert not np.array_equal(original, theirs)
    assert row["left_sha256"] and row["right_sha256"] is None
    Image.fromarray(photo(0)).save(folder / "out" / "hills" / "000.png")
    assert build(study, store).rendered in (0, 2)  # none where it is the catch trial's photo
    assert first.rendered == 16


def test_an_external_folder_is_listed_once(folder, store, monkeypatch):
    """On a NAS that takes minutes, and two listings may differ."""
    for number in range(4):
        for dataset, first in (("hills", 0), ("apples", 1000)):
            (folder / "out" / dataset).mkdir(parents=True, exist_ok=True)
            theirs = Image.fromarray(toned(photo(first + number)))
            theirs.save(folder / "out" / dataset / f"{number:03}.png")
    listed, walk = [], Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda path, of: listed.append(path.name) or walk(path, of))
    build(study_in(folder, models=[], external=external("theirs", "out"), practice=0), store)
    assert sorted(listed) == ["apples", "hills", "out"]


def test_single_parts_lie_on_one_canvas(tmp_path, store):
    folder = save_photos(tmp_path / "study", photos=2)
    save_photos(folder, photos=2, start=2, height=80, width=60)
    save_photos(folder, photos=1, start=9, height=60, width=100)
    build(study_in(folder, protocol="single"), store)
    made = pictures(store).values()
    assert len({len(png) for png in made}) == 1
    for png in made:
        with Image.open(io.BytesIO(png)) as image:
            assert image.size == (80, 64)


def test_preference_shows_two_models(folder, store, monkeypatch, tmp_path):
    # Without checkpoints to spare, the models under test serve for practice as well.
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(tmp_path / "none"))
    build(study_in(folder, protocol="preference", models=["control-8", "control-4"]), store)
    shown = {(row["left"], row["right"]) for row in rows(store, "stimuli")}
    models = ("control-8", "control-4")
    assert shown == {models, models[::-1], (None, WILD), (WILD, None)}


def test_missing_models_and_photos_stop_it_before_any_work(tmp_path, store, checkpoints):
    with pytest.raises(TuringError, match=r"stimuli\.models: No checkpoint 'nobody'"):
        build(study_in(tmp_path, models=["nobody"]), store)
    with pytest.raises(TuringError, match="no such folder"):
        build(study_in(tmp_path), store)
    save_photos(tmp_path, photos=1)
    with pytest.raises(TuringError, match="found 2: 4 missing"):
        build(study_in(tmp_path), store)
    assert rows(store, "photos") == [] and store.facts().version is None


def test_a_full_disk_is_told(folder, store, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build_module, "unfinished", full)
    with pytest.raises(TuringError, match=r"png: cannot be written \(No space left on device\)"):
        build(study_in(folder), store)
    assert rows(store, "stimuli") == []


def test_plates_are_made_once_where_the_study_screens(folder, store, monkeypatch):
    two = plates.every_plate()[:2]
    monkeypatch.setattr(plates, "every_plate", lambda: two)
    study = parse_study(
        study_in(folder).source + "\n[screening]\nplates = 6", folder / "study.toml"
    )
    assert not any(store.picture_path(plate.sha256).exists() for plate in two)
    first = build(study, store)
    made = [store.picture_path(plate.sha256).read_bytes() for plate in two]
    assert first.rendered == len(rows(store, "stimuli")) + 2
    said = json.loads(first.preregistration.read_text("utf-8"))
    named = {
        one.sha256: hashlib.sha256(png).hexdigest() for one, png in zip(two, made, strict=True)
    }
    assert said["screening"] == {"plates": 6, "min_correct": 0, "pictures": named}
    assert "device" not in said
    store.picture_path(two[0].sha256).unlink()
    assert build(study, store).rendered == 1
    assert [store.picture_path(plate.sha256).read_bytes() for plate in two] == made
    store.picture_path(two[0].sha256).write_bytes(b"another")
    monkeypatch.setattr(plates, "picture", lambda plate: b"a third")
    with pytest.raises(TuringError, match="expected the picture as it was built"):
        build(study, store)
