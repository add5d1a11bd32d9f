"""Many people at once, over real HTTP, at the real app, while it colorizes."""

import pytest

from benchmarks.study.people import build_every_key, put_load
from benchmarks.study.serving import App
from tests.turing.support.studies import rows
from turing.store.store import Store, store_path

PEOPLE = 200


@pytest.mark.slow
def test_200_people_lose_nothing_and_double_nothing(tmp_path):
    with App(tmp_path / "studies", TMPDIR=str(tmp_path)) as app:
        load = put_load(app, PEOPLE, seconds=30, pause=2.0)
        with Store(store_path(app.store, "demo")) as store:
            numbers = [row["number"] for row in rows(store, "participants")]
            written = len(rows(store, "choices"))
    print(*load.lines, sep="\n")
    assert load.faults == []  # every acknowledged answer is there once, and no other
    assert written == len(load.saved) == len(load.times["answer"]) > 3 * PEOPLE
    assert load.colorized
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= PEOPLE


@pytest.mark.slow
def test_people_who_are_asked_all_there_is_lose_nothing_either(tmp_path):
    file = build_every_key(tmp_path / "studies")
    with App(tmp_path / "studies", "--study", str(file), TMPDIR=str(tmp_path)) as app:
        load = put_load(app, 50, seconds=15, pause=1.0, colorize=False, every_key=True)
        with Store(store_path(app.store, load.study)) as store:
            people, devices = rows(store, "participants"), rows(store, "events")
            evidence, choices = rows(store, "evidence"), rows(store, "choices")
    print(*load.lines, sep="\n")
    assert load.faults == [] and len(load.plates) >= 4 * 50 and len(load.saved) > 50
    assert len(evidence) == len(choices) == len(load.saved)
    assert sum(row["what"] == "device" for row in devices) == len(people) >= 50
