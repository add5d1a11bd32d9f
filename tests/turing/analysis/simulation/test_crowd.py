"""Synthetic people do what they are told to, in the long run."""

import numpy as np
import pytest

from tests.turing.support.simulated import level_of as independent_level
from tests.turing.support.simulated import population_mean
from turing.analysis.simulation.crowd import SEEN_THROUGH, Person, Skills, level_of
from turing.errors import TuringError
from turing.study.trials import WILD, correct_choice


def share_right(skills, protocol="pick-original", parts=(None, "fusion"), people=150, photos=40):
    right = correct_choice(protocol, parts)
    crowd = [Person(skills, protocol, 1, number) for number in range(people)]
    return np.mean(
        [
            person.reply("fruits", photo, parts, "fusion").choice == right
            for person in crowd
            for photo in range(photos)
        ]
    )


@pytest.mark.parametrize("fraction", [0.5, 0.7, 0.95])
def test_the_level_gives_the_mean(fraction):
    assert level_of(fraction, float(np.hypot(0.5, 0.8))) == pytest.approx(
        independent_level(fraction), abs=1e-6
    )
    assert population_mean(level_of(fraction, float(np.hypot(0.5, 0.8)))) == pytest.approx(fraction)
    assert level_of(0.8, 0.0) == pytest.approx(np.log(4))


@pytest.mark.parametrize("sd", [0.0, 0.9, 50.0])
@pytest.mark.parametrize("fraction", [5e-324, 1e-30, 1e-9, 1 - 1e-9, 1 - 2**-53])
def test_any_fraction_has_a_level(fraction, sd):
    level = level_of(fraction, sd)
    assert np.isfinite(level)
    assert (level > 0) == (fraction > 0.5)


@pytest.mark.parametrize("protocol", ["pick-original", "pick-fake-sequential", "single"])
@pytest.mark.parametrize("fraction", [0.5, 0.9])
def test_people_are_as_good_as_asked(protocol, fraction):
    skills = Skills({(None, "fusion"): fraction}, default=0.3, sd_participant=0.3, sd_photo=0.3)
    parts = ("fusion",) if protocol == "single" else (None, "fusion")
    # 6,000 choices, people and photos differ: 4 standard errors are about 0.06.
    assert share_right(skills, protocol, parts) == pytest.approx(fraction, abs=0.06)


def test_the_nearest_skill_holds():
    skills = Skills(
        {("fruits", "fusion"): 0.9, (None, "fusion"): 0.7, ("fruits", None): 0.6}, default=0.55
    )
    asked = [("fruits", "fusion"), ("animals", "fusion"), ("fruits", "grey"), ("animals", "grey")]
    assert [skills.fraction(*pair) for pair in asked] == [0.9, 0.7, 0.6, 0.55]


def test_in_preference_the_model_that_is_harder_to_tell_apart_wins():
    skills = Skills({(None, "good"): 0.55, (None, "bad"): 0.9}, sd_photo=0.1)
    picks = [
        Person(skills, "preference", 2, n).reply("fruits", n, ("bad", "good"), None).choice
        for n in range(300)
    ]
    odds = (0.9 / 0.1) / (0.55 / 0.45)
    assert np.mean(picks) == pytest.approx(odds / (1 + odds), abs=0.08)


def test_a_leaning_to_the_left_shows():
    skills = Skills(default=0.5, sd_participant=0, sd_photo=0, left=1.0)
    first = share_right(skills, parts=(None, "fusion"))
    second = share_right(skills, parts=("fusion", None))
    assert first == pytest.approx(1 / (1 + np.exp(-1)), abs=0.03)
    assert second == pytest.approx(1 - first, abs=0.03)


def test_a_person_is_the_same_again_and_no_other():
    def replies(number):
        person = Person(Skills(), "pick-original", 5, number)
        return [person.reply("fruits", n, (None, "fusion"), "fusion") for n in range(20)]

    assert replies(3) == replies(3) != replies(4)
    assert all(reply.rt_ms > 0 for reply in replies(3))


def test_manners_come_as_often_as_asked():
    skills = Skills(careless=0.2, leaves=0.3, withdraws=0.1)
    people = [Person(skills, "pick-original", 0, n) for n in range(2000)]
    for manner, share in [("careless", 0.2), ("leaves", 0.3), ("withdraws", 0.1), ("careful", 0.4)]:
        found = np.mean([person.manner == manner for person in people])
        assert found == pytest.approx(share, abs=0.045)
    stays = [p.stays_for(10) for p in people if p.manner == "leaves"]
    assert min(stays) == 1 and max(stays) == 9
    assert {p.stays_for(10) for p in people if p.manner in ("careful", "careless")} == {10}


