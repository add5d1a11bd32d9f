"""Synthetic people through the same door as others."""

import itertools

import pytest

from tests.turing.support.studies import BEFORE, built, rows, study_text
from turing.analysis.analysis import analyse
from turing.analysis.frames import load_data
from turing.analysis.simulation.crowd import Person, Skills
from turing.analysis.simulation.devices import Desk
from turing.analysis.simulation.simulate import simulate
from turing.errors import TuringError
from turing.store.people import RefusedError, new_token
from turing.store.sessions import Sessions
from turing.store.store import create_store
from turing.study.study import parse_study
from turing.web.bodies import Device as Said

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
        with pytest.raises(TuringError, match="1 participant took part"):
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


PLATES = "[screening]\nplates = 6\nmin_correct = 5\n"


@pytest.mark.slow
def test_some_fail_the_plates_and_are_screened_out(tmp_path):
    """As real people are: kept, reported, never counted; the same for the same seed."""
    told = []
    for run in ("a", "b"):
        with built(tmp_path / run, rest=PLATES, per_participant=1, practice=0, catch=0) as store:
            done = simulate(store, Skills(deficient=0.25), 40, seed=1)
            data = load_data(store)
        told.append((done.screened_out, sorted(data.screened.items())))
    assert told[0] == told[1]
    results = analyse(data)
    out = set(results.people.index[results.people["screened_out"]])
    assert 3 <= len(out) == done.screened_out <= 15
    assert not out & results.counted and len(results.counted) == 40 - len(out)
    (rule,) = (rule for rule in results.exclusions.rules if rule.rule == "screened_out")
    assert rule.participants == out
    missed = [data.screened[n].missed for n in out]
    assert all({"protan", "deutan"} & set(kinds) for kinds in missed)


def test_by_default_a_few_of_a_hundred_do(tmp_path):
    vision = [Person(Skills(), "single", 0, n).vision for n in range(4000)]
    share = sum(kind is not None for kind in vision) / len(vision)
    assert share == pytest.approx(0.04, abs=0.0125)  # 4 standard errors
    assert set(vision) == {None, "protan", "deutan"}
    assert {Person(Skills(deficient=0), "single", 0, n).vision for n in range(50)} == {None}
    with pytest.raises(TuringError, match="deficient: expected a share from 0 to 1, found 2"):
        Skills(deficient=2)


def test_who_answers_what_screens_out_comes_no_further(tmp_path):
    asks = 'screen_out = { colour_vision = ["no"] }'  # what most people answer
    with built(tmp_path, asks=asks) as store:
        done = simulate(store, Skills(), 4, seed=1)
        data = load_data(store)
    assert done.screened_out == data.participants["screened_out"].sum() >= 3
    assert done.choices == 8 * (4 - done.screened_out)


def test_devices_are_there_as_of_real_people(tmp_path):
    with built(tmp_path, rest=PLATES) as store:
        simulate(store, Skills(deficient=0), 12, seed=2)
        data = load_data(store)
        views = rows(store, "views")
    assert len(data.devices) == len(data.screens) == 12
    assert {"fine", "coarse"} == {device["pointer"] for device in data.devices.values()}
    assert len(views) == 12 * 8 and all(None not in row.values() for row in views)
    for row in views:
        assert row["frames"] == round(row["exposure_ms"] * row["refresh_hz"] / 1000)
        assert 0 < row["drawn_width"] <= 43 and row["drawn_height"] <= 32
    assert {row["layout"] for row in views} == {"beside", "stacked"}
    assert data.trials["refresh_hz"].notna().all()


@pytest.mark.parametrize(
    ("asked", "least"),
    [("require = 'desktop'", 1440), ("min_width = 1500", 1920), ("min_width = 9000", 9000)],
)
def test_nobody_comes_with_what_the_study_does_not_let_in(asked, least):
    device = parse_study(study_text(rest=f"[device]\n{asked}\nfullscreen = true\n")).device
    for number in range(30):
        said = Desk(device, 1, number).device()
        assert said["viewport_width"] >= least and said["pointer"] == "fine"
        assert said["fullscreen"] and said["viewport_height"] == said["screen_height"]
        Said.model_validate(said)  # as the page would send it
