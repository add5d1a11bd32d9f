"""Who somebody is stands in the link that they came by."""

import pytest
from playwright.sync_api import expect

from tests.turing.support.participant import COLOUR_VISION, PHONE, Participant
from tests.turing.support.pretend_study import Failure, PretendStudy

pytestmark = pytest.mark.browser


def test_another_person_at_the_same_browser_is_another_participant(arrive):
    person = arrive()
    person.begin("&PROLIFIC_PID=p1")
    person.pick(1)
    person.wait_for_trial("2 of 4")
    second = Participant(person.page.context.new_page(), person.served)
    second.begin("&PROLIFIC_PID=p2")
    second.wait_for_trial("1 of 4")
    person.pick(0)  # in the tab that was open before: still the first person
    person.wait_for_trial("3 of 4")
    person.visit("&PROLIFIC_PID=p1")
    person.wait_for_trial("3 of 4")
    person.visit("&PROLIFIC_PID=p2")
    person.wait_for_trial("1 of 4")
    person.visit()  # no ID: who was here last
    person.wait_for_trial("1 of 4")
    ids = [each.start["query"]["PROLIFIC_PID"] for each in person.study.participants.values()]
    assert ids == ["p1", "p2"]
    assert [len(each.choices) for each in person.study.participants.values()] == [2, 0]


def test_who_came_without_an_id_is_nobody_with_one(arrive):
    person = arrive()
    person.begin()
    person.begin("&PROLIFIC_PID=p1")
    assert [each.start["query"] for each in person.study.participants.values()] == [
        {},
        {"PROLIFIC_PID": "p1"},
    ]


LINKS = {  # what came of /study?study=demo&PROLIFIC_PID=a@b.c on its way
    "study=demo&PROLIFIC_PID=a%40b.c": "as it should be",
    "study=demo&PROLIFIC_PID=a%2540b.c": "a value twice",
    "study=demo&PROLIFIC_PID=a%252540b.c": "a value three times",
    "study=demo&amp;PROLIFIC_PID=a%40b.c": "as HTML",
    "study=demo%26PROLIFIC_PID%3Da%2540b.c": "all but the first name",
    "study%3Ddemo%26PROLIFIC_PID%3Da%40b.c": "the whole query",
    "study%253Ddemo%2526PROLIFIC_PID%253Da%2540b.c": "the whole query twice",
    "study=demo&PROLIFIC_PID%3Da%40b.c": "a pair",
    "study=demo&PROLIFIC%255FPID=a%40b.c": "a name twice",
    "study=demo?PROLIFIC_PID=a%40b.c": "a second question mark",
    "fbclid=x%25&study=demo&PROLIFIC_PID=a%40b.c": "somebody's own parameter",
}


@pytest.mark.slow
@pytest.mark.parametrize("link", LINKS, ids=LINKS.get)
def test_links_that_were_escaped_on_their_way(arrive, link):
    person = arrive(PretendStudy(practice=0, scored=1))
    person.page.goto(f"{person.served.address}/study?{link}")
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial()
    (record,) = person.study.participants.values()
    assert record.start["query"] == {"PROLIFIC_PID": "a@b.c"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "own", ["100%", "50%zz", "a=b", "x&y", "ä+ö", "{{%PROLIFIC_PID%}}", "[ID]"]
)
def test_odd_ids_arrive_as_they_are(arrive, own):
    person = arrive(PretendStudy(practice=0, scored=1))
    person.page.goto(f"{person.served.address}/study?study=demo")
    address = person.page.evaluate(
        "id => `${location.pathname}?${new URLSearchParams({study: 'demo', PROLIFIC_PID: id})}`",
        own,
    )
    person.page.goto(f"{person.served.address}{address}")
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial()
    (record,) = person.study.participants.values()
    assert record.start["query"] == {"PROLIFIC_PID": own}


