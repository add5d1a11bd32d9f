"""After kornia's recipe: shapes, exceptions, reference values, there and back, gradients."""

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab

from colorize.color.lab import (
    grey_lightness_table,
    into_gamut,
    lab_from_rgb,
    linear_from_srgb,
    rgb_from_lab,
    srgb_from_linear,
    to_uint8,
)


@pytest.fixture(scope="module")
def cube():
    """Every colour of the RGB cube sampled by 5: `(1, 3, 52, 2704)`."""
    axis = torch.arange(0, 256, 5, dtype=torch.float32) / 255
    return torch.cartesian_prod(axis, axis, axis).T.reshape(1, 3, 52, -1).contiguous()


@pytest.fixture(scope="module")
def random_lab():
    """L and ab drawn evenly, most of them outside sRGB: `(1, 3, 300, 1000)`."""
    generator = torch.Generator().manual_seed(1)
    L = torch.rand(1, 1, 300, 1000, generator=generator) * 100
    ab = torch.rand(1, 2, 300, 1000, generator=generator) * 220 - 110
    return torch.cat((L, ab), 1)


def as_skimage(x):
    return x[0].permute(1, 2, 0).double().numpy()


def linear_reference(L, ab):
    """Linear RGB `(n, 3)` of Lab in float64 numpy, not clipped: to judge what is inside sRGB."""
    from skimage.color import colorconv

    fy = (L + 16) / 116
    f = np.stack((fy + ab[:, 0] / 500, fy, fy - ab[:, 1] / 200), 1)
    xyz = np.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787) * [0.95047, 1.0, 1.08883]
    return xyz @ colorconv.rgb_from_xyz.T


def hue_and_chroma(ab):
    return torch.atan2(ab[:, 1], ab[:, 0]), ab.norm(dim=1)


# reference values


def test_lab_is_that_of_scikit_image_over_the_cube(cube):
    difference = np.abs(as_skimage(lab_from_rgb(cube)) - rgb2lab(as_skimage(cube)))
    assert difference.max() <= 1e-3


def test_rgb_is_that_of_scikit_image_over_the_cube(cube):
    lab = rgb2lab(as_skimage(cube))
    ours = rgb_from_lab(torch.from_numpy(lab).float().permute(2, 0, 1)[None])
    assert np.abs(as_skimage(ours) - lab2rgb(lab)).max() <= 1e-3


def test_there_and_back_gives_every_8_bit_colour_again(cube):
    back = rgb_from_lab(lab_from_rgb(cube))
    assert (back - cube).abs().max() <= 1e-4
    assert torch.equal(to_uint8(back), to_uint8(cube))


def test_transfer_curve_is_its_own_inverse():
    x = torch.linspace(0, 1, 4097)
    assert (srgb_from_linear(linear_from_srgb(x)) - x).abs().max() <= 1e-5


def test_known_colours():
    white_black_red = torch.tensor([[1.0, 0, 1], [1, 0, 0], [1, 0, 0]]).view(3, 1, 3)
    expected = torch.tensor([[100, 0, 53.2408], [0, 0, 80.0925], [0, 0, 67.2032]]).view(3, 1, 3)
    assert torch.allclose(lab_from_rgb(white_black_red), expected, atol=6e-3)


def test_grey_table_is_the_lightness_of_the_greys():
    greys = (torch.arange(256) / 255).expand(3, 1, 256)
    assert torch.allclose(grey_lightness_table(), lab_from_rgb(greys)[0, 0], atol=1e-4)


# the contract: lightness and hue are kept


def lightness_error(lab):
    out = to_uint8(rgb_from_lab(lab)).float() / 255
    return (lab_from_rgb(out)[..., :1, :, :] - lab[..., :1, :, :]).abs()


def test_lightness_is_kept_on_random_colours(random_lab):
    error = lightness_error(random_lab)
    assert error.max() <= 1.0
    assert error.mean() <= 0.3


def test_lightness_is_kept_on_photos_whatever_the_colours(shipped_photos, generator):
    for name, pixels in shipped_photos.items():
        rgb = torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255
        L = lab_from_rgb(rgb)[:, :1]
        ab = torch.rand(1, 2, *L.shape[-2:], generator=generator) * 220 - 110
        for colours in (ab, torch.full_like(ab, 60), torch.zeros_like(ab)):
            error = lightness_error(torch.cat((L, colours), 1))
            assert error.max() <= 1.0, name
            assert error.mean() <= 0.3, name


def test_gamut_step_keeps_hue_and_only_lowers_chroma(random_lab):
    L, ab = random_lab[:, :1], random_lab[:, 1:]
    hue, chroma = hue_and_chroma(ab)
    new_hue, new_chroma = hue_and_chroma(into_gamut(L, ab))
    assert (new_chroma <= chroma + 1e-4).all()
    turned = torch.remainder(new_hue - hue + torch.pi, 2 * torch.pi) - torch.pi
    assert (turned * new_chroma).abs().max() <= 1e-3


def test_rendered_colours_keep_their_hue(random_lab):
    back = lab_from_rgb(rgb_from_lab(random_lab))
    wanted = into_gamut(random_lab[:, :1], random_lab[:, 1:])
    error = (back[:, 1:] - wanted).norm(dim=1)  # the tolerance; most of it near black
    assert error.max() <= 0.6
    assert error.mean() <= 0.05


