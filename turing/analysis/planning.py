"""What `turing.statistics.power` computes, in sentences: the plan of a study."""

from collections.abc import Sequence

from turing.statistics import power
from turing.statistics.sequential import Spending, looks

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
            f"  {look.participants:>5} people: intervals of {1 - look.level:.3%}, ± {width:.3f} at "
            f"0.5; {1 - 2 * margin.level:.3%} for the margin; spent {look.spent:.5f}"
        )
    return lines


def _margin(delta: float, trials: int, photos: int, wanted: float) -> list[str]:
    goal = f"To show with {wanted:.0%} power that a true fraction of 0.5 is within 0.5 ± {delta:g}"
    found = power.participants_for_margin(delta, trials, photos, wanted)
    lines = [_answer(goal, found, trials, photos)]
    if found is not None:
        width = power.half_width(found, trials, photos)
        lines.append(f"The 95% interval would then be about 0.5 ± {width:.3f}.")
    lines.append(_four_participants(trials, photos, delta))
    return [line for line in lines if line]


def _effect(fraction: float, trials: int, photos: int, wanted: float) -> list[str]:
    goal = f"To find with {wanted:.0%} power that a true fraction of {fraction:g} is not 0.5"
    found = power.participants_for_effect(fraction, trials, photos, wanted)
    lines = [_answer(goal, found, trials, photos)]
    if found is not None:
        width = power.half_width(found, trials, photos, fraction)
        lines.append(f"The 95% interval would then be about {fraction:g} ± {width:.3f}.")
    return lines


def _answer(goal: str, found: int | None, trials: int, photos: int) -> str:
    each = f"with {_count(trials, 'trial')} each on {_count(photos, 'photo')}"
    if found is None:
        return f"{goal}: no number of people is enough {each}; take more photos."
    return f"{goal}: {_people(found)} {each}."


def _crowd(participants: int, trials: int, photos: int, delta: float) -> list[str]:
    plan = power.plan(participants, trials, photos, delta=delta)
    lines = [
        f"{_people(participants)} {'has' if participants == 1 else 'have'} "
        f"{_count(trials, 'trial')} each on {_count(photos, 'photo')}."
    ]
    if min(participants, photos) < 2:
        return [*lines, "One person, or one photo, can be described: there is no interval."]
    lines[0] += " Expected 95% intervals:"
    for fraction in FRACTIONS:
        width = power.half_width(participants, trials, photos, fraction)
        limit = power.half_width_limit(photos, fraction)
        lines.append(
            f"  {fraction:<4g} ± {width:.3f}   (with any number of people ± {limit:.3f} at best)"
        )
    lines.append(
        f"The smallest margin that a fraction of 0.5 can be shown to keep: {plan.margin:.3f}."
    )
    if plan.note:
        lines.append(f"{plan.note}.")
    return lines


def _overview(trials: int, photos: int) -> list[str]:
    lines = [
        f"{_count(trials, 'trial')} each on {_count(photos, 'photo')}:",
        f"  {'people':>6}  {'95% at 0.5':>10}  {'at 0.7':>8}  {'at 0.9':>8}  smallest margin",
    ]
    for crowd in CROWDS:
        plan = power.plan(crowd, trials, photos)
        widths = [power.half_width(crowd, trials, photos, p) for p in FRACTIONS[:3]]
        lines.append(
            f"  {crowd:>6}  {f'± {widths[0]:.3f}':>10}  "
            + "  ".join(f"{f'± {width:.3f}':>8}" for width in widths[1:])
            + f"  {f'{plan.margin:.3f}':>15}"
        )
    four = _four_participants(trials, photos, 0.1)
    return [*lines, four] if four else lines


def _four_participants(trials: int, photos: int, delta: float) -> str:
    """The first paper had four participants; what they cannot show."""
    note = power.plan(4, trials, photos, delta=delta).note
    return f"{note}." if note else ""


def _people(n: int) -> str:
    return "1 person" if n == 1 else f"{n} people"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
