"""The participant's page in a real Chromium, against a pretended server of the study's protocol."""

import io
import re
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser import FLAGS, find_browser
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from .pretend_study import Failure, PretendStudy, Served, make_picture

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
COLOUR_VISION = {
    "id": "colour_vision",
    "ask": "Do you have a colour vision deficiency?",
    "choices": ["no", "yes"],
    "required": True,
}
HINTS = {"id": "hints", "ask": "What gave the photos away?", "required": False}


@pytest.fixture(scope="module")
def browser():
    path = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Participant:
    """Someone at the page: what they see and press."""

    def __init__(self, page: Page, served: Served):
        self.page = page
        self.served = served
        self.study = served.study
        self.requests: list[str] = []
        self.faults: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def visit(self, more: str = "", name: str = "demo") -> None:
        self.page.goto(f"{self.served.address}/study?study={name}{more}")

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text, exact=True)).to_be_visible()

    def begin(self, more: str = "") -> None:
        """From the address to the first trial."""
        self.visit(more)
        self.press("I agree")
        self.press("Start")
        self.wait_for_trial()

    def wait_for_trial(self, count: str | None = None) -> None:
        if count:
            expect(self.page.locator(".count")).to_have_text(count)
        self.page.locator(".trial[data-ready]").wait_for()

    def pick(self, part: int) -> None:
        self.wait_for_trial()
        self.page.get_by_role("button", name=f"Photo {part + 1}", exact=True).click()

    def pick_by_key(self, key: str) -> None:
        self.wait_for_trial()
        self.page.keyboard.press(key)

    def kept(self, key: str) -> str | None:
        return self.page.evaluate(f"localStorage.getItem('study/demo/{key}')")

    def saved(self) -> list[int]:
        return [answer["choice"] for answer in self.study.saved]


@pytest.fixture(scope="module")
def page_of_markdown(browser):
    served = Served(PretendStudy())
    page = browser.new_page()
    page.goto(f"{served.address}/study?study=none")
    yield page
    page.close()
    served.stop()


@pytest.fixture
def arrive(browser):
    """Makes participants: each with a server of their own unless one is given."""
    contexts, servers, people = [], [], []

    def make(study: PretendStudy | None = None, served: Served | None = None, **options):
        if served is None:
            served = Served(study or PretendStudy(practice=0))
            servers.append(served)
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(10_000)
        people.append(Participant(contexts[-1].new_page(), served))
        return people[-1]

    yield make
    faults = [fault for person in people for fault in person.faults]
    for context in contexts:
        context.close()
    for served in servers:
        served.stop()
    assert not faults


@contextmanager
def dropped(page: Page, call: str, after_it_was_served: bool = False):
    """Within it, the connection breaks at each call; the list given tells how many there were."""
    broken = []

    def drop(route):
        if after_it_was_served:
            route.fetch()
        broken.append(route.request.post_data)
        route.abort()

    page.route(f"**/{call}", drop)
    yield broken
    page.unroute(f"**/{call}", drop)


# Whole studies


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
    keyboard = person.page.keyboard

    def tab_to(name):
        for _ in range(10):
            keyboard.press("Tab")
            focused = person.page.locator(":focus")
            if focused.evaluate("each => each.textContent || each.value") == name:
                return focused
        raise AssertionError(f"no {name!r} within ten Tabs")

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
def test_large_halves_are_whole_on_a_phone(arrive):
    person = arrive(PretendStudy(practice=0, size=(900, 1200)), **PHONE)
    person.begin()
    boxes = [person.page.locator(f"[data-part='{part}']").bounding_box() for part in (0, 1)]
    foot = person.page.locator("footer").bounding_box()["y"]
    assert boxes[0]["y"] + boxes[0]["height"] < boxes[1]["y"]
    assert boxes[1]["y"] + boxes[1]["height"] < foot
    assert boxes[0]["height"] > 300  # as large as there is room
    assert boxes[0]["width"] / boxes[0]["height"] == pytest.approx(0.75, abs=0.01)
    person.page.keyboard.press("ArrowDown")
    person.wait_for_trial("2 of 4")
    person.pick_by_key("ArrowUp")
    person.wait_for_trial("3 of 4")
    assert person.saved() == [1, 0]


# Coming back


