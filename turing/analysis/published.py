"""Turing fractions that others printed, to stand beside ours. They are never pooled with them."""

from typing import NamedTuple

from turing.study.trials import Protocol


class Printed(NamedTuple):
    """A figure from a paper; `model` is what the paper calls it."""

    dataset: str
    model: str
    ours: str  # the name of the same network here
    fraction: float


# First paper, table 5: original and colorization side by side (4.3), equation 2.
TABLE_5 = (
    Printed("fruits", "baseline", "baseline", 0.9881),
    Printed("fruits", "final", "fusion", 0.72),
    Printed("landscapes", "baseline", "baseline", 1.0),
    Printed("landscapes", "final", "fusion", 0.9762),
    Printed("animals", "baseline", "baseline", 1.0),
    Printed("animals", "final", "fusion", 0.9930),
)
TABLE_5_PARTICIPANTS = 4
TABLE_5_PROTOCOL: Protocol = "pick-original"

ZHANG_2016_FOOLED = 0.32  # of colorizations, one after the other for 1 s each (4.1)


def printed_fraction(dataset: str | None, model: str, protocol: Protocol) -> Printed | None:
    """The first paper's figure of the same name and protocol."""
    if dataset is None or protocol != TABLE_5_PROTOCOL:
        return None
    for row in TABLE_5:
        if row.dataset == dataset.casefold() and row.ours == model:
            return row
    return None
