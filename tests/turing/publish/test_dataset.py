"""A published study: what is in it, and by whose rules."""

import csv
import hashlib
import io
import json
import re
import runpy

import pytest

from tests.turing.support.answering import participant
from tests.turing.support.studies import BEFORE, built, rows, sha
from turing.errors import TuringError
from turing.publish.dataset import publish
from turing.store import preregistration
from turing.store.beside import screening
from turing.store.sessions import Sessions
from turing.study.screening import Plate, every_plate
from turing.study.study import load_study

# Psych-DS 1.5.1, rules/files/tabular_data/data.yaml
DATA_FILE = re.compile(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.(csv|tsv)")
KEYWORDS = {"study", "site", "subject", "session", "task", "condition", "trial", "stimulus"}
SECRET = "nobody-else-is-called-so"


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def people_in(store):
    """Two who came to the end, one half-way, one who left, one who was screened out."""
    participant(store, seed=1, hints=f"the sky, {SECRET}", PROLIFIC_PID=f"{SECRET}-1")
    participant(store, seed=2, hints="the grass", PROLIFIC_PID=f"{SECRET}-2")
    participant(store, 5, seed=3, PROLIFIC_PID=f"{SECRET}-3")
    left = participant(store, 4, seed=4, PROLIFIC_PID=f"{SECRET}-4")
    sessions = Sessions(store)
    sessions.leave(left)
    sessions.start(None, {"PROLIFIC_PID": f"{SECRET}-5"}, {"colour_vision": "yes"}, None)
    sessions.start(None, {}, BEFORE, store.facts().preview_key)


@pytest.fixture
def store(tmp_path):
    asks = 'screen_out = { colour_vision = ["yes"] }'
    with built(tmp_path / "studies", asks=asks) as store:
        store.open_study()
        people_in(store)
        yield store


@pytest.fixture
def folder(store, tmp_path):
    store.close_study()
    return publish(store, tmp_path / "out" / "data", prompt="Which photo is real?").folder


def test_what_is_in_it(store, folder):
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        *("dataset_description.json", "study.toml", "preregistration.json", "key.json"),
        *("data/trials_data.csv", "data/participants_data.csv", "methods.md", "README.md"),
        *("data/trials_data.json", "data/participants_data.json"),
        *("analysis/figures.py", "analysis/model.R"),
    } <= there
    pictures = {path.name for path in (folder / "stimuli").iterdir()}
    assert pictures == {f"{row['sha256']}.png" for row in rows(store, "stimuli")}
    trials = read(folder / "data" / "trials_data.csv")
    assert len(trials) == 8 + 8 + 5
    assert {f"{row['stimulus_sha256']}.png" for row in trials} <= pictures
    assert not list(folder.parent.glob(".*")) and not (folder / "stimuli" / "plates").exists()
    assert "plates" not in (folder / "README.md").read_text("utf-8")


def test_plates_of_the_colour_screening_are_in_it(tmp_path):
    with built(tmp_path / "studies", rest="[screening]\nplates = 3\n") as store:
        for plate in every_plate():
            store.picture_path(plate.sha256).write_bytes(plate.sha256.encode())
            screening.add_picture(store, plate.sha256, sha(plate.sha256))
        folder = publish(store, tmp_path / "data").folder
        names = {f"{kind}-{gap}-{pattern}.png" for kind, gap, pattern in every_plate()}
        assert {path.name for path in (folder / "stimuli" / "plates").iterdir()} == names
        shown = (folder / "stimuli" / "plates" / "protan-left-0.png").read_bytes()
        assert shown == Plate("protan", "left", 0).sha256.encode()
        assert "stimuli/plates/" in (folder / "README.md").read_text("utf-8")
        store.picture_path(every_plate()[-1].sha256).write_bytes(b"another")
        with pytest.raises(TuringError, match="expected the picture as it was built"):
            publish(store, tmp_path / "again")


def test_who_left_and_previews_are_in_no_table(folder):
    people = read(folder / "data" / "participants_data.csv")
    assert len(people) == 4  # two to the end, one half-way, one screened out
    assert [row["screened_out"] for row in people].count("true") == 1
    (out,) = (row for row in people if row["screened_out"] == "true")
    assert out["excluded_by"] == "screened_out" and out["answer.colour_vision"] == ""
    assert "1 left for good" in (folder / "methods.md").read_text("utf-8")


def test_ids_are_random_and_times_are_coarse(folder, store, tmp_path):
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in everything
    moments = [row["consented"] for row in rows(store, "participants")]
    for moment in moments:
        assert str(moment).encode() not in everything
    assert not re.search(rb"\d{4}-\d\d-\d\dT", everything)
    people = read(folder / "data" / "participants_data.csv")
    ids = [row["participant_id"] for row in people]
    assert all(re.fullmatch("p[0-9a-f]{8}", each) for each in ids) and ids == sorted(ids)
    again = publish(store, tmp_path / "again").folder
    others = {row["participant_id"] for row in read(again / "data" / "participants_data.csv")}
    assert not others & set(ids)


def test_ids_and_free_text_are_asked_for(store, tmp_path):
    full = publish(store, tmp_path / "full", ids=True, texts=True).folder
    people = read(full / "data" / "participants_data.csv")
    assert {row["query.PROLIFIC_PID"] for row in people} == {f"{SECRET}-{n}" for n in (1, 2, 3, 5)}
    assert f"the sky, {SECRET}" in {row["answer.hints"] for row in people}