def test_reload_resumes_at_the_same_trial(arrive):
    person = arrive()
    person.begin()
    person.pick(1)
    person.wait_for_trial("2 of 4")
    person.page.reload()
    person.wait_for_trial("2 of 4")
    person.pick(0)
    person.wait_for_trial("3 of 4")
    assert person.saved() == [1, 0]
    assert len(person.study.participants) == 1


def test_server_restarts_in_the_middle_without_reload(arrive):
    person = arrive()
    person.begin()
    person.pick(0)
    person.wait_for_trial("2 of 4")
    person.served.stop()
    person.pick(1)
    person.sees("Your answer is kept and will be sent")
    assert '"choice":1' in person.kept("unsent")
    person.served.start()
    person.wait_for_trial("3 of 4")
    expect(person.page.locator("#quiet")).to_be_hidden()
    assert person.saved() == [0, 1]
    assert person.kept("unsent") is None


def test_unsent_answer_survives_a_reload(arrive):
    person = arrive()
    person.begin()
    with dropped(person.page, "answer"):
        person.pick(1)
        person.sees("Your answer is kept and will be sent")
        assert person.saved() == []
    with dropped(person.page, "answer"):
        person.page.reload()
        person.sees("Your answer is kept and will be sent")
    person.wait_for_trial("2 of 4")
    assert person.saved() == [1]


def test_answer_whose_acknowledgement_is_lost_is_saved_once(arrive):
    person = arrive()
    person.begin()
    with dropped(person.page, "answer", after_it_was_served=True) as broken:
        person.pick(1)
        person.sees("Your answer is kept and will be sent")
    person.wait_for_trial("2 of 4")
    assert len(broken) >= 1
    assert person.saved() == [1]


@pytest.mark.slow
def test_second_tab_goes_on_where_the_first_is(arrive):
    person = arrive()
    person.begin()
    other = Participant(person.page.context.new_page(), person.served)
    other.visit()
    other.wait_for_trial("1 of 4")
    person.pick(0)
    person.wait_for_trial("2 of 4")
    other.pick(1)  # answered by the first tab already: the first answer stands
    other.wait_for_trial("2 of 4")
    other.pick(1)
    other.wait_for_trial("3 of 4")
    person.pick(1)  # the same answer again is no conflict
    person.wait_for_trial("3 of 4")
    assert person.saved() == [0, 1]
    assert len(person.study.participants) == 1


def test_finished_participant_is_told_so(arrive):
    person = arrive(PretendStudy(practice=0, scored=1))
    person.begin()
    person.pick(0)
    person.sees("All done")
    person.page.reload()
    person.sees("You have taken part already")
    person.sees("C0L0R")
    assert len(person.study.participants) == 1


@pytest.mark.slow
def test_draft_of_the_last_questions_survives_a_reload(arrive):
    person = arrive(PretendStudy(practice=0, scored=1, after=[HINTS]))
    person.begin()
    person.pick(0)
    person.page.get_by_label("What gave").fill("Blue hands")
    person.page.reload()
    person.press("Finish")
    person.sees("All done")
    (record,) = person.study.participants.values()
    assert record.end == {"hints": "Blue hands"}
    assert person.kept("draft") is None


# Refusals and failures


@pytest.mark.slow
@pytest.mark.parametrize(
    "failure",
    [
        Failure(503, {"Retry-After": "1"}),
        Failure(503, {"Retry-After": "1"}, saves=True),
        Failure(429, {"Retry-After": "1"}),
        Failure(502, code=None),
        Failure(404, code=None),  # a proxy's page, not the study's word
    ],
    ids=str,
)
def test_passing_failures_are_retried(arrive, failure):
    person = arrive()
    person.begin()
    person.study.failures["answer"] = [failure]
    pressed = time.monotonic()
    person.pick(1)
    person.wait_for_trial("2 of 4")
    assert person.saved() == [1]
    calls = [call for call, *_ in person.study.calls]
    assert calls.count("answer") == 2
    if "Retry-After" in failure.headers:
        assert time.monotonic() - pressed > 1


@pytest.mark.slow
def test_every_call_outlasts_a_lost_connection(arrive):
    person = arrive(PretendStudy(practice=0, scored=1, after=[HINTS]))
    for call in ("info", "start", "picture", "answer", "finish"):
        person.study.failures[call] = [Failure(503, {"Retry-After": "0"})]
    person.begin()
    person.pick(0)
    person.press("Finish")
    person.sees("All done")
    assert person.saved() == [0]


