"""What `turing.statistics.power` computes, in sentences: the plan of a study."""

from collections.abc import Sequence

from turing.statistics import power
from turing.statistics.sequential import Spending, looks
from turing.study.counts import count, people

_Z = 1.96  # of the 95% interval that `half_width` gives
FRACTIONS = (0.5, 0.7, 0.9, 0.98)
CROWDS = (4, 10, 20, 40, 80, 160)


def plan_lines(
    trials: int,
    photos: int,
    participants: int | None = None,
    margin: float | None = None,
    effect: float | None = None,
    wanted: float = 0.8,
) -> list[str]:
    """The plan for a margin, for an effect, of a number of people, or an overview of all.

    `trials` a person in a cell of `photos`. ValueError where no study is like that.
    """
    lines = []
    if margin is not None:
        lines += _margin(margin, trials, photos, wanted)
    if effect is not None:
        lines += _effect(effect, trials, photos, wanted)
    if participants is not None:
        lines += _crowd(participants, trials, photos, 0.1 if margin is None else margin)
    return lines or _overview(trials, photos)


def look_lines(
    participants: Sequence[int], trials: int, photos: int, spending: Spending = "obrien-fleming"
) -> list[str]:
    """A line for each look: its levels, and the interval that it would give of a fraction of 0.5.

    ValueError where the numbers do not rise, or no study is like that.
    """
    apart = looks(participants, spending)
    alike = looks(participants, spending, two_sided=False)
    lines = [f"Looks with an error of 5% in all, spent as by {spending}:"]
    for look, margin in zip(apart, alike, strict=True):
        width = power.half_width(look.participants, trials, photos) * look.z / _Z
        lines.append(
            f"  {look.participants:>5} people: intervals of {1 - look.level:.3%}, "
            f"{f'± {width:.3f}' if width < 0.5 else 'as wide as can be'} at 0.5; "
            f"{1 - 2 * margin.level:.3%} for the margin; spent {look.spent:.5f}"
        )
    return lines


def _margin(delta: float, trials: int, photos: int, wanted: float) -> list[str]:
    goal = f"To show with {wanted:.0%} power that a true fraction of 0.5 is within 0.5 ± {delta:g}"
    found = power.participants_for_margin(delta, trials, photos, wanted)
    lines = [_answer(goal, found, trials, photos)]
    if found is not None:
        around = _around(0.5, found, trials, photos)
        lines.append(f"The 95% interval would then be about 0.5 {around}.")
    lines.append(_four_participants(trials, photos, delta))
    return [line for line in lines if line]


def _effect(fraction: float, trials: int, photos: int, wanted: float) -> list[str]:
    goal = f"To find with {wanted:.0%} power that a true fraction of {fraction:g} is not 0.5"
    found = power.participants_for_effect(fraction, trials, photos, wanted)
    lines = [_answer(goal, found, trials, photos)]
    if found is not None:
        around = _around(fraction, found, trials, photos)
        lines.append(f"The 95% interval would then be about {fraction:g} {around}.")
    return lines


def _answer(goal: str, found: int | None, trials: int, photos: int) -> str:
    each = f"with {count(trials, 'trial')} each on {count(photos, 'photo')}"
    if found is None:
        return f"{goal}: no number of people is enough {each}; take more photos."
    return f"{goal}: {people(found)} {each}."


def _crowd(participants: int, trials: int, photos: int, delta: float) -> list[str]:
    plan = power.plan(participants, trials, photos, delta=delta)
    lines = [
        f"{people(participants)} {'has' if participants == 1 else 'have'} "
        f"{count(trials, 'trial')} each on {count(photos, 'photo')}."
    ]
    if min(participants, photos) < 2:
        return [*lines, "One person, or one photo, can be described: there is no interval."]
    lines[0] += " Expected 95% intervals:"
    for fraction in FRACTIONS:
        around = _around(fraction, participants, trials, photos)
        limit = power.half_width_limit(photos, fraction)
        lines.append(
            f"  {fraction:<4g} {around}   (with any number of people ± {limit:.3f} at best)"
        )
    lines.append(
        f"The smallest margin that a fraction of 0.5 can be shown to keep: {plan.margin:.3f}."
    )
    if plan.note:
        lines.append(f"{plan.note}.")
    return lines


def _overview(trials: int, photos: int) -> list[str]:
    lines = [
        f"{count(trials, 'trial')} each on {count(photos, 'photo')}:",
        f"  {'people':>6}  {'95% at 0.5':>14}  {'at 0.7':>14}  {'at 0.9':>14}  smallest margin",
    ]
    for crowd in CROWDS:
        plan = power.plan(crowd, trials, photos)
        around = (f"{_around(p, crowd, trials, photos):>14}" for p in FRACTIONS[:3])
        lines.append(f"  {crowd:>6}  {'  '.join(around)}  {f'{plan.margin:.3f}':>15}")
    four = _four_participants(trials, photos, 0.1)
    return [*lines, four] if four else lines


def _around(fraction: float, participants: int, trials: int, photos: int) -> str:
    """± 0.046, or the interval itself where that would leave [0, 1]."""
    width = power.half_width(participants, trials, photos, fraction)
    if width <= min(fraction, 1 - fraction):
        return f"± {width:.3f}"
    low, high = power.expected_interval(participants, trials, photos, fraction)
    return f"[{low:.3f}, {high:.3f}]"


def _four_participants(trials: int, photos: int, delta: float) -> str:
    """The first paper had four participants; what they cannot show."""
    note = power.plan(4, trials, photos, delta=delta).note
    return f"{note}." if note else ""
