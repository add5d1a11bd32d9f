"""What a participant's browser asks, answered from the store. Nothing here knows of HTTP but for
the status of a refusal.

A participant's trials are drawn and written at the start, all at once. The present one is the
first without a choice; a choice is written once and stands.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from turing.store import people
from turing.store.people import Person, Place, RefusedError
from turing.store.records import when_screened_out
from turing.store.store import Store, Version, facts, note, now_ms
from turing.store.upkeep import forgetting
from turing.study import trials
from turing.study.study import Question, Study
from turing.study.trials import Protocol

Stage = Literal["practice", "trials", "questions", "done", "screened_out", "withdrawn"]
Answers = Mapping[str, str | None]

_ATTEMPTS = 20


class Shown(NamedTuple):
    """The present trial, as far as its participant may know it."""

    trial: str  # the picture's name too
    protocol: Protocol
    practice: bool
    parts: int


@dataclass(frozen=True)
class SessionState:
    """Where a participant stands. `position` counts from 1 within practice and within trials."""

    stage: Stage
    position: int
    total: int
    study: Study
    trial: Shown | None = None
    next_picture: str | None = None
    offers_break: bool = False
    questions: tuple[Question, ...] | None = None


class Answered(NamedTuple):
    """After a choice; `correct` only in practice, where there is a right choice."""

    state: SessionState
    correct: bool | None


class End(NamedTuple):
    """What a participant gets at the end; `score` is (correct, total) of scored trials."""

    code: str | None
    return_url: str | None
    score: tuple[int, int] | None


class Sessions:
    """The participants of one store. Methods block; they raise RefusedError, and what the store
    raises where it cannot be read or written.
    """

    def __init__(self, store: Store, clock: Callable[[], int] = now_ms) -> None:
        self.store = store
        self._clock = clock

    def info(self, token: str | None, preview: str | None) -> Study:
        """The study that a visitor may start, or has started."""
        with self.store.reading() as db:
            if person := people.by_token(db, token):
                return self.store.version(db, person.version).study
            own = facts(db)
            people.check_open(own, preview)
            return self.store.version(db, own.version).study

    def asked(self, token: str | None, when: Literal["before", "after"]) -> tuple[Question, ...]:
        """The questions to which this participant, or one who comes now, gives answers."""
        with self.store.reading() as db:
            person = people.by_token(db, token)
            number = person.version if person else facts(db).version
            return _questions(self.store.version(db, number).study, when) if number else ()

    def start(
        self,
        token: str | None,
        query: Mapping[str, Any],
        answers: Answers,
        preview: str | None,
        only_back: bool = False,
    ) -> tuple[str, SessionState]:
        """Let a participant in, or in again; returns their token and state.

        The token is a new one for None, and for who brings that of a person with another ID.
        only_back: whoever has not started is refused.
        """
        if token is not None and not people.is_token(token):
            raise RefusedError(422, "invalid", "token: expected 32 random bytes in base64url")
        token = token or people.new_token()
        now = self._clock()
        drawn: tuple[Place, tuple[trials.Trial, ...]] | None = None
        for _ in range(_ATTEMPTS):
            with self._noting_full(), self.store.writing() as db:
                found, token = people.admit(self.store, db, token, query, preview, now, only_back)
                if isinstance(found, Person):
                    return token, self._state(db, found)
                version = self.store.version(db, found.version)
                given = _checked(version.study, "before", answers)
                if why := _screened_out_by(version.study, given):
                    nowhere = found._replace(number=0)  # no trials are drawn by it
                    person = people.enter(db, token, query, version, nowhere, (), now)
                    self._keep_answers(db, person.id, given)
                    people.screen_out(db, person.id, why, now)
                    return token, self._state(db, people.known(db, token))
                if drawn and drawn[0] == found:
                    person = people.enter(db, token, query, version, *drawn, now)
                    self._keep_answers(db, person.id, given)
                    return token, self._state(db, person)
            # The draw takes long: others may write meanwhile, and take the number.
            drawn = found, _draw(version, found)
        raise RefusedError(503, "busy", "Many people are starting; try again in a moment.")

    def state(self, token: str | None) -> SessionState:
        with self.store.reading() as db:
            return self._state(db, people.known(db, token))

    def note(self, token: str | None, what: str) -> None:
        """Write down an event of a participant."""
        with self.store.writing() as db:
            note(db, people.known(db, token).id, what, at=self._clock())

    def answer(
        self,
        token: str | None,
        trial: str,
        choice: int,
        rt_ms: float,
        shown_ms: float | None = None,
        focus_lost: int = 0,
        view: Mapping[str, Any] | None = None,
    ) -> Answered:
        """Write a choice for the present trial. The first stands: the same again is no other.

        `view` is what the page measured while it was shown, by columns of the table `views`.
        """
        with self.store.writing() as db:
            person = people.taking_part(db, token)
            row = db.execute(
                "SELECT t.id, t.practice, t.position, t.kind, s.parts, s.left, s.right, c.choice "
                "FROM trials t JOIN stimuli s ON s.id = t.stimulus "
                "LEFT JOIN choices c ON c.trial = t.id WHERE t.picture = ? AND t.participant = ?",
                (trial, person.id),
            ).fetchone()
            number, practice, position, protocol, parts, left, right, first = row or (None,) * 8
            now = self._clock()
            if first is None:
                present = _present(db, person.id)
                if row is None or not present or present[0].position != position:
                    raise RefusedError(404, "unknown", "This trial is not open.")
                db.execute(
                    "INSERT INTO choices (trial, choice, rt_ms, shown_ms, received) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (number, choice, float(rt_ms), shown_ms, now),
                )
                exposure_ms = self.store.version(db, person.version).study.trials.exposure_ms
                seen = {"trial": number, "exposure_ms": exposure_ms} | dict(view or {})
                db.execute(
                    f"INSERT INTO views ({', '.join(seen)}) VALUES ({', '.join('?' * len(seen))})",
                    tuple(seen.values()),
                )
                if focus_lost:
                    note(db, person.id, "focus lost", f"trial {position}, {focus_lost}", now)
            else:
                again = "retried" if first == choice else "refused"
                note(db, person.id, again, f"trial {position}, choice {choice}", now)
            state = self._state(db, person)
        if first not in (None, choice):
            raise RefusedError(409, "answered", "This trial has an answer, which stands.")
        was_right = trials.was_right(protocol, (left, right)[:parts], choice)
        return Answered(state, was_right if practice else None)

    def finish(self, token: str | None, answers: Answers) -> End:
        """Write the answers to the last questions; the same again gives the same end."""
        with self.store.writing() as db:
            person = people.taking_part(db, token)
            study = self.store.version(db, person.version).study
            if person.finished is None:
                if _present(db, person.id):
                    raise RefusedError(409, "unfinished", "There are trials without an answer.")
                self._keep_answers(db, person.id, _checked(study, "after", answers))
                db.execute(
                    "UPDATE participants SET finished = ? WHERE id = ?", (self._clock(), person.id)
                )
            score = _score(db, person.id) if study.participants.show_score else None
        return End(
            code=study.participants.completion_code or None,
            return_url=study.return_link(json.loads(person.query)) or None,
            score=score,
        )

    def closed_url(self) -> str:
        """The link for who comes to a closed study, or has taken part already."""
        with self.store.reading() as db:
            version = facts(db).version
            study = self.store.version(db, version).study if version else None
            return study.participants.closed_url if study else ""

    def receipt(self, token: str | None) -> str:
        """The code by which a participant's data can be asked to be deleted."""
        with self.store.reading() as db:
            return forgetting.receipt_of(people.known(db, token).uid)

    def leave(self, token: str | None) -> SessionState:
        """Withdraw a participant, who is never counted; where the study says so, all that is known
        of them is deleted (`forgetting.overwrite_deleted` ends that).
        """
        with self.store.writing() as db:
            person = people.known(db, token)
            if person.withdrawn is None:
                db.execute(
                    "UPDATE participants SET withdrawn = ? WHERE id = ?", (self._clock(), person.id)
                )
            state = self._state(db, people.known(db, token))
            if state.study.participants.on_leave == "delete":
                forgetting.forget_within(db, person.id, self.store.path)
            return state

    def picture(self, name: str) -> Path:
        """The picture of a trial that is the present or the next one."""
        with self.store.reading() as db:
            row = db.execute(
                f"SELECT t.position, s.sha256, ifnull(p.withdrawn, {when_screened_out('p')}), "
                "(SELECT count(*) FROM trials o "
                "JOIN choices c ON c.trial = o.id WHERE o.participant = p.id) FROM trials t "
                "JOIN participants p ON p.id = t.participant JOIN stimuli s ON s.id = t.stimulus "
                "WHERE t.picture = ?",
                (name,),
            ).fetchone()
        position, sha256, ended, answered = row or (0, "", None, 1)
        if ended is not None or not answered <= position <= answered + 1:
            raise RefusedError(404, "unknown", "There is no such picture.")
        return self.store.picture_path(sha256)

    @contextlib.contextmanager
    def _noting_full(self) -> Iterator[None]:
        """Write down that a limit turned somebody away, when what failed is undone."""
        try:
            yield
        except people.FullError as full:
            with self.store.writing() as db:
                people.note_full(db, full.key, self._clock())
            raise

    def _keep_answers(
        self, db: sqlite3.Connection, participant: int, answers: Mapping[str, str]
    ) -> None:
        db.executemany(
            "INSERT INTO answers (participant, question, answer, received) VALUES (?, ?, ?, ?)",
            [(participant, question, text, self._clock()) for question, text in answers.items()],
        )

    def _state(self, db: sqlite3.Connection, person: Person) -> SessionState:
        study = self.store.version(db, person.version).study
        practice, scored, answered = db.execute(
            "SELECT ifnull(sum(practice), 0), ifnull(sum(NOT practice), 0), count(c.trial) "
            "FROM trials t LEFT JOIN choices c ON c.trial = t.id WHERE participant = ?",
            (person.id,),
        ).fetchone()
        position = max(answered - practice, 0)
        if person.withdrawn is not None:
            return SessionState("withdrawn", position, scored, study)
        if person.screened_out is not None:
            return SessionState("screened_out", position, scored, study)
        open_ = _present(db, person.id)
        if not open_:
            stage: Stage = "questions" if person.finished is None else "done"
            after = _questions(study, "after") if stage == "questions" else None
            return SessionState(stage, position, scored, study, questions=after)
        present, *following = open_
        parts = 1 if present.protocol == "single" else 2
        return SessionState(
            stage="practice" if present.practice else "trials",
            position=1 + (present.position if present.practice else position),
            total=practice if present.practice else scored,
            study=study,
            trial=Shown(present.picture, present.protocol, bool(present.practice), parts),
            next_picture=following[0].picture if following else None,
            offers_break=not present.practice
            and trials.offers_break(position, study.trials.break_every),
        )


