"""The pre-registration file: complete, the same when written again, and proof of every change."""

import hashlib
import json

import pytest

from tests.turing.support.made_up import save_photos, study_in
from tests.turing.support.studies import rows
from turing.errors import TuringError
from turing.stimuli.build import build
from turing.store import preregistration
from turing.store.store import create_store


@pytest.fixture
def store(tmp_path):
    with create_store(tmp_path / "stores", "made-up") as store:
        yield store


def test_what_trials_ask_is_fixed_where_they_do(tmp_path, store):
    asks = "confidence = true\nmask_ms = 50"
    study = study_in(save_photos(tmp_path), exposure_ms=[100, 500], asks=asks)
    content = preregistration.verify(build(study, store, device="cpu").preregistration)
    assert content["design"]["exposure_ms"] == [100, 500] and content["design"]["mask_ms"] == 50
    assert content["design"]["confidence"] is True and "marks" not in content["design"]
    assert "the exposure at which 75% are right" in content["outcome"]
    assert content["outcome"].endswith("meta-d' of each model (Maniscalco and Lau 2012).")
    plain = build(study_in(tmp_path), store, device="cpu").preregistration
    content = preregistration.verify(plain)
    assert "mask_ms" not in content["design"] and content["outcome"].endswith("Holm's correction.")


def test_what_is_fixed(tmp_path, store, checkpoints):
    study = study_in(save_photos(tmp_path), models=["direct", "control-8"])
    path = build(study, store, device="cpu").preregistration
    assert path == store.pictures / "preregistration-1.json"
    content = preregistration.verify(path)
    assert content["study"]["name"] == "made-up"
    assert content["study"]["file_sha256"] == hashlib.sha256(study.source.encode()).hexdigest()
    assert content["study"]["meaning_sha256"] == study.sha256
    assert content["design"]["protocol"] == "pick-original"
    assert content["design"]["models"] == ["direct", "control-8"]
    assert content["design"]["practice_models"] == ["bins"]
    assert sum(len(of) for of in content["design"]["photos"].values()) == 6
    assert content["design"]["exposure_ms"] == 1000
    assert content["delta"] == 0.1
    assert content["exclusions"]["min_catch_correct"] == 0.5
    assert "delta" not in content["exclusions"]
    assert content["stop_rule"] == (
        "40 counted participants: who answered scored trials, whom no exclusion leaves out."
    )
    assert content["program"].startswith("colorize-turing ")
    assert content["stimuli"] == {
        row["sha256"]: row["png_sha256"] for row in rows(store, "stimuli")
    }
    weights = {
        name: hashlib.sha256((checkpoints / f"{name}.safetensors").read_bytes()).hexdigest()
        for name in ("direct", "bins")
    }
    assert {name: of["weights_sha256"] for name, of in content["checkpoints"].items()} == weights
    key = store.facts().trial_key
    assert content["trial_key_sha256"] == hashlib.sha256(key).hexdigest()
    text = path.read_text("utf-8")
    assert "C0L0R" not in text and key.hex() not in text


def test_its_own_hash_shows_every_change(tmp_path, store):
    path = build(study_in(save_photos(tmp_path)), store).preregistration
    content = json.loads(path.read_text("utf-8"))
    canonical = {key: value for key, value in content.items() if key != "sha256"}
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert content["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    path.write_text(path.read_text("utf-8").replace('"delta": 0.1', '"delta": 0.2'), "utf-8")
    with pytest.raises(TuringError, match="changed after it was written"):
        preregistration.verify(path)
    for other in ("", "[]", "{}"):
        path.write_text(other)
        with pytest.raises(TuringError, match="expected a pre-registration file"):
            preregistration.verify(path)


def test_versions_have_files_of_their_own(tmp_path, store):
    folder = save_photos(tmp_path)
    first = build(study_in(folder), store).preregistration
    before = first.read_bytes()
    second = build(study_in(folder, display_size=40), store).preregistration
    assert second.name == "preregistration-2.json"
    assert first.read_bytes() == before
    assert preregistration.write(store, 1).read_bytes() == before


def test_a_study_without_a_stop_rule_says_so(tmp_path, store):
    study = study_in(save_photos(tmp_path), planned="")
    content = preregistration.verify(build(study, store).preregistration)
    assert content["stop_rule"].startswith("None was fixed")
