"""A page asks for what is new, and gets that alone."""

from colorize.web.photos.item import Item
from colorize.web.session import MOST_PHOTOS


def test_photos_that_have_not_changed_are_not_told_again(get, session):
    first = get("news").json()
    assert [photo["number"] for photo in first["photos"]] == first["numbers"] == [1, 2]
    assert {model["name"] for model in first["known"]} >= {"direct", "bins"}
    same = get("news", since=first["news"]).json()
    assert same["photos"] == [] and same["numbers"] == [1, 2] and same["news"] > first["news"]
    session.items[1].failures["direct", None] = "out of paint"
    del session.items[1].seconds["direct", None]
    later = get("news", since=same["news"]).json()
    assert [photo["number"] for photo in later["photos"]] == [2]
    assert get("news", since=first["news"]).json()["photos"] == later["photos"]
    session.remove(1)
    gone = get("news", since=later["news"]).json()
    assert (gone["numbers"], gone["photos"]) == ([2], [])
    assert get("news").json()["photos"] == later["photos"]  # as a page that is new here


def test_of_200_photos_one_that_arrives_costs_as_much_as_the_first(get, session):
    item = session.items[0]
    session.items, lengths, since = [], [], 0
    for number in range(1, 1 + MOST_PHOTOS):
        done = {("direct", None): 0.1, ("bins", None): 0.2}
        session.items = [*session.items, Item(number, item.upload, item.taken, seconds=done)]
        answer = get("news", since=since)
        since, lengths = answer.json()["news"], [*lengths, len(answer.content)]
    assert lengths[-1] < lengths[0] + 5 * MOST_PHOTOS  # the numbers of the others
