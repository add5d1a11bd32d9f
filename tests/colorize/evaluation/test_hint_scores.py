import numpy as np
import pytest
from PIL import Image

from colorize import Colorizer
from colorize.data.datasets import find_datasets
from colorize.errors import ColorizeError
from colorize.evaluation.hint_scores import (
    find_things,
    middle,
    missed_by,
    score_datasets,
    score_photos,
    score_things,
    true_hints,
)

COUNTS = (0, 1, 8)


@pytest.fixture
def model(with_hints):
    return Colorizer("hinted", device="cpu")


def test_scores_rise_with_hints_and_all_are_followed(model, shipped_photos):
    photos = [shipped_photos[name] for name in ("coffee.png", "chelsea.png")]
    scores = score_photos(model, photos, COUNTS, seed=1)
    figures = {count: score.figures() for count, score in scores.items()}
    assert [len(score.psnr) for score in scores.values()] == [2, 2, 2]
    assert [len(score.missed) for score in scores.values()] == [0, 2, 16]
    assert figures[0]["followed"] is None and figures[0]["ciede2000"] is None
    assert figures[0]["psnr"] < figures[1]["psnr"] < figures[8]["psnr"]
    assert figures[1]["thing_follows"] is not None and figures[8]["thing_follows"] is None
    assert figures[8]["followed"] == 1.0 and figures[8]["ciede2000"] < 3


def test_hints_are_the_truth_the_same_for_a_seed_and_nested(shipped_photos):
    pixels = shipped_photos["coffee.png"]
    one, five = (true_hints(pixels, n, (96, 144), np.random.default_rng(4)) for n in (1, 5))
    assert one == five[:1]
    assert (
        np.mean(missed_by(pixels, true_hints(pixels, 200, (256, 384), np.random.default_rng(0))))
        < 5
    )


def test_things_are_superpixels_that_are_predicted_wrongly():
    true, box = np.zeros((2, 80, 120), np.float32), np.zeros((80, 120), bool)
    box[20:50, 30:60] = True  # 9% of it
    true[:, box] = 40
    (thing,) = find_things(true, np.zeros_like(true))
    assert (thing == box).mean() > 0.98
    row, column = middle(thing)
    assert abs(row - 34) < 3 and abs(column - 44) < 3
    assert find_things(true, true) == []
    assert find_things(true, true - 10) == []  # 14 units off


def test_what_one_hint_does_to_a_thing_and_to_all_else(model, shipped_photos, monkeypatch):
    pixels = shipped_photos["coffee.png"]
    found = list(score_things(model, pixels, 96))
    assert found and all(0 <= follows <= 1 and moves >= 0 for follows, moves in found)
    finish = model.finish

    def flooded(photo, prediction, **how):
        result = finish(photo, prediction, **how)
        if prediction.spots:
            result.ab = np.broadcast_to(prediction.spots[0].ab.view(2, 1, 1), result.ab.shape)
        return result

    monkeypatch.setattr(model, "finish", flooded)
    flood = list(score_things(model, pixels, 96))
    assert [follows for follows, _ in flood] == pytest.approx([1.0] * len(found), abs=1e-4)
    assert all(moves > before for (_, moves), (_, before) in zip(flood, found, strict=True))


def test_what_is_missed_is_counted_at_the_pixels_own_lightness():
    picture = np.full((4, 4, 3), 128, np.uint8)
    grey, red = missed_by(picture, [(1, 1, "#ffffff"), (3, 3, "#d02020")])
    assert grey < 0.5 and red > 25


def test_datasets(model, shipped_photos, tmp_path):
    for dataset, names in (("a", ["coffee.png", "chelsea.png"]), ("b", ["rocket.jpg"])):
        (tmp_path / dataset / "val").mkdir(parents=True)
        (tmp_path / dataset / "train").mkdir()
        for name in names:
            Image.fromarray(shipped_photos[name]).save(tmp_path / dataset / "val" / f"{name}.png")
    Image.fromarray(shipped_photos["rocket.jpg"]).save(tmp_path / "a" / "train" / "x.png")
    Image.fromarray(shipped_photos["rocket.jpg"]).save(tmp_path / "b" / "train" / "x.png")
    (tmp_path / "b" / "val" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    said = []
    report = score_datasets(model, find_datasets(tmp_path), "val", (0, 2), size=64, say=said.append)
    rows = report.as_json()["rows"]
    assert [(row["dataset"], row["hints"], row["photos"]) for row in rows] == [
        ("a", 0, 2), ("a", 2, 2), ("b", 0, 1), ("b", 2, 1), ("all", 0, 3), ("all", 2, 3),
    ]  # fmt: skip
    assert rows[4]["psnr"] == pytest.approx((2 * rows[0]["psnr"] + rows[2]["psnr"]) / 3)
    assert report.settings == {"split": "val", "size": 64, "seed": 0}
    assert len(said) == 1 and said[0].startswith("left out: b val/broken.png")
    with pytest.raises(ColorizeError, match="No dataset has photos in 'test'"):
        score_datasets(model, find_datasets(tmp_path), "test", (0,))
