"""The report of a store: its pictures, its pre-registration, its versions."""

import json

import pytest

from tests.turing.support.studies import built
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.report.of_store import preregistered, preregistration_path, store_report, store_results
from turing.report.words import answer, interval_title
from turing.store import preregistration


@pytest.fixture
def store(tmp_path):
    with built(tmp_path) as store:
        simulate(store, Skills({(None, "plain"): 0.95}), 6)
        yield store


def register(store, **content):
    content["sha256"] = preregistration.digest(content)
    preregistration_path(store, 1).write_text(json.dumps(content), "utf-8")
    return content["sha256"]


def test_the_report_has_answer_pictures_and_preregistration(store):
    sha256 = register(store, delta=0.1, note="<é>")
    results = store_results(store)
    html = store_report(store, results)
    assert all(sentence in html for sentence in answer(results))
    assert html.count("data:image/jpeg;base64,") >= 6
    assert sha256 in html and "&lt;" in html and "<é>" not in html
    assert "as it was written when the study was built" in html


def test_pictures_that_are_gone_are_left_out(store):
    for path in store.pictures.glob("*.png"):
        path.unlink()
    assert "data:image/jpeg" not in store_report(store, store_results(store))


def test_no_preregistration_is_no_fault(store):
    assert preregistered(store, 1) is None
    assert "Pre-registration" not in store_report(store, store_results(store))


def test_a_preregistration_that_was_changed_is_shown_as_such(store):
    register(store, delta=0.1)
    path = preregistration_path(store, 1)
    path.write_text(path.read_text("utf-8").replace("0.1", "0.2"), "utf-8")
    found = preregistered(store, 1)
    assert not found.as_written
    assert "was changed after it was written" in store_report(store, store_results(store))


def test_the_plot_of_a_look_is_said_to_have_the_looks_own_intervals(tmp_path):
    rest = "[analysis]\nlooks = [10, 20]"
    with built(tmp_path, catch=0, asks="planned = 20", rest=rest) as store:
        simulate(store, Skills(), 12, seed=1)
        results = store_results(store)
        level = interval_title(results)
        assert level != "95% interval"
        assert store_report(store, results, is_whole=False).count(f"with {level}s") >= 3
