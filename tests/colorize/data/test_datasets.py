import struct
import zipfile

import numpy as np
import pytest

from colorize.data.datasets import (
    SPLITS,
    DataError,
    Dataset,
    PhotoFile,
    choose_photos,
    find_datasets,
)
from colorize.errors import ColorizeError


@pytest.fixture
def picture(make_pixels, encode):
    """A function of a seed: the bytes of a small PNG."""
    return lambda seed: encode(make_pixels(seed, 8, 10))


@pytest.fixture
def fill(picture):
    """A function that writes pictures, one a name, below a folder."""

    def fill(folder, *names):
        for seed, name in enumerate(names):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(picture(seed))

    return fill


def make_zip(file, members, **options):
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def names(dataset):
    return {split: [photo.name for photo in dataset.photos[split]] for split in SPLITS}


# folders


def test_folders_of_splits_are_datasets(tmp_path, fill, make_pixels):
    fill(tmp_path / "b", "train/2.png", "train/sub/1.png", "val/3.PNG", "test/4.png")
    fill(tmp_path / "a", "test/1.png")
    (tmp_path / "b" / "train" / "labels.csv").write_text("not a photo")
    first, second = find_datasets(tmp_path)
    assert (first.name, second.name) == ("a", "b")
    assert names(first) == {"train": [], "val": [], "test": ["1.png"]}
    assert names(second) == {"train": ["2.png", "sub/1.png"], "val": ["3.PNG"], "test": ["4.png"]}
    assert np.array_equal(second.photos["train"][1].pixels(), make_pixels(1, 8, 10))


def test_what_has_neither_train_nor_test_is_none(tmp_path, fill):
    fill(tmp_path / "a", "train/1.png")
    fill(tmp_path / "runs", "grids/1.png")
    fill(tmp_path / "only_val", "val/1.png")
    fill(tmp_path / ".hidden", "train/1.png")
    (tmp_path / "empty" / "train").mkdir(parents=True)
    make_zip(tmp_path / "code.zip", {"main.py": "pass"})
    assert [dataset.name for dataset in find_datasets(tmp_path)] == ["a"]


def test_hidden_files_and_folders_named_like_photos_are_left_out(tmp_path, fill):
    fill(tmp_path / "a", "train/1.png", "train/._1.png", "train/.cache/2.png")
    fill(tmp_path / "a", "train/@eaDir/1.png/S.png", "train/lost+found/3.png")
    fill(tmp_path / "@eaDir", "train/4.png")
    (tmp_path / "a" / "train" / "folder.png").mkdir()
    (dataset,) = find_datasets(tmp_path)
    assert names(dataset)["train"] == ["1.png"]


def test_datasets_are_taken_by_name_once_and_in_the_order_given(tmp_path, fill):
    for name in "abc":
        fill(tmp_path / name, "train/1.png")
    assert [d.name for d in find_datasets(tmp_path, ["c", "a", "c"])] == ["c", "a"]


@pytest.mark.parametrize("name", ["d", "../elsewhere", "", "a/train"])
def test_an_unknown_name_comes_with_those_there_are(tmp_path, fill, name):
    fill(tmp_path / "data" / "a", "train/1.png")
    fill(tmp_path / "elsewhere", "train/1.png")
    with pytest.raises(DataError, match=r"no dataset .* there are: a$"):
        find_datasets(tmp_path / "data", [name])


def test_a_folder_that_is_itself_a_dataset(tmp_path, fill):
    fill(tmp_path / "photos", "train/1.png", "test/2.png")
    (dataset,) = find_datasets(tmp_path / "photos")
    assert dataset.name == "photos"
    assert names(dataset) == {"train": ["1.png"], "val": [], "test": ["2.png"]}


def test_nothing_to_find_is_one_line(tmp_path):
    with pytest.raises(DataError, match="found no such folder"):
        find_datasets(tmp_path / "none")
    with pytest.raises(DataError, match="found neither"):
        find_datasets(tmp_path)


def test_grey_and_transparent_photos_have_three_channels(tmp_path, make_pixels, encode):
    (tmp_path / "a" / "test").mkdir(parents=True)
    grey = make_pixels(0)[..., 0]
    rgba = np.dstack((make_pixels(0), grey))
    (tmp_path / "a" / "test" / "grey.png").write_bytes(encode(grey))
    (tmp_path / "a" / "test" / "rgba.png").write_bytes(encode(rgba))
    (dataset,) = find_datasets(tmp_path)
    first, second = (photo.pixels() for photo in dataset.photos["test"])
    assert np.array_equal(first, np.repeat(grey[..., None], 3, 2))
    assert second.shape == (64, 64, 3)


