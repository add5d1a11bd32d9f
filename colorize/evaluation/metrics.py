"""What a colorization is scored by: one photo each, float64 numbers out.

Pictures are sRGB `(3, H, W)` in [0, 1], ab `(2, H, W)` in CIELAB units, as numpy arrays.
"""

import warnings
from collections.abc import Callable

import numpy as np
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

AB_SCALE = 128.0


def mse(ab: np.ndarray, truth: np.ndarray) -> float:
    """First paper, equation 1, on ab / 128: the mean over pixels and channels of the square.

    As printed, equation 1 subtracts squares; the squared difference is what is meant.
    """
    return float(np.mean(((ab - truth) / AB_SCALE) ** 2, dtype=np.float64))


def psnr(picture: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, peak 1; infinite where the pictures are equal."""
    error = np.mean((picture.astype(np.float64) - truth) ** 2)
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def mssim(picture: np.ndarray, truth: np.ndarray) -> float:
    """Mean structural similarity: scikit-image's, its default window of 7, over channels."""
    return float(structural_similarity(picture, truth, channel_axis=0, data_range=1.0))


def ciede2000(lab: np.ndarray, truth: np.ndarray) -> float:
    """Mean CIEDE2000 colour difference of two Lab pictures `(3, H, W)`."""
    return float(deltaE_ciede2000(lab, truth, channel_axis=0).mean())


def colorfulness(picture: np.ndarray) -> float:
    """Hasler and Suesstrunk 2003, on sRGB in [0, 255]; 0 for a grey picture."""
    red, green, blue = picture.astype(np.float64) * 255
    rg, yb = red - green, (red + green) / 2 - blue
    spread = np.hypot(rg.std(), yb.std())
    return float(spread + 0.3 * np.hypot(rg.mean(), yb.mean()))


def lpips_vgg() -> tuple[Callable[[np.ndarray, np.ndarray], float] | None, str]:
    """LPIPS with VGG (Zhang et al. 2018) as a function of two pictures, or None and the reason.

    Its VGG weights are fetched by torchvision where they are not on disk yet.
    """
    try:
        return _load_lpips(), ""
    except ImportError:
        return None, "lpips is not installed: pip install lpips"
    except (OSError, RuntimeError) as error:  # no network; a file that is not what it should be
        return None, f"VGG weights could not be fetched ({type(error).__name__})"


def _load_lpips() -> Callable[[np.ndarray, np.ndarray], float]:
    from colorize.models.networks.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    import lpips
    import torch

    with warnings.catch_warnings(action="ignore"):  # it calls torchvision the old way
        network = lpips.LPIPS(net="vgg", verbose=False).eval()

    @torch.inference_mode()
    def score(picture: np.ndarray, truth: np.ndarray) -> float:
        pair = (torch.as_tensor(x, dtype=torch.float32)[None] for x in (picture, truth))
        return float(network(*pair, normalize=True))

    return score
