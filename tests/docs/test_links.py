"""The README and docs/ lead somewhere: links, anchors, pictures, paths, and the index."""

import re

import pytest

from tests.support.documents import ROOT, TEXTS, anchors, links, paths
from turing.backup.deploying import plan

DOCS = ROOT / "docs"
each_document = pytest.mark.parametrize("document", TEXTS)


@each_document
def test_links_lead_to_files_and_headings(document):
    for path, anchor in links(TEXTS[document]):
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.is_file(), path
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{path}#{anchor}"


@each_document
def test_what_is_linked_goes_to_a_space_too(document):
    sent = plan(ROOT, "me/colorize").files
    for path, _ in links(TEXTS[document]):
        target = ((ROOT / document).parent / path).resolve() if path else ROOT / document
        assert target.relative_to(ROOT).as_posix() in sent


@each_document
def test_files_and_folders_that_are_named_are_there(document):
    for path in paths(TEXTS[document]):
        assert (ROOT / path).exists(), path
        assert (ROOT / path).is_dir() == path.endswith("/"), path


def test_anchors_are_those_of_github():
    text = "# A judge\n## A study: can people tell?\n### The papers' own `x`\n# A judge\n"
    assert anchors(text) == {"a-judge", "a-study-can-people-tell", "the-papers-own-x", "a-judge-1"}


def test_a_dead_link_would_be_found():
    assert links("[a](b.md#c) ![d](images/e.png) [f](https://g.org) [h](#i)") == [
        ("b.md", "c"),
        ("images/e.png", ""),
        ("", "i"),
    ]


def test_the_index_has_every_document_once():
    named = [path for path, _ in links(TEXTS["docs/README.md"])]
    there = [file.name for file in DOCS.iterdir() if file.is_file() and file.name != "README.md"]
    assert sorted(named) == sorted(there)
    lines = TEXTS["docs/README.md"].strip().splitlines()[2:]
    assert len(lines) == len(there)
    assert all(re.match(r"- \[[\w.-]+\]\(\S+\): .+", line) for line in lines)


def test_every_picture_is_shown_somewhere():
    shown = {
        ((ROOT / document).parent / path).resolve()
        for document, text in TEXTS.items()
        for path, _ in links(text)
    }
    assert {file for file in (DOCS / "images").iterdir() if file not in shown} == set()