def test_a_file_that_is_no_picture_is_an_error_of_its_own(tmp_path, fill):
    fill(tmp_path / "a", "train/1.png")
    (tmp_path / "a" / "train" / "2.png").write_text("no picture")
    (dataset,) = find_datasets(tmp_path)
    good, bad = dataset.photos["train"]
    good.pixels()
    with pytest.raises(ColorizeError):
        bad.pixels()
    (tmp_path / "a" / "train" / "1.png").unlink()
    with pytest.raises(DataError, match=r"1\.png: cannot be read"):
        good.pixels()


def test_a_changed_file_has_another_stamp(tmp_path, fill, picture):
    fill(tmp_path / "a", "train/1.png")
    before = find_datasets(tmp_path)[0].photos["train"][0].stamp
    (tmp_path / "a" / "train" / "1.png").write_bytes(picture(7) + b"\0")
    assert find_datasets(tmp_path)[0].photos["train"][0].stamp != before


# a plain folder


def test_a_plain_folder_is_cut_90_5_5_by_content(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(1000):
        (folder / f"{number:04}.png").write_bytes(struct.pack("<i", number))
    (dataset,) = find_datasets(folder)
    counts = {split: len(photos) for split, photos in dataset.photos.items()}
    assert dataset.name == "photos"
    assert sum(counts.values()) == 1000
    assert 870 <= counts["train"] <= 930
    assert 30 <= counts["val"] <= 70
    assert 30 <= counts["test"] <= 70
    before = {split: set(photos) for split, photos in names(dataset).items()}
    for file in folder.iterdir():  # neither a name nor its neighbours matter
        file.rename(folder / f"renamed-{file.name}")
    (folder / "new.png").write_bytes(b"one more")
    (again,) = find_datasets(folder)
    after = {
        split: {name.removeprefix("renamed-") for name in listed if name != "new.png"}
        for split, listed in names(again).items()
    }
    assert after == before


def test_the_same_photo_twice_stays_together(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(300):
        for copy in "ab":
            (folder / f"{number}{copy}.jpg").write_bytes(struct.pack("<i", number))
    (dataset,) = find_datasets(folder)
    for listed in names(dataset).values():
        numbers = [name.rstrip("ab.jpg") for name in listed]
        assert len(listed) == 2 * len(set(numbers)) > 0


def test_a_plain_folder_inside_data_is_taken_by_name_only(tmp_path, fill):
    fill(tmp_path / "a", "train/1.png")
    fill(tmp_path / "plain", *(f"{number}.png" for number in range(9)))
    assert [dataset.name for dataset in find_datasets(tmp_path)] == ["a"]
    (dataset,) = find_datasets(tmp_path, ["plain"])
    assert sum(map(len, dataset.photos.values())) == 9


# zip files


def test_a_zip_is_read_in_place(tmp_path, picture, make_pixels):
    members = {f"{split}/{split}.png": picture(seed) for seed, split in enumerate(SPLITS)}
    make_zip(tmp_path / "a.zip", members | {"README.md": "text", "other/1.png": picture(9)})
    (dataset,) = find_datasets(tmp_path)
    assert dataset.name == "a"
    assert names(dataset) == {split: [f"{split}.png"] for split in SPLITS}
    assert np.array_equal(dataset.photos["test"][0].pixels(), make_pixels(2, 8, 10))
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_a_zip_with_a_folder_around_it_all(tmp_path, picture):
    members = {"a-main/train/1.png": picture(0), "a-main/test/deep/2.png": picture(1)}
    make_zip(tmp_path / "a.zip", members | {"__MACOSX/train/._1.png": b"resource fork"})
    (dataset,) = find_datasets(tmp_path)
    assert names(dataset) == {"train": ["1.png"], "val": [], "test": ["deep/2.png"]}


@pytest.mark.parametrize(
    "name", ["../up.png", "/etc/up.png", "train/../../up.png", "train\\up.png"]
)
def test_paths_that_leave_the_archive_are_refused(tmp_path, picture, name):
    make_zip(tmp_path / "a.zip", {"train/1.png": picture(0), name: picture(1)})
    with pytest.raises(DataError, match="leaves the archive; refused"):
        find_datasets(tmp_path)


def test_bombs_are_refused_before_they_are_unpacked(tmp_path, picture):
    bomb = bytes(30 * 2**20)
    make_zip(tmp_path / "a.zip", {"train/1.png": bomb}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match=r"unpacks to 31457280 bytes .* refused"):
        find_datasets(tmp_path)


def test_what_is_never_unpacked_may_be_as_it_is(tmp_path, picture):
    members = {"train/1.png": picture(0), "labels.csv": bytes(30 * 2**20)}
    make_zip(tmp_path / "a.zip", members, compression=zipfile.ZIP_DEFLATED)
    assert names(find_datasets(tmp_path)[0])["train"] == ["1.png"]


def test_a_size_that_the_archive_lies_about_gives_no_more_than_it_says(tmp_path):
    make_zip(tmp_path / "a.zip", {"train/1.png": bytes(2**20)}, compression=zipfile.ZIP_DEFLATED)
    content = (tmp_path / "a.zip").read_bytes()
    size = struct.pack("<I", 2**20)
    assert content.count(size) == 2
    (tmp_path / "a.zip").write_bytes(content.replace(size, struct.pack("<I", 100)))
    (dataset,) = find_datasets(tmp_path)
    with pytest.raises(DataError, match=r"train/1\.png cannot be read"):
        dataset.photos["train"][0].read()


def test_a_damaged_member_is_an_error_of_its_own(tmp_path, make_pixels, encode):
    good, bad = encode(make_pixels(0)), encode(make_pixels(1))
    make_zip(tmp_path / "a.zip", {"train/1.png": good, "train/2.png": bad})
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.index(bad) + 50] ^= 255
    (tmp_path / "a.zip").write_bytes(content)
    (dataset,) = find_datasets(tmp_path)
    assert dataset.photos["train"][0].read() == good
    with pytest.raises(DataError, match=r"a\.zip: train/2\.png cannot be read"):
        dataset.photos["train"][1].read()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06"])
def test_a_file_that_is_no_zip(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip: expected a zip file"):
        find_datasets(tmp_path)


# other layouts


def test_fruits_360(tmp_path, fill):
    training = [f"Training/Apple Braeburn/{number}_100.png" for number in range(200)]
    fill(tmp_path / "fruits-360", *training, "Test/Apple Braeburn/3_100.png")
    (dataset,) = find_datasets(tmp_path)
    listed = names(dataset)
    assert listed["test"] == ["Apple Braeburn/3_100.png"]
    assert len(listed["train"]) + len(listed["val"]) == 200
    assert 2 <= len(listed["val"]) <= 20
    assert names(find_datasets(tmp_path / "fruits-360")[0]) == listed


def stl10(folder, **counts):
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    pictures = {}
    for name, count in counts.items():
        pictures[name] = generator.integers(0, 256, (count, 96, 96, 3), dtype=np.uint8)
        columns_first = pictures[name].transpose(0, 3, 2, 1)  # as the binary files hold them
        (folder / f"{name}.bin").write_bytes(columns_first.tobytes())
    return pictures


def test_stl10(tmp_path):
    pictures = stl10(tmp_path / "stl10_binary", unlabeled_X=60, train_X=3, test_X=2)
    (dataset,) = find_datasets(tmp_path)
    listed = names(dataset)
    assert len(listed["train"]) + len(listed["val"]) == 60
    assert listed["test"] == ["test_X/000000.bmp", "test_X/000001.bmp"]
    assert np.array_equal(dataset.photos["test"][1].pixels(), pictures["test_X"][1])
    for photo in dataset.photos["train"] + dataset.photos["val"]:
        number = int(photo.name[-10:-4])
        assert np.array_equal(photo.pixels(), pictures["unlabeled_X"][number])


def test_stl10_without_its_unlabelled_photos(tmp_path):
    stl10(tmp_path / "data" / "stl" / "stl10_binary", train_X=5, test_X=1)
    (dataset,) = find_datasets(tmp_path / "data")
    assert dataset.name == "stl"
    listed = names(dataset)
    assert len(listed["train"]) + len(listed["val"]) == 5


def test_stl10_cut_off(tmp_path):
    stl10(tmp_path / "stl10_binary", test_X=2)
    file = tmp_path / "stl10_binary" / "test_X.bin"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match="expected a multiple of 27648 bytes, found 27647 over"):
        find_datasets(tmp_path)


def some_photos(name, count):
    photos = [PhotoFile(f"{number}.png", bytes) for number in range(count)]
    return Dataset(name, {"train": photos, "val": photos[:3], "test": []})


def test_a_choice_of_photos_is_fixed_fair_and_nested():
    datasets = [some_photos("a", 600), some_photos("b", 200)]
    chosen = {count: choose_photos(datasets, count) for count in (100, 400)}
    for count, some in chosen.items():
        assert sum(len(dataset.photos["train"]) for dataset in some) == count
        assert [dataset.photos["val"] for dataset in some] == [d.photos["val"] for d in datasets]
        assert 0.6 < len(some[0].photos["train"]) / count < 0.9
    for small, large, whole in zip(chosen[100], chosen[400], datasets, strict=True):
        assert set(small.photos["train"]) < set(large.photos["train"])
        kept = set(large.photos["train"])
        assert large.photos["train"] == [p for p in whole.photos["train"] if p in kept]
    other_order = choose_photos(datasets[::-1], 100)[::-1]
    assert other_order == chosen[100]


def test_a_choice_of_more_photos_than_there_are_is_all_of_them():
    datasets = [some_photos("a", 5), some_photos("b", 4)]
    assert choose_photos(datasets, 10) == datasets
