"""What a participant's browser asks, answered from the store. Nothing here knows of HTTP but for
the status of a refusal.

A participant's trials are drawn and written at the start, all at once. The present one is the
first without a choice; a choice is written once and stands.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from turing.store import people
from turing.store.beside import answers as answering
from turing.store.beside import choices, exposures, screening, viewing
from turing.store.people import Person, Place, RefusedError
from turing.store.records import when_screened_out
from turing.store.store import Store, Version, facts, note, now_ms
from turing.store.upkeep import forgetting
from turing.study import trials
from turing.study.study import Question, Study
from turing.study.trials import Protocol

Stage = Literal["screening", "practice", "trials", "questions", "done", "screened_out", "withdrawn"]
Answers = Mapping[str, str | None]

_ATTEMPTS = 20


class Shown(NamedTuple):
    """The present trial, as far as its participant may know it."""

    trial: str  # the picture's name too
    kind: Protocol | Literal["plate"]
    practice: bool
    parts: int
    exposure_ms: int


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
            return (
                answering.questions_of(self.store.version(db, number).study, when) if number else ()
            )

    def start(
        self,
        token: str | None,
        query: Mapping[str, Any],
        answers: Answers,
        preview: str | None,
        only_back: bool = False,
        device: Mapping[str, Any] | None = None,
        screen: Mapping[str, Any] | None = None,
    ) -> tuple[str, SessionState]:
        """Let a participant in, or in again; returns their token and state.

        The token is a new one for None, and for who brings that of a person with another ID.
        only_back: whoever has not started is refused.
        `device` and `screen` are what `viewing.note_device` and `note_screen` write down.
        """
        if token is not None and not people.is_token(token):
            raise RefusedError(422, "invalid", "token: expected 32 random bytes in base64url")
        token = token or people.new_token()
        now = self._clock()
        drawn: tuple[Place, tuple[trials.Trial, ...], tuple[int, ...]] | None = None
        for _ in range(_ATTEMPTS):
            with self._noting_full(), self.store.writing() as db:
                found, token = people.admit(self.store, db, token, query, preview, now, only_back)
                if isinstance(found, Person):
                    return token, self._state(db, found)
                version = self.store.version(db, found.version)
                given = answering.checked(version.study, "before", answers)
                if why := answering.screened_out_by(version.study, given):
                    nowhere = found._replace(number=0)  # no trials are drawn by it
                    person = people.enter(db, token, query, version, nowhere, (), now)
                    answering.keep(db, person.id, given, self._clock())
                    people.screen_out(db, person.id, why, now)
                    return token, self._state(db, people.known(db, token))
                if drawn and drawn[0] == found:
                    person = people.enter(db, token, query, version, *drawn[:2], now)
                    exposures.write(db, person.id, drawn[2])
                    answering.keep(db, person.id, given, self._clock())
                    screening.draw(db, person.id, version, found)
                    viewing.note_device(db, person.id, device, now)
                    viewing.note_screen(db, person.id, screen, now)
                    return token, self._state(db, person)
            # The draw takes long: others may write meanwhile, and take the number.
            of_place = _draw(version, found)
            drawn = found, of_place, exposures.draw(version, found, of_place)
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
        confidence: int | None = None,
        marks: Sequence[Mapping[str, Any]] | None = None,
        device: Mapping[str, Any] | None = None,
        absence: Mapping[str, Any] | None = None,
    ) -> Answered:
        """Write a choice for the present trial. The first stands: the same again is no other.

        `view` is what the page measured while it was shown, by columns of the table `views`;
        `confidence` (1 to 4) and `marks` (part, x, y) are what the study asks for beside it;
        `device` what is new of it, and `absence` how long the page was `hidden_ms` or how often
        `fullscreen_left`. `choice` says of a plate what `screening.ANSWERS` has there.
        """
        said = choices.Said(
            *(trial, choice, rt_ms, shown_ms, focus_lost, view, confidence, marks, device, absence)
        )
        with self.store.writing() as db:
            person = people.known(db, token)
            version = self.store.version(db, person.version)
            plates = _plates(db, person, version.study)
            plate = next((one for one in plates if one.picture == trial), None)
            now = self._clock()
            if plate:
                if person.screened_out is None or plate.answer is None:
                    people.check_taking_part(person)
                enough = version.study.screening.min_correct
                stands = screening.answer(db, person.id, plates, plate, choice, enough, now)
                person, correct = people.known(db, token), None
            else:
                people.check_taking_part(person)
                is_screened = all(one.answer is not None for one in plates)
                stands, correct = choices.write(db, person.id, version, said, is_screened, now)
            state = self._state(db, person)
        if not stands:
            what = "plate" if plate else "trial"
            raise RefusedError(409, "answered", f"This {what} has an answer, which stands.")
        return Answered(state, correct)

    def finish(self, token: str | None, answers: Answers) -> End:
        """Write the answers to the last questions; the same again gives the same end."""
        with self.store.writing() as db:
            person = people.taking_part(db, token)
            study = self.store.version(db, person.version).study
            if person.finished is None:
                if choices.present(db, person.id):
                    raise RefusedError(409, "unfinished", "There are trials without an answer.")
                given = answering.checked(study, "after", answers)
                answering.keep(db, person.id, given, self._clock())
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
        of them is deleted (`forgetting.overwrite_deleted` ends that), but for a mark that their ID
        has taken part. Not of who was screened out, whose receipt can still do so.
        """
        with self.store.writing() as db:
            person = people.known(db, token)
            if person.withdrawn is None:
                db.execute(
                    "UPDATE participants SET withdrawn = ? WHERE id = ?", (self._clock(), person.id)
                )
            state = self._state(db, people.known(db, token))
            if person.screened_out is None and state.study.participants.on_leave == "delete":
                people.mark_took_part(db, person)
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
            plate = None if row else screening.picture(db, name)
        if plate:
            return self.store.picture_path(plate)
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

    def _state(self, db: sqlite3.Connection, person: Person) -> SessionState:
        version = self.store.version(db, person.version)
        study = version.study
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
        open_ = choices.present(db, person.id)
        if plates := [one for one in _plates(db, person, study) if one.answer is None]:
            plate, *others = plates
            pictures = [one.picture for one in (*others, *open_)]
            total = study.screening.plates
            shown = Shown(plate.picture, screening.KIND, False, 1, 0)
            return SessionState("screening", plate.place, total, study, shown, pictures[0])
        if not open_:
            stage: Stage = "questions" if person.finished is None else "done"
            after = answering.questions_of(study, "after") if stage == "questions" else None
            return SessionState(stage, position, scored, study, questions=after)
        present, *following = open_
        parts = 1 if present.protocol == "single" else 2
        return SessionState(
            stage="practice" if present.practice else "trials",
            position=1 + (present.position if present.practice else position),
            total=practice if present.practice else scored,
            study=study,
            trial=Shown(
                present.picture,
                present.protocol,
                bool(present.practice),
                parts,
                exposures.exposure_ms(db, person.id, present.position, version),
            ),
            next_picture=following[0].picture if following else None,
            offers_break=not present.practice
            and trials.offers_break(position, study.trials.break_every),
        )


def _plates(db: sqlite3.Connection, person: Person, study: Study) -> list[screening.Plate]:
    """Of the colour screening, none where the study has none."""
    return screening.plates_of(db, person.id) if study.screening.plates else []


def _draw(version: Version, place: Place) -> tuple[trials.Trial, ...]:
    return trials.participant_trials(
        version.design, place.trial_key, place.number, place.part, place.preview
    )


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
