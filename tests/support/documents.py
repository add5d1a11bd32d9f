"""The README and the pages of docs/, and what stands in them: blocks, commands, links, headings."""

import re
import shlex
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TEXTS = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in FILES}

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
_VARIABLES = re.compile(r"^(?:[A-Z_]+=\S* )*")


def blocks(text, language):
    """What stands between ```LANGUAGE and ```."""
    return [block for found, block in _FENCED.findall(text) if found == language]


def prose(text):
    """A text without its blocks."""
    return _FENCED.sub("", _INDENTED.sub("", text))


def spans(text):
    """What stands between backticks in its prose, each on one line."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(text))]


def commands(program, texts=None):
    """Every command of a program, in blocks and in sentences, as words: (document, words).

    Variables before it are left out; [--option A | --option B] gives one command for each, and
    one without.
    """
    found = []
    for document, text in (texts or TEXTS).items():
        whole = [*blocks(text, "sh"), *_INDENTED.findall(_FENCED.sub("", text))]
        lines = [line for block in whole for line in block.replace("\\\n", "").splitlines()]
        for line in [*lines, *spans(text)]:
            for command in re.split(r"&&|;", line):
                bare = _VARIABLES.sub("", command.strip())
                if f"{bare} ".startswith(f"{program} "):
                    found += [(document, shlex.split(way, comments=True)) for way in _ways(bare)]
    return found


def _ways(command):
    pieces = re.split(r"(\[[^\]]*\])", command)
    choices = [
        ["", *piece[1:-1].split("|")] if piece.startswith("[--") else [piece] for piece in pieces
    ]
    return ["".join(way) for way in product(*choices)]


def anchors(text):
    """What a link to a heading may end in, as GitHub makes it of the heading."""
    found = []
    for heading in re.findall(r"^#+ (.+)$", _FENCED.sub("", text), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = sum(
            re.fullmatch(rf"{re.escape(words)}(-\d+)?", other) is not None for other in found
        )
        found.append(f"{words}-{count}" if count else words)
    return set(found)


def links(text):
    """The targets of its links and pictures that lie in this project: (path or "", anchor)."""
    targets = re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", text))
    return [target.partition("#")[::2] for target in targets if "://" not in target]


def paths(text):
    """The files and folders of this project that stand between backticks."""
    folders = "colorize|turing|tests|benchmarks|docs|checkpoints"
    named = re.findall(rf"`((?:{folders})/[\w./-]*)(?:::\w+)?`", text)
    return [path for path in named if "NAME" not in path]
