import asyncio
import re
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from colorize.errors import ColorizeError
from colorize.models.record import list_checkpoints
from colorize.photo.opening import Photo
from colorize.web.session import Session, Sessions
from colorize.web.workshop import Workshop
from tests.support.scans import scanned


@pytest.fixture
def make_sessions(checkpoints, tmp_path):
    made = []

    def make(limit=3600.0):
        (tmp_path / "files").mkdir(exist_ok=True)
        workshop = Workshop(tmp_path / "files", list_checkpoints())
        made.append(Sessions(workshop, tmp_path / "sessions", limit))
        return made[-1]

    yield make
    for sessions in made:
        sessions.close()


@pytest.fixture
def sessions(make_sessions):
    return make_sessions()


@pytest.fixture
def files(tmp_path, make_pixels):
    (tmp_path / "given").mkdir()
    made = []
    for number in range(3):
        made.append(tmp_path / "given" / f"photo{number}.png")
        Image.fromarray(make_pixels(number)).convert("L").save(made[-1])
    return made


def states(session, models=("direct", "bins"), size=None):
    session.choose(models, size)
    return [session.state() for _ in session.run()]


def begun(sessions, files):
    """A session at its first picture, and its run."""
    session = sessions.of("me")
    list(session.add(files))
    session.choose(["direct"], None)
    run = session.run()
    next(run)
    return session, run


def card_states(photo):
    return [card["state"] for card in photo["cards"]]


def test_run_colorizes_every_photo_with_every_model(sessions, files):
    session = sessions.of("me")
    assert len(list(session.add(files))) == 3
    seen = states(session)
    progress = [(s["progress"]["done"], s["progress"]["total"]) for s in seen[:-1]]
    assert progress == [(done, 6) for done in range(6)]
    assert card_states(seen[0]["photos"][0]) == ["working", "waiting"]
    assert card_states(seen[1]["photos"][0]) == ["done", "working"]
    assert seen[-1]["progress"] is None and seen[-1]["waiting"] == 0
    assert all(card_states(photo) == ["done", "done"] for photo in seen[-1]["photos"])
    assert all(card["seconds"] > 0 for photo in seen[-1]["photos"] for card in photo["cards"])


def test_only_what_is_new_is_run(sessions, files):
    session = sessions.of("me")
    list(session.add(files[:1]))
    assert len(states(session, ["direct"])) == 2  # one picture, and the end
    assert len(states(session, ["direct", "bins"])) == 2
    assert len(states(session, ["direct", "bins"])) == 1
    assert len(states(session, ["direct"], 192)) == 2


def test_what_is_chosen_while_it_runs_is_done_too(sessions, files):
    session, run = begun(sessions, files[:2])
    session.choose(["direct", "bins"], None)
    assert list(session.run()) == []  # one at a time
    list(run)
    assert [card_states(photo) for photo in session.state()["photos"]] == [["done", "done"]] * 2


def test_the_photo_that_is_looked_at_comes_first(sessions, files):
    session, run = begun(sessions, files)
    session.look_at(3)
    order = [session.state()["progress"]["photo"] for _ in run if session.state()["progress"]]
    assert order == [3, 2]


def test_a_model_counts_once_and_only_if_there_is_one(sessions, files):
    session = sessions.of("me")
    session.choose(["direct", "nothing", "direct"] * 1000 + ["bins"], None)
    assert session.state()["models"] == ["direct", "bins"]


def test_more_visitors_than_are_kept_crowd_out_who_was_away_longest(sessions, files, monkeypatch):
    monkeypatch.setattr("colorize.web.session.MOST_VISITORS", 2)
    first, second = sessions.of("first"), sessions.of("second")
    list(first.add(files[:1]))
    first.used += 1  # the second was used before
    third = sessions.of("third")
    assert len(sessions) == 2
    assert sessions.by_key(second.key) is None
    assert sessions.by_key(first.key) is first and sessions.by_key(third.key) is third


def test_no_state_equals_another(sessions, files):
    session = sessions.of("me")
    list(session.add(files))
    first, second = session.state(), session.state()
    assert first != second and first["news"] < second["news"]
    assert second["news"] < session.news()["news"] < session.news()["news"]


def test_a_drop_that_goes_on_keeps_its_first_photo_as_the_newest(sessions, files):
    session = sessions.of("me")
    list(session.add(files[:1]))
    list(session.add(files[1:], goes_on=True))
    assert session.state()["newest"] == 1 and session.state()["offered"] == 3
    list(session.add(files[:1]))
    assert session.state()["newest"] == 4 and session.state()["offered"] == 4


