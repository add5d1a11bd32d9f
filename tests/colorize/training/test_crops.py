from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from colorize.training.crops import Crops, epoch_order

DATASETS = ["a"] * 10 + ["b"] * 7 + ["c"] * 4


def test_an_epoch_shows_every_photo_once():
    order = epoch_order(DATASETS, {}, seed=0, epoch=0)
    assert sorted(order) == list(range(21))
    assert list(order) != list(range(21))


def test_order_is_a_function_of_seed_and_epoch():
    order = epoch_order(DATASETS, {}, 3, 5)
    assert np.array_equal(order, epoch_order(DATASETS, {}, 3, 5))
    assert not np.array_equal(order, epoch_order(DATASETS, {}, 3, 6))
    assert not np.array_equal(order, epoch_order(DATASETS, {}, 4, 5))


def test_datasets_are_shown_as_often_as_asked():
    order = epoch_order(DATASETS, {"a": 2.5, "b": 0.5, "c": 0}, 0, 0)
    times = Counter(order.tolist())
    assert {times[photo] for photo in range(10)} == {2, 3}
    assert sum(times[photo] for photo in range(10)) == 25
    assert sum(times[photo] for photo in range(10, 17)) == 4  # 3.5, rounded
    assert max(times[photo] for photo in range(10, 17)) == 1
    assert not any(times[photo] for photo in range(17, 21))


def test_each_epoch_takes_another_share():
    first, second = (set(epoch_order(DATASETS, {"a": 0.5}, 0, epoch).tolist()) for epoch in (0, 1))
    assert first != second


@pytest.fixture
def photos(make_pixels):
    return [make_pixels(seed, 40 + seed, 60) for seed in range(6)]


def crops(photos, **changes):
    options = {"order": np.arange(6), "crop": 32, "smallest": 0.5, "key": (0, 0)} | changes
    return Crops(photos, **options)


def test_crops_are_uint8_squares(photos):
    dataset = crops(photos)
    assert len(dataset) == 6
    for place in range(6):
        assert dataset[place].shape == (3, 32, 32)
        assert dataset[place].dtype == torch.uint8


def test_a_crop_is_a_function_of_seed_epoch_and_place(photos):
    one, again, epoch, seed = (
        torch.stack(list(crops(photos, key=key))) for key in ((0, 0), (0, 0), (0, 1), (1, 0))
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, epoch)
    assert not torch.equal(one, seed)


def test_the_same_photo_at_two_places_is_cropped_twice(photos):
    dataset = crops(photos, order=np.zeros(6, int))
    assert len({dataset[place].numpy().tobytes() for place in range(6)}) == 6


@pytest.mark.slow
def test_crops_do_not_depend_on_workers(photos):
    batches = [[3, 1], [0, 5], [2, 4]]
    alone = list(DataLoader(crops(photos), batch_sampler=batches))
    helped = list(DataLoader(crops(photos), batch_sampler=batches, num_workers=1))
    assert all(torch.equal(*pair) for pair in zip(alone, helped, strict=True))


def test_whole_squares_are_cut_out_and_half_of_them_mirrored(photos):
    photo = photos[0][:40, :40]
    dataset = crops([photo], order=np.zeros(40, int), crop=40, smallest=1)
    mirrored = [
        bool((dataset[p].permute(1, 2, 0).numpy() == photo[:, ::-1]).all()) for p in range(40)
    ]
    upright = [bool((dataset[p].permute(1, 2, 0).numpy() == photo).all()) for p in range(40)]
    assert [not m for m in mirrored] == upright
    assert 10 <= sum(mirrored) <= 30


def test_crops_come_from_anywhere_and_in_many_sizes():
    across = np.arange(200, dtype=np.uint8).repeat(3).reshape(1, 200, 3).repeat(100, 0)
    dataset = crops([across], order=np.zeros(60, int), crop=32, smallest=0.3)
    values = [dataset[place].float() for place in range(60)]
    assert min(v.min() for v in values) < 20
    assert max(v.max() for v in values) > 180
    widths = [(v.max() - v.min()).item() for v in values]
    assert min(widths) < 40
    assert max(widths) > 80


def test_tiny_photos_are_enlarged():
    dataset = crops([np.full((1, 3, 3), 77, np.uint8)], order=np.array([0]), crop=32)
    assert torch.equal(dataset[0], torch.full((3, 32, 32), 77, dtype=torch.uint8))
