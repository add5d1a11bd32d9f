"""Synthetic participants who walk a study from consent to the end, to try the analysis.

They go through the same calls as a browser's, into a store that is a copy: a store in which
anybody real took part is refused.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from turing.analysis.simulation.crowd import Manner, Person, Skills
from turing.analysis.simulation.devices import Desk
from turing.errors import TuringError
from turing.store.people import new_token
from turing.store.records import SIMULATED, holds_simulated
from turing.store.sessions import Sessions
from turing.store.store import Store, facts, note, now_ms
from turing.store.upkeep.copies import Kept, backup
from turing.store.upkeep.forgetting import delete_forgotten
from turing.study.counts import count
from turing.study.screening import ANSWERS
from turing.study.study import Question, Study
from turing.study.trials import Parts, accused_part

BETWEEN_STARTS = 7 * 60_000  # milliseconds
SECONDS_A_TRIAL = 2.5  # beside the response time: the next picture, a breath
HINTS = ("The sky was too purple.", "Skin looked grey.", "Edges bled into the background.", "")

_TRIALS = """
SELECT t.picture, p.dataset, p.sha256, s.parts, s.left, s.right, t.model, t.catch, p.width, p.height
FROM trials t JOIN stimuli s ON s.id = t.stimulus JOIN photos p ON p.id = t.photo
JOIN participants u ON u.id = t.participant WHERE t.picture = ?
"""


class Simulated(NamedTuple):
    """How many came, by how they behave, and what was written."""

    participants: int
    choices: int
    manners: dict[Manner, int]
    screened_out: int = 0  # of all of them


def simulate(
    store: Store,
    skills: Skills,
    participants: int,
    seed: int = 0,
    progress: Callable[[int], object] = lambda done: None,
) -> Simulated:
    """Fill `store` with synthetic participants, then close the study: nobody real gets in.

    The same seed gives the same people. `progress` is told after each how many are done.
    TuringError where the store has real participants, or nothing is built.
    """
    if participants < 1:
        raise TuringError(f"participants: expected 1 or more, found {participants}")
    study, before = _prepare(store)
    store.connection.execute("PRAGMA synchronous=OFF")  # nothing here is worth the wait
    clock = _Clock(now_ms() - participants * BETWEEN_STARTS)
    sessions = Sessions(store, clock)
    manners: Counter[Manner] = Counter()
    choices = out = 0
    for number in range(before + 1, before + participants + 1):
        person = Person(skills, study.protocol, seed, number)
        manners[person.manner] += 1
        made, is_out = _walk(store, sessions, clock, study, person, number, seed)
        choices, out = choices + made, out + is_out
        clock.next_person()
        progress(number - before)
    store.close_study()
    return Simulated(participants, choices, dict(manners), out)


def empty_copy(store: Path | str, folder: Path | str) -> Kept:
    """A copy of a built study, with its pictures, that nobody took part in."""
    copy = backup(store, folder)
    with Store(copy.path) as opened, opened.writing() as db:
        db.execute(
            "INSERT INTO forgotten (participant, uid, version, part, preview, number, at) "
            "SELECT id, uid, version, part, preview, number, ? FROM participants",
            (now_ms(),),
        )
        delete_forgotten(db)
    return copy


def named_skills(given: Iterable[str], study: Study) -> dict[tuple[str | None, str | None], float]:
    """Texts like fusion=0.7, fruits=0.9, fruits/fusion=0.6 as `Skills.fractions` has them."""
    datasets = [dataset.name for dataset in study.stimuli.datasets]
    known: dict[str, tuple[str | None, str | None]] = {}
    for dataset in datasets:
        known[dataset] = (dataset, None)
        known |= {f"{dataset}/{model}": (dataset, model) for model in study.models}
    known |= {model: (None, model) for model in study.models}
    skills = {}
    for text in given:
        name, _, number = text.rpartition("=")
        try:
            fraction = float(number)
        except ValueError:
            raise TuringError(f"skill: expected [DATASET/]MODEL=P, found {text}") from None
        if name not in known:
            raise TuringError(f"skill {text}: expected one of {', '.join(known)}")
        skills[known[name]] = fraction
    return skills


class _Clock:
    """A study's time, so that a week of participants takes seconds."""

    def __init__(self, start: int) -> None:
        self.now, self._next = start, start

    def __call__(self) -> int:
        return self.now

    def pass_(self, milliseconds: float) -> None:
        self.now += int(milliseconds)

    def next_person(self) -> None:
        self._next += BETWEEN_STARTS
        self.now = max(self._next, self.now)


