"""What the page asks beside the choice: no difference, how sure, what gave it away."""

import pytest
from playwright.sync_api import expect

from tests.turing.support.participant import PHONE
from tests.turing.support.pretend_study import PretendStudy
from turing.web.routes import PAGE
from turing.web.texts import read_texts

pytestmark = pytest.mark.browser


def asking(protocol="pick-original", **asks):
    study = {"practice": 0, "scored": 2}
    if protocol == "pick-fake-sequential":
        study["exposure_ms"] = 100
    return PretendStudy(protocol, **study, asks=asks)


def fits(person):
    """Everything that can be pressed is large enough for a finger, lies whole in the window, holds
    its own words, and nothing lies over another."""
    width, height = (person.page.viewport_size[side] for side in ("width", "height"))
    shown = person.page.locator(".trial button:visible")
    boxes = [one.bounding_box() for one in shown.all()]
    overflowing = "each => each.scrollWidth > each.clientWidth + 1"
    assert [one.inner_text() for one in shown.all() if one.evaluate(overflowing)] == []
    for box in boxes:
        assert box["height"] >= 44
        assert box["x"] >= 0 and box["x"] + box["width"] <= width + 0.5
        assert box["y"] >= 0 and box["y"] + box["height"] <= height + 0.5
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            apart = (
                one["x"] >= other["x"] + other["width"] - 0.5
                or other["x"] >= one["x"] + one["width"] - 0.5
                or one["y"] >= other["y"] + other["height"] - 0.5
                or other["y"] >= one["y"] + one["height"] - 0.5
            )
            assert apart, (one, other)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["de", "es", "fr"])
@pytest.mark.parametrize("device", [PHONE, {"viewport": {"width": 390, "height": 844}}])
def test_ratings_and_marks_fit_in_each_language(arrive, language, device):
    texts = read_texts(PAGE)[language]
    study = asking(confidence=True, marks=True)
    study.language, study.languages, study.practice = language, {language: texts}, 1
    person = arrive(study, **device)
    person.visit()
    person.press(texts["agree"])
    person.press(texts["start"])
    person.wait_for_trial()
    fits(person)
    person.press(texts["photo"].format(number=1))
    person.sees(texts["confidence"])
    person.page.wait_for_timeout(350)
    fits(person)
    person.page.keyboard.press("2")
    person.place.locator(".trial[data-view='marks']").wait_for()
    person.page.wait_for_timeout(350)
    fits(person)
    person.press(texts["skip"])
    person.place.locator(".feedback button").wait_for()
    fits(person)


@pytest.mark.slow
def test_no_difference_by_button_and_by_key(arrive):
    person = arrive(asking("preference", ties=True))
    person.begin()
    fits(person)
    person.press("No difference")
    person.wait_for_trial("2 of 2")
    person.pick_by_key("3")
    person.sees("All done")
    assert person.saved() == [2, 2]


@pytest.mark.slow
def test_no_difference_is_not_there_where_it_was_not_asked_for(arrive):
    person = arrive(asking("preference"))
    person.begin()
    expect(person.place.locator(".alike")).to_be_hidden()
    person.pick_by_key("3")
    person.pick_by_key("2")
    person.wait_for_trial("2 of 2")
    assert person.saved() == [1]


@pytest.mark.slow
def test_how_sure_is_asked_after_the_choice_and_sent_with_it(arrive):
    person = arrive(asking(confidence=True))
    person.begin()
    person.pick(1)
    person.sees("How sure are you?")
    person.page.wait_for_timeout(350)  # a press so soon after the choice is part of it
    assert person.saved() == []  # one answer holds both
    person.page.keyboard.press("ArrowLeft")  # the choice stands
    person.press("Rather sure")
    person.wait_for_trial("2 of 2")
    person.pick_by_key("ArrowLeft")
    person.sees("How sure are you?")
    person.page.wait_for_timeout(350)
    person.page.keyboard.press("1")
    person.sees("All done")
    sent = [(answer["choice"], answer["confidence"]) for answer in person.study.saved]
    assert sent == [(1, 3), (0, 1)]