@pytest.mark.slow
def test_only_what_the_study_asks_for_is_sent(arrive):
    person = arrive()
    person.begin(f"&PROLIFIC_PID=p1&fbclid={'a' * 900}&x=%00&{'n' * 70}=1&token=t")
    (record,) = person.study.participants.values()
    assert record.start["query"] == {"PROLIFIC_PID": "p1"}
    expect(person.page.locator(".count")).to_have_text("1 of 4")


@pytest.mark.parametrize("more", ["", "&PROLIFIC_PID=", "&PROLIFIC_PID=%7B%7B%25PID%25%7D%7D"])
def test_a_link_without_its_id_is_told(arrive, more):
    person = arrive(PretendStudy(practice=0, requires_id=True))
    person.visit(more)
    if "%7B" in more:  # what is no ID the server knows
        person.press("I agree")
        person.press("Start")
    person.sees("Your link lacks your ID")
    assert not person.study.participants


@pytest.mark.slow
def test_who_comes_to_a_full_study_waits_and_is_told(arrive):
    person = arrive()
    person.study.failures["start"] = [Failure(503, {"Retry-After": "1"}, code="full")] * 2
    person.visit()
    person.press("I agree")
    person.press("Start")
    person.page.get_by_text("Many people are taking part just now.").wait_for()
    person.wait_for_trial("1 of 4")
    expect(person.page.locator("#quiet")).to_be_hidden()


def test_who_declines_or_leaves_has_a_link_back(arrive):
    back = "&declined_url=https%3A%2F%2Fb.org%2Fno%3Fp%3D%7BPROLIFIC_PID%7D"
    back += "&left_url=https%3A%2F%2Fb.org%2Fleft"
    person = arrive(PretendStudy(practice=0, links_back=back))
    link = person.page.get_by_role("link", name="Return to where you came from")
    person.visit("&PROLIFIC_PID=p%261")
    person.press("No, thank you")
    expect(link).to_have_attribute("href", "https://b.org/no?p=p%261")
    person.press("Back to the beginning")
    person.press("I agree")
    person.press("Start")
    person.wait_for_trial()
    person.press("Leave the study")
    person.page.get_by_role("dialog").get_by_role("button", name="Leave the study").click()
    expect(link).to_have_attribute("href", "https://b.org/left")


@pytest.mark.parametrize("why", ["closed", "already", "blocked"])
def test_who_cannot_take_part_has_a_link_back(arrive, why):
    back = "closed_url=https%3A%2F%2Fb.org%2Fover%3Fp%3D%7BPROLIFIC_PID%7D"
    study = PretendStudy(practice=0, closed=why == "closed", links_back=back)
    (study.blocked_ids if why == "blocked" else study.known_ids).add("p&1")
    person = arrive(study)
    person.visit("&PROLIFIC_PID=p%261")
    if why != "closed":
        person.press("I agree")
        person.press("Start")
    told = {"closed": "This study is closed", "already": "This ID has taken part already"}
    person.sees(told.get(why, "You cannot take part in this study"))
    link = person.page.get_by_role("link", name="Return to where you came from")
    expect(link).to_have_attribute("href", "https://b.org/over?p=p%261")


def leave(person):
    person.press("Leave the study")
    person.page.get_by_role("dialog").get_by_role("button", name="Leave the study").click()


def test_who_leaves_gets_a_receipt_also_after_a_reload(arrive):
    person = arrive(PretendStudy(practice=0, receipt="ABCDE-FGHIJ"))
    person.begin()
    leave(person)
    expect(person.page.locator("code")).to_have_text("ABCDE-FGHIJ")
    person.page.reload()
    person.sees("You have left the study")
    expect(person.page.locator("code")).to_have_text("ABCDE-FGHIJ")


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark", **PHONE}], ids=["wide", "phone"])
def test_who_is_screened_out_is_told_so_also_after_a_reload(arrive, options):
    back = "&screened_out_url=https%3A%2F%2Fb.org%2Fout%3Fp%3D%7BPROLIFIC_PID%7D"
    study = PretendStudy(
        practice=0,
        before=[COLOUR_VISION],
        links_back=back,
        screens_out={"colour_vision": "yes"},
        receipt="ABCDE-FGHIJ",
    )
    person = arrive(study, **options)
    person.visit("&PROLIFIC_PID=p1")
    person.press("I agree")
    person.press("Continue")
    person.page.get_by_label("yes").check()
    person.press("Start")
    for _ in range(2):
        person.sees("Thank you for your interest")
        link = person.page.get_by_role("link", name="Return to where you came from")
        expect(link).to_have_attribute("href", "https://b.org/out?p=p1")
        expect(person.page.locator("code")).to_have_text("ABCDE-FGHIJ")
        person.page.reload()


