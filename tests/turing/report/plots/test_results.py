"""Plots are well-formed SVG that asks for nothing, whatever things are called."""

import re
import threading
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import pytest

from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.published import printed_fraction
from turing.analysis.simulation.crowd import Skills
from turing.report.plots import drawing
from turing.report.plots import results as plots

SKILLS = Skills({(None, "baseline"): 0.95, (None, "fusion"): 0.7})
DRAWN = (plots.forest, plots.learning_curve, plots.times, plots.people, plots.photos)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def results():
    return analyse(made_up_data(12, SKILLS))


def check(svg):
    """Well-formed, ids its own, every reference inside, no script, no address."""
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img" and root.get("aria-label")
    assert root.get("viewBox") and root.get("width") is None
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
    assert {a or b for a, b in used} <= set(ids)
    addresses = re.findall(r"https?://[^\"' ]+", svg)
    assert set(addresses) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in svg and "<style" not in svg and "<!--" not in svg
    return root


@pytest.mark.parametrize("draw", DRAWN)
def test_svg_stands_alone_and_takes_the_pages_colors(results, draw):
    svg = draw(results)
    check(svg)
    assert "var(--model-0, #0072b2)" in svg
    assert not re.search(r"#0a00[01]", svg)


def test_preference_is_drawn():
    results = analyse(made_up_data(12, SKILLS, protocol="preference"))
    root = check(plots.preference(results))
    assert "landscapes, fusion" in root.get("aria-label")
    check(plots.times(results))


def test_ids_of_several_plots_do_not_clash(results):
    ids = [re.findall(r'\bid="([^"]+)"', draw(results)) for draw in DRAWN]
    ids.append(re.findall(r'\bid="([^"]+)"', plots.forest(results, drawing.NARROW)))
    every = [name for of in ids for name in of]
    assert len(every) == len(set(every))


def test_the_label_says_the_figures(results):
    label = check(plots.forest(results)).get("aria-label")
    for cell in results.cells:
        name = cell.dataset or "all datasets"
        assert f"{name}, {cell.model} {cell.fraction.estimate:.3f}" in label


def test_the_papers_points_are_drawn_where_names_match(results):
    diamonds = [
        cell
        for cell in results.cells
        if printed_fraction(cell.dataset, cell.model, "pick-original")
    ]
    assert len(diamonds) == 4
    others = analyse(made_up_data(12, SKILLS, datasets=("a", "b")))
    outlined = re.compile(r"fill: var\(--paper, #ffffff\); stroke: var\(--ink, #1d2129\)")
    assert len(outlined.findall(plots.forest(results))) > 0
    assert not outlined.findall(plots.forest(others))


@pytest.mark.parametrize(
    "name", ["$x^2$", "$", "a & b < c", '"quoted" --> <script>', "风景", "\\frac{1}{2}", "x" * 64]
)
def test_any_name_can_be_drawn(name):
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    results = analyse(made_up_data(4, SKILLS, datasets=(escaped, "plain")))
    for width in (drawing.WIDE, drawing.NARROW):
        assert name in check(plots.forest(results, width)).get("aria-label")


def test_letters_that_the_font_lacks_become_boxes():
    assert drawing.drawable("Früchte 风\nß") == "Früchte □\nß"


def test_few_and_lonely_choices_can_be_drawn():
    results = analyse(made_up_data(1, SKILLS, trials=1))
    for draw in DRAWN:
        check(draw(results))


def test_nothing_is_shared_between_threads(results):
    before = dict(mpl.rcParams)
    expected = plots.forest(results)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(plots.forest(results))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
    assert dict(mpl.rcParams) == before
