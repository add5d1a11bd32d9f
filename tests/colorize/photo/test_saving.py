import io
import random
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin, features

import colorize.photo.saving
from colorize.photo.metadata import DIGITAL_SOURCE_TYPE
from colorize.photo.opening import Photo, PhotoError
from colorize.photo.saving import output_format, save_picture
from tests.support.saved import ALPHA, GREY, MODEL, PICTURE, save

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
AVIF = pytest.param(".avif", marks=needs_avif)
ENDINGS = [".jpg", ".png", ".webp", ".tif", ".bmp", AVIF]
WITH_METADATA = [".jpg", ".png", ".webp", ".tif", AVIF]


def exif_block():
    exif = Image.Exif()
    exif[271], exif[274], exif[315] = "Agfa", 6, "Anna"
    exif.get_ifd(0x8769).update({36867: "1950:01:02 03:04:05", 37500: b"maker" * 9, 33434: 0.008})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.5), 3: "E", 4: (16.0, 22.0, 1.25)})
    return exif.tobytes()


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    b'dc:source="Box 7"/></rdf:RDF></x:xmpmeta>'
)


@pytest.fixture
def photo():
    return Photo(GREY, None, "JPEG", "old.jpg")


@pytest.fixture
def described(tmp_path):
    """A photo with EXIF, GPS, XMP and a resolution, stored on its side."""
    path = tmp_path / "described.jpg"
    side = Image.fromarray(np.ascontiguousarray(GREY.T[::-1]))
    side.save(path, exif=exif_block(), xmp=XMP, dpi=(300, 200), quality=100)
    photo = Photo.open(path)
    assert photo.size == (80, 60)
    return photo


@pytest.mark.parametrize("ending", ENDINGS)
def test_output_is_the_picture_and_carries_srgb(photo, tmp_path, ending):
    path, notices = save(photo, tmp_path / f"new{ending}")
    assert path == tmp_path / f"new{ending}"
    assert notices == []
    tolerance = {".jpg": 6, ".webp": 30, ".avif": 6}.get(ending, 0)
    assert np.abs(Photo.open(path).pixels.astype(int) - PICTURE).max() <= tolerance
    with Image.open(path) as image:
        if ending != ".bmp":
            data = io.BytesIO(image.info["icc_profile"])
            assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(data))


def test_jpeg_keeps_every_pixel_of_color_at_quality_95(photo, tmp_path):
    with Image.open(save(photo, tmp_path / "a.jpg").path) as image:
        assert JpegImagePlugin.get_sampling(image) == 0
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=95)
        with Image.open(buffer) as at_95:
            assert image.quantization == at_95.quantization


