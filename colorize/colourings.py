"""Other plausible colourings of a photo from the same logits: a different mode per region."""

import numpy as np
import torch
from torch import Tensor

from colorize import bins
from colorize.predict import resize
from colorize.spreading import Spreading

STRENGTH = 3.0
_WAVES = 12
_LENGTH = 40.0
_EDGE = 4.0
_REACH = 48.0


def perturbed(logits: Tensor, L: Tensor, seed: int) -> Tensor:
    shape = tuple(logits.shape[-2:])
    random = np.random.default_rng(seed)
    guide = resize(L[None], shape)[0].numpy() / _EDGE
    noise = Spreading(guide, _REACH).smoothed(random.standard_normal((_WAVES, *shape)))
    noise /= np.sqrt((noise**2).mean(0))
    frequencies = random.standard_normal((2, _WAVES)) / _LENGTH
    phases = random.uniform(0, 2 * np.pi, _WAVES)
    waves = np.sqrt(2 / _WAVES) * np.cos(bins.centres().numpy() @ frequencies + phases)
    change = torch.from_numpy(np.tensordot(waves, noise, 1).astype(np.float32))
    return logits.float() + STRENGTH * change
