import io

import numpy as np
import pytest
from PIL import Image

from colorize import Colorizer, Photo
from colorize.data.datasets import DataError, PhotoFile
from colorize.errors import ColorizeError
from colorize.evaluation.sheet import SIDE, choose, make_sheet, write_sheet

STEP = SIDE + 2


@pytest.fixture
def model(checkpoints) -> Colorizer:
    return Colorizer("direct", device="cpu")


@pytest.fixture
def photos(make_pixels):
    def content(number):
        out = io.BytesIO()
        Image.fromarray(make_pixels(number, 40, 60)).save(out, "PNG")
        return out.getvalue()

    contents = [content(number) for number in range(12)]
    return [PhotoFile(f"sub/{i:02d}.png", lambda c=c: c, "") for i, c in enumerate(contents)]


def refuse():
    raise DataError("the archive is damaged")


def tile(sheet, row, column, rows, labels=1):
    """A tile of the first block but for its rim; there are `rows` rows in all."""
    left, top = sheet.width - labels * STEP, sheet.height - rows * STEP
    x, y = left + column * STEP, top + row * STEP
    return np.asarray(sheet.crop((x + 4, y + 4, x + SIDE - 4, y + SIDE - 4))).astype(int)


def test_the_choice_is_the_seeds(photos):
    def names(count, seed):
        return [name for name, _ in choose(photos, count, seed)]

    assert names(5, 0) == names(5, 0)
    assert names(5, 0) != names(5, 1)
    assert names(12, 0)[:5] == names(5, 0)
    assert sorted(names(99, 0)) == [f"{i:02d}" for i in range(12)]


def test_photos_that_cannot_be_read_are_said_and_replaced(photos, capsys):
    broken = [
        PhotoFile("text.png", lambda: b"no picture", ""),
        PhotoFile("zip.png", refuse, ""),
    ]
    chosen = [name for name, _ in choose([*broken, *photos], 99, 0)]
    assert sorted(chosen) == [f"{i:02d}" for i in range(12)]
    said = "".join(capsys.readouterr())
    assert "text.png: left out" in said
    assert "zip.png: left out: the archive is damaged" in said


def test_a_sheet_shows_grey_the_models_and_the_truth(model, photos, make_pixels):
    pixels = make_pixels(5, 100, 100)
    photo = Photo.open(pixels)
    sheet = make_sheet([("five", photo)], {"one": model, "two": model})
    assert sheet.mode == "RGB"
    grey, one, two, truth = (tile(sheet, row, 0, 4) for row in range(4))
    assert (grey == grey[..., :1]).all()
    assert np.array_equal(one, two)
    assert np.ptp(one, axis=2).mean() > 5
    expected = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    assert np.abs(truth - np.asarray(expected).astype(int)[4:-4, 4:-4]).max() <= 1
    expected = model(photo).image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    assert np.abs(one - np.asarray(expected).astype(int)[4:-4, 4:-4]).max() <= 1


def test_eight_photos_stand_in_a_block(model, make_pixels):
    def size(count):
        photos = [(str(i), Photo.open(make_pixels(i, 20, 20))) for i in range(count)]
        return make_sheet(photos, {"net": model}).size

    one, eight, nine = size(1), size(8), size(9)
    assert eight[0] - one[0] == 7 * STEP
    assert eight[1] == one[1]
    assert nine == (eight[0], 2 * eight[1])


def test_labels_are_there_and_fit(model, make_pixels):
    photo = Photo.open(make_pixels(0, 20, 20))
    long = "a very long name of a photo that no tile is as wide as"
    sheet = np.asarray(make_sheet([(long, photo)], {"a model's name": model}).convert("L"))
    left = sheet.shape[1] - STEP
    for row in range(3):  # beside each tile
        top = sheet.shape[0] - (3 - row) * STEP
        assert (sheet[top : top + SIDE, :left] < 100).sum() > 30
        assert (sheet[top : top + SIDE, left - 4 : left] == 255).all()
    above = sheet[: sheet.shape[0] - 3 * STEP]
    assert (above[:, left:] < 100).sum() > 100
    assert (above[:, :left] == 255).all()
    assert (above[:, -4:] == 255).all()


@pytest.mark.parametrize("shape", [(20, 300), (300, 20), (1, 1), (64, 48)])
def test_any_shape_of_photo_is_shown(model, make_pixels, shape):
    pixels = make_pixels(1, *shape)
    clear = np.dstack((pixels, np.full(shape, 128, np.uint8)))
    for given in (pixels, pixels[..., 0], clear):
        sheet = make_sheet([("x", Photo.open(given))], {"net": model})
        assert tile(sheet, 0, 0, 3).std() < 128


def test_a_sheet_of_nothing_is_refused(model):
    with pytest.raises(ColorizeError, match="None of the photos"):
        make_sheet([], {"net": model})


def test_a_sheet_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "sheet.png"
    file.write_bytes(b"old")
    sheet = Image.new("RGB", (10, 10), "red")

    def fail(self, out, *_):
        out.write(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", fail)
        with pytest.raises(OSError, match="No space"):
            write_sheet(sheet, file)
    assert file.read_bytes() == b"old"
    write_sheet(sheet, file)
    with Image.open(file) as opened:
        assert opened.format == "PNG"
    assert [entry.name for entry in tmp_path.iterdir()] == ["sheet.png"]
