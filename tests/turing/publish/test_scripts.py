"""The scripts of a published study: a stranger who runs them gets the figures of `results`."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.turing.support.answering import participant
from tests.turing.support.studies import built
from turing.analysis.aspects.mixed import mixed_model
from turing.analysis.results_json import results_json
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.errors import TuringError
from turing.publish.dataset import publish
from turing.report.of_store import store_results

RATED = {"trials": "confidence = true"}
STUDIES = [
    pytest.param({"protocol": "pick-original", "exposure_ms": '"staircase"'} | RATED, id="pick"),
    pytest.param(
        {"protocol": "pick-fake-sequential"},
        id="sequential",
        marks=pytest.mark.slow,  # the figures of the one above
    ),
    pytest.param({"protocol": "single", "exposure_ms": "[100, 250, 1000]"} | RATED, id="single"),
    pytest.param({"protocol": "preference", "trials": "ties = true"}, id="preference"),
]
SKILLS = Skills({(None, "plain"): 0.9}, careless=0.15, leaves=0.1, withdraws=0.1)
# What `results --json` has and the script says that it leaves out.
ELSEWHERE = {
    *("study", "version", "protocol", "excluded", "people", "look"),
    *("exclusions", "exclusions_of_trials", "notes"),
}


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def simulated(directory, people=14, **study):
    """A store of made-up people, some of whom are not counted."""
    store = built(directory, catch=2, per_participant=6, **study)
    simulate(store, SKILLS, people, seed=3)
    return store


def figures_of(folder, cwd, *arguments):
    """What the script prints for somebody who has pandas, numpy and scipy, and nothing of ours."""
    script = folder / "analysis" / "figures.py"
    ours = ("pydantic", "sqlite_utils", "typer", "colorize", "turing.store", "turing.study")
    ours += () if arguments else ("statsmodels", "matplotlib")
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in ours)
    code = f"import runpy, sys\n{blocked}sys.path.insert(0, {str(script.parent)!r})\n"
    code += f"sys.argv[1:] = {list(arguments)!r}\n"
    code += f"runpy.run_path({str(script)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={"PATH": "", "OMP_NUM_THREADS": "1"},  # and the arithmetic of another machine
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def nearly(found):
    """Figures as they are compared: sums may be taken in another order, and where draws are made
    anew an end of an interval of ranks may be the next one."""
    if isinstance(found, dict):
        return {
            key: pytest.approx(value, abs=1) if key in ("rank_low", "rank_high") else nearly(value)
            for key, value in found.items()
        }
    if isinstance(found, list):
        return [nearly(value) for value in found]
    return pytest.approx(found, rel=1e-9, abs=1e-12) if isinstance(found, float) else found


@pytest.mark.parametrize("study", STUDIES)
def test_a_stranger_gets_the_same_figures(tmp_path, study):
    with simulated(tmp_path / "studies", **study) as store:
        expected = results_json(store_results(store))
        folder = publish(store, tmp_path / "data").folder
    found = figures_of(folder, tmp_path)
    is_preference = study["protocol"] == "preference"
    assert expected["excluded"] and expected["comparisons"] and found["simulated"] is True
    assert bool(expected["cells"]) == (not is_preference) == (not expected["preference"])
    assert bool(expected["detection"]) == (study["protocol"] == "single")
    asked = "exposure_ms" in study
    assert bool(expected["exposures"]) == bool(expected["confidence"]) == asked
    for name in expected.keys() - ELSEWHERE:
        assert found[name] == nearly(expected[name]), name
    assert found.keys() - expected.keys() == {"left_out"}
    assert any("the draws" in said for said in found["left_out"]) == is_preference
    about = json.loads((folder / "dataset_description.json").read_text("utf-8"))
    assert "simulated" in about["name"] and "Made-up" in about["description"]
    assert "made up" in (folder / "methods.md").read_text("utf-8")
    assert {row["simulated"] for row in read(folder / "data" / "trials_data.csv")} == {"true"}


@pytest.mark.slow
def test_the_mixed_model_is_added_where_it_is_asked_for(tmp_path):
    with simulated(tmp_path / "studies") as store:
        results = store_results(store)
        folder = publish(store, tmp_path / "data").folder
    expected = mixed_model(results.choices, results.data)
    found = figures_of(folder, tmp_path, "--mixed")
    assert not any("--mixed" in said for said in found["left_out"])
    shares = {(row["dataset"], row["model"]): row["share"] for row in found["mixed"]["levels"]}
    assert shares == {
        of: pytest.approx(level.share, abs=0.01) for of, level in expected.levels.items()
    }
    assert any("--mixed" in said for said in figures_of(folder, tmp_path)["left_out"])


LOOKS = "[analysis]\nlooks = [3, 6]\nmin_catch_correct = 0\nmin_median_rt_ms = 0"


def test_looks_are_kept(tmp_path):
    asks = {"asks": "planned = 6", "rest": LOOKS}
    with built(tmp_path / "studies", catch=0, **asks) as store:
        store.open_study()
        for seed in range(4):
            participant(store, seed=seed)
        with pytest.raises(TuringError, match="found 1 of 2 looks; close it first"):
            publish(store, tmp_path / "early")
        store.close_study()
        expected = results_json(store_results(store))
        folder = publish(store, tmp_path / "data").folder
    found = figures_of(folder, tmp_path)
    assert expected["look"]["reached"] == 1 and expected["look"]["confidence"] > 0.95
    assert found["cells"] == nearly(expected["cells"]) and found["cells"]
    assert found["participants"] == 3
    assert "cells_without_exclusions" not in found
    assert any(said.startswith("cells_without_exclusions") for said in found["left_out"])
    assert len({row["participant_id"] for row in read(folder / "data" / "trials_data.csv")}) == 4


def in_r(script):
    """The columns of the table that the script in R names: by $, and in its formulas."""
    own = {"chose_left", "score"}
    by_dollar = set(re.findall(r"\b(?:trials|choices|scored)\$(\w+)", script))
    formulas = re.findall(r"(?:correct|chose_left) ~[^,\n]*", script)
    text = re.sub(r'"[^"]*"', lambda quoted: quoted[0][1:-1], " ".join(formulas))
    random = set(re.findall(r"\(1 \| (\w+)\)", script))
    named = set(re.findall(r"[a-z_]+", text)) - {"terms", "random", "paste"}
    return (by_dollar | random | named) - own


def test_the_script_in_r_names_columns_that_are_there(tmp_path):
    with simulated(tmp_path / "studies", people=3) as store:
        folder = publish(store, tmp_path / "data").folder
    script = Path(folder / "analysis" / "model.R").read_text("utf-8")
    (head,) = read(folder / "data" / "trials_data.csv")[:1]
    named = in_r(script)
    assert {"correct", "choice", "photo", "counted", "participant_id", "dataset", "model"} <= named
    assert {"left", "right", "protocol"} <= named <= set(head)
    assert script.count("(") == script.count(")") and script.count("{") == script.count("}")


def has_r():
    if not shutil.which("Rscript"):
        return False
    return not subprocess.run(["Rscript", "-e", "library(lme4)"], capture_output=True).returncode


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_the_script_in_r_runs(tmp_path, study):
    if not has_r():
        pytest.skip("R with lme4 is not here")
    with simulated(tmp_path / "studies", **study) as store:
        expected = results_json(store_results(store))
        folder = publish(store, tmp_path / "data").folder
    done = subprocess.run(
        ["Rscript", str(folder / "analysis" / "model.R")], capture_output=True, text=True
    )
    assert not done.returncode, done.stderr
    assert "== all datasets" in done.stdout
    if study["protocol"] == "preference":
        (of,) = (of for of in expected["preference"] if of["dataset"] is None)
        left_out = f"{of['ties']} of {of['choices']} found both alike and are left out"
        assert left_out in done.stdout
    for cell in expected["cells"]:
        row = rf"{cell['dataset'] or ''}\s+{cell['model']}\s+(\d\.\d+)\n"
        told = [float(share) for share in re.findall(row, done.stdout)]
        assert pytest.approx(cell["turing_fraction"], abs=1e-5) in told, row
