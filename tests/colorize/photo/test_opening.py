import errno
import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.photo.opening import Photo, PhotoError
from tests.support.photo_files import COLOR, FORMATS, GREY, RGB, TRANSPARENT, encoded, png_of, rows
from tests.support.scans import scanned

# ---- where a photo comes from


def test_every_kind_of_source_gives_the_same_photo(tmp_path):
    path = tmp_path / "Großmutter – 1920.png"
    path.write_bytes(encoded(COLOR, "PNG"))
    with path.open("rb") as file, Image.open(path) as image:
        sources = [str(path), path, file, image]
        named = [Photo.open(source) for source in sources]
    unnamed = [path.read_bytes(), bytearray(path.read_bytes()), io.BytesIO(path.read_bytes())]
    unnamed += [COLOR, RGB]
    for photo in named:
        assert (photo.name, photo.source) == ("Großmutter – 1920.png", path)
    unnamed = [Photo.open(source) for source in unnamed]
    for photo in unnamed:
        assert (photo.name, photo.source) == ("photo", None)
    for photo in named + unnamed:
        np.testing.assert_array_equal(photo.pixels, RGB)
        assert photo.size == (32, 24)
        assert photo.format == "PNG"
        assert not photo.is_grey
        assert photo.pixels.flags.writeable
        assert photo.notices == ()
    assert Photo.open(named[0]) is named[0]


def test_source_stays_known_when_the_folder_changes(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(encoded(COLOR, "PNG"))
    monkeypatch.chdir(tmp_path)
    assert Photo.open("a.png").source == tmp_path / "a.png"


def test_a_stream_that_cannot_seek():
    class Stream(io.RawIOBase):
        def __init__(self):
            self.data = io.BytesIO(encoded(COLOR, "PNG"))

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.data.readinto(buffer)

    np.testing.assert_array_equal(Photo.open(Stream()).pixels, RGB)


def test_an_open_file_is_left_open(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(encoded(COLOR, "TIFF"))
    with path.open("rb") as file:
        Photo.open(file)
        Photo.open(file)
        assert not file.closed


def test_a_pillow_image_is_left_as_it_is(tmp_path):
    path = tmp_path / "a.gif"
    COLOR.save(path, save_all=True, append_images=[COLOR.rotate(180)])
    with Image.open(path) as image:
        image.seek(1)
        second = np.asarray(image.convert("RGB"))
        photo = Photo.open(image)
        assert image.tell() == 1
    np.testing.assert_array_equal(photo.pixels, second)
    assert photo.notices == ()


@pytest.mark.parametrize("source", [None, 5, ["a.png"], object()])
def test_what_is_no_source_is_said(source):
    with pytest.raises(PhotoError, match=type(source).__name__):
        Photo.open(source)


def test_text_files_and_closed_files_are_said(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hello")
    with path.open() as file, pytest.raises(PhotoError, match="binary"):
        Photo.open(file)
    with path.open("rb") as file:
        pass
    with pytest.raises(PhotoError, match=r"a\.txt cannot be read"):
        Photo.open(file)


# ---- arrays


@pytest.mark.parametrize(
    ("array", "pixels"),
    [
        (RGB, RGB),
        (GREY, GREY),
        (RGB.astype(np.float32) / 255, RGB),
        (GREY / 255, GREY),
        (RGB.astype(np.uint16) * 257, RGB),
        (GREY > 99, np.where(GREY > 99, 255, 0)),
        (np.repeat(GREY[..., None], 3, axis=2), GREY),
        (RGB[::2, ::-1], RGB[::2, ::-1]),
        (np.float16([[0, 0.5, 1]]), [[0, 128, 255]]),
    ],
)
def test_arrays(array, pixels):
    photo = Photo.open(array)
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert photo.pixels.dtype == np.uint8
    assert not np.shares_memory(photo.pixels, array)
    assert photo.alpha is None


def test_an_array_of_four_channels_has_alpha():
    photo = Photo.open(np.asarray(TRANSPARENT))
    np.testing.assert_array_equal(photo.pixels, RGB)
    np.testing.assert_array_equal(photo.alpha, np.asarray(TRANSPARENT)[..., 3])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 24, 32)), r"\(h, w, 3\).*not \(3, 24, 32\); move the channels last"),
        (np.zeros(5), r"not \(5,\)"),
        (np.zeros((2, 2, 2)), r"not \(2, 2, 2\)"),
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros((2, 2), np.int64), "not int64"),
        (np.zeros((2, 2), complex), "not complex128"),
        (np.array([["a"]]), "not <U1"),
        (np.full((2, 2), 255.0), "from 255 to 255"),
        (np.array([[-0.5, 1.0]]), "from -0.5 to 1"),
        (np.array([[np.nan, 1.0]]), r"\[0, 1\]"),
    ],
)
def test_arrays_of_other_kinds_are_said(array, words):
    with pytest.raises(PhotoError, match=words):
        Photo.open(array)


