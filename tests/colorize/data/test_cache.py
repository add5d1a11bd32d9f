import pickle
import time

import numpy as np
import pytest

from colorize.data import cache
from colorize.data.cache import open_cache
from colorize.data.datasets import DataError, Dataset, PhotoFile


@pytest.fixture
def make_dataset(make_pixels, encode):
    """A function of (name, sizes): a dataset whose `train` are pictures of these sizes."""

    def make(name, sizes, **photos):
        def photo(seed, size):
            content = encode(make_pixels(seed, *size))
            return PhotoFile(f"{seed}.png", lambda: content)

        train = [photo(seed, size) for seed, size in enumerate(sizes)]
        return Dataset(name, {"train": train, "val": [], "test": []} | photos)

    return make


def broken(name, error=None):
    def read():
        if error:
            raise error
        return b"no picture"

    return PhotoFile(name, read)


def forbid_decoding(monkeypatch):
    def decode(photo, short_side):
        raise AssertionError("decoded again")

    monkeypatch.setattr(cache, "_decode", decode)


def test_photos_come_back_as_they_were_in_their_order(tmp_path, make_dataset, make_pixels):
    sizes = [(20, 30), (40, 20), (25, 25)]
    cached = open_cache(
        [make_dataset("a", sizes), make_dataset("b", sizes[:1])], "train", 64, tmp_path
    )
    assert len(cached) == 4
    assert cached.datasets == ["a", "a", "a", "b"]
    for number, (seed, size) in enumerate(zip((0, 1, 2, 0), [*sizes, sizes[0]], strict=True)):
        assert np.array_equal(cached[number], make_pixels(seed, *size))
        assert cached[number].dtype == np.uint8
    assert np.array_equal(cached[-1], cached[3])
    assert len(list(cached)) == 4
    with pytest.raises(IndexError):
        cached[4]
    assert not cached[0].flags.writeable


def test_larger_photos_are_scaled_to_the_short_side(tmp_path, make_dataset):
    cached = open_cache([make_dataset("a", [(90, 60), (30, 300), (29, 31)])], "train", 30, tmp_path)
    assert [photo.shape for photo in cached] == [(45, 30, 3), (30, 300, 3), (29, 31, 3)]


def test_the_second_time_nothing_is_decoded(tmp_path, make_dataset, monkeypatch):
    dataset = make_dataset("a", [(20, 30), (20, 20)])
    first = open_cache([dataset], "train", 64, tmp_path)
    forbid_decoding(monkeypatch)
    second = open_cache([dataset], "train", 64, tmp_path)
    assert all(np.array_equal(*pair) for pair in zip(first, second, strict=True))


def test_another_size_split_or_file_is_another_cache(tmp_path, make_dataset):
    dataset = make_dataset("a", [(20, 30)])
    open_cache([dataset], "train", 64, tmp_path)
    open_cache([dataset], "train", 32, tmp_path)
    changed = PhotoFile("0.png", dataset.photos["train"][0].read, stamp="later")
    open_cache([Dataset("a", {"train": [changed]})], "train", 64, tmp_path)
    assert len(list(tmp_path.glob("*.u8"))) == 3


def test_what_cannot_be_read_is_listed_and_left_out(tmp_path, make_dataset):
    dataset = make_dataset("a", [(20, 30)])
    dataset.photos["train"].insert(0, broken("text.png"))
    dataset.photos["train"].append(broken("lost.png", DataError("zip: lost.png cannot be read")))
    cached = open_cache([dataset], "train", 64, tmp_path)
    assert len(cached) == 1
    assert [line.partition(": ")[0] for line in cached.skipped] == ["a/text.png", "a/lost.png"]
    assert cached.skipped[1].endswith("zip: lost.png cannot be read")
    assert open_cache([dataset], "train", 64, tmp_path).skipped == cached.skipped


@pytest.mark.parametrize("photos", [[], [broken("text.png")]])
def test_no_photos_are_an_empty_cache(tmp_path, photos):
    cached = open_cache([Dataset("a", {"train": photos})], "train", 64, tmp_path)
    assert len(cached) == 0
    assert list(cached) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_cache_is_made_again(tmp_path, make_dataset, error):
    dataset = make_dataset("a", [(20, 30)] * 5)
    read, calls = dataset.photos["train"][3].read, []

    def fail_once():
        calls.append(1)
        if len(calls) == 1:
            raise error
        return read()

    dataset.photos["train"][3] = PhotoFile("3.png", fail_once)
    with pytest.raises(error):
        open_cache([dataset], "train", 64, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(open_cache([dataset], "train", 64, tmp_path)) == 5


def test_an_interrupt_does_not_wait_for_the_rest(tmp_path):
    read = []

    def photo(number):
        def pause():
            read.append(number)
            time.sleep(0.01)
            raise KeyboardInterrupt

        return PhotoFile(f"{number}.png", pause)

    with pytest.raises(KeyboardInterrupt):
        open_cache([Dataset("a", {"train": [photo(n) for n in range(500)]})], "train", 64, tmp_path)
    assert len(read) < 100


def test_a_wish_to_stop_ends_between_two_photos(tmp_path, make_dataset):
    dataset, asked = make_dataset("a", [(20, 30)] * 5), iter([False, False, True])
    with pytest.raises(KeyboardInterrupt):
        open_cache([dataset], "train", 64, tmp_path, lambda: next(asked))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["truncate", "remove pixels", "remove index", "bad index"])
def test_a_damaged_cache_is_made_again(tmp_path, make_dataset, make_pixels, damage):
    dataset = make_dataset("a", [(20, 30)])
    open_cache([dataset], "train", 64, tmp_path)
    (pixels,), (index,) = tmp_path.glob("*.u8"), tmp_path.glob("*.json")
    if damage == "truncate":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    elif damage == "bad index":
        index.write_text("{")
    else:
        (pixels if damage == "remove pixels" else index).unlink()
    again = open_cache([dataset], "train", 64, tmp_path)
    assert np.array_equal(again[0], make_pixels(0, 20, 30))


def test_pickled_for_another_process_it_is_a_path_not_the_pixels(tmp_path, make_dataset):
    cached = open_cache([make_dataset("a", [(200, 300)])], "train", 256, tmp_path)
    pickled = pickle.dumps(cached)
    assert len(pickled) < 2000
    assert np.array_equal(pickle.loads(pickled)[0], cached[0])
