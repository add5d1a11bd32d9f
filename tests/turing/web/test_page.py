"""The participant's page in a real Chromium, against a pretended server of the protocol."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.turing.support.participant import COLOUR_VISION, HINTS, PHONE, dropped
from tests.turing.support.pretend_study import PretendStudy

pytestmark = pytest.mark.browser


def test_whole_study_by_mouse(arrive):
    study = PretendStudy(
        practice=1,
        scored=4,
        break_every=2,
        before=[COLOUR_VISION],
        after=[HINTS],
        end={
            "code": "C0L0R",
            "return_url": "https://example.org/done?cc=C0L0R",
            "score": {"correct": 3, "total": 4},
        },
    )
    person = arrive(study)
    person.visit("&PROLIFIC_PID=p1&SESSION_ID=s%201")
    person.sees("Which photo is real?")
    person.press("I agree")
    person.press("Continue")
    person.press("Start")  # nothing is sent before the required question is answered
    assert not study.participants
    person.page.get_by_label("no", exact=True).check()
    person.press("Start")

    person.wait_for_trial("Practice 1 of 1")
    person.pick(1)
    person.sees("Not this time.")
    expect(person.page.locator("[data-part='0'] .tag")).to_have_text("Real")
    expect(person.page.locator("[data-part='1'] .tag")).to_have_text("Colorized")
    person.press("Continue")
    person.sees("That was practice")
    person.press("Start")
    for number, choice in enumerate([0, 1, 1, 0], 1):
        if number == 3:
            person.sees("2 of 4 are done. Rest your eyes, and go on when you like.")
            person.press("Continue")
        person.wait_for_trial(f"{number} of 4")
        person.pick(choice)
    person.page.get_by_label("What gave").fill("The sky")
    person.press("Finish")
    person.sees("All done")
    person.sees("Thank you for taking part!")
    person.sees("75%")
    person.sees("You were right 3 times out of 4.")
    person.sees("C0L0R")
    back = person.page.get_by_role("link", name="Return to where you came from")
    expect(back).to_have_attribute("href", "https://example.org/done?cc=C0L0R")

    assert person.saved() == [1, 0, 1, 1, 0]
    (record,) = study.participants.values()
    device = record.start.pop("device")
    assert (device["viewport_width"], device["visibility"]) == (1280, "visible")
    assert not any("device" in answer or "absence" in answer for answer in study.saved)
    assert record.start == {
        "consent": True,
        "query": {"PROLIFIC_PID": "p1", "SESSION_ID": "s 1"},
        "answers": {"colour_vision": "no"},
    }
    assert record.end == {"hints": "The sky"}
    allowed = ("/study", "/gradio_api/study/demo/")
    asked = [url for url in person.requests if not url.startswith(("blob:", "data:"))]
    assert all(url.startswith(person.served.address) for url in asked)
    assert all(urlsplit(url).path.startswith(allowed) for url in asked)
    assert all(
        request.headers["content-type"] == "application/json"
        and request.headers["origin"] == person.served.address
        for _, request, _ in study.calls
        if request.method == "POST"
    )


def test_whole_study_by_keyboard(arrive):
    person = arrive(PretendStudy(practice=1, scored=4, break_every=2, before=[COLOUR_VISION]))
    keyboard, tab_to = person.page.keyboard, person.tab_to

    person.visit()
    person.sees("I agree")
    agree = tab_to("I agree")
    assert agree.evaluate("each => getComputedStyle(each).outlineWidth") == "3px"
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")  # nobody agrees by accident
    person.sees("I agree")
    tab_to("I agree")
    keyboard.press("Enter")
    person.sees("What to do")
    keyboard.press("Enter")  # the heading has the focus: Enter goes on
    person.sees("A few questions")
    tab_to("no")
    keyboard.press("Space")
    tab_to("Start")
    keyboard.press("Enter")
    person.pick_by_key("ArrowLeft")
    person.sees("Right.")
    keyboard.press("Enter")
    person.sees("That was practice")
    keyboard.press("Enter")
    person.pick_by_key("ArrowRight")
    person.wait_for_trial("2 of 4")
    person.pick_by_key("1")
    person.sees("Time for a break")
    keyboard.press("Enter")
    person.wait_for_trial("3 of 4")
    person.pick_by_key("2")
    person.wait_for_trial("4 of 4")
    keyboard.press("Tab")  # from the question to the first photo
    focused = person.page.locator(":focus")
    assert focused.get_attribute("aria-label") == "Photo 1"
    assert focused.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    keyboard.press("Enter")
    person.sees("All done")
    assert person.saved() == [0, 1, 0, 1, 0]


def test_whole_study_on_a_phone(arrive):
    person = arrive(PretendStudy(practice=1, scored=3, break_every=2, after=[HINTS]), **PHONE)
    page = person.page
    person.visit()
    for label in ("I agree", "Start"):
        page.get_by_role("button", name=label).tap()
    person.wait_for_trial()
    person.sees("Tap a photo")
    first, second = (page.locator(f"[data-part='{part}']").bounding_box() for part in (0, 1))
    assert first["y"] > page.locator("header").bounding_box()["height"]
    assert first["y"] + first["height"] < second["y"]
    assert second["y"] + second["height"] < page.locator("footer").bounding_box()["y"]
    assert first["width"] == second["width"] == 320  # the picture's own size
    page.get_by_role("button", name="Photo 2").tap()
    page.get_by_role("button", name="Continue").tap()
    page.get_by_role("button", name="Start").tap()
    for number, label in enumerate(["Photo 1", "Photo 2", "Photo 1"], 1):
        if number == 3:
            page.get_by_role("button", name="Continue").tap()
        person.wait_for_trial(f"{number} of 3")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.get_by_role("button", name=label).tap()
    page.get_by_role("button", name="Finish").tap()
    person.sees("All done")
    assert person.saved() == [1, 0, 1, 0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["other", "", "../x", "a/b"])
def test_unknown_study(arrive, name):
    person = arrive()
    person.visit(name=name)
    person.sees("There is no study here")


@pytest.mark.slow
def test_closed_study(arrive):
    person = arrive()
    person.begin()
    person.study.closed = True
    person.page.reload()
    person.wait_for_trial("1 of 4")  # who has a token may finish
    late = arrive(served=person.served)
    late.visit()
    late.sees("This study is closed")


def test_known_id_without_a_token_is_not_let_in_twice(arrive):
    study = PretendStudy(practice=0)
    study.known_ids.add("p1")
    person = arrive(study)
    person.visit("&PROLIFIC_PID=p1")
    person.press("I agree")
    person.press("Start")
    person.sees("This ID has taken part already")


@pytest.mark.slow
def test_preview_sends_its_key_and_is_kept_apart(arrive):
    person = arrive()
    person.begin("&preview=KEY")
    (record,) = person.study.participants.values()
    assert record.start["preview"] == "KEY"
    assert record.start["query"] == {}
    (info,) = (request for call, request, _ in person.study.calls if call == "info")
    assert info.query_params["preview"] == "KEY"
    person.visit()
    person.press("I agree")  # as a participant, one has not begun yet


@pytest.mark.slow
def test_preview_can_be_walked_again(arrive):
    person = arrive(PretendStudy(practice=0, scored=1))
    for _ in range(2):
        person.begin("&preview=KEY")
        person.pick(0)
        person.sees("All done")
    assert len(person.study.participants) == 2


@pytest.mark.slow
def test_texts_of_another_language_and_of_the_study(arrive):
    study = PretendStudy(
        practice=0,
        language="de",
        languages={"de": {"agree": "Einverstanden", "start": "Los", "leave": "Verlassen"}},
        texts={"leave": "Studie verlassen"},
    )
    person = arrive(study)
    person.visit()
    person.press("Einverstanden")
    expect(person.page.get_by_role("heading")).to_have_text("What to do")  # not translated
    person.sees("Studie verlassen")
    person.press("Los")
    person.wait_for_trial()
    assert person.page.locator("html").get_attribute("lang") == "de"


def test_page_in_a_frame_of_the_same_origin(arrive):
    person = arrive()
    person.page.goto(f"{person.served.address}/study/texts/en.json")
    person.page.set_content(
        '<iframe src="/study?study=demo" style="width: 800px; height: 600px"></iframe>'
    )
    frame = person.page.frame_locator("iframe")
    for label in ("I agree", "Start", "Photo 2"):
        frame.get_by_role("button", name=label).click()
    expect(frame.locator(".count")).to_have_text("2 of 4")
    assert person.saved() == [1]


@pytest.mark.slow
def test_declining_stores_nothing(arrive):
    person = arrive()
    person.visit()
    person.press("No, thank you")
    person.sees("That is fine")
    assert person.kept("token") is None
    person.press("Back to the beginning")
    person.press("I agree")
    person.press("Leave the study")
    person.sees("That is fine")
    assert {call for call, *_ in person.study.calls} == {"info"}


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["trial", "practice over", "break", "questions after"])
def test_leaving_at_every_stage(arrive, stage):
    study = PretendStudy(practice=1, scored=2, break_every=1, after=[HINTS])
    person = arrive(study)
    person.begin()
    if stage != "trial":
        person.pick(0)
        person.press("Continue")
        person.sees("That was practice")
    if stage in ("break", "questions after"):
        person.press("Start")
        person.pick(0)
        person.sees("Time for a break")
    if stage == "questions after":
        person.press("Continue")
        person.pick(0)
        person.sees("A few questions")
    person.press("Leave the study")
    person.press("Stay")
    assert not next(iter(study.participants.values())).withdrawn
    person.press("Leave the study")
    person.page.get_by_role("dialog").get_by_role("button", name="Leave the study").click()
    person.sees("You have left the study")
    assert next(iter(study.participants.values())).withdrawn
    person.page.reload()
    person.sees("You have left the study")


@pytest.mark.slow
def test_leaving_gives_up_an_unsent_answer(arrive):
    person = arrive()
    person.begin()
    with dropped(person.page, "answer"):
        person.pick(1)
        person.sees("Your answer is kept and will be sent")
        person.press("Leave the study")
        person.page.get_by_role("dialog").get_by_role("button", name="Leave the study").click()
        person.sees("You have left the study")
    person.page.wait_for_timeout(700)
    assert person.saved() == []
    assert person.kept("unsent") is None
    expect(person.page.locator("#quiet")).to_be_hidden()