class _Open(NamedTuple):
    position: int
    picture: str
    protocol: Protocol
    practice: int


def _present(db: sqlite3.Connection, participant: int) -> list[_Open]:
    """The present trial and the next one, as far as there are."""
    rows = db.execute(
        "SELECT position, picture, kind, practice FROM trials t WHERE participant = ? "
        "AND NOT EXISTS (SELECT 1 FROM choices WHERE trial = t.id) ORDER BY position LIMIT 2",
        (participant,),
    )
    return [_Open(*row) for row in rows]


def _draw(version: Version, place: Place) -> tuple[trials.Trial, ...]:
    return trials.participant_trials(
        version.design, place.trial_key, place.number, place.part, place.preview
    )


def _questions(study: Study, when: str) -> tuple[Question, ...]:
    return tuple(question for question in study.questions if question.when == when)


def _checked(study: Study, when: str, answers: Answers) -> dict[str, str]:
    """Answers as they are kept; empty ones are none."""
    questions = {question.id: question for question in _questions(study, when)}
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


def _screened_out_by(study: Study, given: Mapping[str, str]) -> str:
    """The first question whose answer ends the study, "" where none does."""
    refused = study.participants.screen_out
    return next((key for key, text in given.items() if text in refused.get(key, ())), "")


def _score(db: sqlite3.Connection, participant: int) -> tuple[int, int] | None:
    rows = db.execute(
        "SELECT t.kind, s.parts, s.left, s.right, c.choice FROM trials t "
        "JOIN choices c ON c.trial = t.id JOIN stimuli s ON s.id = t.stimulus "
        "WHERE t.participant = ? AND NOT practice AND NOT catch",
        (participant,),
    )
    told = [
        trials.was_right(protocol, (left, right)[:parts], choice)
        for protocol, parts, left, right, choice in rows
    ]
    return None if None in told else (sum(told), len(told))
