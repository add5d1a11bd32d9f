"""The participant's page in each of its languages, on a phone."""

import pytest

from tests.turing.support.participant import PHONE
from tests.turing.support.pretend_study import PretendStudy
from turing.web.routes import PAGE
from turing.web.texts import read_texts

TEXTS = read_texts(PAGE)
pytestmark = pytest.mark.slow


def is_narrow_enough(person):
    return person.page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("protocol", ["pick-original", "single"])
@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_a_whole_study(arrive, language, protocol):
    texts = TEXTS[language]
    study = PretendStudy(
        protocol=protocol, practice=1, scored=2, break_every=1, language=language,
        languages={language: texts}, end={"code": "C0DE", "score": {"correct": 1, "total": 2}},
    )  # fmt: skip
    person = arrive(study, **PHONE)
    choice = texts["answer_original"] if protocol == "single" else texts["photo"].format(number=1)
    person.visit()
    for label in ("agree", "start"):
        assert is_narrow_enough(person)
        person.press(texts[label])
    person.wait_for_trial()
    assert is_narrow_enough(person)
    person.press(choice)
    for label in ("continue", "start", None, "continue"):
        person.press(texts[label] if label else choice)
        assert is_narrow_enough(person)
    person.press(texts["leave"])
    person.sees(texts["leave_title"])
    assert is_narrow_enough(person)
    person.press(texts["stay"])
    person.press(choice)
    person.sees(texts["end_title"])
    person.sees(texts["score"].format(correct=1, total=2))
    assert is_narrow_enough(person)


def test_a_region_speaks_its_language(arrive):
    study = PretendStudy(practice=0, language="de-AT", languages={"de": TEXTS["de"]})
    person = arrive(study)
    person.visit()
    person.press("Ich stimme zu")
    assert person.page.locator("html").get_attribute("lang") == "de-AT"


def test_who_comes_too_late_reads_it_in_their_own_language(arrive):
    study = PretendStudy(closed=True, languages={"fr": TEXTS["fr"]})
    person = arrive(study, locale="fr-CA")
    person.visit()
    person.sees(TEXTS["fr"]["closed"])
    assert person.page.locator("html").get_attribute("lang") == "fr-CA"
