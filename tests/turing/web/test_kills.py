"""A server that is killed in the middle of plates, staircases, ratings and marks.

What was acknowledged is there, once, with all that was said beside it; the next exposure is what
it would have been; and the page goes on by itself.
"""

import json
from collections import Counter, defaultdict

import pytest

from benchmarks.study import every_key as asked
from tests.turing.support.kills import kill_while_people_answer
from tests.turing.support.participant import Participant
from tests.turing.support.servers import Browser, Server
from tests.turing.support.studies import built, picture, rows
from turing.store.records import choice_rows, participant_rows
from turing.store.store import Store
from turing.study.screening import ANSWERS
from turing.study.timing import Step, staircase_ms, tracks

PLATES = 6
TRIALS = 8  # with practice and a catch trial


def asking(directory, exposure_ms, **changes):
    return built(
        directory,
        photos=12,
        exposure_ms=exposure_ms,
        trials=asked.TRIALS,
        asks=asked.PARTICIPANTS,
        rest=asked.REST,
        **changes,
    )


class Sitting:
    """Someone who takes part once, and what was acknowledged."""

    def __init__(self, port, mind):
        self.browser = Browser(port)
        self.mind = mind
        self.said = {}  # trial -> what was sent, once it was said to be saved
        self.shown = {}  # trial -> exposure_ms
        self.query = {"PROLIFIC_PID": self.browser.token}

    def run(self):
        state = self.browser.start(query=self.query, **asked.started())
        while "trial" in state:
            trial, is_plate = state["trial"], state["trial"]["kind"] == "plate"
            more = asked.said(trial, self.mind)
            self.shown[trial["trial"]] = trial["exposure_ms"]
            if self.mind.random() < 0.2:  # the page is loaded anew
                assert self.browser.call("GET", "state") == state
            choice = self.mind.randrange(5 if is_plate else 2)
            state = self.browser.answer(state, choice, **more)
            self.said[trial["trial"]] = more | {"choice": choice}
        end = self.browser.call("POST", "finish", {"answers": {}})
        assert end["code"] == "C0L0R"
        self.browser.close()


def check(path, sittings):
    """Everything that was acknowledged is there once, as it was sent, and the file is whole."""
    said = {trial: one for each in list(sittings) for trial, one in list(each.said.items())}
    with Store(path) as store, store.reading() as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        choices = db.execute(
            "SELECT t.picture, c.choice, v.exposure_ms, v.frames, e.confidence, e.marks "
            "FROM choices c JOIN trials t ON t.id = c.trial "
            "JOIN views v ON v.trial = t.id JOIN evidence e ON e.trial = t.id"
        ).fetchall()
        (count,) = db.execute("SELECT count(*) FROM choices").fetchone()
        plates = db.execute(
            "SELECT p.picture, a.answer FROM answers a JOIN plates p "
            "ON p.participant = a.participant AND a.question = 'plate ' || p.place"
        ).fetchall()
    assert len(choices) == count and len(plates) == len(dict(plates))  # nothing half-written
    written = {one: values for one, *values in choices}
    assert len(written) == len(choices)
    for trial, sent in said.items():
        if "confidence" not in sent:
            assert dict(plates)[trial] == ANSWERS[sent["choice"]]
            continue
        choice, exposure_ms, frames, confidence, marks = written[trial]
        assert (choice, frames) == (sent["choice"], sent["view"]["frames"])
        assert (confidence, json.loads(marks)) == (sent["confidence"], sent["marks"])
        assert [each.shown[trial] for each in sittings if trial in each.shown] == [exposure_ms]
    return written, dict(plates)


@pytest.mark.parametrize(
    ("exposure_ms", "rounds"),
    [
        pytest.param('"staircase"', 2, id="staircase-2"),
        pytest.param('"staircase"', 25, id="staircase-25", marks=pytest.mark.slow),
        pytest.param("[100, 500]", 25, id="levels-25", marks=pytest.mark.slow),
    ],
)
def test_kill_9_while_people_say_all_there_is_to_say(nursery, tmp_path, exposure_ms, rounds):
    store = asking(tmp_path / "studies", exposure_ms, break_every=0)
    store.open_study()
    store.close()  # while it is open here, nothing has to be recovered
    sittings: list[Sitting] = []

    def visit(mind):
        sittings.append(Sitting(server.port, mind))
        sittings[-1].run()

    def said():
        return sum(len(each.said) for each in sittings)

    with Server(nursery, store.path.parent, tmp_path / "page") as server:
        kill_while_people_answer(
            server, visit, said, rounds, more=3, look=lambda: check(store.path, sittings)
        )
    written, plates = check(store.path, sittings)
    assert len(written) == TRIALS * len(sittings) and len(plates) == PLATES * len(sittings)
    with Store(store.path) as fresh:
        people = participant_rows(fresh, everything=True)
        assert len(people) == len(sittings) and all(one["finished"] for one in people)
        check_events(fresh, sittings)
        if exposure_ms == '"staircase"':
            check_staircases(fresh)


