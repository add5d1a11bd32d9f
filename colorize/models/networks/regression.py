"""The L2 regression network of the second paper."""

from colorize.models.networks.reduced import ReducedZhang


class Regression(ReducedZhang):
    """The second paper's regression (3.3); trained with half the squared error, summed.

    L `(N, 1, H, W)` in [-1, 1] -> ab / 110 `(N, 2, H, W)`, not bounded.
    """

    over_bins = False

    def __init__(self) -> None:
        super().__init__(outputs=2)
