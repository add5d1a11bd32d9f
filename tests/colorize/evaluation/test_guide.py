import torch

from colorize.evaluation.guide import coefficients


def test_what_is_linear_in_lightness_has_that_slope(generator):
    L = torch.rand(1, 12, 16, generator=generator) * 100
    ab = torch.cat((0.5 * L + 3, -0.2 * L))
    slope, rest = coefficients(ab, L, epsilon=1e-3).split(2)
    assert (slope[0] - 0.5).abs().max() < 1e-3
    assert (slope[1] + 0.2).abs().max() < 1e-3
    assert (rest[0] - 3).abs().max() < 0.1


def test_slope_and_rest_give_ab_back(generator):
    L = torch.rand(1, 12, 16, generator=generator) * 100
    ab = torch.randn(2, 12, 16, generator=generator) * 20
    slope, rest = coefficients(ab, L).split(2)
    assert (slope * L + rest - ab).abs().max() < 1e-3


def test_where_lightness_is_flat_nothing_guides(generator):
    ab = torch.randn(2, 12, 16, generator=generator) * 20
    slope, rest = coefficients(ab, torch.full((1, 12, 16), 50.0)).split(2)
    assert slope.abs().max() < 1e-2
    assert (rest - ab).abs().max() < 0.5
