from colorize.photo.opening import Photo
from colorize.web.photos.examples import EXAMPLES, write_examples


def test_examples_are_three_grey_photos(tmp_path):
    files = write_examples(tmp_path / "new")
    assert len(files) == len(EXAMPLES) == 3
    for file in files:
        photo = Photo.open(file)
        assert photo.is_grey and min(photo.size) >= 300
        assert photo.format == "JPEG"
