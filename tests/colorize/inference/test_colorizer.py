import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

from colorize import Colorizer, Photo, list_checkpoints
from colorize.errors import ColorizeError
from colorize.inference.colorizer import choose_device, network_input, working_shape
from colorize.models.record import CheckpointError
from colorize.photo.opening import PhotoError
from tests.support.pictures import picture

MODELS = ("direct", "bins")
SIZES = [(1, 1), (1, 2), (3, 1), (8, 8), (31, 57), (97, 101), (2, 500), (500, 2), (150, 90)]


# What comes out


def test_lightness_is_kept_and_colour_is_added(model, shipped_photos):
    for name, pixels in shipped_photos.items():
        before, after = rgb2lab(pixels), rgb2lab(picture(model(pixels)))
        off = np.abs(before[..., 0] - after[..., 0])
        assert off.max() <= 1.0, name
        assert off.mean() <= 0.3, name
        assert np.hypot(after[..., 1], after[..., 2]).mean() > 3, name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grey", [False, True])
def test_the_output_has_the_inputs_size(direct, size, grey, make_pixels):
    pixels = make_pixels(1, *size)
    result = direct(pixels[..., 0] if grey else pixels)
    assert result.image.size == (size[1], size[0])
    assert result.image.mode == "RGB"


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (97, 101)])
def test_a_model_over_bins_takes_any_size_too(over_bins, size, make_pixels):
    result = over_bins(make_pixels(1, *size))
    assert result.image.size == (size[1], size[0])
    assert result.uncertainty.shape == result.ab.shape[1:]


def test_ab_is_given_at_working_size_and_in_lab_units(model, make_pixels):
    result = model(make_pixels(2, 120, 160))
    assert result.ab.shape == (2, 96, 128)
    assert result.ab.dtype == np.float32
    assert 10 < np.abs(result.ab).max() <= 115
    after = rgb2lab(picture(result))[..., 1:]
    small = np.asarray(Image.fromarray(after[..., 0].astype(np.float32)).resize((128, 96)))
    inside = np.abs(small - result.ab[0]) < 3  # most colours lie in sRGB and are kept
    assert inside.mean() > 0.5


def test_saturation_multiplies_ab_and_none_of_it_is_grey(model, make_pixels):
    pixels = make_pixels(3)
    one, two = model(pixels), model(pixels, saturation=2.0)
    assert np.allclose(two.ab, 2 * one.ab)
    for given in (pixels, pixels[..., 0]):
        grey = picture(model(given, saturation=0.0))
        assert (grey == grey[..., :1]).all()


def test_uncertainty_is_in_unit_range_at_working_size(over_bins, direct, make_pixels):
    pixels = make_pixels(4, 100, 130)
    result = over_bins(pixels)
    assert result.uncertainty.shape == result.ab.shape[1:]
    assert result.uncertainty.dtype == np.float32
    assert 0 <= result.uncertainty.min() < result.uncertainty.max() <= 1
    assert direct(pixels).uncertainty is None


def test_seconds_name_the_stages_that_were_run(direct, make_pixels, tmp_path):
    result = direct(make_pixels(0))
    assert set(result.seconds) == {"open", "network"}
    result.save(tmp_path / "new.png")
    assert set(result.seconds) == {"open", "network", "decode", "render", "save"}
    assert all(seconds >= 0 for seconds in result.seconds.values())


def test_alpha_is_kept(direct, make_pixels):
    pixels = make_pixels(5, 40, 50)
    alpha = np.tile(np.arange(50, dtype=np.uint8) * 5, (40, 1))
    result = direct(np.dstack((pixels, alpha)))
    assert result.image.mode == "RGBA"
    assert np.array_equal(picture(result)[..., 3], alpha)
    assert np.array_equal(picture(result)[..., :3], picture(direct(pixels)))


def test_the_same_photo_gives_the_same_picture(model, make_pixels):
    pixels = make_pixels(6)
    assert np.array_equal(picture(model(pixels)), picture(model(pixels)))


def test_a_preview_is_small_and_like_the_picture(direct, make_pixels):
    result = direct(make_pixels(7, 400, 600))
    small = result.preview(150)
    assert small.size == (150, 100)
    expected = result.image.resize((150, 100), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(expected)).mean() < 3


def test_a_preview_lays_transparency_on_white(direct, make_pixels):
    clear = np.dstack((make_pixels(8), np.zeros((64, 64), np.uint8)))
    assert np.asarray(direct(clear).preview(32)).min() == 255


# What goes in


