"""Tables of exposures, confidence, ties and the mixed model, and where the report has them."""

import dataclasses
from datetime import UTC, datetime

import pytest

from tests.turing.report.test_html import Page, png
from tests.turing.support.synthetic import made_up_data, made_up_study
from turing.analysis.analysis import analyse
from turing.analysis.aspects.mixed import mixed_model
from turing.analysis.simulation.crowd import Skills
from turing.report.html import html_report
from turing.report.tables import aspects
from turing.report.tables.results import preference_table
from turing.report.words import answer
from turing.statistics.mixed import NEEDS, Mixed

SKILLS = Skills({(None, "baseline"): 0.95, (None, "fusion"): 0.8})
MADE = datetime(2026, 8, 20, 12, 30, tzinfo=UTC)
ASKS = "confidence = true\nmarks = true\nfixation_ms = 300\nmask_ms = 200"


@pytest.fixture(scope="module")
def timed():
    return analyse(made_up_data(24, SKILLS, exposure_ms=[60, 250, 1000], asks=ASKS))


@pytest.fixture(scope="module")
def mixed(timed):
    return mixed_model(timed.choices, timed.data)


def test_every_row_has_every_column(timed, mixed):
    tables = [
        aspects.thresholds_table(timed),
        aspects.exposures_table(timed),
        aspects.sureness_table(timed),
        aspects.mixed_table(timed, mixed),
    ]
    assert [len(table.rows) for table in tables] == [6, 18, 6, 4]
    for table in tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert all(isinstance(cell, str) for row in table.rows for cell in row)


def test_thresholds_are_those_of_the_analysis(timed):
    for row, of in zip(aspects.thresholds_table(timed).rows, timed.exposures, strict=True):
        assert row[:2] == (of.dataset or "all datasets", of.model)
        assert row[2] in (f"{of.threshold.estimate:.0f}", "–")


def test_a_slope_without_a_threshold_is_none():
    """Told worse the longer it is shown."""
    data = made_up_data(24, SKILLS, exposure_ms=[60, 250, 1000])
    longest = data.trials["exposure_ms"] == 1000
    worse = data.trials.assign(correct=data.trials["correct"].mask(longest, 0.0))
    results = analyse(dataclasses.replace(data, trials=worse))
    table = aspects.thresholds_table(results)
    assert "does not rise with exposure" in table.note
    rows = [row for row in table.rows if row[2] == "–"]
    assert rows and {row[4] for row in rows} == {"–"}


def test_the_mixed_model_stands_beside_the_fractions(timed, mixed):
    table = aspects.mixed_table(timed, mixed)
    assert [row[:2] for row in table.rows] == [
        (dataset, model) for dataset in ("landscapes", "fruits") for model in ("baseline", "fusion")
    ]
    for row in table.rows:
        assert abs(float(row[2]) - float(row[5])) < 0.05
    assert f"people {mixed.sd_participant:.2f}, photos {mixed.sd_photo:.2f}" in table.note


def test_variances_of_a_few_people_are_told_as_what_they_are(timed, mixed):
    assert "mostly what the fit starts from" not in aspects.mixed_table(timed, mixed).note
    few = analyse(made_up_data(3, Skills(default=0.7)))
    note = aspects.mixed_table(few, mixed_model(few.choices, few.data)).note
    assert "mostly what the fit starts from" in note
    assert any("Of 3 people: intervals allow for so few" in said for said in few.notes)
    assert not any("so few" in said for said in timed.notes)


def test_the_report_has_all_of_it(timed, mixed):
    page = Page(html_report(timed, png, MADE, mixed=mixed))
    for title in (
        "How long it takes to tell (ms)",
        "Fraction by exposure",
        "Do people know when they are right?",
        "What gave it away",
        "A mixed model beside it",
    ):
        assert title in page.text
    assert "shown for 60, 250, 1000 ms, in equal numbers" in page.text
    assert "a cross of 300 ms before, a mask of coloured noise of 200 ms after each" in page.text
    assert any(" marks by " in alt for alt in page.alts)
    assert all(not one.startswith("http") for one in page.addresses)


def test_a_report_without_it_says_nothing_of_it():
    page = Page(html_report(analyse(made_up_data(8, SKILLS)), png, MADE))
    for word in ("How long it takes", "know when they are right", "gave it away", "mixed model"):
        assert word not in page.text


def test_without_the_library_the_report_says_what_to_install(timed):
    page = Page(html_report(timed, png, MADE, mixed=Mixed({}, 0.0, 0.0, NEEDS)))
    assert "A mixed model beside it" in page.text and "colorize-turing[mixed]" in page.text


def test_a_staircase_is_told_with_what_it_gives_away():
    data = made_up_data(24, SKILLS, exposure_ms=[60, 250, 1000])
    study = made_up_study(exposure_ms='"staircase"')
    results = analyse(dataclasses.replace(data, study=study))
    page = Page(html_report(results, png, MADE))
    assert "the next exposure tells how one did before" in page.text
    assert "three right ones in a row" in page.text
    assert "Fraction by exposure" not in page.text  # it picks what it shows


def test_ties_are_told():
    data = made_up_data(24, SKILLS, protocol="preference", asks="ties = true")
    results = analyse(data)
    note = preference_table(results).note
    assert "found alike" in note and "(Davidson 1970)" in note
    assert any("of pairs that are not found alike" in sentence for sentence in answer(results))
    page = Page(html_report(results, png, MADE))
    assert "and of Davidson (1970)" in page.text
    plain = analyse(made_up_data(24, SKILLS, protocol="preference"))
    assert "alike" not in preference_table(plain).note
    assert not any("alike" in sentence for sentence in answer(plain))