# ---- limits


def test_size_is_checked_before_anything_is_decoded():
    huge = png_of((100_000, 90_000, 8, 2), (b"IDAT", b""))
    with pytest.raises(PhotoError, match=r"100,000 x 90,000 pixels \(9,000.0 megapixels\).*100"):
        Photo.open(huge)


@pytest.mark.parametrize("format", [*FORMATS, "GIF"])
def test_limit_holds_for_every_format_and_does_not_hang_on_pillows(format, monkeypatch):
    data = encoded(COLOR, format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(PhotoError, match="32 x 24 pixels"):
        Photo.open(data, max_megapixels=767 / 1e6)
    assert Photo.open(data, max_megapixels=768 / 1e6).size == (32, 24)
    assert Image.MAX_IMAGE_PIXELS is None


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "TIFF"])
def test_limit_may_lie_above_pillows(format, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)  # an error from twice that on
    monkeypatch.setattr("colorize.photo.pixels._STRIP_PIXELS", 32)  # Pillow checks crops too
    assert Photo.open(encoded(COLOR, format)).size == (32, 24)


@pytest.mark.parametrize("source", [RGB, COLOR, Photo(RGB)])
def test_limit_holds_for_what_is_decoded_already(source):
    with pytest.raises(PhotoError, match="32 x 24 pixels"):
        Photo.open(source, max_megapixels=0.0001)


def test_a_gif_whose_frame_is_larger_than_its_screen():
    data = bytearray(encoded(COLOR, "GIF"))
    place = data.index(b",\0\0\0\0")
    data[place + 5 : place + 9] = struct.pack("<HH", 20_000, 8000)
    with pytest.raises(PhotoError, match="20,000 x 8,000"):
        Photo.open(bytes(data))


@pytest.mark.parametrize("chunk", [b"zTXt", b"iTXt", b"iCCP"])
def test_chunks_that_unpack_to_much_are_refused(chunk):
    bomb = zlib.compress(bytes(50_000_000), 9)
    start = b"a\0\1\0\0\0" if chunk == b"iTXt" else b"a\0\0"
    data = png_of((1, 1, 8, 0), (chunk, start + bomb), (b"IDAT", rows(np.uint8([[1]]))))
    with pytest.raises(PhotoError, match="suspiciously large"):
        Photo.open(data)


def test_no_memory_is_said(monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("colorize.photo.decoding.to_srgb", fail)
    with pytest.raises(PhotoError, match="more memory than there is"):
        Photo.open(encoded(COLOR, "PNG"))


# ---- what is no photo


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"just some words\n" * 9, "is text"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"<html>404</html>", "web page"),
        (b"\x01\x02\x03" + bytes(range(200, 256)) * 3, "not a known picture"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"GIF89a", "damaged"),
        (b"BM", "damaged"),
        (b"II*\0", "damaged"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "damaged"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "damaged"),
    ],
)
def test_other_files_are_told_in_one_sentence(data, words, tmp_path):
    path = tmp_path / "old.jpg"
    path.write_bytes(data)
    with pytest.raises(PhotoError, match=words) as caught:
        Photo.open(path)
    message = str(caught.value)
    assert message.startswith("old.jpg ")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("format", [*FORMATS, "GIF"])
