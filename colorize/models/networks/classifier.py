"""The classifier over 313 ab bins of the second paper."""

from colorize.color import bins
from colorize.models.networks.reduced import ReducedZhang


class Classifier(ReducedZhang):
    """The second paper's classifier (3.4): its regression network with 313 logits a pixel.

    L `(N, 1, H, W)` in [-1, 1] -> logits `(N, 313, H, W)` over `bins.centres()`.
    """

    over_bins = True

    def __init__(self) -> None:
        super().__init__(outputs=bins.COUNT)
