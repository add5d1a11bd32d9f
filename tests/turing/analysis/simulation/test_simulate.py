"""Synthetic people through the same door as others."""

import itertools

import pytest

from tests.turing.support.studies import BEFORE, built, rows
from turing.analysis.analysis import analyse
from turing.analysis.frames import load_data
from turing.analysis.simulation.crowd import Skills
from turing.analysis.simulation.simulate import simulate
from turing.errors import TuringError
from turing.store.people import RefusedError, new_token
from turing.store.sessions import Sessions
from turing.store.store import create_store

PROTOCOLS = ["pick-original", "pick-fake-sequential", "single", "preference"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_is_walked_to_the_end(tmp_path, protocol):
    told = []
    with built(tmp_path, protocol=protocol) as store:
        done = simulate(store, Skills(), 6, seed=3, progress=told.append)
        data = load_data(store)
    assert done.participants == 6 and done.choices == 6 * 8
    assert told == [1, 2, 3, 4, 5, 6] and done.manners == {"careful": 6}
    assert data.simulated and len(data.participants) == 6
    assert data.participants["finished"].notna().all()
    assert data.trials["choice"].notna().all()


def test_skill_comes_out(tmp_path):
    truth = {"plain": 0.95, "bright": 0.55}
    fractions = {(None, model): fraction for model, fraction in truth.items()}
    with built(tmp_path) as store:
        simulate(store, Skills(fractions, sd_participant=0.1, sd_photo=0.1), 40, seed=1)
        results = analyse(load_data(store))
    found = {cell.model: cell.fraction for cell in results.cells if cell.dataset is None}
    assert found["plain"].n == found["bright"].n == len(results.counted) * 3
    # About 115 choices each; the draw differs from run to run: 4 standard errors.
    assert found["plain"].estimate == pytest.approx(0.95, abs=0.09)
    assert found["bright"].estimate == pytest.approx(0.55, abs=0.19)


def test_the_careless_and_those_who_leave_are_there(tmp_path):
    skills = Skills(careless=0.3, leaves=0.2, withdraws=0.2)
    with built(tmp_path) as store:
        done = simulate(store, skills, 40, seed=5)
        data = load_data(store)
        results = analyse(data)
    people = results.people
    assert set(done.manners) == {"careful", "careless", "leaves", "withdraws"}
    assert people["withdrawn"].sum() == done.manners["withdraws"]
    left = (~people["complete"] & ~people["withdrawn"]).sum()
    assert left == done.manners["leaves"]
    assert done.choices == data.trials["choice"].count()
    fast = next(r for r in results.exclusions.rules if r.rule == "min_median_rt_ms")
    assert len(fast.participants) == pytest.approx(done.manners["careless"], abs=2)


def test_times_go_by_as_for_people(tmp_path):
    with built(tmp_path) as store:
        simulate(store, Skills(), 3)
        people, choices = rows(store, "participants"), rows(store, "choices")
    for before, after in itertools.pairwise(people):
        assert after["consented"] > before["finished"] > before["consented"]
    received = [row["received"] for row in choices]
    assert received == sorted(received)
    minutes = (people[0]["finished"] - people[0]["consented"]) / 60_000
    assert 0.5 < minutes < 5


def test_more_can_be_added_and_nobody_real_gets_in(tmp_path):
    with built(tmp_path) as store:
        simulate(store, Skills(), 2)
        simulate(store, Skills(), 3)
        assert len(load_data(store).participants) == 5
        assert len({row["query"] for row in rows(store, "participants")}) == 5
        with pytest.raises(RefusedError, match="over"):
            Sessions(store).start(new_token(), {}, BEFORE, None)


def test_a_store_with_people_in_it_is_left_alone(tmp_path):
    with built(tmp_path) as store:
        store.open_study()
        Sessions(store).start(new_token(), {}, BEFORE, None)
        with pytest.raises(TuringError, match="1 participants took part"):
            simulate(store, Skills(), 2)
        assert len(rows(store, "participants")) == 1
        assert store.facts().state == "open"


def test_nonsense_is_refused(tmp_path):
    with built(tmp_path / "a") as store, pytest.raises(TuringError, match="1 or more, found 0"):
        simulate(store, Skills(), 0)
    with create_store(tmp_path / "b", "tiny") as store, pytest.raises(TuringError, match="built"):
        simulate(store, Skills(), 1)


ASKS = "confidence = true\nmarks = true\nmask_ms = 50"


@pytest.mark.parametrize("exposure_ms", ["[60, 250, 1000]", '"staircase"'])
def test_people_rate_mark_and_see_less_in_less_time(tmp_path, exposure_ms):
    skills = Skills({(None, "plain"): 0.97, (None, "bright"): 0.8}, sd_photo=0.2)
    with built(tmp_path, exposure_ms=exposure_ms, trials=ASKS, per_participant=8) as store:
        simulate(store, skills, 12, seed=2)
        data = load_data(store)
    assert data.trials["confidence"].between(1, 4).all() and data.trials["marks"].notna().all()
    assert data.trials["exposure_ms"].nunique() >= 3
    scored = data.trials[data.trials["kind"] == "scored"]
    short = scored["exposure_ms"] <= 250
    if exposure_ms.startswith("["):
        means = scored["correct"].groupby(short).mean()
        assert means[False] > means[True]
    else:
        first = scored.sort_values("position").groupby(["participant", "model"]).first()
        assert set(first["exposure_ms"]) == {500}
    results = analyse(data)
    assert results.exposures and results.marked and results.sureness


def test_some_find_both_alike(tmp_path):
    with built(tmp_path, protocol="preference", exposure_ms=0, trials="ties = true") as store:
        simulate(store, Skills(alike=1.0), 12, seed=2)
        data = load_data(store)
    scored = data.trials[data.trials["kind"] == "scored"]
    assert 0.1 < (scored["choice"] == 2).mean() < 0.5
    assert set(data.trials["choice"].dropna()) == {0, 1, 2}
