import pytest

from colorize.inference.loaded import LoadedModels
from colorize.models.record import list_checkpoints
from colorize.web.arrivals import Arrivals, names_to_fetch, with_first
from tests.support.hubs import small_hub, use


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with small_hub(monkeypatch, tmp_path / "cache", "small") as hub:
        use(hub.endpoint, monkeypatch)
        yield hub


def arrivals(names, said):
    models = LoadedModels(list_checkpoints())
    return models, Arrivals(names, models.records, models.add, said.append)


def test_names_are_those_of_the_environment():
    assert names_to_fetch({}) == names_to_fetch({"COLORIZE_FETCH": " , "}) == []
    asked = {"COLORIZE_FETCH": "ddcolor-tiny, ddcolor-paper,ddcolor-tiny"}
    assert names_to_fetch(asked) == ["ddcolor-tiny", "ddcolor-paper"]


def test_what_comes_is_a_model_like_any_other(hub, own_checkpoints):
    said = []
    models, coming = arrivals(["direct", "small"], said)
    assert coming.waiting == ("small",)  # the other is here
    assert coming.lines() == ["Small is being fetched, 1 MB."]
    coming.run()
    assert (coming.waiting, coming.changes, coming.lines()) == ((), 1, [])
    assert said == ["small was fetched: Small can be used now"]
    assert models.colorizer("small").record.title == "Small"
    assert [record.name for record in list_checkpoints()] == ["direct", "bins", "small"]


def test_what_cannot_be_had_is_a_line_and_the_others_come(hub, own_checkpoints, monkeypatch):
    said = []
    models, coming = arrivals(["nothing", "small"], said)
    coming.run()
    assert said[0].startswith("COLORIZE_FETCH: 'nothing' cannot be fetched; there are: ")
    assert "small" in models.records
    assert coming.lines() == ["nothing could not be fetched."]
    monkeypatch.setenv("COLORIZE_CHECKPOINTS", str(own_checkpoints / "direct.json"))
    said.clear()
    Arrivals(["small"], (), models.add, said.append).run()
    (line,) = said
    assert "direct.json: cannot be made" in line and "\n" not in line


def test_nothing_is_fetched_unless_asked_for(hub, own_checkpoints):
    _, coming = arrivals([], [])
    coming.start()
    assert hub.asked == [] and coming.lines() == []


def test_the_model_that_is_first(checkpoints):
    records = list_checkpoints()
    assert with_first(records, "") == (records, [])
    assert with_first(records, "bins") == (records[::-1], [])
    same, (line,) = with_first(records, "other")
    assert same == records
    assert line == "COLORIZE_DEFAULT: other is not here; there are direct, bins"
    assert "other is not here yet" in with_first(records, "other", ["other"])[1][0]
