"""The choice and the clock, in every protocol."""

import time
from itertools import groupby
from operator import itemgetter

import pytest
from playwright.sync_api import expect

from tests.support.gates import hold, until
from tests.turing.support.participant import Participant
from tests.turing.support.pretend_study import PretendStudy

pytestmark = pytest.mark.browser


@pytest.mark.slow
@pytest.mark.parametrize("how", ["click", "key", "held"])
def test_double_press_sends_one_answer(arrive, how):
    person = arrive()
    person.begin()
    part = person.page.get_by_role("button", name="Photo 2")
    if how != "held":  # no press is so late that it finds the next pair
        held = hold(person.page, "**/answer")
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
    if how != "held":
        until(lambda: held, person.page)
        person.page.wait_for_timeout(100)  # in which a second one might come
        (answer,) = held
        answer.continue_()
    person.wait_for_trial("2 of 4")
    person.page.wait_for_timeout(400)
    assert person.saved() == [1]
    expect(person.page.locator(".count")).to_have_text("2 of 4")


def test_looking_away_is_counted_with_the_answer(arrive):
    person = arrive()
    person.begin()

    def turn(*events):
        for event in events:
            person.page.evaluate(f"dispatchEvent(new Event('{event}'))")

    turn("blur", "focus", "blur", "blur")
    person.pick(0)
    person.wait_for_trial("2 of 4")  # away as it began, and never back
    person.pick_by_key("1")
    person.wait_for_trial("3 of 4")
    turn("focus")
    person.pick(0)
    person.wait_for_trial("4 of 4")
    person.pick(0)
    person.sees("All done")
    assert [answer["focus_lost"] for answer in person.study.saved] == [2, 1, 1, 0]


@pytest.mark.slow
def test_looking_away_for_ever_does_not_spoil_the_answer(arrive):
    person = arrive()
    person.begin()
    person.page.evaluate(
        """() => {
          for (let times = 0; times < 20_000; times += 1) {
            dispatchEvent(new Event("blur"));
            dispatchEvent(new Event("focus"));
          }
        }"""
    )
    person.pick(0)
    person.wait_for_trial("2 of 4")
    (answer,) = person.study.saved
    assert answer["focus_lost"] == 1000  # what the server takes


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
    person.study.pictures.shut()
    person.visit()
    person.press("I agree")
    person.press("Start")
    person.sees("Loading the picture")
    person.page.keyboard.press("ArrowLeft")  # there is nothing to choose yet
    given = time.monotonic()
    person.study.pictures.open()
    person.wait_for_trial()
    assert person.page.locator("[data-part='0'] img").evaluate("each => each.complete")
    person.page.wait_for_timeout(300)
    person.page.keyboard.press("ArrowRight")
    person.wait_for_trial("2 of 4")
    since_given_ms = 1000 * (time.monotonic() - given)
    (answer,) = person.study.saved
    assert answer["choice"] == 1
    assert 300 <= answer["rt_ms"] < since_given_ms  # of this machine, however busy it is
    assert answer["shown_ms"] == answer["rt_ms"]


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


# Frames that come 60 times a second by their own clock, one for each of this machine, however late
# that is; none while the page shows the view `held`.
STEADY_FRAMES = """{
  const next = requestAnimationFrame;
  let last = 0, at = 1000;
  window.held = null;
  window.requestAnimationFrame = (then) => {
    const come = (now) => {
      if (held && document.querySelector(".trial")?.dataset.view === held) return void next(come);
      if (now !== last) [last, at] = [now, at + 1000 / 60];
      then(at);
    };
    return next(come);
  };
}"""

