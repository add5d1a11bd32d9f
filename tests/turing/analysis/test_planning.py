"""Sentences with the figures of `turing.statistics.power`, and nothing but them."""

import pytest

from turing.analysis.planning import look_lines, plan_lines
from turing.statistics import power


def test_the_plan_for_a_margin():
    lines = plan_lines(20, 100, margin=0.1)
    people = power.participants_for_margin(0.1, 20, 100)
    assert lines[0] == (
        "To show with 80% power that a true fraction of 0.5 is within 0.5 ± 0.1: "
        f"{people} people with 20 trials each on 100 photos."
    )
    assert f"0.5 ± {power.half_width(people, 20, 100):.3f}" in lines[1]
    assert lines[-1].startswith("4 participants cannot be expected to show 'indistinguishable'")


def test_the_plan_for_an_effect():
    lines = plan_lines(20, 100, effect=0.6, wanted=0.9)
    people = power.participants_for_effect(0.6, 20, 100, 0.9)
    assert lines[0].startswith("To find with 90% power that a true fraction of 0.6 is not 0.5: ")
    assert f": {people} people " in lines[0]


def test_no_number_of_people_makes_up_for_photos():
    assert "no number of people is enough" in plan_lines(10, 10, margin=0.02)[0]
    assert "take more photos" in plan_lines(10, 10, effect=0.52)[0]


def test_what_so_many_people_can_show():
    lines = plan_lines(40, 200, participants=40)
    assert lines[0].startswith("40 people have 40 trials each on 200 photos.")
    assert f"0.5  ± {power.half_width(40, 40, 200):.3f}" in lines[1]
    assert f"± {power.half_width_limit(200):.3f} at best" in lines[1]
    assert f"{power.plan(40, 40, 200).margin:.3f}." in lines[5] and len(lines) == 6
    few = plan_lines(40, 200, participants=4)
    assert few[-1].startswith("4 participants cannot be expected")
    for alone in ((40, 200, 1), (1, 1, 40)):
        assert "there is no interval" in plan_lines(*alone)[1] and len(plan_lines(*alone)) == 2
    assert plan_lines(1, 1, participants=1)[0] == "1 person has 1 trial each on 1 photo."


def test_no_interval_of_few_people_leaves_0_to_1():
    lines = plan_lines(20, 100, participants=2)
    low, high = power.expected_interval(2, 20, 100, 0.98)
    assert f"0.98 [{low:.3f}, {high:.3f}]" in lines[4]
    for crowd in (2, 3, 5):
        for line in plan_lines(3, 9, participants=crowd)[1:5]:
            fraction, *of = line.split("(")[0].split()
            assert of[0] != "±" or float(of[1]) <= min(float(fraction), 1 - float(fraction))
    low, high = power.expected_interval(4, 2, 3, 0.9)
    assert f"[{low:.3f}, {high:.3f}]" in plan_lines(2, 3)[2]
    assert "as wide as can be at 0.5" in look_lines((2, 3), 2, 5)[1]


def test_an_overview_where_nothing_is_asked():
    lines = plan_lines(40, 200)
    assert len(lines) == 9
    assert [line.split()[0] for line in lines[2:8]] == ["4", "10", "20", "40", "80", "160"]
    assert len({len(line) for line in lines[1:8]}) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"trials": 30, "photos": 20},
        {"margin": 0.6},
        {"margin": 0.0},
        {"effect": 0.5},
        {"effect": 1.0},
        {"margin": 0.1, "wanted": 1.0},
    ],
)
def test_no_such_study(wrong):
    with pytest.raises(ValueError, match="expected"):
        plan_lines(**{"trials": 10, "photos": 20} | wrong)