@pytest.mark.slow
def test_token_is_kept_before_it_is_sent(arrive):
    person = arrive()
    person.visit()
    person.press("I agree")
    with dropped(person.page, "start") as broken:
        person.press("Start")
        person.sees("The server does not answer yet. Trying again by itself")
        token = person.kept("token")
        person.page.reload()  # the start may or may not have arrived: the token stays
        person.press("I agree")
        person.press("Start")
        expect(person.page.locator("#quiet")).to_be_visible()
    person.wait_for_trial()
    assert len(broken) >= 2
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert list(person.study.participants) == [token]


def test_unknown_token_is_dropped_and_a_start_offered(arrive):
    person = arrive()
    person.begin()
    (token,) = person.study.participants
    person.study.participants.clear()  # the store was restored from an older copy
    person.pick(1)
    person.page.get_by_text("The server does not know this browser any more").wait_for()
    assert person.kept("token") is None
    assert person.kept("unsent") is None
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial("1 of 4")
    assert token not in person.study.participants
    assert person.saved() == []


@pytest.mark.slow
def test_unknown_token_after_a_reload(arrive):
    person = arrive()
    person.begin()
    person.study.participants.clear()
    person.page.reload()
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial("1 of 4")


def test_known_id_without_a_token_is_not_let_in_twice(arrive):
    study = PretendStudy(practice=0)
    study.known_ids.add("p1")
    person = arrive(study)
    person.visit("&PROLIFIC_PID=p1")
    person.press("I agree")
    person.press("Start")
    person.sees("This ID has taken part already")


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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["other", "", "../x", "a/b"])
def test_unknown_study(arrive, name):
    person = arrive()
    person.visit(name=name)
    person.sees("There is no study here")


@pytest.mark.slow
def test_refused_form_says_why_and_keeps_its_answers(arrive):
    person = arrive(PretendStudy(practice=0, before=[HINTS]))
    person.study.failures["start"] = [Failure(422, code="answers")]
    person.visit()
    person.press("I agree")
    person.press("Continue")
    person.page.get_by_label("What gave").fill("Nothing")
    person.press("Start")
    person.sees("Not now.")
    person.press("Start")
    person.wait_for_trial()
    (record,) = person.study.participants.values()
    assert record.start["answers"] == {"hints": "Nothing"}


@pytest.mark.slow
def test_answer_that_is_refused_for_good_ends_in_a_message(arrive):
    person = arrive()
    person.begin()
    person.study.failures["answer"] = [Failure(422, code="invalid")]
    person.pick(0)
    person.sees("Something went wrong")
    person.press("Load again")
    person.wait_for_trial("1 of 4")


@pytest.mark.slow
def test_broken_picture_is_fetched_again(arrive):
    person = arrive()
    person.study.failures["picture"] = [Failure(200)]
    person.begin()
    person.pick(0)
    person.wait_for_trial("2 of 4")
    assert person.saved() == [0]


@pytest.mark.slow
def test_picture_that_is_not_served(arrive):
    person = arrive()
    person.study.failures["picture"] = [Failure(404, code="picture")]
    person.begin()  # its state is asked again, and its picture
    person.page.reload()
    person.study.failures["picture"] = [Failure(404, code="picture")] * 20
    person.page.reload()
    person.sees("Something went wrong")


# Choice and clock


@pytest.mark.slow
@pytest.mark.parametrize("how", ["click", "key", "held"])
def test_double_press_sends_one_answer(arrive, how):
    person = arrive()
    person.begin()
    part = person.page.get_by_role("button", name="Photo 2")
    if how == "click":
        part.dblclick(delay=20)
    elif how == "key":
        for _ in range(2):
            person.page.keyboard.press("ArrowRight")
    else:
        part.focus()
        for _ in range(30):  # repeated keydowns, as of a key that is held
            person.page.keyboard.down("Enter")
            person.page.wait_for_timeout(30)
        person.page.keyboard.up("Enter")
    person.wait_for_trial("2 of 4")
    person.page.wait_for_timeout(400)
    assert person.saved() == [1]
    expect(person.page.locator(".count")).to_have_text("2 of 4")


