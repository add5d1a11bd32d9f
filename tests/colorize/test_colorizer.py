import io
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

from colorize import Colorizer, Photo, colorizer, list_checkpoints
from colorize.colorizer import Colorization, choose_device, network_input, working_shape
from colorize.errors import ColorizeError
from colorize.hint_scores import missed_by
from colorize.photo import PhotoError
from colorize.record import CheckpointError

MODELS = ("direct", "bins")
SIZES = [(1, 1), (1, 2), (3, 1), (8, 8), (31, 57), (97, 101), (2, 500), (500, 2), (150, 90)]


@pytest.fixture(params=MODELS)
def model(request, checkpoints) -> Colorizer:
    return Colorizer(request.param, device="cpu")


@pytest.fixture
def direct(checkpoints) -> Colorizer:
    return Colorizer("direct", device="cpu")


@pytest.fixture
def over_bins(checkpoints) -> Colorizer:
    return Colorizer("bins", device="cpu")


@pytest.fixture
def runs(monkeypatch) -> list[tuple[int, ...]]:
    """The shapes of the batches that networks were given."""
    shapes = []
    run = colorizer.run_network

    def counted(network, record, L):
        shapes.append(tuple(L.shape))
        return run(network, record, L)

    monkeypatch.setattr(colorizer, "run_network", counted)
    return shapes


def picture(result: Colorization) -> np.ndarray:
    return np.asarray(result.image)


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


# Batches, threads, memory


def test_a_batch_gives_what_single_photos_give(model, make_pixels, runs):
    shapes = [(64, 64), (60, 80), (64, 64), (128, 128), (60, 80)]
    photos = [Photo.open(make_pixels(i, *shape)) for i, shape in enumerate(shapes)]
    together = model.predict(photos)
    assert sorted(shape[0] for shape in runs) == [2, 3]
    for photo, prediction in zip(photos, together, strict=True):
        alone = model.predict([photo])[0]
        assert prediction.shape == alone.shape
        assert torch.allclose(prediction.output, alone.output, atol=1e-3)
        difference = model.finish(photo, prediction).ab - model.finish(photo, alone).ab
        assert np.abs(difference).max() < 0.05


def test_batches_are_bounded_and_share_no_memory(direct, make_pixels, runs, monkeypatch):
    monkeypatch.setattr(colorizer, "_BATCH_PIXELS", 3 * 96 * 96)
    photos = [Photo.open(make_pixels(i)) for i in range(7)]
    predictions = direct.predict(photos)
    assert [shape[0] for shape in runs] == [3, 3, 1]
    for prediction in predictions:
        assert prediction.output.untyped_storage().nbytes() == prediction.output.nbytes
    assert direct.predict([]) == []


def test_threads_share_a_colorizer(model, make_pixels):
    photos = [make_pixels(i, 40 + i, 50) for i in range(8)]
    expected = [picture(model(photo)) for photo in photos]
    barrier = Barrier(4)

    def colorize(number):
        barrier.wait(timeout=30)
        result = model(photos[number])
        return picture(result), picture(result.adjusted(saturation=0.5))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(colorize, range(8)))
    for number, (whole, half) in enumerate(found):
        assert np.abs(whole.astype(int) - expected[number]).max() <= 1
        again = picture(model(photos[number], saturation=0.5))
        assert np.abs(half.astype(int) - again).max() <= 1


