"""Browsers of 2020 do: what is younger is not used, or has a replacement. Older ones are told."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

import turing.web.routes
from tests.turing.support.participant import HINTS
from tests.turing.support.pretend_study import PretendStudy

pytestmark = pytest.mark.browser

YOUNG = (  # what browsers got after 2020
    *("URL.canParse", "URL.parse", "AbortSignal.timeout", "AbortSignal.any", "Object.hasOwn"),
    *("Object.groupBy", "Array.fromAsync", "Array.prototype.at", "String.prototype.at"),
    *("Array.prototype.findLast", "Array.prototype.toSorted", "Array.prototype.with"),
    *("String.prototype.replaceAll", "String.prototype.isWellFormed", "Promise.any"),
    *("Promise.withResolvers", "Promise.try", "window.structuredClone", "crypto.randomUUID"),
    *("Element.prototype.replaceChildren", "Document.prototype.replaceChildren"),
    *("DocumentFragment.prototype.replaceChildren", "SubmitEvent.prototype.submitter"),
    *("HTMLDialogElement.prototype.showModal", "HTMLDialogElement.prototype.close"),
    *(
        "Element.prototype.ariaLabel",
        "Element.prototype.ariaDisabled",
        "window.requestIdleCallback",
    ),
    *("Element.prototype.checkVisibility", "Navigator.prototype.clipboard", "window.scheduler"),
    *("Set.prototype.union", "window.Iterator", "window.navigation", "window.ViewTransition"),
)
MARKDOWN = "Read [the *notes*](https://example.org/n), _all_ of (_them_), not snake_case_names."


def without(*names):
    return "".join(f"delete {name};" for name in names)


def walk(person):
    person.press("I agree")
    person.press("Start")
    person.pick(0)
    person.press("Continue")
    person.press("Start")
    person.pick(1)
    person.page.get_by_label("What gave").fill("The sky")
    person.press("Finish")
    person.sees("C0L0R")


@pytest.mark.slow
def test_a_whole_study_without_what_is_young(arrive):
    study = PretendStudy(
        practice=1,
        scored=1,
        after=[HINTS],
        texts={"consent": MARKDOWN},
        end={"code": "C0L0R", "return_url": "https://example.org/back"},
    )
    person = arrive(study)
    person.page.add_init_script(without(*YOUNG))
    person.visit("&PROLIFIC_PID=p1")
    assert person.page.evaluate("URL.canParse || AbortSignal.timeout || ''.replaceAll") is None
    text = "Read the notes, all of (them), not snake_case_names."
    expect(person.page.locator(".prose p")).to_have_text(text)
    assert person.page.locator(".prose em").all_inner_texts() == ["notes", "all", "them"]
    walk(person)
    link = person.page.get_by_role("link", name="Return to where you came from")
    expect(link).to_have_attribute("href", "https://example.org/back")


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [False, True])
def test_leaving_without_dialogs(arrive, leaves):
    person = arrive()
    person.page.add_init_script(without("HTMLDialogElement.prototype.showModal"))
    person.page.on("dialog", lambda asked: asked.accept() if leaves else asked.dismiss())
    person.begin()
    person.press("Leave the study")
    if leaves:
        person.sees("You have left the study")
    else:
        person.pick(0)
        person.wait_for_trial("2 of 4")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=str)
def test_the_pictures_fit_without_young_styles(arrive, size):
    width, height = size
    person = arrive(
        PretendStudy(practice=0, size=(900, 600)), viewport={"width": width, "height": height}
    )

    def older(route):
        style = route.fetch().text()
        for young in (r"\bround(?=\()", r"cq[wh]\b", r"\baspect-ratio(?=: [1v])", r"has(?=\()"):
            assert re.search(young, style)
            style = re.sub(young, "unknown", style)
        route.fulfill(body=style, content_type="text/css")

    person.page.route("**/trial.css", older)
    person.begin()
    first, second = (person.page.locator(f"[data-part='{n}']").bounding_box() for n in (0, 1))
    assert first["width"] == second["width"] > width / 4
    assert first["height"] == pytest.approx(first["width"] * 2 / 3, abs=2)
    assert second["y"] + second["height"] <= height and second["x"] + second["width"] <= width
    assert person.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
@pytest.mark.parametrize("old", ["no modules", "unknown syntax"])
def test_an_older_browser_is_told(arrive, old):
    person = arrive()
    if old == "no modules":
        person.page.add_init_script("delete HTMLScriptElement.prototype.noModule")
    script = "export const x = 1 ?!? 2;" if old == "unknown syntax" else ""
    person.page.route(
        "**/page.js", lambda route: route.fulfill(body=script, content_type="text/javascript")
    )
    person.visit()
    expect(person.page.get_by_text("This browser is too old for the study.")).to_be_visible()
    person.faults.clear()


def test_no_pattern_looks_behind():
    for script in (Path(turing.web.routes.PAGE)).glob("*.js"):
        assert "(?<!" not in script.read_text() and "(?<=" not in script.read_text()