def check_events(store, sittings):
    """A call that was made again, for its answer was lost on the way, is noted but once."""
    found = defaultdict(Counter)
    for event in rows(store, "events"):
        if event["participant"]:
            found[event["participant"]][event["what"]] += 1
    assert len(found) == len(sittings)
    for counts in found.values():
        assert (counts["device"], counts["screen"]) == (1, 1)
    absent = sum("absence" in sent for each in sittings for sent in each.said.values())
    of_plates = sum(
        "absence" in sent and "confidence" not in sent
        for each in sittings
        for sent in each.said.values()
    )
    for what in ("focus lost", "hidden"):
        assert sum(counts[what] for counts in found.values()) == absent - of_plates


def check_staircases(store):
    """Each exposure is what the answers before it, each counted once, lead to."""
    by_person = defaultdict(list)
    for row in choice_rows(store, everything=True):
        if not row["practice"] and not row["catch"]:
            by_person[row["participant"]].append(row)
    assert by_person
    for trials in by_person.values():
        trials.sort(key=lambda row: row["position"])
        named = tracks([row["model"] for row in trials])
        steps = []
        for track, row in zip(named, trials, strict=True):
            assert row["exposure_ms"] == staircase_ms(track, steps)
            steps.append(Step(track, row["correct"]))


@pytest.fixture
def served(nursery, tmp_path):
    """A study of three plates and three trials with its page, whose pictures can be looked at."""
    rest = "[screening]\nplates = 3"
    trials = "confidence = true\nmarks = true"
    counts = {"per_participant": 3, "practice": 0, "catch": 0, "show_score": "false"}
    with built(
        tmp_path / "studies", exposure_ms='"staircase"', trials=trials, rest=rest, **counts
    ) as store:
        store.open_study()
        with Server(nursery, store.path.parent, None) as server:
            yield server, store


def draw_plates(store):
    """What `build` renders: here noise will do."""
    for row in rows(store, "plates"):
        store.picture_path(row["sha256"]).write_bytes(picture(row["sha256"], 1))


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_goes_on_by_itself_in_the_middle_of_plates_ratings_and_marks(served, meet):
    server, store = served
    person: Participant = meet(server, viewport={"width": 1280, "height": 900})
    page = person.page
    person.visit(name="tiny")
    person.press("I agree")
    person.press("Continue")
    for number in range(3):
        person.place.get_by_role("group", name=f"Square {number + 1}").get_by_label("Top").check()
    person.press("Continue")
    person.place.get_by_label("no", exact=True).check()
    person.press("Start")
    person.sees("Then, your eyes")
    draw_plates(store)
    page.evaluate("window.sameDocument = true")
    person.press("Continue")

    def kill_and_press(press):
        """The server dies before what is pressed arrives, and comes back later."""
        server.kill()
        press()
        person.sees("Your answer is kept and will be sent")
        server.start()

    person.wait_for_trial("Ring 1 of 3")
    kill_and_press(lambda: page.keyboard.press("ArrowUp"))
    person.wait_for_trial("Ring 2 of 3")
    server.kill()  # while they look, and notice nothing
    server.start()
    page.keyboard.press("ArrowDown")
    person.wait_for_trial("Ring 3 of 3")
    page.keyboard.press("ArrowLeft")

    def rate_and_mark(key, restarts_before):
        person.sees("How sure are you?")
        page.wait_for_timeout(350)  # a press so soon after the choice is part of it
        if restarts_before == "rating":
            server.kill()
            server.start()
        page.keyboard.press(key)
        person.place.locator(".trial[data-view='marks']").wait_for()
        page.wait_for_timeout(350)
        person.place.locator(".suspect").click(position={"x": 20, "y": 20})
        if restarts_before == "marks":
            kill_and_press(lambda: person.press("Continue"))
        else:
            person.press("Continue")

    for number, restarts_before in enumerate(("rating", "marks", None), 1):
        person.wait_for_trial(f"{number} of 3")
        page.keyboard.press("ArrowRight")
        rate_and_mark(str(number), restarts_before)
    person.sees("A few questions")
    assert page.evaluate("window.sameDocument") is True  # never loaded anew
    kept = choice_rows(store, everything=True)
    assert [(row["choice"], row["confidence"]) for row in kept] == [(1, 1), (1, 2), (1, 3)]
    assert all(len(json.loads(row["marks"])) == 1 for row in kept)
    said = [row["answer"] for row in rows(store, "answers") if row["question"] != "colour_vision"]
    assert said == ["up", "down", "left"]
