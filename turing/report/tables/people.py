"""The tables of a report about people: who came, who is counted, what they answered."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from turing.analysis.analysis import Results
from turing.report.tables.table import Table
from turing.report.words import DASH
from turing.study import counts
from turing.study.screening import DEFICIENCIES, Screened


def people_table(results: Results) -> Table:
    """Who came, and who is counted."""
    people, planned = results.people, results.data.study.participants.planned
    excluded = len(results.exclusions.participants)
    rows = [
        ("started", results.started),
        ("answered every trial", int(people["complete"].sum())),
        ("finished", int(people["finished"].notna().sum())),
        ("left for good", int(people["withdrawn"].sum())),
        *([("screened out", screened)] if (screened := int(people["screened_out"].sum())) else []),
        ("excluded by the rules below", excluded),
        ("answered no scored trial", results.started - excluded - len(results.counted)),
        ("counted", len(results.counted)),
    ]
    if planned:
        rows.append(("planned", planned))
    return Table("People", ("", "Number"), [(what, str(n)) for what, n in rows])


def viewing_table(results: Results) -> Table:
    """On what people looked, and what they see: everybody of whom it is known, counted or not."""
    devices, screens = results.data.devices.values(), results.data.screens.values()
    rows = _device_rows(list(devices))
    for step, name in (
        ("dark", "a step of grey near black"),
        ("light", "a step of grey near white"),
        ("saturation", "a step of saturation"),
    ):
        blind = sum(not screen.get(step, True) for screen in screens)
        rows += [(f"did not see {name}", f"{blind} of {len(screens)}")] if screens else []
    rows += _screening_rows(results)
    note = "" if not results.data.screened else "The plates are no medical test."
    return Table("Screens and colour vision", ("", "People"), rows, 1, note)


def _device_rows(devices: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    if not devices:
        return []

    def count(key: str, *values: Any) -> str:
        return f"{sum(device.get(key) in values for device in devices)} of {len(devices)}"

    widths = [device["viewport_width"] for device in devices if "viewport_width" in device]
    wide = f"{min(widths):.0f} to {max(widths):.0f} pixels" if widths else DASH
    return [
        ("mouse or trackpad", count("pointer", "fine")),
        ("finger", count("pointer", "coarse")),
        ("width of the window at the start", wide),
        ("screen of more colours than sRGB", count("color_gamut", "p3", "rec2020")),
        ("forced colours", count("forced_colors", True)),
    ]


def _screening_rows(results: Results) -> list[tuple[str, str]]:
    found = list(results.data.screened.values())
    if not found:
        return []
    rules = results.data.study.screening
    done = [one for one in found if one.answered == one.shown]
    enough = sum(one.correct >= rules.min_correct for one in done)
    rows = [
        (f"missed a plate of {kind} deficiency", f"{_missed(found, kind)} of {len(found)}")
        for kind in DEFICIENCIES
    ]
    if rules.min_correct:
        least = f"found {rules.min_correct} or more of {counts.count(rules.plates, 'plate')}"
        rows.insert(0, (least, f"{enough} of {len(done)}"))
    return rows


def _missed(found: Sequence[Screened], kind: str) -> int:
    return sum(kind in one.missed for one in found)


def exclusions_table(results: Results) -> Table:
    """Every rule of the study file with its count."""
    return Table(
        "Exclusions",
        ("Rule", "Who", "People", "By this alone"),
        [
            (
                rule.rule,
                rule.meaning,
                str(len(rule.participants)),
                str(results.exclusions.alone(rule)),
            )
            for rule in results.exclusions.rules
        ]
        + [
            (rule.rule, rule.meaning, counts.count(len(rule.trials), "trial"), DASH)
            for rule in results.exclusions.of_trials
        ],
        2,
        "The rules stand in the study file; no answer is deleted, and nobody is left out for "
        "being right or wrong in scored trials.",
    )


def participants_table(results: Results) -> Table:
    """Everybody by number; no outside ID."""
    return Table(
        "Everybody",
        ("Person", "Started (UTC)", "Finished", "Scored", "Right", "Catch", "Median s", "Excluded"),
        [
            (
                str(number_),
                _day(row.started),
                _end_of(row),
                f"{row.answered} of {row.trials}",
                DASH if pd.isna(row.correct) else f"{row.correct:.0f}",
                _share(row.catch_correct, row.catch_answered),
                DASH if pd.isna(row.median_rt_ms) else f"{row.median_rt_ms / 1000:.2f}",
                row.excluded_by,
            )
            for number_, row in zip(
                results.people.index, results.people.itertuples(index=False), strict=True
            )
        ],
    )


def _end_of(row: Any) -> str:
    if pd.notna(row.finished):
        return "yes"
    return "left" if row.withdrawn else "screened out" if row.screened_out else "no"


def _share(correct: float, answered: int) -> str:
    return f"{correct:.0f} of {answered}" if answered else DASH


def _day(moment: pd.Timestamp) -> str:
    return DASH if pd.isna(moment) else f"{moment:%Y-%m-%d %H:%M}"


class Answers(NamedTuple):
    """A question with how often each choice was taken, or the texts that were written."""

    question: str
    counts: Sequence[tuple[str, int]]
    texts: Sequence[str]


def answers_of(results: Results) -> list[Answers]:
    """What was answered by all but those who withdrew."""
    gone = results.exclusions.rules[0].participants
    given = results.data.answers
    given = given[~given["participant"].isin(gone)]
    found = []
    for question in results.data.study.questions:
        texts = [str(t) for t in given.loc[given["question"] == question.id, "answer"] if t]
        counts = [(choice, texts.count(choice)) for choice in question.choices]
        hidden = question.choices or (results.look and results.look.is_blind)
        found.append(Answers(question.ask, counts, () if hidden else texts))
    return found
