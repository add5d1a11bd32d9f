import json
import time

import numpy as np
import pytest
import torch
from torch import nn

from colorize.color.lab import lab_from_rgb
from colorize.data.datasets import Dataset, PhotoFile
from colorize.evaluation import bleeding
from colorize.evaluation.bleeding import (
    bicubic,
    bilinear,
    guide_coefficients,
    guided,
    measure,
    near_edges,
)
from colorize.models.record import Record

RECORD = Record("model", "Model", "", "baseline", {}, 96, {"kind": "direct"})
CPU = torch.device("cpu")


@pytest.fixture
def halves(encode):
    """A dataset of one photo: light orange to the left, dark blue to the right."""
    pixels = np.empty((96, 128, 3), np.uint8)
    pixels[:, :61], pixels[:, 61:] = (230, 160, 90), (40, 60, 120)
    content = encode(pixels)
    photos = {"train": [], "val": [PhotoFile("x.png", lambda: content)], "test": []}
    return Dataset("halves", photos), pixels


def test_near_is_within_three_pixels_of_an_edge():
    ab = np.zeros((2, 40, 60), np.float32)
    ab[0, :, 30:] = 50
    columns = near_edges(ab).any(0)
    assert near_edges(ab).all(0).tolist() == columns.tolist()
    (places,) = np.nonzero(columns)
    assert places[0] <= 26
    assert places[-1] >= 33
    assert len(places) <= 14
    assert not near_edges(np.zeros((2, 9, 9), np.float32)).any()


def test_weak_edges_do_not_count():
    ab = np.zeros((2, 40, 60), np.float32)
    ab[1, :, 30:] = 5
    assert not near_edges(ab).any()


@pytest.mark.parametrize("upsample", [bilinear, bicubic, guided])
def test_flat_colour_stays_and_the_size_is_the_photos(upsample, generator):
    L = torch.rand(1, 45, 70, generator=generator) * 100
    flat = torch.tensor([12.0, -8.0]).view(2, 1, 1).expand(2, 9, 14)
    large = upsample(flat, L)
    assert large.shape == (2, 45, 70)
    assert (large - flat[:, :1, :1]).abs().max() < 1e-3


def test_guided_bleeds_less_over_an_edge_of_lightness(halves):
    dataset, _ = halves
    rows = measure([], [dataset], "val", CPU).rows
    near = {(row.model, row.upsampling): row.near for row in rows}
    for factor in bleeding.FACTORS:
        source = f"truth / {factor}"
        assert near[source, "guided"] < 0.8 * near[source, "bicubic"]
        assert near[source, "bicubic"] < near[source, "bilinear"]
    assert all(row.elsewhere < row.near for row in rows)


def test_models_are_measured_at_their_working_size(halves):
    dataset, pixels = halves
    seen = []

    class Watching(nn.Module):
        def forward(self, L):
            seen.append(tuple(L.shape))
            return torch.zeros(1, 2, *L.shape[-2:])

    result = measure([(Watching(), RECORD)], [dataset], "val", CPU).as_json()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert seen == [(1, 1, 96, 128)]
    own = [row for row in result["rows"] if row["model"] == "model"]
    assert [row["upsampling"] for row in own] == ["bilinear", "bicubic", "guided"]
    assert len({row["near"] for row in own}) == 1  # grey has no edges to bleed over
    rgb = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    assert own[0]["near"] == pytest.approx(_mean_difference_to_grey(rgb), rel=0.2)
    assert result["settings"]["datasets"] == {"halves": 1}


def _mean_difference_to_grey(rgb):
    lab = lab_from_rgb(rgb)
    grey = torch.cat((lab[:1], torch.zeros_like(lab[1:])))
    from skimage.color import deltaE_ciede2000

    return deltaE_ciede2000(grey.numpy(), lab.numpy(), channel_axis=0).mean()


def test_photos_without_strong_edges_are_left_out(encode):
    content = encode(np.full((64, 64, 3), 90, np.uint8))
    photos = {"train": [], "val": [PhotoFile("x.png", lambda: content)], "test": []}
    report = measure([], [Dataset("plain", photos)], "val", CPU)
    assert report.rows == []
    assert report.settings["datasets"] == {"plain": 0}


def test_guided_takes_no_longer_than_a_few_times_bicubic(generator):
    ab, L = torch.rand(2, 96, 128, generator=generator), torch.rand(1, 768, 1024)
    seconds = {}
    for upsample in (bicubic, guided, bicubic, guided):  # the first of each warms up
        began = time.perf_counter()
        upsample(ab, L)
        seconds[upsample] = time.perf_counter() - began
    assert seconds[guided] < 20 * seconds[bicubic]


# the guide


def test_what_is_linear_in_lightness_has_that_slope(generator):
    L = torch.rand(1, 12, 16, generator=generator) * 100
    ab = torch.cat((0.5 * L + 3, -0.2 * L))
    slope, rest = guide_coefficients(ab, L, epsilon=1e-3).split(2)
    assert (slope[0] - 0.5).abs().max() < 1e-3
    assert (slope[1] + 0.2).abs().max() < 1e-3
    assert (rest[0] - 3).abs().max() < 0.1


def test_slope_and_rest_give_ab_back(generator):
    L = torch.rand(1, 12, 16, generator=generator) * 100
    ab = torch.randn(2, 12, 16, generator=generator) * 20
    slope, rest = guide_coefficients(ab, L).split(2)
    assert (slope * L + rest - ab).abs().max() < 1e-3


def test_where_lightness_is_flat_nothing_guides(generator):
    ab = torch.randn(2, 12, 16, generator=generator) * 20
    slope, rest = guide_coefficients(ab, torch.full((1, 12, 16), 50.0)).split(2)
    assert slope.abs().max() < 1e-2
    assert (rest - ab).abs().max() < 0.5
