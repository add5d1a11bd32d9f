"""Studies with synthetic participants, straight to data frames, without a store."""

import hashlib

import pandas as pd

from turing.analysis.data import StudyData
from turing.analysis.simulation.crowd import Person, Skills
from turing.study.study import parse_study
from turing.study.trials import ORIGINAL, Design, Placed, participant_trials, was_right

STUDY = """
[study]
name = "made-up"
title = "Which photo is real?"
protocol = "{protocol}"
seed = 7

[stimuli]
photos_per_dataset = {photos}
display_size = 256
models = [{models}]
{datasets}

[trials]
per_participant = {trials}
practice = 1
catch = {catch}
exposure_ms = {exposure_ms}

[participants]
{planned}

[texts]
consent = "Consent."
instructions = "Pick the **real** one."

[[questions]]
id = "colour_vision"
when = "before"
ask = "Do you have a colour vision deficiency?"
choices = ["no", "yes", "not sure"]

[[questions]]
id = "hints"
when = "after"
ask = "What gave the colorized photos away?"
required = false

[analysis]
{analysis}
"""

QUESTIONS = 'exclude_answers = { colour_vision = ["yes"] }'


def study_text(
    protocol="pick-original",
    models=("baseline", "fusion"),
    datasets=("landscapes", "fruits"),
    photos=20,
    trials=20,
    catch=4,
    planned="",
    analysis=QUESTIONS,
):
    return STUDY.format(
        protocol=protocol,
        photos=photos,
        trials=trials,
        catch=catch,
        planned=planned,
        analysis=analysis,
        exposure_ms=1000 if protocol == "pick-fake-sequential" else 0,
        models=", ".join(f'"{model}"' for model in models),
        datasets="\n".join(
            f'[[stimuli.datasets]]\nname = "{name}"\nfolder = "photos/{name}"' for name in datasets
        ),
    )


def made_up_study(**settings):
    return parse_study(study_text(**settings))


def design_of(study):
    """A design of photos that are named and nothing else."""

    def names(of, how_many):
        return [hashlib.sha256(f"{of}{i}".encode()).hexdigest() for i in range(how_many)]

    datasets = [dataset.name for dataset in study.stimuli.datasets]
    return Design(
        protocol=study.protocol,
        models=study.models,
        photos={d: tuple(names(d, study.stimuli.photos_per_dataset)) for d in datasets},
        practice=tuple(Placed(datasets[0], p) for p in names("practice", study.trials.practice)),
        catch=tuple(Placed(datasets[0], p) for p in names("catch", study.trials.catch)),
        per_participant=study.trials.per_participant,
        seed=study.study.seed,
    )


def made_up_data(participants=12, skills=None, seed=0, answers=(), **settings):
    """A whole study of `participants`; `answers` are (participant, question, answer)."""
    study = made_up_study(**settings)
    design = design_of(study)
    skills = skills or Skills()
    rows, people = [], []
    for number in range(1, participants + 1):
        person = Person(skills, study.protocol, seed, number)
        drawn = participant_trials(design, bytes(32), number)
        stays = person.stays_for(len(drawn))
        for position, trial in enumerate(drawn):
            reply = person.reply(
                trial.dataset, trial.photo, trial.parts, trial.model, trial.kind == "catch"
            )
            left, right = (*(ORIGINAL if p is None else p for p in trial.parts), None)[:2]
            there = position < stays
            was = was_right(study.protocol, trial.parts, reply.choice if there else None)
            rows.append(
                {
                    "participant": number,
                    "position": position,
                    "kind": trial.kind,
                    "dataset": trial.dataset,
                    "photo_id": trial.photo,
                    "photo_file": f"{trial.photo[:6]}.jpg",
                    "left": left,
                    "right": right,
                    "model": None if trial.parts == (None,) else trial.model,
                    "choice": float(reply.choice) if there else float("nan"),
                    "correct": float("nan") if was is None else float(was),
                    "rt_ms": reply.rt_ms if there else float("nan"),
                    **{"focus_lost": 0, "shown_again": 0, "refresh_hz": 60.0},
                    "stimulus": hashlib.sha256(repr(trial).encode()).hexdigest(),
                }
            )
        started = pd.Timestamp("2026-08-01", tz="UTC") + pd.Timedelta(hours=number)
        people.append(
            {
                "participant": number,
                "started": started,
                "finished": started + pd.Timedelta(minutes=5) if stays == len(drawn) else pd.NaT,
                "withdrawn": person.manner == "withdraws",
                "screened_out": False,
            }
        )
    trials = pd.DataFrame(rows)
    return StudyData(
        study,
        (1,),
        pd.DataFrame(people).set_index("participant"),
        trials,
        pd.DataFrame(answers, columns=["participant", "question", "answer"]),
    )