COUNT_FRAMES = """addEventListener("DOMContentLoaded", () => {
  window.painted = []; // what each frame showed, and when
  const look = (now) => {
    painted.push([document.querySelector(".trial")?.dataset.view ?? "none", now]);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def runs(painted):
    """(view, frames, milliseconds) of each run of equal views.

    `COUNT_FRAMES` looks before the page does: a view was set in the last frame of the one before,
    so that a late frame in between is part of its time.
    """
    found, began = [], painted[0][1]
    for view, frames in groupby(painted, itemgetter(0)):
        times = [time for _, time in frames]
        found.append((view, len(times), times[-1] - began))
        began = times[-1]
    return found


@pytest.mark.slow
def test_pick_fake_sequential(arrive):
    study = PretendStudy("pick-fake-sequential", practice=1, scored=2, exposure_ms=400)
    person = arrive(study)
    watch_views(person)
    for script in (STEADY_FRAMES, "held = 'part-0';", COUNT_FRAMES):
        person.page.add_init_script(script)
    person.visit()
    person.press("I agree")
    person.press("Start")
    page = person.page
    page.locator(".trial[data-view='part-0']").wait_for()
    page.keyboard.press("1")  # too early: only when both were shown
    page.evaluate("held = null")
    person.wait_for_trial()
    assert [view for _, view in page.evaluate("views")] == ["blank", "part-0", "part-1", "hidden"]
    times = {view: ms for view, _, ms in runs(page.evaluate("painted"))}
    assert [times["part-0"], times["part-1"]] == pytest.approx([400, 400], abs=1)
    visible = "all => all.map((each) => getComputedStyle(each).visibility)"
    assert page.locator(".part img").evaluate_all(visible) == ["hidden", "hidden"]
    person.press("The second")
    person.sees("Not this time.")
    assert study.saved[0]["shown_ms"] == pytest.approx(800, abs=1)
    expect(page.locator("[data-part='0'] .tag")).to_have_text("Colorized")
    person.press("Continue")
    person.press("Start")
    person.wait_for_trial("1 of 2")
    person.press("The first")
    person.wait_for_trial("2 of 2")
    person.pick_by_key("ArrowRight")
    person.sees("All done")
    assert person.saved() == [1, 0, 1]
    assert [answer["shown_ms"] for answer in study.saved] == pytest.approx([800] * 3, abs=1)


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
    person.page.add_init_script(COUNT_FRAMES)
    person.begin()
    person.page.locator(".trial[data-view='hidden']").wait_for()
    visible = "all => all.map((each) => getComputedStyle(each).visibility)"
    assert person.page.locator(".part img").evaluate_all(visible) == ["hidden", "hidden"]
    person.pick(1)
    person.wait_for_trial("2 of 4")
    person.page.locator(".trial[data-view='hidden']").wait_for()
    (answer,) = person.study.saved
    first = next(ms for view, _, ms in runs(person.page.evaluate("painted")) if view == "all")
    assert 280 <= answer["shown_ms"] == pytest.approx(first, abs=0.2)  # on a busy machine longer
    assert answer["rt_ms"] > answer["shown_ms"]


@pytest.mark.slow
@pytest.mark.parametrize("asks", [{}, {"mask_ms": 200}], ids=["alone", "mask"])
def test_a_timed_pair_goes_with_an_answer_that_comes_before_its_time_is_up(arrive, asks):
    """What is asked next is asked without it, as of who answers later, and it tells how long."""
    asks = {"confidence": True, **asks}
    person = arrive(PretendStudy(practice=0, scored=1, exposure_ms=60_000, asks=asks))
    person.page.add_init_script(COUNT_FRAMES)
    person.begin()
    person.page.locator(".trial[data-view='all']").wait_for()
    person.page.wait_for_timeout(300)
    person.pick(1)
    person.sees("How sure are you?")
    assert person.page.locator(".trial").get_attribute("data-view") == "hidden"
    person.page.wait_for_timeout(350)
    person.page.keyboard.press("2")
    person.sees("All done")
    (answer,) = person.study.saved
    (shown,) = [ms for view, _, ms in runs(person.page.evaluate("painted")) if view == "all"]
    assert answer["shown_ms"] == pytest.approx(shown, abs=0.2) and 300 <= shown < 60_000
    assert answer["rt_ms"] <= answer["shown_ms"] and answer["view"]["frames"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("exposure_ms", [50, 100, 250, 1000])
@pytest.mark.parametrize("kind", ["pick-fake-sequential", "pick-original"])
@pytest.mark.parametrize("frames", ["steady", "this machine's"])
def test_timed_pictures_are_shown_for_their_frames(arrive, kind, exposure_ms, frames):
    trials, is_steady = 3, frames == "steady"
    person = arrive(PretendStudy(kind, practice=0, scored=trials, exposure_ms=exposure_ms))
    for script in [STEADY_FRAMES] * is_steady + [COUNT_FRAMES]:
        person.page.add_init_script(script)
    person.visit()
    person.press("I agree")
    person.press("Start")
    for number in range(1, trials + 1):
        person.wait_for_trial(f"{number} of {trials}")
        person.page.locator(".trial[data-view='hidden']").wait_for()
        person.page.wait_for_timeout(50)
        person.pick_by_key("1")
    person.sees("All done")
    views = ["part-0", "part-1"] if kind == "pick-fake-sequential" else ["all"]
    shown = [run for run in runs(person.page.evaluate("painted")) if run[0] in views]
    by_trial = [shown[n * len(views) : (n + 1) * len(views)] for n in range(trials)]
    clean = 0
    for counted, answer in zip(by_trial, person.study.saved, strict=True):
        view = answer["view"]
        assert [name for name, *_ in counted] == views
        assert sum(frames for _, frames, _ in counted) == view["frames"]
        if view["dropped_frames"]:  # a busy machine
            continue
        clean += 1
        wanted = max(1, round(exposure_ms * view["refresh_hz"] / 1000))
        assert [frames for _, frames, _ in counted] == [wanted] * len(views)
        frame_ms = 1000 / view["refresh_hz"]
        assert answer["shown_ms"] == pytest.approx(len(views) * wanted * frame_ms, abs=frame_ms / 2)
    assert clean == trials or not is_steady


@pytest.mark.slow
def test_how_a_picture_stood_on_the_page_is_sent(arrive):
    person = arrive(PretendStudy(practice=0, scored=1))
    person.begin()
    box = person.page.locator("[data-part='0']").bounding_box()
    person.pick(0)
    person.sees("All done")
    assert person.study.saved[0]["view"] == {
        "drawn_width": box["width"],
        "drawn_height": box["height"],
        "device_pixel_ratio": 1,
        "layout": "beside",
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pick-fake-sequential", "pick-original"])
@pytest.mark.parametrize("frames", ["steady", "this machine's"])
def test_cross_gap_and_mask_are_shown_for_their_frames(arrive, kind, frames):
    around = {"fixation_ms": 200, "gap_ms": 100, "mask_ms": 150}
    study = PretendStudy(kind, practice=0, scored=3, exposure_ms=250, asks=around)
    person, is_steady = arrive(study), frames == "steady"
    for script in [STEADY_FRAMES] * is_steady + [COUNT_FRAMES]:
        person.page.add_init_script(script)
    person.visit()
    person.press("I agree")
    person.press("Start")
    for number in range(1, 4):
        person.wait_for_trial(f"{number} of 3")
        person.page.locator(".trial[data-view='hidden']").wait_for()
        person.page.wait_for_timeout(50)
        person.pick_by_key("1")
    person.sees("All done")
    shown = runs(person.page.evaluate("painted"))
    shown = shown[[name for name, *_ in shown].index("fixation") :]
    parts = ["part-0", "part-1"] if kind == "pick-fake-sequential" else ["all"]
    views = ["fixation", *(view for part in parts for view in ("blank", part, f"mask {part}"))]
    clean = 0
    for answer in study.saved:
        rate = answer["view"]["refresh_hz"]
        one, shown = shown[: len(views)], shown[len(views) :]
        assert [name for name, *_ in one] == views
        assert shown.pop(0)[0] == "hidden"
        shown = shown[1:] if shown and shown[0][0] == "blank" else shown  # before the next cross
        pictures = [frames for name, frames, _ in one if name in parts]
        assert sum(pictures) == answer["view"]["frames"]  # of cross, gap and mask none
        if answer["view"]["dropped_frames"] or rate < 50:  # a busy machine
            continue
        clean += 1
        assert pictures == [round(0.25 * rate)] * len(parts)
        assert answer["shown_ms"] == pytest.approx(sum(pictures) / rate * 1000, abs=20)
        lasting = {"fixation": 0.2, "blank": 0.1}
        for name, _, ms in one:
            seconds = lasting.get(name, 0.15 if name.startswith("mask") else 0.25)
            assert ms >= (round(seconds * rate) - 0.5) / rate * 1000
    assert clean == 3 or not is_steady


@pytest.mark.slow
def test_a_mask_takes_the_place_of_the_picture(arrive):
    person = arrive(PretendStudy(practice=0, exposure_ms=100, asks={"mask_ms": 60_000}))
    person.page.add_init_script(STEADY_FRAMES)
    person.begin()
    person.page.locator(".trial[data-view='mask all']").wait_for()
    visible = "all => all.map((each) => getComputedStyle(each).visibility)"
    assert person.page.locator(".part img").evaluate_all(visible) == ["hidden"] * 2
    assert person.page.locator(".mask").evaluate_all(visible) == ["visible"] * 2
    size = "all => all.map((each) => [each.width, each.height])"
    assert person.page.locator(".mask").evaluate_all(size) == [[320, 240]] * 2
    assert person.page.locator(".mask").first.evaluate(
        """each => new Set(each.getContext("2d").getImageData(0, 0, 64, 64).data).size > 100"""
    )
    person.pick(1)  # while the mask is there
    person.wait_for_trial("2 of 4")
    (answer,) = person.study.saved
    assert answer["shown_ms"] == pytest.approx(100, abs=1)


@pytest.mark.slow
def test_a_cross_before_a_picture_that_stays(arrive):
    person = arrive(PretendStudy(practice=0, scored=1, asks={"fixation_ms": 400}))
    watch_views(person)
    for script in (STEADY_FRAMES, COUNT_FRAMES):
        person.page.add_init_script(script)
    person.begin()
    person.pick(0)
    person.sees("All done")
    views = person.page.evaluate("views")
    assert [view for _, view in views][:3] == ["blank", "fixation", "all"]
    times = {view: ms for view, _, ms in runs(person.page.evaluate("painted"))}
    assert times["fixation"] == pytest.approx(400, abs=1)