def test_the_careless_do_not_look():
    people = [Person(Skills(careless=1.0), "pick-original", 0, n) for n in range(200)]
    replies = [p.reply("fruits", 0, (None, WILD), None, catch=True) for p in people]
    assert np.mean([r.choice for r in replies]) == pytest.approx(0.5, abs=0.15)
    assert np.median([r.rt_ms for r in replies]) < 250


def test_the_careful_see_through_catch_trials():
    people = [Person(Skills(default=0.5), "pick-original", 0, n) for n in range(1000)]
    right = [p.reply("fruits", 0, (WILD, None), None, catch=True).choice == 1 for p in people]
    assert np.mean(right) == pytest.approx(SEEN_THROUGH, abs=0.025)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fractions": {(None, "a"): 1.0}}, "skill a: .*found 1"),
        ({"fractions": {("b", "a"): 2.0}}, "skill b/a: .*found 2"),
        ({"default": 0.0}, "all others: .*found 0"),
        ({"careless": 0.7, "leaves": 0.5}, "1 at most together"),
        ({"careless": -0.1}, "0 or more"),
        ({"careless": float("nan")}, "1 at most together"),
        ({"sd_photo": -1}, "sd_photo: expected 0 or more"),
        ({"sd_participant": float("nan")}, "sd_participant: expected 0 or more"),
        ({"left": float("inf")}, "left: expected a number"),
    ],
)
def test_wrong_skills_are_refused(wrong, message):
    with pytest.raises(TuringError, match=message):
        Skills(**wrong)


def test_less_is_seen_in_less_time():
    skills = Skills({(None, "fusion"): 0.95}, sd_photo=0.2)
    right = correct_choice("pick-original", (None, "fusion"))

    def share(exposure_ms):
        crowd = [Person(skills, "pick-original", 1, number) for number in range(60)]
        replies = [
            person.reply("fruits", photo, (None, "fusion"), "fusion", exposure_ms=exposure_ms)
            for person in crowd
            for photo in range(40)
        ]
        return np.mean([reply.choice == right for reply in replies])

    shares = [share(ms) for ms in (15, 60, 120, 500, None)]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(0.5, abs=0.04)
    assert shares[2] == pytest.approx(0.5 + 0.45 / 2, abs=0.04)  # SEEN_MS
    assert shares[-1] == pytest.approx(0.95, abs=0.03)


def test_the_sure_are_right_more_often():
    person = Person(Skills({(None, "fusion"): 0.75}), "pick-original", 1, 1)
    right, replies = correct_choice("pick-original", (None, "fusion")), []
    for photo in range(3000):
        replies.append(person.reply("fruits", photo, (None, "fusion"), "fusion"))
    by_level = [[r.choice == right for r in replies if r.confidence == n] for n in (1, 2, 3, 4)]
    assert all(len(of) > 100 for of in by_level)
    shares = [np.mean(of) for of in by_level]
    assert shares == sorted(shares) and shares[-1] - shares[0] > 0.15


def test_marks_are_about_a_spot_that_is_the_photos():
    crowd = [Person(Skills(), "pick-original", 1, number) for number in range(50)]
    points = {
        photo: np.array([[m["x"], m["y"]] for person in crowd for m in person.marks(photo, 1)])
        for photo in ("a", "b")
    }
    spread = {photo: at.std(axis=0).max() for photo, at in points.items()}
    assert all(0.02 < value < 0.08 for value in spread.values())
    assert np.abs(points["a"].mean(axis=0) - points["b"].mean(axis=0)).max() > 0.1
    assert crowd[0].marks("a", None) == []


def test_ties_are_davidsons():
    skills = Skills(sd_photo=0.0, alike=0.8)
    crowd = [Person(skills, "preference", 1, number) for number in range(100)]
    choices = [
        person.reply("fruits", photo, ("x", "y"), None, ties=True).choice
        for person in crowd
        for photo in range(30)
    ]
    shares = np.bincount(choices, minlength=3) / len(choices)
    assert shares == pytest.approx([1 / 2.8, 1 / 2.8, 0.8 / 2.8], abs=0.04)  # of two equal ones
    with pytest.raises(TuringError, match="alike: expected 0 or more, found -1"):
        Skills(alike=-1.0)