def test_it_follows_the_rules_of_psych_ds(folder):
    about = json.loads((folder / "dataset_description.json").read_text("utf-8"))
    assert about["@context"].startswith("https://schema.org") and about["@type"] == "Dataset"
    assert about["name"] and about["description"]
    ignored = (folder / ".psychds-ignore").read_text("utf-8").splitlines()
    files = {path.name for path in (folder / "data").glob("*_data.csv")}
    ours = {"trials_data.csv", "participants_data.csv"}
    proper = files - ours
    assert len(proper) == 2 and all(DATA_FILE.fullmatch(name) for name in proper)
    assert all(f"data/{name.replace('.csv', '.*')}" in ignored for name in ours)
    for name in proper:
        keywords = {part.split("-")[0] for part in name.removesuffix("_data.csv").split("_")}
        assert keywords <= KEYWORDS | {"description"}
        twin = next(each for each in ours if each.split("_")[0] in name)
        assert (folder / "data" / name).read_bytes() == (folder / "data" / twin).read_bytes()
    measured = [variable["name"] for variable in about["variableMeasured"]]
    assert len(measured) == len(set(measured))
    columns = set()
    for name in files:
        path = folder / "data" / name
        lines = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"))))
        assert {len(line) for line in lines} == {len(lines[0])}
        assert not path.read_bytes().startswith(b"\xef\xbb\xbf")
        row_ids = [line[lines[0].index("row_id")] for line in lines[1:]]
        assert len(set(row_ids)) == len(row_ids) > 0
        sidecar = json.loads(path.with_suffix(".json").read_text("utf-8"))
        assert sidecar["@type"] == "Dataset" and sidecar["name"] and sidecar["description"]
        assert [each["name"] for each in sidecar["variableMeasured"]] == lines[0]
        columns |= set(lines[0])
    assert columns == set(measured)  # each in a table, and none that is not described
    for variable in about["variableMeasured"]:
        assert variable["@type"] == "PropertyValue" and variable["description"]
    for directory in ("data", "analysis"):
        assert (folder / directory).is_dir()


def test_sidecars_have_the_wording_and_the_levels(folder):
    people = json.loads((folder / "data" / "participants_data.json").read_text("utf-8"))
    asked = {each["name"]: each for each in people["variableMeasured"]}["answer.colour_vision"]
    assert '"Do you have a colour vision deficiency?"' in asked["description"]
    assert [level["name"] for level in asked["valueReference"]] == ["no", "yes"]
    trials = json.loads((folder / "data" / "trials_data.json").read_text("utf-8"))
    choice = {each["name"]: each for each in trials["variableMeasured"]}["choice"]
    assert '"Which photo is real?"' in choice["description"]
    assert {level["name"]: level["description"] for level in choice["valueReference"]} == {
        "0": "the left part",
        "1": "the right part",
    }


def test_the_commitment_to_the_key_can_be_checked(folder, store):
    registered = preregistration.verify(folder / "preregistration.json")
    key = json.loads((folder / "key.json").read_text("utf-8"))
    found = hashlib.sha256(bytes.fromhex(key["trial_key"])).hexdigest()
    assert found == key["sha256"] == registered["trial_key_sha256"]
    assert bytes.fromhex(key["trial_key"]) == store.facts().trial_key
    study = folder / "study.toml"
    assert hashlib.sha256(study.read_bytes()).hexdigest() == registered["study"]["file_sha256"]
    assert load_study(study).sha256 == registered["study"]["meaning_sha256"]


def test_the_readme_says_how_and_its_lines_run(folder, monkeypatch):
    """They are assertions about the files beside them."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.S))
    assert code.count("assert") == 4
    script = folder / "check.py"
    script.write_text(code)
    monkeypatch.chdir(folder)
    runpy.run_path(str(script))
    key = folder / "key.json"
    key.write_text(key.read_text().replace('"trial_key": "', '"trial_key": "00'))
    with pytest.raises(AssertionError):
        runpy.run_path(str(script))


def test_before_it_is_closed_there_is_no_key(store, tmp_path):
    done = publish(store, tmp_path / "open")
    assert not done.key and not (done.folder / "key.json").exists()
    everything = b"".join(path.read_bytes() for path in done.folder.rglob("*") if path.is_file())
    key = store.facts().trial_key
    assert key not in everything and key.hex().encode() not in everything


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_is_there_is_refused(store, tmp_path, what):
    there = tmp_path / "there"
    there.mkdir() if what == "folder" else there.write_text("mine")
    with pytest.raises(TuringError, match="is there already"):
        publish(store, there)
    assert there.is_dir() if what == "folder" else there.read_text() == "mine"


def test_nothing_half_written_stays(store, tmp_path):
    store.picture_path(rows(store, "stimuli")[-1]["sha256"]).write_bytes(b"another")
    with pytest.raises(TuringError, match="expected the picture as it was built, found another"):
        publish(store, tmp_path / "new" / "data")
    assert not (tmp_path / "new").exists()


def test_a_changed_pre_registration_is_refused(store, tmp_path):
    path = preregistration.write(store, 1)
    path.write_text(path.read_text().replace('"delta": 0.1', '"delta": 0.2'))
    with pytest.raises(TuringError, match="changed after it was written"):
        publish(store, tmp_path / "data")
