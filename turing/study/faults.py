"""What is wrong with a study file: one line a fault, with the key, what was expected and found."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from inspect import isclass
from itertools import pairwise
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from turing.study.study import Question, Study

# Markdown's own <https://...> is no HTML.
_HTML = re.compile(r"<(?!https?://|mailto:)[A-Za-z/!?][^>\n]{0,30}>?")
_OWN_PARAMETERS = ("study", "preview", "code")

Location = tuple[str | int, ...]


class Fault(NamedTuple):
    """One line: a key and what is wrong with it."""

    key: str
    problem: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}"


def faults_of(
    root: type[BaseModel], data: Mapping[str, Any], error: ValidationError
) -> list[Fault]:
    """What pydantic found, in the words of each field's description."""
    return [_fault(root, data, e["type"], e["loc"]) for e in error.errors(include_url=False)]


def found_contradictions(study: "Study") -> list[Fault]:
    """Keys that are right in themselves and do not go together."""
    return [Fault(key, problem) for key, problem in _contradictions(study)]


def _fault(root: type[BaseModel], data: Mapping[str, Any], kind: str, loc: Location) -> Fault:
    table, field, value = root, None, data
    for step in loc:
        if isinstance(step, str) and step in table.model_fields:
            field = table.model_fields[step]
            table = _table_in(field) or table
        value = _at(value, step)
    if kind == "extra_forbidden":
        return Fault(_key(loc), f"unknown key{_suggestion(root, table, str(loc[-1]))}")
    expected = field.description if field else "a study file"
    found = "nothing" if kind == "missing" else shown(value)
    return Fault(_key(loc), f"expected {expected}, found {found}")


def _at(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) else None


def _table_in(field: FieldInfo) -> type[BaseModel] | None:
    for kind in (field.annotation, *get_args(field.annotation)):
        if isclass(kind) and issubclass(kind, BaseModel):
            return kind
    return None


def _key(loc: Location) -> str:
    """stimuli.datasets.folder (block 2): blocks and list items count from 1."""
    key = ".".join(step for step in loc if isinstance(step, str))
    last = len(loc) - 1
    places = [
        f"{'item' if i == last else 'block'} {step + 1}"
        for i, step in enumerate(loc)
        if isinstance(step, int)
    ]
    return f"{key} ({', '.join(places)})" if places else key


def _suggestion(root: type[BaseModel], table: type[BaseModel], key: str) -> str:
    if close := get_close_matches(key, table.model_fields, n=1):
        return f", did you mean '{close[0]}'?"
    if homes := [home for home, name in _all_keys(root) if name == key]:
        return f", did you mean '{homes[0]}.{key}'?"
    return f", expected one of {', '.join(table.model_fields)}"


def _all_keys(table: type[BaseModel], home: str = "") -> Iterator[tuple[str, str]]:
    for name, field in table.model_fields.items():
        if home:
            yield home, name
        if inner := _table_in(field):
            yield from _all_keys(inner, f"{home}.{name}" if home else name)


