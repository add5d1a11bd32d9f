"""The browser, and people at the participant's page in it; an open study and a place to keep it."""

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.browser import FLAGS, find_browser
from tests.turing.support.keepers import Hand
from tests.turing.support.participant import Participant
from tests.turing.support.pretend_study import PretendStudy, Served
from tests.turing.support.remotes import FakeRemote
from tests.turing.support.studies import built
from turing.store.sessions import Sessions

PATIENCE_MS = 60_000  # for a busy machine; what is there is never waited for


@pytest.fixture(scope="module")
def browser():
    path = find_browser()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def meet(browser):
    """Makes participants, each in a browser context of their own, at a server."""
    contexts, people = [], []

    def make(served, **options):
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        people.append(Participant(contexts[-1].new_page(), served))
        return people[-1]

    yield make
    faults = [fault for person in people for fault in person.faults]
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def arrive(meet):
    """Makes participants: each with a pretended server of their own unless one is given."""
    servers = []

    def make(study: PretendStudy | None = None, served: Served | None = None, **options):
        if served is None:
            served = Served(study or PretendStudy(practice=0))
            servers.append(served)
        return meet(served, **options)

    yield make
    for served in servers:
        served.stop()


@pytest.fixture
def store(tmp_path):
    with built(tmp_path / "studies") as store:
        store.open_study()
        yield store


@pytest.fixture
def remote(tmp_path):
    return FakeRemote(tmp_path / "bucket")


@pytest.fixture
def sessions(store):
    return Sessions(store)


@pytest.fixture
def hand(remote, store):
    hand = Hand(remote, store)
    yield hand
    if hand.kept.store:
        hand.kept.store.close()
