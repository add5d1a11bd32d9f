import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from colorize.color.toned import is_toned
from colorize.errors import ColorizeError
from colorize.inference import colorizer
from colorize.inference.colorizer import Colorizer
from colorize.inference.hints.strokes import parse_strokes
from colorize.models.record import list_checkpoints
from colorize.web.cache import held
from colorize.web.photos.item import Upload
from colorize.web.pictures.encoding import encode, encode_uncertainty
from colorize.web.pictures.unsure import outline
from colorize.web.workshop import Look, Part, Workshop, fit
from tests.support.scans import scanned


@pytest.fixture
def workshop(checkpoints, tmp_path):
    (tmp_path / "files").mkdir()
    return Workshop(tmp_path / "files", list_checkpoints())


@pytest.fixture
def runs(monkeypatch):
    """How often a network ran."""
    calls, run = [], colorizer.run_network
    monkeypatch.setattr(
        colorizer, "run_network", lambda *given: calls.append(given[1].name) or run(*given)
    )
    return calls


@pytest.fixture
def upload(shipped_photos, tmp_path):
    file = tmp_path / "coffee.png"
    Image.fromarray(shipped_photos["coffee.png"]).save(file)
    return Upload("me", file)


@pytest.mark.parametrize("model", ["direct", "bins"])
def test_file_is_what_the_library_makes(workshop, upload, model, tmp_path):
    look = Look(model, size=64, saturation=1.5)
    file = workshop.save(upload, look, "keep", tmp_path / "out")
    expected = Colorizer(model)(upload.file, size=64, saturation=1.5).pixels
    difference = np.abs(np.asarray(Image.open(file)).astype(int) - expected)
    assert file.name == "out.png"
    assert difference.max() <= 2 and difference.mean() < 0.05  # logits are kept in half precision


def test_adjusting_does_not_run_the_network(workshop, upload, runs, tmp_path):
    workshop.predict(upload, Look("bins"))
    pictures = [
        workshop.preview(upload, Look("bins", saturation=s, temperature=t), 200)
        for s, t in ((1, None), (0, None), (1.7, None), (1, 1.0), (1, 0.0))
    ]
    workshop.save(upload, Look("bins", saturation=0.4, temperature=0.7), "png", tmp_path / "x")
    workshop.uncertainty(upload, Look("bins"))
    workshop.figures(upload, Look("bins", saturation=0.2))
    assert runs == ["bins"]
    assert all((a != b).any() for a, b in pairwise(pictures))


def test_what_was_dropped_is_made_again(checkpoints, upload, runs, tmp_path):
    workshop = Workshop(tmp_path, list_checkpoints(), max_bytes=0)
    first = workshop.preview(upload, Look("direct"), 200)
    assert (workshop.preview(upload, Look("direct"), 200) == first).all()
    assert len(runs) == 2


def test_many_visitors_take_no_more_memory_than_the_bound(checkpoints, upload, runs, tmp_path):
    """Oldest out first; who returns gets the same picture, made again."""

    def visit(number):
        owner = upload._replace(owner=f"visitor{number}")
        workshop.take(owner)
        return workshop.preview(owner, Look("bins"), 200)

    workshop = Workshop(tmp_path, list_checkpoints())
    visit(0)
    most = 3 * workshop.memory.bytes
    workshop = Workshop(tmp_path, list_checkpoints(), max_bytes=most)
    first = visit(0)
    for number in range(1, 6):
        visit(number)
        assert workshop.memory.bytes <= most
        kept = workshop.memory._values.values()
        assert sum(held(value) for value, _ in kept) <= workshop.memory.bytes
    assert len(runs) == 7
    workshop.predict(upload._replace(owner="visitor5"), Look("bins"))
    assert len(runs) == 7  # the newest is still there
    assert (visit(0) == first).all() and len(runs) == 8


def test_previews_have_the_size_of_a_screen(workshop, upload):
    preview = workshop.preview(upload, Look("direct"), 90)
    assert preview.shape == (60, 90, 3)
    assert workshop.original(upload, 90).shape == (60, 90, 3)


def test_saturation_0_is_grey(workshop, upload):
    preview = workshop.preview(upload, Look("direct", saturation=0), 90)
    assert (preview.max(2) - preview.min(2) <= 1).all()
    assert np.abs(preview.astype(int) - workshop.grey(upload, 90)).max() <= 1


def test_figures_are_scikit_images(workshop, upload):
    look = Look("bins", saturation=1.3)
    figures = workshop.figures(upload, look)
    picture, truth = workshop.preview(upload, look, 512), workshop.original(upload, 512)
    assert figures["psnr"] == pytest.approx(peak_signal_noise_ratio(truth, picture), abs=1e-3)
    assert figures["ciede2000"] == pytest.approx(
        deltaE_ciede2000(rgb2lab(truth), rgb2lab(picture)).mean(), abs=1e-2
    )
    assert workshop.take(upload).colorfulness > 10


