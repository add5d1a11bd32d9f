import math

import pytest

from colorize.errors import ColorizeError
from colorize.models.networks.published.ddcolor import DDColor, sine_positions


def test_positions_are_waves_of_row_and_column():
    positions = sine_positions(3, 5, 8).view(3, 5, 8)
    for row, column in ((0, 0), (2, 1), (1, 4)):
        y, x = 2 * math.pi * (row + 1) / 3, 2 * math.pi * (column + 1) / 5
        waves = [f(at / slow) for at in (y, x) for slow in (1, 100) for f in (math.sin, math.cos)]
        assert positions[row, column].tolist() == pytest.approx(waves, abs=1e-4)


def test_published_names():
    name = DDColor.published_name
    assert name("encoder.arch.stem.1.bias") == "encoder.arch.downsample_layers.0.1.bias"
    assert (
        name("encoder.arch.stages.2.downsample.1.weight")
        == "encoder.arch.downsample_layers.2.1.weight"
    )
    assert (
        name("encoder.arch.stages.1.blocks.2.mlp.fc2.weight")
        == "encoder.arch.stages.1.2.pwconv2.weight"
    )
    assert name("encoder.norms.3.weight") == "encoder.arch.norm3.weight"
    same = "decoder.layers.0.shuf.conv.0.weight"
    assert name(same) == same


def test_an_encoder_that_timm_has_not():
    with pytest.raises(ColorizeError, match="timm knows no network"):
        DDColor("convnext_nothing")
