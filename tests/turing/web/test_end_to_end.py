"""The built-in study in the real app, from the address to the results, in a real browser."""

import shutil
import urllib.request
from itertools import cycle

import pytest
from playwright.sync_api import expect

from benchmarks.study.serving import App
from colorize.web.photos.examples import EXAMPLES
from tests.turing.support.participant import PHONE
from turing.analysis.results_json import results_json
from turing.report.of_store import store_results
from turing.store.records import choice_rows, participant_rows
from turing.store.store import Store, store_path

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "correct horse"
TRIALS = 9  # 8 and a catch trial


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder in which an app has built its demo."""
    folder = tmp_path_factory.mktemp("built") / "studies"
    with App(folder, TMPDIR=str(folder.parent)) as app:
        app.wait_for("/gradio_api/study/demo/info")
    return folder


@pytest.fixture
def app(built, tmp_path):
    """An app with a copy of the built demo; it is ready at once."""
    studies = tmp_path / "studies"
    shutil.copytree(built, studies)
    with App(studies, TMPDIR=str(tmp_path), TURING_ADMIN_PASSWORD=PASSWORD) as app:
        app.wait_for("/gradio_api/study/demo/info")
        yield app


def enter(person):
    """From consent to the practice trial, by mouse or tap."""
    person.press("I agree")
    person.press("Continue")
    person.place.get_by_label("no", exact=True).check()
    person.press("Start")


def practise(person, part):
    person.wait_for_trial("Practice 1 of 1")
    person.pick(part)
    person.press("Continue")
    person.sees("That was practice")
    person.press("Start")


def answer(person, choices, number=1, think_ms=0):
    for count, choice in enumerate(choices, number):
        person.wait_for_trial(f"{count} of {TRIALS}")
        person.page.wait_for_timeout(think_ms)
        person.pick(choice)


def end(person, hints="The sky"):
    person.sees("A few questions")
    person.place.get_by_label("What gave").fill(hints)
    person.press("Finish")
    person.sees("All done")


def check(app, choices, hints="The sky"):
    """The store has one person with just these choices, practice first; returns the results."""
    with Store(store_path(app.store, "demo")) as store:
        (one,) = participant_rows(store, everything=True)
        assert (one["answered"], one["trials"]) == (TRIALS + 1, TRIALS + 1)
        assert one["finished"] and not one["withdrawn"] and not one["preview"]
        assert one["answers"] == {"colour_vision": "no"} | ({"hints": hints} if hints else {})
        rows = choice_rows(store, everything=True)
        assert [row["position"] for row in rows] == list(range(TRIALS + 1))
        assert [row["choice"] for row in rows] == choices
        assert [row["practice"] for row in rows] == [True] + [False] * TRIALS
        assert sum(row["catch"] for row in rows) == 1
        assert all(0 < row["rt_ms"] <= row["server_ms"] + 50 for row in rows[1:])
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        results = results_json(store_results(store, None))
    scored = [row for row in rows if not row["practice"] and not row["catch"]]
    return sum(row["correct"] for row in scored), results


def secrets(app):
    """Paths, file names, and the names of pictures by what they show."""
    files = [path.stem for path in (app.store / "demo-photos" / "photos").iterdir()]
    stimuli = [path.stem for path in (app.store / "demo").glob("*.png")]
    assert len(files) >= 10 and len(stimuli) > 30
    return [str(app.store), "demo-photos", "demo.sqlite", *files, *stimuli]


def test_by_mouse_from_the_tab_to_the_results(app, meet):
    person = meet(app, viewport={"width": 1280, "height": 900})
    page = person.page
    page.goto(app.address)
    page.get_by_role("tab", name="Turing test").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The colorization Turing test")
    person.place = page.frame_locator("iframe.study-frame")
    enter(person)
    practise(person, 1)
    choices = [0, 1, 1, 0, 1, 0, 0, 1, 1]
    answer(person, choices, think_ms=400)
    end(person)
    correct, results = check(app, [1, *choices])
    person.sees(f"You were right {correct} times out of 8.")
    assert (results["participants"], results["excluded"]) == (1, 0)
    cells = [cell for cell in results["cells"] if cell["dataset"] is None]
    assert {cell["model"] for cell in cells} == {"baseline", "fusion"}
    assert [sum(cell[key] for cell in cells) for key in ("shown", "correct")] == [8, correct]

    page.goto(f"{app.address}/admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Show the results").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Which photo is real?")
    for cell in cells:
        row = page.get_by_role("row").filter(has_text=cell["model"])
        expect(row.filter(has_text=f"{cell['turing_fraction']:.2f}").first).to_be_visible()


def test_by_keyboard(app, meet):
    person = meet(app)
    keyboard, traffic = person.page.keyboard, []
    context = person.page.context
    context.on("response", lambda r: traffic.append(r) if r.url.startswith("http") else None)
    person.visit()
    person.sees("I agree")
    person.tab_to("I agree")
    keyboard.press("Enter")
    person.sees("What to do")
    keyboard.press("Enter")
    person.sees("A few questions")
    person.tab_to("no")
    keyboard.press("Space")
    person.tab_to("Start")
    keyboard.press("Enter")
    person.wait_for_trial("Practice 1 of 1")
    person.pick_by_key("ArrowRight")
    person.place.locator(".feedback button").wait_for()
    keyboard.press("Enter")
    person.sees("That was practice")
    keyboard.press("Enter")
    choices = []
    for count, (key, choice) in zip(
        range(1, TRIALS + 1),
        cycle([("ArrowLeft", 0), ("2", 1), ("ArrowRight", 1), ("1", 0)]),
        strict=False,
    ):
        person.wait_for_trial(f"{count} of {TRIALS}")
        person.pick_by_key(key)
        choices.append(choice)
    person.sees("A few questions")
    person.tab_to("Finish")
    keyboard.press("Enter")
    person.sees("All done")
    check(app, [1, *choices], hints=None)
    texts = [f"{r.url} {r.all_headers()} {r.text()}" for r in traffic if "/picture/" not in r.url]
    texts += [f"{r.url} {r.all_headers()}" for r in traffic if "/picture/" in r.url]
    assert len(texts) >= 2 * (TRIALS + 1)
    texts.append(person.page.content())
    known = "\n".join(texts).lower()
    models = ["baseline", "fusion", "classifier", "regression", "wild"]
    assert [secret for secret in [*models, *secrets(app)] if secret.lower() in known] == []


def test_the_apps_config_gives_nothing_of_the_study_away(app):
    with urllib.request.urlopen(f"{app.address}/config") as answer:
        config = answer.read().decode().lower()
    assert "study-frame" in config
    found = {secret for secret in secrets(app) if secret.lower() in config}
    the_other_tabs = {name.lower() for name in EXAMPLES}
    assert found <= the_other_tabs


def test_on_a_phone(app, meet):
    person = meet(app, **PHONE)
    page = person.page

    def tap(name):
        page.get_by_role("button", name=name, exact=True).tap()

    def fits():
        assert page.evaluate("document.documentElement.scrollWidth") == 390

    person.visit()
    for label in ("I agree", "Continue"):
        tap(label)
        fits()
    page.get_by_label("no", exact=True).tap()
    tap("Start")
    person.wait_for_trial("Practice 1 of 1")
    tap("Photo 1")
    tap("Continue")
    tap("Start")
    choices = [1, 0, 0, 1, 0, 1, 1, 0, 1]
    for count, choice in enumerate(choices, 1):
        person.wait_for_trial(f"{count} of {TRIALS}")
        fits()
        first, second = (page.locator(f"[data-part='{n}']").bounding_box() for n in (0, 1))
        assert first["y"] + first["height"] < second["y"]
        assert second["y"] + second["height"] <= page.locator("footer").bounding_box()["y"]
        tap(f"Photo {choice + 1}")
    tap("Finish")
    person.sees("All done")
    fits()
    check(app, [0, *choices], hints=None)


def test_reload_and_a_server_that_is_killed_in_the_middle(app, meet):
    person = meet(app)
    page = person.page
    person.visit()
    enter(person)
    practise(person, 0)
    choices = [1, 1, 0, 0, 1, 0, 1, 0, 0]
    answer(person, choices[:3])
    person.wait_for_trial(f"4 of {TRIALS}")
    page.reload()
    answer(person, choices[3:4], number=4)
    person.wait_for_trial(f"5 of {TRIALS}")
    page.evaluate("window.sameDocument = true")
    app.kill()
    person.pick(choices[4])
    person.sees("Your answer is kept and will be sent")
    app.start()
    answer(person, choices[5:7], number=6)
    person.wait_for_trial(f"8 of {TRIALS}")
    app.kill()  # while the participant looks, and notices nothing
    app.start()
    answer(person, choices[7:], number=8)
    end(person)
    assert page.evaluate("window.sameDocument") is True  # never loaded anew
    check(app, [0, *choices])
    page.reload()
    person.sees("You have taken part already")