def test_temperature_is_for_models_over_bins_only(workshop):
    direct, bins = workshop.record("direct"), workshop.record("bins")
    assert fit(Look("direct", temperature=0.9), direct) == Look("direct")
    assert fit(Look("bins", temperature=0.9), bins) == Look("bins", temperature=0.9)


@pytest.mark.parametrize(
    "look",
    [Look("nothing"), Look("bins", saturation=-1), Look("bins", temperature=99), Look("bins", 5)],
)
def test_wrong_settings_give_a_sentence(workshop, look):
    with pytest.raises(ColorizeError):
        fit(look, workshop.record(look.model))


def test_toned_photos_count_as_black_and_white(shipped_photos):
    grey = np.asarray(Image.fromarray(shipped_photos["chelsea.png"]).convert("L"))
    sepia = np.stack([np.interp(grey, (0, 255), ends) for ends in ((20, 255), (10, 240), (0, 205))])
    noise = np.random.default_rng(0).normal(0, 2, (*grey.shape, 3))
    assert is_toned(grey)
    assert is_toned((sepia.transpose(1, 2, 0) + noise).clip(0, 255).astype(np.uint8))
    for name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"):
        assert not is_toned(shipped_photos[name]), name


def test_a_toned_print_on_white_paper_is_told(shipped_photos):
    grey = Image.fromarray(shipped_photos["astronaut.png"]).convert("L").resize((300, 300))
    sepia = ImageOps.colorize(grey, (30, 15, 5), (250, 235, 205))
    assert is_toned(np.asarray(sepia))
    assert is_toned(np.asarray(ImageOps.expand(sepia, 12, (250, 248, 244))))


def test_preview_keeps_transparency(workshop, tmp_path, make_pixels):
    image = Image.fromarray(make_pixels(1, 40, 60))
    image.putalpha(Image.linear_gradient("L").resize((60, 40)))
    image.save(tmp_path / "clear.png")
    upload = Upload("me", tmp_path / "clear.png")
    content, kind = encode(workshop.preview(upload, Look("direct"), 30), workshop.alpha(upload, 30))
    shown = Image.open(io.BytesIO(content))
    assert kind == "image/webp" and shown.mode == "RGBA" and shown.size == (30, 20)


def test_uncertainty_is_pink_and_clear_elsewhere():
    given = np.linspace(0, 1, 200, dtype=np.float32).reshape(10, 20)
    overlay = np.asarray(Image.open(io.BytesIO(encode_uncertainty(given))))
    assert overlay.shape == (400, 800, 4)
    assert (overlay[..., :3] == (255, 0, 170)).all()
    np.testing.assert_array_equal(overlay[..., 3], outline(given))


@pytest.fixture
def hinting(with_hints, tmp_path):
    (tmp_path / "files").mkdir()
    return Workshop(tmp_path / "files", list_checkpoints())


def test_hints_run_the_network_once_for_all_that_is_asked(hinting, upload, runs, tmp_path):
    look = Look("hinted", hints=((100, 80, "#3050c0"), (20, 20, "#c03030")))
    plain = hinting.preview(upload, Look("hinted"), 400)
    assert (hinting.preview(upload, look, 400) != plain).any()
    hinting.figures(upload, look)
    hinting.uncertainty(upload, look)
    hinting.swatches(upload, look, 5, 5)
    file = hinting.save(upload, replace(look, saturation=0.5, seed=3), "png", tmp_path / "x")
    assert runs == ["hinted", "hinted"]
    assert np.asarray(Image.open(file)).shape == hinting.original(upload, 2000).shape


def test_asked_at_once_it_is_one_run(hinting, upload, runs):
    look = Look("hinted", hints=((100, 80, "#3050c0"),))
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda _: hinting.preview(upload, look, 200), range(4)))
    assert runs == ["hinted"]
    assert all((picture == pictures[0]).all() for picture in pictures)


def test_of_outputs_with_hints_the_last_is_remembered(hinting, upload, runs):
    hinting.predict(upload, Look("hinted"))
    used = hinting.memory.bytes
    for x in range(3):
        hinting.predict(upload, Look("hinted", hints=((x, 80, "#3050c0"),)))
    assert hinting.memory.bytes < 2.2 * used
    hinting.predict(upload, Look("hinted"))
    hinting.predict(upload, Look("hinted", hints=((2, 80, "#3050c0"),)))
    assert len(runs) == 4


