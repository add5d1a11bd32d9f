import math
from urllib.error import URLError

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from colorize.evaluation import metrics


@pytest.fixture(scope="module")
def pair(shipped_photos):
    """A photo and a paler one: `(3, h, w)` in [0, 1]."""
    truth = shipped_photos["chelsea.png"][:120, :150].transpose(2, 0, 1) / 255
    return 0.6 * truth + 0.4 * truth.mean(0), truth


def lab(picture):
    return rgb2lab(picture.transpose(1, 2, 0)).transpose(2, 0, 1)


def test_mse_by_hand():
    truth = np.zeros((2, 2, 2))
    ab = np.array([[[128.0, 0], [0, 0]], [[0, 64], [0, 0]]])
    assert metrics.mse(ab, truth) == (1 + 0.25) / 8
    assert metrics.mse(truth, truth) == 0


def test_psnr_is_scikit_images(pair):
    assert metrics.psnr(*pair) == pytest.approx(peak_signal_noise_ratio(*pair, data_range=1))
    assert metrics.psnr(pair[0], pair[0]) == math.inf


def test_mssim_is_scikit_images(pair):
    last = [picture.transpose(1, 2, 0) for picture in pair]
    expected = structural_similarity(*last, channel_axis=-1, data_range=1)
    assert metrics.mssim(*pair) == pytest.approx(expected)
    assert metrics.mssim(pair[0], pair[0]) == pytest.approx(1)


def test_ciede2000_is_scikit_images(pair):
    ours = [lab(picture) for picture in pair]
    expected = np.mean(deltaE_ciede2000(*(x.transpose(1, 2, 0) for x in ours)))
    assert metrics.ciede2000(*ours) == pytest.approx(expected)
    assert metrics.ciede2000(ours[0], ours[0]) == 0


def test_ciede2000_of_published_pairs():
    """Sharma, Wu and Dalal 2005, table 1, pairs 1, 7 and 17."""
    first = np.array([[50.0, 50, 50], [2.6772, 0, 2.5], [-79.7751, 0, 0]])
    second = np.array([[50.0, 50, 73], [0, -1, 25], [-82.7485, 2, -18]])
    expected = (2.0425 + 2.3669 + 27.1492) / 3
    found = metrics.ciede2000(first[:, None], second[:, None])
    assert found == pytest.approx(expected, abs=1e-4)


def test_colorfulness_by_hand():
    assert metrics.colorfulness(np.full((3, 4, 4), 0.3)) == 0
    red = np.zeros((3, 4, 4))
    red[0] = 1  # rg = 255, yb = 127.5 everywhere: no spread, only the mean
    assert metrics.colorfulness(red) == pytest.approx(0.3 * math.hypot(255, 127.5))
    half = red.copy()
    half[:, :, 2:] = 0
    spread, average = math.hypot(127.5, 63.75), math.hypot(127.5, 63.75)
    assert metrics.colorfulness(half) == pytest.approx(spread + 0.3 * average)


def test_more_colour_is_more_colorful(pair):
    paler, truth = pair
    assert metrics.colorfulness(truth) > metrics.colorfulness(paler) > 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImportError("no lpips"), "lpips is not installed"),
        (URLError("no route to host"), "VGG weights could not be fetched (URLError)"),
        (RuntimeError("invalid hash value"), "VGG weights could not be fetched (RuntimeError)"),
    ],
)
def test_lpips_that_cannot_be_had_comes_with_the_reason(monkeypatch, error, reason):
    def fail():
        raise error

    monkeypatch.setattr(metrics, "_load_lpips", fail)
    score, why = metrics.lpips_vgg()
    assert score is None
    assert reason in why


@pytest.mark.slow
def test_lpips_with_made_up_vgg_weights(monkeypatch, pair):
    from colorize.models.networks.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    import torch
    from torchvision.models import _api, vgg16

    torch.manual_seed(0)
    weights = vgg16(weights=None).state_dict()
    monkeypatch.setattr(_api, "load_state_dict_from_url", lambda *arguments, **options: weights)
    score, why = metrics.lpips_vgg()
    assert why == ""
    paler, truth = pair
    grey = np.repeat(truth.mean(0, keepdims=True), 3, 0)
    assert score(truth, truth) == 0
    assert 0 < score(paler, truth) < score(grey, truth)
