"""The methods of a study in words: whatever of its file a reader has to know."""

from tests.turing.support.studies import built
from turing.publish.dataset import publish


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
