"""Which plates a participant sees: even over deficiencies, without a clue, the same for ever."""

from collections import Counter
from itertools import pairwise

from scipy.stats import binomtest, chisquare

from turing.study.screening import (
    ANSWERS,
    DEFICIENCIES,
    GAPS,
    every_plate,
    participant_plates,
    screened,
)

KEY = bytes(range(32))


def drawn(number=1, count=6, **more):
    return participant_plates(count, KEY, 7, number, **more)


def test_a_participant_sees_the_same_plates_for_ever():
    assert drawn() == drawn() and len(drawn()) == 6
    others = [drawn(2), drawn(part=2), drawn(preview=True), participant_plates(6, bytes(32), 7, 1)]
    assert all(other != drawn() for other in others)
    assert participant_plates(0, KEY, 7, 1) == ()


def test_deficiencies_come_up_equally_often_and_patterns_never_twice_in_a_row():
    for number in range(1, 200):
        for count in (1, 5, 6, 7):
            plates = drawn(number, count)
            times = Counter(plate.deficiency for plate in plates)
            assert max(times.values()) - min(times[kind] for kind in DEFICIENCIES) <= 1
            assert all(a.pattern != b.pattern for a, b in pairwise(plates))
            assert set(plates) <= set(every_plate())


def test_gaps_and_deficiencies_cannot_be_guessed():
    people = [drawn(number) for number in range(1, 3001)]
    gaps = Counter((place, of.gap) for plates in people for place, of in enumerate(plates))
    for place in range(6):
        assert chisquare([gaps[place, gap] for gap in GAPS]).pvalue > 1e-4
    same = sum(a.gap == b.gap for plates in people for a, b in pairwise(plates))
    assert binomtest(same, 5 * len(people), 0.25).pvalue > 1e-4
    firsts = Counter(plates[0].deficiency for plates in people)
    assert chisquare([firsts[kind] for kind in DEFICIENCIES]).pvalue > 1e-4


def test_what_was_missed_is_named():
    plates = [("tritan", "up", "up"), ("protan", "left", "none"), ("deutan", "up", "down")]
    assert screened([*plates, ("tritan", "left", None)]) == (4, 3, 1, ("protan", "deutan"))
    assert screened([]) == (0, 0, 0, ())
    assert set(GAPS) < set(ANSWERS) and len(ANSWERS) == 5
