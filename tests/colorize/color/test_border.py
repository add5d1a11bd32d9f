import numpy as np
import pytest

from colorize.color.border import Border, find_border
from tests.support.scans import scanned

SCANS = {
    "white": {"paper": 250},
    "black": {"paper": 5},
    "paper": {"paper": 225},
    "thin": {"paper": 240, "width": 8},
    "askew": {"paper": 225, "tilt": 2},
    "on a white bed": {"paper": 220, "bed": 250},
    "on a black bed, askew": {"paper": 235, "bed": 8, "tilt": -1.5},
    "deckle edge": {"paper": 225, "bed": 250, "tilt": 3, "deckle": True},
    "deckle edge on black": {"paper": 235, "bed": 10, "tilt": -2, "deckle": True},
    "two sides": {"paper": 250, "sides": (1, 0, 0, 1)},
}
WHOLE = Border(((0, 0), (1, 0), (1, 1), (0, 1)), (30, 40))


@pytest.fixture(scope="module")
def greys(shipped_photos):
    return {name: pixels[..., 1] for name, pixels in shipped_photos.items()}


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("name", ["chelsea.png", "coffee.png"])
def test_the_border_is_found_where_it_is(greys, name, scan):
    pixels, corners = scanned(greys[name], **SCANS[scan])
    found = find_border(pixels)
    off = np.array(found.corners) * pixels.shape[::-1] - corners
    assert np.abs(off).max() <= 3.5
    assert found.tilt == pytest.approx(-SCANS[scan].get("tilt", 0), abs=0.4)


@pytest.mark.parametrize("tilt", [0, 2])
def test_a_white_frame_around_a_light_photo_is_found(greys, tilt):
    """As of a portrait before a light wall: its sides are 10 levels from the paper."""
    y, x = np.mgrid[:240, :320]
    light = np.where(
        (x - 160) ** 2 / 2 + (y - 240) ** 2 < 150**2, greys["chelsea.png"][:240, :320], 234
    )
    light = light.astype(np.uint8)
    pixels, corners = scanned(light, 246, width=24, tilt=tilt)
    found = find_border(pixels)
    off = np.array(found.corners) * pixels.shape[::-1] - corners
    assert np.abs(off).max() <= 3.5
    plain = np.random.default_rng(0).normal(light.astype(float), 2).clip(0, 255)
    assert find_border(plain.astype(np.uint8)) is None


def test_photos_without_a_border_have_none(shipped_photos):
    for name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"):
        assert find_border(shipped_photos[name]) is None, name


@pytest.mark.parametrize("kind", ["sky", "object", "gradient", "flat", "noise", "snow", "tiny"])
def test_what_is_flat_at_its_edges_but_no_border(kind):
    y, x = np.mgrid[:300, :400]
    noise = np.random.default_rng(0).integers(0, 256, (300, 400))
    pixels = {
        "sky": np.where(y < 100, 240, noise),  # bright up to the upper edge, a straight horizon
        "object": np.where((x - 200) ** 2 + (y - 150) ** 2 < 90**2, noise, 250),
        "gradient": x / 2,
        "flat": x * 0 + 128,
        "noise": noise,
        "snow": np.where((x + y > 260) & (y > 60 + 25 * np.sin(x / 20)), noise, 245),
        "tiny": np.pad(noise[:40, :40], 5, constant_values=255),
    }[kind]
    assert find_border(pixels.astype(np.uint8)) is None


def test_a_border_on_one_side_is_none(greys):
    assert find_border(scanned(greys["chelsea.png"], 250, sides=(1, 0, 0, 0))[0]) is None


def test_colour_scans_are_looked_at_too(shipped_photos):
    photo = shipped_photos["chelsea.png"]
    framed = np.pad(photo, ((30, 30), (30, 30), (0, 0)), constant_values=235)
    assert find_border(framed) == find_border(framed[..., 0]) or find_border(framed) is not None
    off = np.array(find_border(framed).corners[0]) * framed.shape[1::-1] - 30
    assert np.abs(off).max() <= 2


def test_inside_is_nothing_in_the_border_and_one_in_the_picture(greys):
    pixels, corners = scanned(greys["chelsea.png"], 225, tilt=2)
    inside = find_border(pixels).inside((150, 200))
    assert inside.dtype == np.float32
    assert inside[0].max() == inside[-1].max() == inside[:, 0].max() == inside[:, -1].max() == 0
    scale = np.array((200, 150)) / pixels.shape[::-1]
    for corner in corners:
        towards = corner * scale + 6 * np.sign((100, 75) - corner * scale)
        away = corner * scale - 3 * np.sign((100, 75) - corner * scale)
        assert inside[int(towards[1]), int(towards[0])] == 1
        assert inside[int(away[1]), int(away[0])] == 0


def test_along_a_side_without_border_nothing_is_lost():
    assert (WHOLE.inside((30, 40)) == 1).all()
    left = Border(((0.25, 0), (1, 0), (1, 1), (0.25, 1)), (40, 40)).inside((40, 40))
    assert (left[:, :11] == 0).all() and (left[:, 12:] == 1).all()


@pytest.mark.parametrize("tilt", [0, 3])
def test_the_picture_is_cut_out_upright(greys, tilt):
    photo = greys["chelsea.png"]
    pixels, _ = scanned(photo, 225, tilt=tilt)
    border = find_border(pixels)
    cut = border.cut(pixels)
    assert np.abs(np.subtract(cut.shape, photo.shape)).max() <= 5
    high, wide = np.minimum(cut.shape, photo.shape)
    shifts = [
        np.abs(
            cut[y : high - 6 + y, x : wide - 6 + x].astype(int) - photo[3 : high - 3, 3 : wide - 3]
        )
        for y in range(6)
        for x in range(6)
    ]
    assert min(shift.mean() for shift in shifts) < 6
    deep = border.cut(pixels.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - cut).max() <= 2
    assert border.cut(np.dstack([pixels] * 3)).shape == (*cut.shape, 3)


def test_a_straight_one_is_cut_without_resampling(greys):
    pixels, _ = scanned(greys["coffee.png"], 250)
    cut = find_border(pixels).cut(pixels)
    place = [
        (y, x)
        for y in range(36, 48)
        for x in range(36, 48)
        if np.array_equal(pixels[y : y + cut.shape[0], x : x + cut.shape[1]], cut)
    ]
    assert len(place) == 1