@pytest.mark.slow
def test_choice_is_marked_before_the_next_pair(arrive):
    person = arrive()
    person.begin()
    person.page.evaluate(
        """() => {
          const part = document.querySelector("[data-part='1']");
          new MutationObserver(() => (window.marks ??= []).push(
            [performance.now(), "chosen" in part.dataset])
          ).observe(part, { attributeFilter: ["data-chosen"] });
        }"""
    )
    person.pick(1)
    person.wait_for_trial("2 of 4")
    (marked, is_marked), (unmarked, is_still_marked) = person.page.evaluate("window.marks")
    assert (is_marked, is_still_marked) == (True, False)
    assert unmarked - marked >= 149


@pytest.mark.slow
def test_clock_starts_when_the_picture_is_seen(arrive):
    person = arrive()
    person.study.picture_seconds = 1.5
    person.visit()
    person.press("I agree")
    person.press("Start")
    person.sees("Loading the picture")
    person.page.keyboard.press("ArrowLeft")  # there is nothing to choose yet
    person.wait_for_trial()
    assert person.page.locator("[data-part='0'] img").evaluate("each => each.complete")
    person.page.wait_for_timeout(300)
    person.page.keyboard.press("ArrowRight")
    person.wait_for_trial("2 of 4")
    (answer,) = person.study.saved
    assert answer["choice"] == 1
    assert 300 <= answer["rt_ms"] < 1500
    assert answer["shown_ms"] == answer["rt_ms"]


@pytest.mark.slow
def test_next_picture_is_fetched_ahead_and_each_once(arrive):
    person = arrive()
    person.begin()

    def pictures():
        return [
            request.path_params["picture"]
            for call, request, _ in person.study.calls
            if call == "picture"
        ]

    for number in range(1, 4):
        person.wait_for_trial(f"{number} of 4")
        deadline = time.monotonic() + 5
        while len(pictures()) < number + 1 and time.monotonic() < deadline:
            person.page.wait_for_timeout(20)
        assert len(pictures()) == number + 1
        person.pick(0)
    person.wait_for_trial("4 of 4")
    assert pictures() == [f"{number:032x}" for number in range(4)]


# What is shown


def test_halves_are_the_pictures_left_and_right_part(arrive):
    person = arrive()
    person.begin()
    picture = Image.open(io.BytesIO(make_picture(0, 2, person.study.size))).convert("RGB")
    halves = np.split(np.asarray(picture, np.int16), 2, axis=1)
    for part, half in enumerate(halves):
        shot = person.page.locator(f"[data-part='{part}']").screenshot()
        shown = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), np.int16)
        assert shown.shape == half.shape == (240, 320, 3)
        assert np.abs(shown - half).max() <= 2
    first, second = (person.page.locator(f"[data-part='{part}']").bounding_box() for part in (0, 1))
    assert first["y"] == second["y"]
    assert first["x"] + first["width"] < second["x"]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 620, 1280])
def test_pictures_fill_the_window_on_the_same_grey(arrive, scheme, width):
    size = {"width": width, "height": 800}
    study = PretendStudy(practice=0, size=(1600, 1200))
    person = arrive(study, color_scheme=scheme, viewport=size)
    person.begin()
    trial = person.page.locator(".trial")
    colour = trial.evaluate("each => getComputedStyle(each).backgroundColor")
    assert colour == "rgb(119, 119, 119)"  # L = 50
    stage = person.page.locator(".stage").bounding_box()
    first, last = (person.page.locator(f"[data-part='{part}']").bounding_box() for part in (0, 1))
    unused = [
        stage[size] - (last[side] + last[size] - first[side])
        for side, size in (("x", "width"), ("y", "height"))
    ]
    assert 0 <= min(unused) <= 3  # nothing larger would fit
    assert max(unused) >= 0
    assert trial.bounding_box()["height"] == 800


@pytest.mark.slow
def test_all_pairs_have_the_same_markup(arrive):
    person = arrive()
    person.begin()

    def markup():
        html = person.page.locator("body").inner_html()
        return re.sub(r'blob:[^"]+|[12] of 4|(?<=value=")\d', "", html)

    person.pick(0)
    person.wait_for_trial("2 of 4")
    first = markup().replace("2 of 4", "")
    person.pick(1)
    person.wait_for_trial("3 of 4")
    second = markup().replace("3 of 4", "")
    assert first == second


