"""The pictures of trials: fetched once, shown whole, and all alike but for their colours."""

import io
import re
import time

import numpy as np
import pytest
from PIL import Image

from tests.turing.support.participant import PHONE
from tests.turing.support.pretend_study import Failure, PretendStudy, make_picture

pytestmark = pytest.mark.browser


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
        deadline = time.monotonic() + 60  # for a busy machine
        while len(pictures()) < number + 1 and time.monotonic() < deadline:
            person.page.wait_for_timeout(20)
        assert len(pictures()) == number + 1
        person.pick(0)
    person.wait_for_trial("4 of 4")
    assert pictures() == [f"{number:032x}" for number in range(4)]


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
