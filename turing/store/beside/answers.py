"""Answers to a study's questions: checked against what it offers, and kept."""

import sqlite3
from collections.abc import Mapping

from turing.store.people import RefusedError
from turing.study.study import Question, Study

Answers = Mapping[str, str | None]


def questions_of(study: Study, when: str) -> tuple[Question, ...]:
    return tuple(question for question in study.questions if question.when == when)


def checked(study: Study, when: str, answers: Answers) -> dict[str, str]:
    """Answers as they are kept; empty ones are none."""
    questions = {question.id: question for question in questions_of(study, when)}
    given = {key: text for key, text in answers.items() if text is not None and text.strip()}
    for key, text in given.items():
        if key not in questions:
            raise RefusedError(422, "invalid", f"answers: there is no question {key[:64]!r} here.")
        choices = questions[key].choices
        if choices and text not in choices:
            raise RefusedError(422, "invalid", f"{questions[key].ask} Choose one of the answers.")
    for key, question in questions.items():
        if question.required and key not in given:
            raise RefusedError(422, "invalid", f"{question.ask} Please answer this question.")
    return given


def screened_out_by(study: Study, given: Mapping[str, str]) -> str:
    """The first question whose answer ends the study, "" where none does."""
    refused = study.participants.screen_out
    return next((key for key, text in given.items() if text in refused.get(key, ())), "")


def keep(db: sqlite3.Connection, participant: int, given: Mapping[str, str], now: int) -> None:
    """Write what `checked` found, within a transaction."""
    db.executemany(
        "INSERT INTO answers (participant, question, answer, received) VALUES (?, ?, ?, ?)",
        [(participant, question, text, now) for question, text in given.items()],
    )
