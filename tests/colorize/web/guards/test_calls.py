from pathlib import Path

import gradio as gr
import pytest
from gradio.utils import get_upload_folder

from colorize.models.record import list_checkpoints
from colorize.web.guards.calls import Calls
from colorize.web.session import Sessions
from colorize.web.tab import build_tab
from colorize.web.workshop import Workshop
from tests.support.gradio_locks import no_stray_loops

CHOSEN = [["direct"], "Automatic"]


@pytest.fixture(scope="module")
def demo(shipped_checkpoints, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLORIZE_CHECKPOINTS", str(shipped_checkpoints))
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
        sessions = Sessions(Workshop(folder, list_checkpoints()), folder / "sessions")
        with no_stray_loops(), gr.Blocks() as demo:
            build_tab(demo, sessions, [])
        yield demo
        sessions.close()


@pytest.fixture
def fault(demo):
    """A function of (event, data, event_data): what is wrong with the page's call."""
    numbers = {one.api_name: number for number, one in demo.fns.items()}

    def fault(event, data, given=None):
        content = {"fn_index": numbers.get(event, event), "data": data, "event_data": given}
        return Calls(demo).fault("queue/join", content)

    return fault


@pytest.fixture
def photo(demo):
    path = Path(get_upload_folder(), "photo.png")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"photo")
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def test_what_the_page_sends_passes(fault, photo):
    assert fault("add", CHOSEN, {"paths": [photo["path"]], "goesOn": True}) is None
    assert fault("example", CHOSEN, {"number": 2}) is None
    assert fault("prepare", [[], "192"]) is None
    assert fault("prepare", [["of a page from before"], "192"]) is None
    assert fault("cancel", CHOSEN) is None
    assert fault("remove", CHOSEN, {"photo": 1}) is None
    assert fault("look", [], {"photo": 1}) is None
    assert fault("crop", CHOSEN, {"photo": 1, "cropped": True}) is None
    assert fault("crop", CHOSEN, {"photo": 1, "cropped": 1}).status == 422
    assert fault("crop", CHOSEN, {"photo": 1}).status == 422
    assert fault("restart", CHOSEN[:1]) is None
    for size in (None, 256, "256"):
        assert fault("resume", [], {"key": "x", "models": ["direct"], "size": size}) is None
    assert fault("run", []) is None
    assert fault("colorize", [photo, ["direct"], 1, 0.38, 256]) is None
    assert fault("colorize", [photo, ["direct"], 1, 0.38, 256.0]) is None
    assert fault("colorize", [None, [], None, None, None]) is None


NONSENSE = [None, 7, "direct", [None], [7], [["direct"]], {"a": 1}, [{}]]


@pytest.mark.parametrize("models", NONSENSE)
@pytest.mark.parametrize("event", ["add", "example", "prepare", "cancel", "remove", "restart"])
def test_models_are_a_list_of_names(fault, event, models):
    given = {"paths": [], "number": 0, "photo": 1}
    assert fault(event, [models, "Automatic"], given).status == 422


@pytest.mark.parametrize("size", [None, 192, 1e9, ["192"], {}, "195", True])
@pytest.mark.parametrize("event", ["add", "example", "prepare", "cancel", "remove"])
def test_the_working_size_is_one_of_the_list(fault, event, size):
    given = {"paths": [], "number": 0, "photo": 1}
    assert fault(event, [["direct"], size], given).status == 422


@pytest.mark.parametrize("event", ["example", "look", "remove"])
@pytest.mark.parametrize("number", [None, "1", [], {}, 1.5, -1, 10**30, float("inf"), True])
def test_photos_and_examples_are_numbers(fault, event, number):
    for given in ({"photo": number, "number": number}, number, None, {}):
        assert fault(event, CHOSEN, given).status == 422


@pytest.mark.parametrize("paths", [None, 7, "/x", {"a": "/x"}, [None], [7], [[]], ["x" * 9999]])
def test_paths_are_a_list_of_texts(fault, paths):
    for given in ({"paths": paths}, paths, {}):
        assert fault("add", CHOSEN, given).status == 422
    assert fault("add", CHOSEN, {"paths": [], "goesOn": "yes"}).status == 422


@pytest.mark.parametrize(
    "changed", [{"key": None}, {"key": []}, {"models": 7}, {"models": [[]]}, {"size": {}}]
)
def test_what_a_page_remembers_is_of_its_types(fault, changed):
    assert fault("resume", [], {"key": "x", "models": [], "size": None} | changed).status == 422


def test_public_calls(demo, fault, photo):
    right = [photo, ["direct"], 1.0, None, None]
    wrong = [
        *((0, x) for x in (7, "x", [], {}, {"path": 7}, {"path": "/etc/passwd"}, {"path": "a\0b"})),
        (0, {"path": f"{get_upload_folder()}/{'x' * 5000}"}),
        (0, {"path": photo["path"]}),
        (0, [photo]),
        *((1, x) for x in NONSENSE),
        *((2, x) for x in ("x", [], float("nan"))),
        *((3, x) for x in ("x", {}, float("inf"))),
        *((4, x) for x in ("x", 256.5, [])),
    ]
    for place, value in wrong:
        data = [*right]
        data[place] = value
        assert fault("colorize", data).status == 422, value
    assert fault("colorize", right[:3]).status == 422
    calls = Calls(demo)
    assert calls.fault("call/colorize", {"data": right}) is None
    assert calls.fault("call/colorize", {"data": []}).status == 422
    by_name = {"photo": photo, "models": ["direct"]}
    assert calls.fault("call/v2/colorize", by_name) is None
    assert calls.fault("call/v2/colorize", by_name | {"models": [None]}).status == 422
    assert "`other`" in calls.fault("call/v2/colorize", by_name | {"other": 1}).sentence
    assert "photo" in calls.fault("call/v2/colorize", {}).sentence


def test_calls_that_there_are_not(demo, fault):
    only_in_the_page = next(number for number, one in demo.fns.items() if one.fn is None)
    for number in (999, -1, only_in_the_page):
        assert fault(number, []).status == 404
    for way in ("run/nothing", "call/nothing", "call/nothing/", "call/v2/nothing"):
        assert Calls(demo).fault(way, {"data": []}).status == 404
    assert fault("prepare", CHOSEN[:1]).status == 422
    assert Calls(demo).fault("queue/join", {"fn_index": 5, "data": [], "batched": True})


def test_what_became_of_a_call_that_nobody_made(demo):
    calls, queue = Calls(demo), demo._queue
    assert calls.is_unknown("call/colorize/abc") and calls.is_unknown("call/v2/colorize/abc")
    for held in (queue.event_ids_to_events, queue.pending_event_ids_session):
        held["abc"] = {"abc"}
        assert not calls.is_unknown("call/colorize/abc")
        del held["abc"]
    assert not calls.is_unknown("queue/data")


def test_what_programs_of_before_leave_out_is_added(demo, photo):
    calls, five = Calls(demo), [photo, ["direct"], 1.0, None, None]
    for call, content in (
        ("call/colorize", {"data": [*five]}),
        ("run/colorize", {"data": [*five, [[1, 2, "#d02020"]]]}),
    ):
        given = len(content["data"])
        assert calls.fault(call, content) is None
        assert calls.complete(call, content)
        added = [[], [], "natural", None, "keep", None, True, False]
        assert content["data"][given:] == added[given - 5 :]
        assert not calls.complete(call, content)
        assert calls.fault(call, content) is None
    short = {"data": five[:4]}
    assert not calls.complete("call/colorize", short) and len(short["data"]) == 4
    assert calls.fault("call/colorize", short).status == 422
