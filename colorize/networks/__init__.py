"""The networks: plain modules of L, one a file. `NETWORKS` maps a name to its class.

Each has `over_bins` (False: ab over the record's scale; True: logits over the 313 bins) and
takes L `(N, 1, H, W)` of any H, W >= 8.
"""

from torch import nn

from colorize.networks.baseline import Baseline
from colorize.networks.classifier import Classifier
from colorize.networks.fusion import Fusion
from colorize.networks.regression import Regression
from colorize.networks.zhang import Zhang

NETWORKS: dict[str, type[nn.Module]] = {
    "baseline": Baseline,
    "fusion": Fusion,
    "regression": Regression,
    "classifier": Classifier,
    "zhang": Zhang,
}