def test_cancel_ends_after_the_picture_under_way(sessions, files):
    session, run = begun(sessions, files)
    session.cancel()
    list(run)
    state = session.state()
    assert [card_states(photo) for photo in state["photos"]] == [["done"], ["stopped"], ["stopped"]]
    assert state["waiting"] == 2 and state["progress"] is None
    session.prepare()
    states(session, ["direct"])
    assert session.state()["waiting"] == 0


def test_cancel_while_waiting_for_a_turn(sessions, files):
    session = sessions.of("me")
    list(session.add(files))
    session.choose(["direct"], None)
    session.prepare()
    assert session.state()["progress"] == {"done": 0, "total": 3}
    session.cancel()
    assert session.state()["progress"] is None
    assert len(states(session, ["direct"])) == 1


def test_bad_file_gives_a_sentence_and_the_others_go_on(sessions, files, tmp_path):
    text = tmp_path / "given" / "text.jpg"
    text.write_text("no picture")
    session = sessions.of("me")
    list(session.add([text, *files]))
    state = states(session, ["direct"])[-1]
    assert "text.jpg" in state["photos"][0]["error"] and "\n" not in state["photos"][0]["error"]
    assert [card_states(photo) for photo in state["photos"][1:]] == [["done"]] * 3


def test_failure_of_the_network_is_that_pictures_alone(sessions, files, monkeypatch, caplog):
    session = sessions.of("me")
    list(session.add(files))
    open_photo = Photo.open

    def fail_once(file):
        if Path(file).name == "photo1.png":
            raise RuntimeError("out of memory")
        return open_photo(file)

    sessions.workshop.forget(session.key)
    monkeypatch.setattr(Photo, "open", fail_once)
    photos = states(session, ["direct"])[-1]["photos"]
    assert [card_states(photo) for photo in photos] == [["done"], ["failed"], ["done"]]
    assert photos[1]["cards"][0]["error"].startswith("Direct could not colorize")
    assert "out of memory" in caplog.text


def test_there_is_room_for_200_photos(sessions):
    numbers = [sessions.of("me")._reserve() for _ in range(201)]
    assert numbers == [*range(1, 201), None]


@pytest.fixture
def fifty(monkeypatch):
    """A limit that a test reaches sooner."""
    monkeypatch.setattr("colorize.web.session.MOST_PHOTOS", 50)
    return 50


def test_too_many_photos(sessions, files, fifty):
    session = sessions.of("me")
    with pytest.raises(ColorizeError, match="50 photos at a time: 2 were left out"):
        list(session.add([files[0]] * (fifty + 2)))
    assert len(session.items) == fifty


def test_two_drops_at_once_share_the_room(sessions, files, fifty):
    session = sessions.of("me")
    first, second = (session.add([files[0]] * 30) for _ in range(2))
    for _ in range(30):
        next(first)
        next(second)
    with pytest.raises(ColorizeError, match="5 were left out"):
        next(first)
    with pytest.raises(ColorizeError, match="5 were left out"):
        next(second)
    with pytest.raises(ColorizeError, match="40 were left out"):
        list(session.add([files[0]] * 40))
    assert [item.number for item in session.items] == list(range(1, fifty + 1))
    assert not session.state()["taking"]


def test_colour_photo_is_told_from_grey(sessions, shipped_photos, files, tmp_path):
    colour = tmp_path / "given" / "cat.png"
    Image.fromarray(shipped_photos["chelsea.png"]).save(colour)
    session = sessions.of("me")
    list(session.add([colour, files[0]]))
    cat, grey = session.state()["photos"]
    assert cat["hasColours"] and cat["colorfulness"] > 10
    assert not grey["hasColours"]


def test_visitors_do_not_mix(sessions, files):
    mine, yours = sessions.of("me"), sessions.of("you")
    list(mine.add(files[:1]))
    assert sessions.of("me") is mine and not yours.items
    assert sessions.by_key(mine.key) is mine
    assert mine.key != yours.key and len(mine.key) >= 20
    assert sessions.by_key("guess") is None and sessions.by_key("") is None


def test_remove_deletes_the_file(sessions, files):
    session = sessions.of("me")
    list(session.add(files))
    kept = session.items[1].upload.file
    session.remove(2)
    assert [item.number for item in session.items] == [1, 3]
    assert not kept.exists() and files[1].exists()