def test_the_id_is_enough_in_another_browser(arrive, meet):
    person = arrive(PretendStudy(practice=0, before=[COLOUR_VISION], links_back="&resume=id"))
    person.visit("&PROLIFIC_PID=p1")
    person.press("I agree")
    person.press("Continue")
    person.page.get_by_label("no").check()
    person.press("Start")
    person.pick(1)
    person.wait_for_trial("2 of 4")
    elsewhere = meet(person.served)
    elsewhere.visit("&PROLIFIC_PID=p1")
    elsewhere.press("I agree")
    elsewhere.wait_for_trial("2 of 4")
    elsewhere.page.reload()
    elsewhere.wait_for_trial("2 of 4")
    stranger = meet(person.served)
    stranger.visit("&PROLIFIC_PID=p2")
    stranger.press("I agree")
    stranger.sees("What to do")


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark", **PHONE}], ids=["wide", "phone"])
def test_all_boxes_are_ticked_before_one_agrees(arrive, options):
    boxes = ["I am 18 years old or older", "I have read and understood what is written above"]
    person = arrive(PretendStudy(practice=0, consent_boxes=boxes), **options)
    person.visit()
    for box in boxes:
        person.press("I agree")
        assert person.page.get_by_role("button", name="I agree").is_enabled()
        person.page.get_by_label(box).check()
    person.press("I agree")
    person.sees("What to do")


def test_a_copy_of_the_consent_can_be_printed(arrive):
    person = arrive(PretendStudy(practice=0, consent_boxes=["I am 18 years old or older"]))
    person.visit()
    person.page.evaluate("window.print = () => { window.wasPrinted = true; }")
    person.press("Print a copy")
    assert person.page.evaluate("window.wasPrinted")
    person.page.emulate_media(media="print")
    for name in ("I agree", "No, thank you", "Print a copy"):
        expect(person.page.get_by_text(name, exact=True)).to_be_hidden()
    expect(person.page.get_by_text("I am 18 years old or older")).to_be_visible()
    year = person.page.evaluate("String(new Date().getFullYear())")
    expect(person.page.locator(".printed")).to_contain_text(year)


def test_who_finishes_is_told_how_to_be_forgotten(arrive):
    person = arrive(PretendStudy(practice=0, scored=1, receipt="ABCDE-FGHIJ"))
    person.begin()
    person.pick(0)
    person.sees("All done")
    expect(person.page.locator(".receipt")).to_contain_text("ABCDE-FGHIJ")
    expect(person.page.locator(".code")).to_have_text("C0L0R")


def test_who_leaves_is_told_that_all_was_deleted(arrive):
    person = arrive(PretendStudy(practice=0, links_back="&on_leave=delete"))
    person.begin()
    leave(person)
    person.page.get_by_text("What you answered has been deleted.").wait_for()
    person.page.reload()  # this browser knows of nothing either
    person.page.get_by_role("button", name="I agree").wait_for()
    expect(person.page.locator(".note")).to_have_count(0)


def test_a_link_that_cannot_be_kept_is_told_in_the_servers_words(arrive):
    """As an ID of 600 characters: the page asks nothing that could be put right."""
    person = arrive(PretendStudy(practice=0))
    person.study.failures["start"] = [Failure(422, code="invalid")]
    person.visit()
    person.press("I agree")
    person.press("Start")
    person.sees("Not now.")
