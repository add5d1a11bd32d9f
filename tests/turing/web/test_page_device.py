"""On what the study is looked at: told to the server, and asked for before the consent."""

import pytest
from playwright.sync_api import expect

from tests.turing.support.participant import PHONE
from tests.turing.support.pretend_study import PretendStudy

pytestmark = pytest.mark.browser
BACK = "&declined_url=https%3A%2F%2Fb.org%2Fno"


def test_a_device_is_told_at_the_start_and_where_it_changes(arrive):
    person = arrive(PretendStudy(practice=0, scored=4), color_scheme="dark")
    person.begin()
    (record,) = person.study.participants.values()
    device = record.start["device"]
    assert device["color_scheme"] == "dark" and device["forced_colors"] is False
    assert device["color_gamut"] in ("srgb", "p3", "rec2020") and device["pointer"]
    assert (device["viewport_width"], device["viewport_height"]) == (1280, 720)
    person.pick(0)
    person.wait_for_trial("2 of 4")
    person.page.set_viewport_size({"width": 1000, "height": 600})
    person.pick(0)
    person.wait_for_trial("3 of 4")
    person.page.reload()
    person.pick(0)
    person.wait_for_trial("4 of 4")
    changes = [answer.get("device", {}).get("viewport_width") for answer in person.study.saved]
    assert changes == [None, 1000, 1000]  # after a reload it is said once more


def test_who_comes_with_a_phone_to_a_study_for_computers(arrive):
    study = PretendStudy(practice=0, asks_of_device="require=desktop", links_back=BACK)
    person = arrive(study, **PHONE)
    person.visit()
    person.sees("Please come with a computer")
    expect(person.page.locator("code")).to_have_text(person.page.url)
    link = person.page.get_by_role("link", name="Return to where you came from")
    expect(link).to_have_attribute("href", "https://b.org/no")
    assert {call for call, *_ in study.calls} == {"info"} and person.kept("token") is None
    assert person.page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_window_that_is_too_narrow_goes_on_once_it_is_wide_enough(arrive):
    person = arrive(PretendStudy(practice=0, scored=2, asks_of_device="min_width=1000"))
    page = person.page
    page.set_viewport_size({"width": 800, "height": 600})
    person.visit()
    person.sees("Please make this window wider")
    expect(page.locator(".screen")).to_contain_text("800 pixels wide, and the study needs 1000")
    page.set_viewport_size({"width": 900, "height": 600})
    expect(page.locator(".screen")).to_contain_text("900 pixels wide")
    page.set_viewport_size({"width": 1000, "height": 600})
    person.press("I agree")
    person.press("Start")
    person.pick(0)
    person.wait_for_trial("2 of 2")
    page.reload()
    page.set_viewport_size({"width": 600, "height": 600})
    page.reload()
    person.sees("Please make this window wider")
    page.set_viewport_size({"width": 1200, "height": 600})
    person.wait_for_trial("2 of 2")


def test_full_screen_is_asked_for_by_a_button_and_its_end_is_told(arrive):
    person = arrive(PretendStudy(practice=0, scored=3, asks_of_device="fullscreen=true"))
    page = person.page
    person.visit()
    person.press("I agree")
    person.press("Start")
    person.sees("Full screen, please")
    person.press("Fill the screen")
    person.wait_for_trial("1 of 3")
    assert page.evaluate("Boolean(document.fullscreenElement)")
    page.evaluate(
        """new Promise((over) => {
          document.addEventListener("fullscreenchange", over, { once: true });
          document.exitFullscreen();
        })"""
    )
    assert not page.evaluate("Boolean(document.fullscreenElement)")
    person.pick(0)
    person.press("Fill the screen")
    person.pick(1)
    person.wait_for_trial("3 of 3")
    first, second = person.study.saved
    assert first["absence"] == {"fullscreen_left": 1}
    assert "absence" not in second


def test_a_browser_that_has_no_full_screen_goes_on_without(arrive):
    person = arrive(PretendStudy(practice=0, scored=1, asks_of_device="fullscreen=true"))
    refusing = "Element.prototype.requestFullscreen = () => Promise.reject(new TypeError())"
    person.page.add_init_script(refusing)
    person.visit()
    person.press("I agree")
    person.press("Start")
    person.press("Fill the screen")
    person.pick(0)
    person.sees("All done")
    (record,) = person.study.participants.values()
    assert record.start["device"]["fullscreen"] is False


def test_forced_colours_leave_the_ground_grey(arrive):
    person = arrive(PretendStudy(practice=0), forced_colors="active")
    person.begin()
    (record,) = person.study.participants.values()
    assert record.start["device"]["forced_colors"] is True
    ground = "getComputedStyle(document.querySelector('.trial')).backgroundColor"
    assert person.page.evaluate(ground) == "rgb(119, 119, 119)"