@pytest.mark.parametrize("part", [0.3, 0.7])
def test_files_that_are_cut_off(format, part):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), format)
    with pytest.raises(PhotoError, match=r"cut off|damaged"):
        Photo.open(data[: int(len(data) * part)])


def test_places_that_hold_no_file(tmp_path):
    for name, words in (("none.jpg", "none.jpg was not found"), (".", "is a folder")):
        with pytest.raises(PhotoError, match=words):
            Photo.open(tmp_path / name)
    with pytest.raises(PhotoError, match="not found"):
        Photo.open("a\0b.jpg")
    with pytest.raises(PhotoError, match="cannot be read"):
        Photo.open("a" * 5000 + ".jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(PhotoError, match="not a regular file"):
        Photo.open(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EACCES, "may not be read"), (errno.EIO, "Input/output error")]
)
def test_files_that_cannot_be_read(number, words, tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(encoded(COLOR, "JPEG"))

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(PhotoError, match=f"a.jpg .*{words}"):
        Photo.open(tmp_path / "a.jpg")


def test_names_that_cannot_be_printed(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\nname\xff.jpg"))
    path.write_bytes(b"")
    with pytest.raises(PhotoError) as caught:
        Photo.open(path)
    assert str(caught.value).encode().startswith(b"bad?name?.jpg is empty")


@pytest.mark.parametrize("tags", [{254: 1, 271: "Leaf"}, {50706: b"\1\4\0\0"}])
def test_raw_files_of_cameras_are_not_taken_for_their_thumbnails(tags):
    data = encoded(COLOR, "TIFF", compression="raw", tiffinfo=tags) + bytes(10_000)  # the sensor's
    with pytest.raises(PhotoError, match="raw file"):
        Photo.open(data)


def test_an_empty_pillow_image():
    with pytest.raises(PhotoError, match=r"no pixels \(0 x 5\)"):
        Photo.open(Image.new("L", (0, 5)))


# ---- warnings and threads


def warning_file():
    """A JPEG that makes Pillow warn as it opens it: it looks for a resolution in broken EXIF."""
    data = encoded(COLOR, "JPEG")
    assert data[2:4] == b"\xff\xe0", "the JFIF segment, which would give a resolution"
    block = b"Exif\0\0II*\0\xff\x7f\0\0"
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[20:]


def test_pillows_warnings_stay_inside_and_filters_as_they_were():
    with pytest.warns(UserWarning, match="EXIF"), Image.open(io.BytesIO(warning_file())):
        pass
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert Photo.open(warning_file()).size == (32, 24)
    assert caught == []
    assert Photo.open(warning_file()).size == (32, 24), "warnings are errors here"
    assert warnings.filters == before


def test_threads_do_not_disturb_each_other():
    data, before, failures = warning_file(), list(warnings.filters), []

    def open_many():
        try:
            for _ in range(40):
                Photo.open(data)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert warnings.filters == before


def test_a_scan_is_cropped_to_its_picture(shipped_photos):
    pixels, _ = scanned(shipped_photos["chelsea.png"][..., 1], 225, tilt=2)
    photo = Photo.open(pixels.astype(np.uint16) * 257)
    cropped = photo.cropped()
    assert np.abs(np.subtract(cropped.size, shipped_photos["chelsea.png"].shape[1::-1])).max() <= 5
    assert cropped.levels.shape == cropped.pixels.shape
    assert cropped.border is None and cropped.cropped() is cropped
    assert cropped.edits == "Cropped to the picture inside its border."
    assert Photo.open(shipped_photos["chelsea.png"]).cropped().edits == ""