def test_markdown_and_html_in_texts_are_harmless(arrive):
    attack = "<img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script>"
    study = PretendStudy(
        practice=0,
        scored=1,
        title=f"Title {attack}",
        texts={
            "consent": f"{attack}\n\n**Bold** [bad](javascript:window.hacked=1) "
            "[good](https://example.org)",
            "thanks": attack,
            "agree": "<b>Yes</b>",
        },
        before=[{"id": "__proto__", "ask": attack, "choices": [attack, "other"]}],
        end={"code": attack, "return_url": "javascript:window.hacked=1"},
    )
    person = arrive(study)
    person.visit()
    page = person.page
    expect(page.get_by_role("heading")).to_have_text(f"Title {attack}")
    expect(page.locator(".prose strong")).to_have_text("Bold")
    assert page.locator(".prose a").evaluate_all("all => all.map((each) => each.href)") == [
        "https://example.org/"
    ]
    expect(page.locator(".prose")).to_contain_text("[bad](javascript:window.hacked=1)")
    person.press("<b>Yes</b>")
    person.press("Continue")
    page.get_by_label(attack, exact=True).check()
    person.press("Start")
    person.pick(0)
    person.sees("All done")
    expect(page.locator(".code")).to_have_text(attack)
    assert page.locator("#page script, #page img, #page a").count() == 0
    assert page.evaluate("window.hacked") is None
    parsing = "try { document.body.innerHTML = '<b>'; } catch (refused) { refused.name }"
    assert page.evaluate(parsing) == "TypeError"  # the page's policy: no text becomes HTML
    leaving = """new Promise((resolve) => {
      document.addEventListener("securitypolicyviolation", (event) => resolve(event.blockedURI));
      fetch("http://example.invalid/").catch(() => {});
    })"""
    assert page.evaluate(leaving).startswith("http://example.invalid")
    (record,) = study.participants.values()
    assert record.start["answers"] == {"__proto__": attack}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("# Big\n## Small ##", "<h2>Big</h2><h3>Small</h3>"),
        ("- a\n- b\n  more\n\n- c", "<ul><li>a</li><li>b\nmore</li><li>c</li></ul>"),
        ("1. a\n2) b", "<ol><li>a</li><li>b</li></ol>"),
        ("> said\n> so", "<blockquote><p>said\nso</p></blockquote>"),
        ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
        ("**b *i* b** _e_ `c*d*`", None),
        ("snake_case_name 2 * 3 * 4", "<p>snake_case_name 2 * 3 * 4</p>"),
        (r"\*not\* \<b>", "<p>*not* &lt;b&gt;</p>"),
        ("line  \nbreak", "<p>line<br>break</p>"),
        ("<b>&amp;</b>", "<p>&lt;b&gt;&amp;amp;&lt;/b&gt;</p>"),
        ("[x](data:text/html,y)", "<p>[x](data:text/html,y)</p>"),
        ("[x](/relative)", "<p>[x](/relative)</p>"),
    ],
)
def test_markdown(page_of_markdown, text, html):
    shown = page_of_markdown.evaluate(
        """async (text) => {
          const { markdown } = await import("/study/markdown.js");
          const place = document.createElement("div");
          place.append(markdown(text));
          return place.innerHTML;
        }""",
        text,
    )
    html = html or "<p><strong>b <em>i</em> b</strong> <em>e</em> <code>c*d*</code></p>"
    assert shown == html


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


# Protocols