@pytest.mark.slow
def test_a_double_press_of_the_choice_rates_and_marks_nothing(arrive):
    person = arrive(asking("pick-original", confidence=True, marks=True))
    person.begin()
    person.press_key_twice("1")
    person.sees("How sure are you?")
    person.page.wait_for_timeout(400)
    assert person.saved() == []
    person.press_key_twice("2")
    person.place.locator(".trial[data-view='marks']").wait_for()
    person.page.wait_for_timeout(400)
    person.press("Skip")
    person.wait_for_trial("2 of 2")
    (answer,) = person.study.saved
    assert (answer["choice"], answer["confidence"], answer["marks"]) == (0, 2, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "label", "suspect"),
    [
        ("pick-original", "Photo 1", 1),
        ("preference", "Photo 2", 0),
        ("pick-fake-sequential", "The second", 1),
        ("single", "Colorized", 0),
    ],
)
def test_what_gave_it_away_is_marked_by_pointer_and_by_keys(arrive, protocol, label, suspect):
    person = arrive(asking(protocol, marks=True))
    person.begin()
    person.press(label)
    person.place.locator(".trial[data-view='marks']").wait_for()
    person.page.wait_for_timeout(350)  # a press so soon after the choice is part of it
    part = person.place.locator(f"[data-part='{suspect}']")
    box = part.bounding_box()
    part.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.75})
    other = person.place.locator(f"[data-part='{1 - suspect}']")
    if other.count():
        other.click(force=True)  # accused of nothing
    part.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Enter", "Enter", "Backspace"):
        person.page.keyboard.press(key)
    assert person.place.locator(".mark").count() == 2
    person.press("Continue")
    person.wait_for_trial("2 of 2")
    assert person.place.locator(".mark").count() == 0
    (answer,) = person.study.saved
    first, second = answer["marks"]
    assert first == {
        "part": suspect,
        "x": pytest.approx(0.25, abs=0.01),
        "y": pytest.approx(0.75, abs=0.01),
    }
    assert second == {"part": suspect, "x": 0.6, "y": 0.45}


@pytest.mark.slow
def test_feedback_stands_below_the_question_of_the_trial(arrive):
    person = arrive(PretendStudy(practice=1, scored=1, asks={"confidence": True}))
    person.begin()
    heading = person.page.get_by_role("heading", level=1)
    question = heading.text_content()
    person.pick(0)
    expect(heading).to_have_text("How sure are you?")
    person.page.wait_for_timeout(350)
    person.press("Sure")
    expect(person.page.get_by_role("button", name="Continue")).to_be_visible()
    assert heading.text_content() == question


@pytest.mark.slow
def test_marks_can_be_left_out(arrive):
    person = arrive(asking("single", marks=True))
    person.begin()
    person.press("Real")  # there is nothing to mark
    person.wait_for_trial("2 of 2")
    person.press("Colorized")
    person.press("Skip")
    person.sees("All done")
    assert [answer["marks"] for answer in person.study.saved] == [[], []]


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["preference", "pick-fake-sequential"])
def test_everything_fits_on_a_phone(arrive, protocol):
    study = asking(protocol, confidence=True, marks=True, ties=protocol == "preference")
    person = arrive(study, **PHONE)
    person.begin()
    fits(person)
    person.press("The first" if protocol != "preference" else "Photo 1")
    person.sees("How sure are you?")
    person.page.wait_for_timeout(350)
    fits(person)
    person.press("Sure")
    person.place.locator(".trial[data-view='marks']").wait_for()
    person.page.wait_for_timeout(350)
    fits(person)
    person.place.locator(".suspect").tap()
    person.place.locator(".mark").wait_for()
    fits(person)
    person.press("Continue")
    person.wait_for_trial("2 of 2")
    (answer,) = study.saved
    assert answer["confidence"] == 4 and len(answer["marks"]) == 1
