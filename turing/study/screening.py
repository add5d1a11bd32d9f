"""Which plates of the colour screening a participant sees: pure functions, as in `trials`.

A plate is a Landolt ring of coloured dots whose gap is to be found (Regan, Reffin and Mollon
1994, Vision Research 34: the Cambridge colour test): four answers, in no language.
"""

import hashlib
from collections.abc import Iterable
from itertools import product
from typing import Literal, NamedTuple

from turing.study.draws import Draws

Deficiency = Literal["protan", "deutan", "tritan"]
Gap = Literal["left", "up", "right", "down"]

DEFICIENCIES: tuple[Deficiency, ...] = ("protan", "deutan", "tritan")
GAPS: tuple[Gap, ...] = ("left", "up", "right", "down")
NOT_SEEN = "none"
ANSWERS = (*GAPS, NOT_SEEN)  # what a participant says, by the number that the page sends
PATTERNS = 3  # of dots; plates that follow each other have different ones
RENDERER = 1  # to be raised when the same plate gets another picture


class Plate(NamedTuple):
    """A ring in colours that people with a deficiency confuse with grey, open at `gap`."""

    deficiency: Deficiency
    gap: Gap
    pattern: int

    @property
    def sha256(self) -> str:
        """The name of its picture, as a stimulus has one: `Store.picture_path`."""
        made_of = ("plate", RENDERER, *self)
        return hashlib.sha256("\x1f".join(map(str, made_of)).encode()).hexdigest()


def every_plate() -> list[Plate]:
    """Every plate that somebody may be shown, in a fixed order."""
    return [Plate(*of) for of in product(DEFICIENCIES, GAPS, range(PATTERNS))]


def participant_plates(
    count: int, key: bytes, seed: int, number: int, part: int = 1, preview: bool = False
) -> tuple[Plate, ...]:
    """The plates of participant `number` (1, 2, ...) in the order shown.

    Deficiencies come up equally often, up to one; each gap is drawn by itself, so that those
    before tell nothing of it.
    """
    draws = Draws.of_participant(key, "plates", seed, part, number, preview)
    kinds = len(DEFICIENCIES)
    named = [DEFICIENCIES[i] for i in draws.order(kinds)]
    order, first = draws.order(count), draws.below(PATTERNS)
    return tuple(
        Plate(named[i % kinds], GAPS[draws.below(len(GAPS))], (first + place) % PATTERNS)
        for place, i in enumerate(order)
    )


class Screened(NamedTuple):
    """What a participant found: `missed` has the deficiencies of plates that were not right."""

    shown: int
    answered: int
    correct: int
    missed: tuple[Deficiency, ...]


def screened(plates: Iterable[tuple[str, str, str | None]]) -> Screened:
    """The result of plates given as (deficiency, gap, answer), None = not answered yet."""
    told = list(plates)
    answered = [(kind, gap == answer) for kind, gap, answer in told if answer is not None]
    wrong = {kind for kind, is_right in answered if not is_right}
    missed = tuple(kind for kind in DEFICIENCIES if kind in wrong)
    return Screened(len(told), len(answered), sum(right for _, right in answered), missed)
