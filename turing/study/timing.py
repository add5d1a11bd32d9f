"""How long the pictures of a trial are shown: fixed, levels balanced within a participant, or
staircases that follow the answers. Pure functions.

After HYPE-time (Zhou et al. 2019, section 3): the shorter a picture can be shown and still be told,
the worse the model.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from turing.study.draws import Draws
from turing.study.trials import Trial

Exposure = int | tuple[int, ...] | Literal["staircase"]

STAIRCASE: Literal["staircase"] = "staircase"
LONGEST_MS = 600_000
MOST_LEVELS = 12

# A quarter of an octave from rung to rung: from two frames of a usual screen to two seconds.
LADDER = tuple(round(500 * 2 ** (k / 4)) for k in range(-16, 9))
FIRST_RUNG = LADDER.index(500)  # as in HYPE-time
RIGHT_TO_GO_DOWN = 3
FAST = 2  # rungs at a time until the first wrong answer


def checked_exposure(value: Any) -> Exposure:
    """What a study file has as `exposure_ms`. ValueError where it is none of the three."""
    if value == STAIRCASE or _is_ms(value, 0):
        return value
    if not isinstance(value, list | tuple) or not all(_is_ms(one, 1) for one in value):
        raise ValueError("expected milliseconds")
    if not 2 <= len(value) <= MOST_LEVELS or len(set(value)) < len(value):
        raise ValueError("expected two levels or more, each once")
    return tuple(value)


def _is_ms(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= LONGEST_MS


def balanced(levels: Sequence[int], drawn: Sequence[Trial], draws: Draws) -> tuple[int, ...]:
    """A level for each of a participant's trials, in their order.

    Within each treatment (a model, or a pair of models) and each way to show it the levels come up
    equally often, up to one, and as evenly as that allows over all and within datasets. Practice
    and catch trials get theirs by the same rule, so that a level tells nothing.
    """
    chance = draws.words(len(drawn), len(levels))
    order = draws.order(len(drawn))
    order.sort(
        key=lambda i: (drawn[i].kind, _treatment(drawn[i]), _way(drawn[i]), drawn[i].dataset)
    )
    used: Counter[tuple[Any, ...]] = Counter()
    found = [0] * len(drawn)
    for i in order:
        trial = drawn[i]
        treatment, way = (trial.kind, _treatment(trial)), _way(trial)
        margins = (
            treatment,
            (*treatment, way),
            (*treatment, way, trial.dataset),
            (trial.kind,),
            (*treatment, "in", trial.dataset),
        )

        def least(level: int, i: int = i, margins: tuple[Any, ...] = margins) -> tuple[int, ...]:
            return *(used[margin, level] for margin in margins), int(chance[i, level])

        level = min(range(len(levels)), key=least)
        used.update((margin, level) for margin in margins)
        found[i] = levels[level]
    return tuple(found)


def _treatment(trial: Trial) -> str:
    return trial.model or "\x1f".join(sorted(map(str, trial.parts)))


def _way(trial: Trial) -> str:
    return "\x1f".join(map(str, trial.parts))


class Step(NamedTuple):
    """A scored trial of a staircase that has been answered."""

    track: str
    correct: bool


def tracks(models: Sequence[str]) -> list[str]:
    """The track of each scored trial, by the models of a participant's trials in their order: one
    a model, which the order of models interleaves, and two in turn where there is one model.
    """
    if len(set(models)) > 1:
        return list(models)
    return [f"{model}, {place % 2}" for place, model in enumerate(models)]


def staircase_ms(track: str, before: Iterable[Step]) -> int:
    """The exposure that comes next on a track, after the answers `before`, in ms.

    Down two rungs after each right answer until the first wrong one; from there on down one after
    three right ones in a row, up one after a wrong one, which settles where 79% are right (Levitt
    1971).
    """
    rung, in_a_row, is_fast = FIRST_RUNG, 0, True
    for step in before:
        if step.track != track:
            continue
        if not step.correct:
            rung, in_a_row, is_fast = rung + 1, 0, False
        elif is_fast:
            rung -= FAST
        else:
            in_a_row += 1
            if in_a_row == RIGHT_TO_GO_DOWN:
                rung, in_a_row = rung - 1, 0
        rung = min(max(rung, 0), len(LADDER) - 1)
    return LADDER[rung]
