"""The methods of a study in words: whatever of its file a reader has to know."""

import pytest

from tests.turing.support.studies import built
from turing.analysis.analysis import analyse
from turing.analysis.frames import load_data
from turing.publish import methods, tables
from turing.publish.dataset import publish
from turing.publish.tables import Wanted


def methods_of(folder, **study):
    with built(folder / "studies", **study) as store:
        store.open_study()
        store.close_study()
        return (publish(store, folder / "data").folder / "methods.md").read_text("utf-8")


def test_what_was_asked_of_eyes_and_screens_is_said(tmp_path):
    rest = (
        "[device]\nrequire = 'desktop'\nmin_width = 900\n[screening]\nplates = 6\nmin_correct = 5\n"
    )
    text = methods_of(
        tmp_path,
        trials="confidence = true\nmarks = true\nfixation_ms = 300\nmask_ms = 200",
        rest=rest,
    )
    for words in (
        "Computers with a mouse or trackpad alone",
        "900 CSS pixels wide",
        "the gaps of 6 rings",
        "who found fewer than 5 did not go on",
        "a fixation cross before the pictures for 300 ms and a mask",
        "from 1 (guessed) to 4 (sure)",
        "what had given it away",
    ):
        assert words in text, words


def test_what_else_was_estimated_is_said(tmp_path):
    text = methods_of(tmp_path / "a", trials="confidence = true", exposure_ms="[100, 500]")
    assert "75% would be right" in text and "meta-d'" in text
    text = methods_of(tmp_path / "b", protocol="preference", trials="ties = true")
    assert "Davidson (1970)" in text and "meta-d'" not in text


def test_what_was_not_asked_is_not_said(tmp_path):
    text = methods_of(tmp_path)
    for words in ("rings", "CSS pixels", "fixation", "confidence", "given it away", "\n\n\n"):
        assert words not in text, words
    assert " was built by 0.1.0;" in text


CATCH = "2 catch trials ("


@pytest.mark.parametrize(
    ("protocol", "catch", "same", "not_said"),
    [
        ("pick-original", "the original against a wildly", "both parts go through", ("ranked",)),
        ("pick-fake-sequential", "the original against a wildly", "both parts", ("side by side",)),
        (
            "single",
            "a wildly wrong colouring, alone",
            "both go through",
            ("against", "sides"),
        ),
        (
            "preference",
            "the original against a wildly",
            "Both colorizations take",
            ("0.5 is chance", "indistinguishable", "with feedback", "d'", "Wilson"),
        ),
    ],
)
def test_each_protocol_is_told_as_it_is(tmp_path, protocol, catch, same, not_said):
    exposure_ms = 1000 if protocol == "pick-fake-sequential" else 0
    text = methods_of(tmp_path, protocol=protocol, catch=2, exposure_ms=exposure_ms)
    assert f"{CATCH}{catch}" in text and same in text
    for words in not_said:
        assert words not in text, words
    assert ("1000 ms each" in text) == bool(exposure_ms)
    assert ("shown until the answer" in text) == (not exposure_ms)


def test_what_a_trial_asked_stands_word_for_word(tmp_path):
    with built(tmp_path / "studies") as store:
        store.open_study()
        folder = publish(store, tmp_path / "data", prompt="Which photo is real?").folder
    assert 'asked "Which photo is real?"' in (folder / "methods.md").read_text("utf-8")


def test_no_practice_and_no_catch_trials_are_not_told_of(tmp_path):
    text = methods_of(tmp_path, practice=0, catch=0)
    assert "practice" not in text and "catch" not in text


def test_models_of_practice_alone_are_named(tmp_path):
    """They depend on which checkpoints there were when it was built."""
    with built(tmp_path / "studies") as store:
        results = analyse(load_data(store))
        made = tables.tables(store, results, Wanted(False, False, "", ("other",)))
        text = methods.paragraphs(results, made, ("other",))
    assert "for practice, with feedback, of other photos and other, not under test" in text
    assert made.trial_columns["model"].levels["other"] == "a model of practice alone"


def test_who_stays_and_who_is_deleted_is_said(tmp_path):
    text = methods_of(tmp_path / "a", asks='on_leave = "delete"')
    assert "The data of who left were deleted at once" in text
    assert "counts with what was answered" in text
    text = methods_of(tmp_path / "b", rest="[analysis]\nonly_complete = true")
    assert "counts with what was answered" not in text and "deleted at once" not in text


def test_a_staircase_is_told_with_its_rule(tmp_path):
    text = methods_of(tmp_path, exposure_ms='"staircase"')
    assert "three right ones in a row" in text and "between 31 and 2000 ms" in text
