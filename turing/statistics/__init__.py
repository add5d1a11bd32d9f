"""Arrays in, numbers out: fractions with their intervals, comparisons, rankings, power."""

from turing.statistics.fractions import difference, turing_fraction, verdict

__all__ = ["difference", "turing_fraction", "verdict"]
