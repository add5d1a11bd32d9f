"""What comes out of a Colorizer, as pixels."""

import numpy as np

from colorize.inference.colorizer import Colorization


def picture(result: Colorization) -> np.ndarray:
    return np.asarray(result.image)
