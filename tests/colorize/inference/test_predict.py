from dataclasses import replace

import pytest
import torch
from torch import nn

from colorize.color import bins
from colorize.inference.predict import decode, resize, run_carefully, run_network
from colorize.models.record import Decoding, Record

DIRECT = Record("m", "M", "", "baseline", {}, 96, {"kind": "direct"}, ab_scale=100.0)
BINS = replace(DIRECT, decoding={"kind": "annealed-mean", "temperature": 0.38})


@pytest.mark.parametrize("lightness", [(50.0, 50.0), (50.0, 100.0)])
def test_lightness_is_scaled_as_the_record_says(lightness):
    L = torch.tensor([0.0, 50, 100]).view(1, 1, 1, 3)
    output = run_network(nn.Identity(), replace(DIRECT, lightness=lightness), L)
    assert output.flatten().tolist() == [-50 / lightness[1], 0, 50 / lightness[1]]
    assert output.dtype == torch.float32


def test_a_network_in_half_precision_gives_float32():
    assert run_network(nn.Identity(), DIRECT, torch.rand(1, 1, 2, 2).half()).dtype == torch.float32


def test_ab_is_scaled_as_the_record_says():
    output = torch.rand(1, 2, 3, 3)
    assert torch.equal(decode(nn.Identity(), DIRECT, output), output * 100)
    assert torch.equal(decode(nn.Identity(), DIRECT, output, Decoding(0.1, chroma=3)), output * 100)


def test_bins_are_decoded_at_the_records_temperature_or_the_asked_one(generator):
    logits = torch.randn(1, 313, 3, 4, generator=generator)
    network = nn.Identity()
    assert torch.equal(decode(network, BINS, logits), bins.annealed_mean(logits, 0.38))
    assert torch.equal(
        decode(network, BINS, logits, Decoding(1.0)), bins.annealed_mean(logits, 1.0)
    )
    assert torch.equal(decode(network, BINS, logits, Decoding(0)), bins.annealed_mean(logits, 0))


def test_ab_is_multiplied_by_the_records_gain_or_the_asked_one(generator):
    logits = torch.randn(1, 313, 3, 4, generator=generator)
    plain = bins.annealed_mean(logits, 0.38)
    record = replace(BINS, decoding=BINS.decoding | {"gain": 1.25})
    assert torch.equal(decode(nn.Identity(), record, logits), plain * 1.25)
    assert torch.equal(decode(nn.Identity(), record, logits, Decoding(0.38)), plain)
    assert torch.equal(decode(nn.Identity(), BINS, logits, Decoding(0.38, 2.0)), plain * 2)
    direct = replace(DIRECT, decoding={"kind": "direct", "gain": 1.5})
    assert torch.equal(decode(nn.Identity(), direct, logits[:, :2]), logits[:, :2] * 150)


def test_a_network_with_colours_of_its_own_is_decoded_with_them(generator):
    logits = torch.randn(1, 313, 3, 4, generator=generator)
    network = nn.Identity()
    network.bin_colours = bins.centres() / 2
    expected = bins.annealed_mean(logits, 0.38) / 2
    assert torch.allclose(decode(network, BINS, logits), expected, atol=1e-4)


def test_chroma_is_raised_as_the_record_says_and_then_multiplied(generator):
    logits = torch.randn(1, 313, 3, 4, generator=generator)
    record = replace(BINS, decoding=BINS.decoding | {"chroma": 1.5, "gain": 1.2})
    expected = bins.vivid_mean(logits, 0.38, 1.5) * 1.2
    assert torch.equal(decode(nn.Identity(), record, logits), expected)
    assert torch.equal(decode(nn.Identity(), BINS, logits, Decoding(0.38, 1.2, 1.5)), expected)


@pytest.mark.parametrize("size", [(5, 7), (20, 30), (10, 14), (3, 40)])
def test_resizing_keeps_a_flat_colour_and_the_mean(size, generator):
    flat = torch.full((1, 2, 10, 14), 30.0)
    assert torch.allclose(resize(flat, size), torch.full((1, 2, *size), 30.0), atol=1e-4)
    smooth = torch.linspace(0, 50, 14).expand(1, 2, 10, 14)
    assert resize(smooth, size).mean().item() == pytest.approx(25, abs=0.1)


def test_resizing_to_the_same_size_does_nothing():
    x = torch.rand(1, 2, 5, 6)
    assert resize(x, (5, 6)) is x


def test_making_smaller_averages():
    stripes = torch.tensor([0.0, 60]).repeat(16).expand(1, 1, 32, 32)
    smaller = resize(stripes, (8, 8))
    assert (smaller - 30).abs().max() < 8


class Uneven(nn.Module):
    """Gives its L twice as ab, plus where on the picture it is: not the same for a mirror image."""

    def forward(self, L, hints=None):
        place = torch.linspace(0, 1, L.shape[-1]).expand_as(L)
        return torch.cat((L + place, L if hints is None else L + hints[:, :1]), 1)


def test_a_careful_run_is_the_mean_over_the_mirror_image_and_a_smaller_size(generator):
    L = 100 * torch.rand(1, 1, 20, 30, generator=generator)
    a, b = run_carefully(Uneven(), DIRECT, L)[0]
    small = resize(resize(L, (16, 24)), (20, 30))
    assert torch.allclose(b, ((L + small) / 100 - 1)[0, 0], atol=1e-5)
    assert torch.allclose(a - b, torch.full_like(a, 0.5), atol=1e-5)  # left and right even out


def test_a_careful_run_turns_hints_with_the_photo(generator):
    L, hints = torch.full((1, 1, 9, 12), 50.0), torch.zeros(1, 3, 9, 12)
    hints[..., 4, 2] = 1
    output = run_carefully(Uneven(), DIRECT, L, hints)
    assert torch.equal(output[0, 1], hints[0, 0])


def test_a_careful_run_averages_probabilities(generator):
    class Turned(nn.Module):
        def forward(self, L):
            return torch.where(torch.arange(313).view(1, -1, 1, 1) == L[..., :1], 50.0, 0.0)

    L = torch.arange(12.0).expand(1, 1, 9, 12) * 50 + 50  # bin 0 at its left edge, 11 at its right
    found = run_carefully(Turned(), BINS, L).exp()
    assert found.sum(1).allclose(torch.ones(1, 9, 1), atol=1e-4)
    assert found[0, 0, 0, 0] > 0.2 and found[0, 11, 0, 0] > 0.2