def test_quality_counts(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    photo = Photo.open(noise)
    for ending in (".jpg", ".webp"):
        low, high = (
            save(photo, tmp_path / f"{q}{ending}", noise, quality=q).path.stat().st_size
            for q in (30, 100)
        )
        assert low * 2 < high


def test_noise_at_full_quality_fits_the_encoder(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    save(Photo.open(noise), tmp_path / "a.jpg", noise, quality=100)
    assert Photo.open(tmp_path / "a.jpg").size == (900, 700)


@pytest.mark.parametrize("ending", WITH_METADATA)
def test_metadata_goes_along(described, tmp_path, ending):
    path = save(described, tmp_path / f"new{ending}").path
    with Image.open(path) as image:
        image.load()
        exif = image.getexif()
        camera, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
        xmp = image.info["xmp"]
        dpi = image.info.get("dpi")
    assert exif[271] == "Agfa"
    assert exif[315] == "Anna"
    assert exif.get(274, 1) == 1
    assert exif[305] == f"Colorize {colorize.__version__} (fusion, 1a2b3c4d)"
    assert exif.get_ifd(0x0201) == {}
    assert camera[36867] == "1950:01:02 03:04:05"
    assert camera[37500] == b"maker" * 9
    assert camera[33434] == pytest.approx(0.008)
    assert (camera[40962], camera[40963]) == (80, 60)
    assert gps == {1: "N", 2: (48.0, 12.0, 30.5), 3: "E", 4: (16.0, 22.0, 1.25)}
    assert b'dc:source="Box 7"' in xmp
    assert DIGITAL_SOURCE_TYPE.encode() in xmp
    assert (exif[282], exif[283]) == (200, 300)
    if dpi:
        assert dpi == pytest.approx((200, 300), rel=1e-4)
    again = Photo.open(path)
    assert again.size == (80, 60)
    assert again.metadata.xmp == xmp


def test_png_carries_xmp_and_exif_in_their_own_chunks(described, tmp_path):
    data = save(described, tmp_path / "a.png").path.read_bytes()
    assert b"iTXtXML:com.adobe.xmp\0\0\0\0\0" in data
    assert data.count(b"eXIf") == 1


@pytest.mark.parametrize("ending", WITH_METADATA)
def test_strip_leaves_the_disclosure_alone(described, tmp_path, ending):
    path = save(described, tmp_path / f"new{ending}", strip=True).path
    assert not re.search(rb"Anna|Agfa|maker|1950|Box 7", path.read_bytes())
    with Image.open(path) as image:
        image.load()
        exif = image.getexif()
        assert exif[305].startswith("Colorize")
        assert exif.get_ifd(0x8825) == {}
        assert DIGITAL_SOURCE_TYPE.encode() in image.info["xmp"]


def test_metadata_goes_from_format_to_format(described, tmp_path):
    photo = described
    for ending in (".tif", ".webp", ".png", ".jpg", ".tif", ".jpg"):
        photo = Photo.open(save(photo, tmp_path / f"step{ending}").path)
        assert photo.size == (80, 60)
    assert photo.metadata.exif.gps[2].count == 3
    assert photo.metadata.exif.image[315].data == b"Anna\0"
    assert photo.metadata.xmp.count(DIGITAL_SOURCE_TYPE.encode()) == 1


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
def test_damaged_exif_never_stops_a_save(tmp_path, ending):
    chance, block = random.Random(ending), exif_block()
    image = Image.fromarray(PICTURE)
    for _ in range(40):
        damaged = bytearray(block)
        for _ in range(chance.choice((1, 3, 10))):
            damaged[chance.randrange(6, len(damaged))] = chance.choice((0, 1, 4, 9, 128, 255))
        image.info["exif"] = bytes(damaged)
        photo = Photo.open(image)
        picture = photo.pixels
        path = save(photo, tmp_path / f"a{ending}", picture).path
        again = Photo.open(path)
        assert again.size == photo.size
        if photo.metadata.exif:
            assert again.metadata.exif.camera.keys() >= photo.metadata.exif.camera.keys()
            assert again.metadata.exif.gps.keys() == photo.metadata.exif.gps.keys()


def test_large_exif_and_xmp_do_not_stop_a_jpeg(tmp_path):
    exif = Image.Exif()
    exif[315] = "Anna"
    exif.get_ifd(0x8769)[37500] = bytes(70_000)
    xmp = XMP.replace(b"Box 7", b"x" * 70_000)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    Image.fromarray(GREY).save(tmp_path / "a.png", exif=exif, pnginfo=info)
    photo = Photo.open(tmp_path / "a.png")
    path, notices = save(photo, tmp_path / "a.jpg")
    assert len(notices) == 2
    with Image.open(path) as image:
        assert image.getexif()[315] == "Anna"
        assert DIGITAL_SOURCE_TYPE.encode() in image.info["xmp"]
    path, notices = save(photo, tmp_path / "b.png")
    assert notices == []
    assert Photo.open(path).metadata.exif.camera[37500].count == 70_000


def test_two_saves_give_the_same_bytes(described, tmp_path):
    first = [save(described, tmp_path / f"a{end}").path.read_bytes() for end in (".jpg", ".tif")]
    colorize.photo.saving.srgb_profile.cache_clear()
    second = [save(described, tmp_path / f"b{end}").path.read_bytes() for end in (".jpg", ".tif")]
    assert first == second
    assert colorize.photo.saving.srgb_profile()[24:36] == bytes.fromhex("07d000010001000000000000")


@pytest.mark.parametrize("ending", [".png", ".webp", ".tif", AVIF])
def test_alpha_is_kept_where_it_can_be(tmp_path, ending):
    path, notices = save(Photo(GREY, ALPHA), tmp_path / f"a{ending}")
    assert notices == []
    np.testing.assert_array_equal(Photo.open(path).alpha, ALPHA)


@pytest.mark.parametrize(("ending", "tolerance"), [(".jpg", 6), (".bmp", 0)])
def test_alpha_is_laid_on_white_where_it_cannot(tmp_path, ending, tolerance):
    path, notices = save(Photo(GREY, ALPHA), tmp_path / f"a{ending}")
    assert "white" in notices[0]
    share = ALPHA[..., None] / 255
    expected = PICTURE * share + 255 * (1 - share)
    assert np.abs(Photo.open(path).pixels - expected).max() <= tolerance + 1
    opaque = save(Photo(GREY, np.full_like(ALPHA, 255)), tmp_path / f"b{ending}")
    assert opaque.notices == []


# ---- whole or not at all, and never over the input


def test_the_input_is_never_written_over(tmp_path, monkeypatch):
    path = tmp_path / "old.png"
    Image.fromarray(GREY).save(path)
    before = path.read_bytes()
    (tmp_path / "link.png").symlink_to(path)
    (tmp_path / "hard.png").hardlink_to(path)
    (tmp_path / "folder").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    with path.open("rb") as file, Image.open(path) as image:
        for photo in map(Photo.open, (path, "old.png", file, image)):
            for name in ("old.png", "link.png", "hard.png", "folder/old.png", "./old.png"):
                with pytest.raises(PhotoError, match="is the photo itself"):
                    save(photo, name)
    assert path.read_bytes() == before
    assert (tmp_path / "link.png").is_symlink()


def test_an_existing_file_is_replaced_unless_told_otherwise(photo, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    with pytest.raises(PhotoError, match=r"a\.png exists already"):
        save(photo, path, overwrite=False)
    assert path.read_bytes() == b"before"
    save(photo, path)
    np.testing.assert_array_equal(Photo.open(path).pixels, PICTURE)


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ValueError("bad"), Interrupted()]
)
@pytest.mark.parametrize("existing", [False, True])
def test_an_encoder_that_fails_midway_leaves_no_trace(
    photo, tmp_path, monkeypatch, error, existing
):
    if existing:
        (tmp_path / "a.png").write_bytes(b"before")

    def fail(self, file, format, **_):
        file.write(b"half a picture")
        file.flush()
        assert len(list(tmp_path.iterdir())) == 1 + existing
        raise error

    monkeypatch.setattr(Image.Image, "save", fail)
    expected = Interrupted if isinstance(error, Interrupted) else PhotoError
    with pytest.raises(expected, match=None if expected is Interrupted else r"a\.png"):
        save(photo, tmp_path / "a.png")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"] * existing


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes")
def test_a_full_disk_leaves_no_trace(tmp_path):
    """In a process of its own, whose files may not grow beyond 50 kB."""
    (tmp_path / "new.png").write_bytes(b"before")
    script = """
        import resource, signal, sys
        from pathlib import Path
        import numpy as np
        from colorize.photo import Photo, PhotoError
        from colorize.photo.saving import save_picture

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
        for ending in ("jpg", "png", "webp", "tif", "bmp"):
            try:
                save_picture(noise, Path(sys.argv[1]) / f"new.{ending}", Photo.open(noise),
                             model="m", weights_hash="1")
            except PhotoError as error:
                print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), tmp_path],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(colorize.__file__).parents[1],
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all(
        re.fullmatch(r"new\.\w+ was not written \(.*\); check .* space\.", line) for line in lines
    )
    assert [path.name for path in tmp_path.iterdir()] == ["new.png"]
    assert (tmp_path / "new.png").read_bytes() == b"before"


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
def test_a_new_file_has_the_usual_permissions(photo, tmp_path):
    (tmp_path / "plain").touch()
    path = save(photo, tmp_path / "a.jpg").path
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_names_of_any_script(photo, tmp_path):
    path = save(photo, tmp_path / "Großmutter 祖母 👵.jpg").path
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    long = save(photo, tmp_path / ("ä" * 125 + ".png")).path
    assert long.exists()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.gif", {}, r"a\.gif cannot be written as GIF; choose PNG"),
        ("a.heic", {}, "cannot be written as HEIF"),
        ("a.txt", {}, r"does not end like a picture; use one of \.jpg, \.png"),
        ("a", {}, "does not end like a picture"),
        ("a.jpg", {"format": "PPM"}, "cannot be written as PPM"),
        ("none/a.jpg", {}, r"no folder .*none for a\.jpg"),
        (".", {"format": "PNG"}, "is a folder"),
        ("a.jpg", {"quality": 0}, "1 to 100, not 0"),
        ("a.jpg", {"quality": 95.5}, "1 to 100, not 95.5"),
        ("a.jpg", {"picture": PICTURE[:-1]}, r"uint8 \(60, 80, 3\), not uint8 \(59, 80, 3\)"),
        ("a.jpg", {"picture": PICTURE / 255}, "not float64"),
        ("a.jpg", {"picture": GREY}, r"not uint8 \(60, 80\)"),
    ],
)
def test_what_cannot_be_saved_is_said(photo, tmp_path, name, options, words):
    with pytest.raises(PhotoError, match=words):
        save(photo, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("ending", "side"), [(".jpg", 65_501), (".webp", 16_384)])
def test_sides_that_a_format_cannot_hold(tmp_path, ending, side):
    picture = np.zeros((1, side, 3), np.uint8)
    with pytest.raises(PhotoError, match=f"{side - 1:,} pixels a side"):
        save(Photo.open(picture), tmp_path / f"a{ending}", picture)
    picture = picture[:, :-1]
    save(Photo.open(picture), tmp_path / f"a{ending}", picture)
    assert Photo.open(tmp_path / f"a{ending}").size == (side - 1, 1)


def test_a_given_format_wins_over_the_ending(photo, tmp_path):
    path = save(photo, tmp_path / "a.dat", format="PNG").path
    assert Photo.open(path).format == "PNG"


@pytest.mark.parametrize("ending", ENDINGS)
def test_one_pixel(tmp_path, ending):
    picture = np.uint8([[[200, 100, 50]]])
    path = save(Photo.open(picture), tmp_path / f"a{ending}", picture, mark=True).path
    assert np.abs(Photo.open(path).pixels.astype(int) - picture).max() <= 4


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
def test_100_megapixels(tmp_path, ending):
    picture = np.empty((8000, 12_500, 3), np.uint8)
    picture[..., 0] = np.arange(12_500) // 50
    picture[..., 1] = (np.arange(8000) // 40)[:, None]
    picture[..., 2] = 99
    path = save(Photo.open(picture), tmp_path / f"a{ending}", picture).path
    back = Photo.open(path).pixels[::7, ::7].astype(int)
    assert np.abs(back - picture[::7, ::7]).max() <= (4 if ending == ".jpg" else 0)


# ---- which format


@pytest.mark.parametrize(
    ("format", "name", "choice", "expected"),
    [
        ("JPEG", "a.JPG", "keep", ("JPEG", ".JPG")),
        ("JPEG", "a.jpeg", "jpg", ("JPEG", ".jpeg")),
        ("JPEG", "a.png", "keep", ("JPEG", ".jpg")),
        ("PNG", "photo", "keep", ("PNG", ".png")),
        ("TIFF", "a.tiff", "keep", ("TIFF", ".tiff")),
        ("TIFF", "a.tiff", "jpg", ("JPEG", ".jpg")),
        ("BMP", "a.bmp", "keep", ("BMP", ".bmp")),
        ("WEBP", "a.webp", "keep", ("WEBP", ".webp")),
        ("AVIF", "a.avif", "keep", ("AVIF", ".avif")),
        ("GIF", "a.gif", "keep", ("PNG", ".png")),
        ("HEIF", "a.heic", "keep", ("PNG", ".png")),
        ("PPM", "a.ppm", "keep", ("PNG", ".png")),
        ("HEIF", "a.heic", "webp", ("WEBP", ".webp")),
        ("GIF", "a.gif", "png", ("PNG", ".png")),
    ],
)
def test_output_format(format, name, choice, expected):
    assert output_format(Photo(GREY, None, format, name), choice) == expected


@pytest.mark.parametrize("choice", ["gif", "JPEG", "", "tif"])
def test_output_formats_that_are_none(photo, choice):
    with pytest.raises(PhotoError, match="keep, jpg, png or webp"):
        output_format(photo, choice)


def test_temporary_files_stand_beside_the_output(photo, tmp_path, monkeypatch):
    seen = []
    replaced = Path.replace

    def replace(self, target):
        seen.append((self.parent, self.stat().st_size))
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    path = save(photo, tmp_path / "a.png").path
    assert seen == [(tmp_path, path.stat().st_size)]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("alpha", [None, ALPHA])
def test_a_picture_of_four_bytes_a_pixel_gives_the_same_file(ending, alpha, tmp_path):
    photo = Photo(GREY, alpha, "PNG", "old.png")
    wide = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])[..., :3]
    for name, picture in (("packed", PICTURE), ("wide", wide)):
        save_picture(picture, tmp_path / (name + ending), photo, mark=True, **MODEL)
    packed, wide = ((tmp_path / (name + ending)).read_bytes() for name in ("packed", "wide"))
    assert packed == wide