def shown(value: Any) -> str:
    """A value as TOML has it, cut to a line's length."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _contradictions(study: "Study") -> Iterator[tuple[str, str]]:
    yield from _of_stimuli(study)
    yield from _of_trials(study)
    yield from _of_participants(study)
    texts = study.texts
    buttons = {f"buttons.{name}": text for name, text in texts.buttons.items()}
    for name, text in (*texts.model_dump(exclude={"buttons"}).items(), *buttons.items()):
        if html := _HTML.search(text):
            yield f"texts.{name}", f"expected Markdown without HTML, found {shown(html[0])}"
    yield from _of_questions(study)
    yield from _of_looks(study)
    if study.screening.min_correct > study.screening.plates:
        yield (
            "screening.min_correct",
            f"expected {study.screening.plates} at most, as many as screening.plates, "
            f"found {study.screening.min_correct}",
        )


def _of_trials(study: "Study") -> Iterator[tuple[str, str]]:
    trials, protocol = study.trials, study.protocol
    if protocol == "pick-fake-sequential" and not trials.is_timed:
        yield (
            "trials.exposure_ms",
            "expected more than 0 for pick-fake-sequential (1000 in Zhang et al. 2016), found 0",
        )
    if trials.has_staircase and protocol == "preference":
        yield (
            "trials.exposure_ms",
            'expected milliseconds for preference, where no choice is right, found "staircase"',
        )
    if trials.exposures and len(trials.exposures) > trials.per_participant:
        yield (
            "trials.exposure_ms",
            f"expected {trials.per_participant} at most, one a scored trial, "
            f"found {len(trials.exposures)}",
        )
    if trials.mask_ms and not trials.is_timed:
        yield "trials.mask_ms", "expected exposure_ms above 0, which a mask follows, with it"
    if trials.ties and protocol != "preference":
        yield "trials.ties", f"expected false for {protocol}, where one answer is right, found true"


def _of_looks(study: "Study") -> Iterator[tuple[str, str]]:
    planned = study.analysis.looks
    if any(a >= b for a, b in pairwise(planned)):
        yield "analysis.looks", f"expected rising numbers, found {shown(list(planned))}"
    elif planned and study.participants.planned != planned[-1]:
        last = study.participants.planned
        yield (
            "participants.planned",
            f"expected {planned[-1]}, the last of analysis.looks, "
            f"found {'nothing' if last is None else last}",
        )


def _of_stimuli(study: "Study") -> Iterator[tuple[str, str]]:
    stimuli = study.stimuli
    yield from _twice("stimuli.models", study.models)
    yield from _twice("stimuli.datasets.name", (dataset.name for dataset in stimuli.datasets))
    if "original" in study.models:  # in exports and reports it is the photo itself
        yield "stimuli.models", 'expected another name than "original", which the photo has'
    needed = 2 if study.protocol == "preference" else 1
    if len(study.models) < needed:
        yield (
            "stimuli.models",
            f"expected {needed} or more for {study.protocol}, with external ones, "
            f"found {len(study.models)}",
        )
    most, wanted = stimuli.photos_per_dataset * len(stimuli.datasets), study.trials.per_participant
    if 0 < most < wanted:
        yield (
            "trials.per_participant",
            f"expected {most} at most, one trial a photo "
            f"(stimuli.photos_per_dataset x datasets), found {wanted}",
        )


def _of_participants(study: "Study") -> Iterator[tuple[str, str]]:
    people = study.participants
    yield from _twice("participants.query", people.query)
    for name in people.query:
        if name in _OWN_PARAMETERS:
            own = ", ".join(_OWN_PARAMETERS)
            yield "participants.query", f"expected names other than {own}, found {shown(name)}"
    if people.identify_by and people.identify_by not in people.query:
        known = ", ".join(people.query) or "none"
        yield (
            "participants.identify_by",
            f"expected one of participants.query ({known}), found {shown(people.identify_by)}",
        )
    if people.require_id and not people.identify_by:
        yield "participants.require_id", "expected identify_by, which says what the ID is, with it"
    told_apart = {"blocklist": bool(people.blocklist), "resume": people.resume == "id"}
    for key, is_asked in told_apart.items():
        if is_asked and not people.identify_by:
            yield f"participants.{key}", "expected identify_by, which says what the ID is, with it"
    yield from _twice("participants.consent_boxes", people.consent_boxes)
    yield from _of_return_url(people.return_url, people.query, people.completion_code)
    for key in ("declined_url", "left_url", "screened_out_url", "closed_url"):
        yield from _of_braces(f"participants.{key}", getattr(people, key), set(people.query))


def _of_return_url(url: str, query: Iterable[str], code: str) -> Iterator[tuple[str, str]]:
    faults = list(_of_braces("participants.return_url", url, {"code", *query}))
    yield from faults
    if not code and not faults and any(name == "code" for _, name, *_ in Formatter().parse(url)):
        yield "participants.completion_code", "expected a code for return_url's {code}, found none"


def _of_braces(key: str, url: str, known: Collection[str]) -> Iterator[tuple[str, str]]:
    try:
        fields = [parts[1:] for parts in Formatter().parse(url) if parts[1] is not None]
    except ValueError:
        fields = [("", "", None)]
    for name, form, conversion in fields:
        if name not in known or form or conversion:
            names = " ".join(f"{{{name}}}" for name in sorted(known))
            only = f"only {names}" if names else "nothing, as participants.query is empty,"
            yield key, f"expected {only} in braces, found {shown(url)}"
            return


def _of_questions(study: "Study") -> Iterator[tuple[str, str]]:
    yield from _twice("questions.id", (question.id for question in study.questions))
    for place, question in enumerate(study.questions, 1):
        key = f"questions.choices (block {place})"
        if len(question.choices) == 1:
            yield key, "expected two or more, or none for free text, found 1"
        yield from _twice(key, question.choices)
    asked = [question for question in study.questions if question.choices]
    refused = study.analysis.exclude_answers
    yield from _of_answers("analysis.exclude_answers", refused, asked, "choices")
    before = [question for question in asked if question.when == "before"]
    refused = study.participants.screen_out
    yield from _of_answers(
        "participants.screen_out", refused, before, 'choices and when = "before"'
    )


def _of_answers(
    key: str,
    named: Mapping[str, Collection[str]],
    questions: Iterable["Question"],
    which: str,
) -> Iterator[tuple[str, str]]:
    """Answers that a key names by question, of which there must be some such."""
    choices = {question.id: question.choices for question in questions}
    for name, answers in named.items():
        if name not in choices:
            known = ", ".join(choices) or "none"
            yield key, f"expected ids of questions with {which} ({known}), found {shown(name)}"
            continue
        for answer in answers:
            if answer not in choices[name]:
                offered = ", ".join(map(shown, choices[name]))
                yield f"{key}.{name}", f"expected one of {offered}, found {shown(answer)}"


def _twice(key: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name, count in Counter(names).items():
        if count > 1:
            yield key, f"expected every one once, found {shown(name)} {count} times"