def test_every_kind_of_input_gives_the_same_picture(direct, make_pixels, tmp_path):
    pixels = make_pixels(9, 45, 60)
    file = tmp_path / "photo é.png"
    Image.fromarray(pixels).save(file)
    expected = picture(direct(pixels))
    with Image.open(file) as opened, file.open("rb") as stream:
        inputs = {
            "path": file,
            "str": str(file),
            "bytes": file.read_bytes(),
            "BytesIO": io.BytesIO(file.read_bytes()),
            "file object": stream,
            "opened image": opened,
            "image": Image.fromarray(pixels),
            "Photo": Photo.open(file),
            "floats": (pixels / np.float32(255)),
            "opaque": np.dstack((pixels, np.full((45, 60), 255, np.uint8))),
        }
        for kind, given in inputs.items():
            assert np.array_equal(picture(direct(given))[..., :3], expected), kind


def test_greys_as_h_w_and_as_h_w_3_are_the_same(direct, make_pixels):
    grey = make_pixels(10)[..., 0]
    stacked = np.repeat(grey[..., None], 3, axis=2)
    assert np.array_equal(picture(direct(grey)), picture(direct(stacked)))


def test_a_colour_photo_is_colorized_from_its_lightness(direct, make_pixels):
    pixels = make_pixels(11)
    shape = working_shape((64, 64), 96)
    alone = network_input(Photo.open(pixels), shape)
    expected = torch.from_numpy(rgb2lab(pixels)[..., 0].astype(np.float32))
    assert abs(float(alone.mean() - expected.mean())) < 0.5
    assert not np.array_equal(picture(direct(pixels)), pixels)


@pytest.mark.parametrize("given", [None, 7, np.zeros((2, 2, 2), np.uint8), b"", b"no picture"])
def test_what_is_no_photo_is_one_sentence(direct, given):
    with pytest.raises(PhotoError) as caught:
        direct(given)
    assert "\n" not in str(caught.value)


# Settings


def test_a_careful_run_gives_the_mirror_image_its_mirrored_colours(model, make_pixels):
    photo = make_pixels(5, 80, 60)
    turned = np.ascontiguousarray(photo[:, ::-1])
    once, other = model(photo), model(turned)
    careful, its = model(photo, careful=True), model(turned, careful=True)
    assert np.abs(once.ab - other.ab[..., ::-1]).max() > 0.1
    assert np.abs(careful.ab - its.ab[..., ::-1]).max() < 0.01


def test_adjusted_never_runs_the_network_and_equals_a_fresh_run(over_bins, make_pixels, runs):
    pixels = make_pixels(12, 80, 70)
    result = over_bins(pixels)
    assert len(runs) == 1
    both = {"saturation": 2.0, "temperature": 1.0}
    for settings in ({"saturation": 0.3}, {"temperature": 0.1}, both):
        adjusted = result.adjusted(**settings)
        adjusted_picture = picture(adjusted)
        assert adjusted.uncertainty is not None
        assert len(runs) == 1
        assert np.array_equal(adjusted_picture, picture(over_bins(pixels, **settings)))
        runs.pop()
    back = result.adjusted(saturation=0.3).adjusted()
    assert np.array_equal(picture(back), picture(result))


def test_temperature_moves_the_colours_of_a_model_over_bins(over_bins, make_pixels):
    pixels = make_pixels(13)
    shipped = over_bins(pixels).ab
    assert np.array_equal(over_bins(pixels, temperature=0.38).ab, shipped)
    chroma = {t: np.hypot(*over_bins(pixels, temperature=t).ab).mean() for t in (0, 0.38, 1)}
    assert chroma[0] > chroma[0.38] > chroma[1]


def test_settings_that_a_model_does_not_take_are_one_sentence(direct, over_bins, make_pixels, runs):
    pixels = make_pixels(14)
    hint = (3, 4, "#ff0000")
    wrong = [
        (direct, {"temperature": 0.5}, "direct is not a model over bins"),
        (over_bins, {"temperature": -1}, "temperature: expected"),
        (over_bins, {"temperature": float("nan")}, "temperature: expected"),
        (direct, {"saturation": -0.1}, "saturation: expected"),
        (direct, {"saturation": float("nan")}, "saturation: expected"),
        (direct, {"saturation": float("inf")}, "saturation: expected"),
        (direct, {"size": 8}, "size: expected"),
        (direct, {"size": 5000}, "size: expected"),
        (direct, {"size": 96.5}, "size: expected"),
        (direct, {"hints": [hint]}, "direct cannot follow colour hints; no model here can"),
        (over_bins, {"hints": [hint]}, "bins cannot follow colour hints; no model here can"),
    ]
    for model, settings, sentence in wrong:
        with pytest.raises(ColorizeError, match=sentence) as caught:
            model(pixels, **settings)
        assert "\n" not in str(caught.value)
    assert not runs
    with pytest.raises(ColorizeError, match="not a model over bins"):
        direct(pixels).adjusted(temperature=1.0)


