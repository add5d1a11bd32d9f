"""The texts of the participant's page: every language whole, and whose text wins."""

import re

import pytest

from tests.turing.support.studies import study_text
from turing.study.study import parse_study
from turing.web.routes import PAGE
from turing.web.texts import of_language, of_study, prompt, read_texts, untranslated

TEXTS = read_texts(PAGE)
ENGLISH = TEXTS["en"]
OTHERS = [language for language in TEXTS if language != "en"]


def study(language="de", more=""):
    text = study_text(language=language)
    return parse_study(text.replace("[[questions]]", f"{more}[[questions]]", 1))


def test_german_french_and_spanish_are_there():
    assert {"de", "es", "fr"} <= set(OTHERS)


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text_and_fills_in_the_same_values(language):
    texts = TEXTS[language]
    assert list(texts) == list(ENGLISH)
    for name, text in texts.items():
        assert text.strip() == text != ""
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", ENGLISH[name])), name
        assert text.count("**") == ENGLISH[name].count("**"), name


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_left_in_english(language):
    same = {name for name, text in TEXTS[language].items() if text == ENGLISH[name]}
    assert same <= {"answer_original", "original", "photo"}  # "Real" in Spanish, "Photo" in French


def test_a_region_finds_its_language():
    assert of_language(TEXTS, "de-AT") == TEXTS["de"]
    assert of_language(TEXTS, "xx") == {}


def test_a_studys_own_words_win():
    own = study(more='[texts.buttons]\n"prompt_pick-original" = "Was ist echt?"\nagree = "Ja"\n')
    assert prompt(TEXTS, own) == "Was ist echt?"
    assert of_study(own)["agree"] == "Ja"
    assert prompt(TEXTS, study()) == "Welches Foto ist echt?"
    assert prompt(TEXTS, study("pt")) == "Which photo is real?"


def test_what_stays_english_is_named():
    assert untranslated(TEXTS, study()) == []
    left = untranslated(TEXTS, study("pt", '[texts.buttons]\nagree = "Concordo"\n'))
    assert "decline" in left and "prompt_pick-original" in left
    assert not {"agree", "consent", "prompt_single", "instructions_single"} & set(left)


def test_a_default_of_the_study_file_does_not_hide_the_languages_own():
    assert "thanks" not in of_study(study())
    thanking = study_text(language="de").replace("[texts]\n", '[texts]\nthanks = "Danke."\n')
    assert of_study(parse_study(thanking))["thanks"] == "Danke."
