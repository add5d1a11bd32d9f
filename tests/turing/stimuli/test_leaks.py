"""A participant, or a program, has nothing but the colours to go by: what stimuli could give away.

The rows of the design's leak table that are about pictures; routes and pages have their own.
"""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from tests.turing.support.made_up import photo, save_photos, study_in
from tests.turing.support.studies import rows
from turing.errors import TuringError
from turing.stimuli import render
from turing.stimuli.build import build
from turing.stimuli.check import (
    MOST,
    check,
    difference_in_lightness,
    judge_without_chroma,
    look,
    simulated_trials,
)
from turing.stimuli.png import chunks
from turing.store.store import create_store
from turing.study.trials import WILD

PHOTOS = 40  # in each of two datasets


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_photos(tmp_path_factory.mktemp("photos"), PHOTOS)


def built(folder, directory, **changes):
    settings = {"per_participant": 20, "models": ["control-3"], "practice": 0, "catch": 2}
    study = study_in(folder, **settings | changes)
    store = create_store(directory, study.name)
    build(study, store)
    return store


@pytest.fixture(scope="module")
def store(folder, tmp_path_factory):
    with built(folder, tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture(scope="module")
def single(folder, tmp_path_factory):
    with built(folder, tmp_path_factory.mktemp("single"), protocol="single") as store:
        yield store


def version_of(store):
    number = store.facts().version
    with store.reading() as db:
        return store.version(db, number)


def pictures(store):
    """Stimulus id -> (parts, PNG)."""
    version = version_of(store)
    names = {row["id"]: row["sha256"] for row in rows(store, "stimuli")}
    return {
        stimulus: (parts, store.picture_path(names[stimulus]).read_bytes())
        for (_, parts), (stimulus, _) in version.stimuli.items()
    }


def halves(png, parts):
    with Image.open(io.BytesIO(png)) as image:
        return np.split(np.asarray(image), parts, axis=1)


def guessed(store, change=None, seed=0):
    """The judge's share where `change` of (parts, PNG) plants a leak."""
    looked = {
        stimulus: look(change(parts, png) if change else png, len(parts))
        for stimulus, (parts, png) in pictures(store).items()
    }
    trials = simulated_trials(version_of(store), looked)
    return judge_without_chroma(trials, seed)


# Lightness


def test_lightness_of_the_halves_is_the_same(store):
    for _, png in pictures(store).values():
        assert difference_in_lightness(png) <= MOST
        left, right = halves(png, 2)
        assert np.array_equal(render.grey_version(left), render.grey_version(right))


def test_lightness_is_the_same_for_any_colours_at_all():
    """Random L and ab, far out of gamut: clipping a model's ab would shift L."""
    generator = torch.Generator().manual_seed(0)
    L = render.display_lightness(photo(1, 120, 160), "seed")
    ab = [torch.randn(2, 120, 160, generator=generator) * 60 for _ in range(4)]
    first, *others = [render.render(L, one) for one in ab]
    for other in others:
        assert np.array_equal(render.grey_version(first), render.grey_version(other))
        away = np.abs(render.lightness_of(first) - render.lightness_of(other))
        assert np.quantile(away, 0.99) <= MOST and away.max() < 0.6


def test_a_model_that_returns_the_true_colours_gives_two_equal_halves(folder, tmp_path):
    """As built: the original goes the same way through size, L, ab and rounding as a model's."""
    with built(folder, tmp_path, models=["control-9999"]) as store:
        made = list(pictures(store).values())
    assert sum(WILD not in parts for parts, _ in made) >= PHOTOS
    for parts, png in made:
        left, right = halves(png, 2)
        assert np.array_equal(left, right) == (WILD not in parts)


# One file, one shape, nothing in it but the picture


def test_files_hold_nothing_but_the_picture(store, single):
    for one in (store, single):
        for parts, png in pictures(one).values():
            assert [name for name, _ in chunks(png)] == ["IHDR", "IDAT", "IEND"]
            assert not png.startswith(b"\xff\xd8") and b"JFIF" not in png[:100]
            with Image.open(io.BytesIO(png)) as image:
                assert image.format == "PNG" and image.info == {}
                assert image.size[0] % len(parts) == 0


def test_lengths_of_single_pictures_tell_nothing(single):
    made = [png for _, png in pictures(single).values()]
    assert len({len(png) for png in made}) == 1
    assert len({tuple(len(data) for _, data in chunks(png)) for png in made}) == 1


def test_catch_pictures_are_made_like_the_others(store):
    headers = {True: set(), False: set()}
    for parts, png in pictures(store).values():
        headers[WILD in parts].add(dict(chunks(png))["IHDR"])
    assert headers[True] == headers[False]


# The gate


def test_a_program_that_sees_no_colour_guesses_at_chance(store):
    share = guessed(store)
    assert share.n > 900 and share.low <= 0.5 <= share.high


def test_a_program_that_sees_no_colour_of_single_pictures_guesses_at_chance(single):
    share = guessed(single)
    assert share.n > 900 and share.low <= 0.5 <= share.high


@pytest.mark.slow
def test_gate_with_larger_pictures_and_a_network(tmp_path, checkpoints):
    folder = save_photos(tmp_path / "photos", 60, height=200, width=260)
    with built(folder, tmp_path / "s", models=["direct", "control-12"], display_size=160) as store:
        checked = check(store)
    assert checked.faults == () and checked.lightness < 0.2
    assert checked.guessed.n > 900


def naive_render(L, ab):
    """Each channel rounded by itself."""
    height, width = L.shape[1:]
    ab = render.enlarged_part(ab, (height, width), slice(0, height), slice(0, width))
    rgb = render.rgb_from_lab(torch.cat((L, ab)))
    return (rgb * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.slow
def test_gate_catches_what_rounding_gives_away(tmp_path, monkeypatch):
    """No eye sees it, and lightness differs by less than it may: the judge still tells."""
    folder = save_photos(tmp_path / "photos", PHOTOS, height=120, width=160, grain=1)
    with built(folder, tmp_path / "ours", display_size=80) as store:
        assert check(store).faults == ()
    monkeypatch.setattr(render, "render", naive_render)
    monkeypatch.setattr(render, "display_lightness", lambda pixels, _: render.lightness(pixels))
    with built(folder, tmp_path / "naive", display_size=80) as store:
        checked = check(store)
    assert 0 < checked.lightness <= MOST
    assert checked.guessed.low > 0.9
    assert len(checked.faults) == 1
    assert checked.faults[0].startswith("without colours, a program is right ")


def lighter(parts, png):
    made = [
        np.clip(half.astype(int) + (part is not None), 0, 255).astype(np.uint8)
        for part, half in zip(parts, halves(png, 2), strict=True)
    ]
    return render.compose(made, None)


def compressed_again(parts, png):
    """The colorized half comes from a JPEG."""
    made = []
    for part, half in zip(parts, halves(png, 2), strict=True):
        buffer = io.BytesIO()
        Image.fromarray(half).save(buffer, "JPEG", quality=90)
        made.append(half if part is None else np.asarray(Image.open(buffer)))
    return render.compose(made, None)


def with_a_comment(parts, png):
    if parts[0] is None:
        return png
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.save(buffer, "PNG", comment="x")
    return buffer.getvalue()


@pytest.mark.parametrize("change", [lighter, compressed_again, with_a_comment])
def test_gate_catches_a_planted_leak(store, change):
    share = guessed(store, change)
    assert share.low > 0.5 and share.estimate > 0.7


def test_gate_catches_lengths_that_tell(single):
    def compressed(parts, png):
        return render.compose(halves(png, 1), None)

    share = guessed(single, compressed)
    assert share.low > 0.5


def test_gate_catches_an_order_that_tells(store):
    looked = {stimulus: look(png, 2) for stimulus, (_, png) in pictures(store).items()}
    trials = simulated_trials(version_of(store), looked)
    told = [one._replace(seen=np.append(one.seen, one.side)) for one in trials]
    assert judge_without_chroma(told).estimate == 1


def test_of_one_photo_there_is_nothing_to_guess_by(store):
    looked = {stimulus: look(png, 2) for stimulus, (_, png) in pictures(store).items()}
    trials = simulated_trials(version_of(store), looked)
    with pytest.raises(TuringError, match="expected two photos or more"):
        judge_without_chroma([one for one in trials if one.photo == trials[0].photo])


# `build --check`


def test_check_of_a_study_as_it_was_built(store):
    calls = []
    checked = check(store, lambda *call: calls.append(call))
    assert checked.faults == ()
    assert checked.pictures == len(pictures(store)) == calls[-1][1] == calls[-1][2]
    assert 0 < checked.lightness < 0.3
    assert checked.guessed.low <= 0.5 <= checked.guessed.high


def test_check_finds_what_is_not_as_it_must_be(store, monkeypatch):
    read = look.__globals__["png"].chunks
    monkeypatch.setattr("turing.stimuli.check.png.chunks", lambda png: [*read(png), ("tEXt", b"x")])
    monkeypatch.setattr("turing.stimuli.check.difference_in_lightness", lambda png: 0.7)
    faults = check(store).faults
    assert len(faults) == len(pictures(store)) + 1
    assert faults[0].endswith(".png: expected IHDR, IDAT, IEND alone, found IHDR, IDAT, IEND, tEXt")
    assert faults[-1] == "lightness of two halves differs by 0.70, more than 0.5"


def test_check_wants_the_pictures_that_were_built(folder, tmp_path):
    unbuilt = create_store(tmp_path, "made-up")
    with unbuilt, pytest.raises(TuringError, match="expected a study that is built, found none"):
        check(unbuilt)
    with built(folder, tmp_path) as store:
        path = next(store.pictures.glob("*.png"))
        path.write_bytes(path.read_bytes() + b"x")
        with pytest.raises(TuringError, match="expected the picture as it was built"):
            check(store)
