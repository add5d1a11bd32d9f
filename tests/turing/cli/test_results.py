"""The commands that say what a study found: results, report, export, power, simulate, publish."""

import csv
import json
import subprocess
import sys

from tests.turing.support.commands import run, take_part
from tests.turing.support.studies import build, built, rows
from turing.analysis.analysis import analyse
from turing.analysis.frames import load_data
from turing.analysis.results_json import results_json
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.report.words import answer
from turing.store.store import Store


def test_publish(filled, tmp_path):
    out, _ = run("publish", filled, "-o", tmp_path / "data")
    assert "46 stimuli, with the trial key" in out  # made-up people leave a study closed
    assert (tmp_path / "data" / "dataset_description.json").is_file()
    choice = next(
        each
        for each in json.loads((tmp_path / "data" / "data" / "trials_data.json").read_text())[
            "variableMeasured"
        ]
        if each["name"] == "choice"
    )
    assert '"Which photo is real?"' in choice["description"]
    assert "is there already" in run("publish", filled, "-o", tmp_path / "data", code=1)[1]


def test_results_for_people_and_programs(filled):
    with Store(filled) as opened:
        expected = analyse(load_data(opened))
    out, err = run("results", filled, "--json")
    assert json.loads(out) == json.loads(json.dumps(results_json(expected))) and not err
    out, _ = run("results", filled)
    assert all(sentence in out for sentence in answer(expected))


def test_versions_are_chosen(filled):
    build(filled.parent, per_participant=4).close()
    newest = json.loads(run("results", filled, "--json")[0])
    assert newest["version"] == 2 and newest["participants"] == 0
    first = json.loads(run("results", filled, "--json", "--version", "1")[0])
    both = json.loads(run("results", filled, "--json", "--version", "1,2")[0])
    assert first["participants"] == both["participants"] > 0
    assert first["version"] == 1 and both["version"] == [1, 2]


def test_report_writes_one_file(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out, _ = run("report", filled)
    html = (tmp_path / "tiny-report.html").read_text("utf-8")
    assert "counted of 12 who started" in out and html.count("<h1>") == 1
    (tmp_path / "mine.html").write_text("old")
    run("report", filled, "-o", "mine.html", "--version", "1")
    assert (tmp_path / "mine.html").read_text("utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_export_writes_rows_and_a_dictionary(filled, tmp_path):
    out, _ = run("export", filled, "-o", tmp_path / "choices.csv", "--everything")
    with (tmp_path / "choices.csv").open(newline="", encoding="utf-8-sig") as file:
        found = list(csv.DictReader(file))
    with Store(filled) as opened:
        assert len(found) == len(rows(opened, "choices"))
    assert f"{len(found)} choices" in out and (tmp_path / "choices.columns.csv").is_file()
    run("export", filled, "-o", tmp_path / "blind.json", "--blind")
    blind = (tmp_path / "blind.json").read_text()
    assert "plain" not in blind and "simulated-" not in blind


def test_power_prints_a_plan():
    assert "To show with 80% power" in run("power", "--margin", "0.1")[0]
    assert "To find with 90% power" in run("power", "--effect", "0.6", "--power", "0.9")[0]
    assert "4 participants cannot" in run("power", "--participants", "4")[0]


def test_simulate_fills_a_copy_and_leaves_the_store(folder, store):
    take_part(store)
    before = store.read_bytes()
    out, _ = run("simulate", store, "--participants", "5", "--skill", "hills/plain=0.9")
    copy = folder / "studies" / "simulated" / "tiny.sqlite"
    assert str(copy) in out and "5 participants" in out
    with Store(copy) as opened:
        data = load_data(opened)
    assert len(data.participants) == 5 and data.simulated
    with Store(store) as opened:
        assert len(rows(opened, "participants")) == 1
    assert store.read_bytes()[:100] == before[:100]
    pictures = sorted(p.name for p in store.with_suffix("").iterdir())
    assert sorted(p.name for p in copy.with_suffix("").iterdir()) == pictures
    run("results", copy)
    out, _ = run("simulate", store, "--participants", "2")
    (kept,) = (line.split()[-1] for line in out.splitlines() if line.startswith("What was there"))
    with Store(kept) as opened:
        assert len(rows(opened, "participants")) == 5


def test_simulated_people_have_the_skill_that_was_asked(folder, store):
    def simulated(name, *skills):
        alike = ("--sd-people", "0", "--sd-photos", "0")
        run("simulate", store, "-o", folder / name, *alike, *skills)
        found = json.loads(run("results", folder / name / "tiny.sqlite", "--json")[0])
        cells = {cell["model"]: cell for cell in found["cells"] if cell["dataset"] is None}
        return cells["plain"]["turing_fraction"], cells["bright"]["turing_fraction"]

    plain, bright = simulated("a", "--skill", "plain=0.97", "--skill", "bright=0.55")
    assert plain > 0.85 and bright < 0.75
    plain, bright = simulated("b", "--skill", "plain=0.55", "--fraction", "0.97")
    assert plain < 0.75 and bright > 0.85


def test_publishing_what_nobody_answered_says_so(store, tmp_path):
    """And the folder is whole all the same: its script runs, and gives nothing."""
    _, err = run("publish", store, "-o", tmp_path / "data")
    assert err == f"{store}: nobody has answered a trial: the tables of this data set are empty\n"
    script = tmp_path / "data" / "analysis" / "figures.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert found["participants"] == 0 and found["cells"] == found["comparisons"] == []
    methods = (tmp_path / "data" / "methods.md").read_text("utf-8")
    assert "0 people started, 0 came to the end, 0 left for good; 0 are counted" in methods


def test_publishing_what_is_not_counted_says_so(tmp_path):
    with built(tmp_path / "studies", rest="[analysis]\nmin_median_rt_ms = 60000") as opened:
        simulate(opened, Skills(), 1, seed=1)
        path = opened.path
    out, err = run("publish", path, "-o", tmp_path / "data")
    assert err == f"{path}: no answer is counted: this data set gives no figures\n"
    assert "data: 1 participant, 8 trials, " in out


def test_who_is_screened_out_is_told_of_a_simulation(tmp_path):
    asks = 'screen_out = { colour_vision = ["no", "yes"] }'
    with built(tmp_path, asks=asks) as opened:
        path = opened.path
    out, _ = run("simulate", path, "--participants", "3", "--careless", "0", "--leave", "0")
    assert "3 participants (3 careful; 3 screened out), 0 choices" in out


def test_an_older_version_is_published_with_what_it_asked(filled, tmp_path):
    build(filled.parent, language="de").close()
    run("publish", filled, "-o", tmp_path / "data", "--version", "1")
    methods = (tmp_path / "data" / "methods.md").read_text("utf-8")
    assert 'asked "Which photo is real?"' in methods
