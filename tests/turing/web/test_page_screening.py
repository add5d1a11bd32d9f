"""The colour screening in a browser: the screen, then plates, then the trials as ever."""

import pytest
from playwright.sync_api import expect

from tests.turing.support.participant import PHONE
from tests.turing.support.pretend_study import PretendStudy

pytestmark = pytest.mark.browser


@pytest.fixture
def study():
    return PretendStudy(practice=0, scored=2, plates=3, asks_of_device="plates=3")


def check_screen(person):
    """Say where the small squares are: the first two as they are, the last is not seen."""
    person.sees("First, your screen")
    for number, patch in enumerate(("dark", "light", "saturation")):
        side = person.page.locator(f".patch.{patch}").get_attribute("class").split()[-1]
        name = {"left": "Left", "up": "Top", "right": "Right", "down": "Bottom"}[side]
        asked = person.page.get_by_role("group", name=f"Square {number + 1}")
        asked.get_by_label(name if number < 2 else "I see none", exact=True).check()
    person.press("Continue")


def test_screen_and_plates_come_before_the_trials(arrive, study):
    person = arrive(study)
    person.visit()
    person.press("I agree")
    person.press("Continue")
    assert not study.participants
    check_screen(person)
    person.sees("Then, your eyes")
    (record,) = study.participants.values()
    assert record.start["screen"] == {"dark": True, "light": True, "saturation": False}
    person.press("Continue")
    person.wait_for_trial("Ring 1 of 3")
    person.page.keyboard.press("ArrowDown")
    person.wait_for_trial("Ring 2 of 3")
    person.press("I see no ring")
    person.wait_for_trial("Ring 3 of 3")
    person.page.reload()
    person.press("Continue")
    person.wait_for_trial("Ring 3 of 3")
    person.press("Left")
    person.wait_for_trial("1 of 2")
    person.sees("Click a photo, or press ← or →")
    person.pick(0)
    person.pick(1)
    person.sees("All done")
    plates = list(record.plates.values())
    assert [answer["choice"] for answer in plates] == [3, 4, 0]
    assert all(answer["rt_ms"] > 0 and answer["focus_lost"] == 0 for answer in plates)


def test_plates_on_a_phone(arrive, study):
    person = arrive(study, **PHONE)
    page = person.page
    person.visit()
    for label in ("I agree", "Continue"):
        page.get_by_role("button", name=label).tap()
    person.sees("First, your screen")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    check_screen(person)
    person.press("Continue")
    person.wait_for_trial("Ring 1 of 3")
    part, footer = (page.locator(of).bounding_box() for of in (".part", "footer"))
    assert part["y"] + part["height"] <= footer["y"] + 1
    assert footer["y"] + footer["height"] <= 844
    for name in ("Left", "Top", "Right", "Bottom", "I see no ring"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["height"] >= 44 and box["y"] + box["height"] <= 844
    page.get_by_role("button", name="Top", exact=True).tap()
    person.wait_for_trial("Ring 2 of 3")


def test_plates_and_patches_keep_their_colours_when_others_are_forced(arrive, study):
    person = arrive(study, forced_colors="active")
    person.visit()
    person.press("I agree")
    person.press("Continue")
    colour = "each => getComputedStyle(each).backgroundColor"
    assert person.page.locator(".patch.dark").evaluate(colour) == "rgb(6, 6, 6)"
    check_screen(person)
    person.press("Continue")
    person.wait_for_trial("Ring 1 of 3")
    expect(person.page.locator(".trial")).to_have_css("background-color", "rgb(119, 119, 119)")
