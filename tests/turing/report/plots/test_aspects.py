"""Plots of exposures and confidence: well-formed, with what they show in words."""

import pytest

from tests.turing.report.plots.test_results import check
from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.simulation.crowd import Skills
from turing.report.plots import aspects

SKILLS = Skills({(None, "baseline"): 0.95, (None, "fusion"): 0.8})


@pytest.fixture(scope="module", params=["pick-original", "single"])
def results(request):
    levels, asks = [60, 250, 1000], "confidence = true"
    data = made_up_data(16, SKILLS, protocol=request.param, exposure_ms=levels, asks=asks)
    return analyse(data)


def test_fraction_against_exposure(results):
    svg = aspects.by_exposure(results)
    label = check(svg).get("aria-label")
    assert label.startswith("Turing fraction by exposure, thresholds: baseline ")
    assert "var(--model-1" in svg


def test_roc(results):
    label = check(aspects.roc(results)).get("aria-label")
    assert label.startswith("ROC from confidence ratings, areas: baseline 0.")
