"""Tables say what the results say, and every row has a cell for every column."""

import dataclasses
from datetime import UTC, datetime

import pytest

from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.simulation.crowd import Skills
from turing.report import words
from turing.report.gallery import photos_table
from turing.report.tables import people as people_tables
from turing.report.tables import results as tables
from turing.report.tables import study as study_tables
from turing.study.screening import Screened

MADE = datetime(2026, 8, 20, 12, 30, tzinfo=UTC)

SKILLS = Skills(
    {(None, "baseline"): 0.95, (None, "fusion"): 0.7}, careless=0.1, leaves=0.1, withdraws=0.1
)
PROTOCOLS = ["pick-original", "pick-fake-sequential", "single", "preference"]


@pytest.fixture(scope="module", params=PROTOCOLS)
def results(request):
    answers = [(n, "colour_vision", "no") for n in range(1, 20)]
    answers += [(2, "hints", "<i>blue</i>"), (3, "hints", "")]
    data = made_up_data(24, SKILLS, protocol=request.param, planned="planned = 40", answers=answers)
    return analyse(data)


@pytest.fixture(scope="module")
def plain():
    return analyse(made_up_data(24, SKILLS))


def all_tables(results):
    of_results = (
        tables.cells_table,
        tables.comparisons_table,
        tables.preference_table,
        tables.detection_table,
        tables.heterogeneity_table,
        tables.without_table,
        tables.times_table,
        tables.checks_table,
        study_tables.printed_table,
        people_tables.people_table,
        people_tables.exclusions_table,
        people_tables.participants_table,
    )
    return [*(make(results) for make in of_results), photos_table(results.photos)]


def test_every_row_has_every_column(results):
    for table in all_tables(results):
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert all(isinstance(cell, str) for row in table.rows for cell in row)
        assert table.title and 1 <= table.text <= len(table.columns)


def test_which_tables_a_protocol_has(results):
    rows = {
        "cells": bool(tables.cells_table(results).rows),
        "preference": bool(tables.preference_table(results).rows),
        "detection": bool(tables.detection_table(results).rows),
    }
    protocol = results.data.protocol
    assert rows == {
        "cells": protocol != "preference",
        "preference": protocol == "preference",
        "detection": protocol == "single",
    }
    assert tables.comparisons_table(results).rows and tables.times_table(results).rows


def test_tables_without_anybody():
    data = made_up_data(2, SKILLS)
    nobody = dataclasses.replace(
        data, participants=data.participants[:0], trials=data.trials[:0], answers=data.answers[:0]
    )
    for table in all_tables(analyse(nobody)):
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_people_add_up(plain):
    found = {what: int(n) for what, n in people_tables.people_table(plain).rows}
    assert found["started"] == 24
    assert (
        found["counted"] + found["excluded by the rules below"] + found["answered no scored trial"]
        == 24
    )
    rows = people_tables.participants_table(plain).rows
    assert len(rows) == 24
    assert sum(bool(row[-1]) for row in rows) == found["excluded by the rules below"]


def test_exclusions_make_a_difference_that_is_shown(plain):
    table = tables.without_table(plain)
    assert len(table.rows) == 6
    assert all(int(row[4]) < int(row[7]) for row in table.rows)
    assert any(row[2] != row[5] for row in table.rows)


def test_answers_are_counted_or_kept_as_texts(results):
    vision, hints = people_tables.answers_of(results)
    gone = results.exclusions.rules[0].participants
    expected = sum(n not in gone for n in range(1, 20))
    assert dict(vision.counts) == {"no": expected, "yes": 0, "not sure": 0}
    assert list(hints.texts) == ([] if 2 in gone else ["<i>blue</i>"]) and not hints.counts


def test_response_times_are_of_all_counted_choices(plain):
    rows = tables.times_table(plain).rows
    assert sum(int(row[2]) for row in rows) == len(plain.choices)
    of = plain.choices[(plain.choices["model"] == "fusion") & (plain.choices["correct"] == 1)]
    (row,) = [row for row in rows if row[:2] == ("fusion", "right")]
    assert row[4] == f"{of['rt_ms'].median() / 1000:.2f}"


def test_screens_and_colour_vision_are_told_where_they_are_known():
    data = made_up_data(4)
    assert people_tables.viewing_table(analyse(data)).rows == []
    desk = {"viewport_width": 1280.0, "pointer": "fine", "color_gamut": "p3"}
    phone = {"viewport_width": 390.0, "pointer": "coarse", "forced_colors": True}
    known = dataclasses.replace(
        data,
        devices={1: desk, 2: phone, 3: desk},
        screens={1: dict.fromkeys(("dark", "light", "saturation"), True), 2: {"dark": False}},
        screened={1: Screened(6, 6, 6, ()), 2: Screened(6, 2, 1, ("deutan",))},
    )
    table = people_tables.viewing_table(analyse(known))
    assert dict(table.rows) == {
        "mouse or trackpad": "2 of 3",
        "finger": "1 of 3",
        "width of the window at the start": "390 to 1280 pixels",
        "screen of more colours than sRGB": "2 of 3",
        "forced colours": "1 of 3",
        "did not see a step of grey near black": "1 of 2",
        "did not see a step of grey near white": "0 of 2",
        "did not see a step of saturation": "0 of 2",
        "missed a plate of protan deficiency": "0 of 2",
        "missed a plate of deutan deficiency": "1 of 2",
        "missed a plate of tritan deficiency": "0 of 2",
    }
    assert "no medical test" in table.note


def test_what_is_not_to_be_had_is_explained():
    """Of one person, beside every dash."""
    one = analyse(made_up_data(1))
    comparisons, hides = tables.comparisons_table(one), tables.heterogeneity_table(one)
    assert {row[4] for row in comparisons.rows} == {"–"}
    assert comparisons.note.count("a model with one participant") == 1
    assert "all datasets, baseline against fusion: a model with" in comparisons.note
    assert {row[2] for row in hides.rows} == {"–"} and "–: not to be had" in hides.note
    checks = tables.checks_table(one)
    assert {row[2] for row in checks.rows} == {"–"} and "described, no interval" in checks.note


def test_a_difference_of_nothing_has_no_minus():
    assert words.signed(-0.0001) == "+0.000" and words.signed(-0.0006) == "-0.001"
    assert words.signed(float("nan")) == "–"
