"""Other plausible colourings of a photo from the same logits: a different mode per region."""

import numpy as np
import torch
from torch import Tensor

from colorize.color import bins
from colorize.inference.hints.spreading import Spreading
from colorize.inference.predict import resize

_STRENGTH = 1.8  # standard deviation of what is added to log p
_LEAST = 0.05  # p of a bin over that of the likeliest one, below which it is never taken
_WAVES = 12  # whose sum is the noise over the ab plane
_LENGTH = 30.0  # ab units over which that noise is alike: about the width of a mode
_GRID = 64  # short side, in pixels, of the grid at most that the noise is made on
_EDGE = 4.0  # the step in L from pixel to pixel that counts as an edge
_REACH = 1.0  # how far the noise is alike on even ground, as a share of the short side


def perturbed(logits: Tensor, L: Tensor, seed: int) -> Tensor:
    """log p `(1, 313, h, w)` of another colouring, the same for a seed.

    Papandreou and Yuille 2011, "Perturb-and-MAP random fields": the mode of log p plus noise is a
    sample. The noise is Gaussian and smooth over the ab plane, and over the picture as far as
    there is no edge in L `(1, H, W)`, so that a region gets one colour. Bins that are unlikely
    at a pixel stay out.
    """
    noise = _noise(L, tuple(logits.shape[-2:]), np.random.default_rng(seed))
    log_p = logits.float().log_softmax(1)
    likely = log_p >= log_p.amax(1, keepdim=True) + np.log(_LEAST)
    return torch.where(likely, log_p + noise, -torch.inf)


def _noise(L: Tensor, shape: tuple[int, int], random: np.random.Generator) -> Tensor:
    """Gaussian noise `(313, h, w)` of deviation `_STRENGTH`.

    A sum of plane waves over ab (Rahimi and Recht 2007, random Fourier features), the weights of
    which are smooth over the picture.
    """
    scale = min(1.0, _GRID / min(shape))
    grid = tuple(max(1, round(side * scale)) for side in shape)
    guide = resize(L[None], grid)[0].numpy() / _EDGE
    spreading = Spreading(guide, _REACH * min(grid))
    weights = torch.from_numpy(spreading.smoothed(random.standard_normal((_WAVES, *grid))))
    weights = resize(weights[None], shape)[0].numpy()
    weights /= np.sqrt(np.square(weights).mean(0))
    frequencies = random.standard_normal((2, _WAVES)) / _LENGTH
    phases = random.uniform(0, 2 * np.pi, _WAVES)
    waves = np.sqrt(2 / _WAVES) * np.cos(bins.centres().numpy() @ frequencies + phases)
    noise = np.tensordot(_STRENGTH * waves, weights, 1)
    return torch.from_numpy(noise.astype(np.float32))