def _prepare(store: Store) -> tuple[Study, int]:
    """Mark and open the store; how many synthetic participants it has already."""
    with store.writing() as db:
        own = facts(db)
        if own.version is None:
            raise TuringError(f"{store.path}: expected a study that is built, found none")
        marked = holds_simulated(db)
        (there,) = db.execute("SELECT count(*) FROM participants WHERE NOT preview").fetchone()
        if there and not marked:
            raise TuringError(
                f"{store.path}: {count(there, 'participant')} took part; synthetic ones go into a "
                f"copy "
                "without them"
            )
        if not marked:
            note(db, None, SIMULATED)
        study = store.version(db, own.version).study
    store.open_study()
    return study, there


def _walk(
    store: Store,
    sessions: Sessions,
    clock: _Clock,
    study: Study,
    person: Person,
    number: int,
    seed: int,
) -> tuple[int, bool]:
    """One participant from consent to the end, or to where they leave or are screened out, which is
    the second that is returned, after the choices made."""
    rng = np.random.default_rng([seed, 3, number])
    query = dict.fromkeys(study.participants.query, f"simulated-{seed}-{number}")
    desk = Desk(study.device, seed, number)
    screen = desk.screen() if study.screening.plates else None
    before = query, _replies(study, "before", rng), None
    token, state = sessions.start(new_token(), *before, device=desk.device(), screen=screen)
    clock.pass_(20_000)
    while state.stage == "screening" and state.trial:
        clock.pass_(4000)
        said = _said_of_plate(store, state.trial.trial, person)
        state = sessions.answer(token, state.trial.trial, said, 3000.0).state
    if state.stage == "screened_out":
        return 0, True
    trials = study.trials
    stays = person.stays_for(trials.practice + trials.catch + trials.per_participant)
    made = 0
    while state.trial is not None and made < stays:
        dataset, photo, parts, model, catch, size = _shown(store, state.trial.trial)
        differs = not isinstance(trials.exposure_ms, int)
        exposure_ms = state.trial.exposure_ms if differs else None
        reply = person.reply(dataset, photo, parts, model, catch, exposure_ms, trials.ties)
        clock.pass_(reply.rt_ms + 1000 * SECONDS_A_TRIAL)
        beside: dict[str, Any] = {}
        if trials.confidence:
            beside["confidence"] = reply.confidence
        if trials.marks:
            beside["marks"] = person.marks(photo, accused_part(study.protocol, reply.choice))
        pair = study.protocol in ("pick-original", "preference")
        scale = study.stimuli.display_size / min(size)
        part = round(size[0] * scale), round(size[1] * scale)
        beside |= desk.measured(part, pair, state.trial.exposure_ms, reply.rt_ms)
        answer = state.trial.trial, reply.choice, reply.rt_ms
        state = sessions.answer(token, *answer, **beside).state
        made += 1
    if person.manner == "withdraws":
        sessions.leave(token)
    elif state.stage == "questions":
        clock.pass_(15_000)
        sessions.finish(token, _replies(study, "after", rng))
    return made, False


def _said_of_plate(store: Store, picture: str, person: Person) -> int:
    with store.reading() as db:
        plate = db.execute(
            "SELECT deficiency, gap FROM plates WHERE picture = ?", (picture,)
        ).fetchone()
    return ANSWERS.index(person.plate(*plate))


def _shown(store: Store, trial: str) -> tuple[str, str, Parts, str | None, bool, tuple[int, int]]:
    """Its dataset, photo, parts, cell, whether it is a catch trial, and the photo's size."""
    with store.reading() as db:
        row: sqlite3.Row = db.execute(_TRIALS, (trial,)).fetchone()
    _, dataset, photo, parts, left, right, model, catch, width, height = row
    return dataset, photo, (left, right)[:parts], model, bool(catch), (width, height)


def _replies(study: Study, when: str, rng: np.random.Generator) -> dict[str, str]:
    """The first choice mostly, another now and then; texts from a short list."""

    def reply(question: Question) -> str:
        if not question.choices:
            return str(rng.choice(HINTS[:-1] if question.required else HINTS))
        if rng.random() < 0.9:
            return question.choices[0]
        return str(rng.choice(question.choices[1:]))

    return {question.id: reply(question) for question in study.questions if question.when == when}