def test_drop_leaves_nothing(sessions, files, tmp_path):
    session = sessions.of("me")
    list(session.add(files))
    states(session)
    assert sessions.workshop.memory.bytes > 0
    sessions.drop("me")
    assert sessions.workshop.memory.bytes == 0
    assert not list((tmp_path / "sessions").iterdir())
    assert sessions.by_key(session.key) is None
    assert all(file.exists() for file in files)


def test_unused_sessions_are_forgotten_in_time(make_sessions, files, tmp_path, monkeypatch):
    has_files, sweep = threading.Event(), Sessions.sweep
    monkeypatch.setattr(Sessions, "sweep", lambda one: has_files.is_set() and sweep(one))
    sessions = make_sessions(limit=0.3)
    list(sessions.of("me").add(files))
    has_files.set()
    deadline = time.monotonic() + 30
    left = True
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = len(sessions) or list((tmp_path / "sessions").iterdir())
    assert not left


def test_left_page_is_forgotten_sooner(make_sessions):
    sessions = make_sessions()
    left, stays = sessions.of("left"), sessions.of("stays")
    sessions.leave("left")
    for session in (left, stays):
        session.used -= 600
    sessions.sweep()
    assert sessions.by_key(left.key) is None and sessions.by_key(stays.key) is stays


def test_forgetting_goes_on_after_any_failure(make_sessions, monkeypatch):
    """And says on the results page when it last worked."""
    assert make_sessions().sentence().endswith("last cleared not yet.")
    failures, sessions = [], make_sessions(limit=3.0)
    try:
        for place, name in ((Sessions, "sweep"), (Session, "close"), (Sessions, "drop")):
            working = getattr(place, name)

            def failing(*given, name=name, working=working):
                if name not in failures:
                    failures.append(name)
                    raise ValueError("x")
                return working(*given)

            monkeypatch.setattr(place, name, failing)
        for visitor in "abc":
            sessions.of(visitor)
        until(lambda: len(failures) == 3 and not len(sessions))
        assert sessions._sweeper.is_alive()
        until(lambda: re.search(r"cleared at \d{4}-.* UTC\.", sessions.sentence()))
    finally:
        monkeypatch.undo()


def until(condition):
    over = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < over
        time.sleep(0.01)


def test_who_comes_back_has_the_photos_again(sessions, files):
    session = sessions.of("me")
    list(session.add(files))
    sessions.leave("me")
    assert sessions.resume(session.key, "me again")
    assert sessions.of("me again") is session and not session.short_lived
    assert len(sessions) == 1
    sessions.leave("me")  # whose page is long gone
    assert not session.short_lived


def test_open_page_keeps_its_photos(sessions, files):
    session = sessions.of("me")
    asyncio.run(sessions.until_left(session.key, "a copy", patience=0.1))
    assert not sessions.resume(session.key, "a copy")
    assert sessions.of("me") is session and sessions.of("a copy") is not session


@pytest.mark.parametrize("key", ["", "guessed", "g\u00fcessed"])
def test_nobody_comes_back_to_what_is_not_there(sessions, key):
    sessions.of("me")
    sessions.leave("me")
    assert not sessions.resume(key, "me again")


def test_who_has_photos_takes_no_others(sessions):
    session, own = sessions.of("me"), sessions.of("another")
    sessions.leave("me")
    assert not sessions.resume(session.key, "another")
    assert sessions.of("another") is own


def test_a_scan_is_cropped_and_uncropped_and_colorized_anew(sessions, files, shipped_photos):
    scan, _ = scanned(shipped_photos["chelsea.png"][..., 1], 225, tilt=2)
    Image.fromarray(scan).save(files[0])
    session = sessions.of("me")
    list(session.add(files[:2]))
    states(session, ["direct"])
    plain, other = session.state()["photos"]
    assert len(plain["border"]) == 4 and not plain["isCropped"]
    session.crop(1, True)
    session.crop(2, True)  # it has no border
    session.crop(9, True)
    cropped, same = session.state()["photos"]
    assert cropped["isCropped"] and cropped["border"] == () and cropped["size"] < plain["size"]
    assert card_states(cropped) == ["stopped"] and same == other
    states(session, ["direct"])
    assert card_states(session.state()["photos"][0]) == ["done"]
    session.crop(1, False)
    assert session.state()["photos"][0]["size"] == plain["size"]
    assert len(states(session, ["direct"])) == 2
