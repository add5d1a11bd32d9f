"""The report in windows of any width."""

import dataclasses
import io

import pytest
from rich.console import Console

from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.simulation.crowd import Skills
from turing.report.tables.results import cells_table
from turing.report.tables.table import Table
from turing.report.terminal import print_report, print_table
from turing.report.words import answer

SKILLS = Skills({(None, "baseline"): 0.95, (None, "fusion"): 0.7}, careless=0.1, withdraws=0.1)
PROTOCOLS = ["pick-original", "pick-fake-sequential", "single", "preference"]


@pytest.fixture(scope="module", params=PROTOCOLS)
def results(request):
    return analyse(made_up_data(20, SKILLS, protocol=request.param))


@pytest.fixture(scope="module")
def plain():
    return analyse(made_up_data(20, SKILLS))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_terminal_shows_the_answer_and_tables(results, width):
    buffer = io.StringIO()
    print_report(results, Console(file=buffer, width=width))
    text = buffer.getvalue()
    assert " ".join(answer(results)[0].split()) in " ".join(text.split())
    assert "Exclusions" in text
    assert all(len(line) <= width for line in text.splitlines())


def test_the_terminal_escapes_too():
    buffer = io.StringIO()
    table = Table("[red]x[/red]", ("a",), [("[bold]b[/bold]",)])
    print_table(table, Console(file=buffer, width=60))
    assert "[red]x[/red]" in buffer.getvalue() and "[bold]b[/bold]" in buffer.getvalue()


def test_a_narrow_terminal_says_what_it_left_out(plain):
    for width, hidden in ((80, True), (200, False)):
        buffer = io.StringIO()
        print_table(cells_table(plain), Console(file=buffer, width=width))
        assert ("In a wider window: " in buffer.getvalue()) == hidden


def test_columns_are_whole_or_left_out(plain):
    table = cells_table(plain)
    for width in range(50, 160):
        buffer = io.StringIO()
        print_table(table, Console(file=buffer, width=width))
        drawn, _, hidden = buffer.getvalue().partition("In a wider window: ")
        shown = len(table.columns) - hidden.count(",") - bool(hidden)
        assert all(cell in drawn for row in table.rows for cell in row[:shown])


def test_nobody_yet(results):
    data = results.data
    empty = dataclasses.replace(
        data, participants=data.participants[:0], trials=data.trials[:0], answers=data.answers[:0]
    )
    buffer = io.StringIO()
    print_report(analyse(empty), Console(file=buffer, width=80))
    assert "No answers that count yet." in buffer.getvalue()