def watch_views(person: Participant) -> None:
    person.page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
          window.views = [];
          new MutationObserver(() => {
            const view = document.querySelector(".trial")?.dataset.view;
            if (view && views.at(-1)?.[1] !== view) views.push([performance.now(), view]);
          }).observe(document.body, { subtree: true, childList: true, attributes: true });
        })"""
    )


@pytest.mark.slow
def test_pick_fake_sequential(arrive):
    study = PretendStudy("pick-fake-sequential", practice=1, scored=2, exposure_ms=400)
    person = arrive(study)
    watch_views(person)
    person.visit()
    person.press("I agree")
    person.press("Start")
    page = person.page
    page.locator(".trial[data-view='part-0']").wait_for()
    page.keyboard.press("1")  # too early: only when both were shown
    person.wait_for_trial()
    views = page.evaluate("views")
    assert [view for _, view in views] == ["blank", "part-0", "part-1", "hidden"]
    first, second, blank = (at for at, _ in views[1:])
    assert 380 < second - first < 800
    assert 380 < blank - second < 800
    visible = "all => all.map((each) => getComputedStyle(each).visibility)"
    assert page.locator(".part img").evaluate_all(visible) == ["hidden", "hidden"]
    person.press("The second")
    person.sees("Not this time.")
    assert study.saved[0]["shown_ms"] == pytest.approx(blank - first, abs=100)
    expect(page.locator("[data-part='0'] .tag")).to_have_text("Colorized")
    person.press("Continue")
    person.press("Start")
    person.wait_for_trial("1 of 2")
    person.press("The first")
    person.wait_for_trial("2 of 2")
    person.pick_by_key("ArrowRight")
    person.sees("All done")
    assert person.saved() == [1, 0, 1]
    assert all(760 < answer["shown_ms"] < 1600 for answer in study.saved)


@pytest.mark.slow
def test_single(arrive):
    person = arrive(PretendStudy("single", practice=1, scored=2))
    person.visit()
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial()
    assert person.page.locator(".part").count() == 1
    box = person.page.locator(".part").bounding_box()
    assert (box["width"], box["height"]) == (320, 240)
    person.press("Colorized")
    person.sees("Not this time.")
    expect(person.page.locator(".tag")).to_have_text("Real")
    person.press("Continue")
    person.press("Start")
    person.wait_for_trial()
    person.press("Real")
    person.wait_for_trial("2 of 2")
    person.pick_by_key("2")
    person.sees("All done")
    assert person.saved() == [1, 0, 1]


@pytest.mark.slow
def test_preference_has_practice_without_feedback(arrive):
    person = arrive(PretendStudy("preference", practice=1, scored=1))
    person.visit()
    person.press("I agree")
    person.press("Start")
    expect(person.page.get_by_role("heading")).to_have_text("Which photo looks more real?")
    person.pick(1)
    person.press("Start")  # practice is over
    person.wait_for_trial("1 of 1")
    person.pick(0)
    person.sees("All done")
    assert person.page.get_by_text("%").count() == 0
    assert person.saved() == [1, 0]


@pytest.mark.slow
def test_hidden_timer_of_one_pair_does_not_hide_the_next(arrive):
    person = arrive(PretendStudy(practice=0, exposure_ms=1500))
    watch_views(person)
    person.begin()
    person.pick(1)  # before the time is up
    person.wait_for_trial("2 of 4")
    person.page.locator(".trial[data-view='hidden']").wait_for()
    (shown, _), (hidden, _) = person.page.evaluate("views.slice(-2)")
    assert hidden - shown > 1480


@pytest.mark.slow
def test_timed_pair_is_hidden_and_can_still_be_answered(arrive):
    person = arrive(PretendStudy(practice=0, exposure_ms=300))
    person.begin()
    person.page.locator(".trial[data-view='hidden']").wait_for()
    visible = "all => all.map((each) => getComputedStyle(each).visibility)"
    assert person.page.locator(".part img").evaluate_all(visible) == ["hidden", "hidden"]
    person.pick(1)
    person.wait_for_trial("2 of 4")
    person.page.locator(".trial[data-view='hidden']").wait_for()
    (answer,) = person.study.saved
    assert 280 <= answer["shown_ms"] < 700
    assert answer["rt_ms"] > answer["shown_ms"]


# Leaving


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


# Around it


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
def test_browser_that_keeps_nothing(arrive):
    person = arrive(PretendStudy(practice=0, scored=1))
    person.page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
          get() { throw new DOMException("denied", "SecurityError"); },
        })"""
    )
    person.visit()
    person.page.get_by_text("This browser keeps nothing for this page").wait_for()
    person.press("I agree")
    person.press("Start")
    person.pick(0)
    person.sees("All done")


@pytest.mark.slow
def test_code_is_copied(arrive):
    person = arrive(
        PretendStudy(practice=0, scored=1), permissions=["clipboard-read", "clipboard-write"]
    )
    person.begin()
    person.pick(0)
    person.press("Copy")
    person.sees("Copied")
    assert person.page.evaluate("navigator.clipboard.readText()") == "C0L0R"


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