def test_the_working_size_is_the_short_side_and_automatic_if_none(direct, make_pixels, runs):
    pixels = make_pixels(15, 300, 400)
    assert direct(pixels).ab.shape == (2, 96, 128)
    assert direct(pixels, size=None).ab.shape == (2, 96, 128)
    assert direct(pixels, size=192).ab.shape == (2, 192, 256)
    assert runs == [(1, 1, 96, 128), (1, 1, 96, 128), (1, 1, 192, 256)]


@pytest.mark.parametrize(
    ("photo", "size", "expected"),
    [
        ((4000, 3000), 96, (96, 128)),
        ((3000, 4000), 96, (128, 96)),
        ((1, 1), 96, (96, 96)),
        ((10_000, 10), 96, (8, 384)),
        ((1, 100_000_000), 96, (384, 8)),
        ((50, 200), 100, (400, 100)),
    ],
)
def test_working_shape(photo, size, expected):
    assert working_shape(photo, size) == expected


def test_no_network_is_shown_more_than_a_megapixel():
    for photo in [(5000, 5000), (4000, 1000), (9000, 10), (1000, 2500)]:
        height, width = working_shape(photo, 1024)
        assert height * width <= 1.01 * 2**20
        if min(photo) > 100:
            assert width / height == pytest.approx(photo[0] / photo[1], rel=0.01)


# Saving


def test_saving_replaces_a_file_and_says_where_it_is(direct, make_pixels, tmp_path):
    result = direct(make_pixels(16))
    target = tmp_path / "new.png"
    target.write_bytes(b"old")
    assert result.save(target).path == target
    with Image.open(target) as saved:
        assert np.array_equal(np.asarray(saved.convert("RGB")), picture(result))
    with pytest.raises(PhotoError, match="exists already"):
        result.save(target, overwrite=False)
    assert [file.name for file in tmp_path.iterdir()] == ["new.png"]


def test_a_saved_photo_names_the_model(direct, make_pixels, tmp_path):
    direct(make_pixels(17)).save(tmp_path / "new.jpg")
    with Image.open(tmp_path / "new.jpg") as saved:
        software = saved.getexif()[305]
        assert b"algorithmicallyEnhanced" in saved.info["xmp"]
    assert "direct" in software
    assert direct.record.weights["sha256"][:8] in software


@pytest.mark.parametrize("kind", ["itself", "symlink", "hardlink", "other spelling"])
def test_the_input_is_never_written_over(direct, make_pixels, tmp_path, kind):
    file = tmp_path / "photo.png"
    Image.fromarray(make_pixels(18)).save(file)
    before = file.read_bytes()
    target = {"itself": file, "other spelling": tmp_path / "x" / ".." / "photo.png"}.get(kind)
    (tmp_path / "x").mkdir()
    if target is None:
        target = tmp_path / "other.png"
        target.symlink_to(file) if kind == "symlink" else os.link(file, target)
    with pytest.raises(PhotoError, match="the photo itself"):
        direct(file).save(target)
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("*.tmp")) + list(tmp_path.glob(".*"))


def test_nothing_half_written_is_left(direct, make_pixels, tmp_path, monkeypatch):
    def save(self, file, *_, **__):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    result = direct(make_pixels(19))
    result.image  # noqa: B018 - made before saving fails
    (tmp_path / "old.png").write_bytes(b"old")
    monkeypatch.setattr(Image.Image, "save", save)
    for name in ("new.png", "old.png"):
        with pytest.raises(PhotoError, match="No space left"):
            result.save(tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == ["old.png"]
    assert (tmp_path / "old.png").read_bytes() == b"old"


# Models and devices


def test_models_are_found_by_name_path_and_as_the_default(checkpoints):
    assert [record.name for record in list_checkpoints()] == ["direct", "bins"]
    for name in ("default", "direct", checkpoints / "direct.json", checkpoints / "direct"):
        assert Colorizer(name, device="cpu").record.name == "direct"
    with pytest.raises(CheckpointError, match="there are: bins, direct"):
        Colorizer("nothing", device="cpu")


@pytest.mark.parametrize("device", ["nonsense", "meta", "cuda:99", ""])
def test_a_device_that_is_not_here_is_one_sentence(device):
    with pytest.raises(ColorizeError, match="try auto or cpu"):
        choose_device(device)


def test_devices_are_chosen_by_name():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda")


def test_a_path_object_and_the_record_are_kept(checkpoints):
    model = Colorizer(Path(checkpoints / "bins.safetensors"), device="cpu")
    assert model.record.over_bins
