import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorize.inference.hints.spots import (
    AB_SCALE,
    SIDE,
    Spot,
    find_spots,
    follow,
    hint_ab,
    hint_planes,
    pixel_at,
    random_hints,
)

MIDDLE = torch.full((1, 40, 60), 55.0)


def spot(row, column, a=30.0, b=-20.0):
    return Spot(row, column, torch.tensor([float(a), float(b)]))


@pytest.mark.parametrize("colour", ["#d02020", "#3060C0", "#808080", "#00ff00"])
def test_colours_are_read_as_scikit_image_does(colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    assert hint_ab(colour).tolist() == pytest.approx(rgb2lab(rgb[None, None])[0, 0, 1:], abs=0.02)


@pytest.mark.parametrize(
    ("spot", "expected"),
    [((0, 0), (0, 0)), ((599, 399), (39, 59)), ((300, 200), (20, 30)), ((9.4, 0), (0, 0)),
     ((9.5, 9.5), (1, 1)), ((599.9, 399.9), (39, 59))],
)  # fmt: skip
def test_pixels_of_the_photo_are_found_at_working_size(spot, expected):
    assert pixel_at(spot, (40, 60), (600, 400)) == expected


def test_a_small_photo_is_found_in_a_larger_working_size():
    assert pixel_at((0, 0), (64, 96), (3, 2)) == (16, 16)  # the middle of its pixel
    assert pixel_at((2, 1), (64, 96), (3, 2)) == (48, 80)


def test_a_wish_that_srgb_has_not_at_the_lightness_loses_chroma_alone():
    bright = torch.full((1, 4, 4), 95.0)
    (found,) = find_spots([(1, 2, "#ff0000")], bright, (4, 4))
    wish = hint_ab("#ff0000")
    assert 0 < found.ab.norm() < 0.5 * wish.norm()
    assert torch.atan2(*found.ab.flip(0)).item() == pytest.approx(
        torch.atan2(*wish.flip(0)).item(), abs=1e-3
    )
    (inside,) = find_spots([(1, 2, "#a06050")], MIDDLE, (60, 40))
    assert torch.allclose(inside.ab, hint_ab("#a06050"), atol=1e-4)


def test_planes_hold_a_square_of_the_colour_and_a_mask():
    planes = hint_planes([spot(10, 20)], (40, 60))
    assert planes.shape == (3, 40, 60)
    square = planes[:, 8:13, 18:23]
    assert square[2].sum() == planes[2].sum() == SIDE**2 == 25
    assert torch.allclose(square[0], torch.tensor(30 / AB_SCALE))
    assert torch.allclose(square[1], torch.tensor(-20 / AB_SCALE))
    planes[:, 8:13, 18:23] = 0
    assert not planes.any()


def test_planes_are_cut_at_the_border_and_the_last_hint_lies_on_top():
    planes = hint_planes([spot(0, 0), spot(39, 59), spot(1, 1, 5, 5)], (40, 60))
    assert planes[2].sum() == 16 + 9
    assert planes[0, 0, 0].item() == pytest.approx(5 / AB_SCALE)
    assert hint_planes([], (8, 9)).tolist() == torch.zeros(3, 8, 9).tolist()


def test_following_makes_up_what_was_missed(generator):
    ab = torch.randn(2, 40, 60, generator=generator) * 5
    spots = [spot(10, 20), spot(30, 50, -40, 10)]
    followed = follow(ab, spots, MIDDLE)
    for one in spots:
        square = followed[:, one.row - 1 : one.row + 2, one.column - 1 : one.column + 2]
        assert torch.allclose(square, one.ab.view(2, 1, 1).expand_as(square), atol=1e-3)
    assert follow(ab, [], MIDDLE) is ab


def test_what_is_right_already_is_left():
    ab = torch.tensor([30.0, -20.0]).view(2, 1, 1).expand(2, 40, 60)
    assert torch.allclose(follow(ab, [spot(10, 20)], MIDDLE), ab, atol=1e-4)


def test_a_hint_stays_on_its_side_of_an_edge():
    L = torch.full((1, 40, 60), 30.0)
    L[:, :, 30:] = 70
    change = follow(torch.zeros(2, 40, 60), [spot(20, 20)], L).norm(dim=0)
    assert change[20, 28] > 3 * change[20, 31]
    assert change[:, :30].mean() > 4 * change[:, 30:].mean()


def test_random_hints_are_the_mean_truth_of_squares(generator):
    ab = torch.randn(6, 2, 32, 48, generator=generator) * 30
    planes = random_hints(ab, 1.0, generator)
    assert planes.shape == (6, 3, 32, 48)
    assert set(planes[:, 2].unique().tolist()) <= {0.0, 1.0}
    assert (planes[:, 2].sum((1, 2)) > 0).all()
    assert not planes[:, :2][planes[:, 2:].expand(-1, 2, -1, -1) == 0].any()
    constant = torch.tensor([22.0, -11.0]).view(1, 2, 1, 1).expand(3, 2, 20, 20)
    planes = random_hints(constant, 1.0, generator)
    where = planes[:, 2] == 1
    assert torch.allclose(planes[:, 0][where], torch.tensor(0.2))
    assert torch.allclose(planes[:, 1][where], torch.tensor(-0.1))


def test_random_hints_are_on_a_share_of_the_photos_and_repeatable():
    ab = torch.ones(400, 2, 8, 8)
    planes = random_hints(ab, 0.25, torch.Generator().manual_seed(3))
    assert 60 < (planes[:, 2].flatten(1).amax(1) > 0).sum() < 140
    assert torch.equal(planes, random_hints(ab, 0.25, torch.Generator().manual_seed(3)))
    assert not random_hints(ab, 0.0, torch.Generator().manual_seed(3)).any()
