"""Heat maps: where people marked, over the half that they marked."""

import base64
import io

import numpy as np
from PIL import Image

from turing.analysis.aspects.marks import Marked
from turing.report.marks import MOST, density, heat_maps

RED, BLUE = (200, 60, 60), (60, 60, 200)


def halves(name):
    """A red left half and a blue right one, of 100 x 80 pixels each."""
    image = Image.new("RGB", (200, 80), RED)
    image.paste(BLUE, (100, 0, 200, 80))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def marked(points, part=1, file="a.jpg", people=1):
    return Marked("hills", file, "fusion", "s", part, 2, 9, people, np.array(points))


def decoded(picture):
    data = base64.b64decode(picture.source.split(",")[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_heat_is_highest_where_the_marks_are():
    heat = density(np.array([[0.25, 0.75], [0.26, 0.75], [0.9, 0.1]]), 100, 80)
    assert heat.shape == (80, 100) and heat.max() == 1 and heat.min() >= 0
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    assert abs(x - 25) <= 1 and abs(y - 59.5) <= 1
    assert 0.3 < heat[8, 90] < 0.7  # one mark where two are
    assert heat[40, 60] < 0.01


def test_the_marked_half_is_shown_and_lit_where_it_was_marked():
    (picture,) = heat_maps([marked([[0.25, 0.5]] * 3, people=2)], halves).pictures
    assert (picture.width, picture.height) == (100, 80)
    assert "3 marks by 2 people, of 9 asked" in picture.share
    assert "colours of fusion: 3 marks by 2 people" in picture.alt
    pixels = decoded(picture)
    assert pixels[40, 75][2] > pixels[40, 75][0] + 30  # the blue half, where nothing is marked
    lit, dark = pixels[40, 25], pixels[40, 75]
    assert lit[0] > dark[0] + 80  # the brightest of the scale is yellow
    left = decoded(heat_maps([marked([[0.25, 0.5]], part=0)], halves).pictures[0])
    assert left[40, 75][0] > left[40, 75][2] + 30


def test_most_marked_first_and_not_too_many():
    found = [marked([[0.5, 0.5]], file=f"{n}.jpg") for n in range(MOST + 5)]
    assert [p.file for p in heat_maps(found, halves).pictures] == [f"{n}.jpg" for n in range(MOST)]


def test_a_picture_that_is_gone_is_left_out():
    assert heat_maps([marked([[0.5, 0.5]])], lambda name: None).pictures == []
