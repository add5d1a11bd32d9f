"""What a study is made of, and what others printed, beside its figures."""

import dataclasses
import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from tests.turing.report.test_html import png
from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.published import TABLE_5, printed_fraction
from turing.analysis.simulation.crowd import Skills
from turing.report.html import html_report
from turing.report.tables import study as tables
from turing.report.terminal import print_report

MADE = datetime(2026, 8, 20, 12, 30, tzinfo=UTC)
SKILLS = Skills(
    {(None, "baseline"): 0.95, (None, "fusion"): 0.7}, careless=0.1, leaves=0.1, withdraws=0.1
)
PROTOCOLS = ["pick-original", "pick-fake-sequential", "single", "preference"]


@pytest.fixture(scope="module")
def plain():
    return analyse(made_up_data(24, SKILLS))


def with_built(results, built):
    data = dataclasses.replace(results.data, built_from=built)
    return dataclasses.replace(results, data=data)


def test_models_of_practice_alone_are_told(plain):
    known = {"licence": "MIT", "source": "", "sha256": "00"}
    built = {"models": {"baseline": known, "other": known}, "practice_models": ["other"]}
    rows = tables.models_table(with_built(plain, built)).rows
    assert [row[0] for row in rows] == ["baseline", "other (practice alone)"]


def test_the_papers_table_stands_beside_ours(plain):
    table = tables.printed_table(plain)
    assert [row[2] for row in table.rows] == [f"{row.fraction:.4f}" for row in TABLE_5]
    here = {(row[0], row[1]): row[3] for row in table.rows}
    cells = {(c.dataset, c.model): f"{c.fraction.estimate:.3f}" for c in plain.cells}
    assert here["fruits", "baseline"] == cells["fruits", "baseline"]
    assert here["landscapes", "final (fusion here)"] == cells["landscapes", "fusion"]
    assert here["animals", "baseline"] == "–"
    assert "4 participants" in table.note and "cannot show" in table.note


def test_other_protocols_are_not_put_beside_the_papers():
    single = analyse(made_up_data(12, SKILLS, protocol="single"))
    table = tables.printed_table(single)
    assert {row[3] for row in table.rows} == {"–"}
    assert "This study's protocol is single" in table.note
    assert printed_fraction("fruits", "fusion", "single") is None


def test_a_table_without_a_figure_of_ours_is_not_shown(plain):
    """In the report and in the terminal."""
    assert tables.has_printed(plain)
    single = analyse(made_up_data(12, SKILLS, protocol="single"))
    assert not tables.has_printed(single)
    for results, is_there in ((plain, True), (single, False)):
        html = html_report(results, png, MADE)
        assert ("The first paper&#39;s table 5" in html) is is_there
        told = io.StringIO()
        print_report(results, Console(file=told, width=120))
        assert ("The first paper's table 5" in told.getvalue()) is is_there


def test_scored_photos_and_others_are_told_apart(plain):
    built = {
        "datasets": {"hills": {"found": 24, "good": 23, "used": 22}},
        "scored": {"hills": 18},
    }

    def told(kept):
        return tables.built_table(
            dataclasses.replace(plain, data=dataclasses.replace(plain.data, built_from=kept))
        )

    table = told(built)
    assert table.columns[-2:] == ("Scored", "For practice and catch")
    assert table.rows == [("hills", "24", "23", "18", "4")]
    older = told({"datasets": built["datasets"]})
    assert older.rows == [("hills", "24", "23", "22 in all", "–")]


def test_printed_fractions_are_found_by_name():
    assert printed_fraction("Fruits", "fusion", "pick-original").fraction == 0.72
    assert printed_fraction("landscapes", "baseline", "pick-original").fraction == 1.0
    assert printed_fraction("fruits", "unet", "pick-original") is None
    assert printed_fraction(None, "fusion", "pick-original") is None
