"""The networks: plain modules of L, one a file. `NETWORKS` maps a name to its class.

Each takes L `(N, 1, H, W)` of any H, W >= 8, as (L - centre) / scale with `lightness` =
(centre, scale), and has `over_bins`: False means ab over the record's scale, True means logits
over the 313 bins. One with `takes_hints` takes colour hints as a second argument.
"""

from torch import nn

from colorize.models.networks.baseline import Baseline
from colorize.models.networks.classifier import Classifier
from colorize.models.networks.fusion import Fusion
from colorize.models.networks.published.ddcolor import DDColor
from colorize.models.networks.published.deoldify import DeOldify
from colorize.models.networks.published.siggraph17 import Siggraph17
from colorize.models.networks.published.zhang import Zhang
from colorize.models.networks.regression import Regression
from colorize.models.networks.unet import UNet

NETWORKS: dict[str, type[nn.Module]] = {
    "baseline": Baseline,
    "fusion": Fusion,
    "regression": Regression,
    "classifier": Classifier,
    "unet": UNet,
    "zhang": Zhang,
    "siggraph17": Siggraph17,
    "deoldify": DeOldify,
    "ddcolor": DDColor,
}