def test_gamut_step_against_brute_force():
    generator = np.random.default_rng(2)
    L = generator.uniform(1, 99, 400)
    ab = generator.uniform(-130, 130, (400, 2))
    scales = np.linspace(0, 1, 2001)
    fits = [
        ((rgb >= -1e-4) & (rgb <= 1 + 1e-4)).all(1)
        for rgb in (linear_reference(L, ab * scale) for scale in scales)
    ]
    best = scales[len(scales) - 1 - np.argmax(np.stack(fits)[::-1], 0)]
    ours = into_gamut(
        torch.from_numpy(L).float().view(1, 1, 1, -1),
        torch.from_numpy(ab.T.copy()).float().view(1, 2, 1, -1),
    )
    found = ours[0, :, 0].norm(dim=0).numpy() / np.linalg.norm(ab, axis=1)
    assert np.abs(found - best).max() <= 2 * (scales[1] - scales[0])


def test_colours_inside_are_returned_as_they_are(cube):
    lab = lab_from_rgb(cube)
    assert torch.equal(into_gamut(lab[:, :1], lab[:, 1:]), lab[:, 1:])


def test_neutral_stays_neutral():
    L = torch.linspace(0, 100, 100_001).view(1, 1, 1, -1)
    none = torch.zeros(1, 2, 1, 100_001)
    rgb = rgb_from_lab(torch.cat((L, none), 1))
    assert (rgb - rgb[:, :1]).abs().max() <= 1e-6
    levels = to_uint8(rgb).int()
    assert (levels != levels[:, :1]).any(1).sum() <= 10  # of 100,001, where rounding is a toss-up
    assert torch.equal(into_gamut(L, none), none)


def test_grey_photos_come_back_as_they_were():
    L = grey_lightness_table().view(1, 1, 1, -1)
    rgb = to_uint8(rgb_from_lab(torch.cat((L, torch.zeros(1, 2, 1, 256)), 1)))
    assert torch.equal(rgb, torch.arange(256, dtype=torch.uint8).expand(1, 3, 1, 256))


def test_lightness_beyond_the_scale_still_gives_black_and_white():
    lab = torch.tensor([[-5.0, 105.0], [40, 40], [40, 40]]).view(1, 3, 1, 2)
    assert to_uint8(rgb_from_lab(lab))[0, :, 0].T.tolist() == [[0, 0, 0], [255, 255, 255]]


# shapes, exceptions, gradients


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 3, 1, 1), (2, 3, 4, 5), (2, 6, 3, 4, 5)])
def test_any_batch_gives_what_its_pictures_give(shape, generator):
    lab = torch.rand(shape, generator=generator) * 220 - 110
    rgb = rgb_from_lab(lab)
    assert rgb.shape == lab.shape
    assert rgb.dtype == torch.float32
    one_by_one = torch.stack([rgb_from_lab(one) for one in lab.reshape(-1, *shape[-3:])])
    assert torch.allclose(rgb.reshape_as(one_by_one), one_by_one, atol=1e-6)
    ab = into_gamut(lab[..., :1, :, :], lab[..., 1:, :, :])
    assert ab.shape == lab[..., 1:, :, :].shape
    assert lab_from_rgb(rgb).shape == shape


@pytest.mark.parametrize(
    "wrong",
    [torch.zeros(3, 4), torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 4, 4, dtype=torch.uint8)],
)
def test_wrong_input_is_refused_with_what_was_found(wrong):
    for function in (lab_from_rgb, rgb_from_lab):
        with pytest.raises(ValueError, match=r"expected a float tensor .* found torch"):
            function(wrong)
    with pytest.raises(ValueError, match="expected a float tensor"):
        into_gamut(wrong, torch.zeros(1, 2, 4, 4))


def test_uint8_is_rounded_and_bounded():
    x = torch.tensor([-0.1, 0.0, 0.49 / 255, 0.51 / 255, 1.0, 1.2])
    assert to_uint8(x).tolist() == [0, 0, 0, 1, 255, 255]


def test_gradients_are_right(generator):
    rgb = (torch.rand(1, 3, 3, 3, generator=generator, dtype=torch.float64) * 0.9 + 0.05).detach()
    assert torch.autograd.gradcheck(lab_from_rgb, rgb.requires_grad_())
    lab = lab_from_rgb(rgb).detach().requires_grad_()
    assert torch.autograd.gradcheck(rgb_from_lab, lab)


def test_gradients_are_finite_at_black_white_and_outside():
    corners = torch.tensor([0.0, 1.0]).repeat(3, 1)
    rgb = torch.cartesian_prod(*corners).T.reshape(1, 3, 1, 8).clone().requires_grad_()
    lab_from_rgb(rgb).square().sum().backward()
    assert rgb.grad.isfinite().all()
    lab = torch.tensor([[0.0, 100, 50, 0, 100], [0, 0, 110, 50, 50], [0, 0, -110, 50, 50]])
    lab = lab.view(1, 3, 1, 5).requires_grad_()
    rgb_from_lab(lab).sum().backward()
    assert lab.grad.isfinite().all()
