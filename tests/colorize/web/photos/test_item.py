import numpy as np
import pytest
from PIL import Image

from colorize.color.resample import shrink
from colorize.photo.opening import Photo
from colorize.web.photos.item import Item, Taken, Upload
from tests.support.scans import scanned


@pytest.fixture
def scan(tmp_path, shipped_photos):
    pixels, corners = scanned(shipped_photos["chelsea.png"][..., 1], 225, tilt=2)
    Image.fromarray(pixels).save(tmp_path / "scan.png")
    return tmp_path / "scan.png", corners


def taken(photo):
    return Taken.of(photo, shrink(photo.pixels, 512))


def test_a_scans_border_is_told(scan):
    file, corners = scan
    facts = taken(Upload("me", file).opened())
    assert np.abs(np.multiply(facts.border, facts.size) - corners).max() < 3
    assert facts.tilt == pytest.approx(-2, abs=0.3)
    cropped = taken(Upload("me", file, cropped=True).opened())
    assert cropped.border == () and cropped.tilt == 0
    assert np.prod(cropped.size) < 0.7 * np.prod(facts.size)


def test_photos_without_a_border_tell_of_none(shipped_photos):
    assert taken(Photo.open(shipped_photos["astronaut.png"])).border == ()


def test_faded_tones_are_told_but_not_of_colour_photos(shipped_photos):
    faded = shipped_photos["chelsea.png"] // 2 + 60
    assert taken(Photo.open(faded[..., 1])).is_faded
    assert not taken(Photo.open(faded)).is_faded
    assert not taken(Photo.open(np.arange(256, dtype=np.uint8).reshape(16, 16))).is_faded


def test_the_page_is_told_all_of_it(scan):
    item = Item(3, Upload("me", scan[0], cropped=True), Taken((4, 5), border=((0, 0),), tilt=1.23))
    told = item.state()
    assert (told["number"], told["name"], told["size"]) == (3, "scan.png", (4, 5))
    assert (told["border"], told["tilt"], told["isCropped"]) == (((0, 0),), 1.2, True)