def test_a_reference_runs_no_network_again_whatever_its_strength(hinting, upload, runs):
    plain = hinting.preview(upload, Look("hinted"), 400)
    look = Look("hinted", reference=upload)
    none, half, full = (
        hinting.preview(upload, replace(look, trust=trust), 400) for trust in (0.0, 0.5, 1.0)
    )
    assert np.abs(none.astype(int) - plain).max() <= 1
    assert np.abs(half.astype(int) - plain).mean() < np.abs(full.astype(int) - plain).mean()
    hinting.figures(upload, look)
    found = hinting.sources(upload, look)
    assert {len(rows) for rows in found.values()} == {len(found["sure"])}
    assert all(0 <= share <= 1 for rows in found.values() for row in rows for share in row)
    assert runs == ["hinted"]


def test_a_reference_of_a_stroke_is_made_once(hinting, upload, runs):
    look = Look("hinted", reference=upload)
    hinting.preview(upload, look, 400)
    ran = len(runs)
    for x in (20, 30):
        stroke = parse_strokes([{"points": [[x, 80]], "color": "#3050c0"}])
        hinting.preview(upload, replace(look, strokes=stroke), 400)
    assert len(runs) == ran + 2


def test_trust_is_a_share(hinting):
    with pytest.raises(ColorizeError, match="trust: expected a number from 0 to 1, found 2"):
        fit(Look("hinted", trust=2.0), hinting.record("hinted"))


def test_what_a_model_does_not_take_is_left_out(hinting):
    look = Look("direct", seed=3, hints=((100, 80, "#3050c0"),))
    assert fit(look, hinting.record("direct")) == Look("direct")
    look = replace(look, model="hinted")
    assert fit(look, hinting.record("hinted")) == look


def test_a_hint_outside_the_photo_is_a_sentence(hinting, upload):
    with pytest.raises(ColorizeError, match="outside the photo"):
        hinting.preview(upload, Look("hinted", hints=((9999, 80, "#3050c0"),)), 90)


@pytest.fixture
def scan(tmp_path, shipped_photos):
    """A faded print with a border."""
    pixels, _ = scanned(shipped_photos["chelsea.png"][..., 1] // 2 + 60, 225)
    Image.fromarray(pixels).save(tmp_path / "scan.png")
    return Upload("me", tmp_path / "scan.png")


def test_a_scans_border_is_grey_unless_it_is_to_be_coloured(workshop, scan, runs, tmp_path):
    tints = []
    for look in (Look("direct"), Look("direct", borders=False)):
        shown = workshop.preview(scan, look, 400)
        tile = workshop.tile(scan, look, Part(slice(0, 30), slice(0, 300)))
        file = np.asarray(Image.open(workshop.save(scan, look, "png", tmp_path / "x")))
        tints.append([np.ptp(one[:25].astype(int), axis=2).mean() for one in (shown, tile, file)])
    assert max(tints[0]) < 0.3 and min(tints[1]) > 1
    assert runs == ["direct"]


def test_restored_tones_are_in_every_picture_but_that_before(workshop, scan, runs, tmp_path):
    plain, restored = Look("direct"), Look("direct", restore=True)
    part = Part(slice(60, 200), slice(60, 300))
    for make in (
        lambda look: workshop.preview(scan, look, 400)[60:-60, 60:-60],
        lambda look: workshop.tile(scan, look, part),
        lambda look: next(workshop.variants(scan, look, 400)).picture[60:-60, 60:-60],
        lambda look: np.asarray(Image.open(workshop.save(scan, look, "png", tmp_path / "x")))[part],
    ):
        assert np.ptp(make(restored).mean(2)) > 1.5 * np.ptp(make(plain).mean(2))
    assert runs == ["direct", "direct"]  # it sees other tones
    assert np.ptp(workshop.grey(scan, 400)[60:-60, 60:-60]) < 140


def test_a_cropped_upload_is_another_photo(workshop, scan, runs):
    cropped = scan._replace(cropped=True)
    whole, part = (workshop.preview(one, Look("direct"), 400) for one in (scan, cropped))
    assert workshop.take(cropped).size < workshop.take(scan).size
    assert whole.shape != part.shape and len(runs) == 2
    workshop.forget("me")
    assert workshop.memory.bytes == 0


def test_a_photo_may_not_be_as_large_as_a_film(workshop, tmp_path, monkeypatch):
    monkeypatch.setattr("colorize.web.photos.item.MOST_PHOTO_BYTES", 2**20)
    file = tmp_path / "large.png"
    file.write_bytes(bytes(2**20 + 1))
    with pytest.raises(ColorizeError, match=r"large\.png is larger than 1 MB; save it smaller"):
        workshop.take(Upload("me", file))