def test_threads_share_a_colorization(direct, make_pixels):
    result = direct(make_pixels(1, 300, 300))
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda _: np.asarray(result.image), range(8)))
    assert all(np.array_equal(one, pictures[0]) for one in pictures)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"),
    ],
)
def test_too_little_memory_is_one_sentence(direct, make_pixels, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(colorizer, "run_network", fail)
    with pytest.raises(ColorizeError, match="direct needs more memory than cpu has at 96 x 96"):
        direct(make_pixels(0))


def test_other_errors_of_a_network_are_not_hidden(direct, make_pixels, monkeypatch):
    def fail(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(colorizer, "run_network", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        direct(make_pixels(0))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory as Linux counts it")
def test_memory_is_bounded(checkpoints):
    """16 megapixels cost their result, 3 bytes each, and no floats of them."""
    script = """
        import resource, sys
        import numpy as np
        from colorize import Colorizer, Photo

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        model = Colorizer("direct", device="cpu")
        model(np.zeros((600, 600), np.uint8)).pixels
        grey = np.random.default_rng(0).integers(0, 256, (2000, 8000), dtype=np.uint8)
        photo = Photo(grey)
        before = peak()
        assert model(photo).pixels.shape == (2000, 8000, 3)
        print(peak() - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = 2000 * 8000 * 3 / 2**20
    assert float(done.stdout) < result + 40  # one channel as floats is 61 already


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


@pytest.fixture
def hinted(with_hints) -> Colorizer:
    return Colorizer("hinted", device="cpu")


HINTS = [(40, 30, "#c03030"), (250, 150, "#3050c0"), (150, 199, "#30a050"), (299, 0, "#ffff00")]


@pytest.mark.parametrize("size", [None, 64, 192])
def test_a_hinted_spot_has_the_colour_and_its_own_lightness(hinted, make_pixels, size):
    for seed in range(3):
        pixels = make_pixels(seed, 200, 300)
        result = hinted(pixels, size=size, hints=HINTS)
        assert max(missed_by(result.pixels, HINTS)) < 10
        lightness = np.abs(rgb2lab(result.pixels)[..., 0] - rgb2lab(pixels)[..., 0])
        assert lightness.max() <= 1.0


@pytest.mark.parametrize(("height", "width"), [(8, 8), (1, 1), (3, 400), (500, 2), (701, 1203)])
def test_hints_on_photos_of_every_shape(hinted, make_pixels, height, width):
    hint = (width // 2, height // 2, "#a05030")
    result = hinted(make_pixels(3, height, width), hints=[hint])
    assert missed_by(result.pixels, [hint])[0] < 10


def test_hints_on_real_photos(hinted, shipped_photos):
    for pixels in shipped_photos.values():
        height, width = pixels.shape[:2]
        spots = np.random.default_rng(0).integers((width, height), size=(20, 2)).tolist()
        hints = [
            (x, y, f"#{20 * n % 256:02x}60{255 - 11 * n:02x}") for n, (x, y) in enumerate(spots)
        ]
        missed = np.array(missed_by(hinted(pixels, hints=hints).pixels, hints))
        assert (missed < 10).mean() >= 0.9


def test_hints_are_pixels_of_the_upright_photo(hinted, make_pixels):
    image, exif = Image.fromarray(make_pixels(4, 120, 80)), Image.Exif()
    exif[0x0112] = 6  # to be turned: 120 wide, 80 high
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    hint = (110, 70, "#c03030")
    result = hinted(io.BytesIO(buffer.getvalue()), hints=[hint])
    assert result.pixels.shape == (80, 120, 3)
    assert missed_by(result.pixels, [hint])[0] < 10
    with pytest.raises(ColorizeError, match="outside the photo, which is 120 x 80"):
        hinted(io.BytesIO(buffer.getvalue()), hints=[(70, 110, "#c03030")])


def test_saturation_comes_after_the_hints(hinted, make_pixels):
    hints, pixels = HINTS[:1], make_pixels(5, 200, 300)
    result = hinted(pixels, hints=hints)
    assert np.allclose(result.adjusted(saturation=0.5).ab, result.ab / 2, atol=1e-4)
    assert missed_by(result.adjusted(temperature=1.0).pixels, hints)[0] < 10
    assert missed_by(result.another(3).pixels, hints)[0] < 10


def test_each_photo_of_a_batch_has_its_own_hints(hinted, make_pixels):
    photos = [Photo.open(make_pixels(n, 64, 96)) for n in range(3)]
    hints = [[(10, 10, "#c03030")], [], [(80, 50, "#3030c0"), (5, 60, "#30c030")]]
    together = hinted.predict(photos, None, hints)
    for photo, some, prediction in zip(photos, hints, together, strict=True):
        alone = hinted.predict([photo], None, [some])[0]
        assert torch.allclose(prediction.output, alone.output, atol=1e-4)
        assert len(prediction.spots) == len(some)
        result = hinted.finish(photo, prediction)
        assert all(missed < 10 for missed in missed_by(result.pixels, some))
    assert torch.allclose(hinted.predict(photos)[1].output, together[1].output, atol=1e-4)


def test_no_hints_run_the_network_without_them(hinted, make_pixels, monkeypatch):
    given = []
    run = colorizer.run_network
    monkeypatch.setattr(colorizer, "run_network", lambda *x: given.append(len(x)) or run(*x))
    pixels = make_pixels(6, 96, 128)
    assert np.array_equal(hinted(pixels).ab, hinted(pixels, hints=[]).ab)
    hinted(pixels, hints=[(1, 1, "#808080")])
    assert given == [3, 3, 4]


def test_another_colouring_is_repeatable_and_does_not_run_the_network(hinted, make_pixels, runs):
    result = hinted(make_pixels(7, 96, 128), saturation=0.5)
    first, again, second = (result.another(seed) for seed in (1, 1, 2))
    assert first.seed == 1 and result.seed is None and first.saturation == 0.5
    assert np.array_equal(first.ab, again.ab)
    assert not np.allclose(first.ab, second.ab, atol=1)
    assert not np.allclose(first.ab, result.ab, atol=1)
    assert len(runs) == 1
    called = hinted(make_pixels(7, 96, 128), saturation=0.5, seed=2)
    assert np.array_equal(called.ab, second.ab)
    assert first.uncertainty is not None
    assert np.array_equal(first.uncertainty, result.uncertainty)


def test_colourings_are_for_models_over_bins(direct, make_pixels):
    with pytest.raises(ColorizeError, match="direct is not a model over bins"):
        direct(make_pixels(8)).another(1)
    with pytest.raises(ColorizeError, match="seed: expected"):
        Colorizer("bins")(make_pixels(8)).another(-1)


def test_plausible_colours_of_a_spot(hinted, direct, make_pixels):
    pixels = make_pixels(9, 96, 128)
    result = hinted(pixels)
    swatches = result.plausible_colours(64, 48)
    assert len(swatches) >= 2 and all("likely" in s.name for s in swatches[:-1])
    assert direct(pixels).plausible_colours(0, 0)[0].colour.startswith("#")
    with pytest.raises(ColorizeError, match="outside the photo"):
        result.plausible_colours(128, 0)
