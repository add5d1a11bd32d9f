"""Which photos of a study's folders are used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.turing.support.designs import make_design, photos_of
from turing.study.trials import Design, TooFewPhotosError, select_photos


def choose(photos, per_dataset=5, per_participant=6, practice=1, catch=1, seed=7):
    return select_photos(
        photos,
        per_dataset=per_dataset,
        per_participant=per_participant,
        practice=practice,
        catch=catch,
        seed=seed,
    )


def test_photos_are_chosen_by_seed_not_by_order():
    photos = photos_of(40, 40)
    turned = {name: list(reversed(of)) for name, of in photos.items()}
    assert choose(photos) == choose(turned)
    assert choose(photos) != choose(photos, seed=8)
    found = choose(photos)
    assert {name: len(of) for name, of in found.scored.items()} == {"set0": 5, "set1": 5}
    assert found.missing == {}
    assert {place.dataset for place in (*found.practice, *found.catch)} == {"set0", "set1"}


def test_all_photos_are_used_where_none_were_asked_for_in_number():
    found = choose(photos_of(9, 4), per_dataset=0, practice=2)
    assert sum(map(len, found.scored.values())) == 10 and found.missing == {}
    assert len(found.scored["set1"]) == 4, "practice photos come from the larger dataset"


def test_fewer_photos_than_asked_are_all_used_and_counted():
    found = choose(photos_of(3, 20), per_dataset=10, per_participant=8)
    assert found.missing == {"set0": 7}
    assert (len(found.scored["set0"]), len(found.scored["set1"])) == (3, 10)
    aside = {place.photo for place in (*found.practice, *found.catch)}
    assert len(aside) == 2 and not aside & {p for of in found.scored.values() for p in of}


@given(
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    per_dataset=st.integers(0, 12),
    per_participant=st.integers(1, 12),
    practice=st.integers(0, 3),
    catch=st.integers(0, 3),
)
def test_nothing_is_used_twice_or_lost(sizes, per_dataset, per_participant, practice, catch):
    most_scored = sum(min(per_dataset or size, size) for size in sizes)
    short = max(per_participant + practice + catch - sum(sizes), per_participant - most_scored)
    arguments = photos_of(*sizes), per_dataset, per_participant, practice, catch
    if short > 0:
        with pytest.raises(TooFewPhotosError) as caught:
            choose(*arguments)
        assert 0 < caught.value.missing <= short
        return
    found = choose(*arguments)
    used = [p for of in found.scored.values() for p in of]
    used += [place.photo for place in (*found.practice, *found.catch)]
    assert len(set(used)) == len(used)
    assert (len(found.practice), len(found.catch)) == (practice, catch)
    assert sum(map(len, found.scored.values())) >= per_participant
    for name, of in found.scored.items():
        assert found.missing.get(name, 0) == max(0, per_dataset - len(of))


def test_too_few_photos_say_how_many_are_missing():
    with pytest.raises(TooFewPhotosError) as caught:
        choose(photos_of(12, 9), per_dataset=20, per_participant=20, practice=2, catch=2)
    assert caught.value.missing == 3
    assert str(caught.value) == (
        "one participant needs 24 photos (20 scored, 2 for practice, 2 for catch trials), "
        "found 21: 3 missing"
    )


def test_a_photo_in_two_datasets_is_refused():
    with pytest.raises(ValueError, match="every photo once"):
        choose({"a": ["x", "y"], "b": ["x", "z", "u", "v", "w", "t"]})
    base = make_design(trials=4)
    again = tuple(base.catch) + tuple(base.practice[:1])
    with pytest.raises(ValueError, match="every photo once"):
        Design(**{**vars(base), "catch": again})
