"""The report: the answer first, everything in one file, every text escaped."""

import base64
import dataclasses
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.turing.support.synthetic import made_up_data
from turing.analysis.analysis import analyse
from turing.analysis.simulation.crowd import Skills
from turing.report.html import Preregistration, html_report
from turing.report.words import answer

SKILLS = Skills({(None, "baseline"): 0.95, (None, "fusion"): 0.7}, careless=0.1, withdraws=0.1)
MADE = datetime(2026, 8, 20, 12, 30, tzinfo=UTC)
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}'
PROTOCOLS = ["pick-original", "pick-fake-sequential", "single", "preference"]
REGISTERED = Preregistration('{"delta": 0.1}', "As it was written.")
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Tags that open and close as they should, addresses, text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.addresses, self.words, self.events, self.alts = [], [], [], [], []
        self._open = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "xlink:href", "action", "srcset"):
                self.addresses.append(value)
            if name.startswith("on"):
                self.events.append(name)
            if name == "alt":
                self.alts.append(value)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def png(name):
    noise = np.frombuffer(bytes.fromhex(name) * 96, np.uint8).reshape(32, 32, 3)
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate([noise, noise[::-1]], axis=1)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module", params=PROTOCOLS)
def results(request):
    return analyse(made_up_data(20, SKILLS, protocol=request.param))


@pytest.fixture(scope="module")
def html(results):
    return html_report(results, png, MADE, REGISTERED)


@pytest.fixture(scope="module")
def plain():
    return analyse(made_up_data(20, SKILLS))


@pytest.fixture(scope="module")
def plain_page(plain):
    return Page(html_report(plain, png, MADE, REGISTERED))


def test_the_answer_comes_first(results, html):
    text = Page(html).text
    places = [text.index(sentence) for sentence in answer(results)]
    assert places and places == sorted(places)
    assert max(places) < text.index("Naive interval" if results.cells else "Rank ")
    assert max(places) < text.index("Exclusions")


def test_nothing_is_asked_of_anybody(html):
    page = Page(html)
    assert page.addresses
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert "@import" not in html and not re.search(r"url\((?!#)", html)
    assert not {"script", "iframe", "object", "embed", "base", "form"} & set(page.tags)


def test_every_text_is_escaped():
    answers = [(n, "hints", EVIL) for n in range(1, 6)]
    data = made_up_data(5, SKILLS, answers=answers, datasets=("fruits", "a<b>c"))
    trials = data.trials.assign(photo_file=EVIL)
    study = data.study.model_copy(
        update={"study": data.study.study.model_copy(update={"title": EVIL})}
    )
    results = analyse(dataclasses.replace(data, trials=trials, study=study))
    page = Page(html_report(results, png, MADE, preregistration=Preregistration(EVIL, EVIL)))
    assert "script" not in page.tags and page.events == []
    assert page.text.count(EVIL) > 5  # as text: title, pre-registration, hints, files
    assert any(alt.startswith(EVIL) for alt in page.alts)
    assert "a<b>c, fusion" in page.text


def test_the_pictures_are_inside_and_small(plain_page):
    sources = [a for a in plain_page.addresses if a.startswith("data:image/jpeg;base64,")]
    assert len(sources) == 12
    with Image.open(io.BytesIO(base64.b64decode(sources[0].split(",")[1]))) as image:
        assert image.size == (64, 32) and image.mode == "RGB"
    assert all("left to right" in alt for alt in plain_page.alts)


def test_a_picture_that_is_gone_is_left_out(plain):
    page = Page(html_report(plain, lambda name: None, MADE))
    assert "img" not in page.tags and "Every photo" in page.text


def test_all_that_the_design_asks_for_is_there(plain, plain_page):
    text = plain_page.text
    for part in (
        "Turing fraction",
        "Naive interval",
        "Models against each other",
        "People",
        "By this alone",
        "With and without exclusions",
        "Least told apart",
        "Response times",
        "Position and learning",
        "The first paper's table 5",
        '{"delta": 0.1}',
        "Cameron, Gelbach and Miller 2011",
        plain.data.study.sha256,
        "2026-08-20 12:30 UTC",
    ):
        assert part in text
    assert plain.data.study.source.strip().splitlines()[-1] in text


def test_where_four_cannot_show_it_is_said():
    results = analyse(made_up_data(4, Skills({(None, "fusion"): 0.5})))
    text = Page(html_report(results, png, MADE)).text
    assert "4 participants cannot be expected to show 'indistinguishable'" in text
    assert text.index("cannot be expected") < text.index("The answer")


def test_simulated_people_are_owned_up_to(plain, plain_page):
    made = dataclasses.replace(plain, data=dataclasses.replace(plain.data, simulated=True))
    assert "Simulated." in Page(html_report(made, png, MADE)).text
    assert "Simulated." not in plain_page.text


def test_nobody_yet(results):
    data = results.data
    empty = dataclasses.replace(
        data,
        participants=data.participants[:0],
        trials=data.trials[:0],
        answers=pd.DataFrame(columns=["participant", "question", "answer"]),
    )
    text = Page(html_report(analyse(empty), png, MADE)).text
    assert "Nobody is counted yet" in text and "No answers that count yet." in text
