import numpy as np
import pytest
from skimage.color import rgb2lab

from colorize.color.border import find_border
from colorize.color.faded import Tones, find_tones, stretched
from tests.support.scans import scanned


def light(pixels):
    pixels = pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)
    return rgb2lab(pixels)[..., 0]


@pytest.fixture(scope="module")
def grey(shipped_photos):
    return shipped_photos["chelsea.png"][..., 1]


def test_a_photo_of_full_tones_is_not_faded(shipped_photos):
    assert find_tones(np.arange(256, dtype=np.uint8).reshape(16, 16)) is None
    assert find_tones(shipped_photos["astronaut.png"]) is None


def test_lightness_is_stretched_from_black_to_white(grey):
    faded = (grey / 255 * 120 + 60).astype(np.uint8)
    tones = find_tones(faded)
    assert tones.low == pytest.approx(np.percentile(light(faded), 0.5), abs=0.5)
    assert tones.high == pytest.approx(np.percentile(light(faded), 99.5), abs=0.5)
    after = light(stretched(faded, tones.table()))
    expected = ((light(faded) - tones.low) * 100 / (tones.high - tones.low)).clip(0, 100)
    assert np.abs(after - expected).max() < 0.25
    assert find_tones(stretched(faded, tones.table())) is None


def test_a_print_in_one_ink_becomes_as_light_as_its_lightness(shipped_photos):
    pixels = (shipped_photos["coffee.png"] / 255 * (150, 130, 90) + (60, 50, 40)).astype(np.uint8)
    tones = Tones(20, 70)
    after = light(stretched(pixels, tones.table()))
    assert after.shape == pixels.shape[:2]
    assert np.abs(after - ((light(pixels) - 20) * 2).clip(0, 100)).max() < 0.3


def test_the_border_is_not_counted(grey):
    faded = (grey / 255 * 120 + 60).astype(np.uint8)
    scan, _ = scanned(faded, 250)
    tones = find_tones(scan, find_border(scan))
    assert np.abs(np.subtract(tones, find_tones(faded))).max() < 2
    assert find_tones(scan).high > 95


def test_a_flat_picture_is_not_torn_to_noise():
    tones = find_tones(np.full((50, 60), 120, np.uint8))
    assert tones.high - tones.low >= 24.9
