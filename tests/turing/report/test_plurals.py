"""What is said of one person, one photo, one trial: never "1 people"."""

import html
import io
import re

import pytest
from rich.console import Console

from tests.turing.support.commands import run
from tests.turing.support.studies import built, study_text
from turing.analysis.looks import Looking
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.publish.dataset import publish
from turing.report.of_store import store_report, store_results
from turing.report.terminal import print_report
from turing.statistics.sequential import looks
from turing.study.counts import count, people

MANY = re.compile(
    r"(?<![\d.,])1 (?:(?:scored|catch|planned|counted|synthetic) )?"
    r"(?:people|participants|trials|photos|pictures|choices|answers|marks|times|days|plates|"
    r"rings|stimuli|texts|looks|levels|have|are|were)\b"
)


def wrong_in(text):
    return [text[max(0, m.start() - 30) : m.end() + 20] for m in MANY.finditer(text)]


STUDIES = [
    {"protocol": "pick-original", "rest": "[screening]\nplates = 1\nmin_correct = 1\n"},
    pytest.param({"protocol": "single", "trials": "marks = true"}, marks=pytest.mark.slow),
    {"protocol": "preference", "exposure_ms": 0, "trials": "ties = true", "asks": "planned = 1"},
]
RULES = (
    "[analysis]\nmax_rt_ms = 1\nmax_focus_lost = 1\nmin_median_rt_ms = 0\nmin_catch_correct = 0\n"
)


@pytest.mark.parametrize("study", STUDIES)
def test_one_of_each(tmp_path, study):
    """One participant, one scored trial, one for practice, one catch trial."""
    study = {"per_participant": 1, "rest": study.get("rest", RULES)} | study
    with built(tmp_path / "studies", **study) as store:
        simulate(store, Skills(deficient=0), 1, seed=1)
        results = store_results(store)
        told = io.StringIO()
        print_report(results, Console(file=told, width=200))
        page = html.unescape(re.sub(r"<[^>]+>", "", store_report(store, results, is_whole=False)))
        folder = publish(store, tmp_path / "data").folder
    (tmp_path / "study.toml").write_text(study_text(**study))
    status, _ = run("status", tmp_path / "study.toml", "--store", tmp_path / "studies")
    texts = [told.getvalue(), page, status, (folder / "methods.md").read_text("utf-8")]
    texts.append((folder / "dataset_description.json").read_text("utf-8"))
    assert [wrong_in(text) for text in texts] == [[]] * len(texts)
    assert "1 scored trial, and among" in texts[3] and "1 trial for practice" in texts[3]


def test_a_look_at_one():
    planned = looks((1, 3)), looks((1, 3), two_sided=False)
    for done in range(5):
        sentences = Looking(*planned, tuple(range(done))).sentences()
        assert [wrong_in(sentence) for sentence in sentences] == [[]] * len(sentences)


def test_numbers_in_words():
    assert [count(n, "trial") for n in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]
    assert count(2, "stimulus", "stimuli") == "2 stimuli" and people(1) == "1 person"
