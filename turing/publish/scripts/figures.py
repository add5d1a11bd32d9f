"""Prints the figures of this study as JSON, from data/trials_data.csv alone.

    python analysis/figures.py > figures.json
    python analysis/figures.py --mixed > figures.json

Needs pandas, numpy and scipy, and statsmodels for the mixed model of `--mixed`, which takes a
while. The estimators lie beside it, in turing/statistics/, with their sources. A cell is a model
on a dataset; dataset null is all of them, whose figures a study of one dataset has twice. Names
are those of `python -m turing results --json`; `left_out` says what of it is not here.
"""

import json
import math
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from turing.statistics.bradley_terry import bradley_terry, resampled_ranks
from turing.statistics.detection import (
    Detection,
    detection,
    one_picture_difference,
    one_picture_fraction,
    one_picture_naive,
    two_part_d_prime,
)
from turing.statistics.fractions import (
    Difference,
    Fraction,
    difference,
    holm,
    learning,
    naive_interval,
    position_bias,
    turing_fraction,
    verdict_of,
)
from turing.statistics.heterogeneity import Spread, reliable, spread, spread_of_estimates
from turing.statistics.metacognition import metacognition
from turing.statistics.mixed import mixed
from turing.statistics.psychometric import threshold

HERE = Path(__file__).resolve().parent
ORIGINAL = "original"
ALIKE = 2  # the choice that finds both parts alike
LEVELS = 4  # of confidence
SIGNIFICANT = 0.05  # of photos or datasets that differ

LEGEND = {
    "dataset": "null: all datasets together; a study of one dataset has its figures twice, under "
    "its name and under null",
    "p_holm": "adjusted over the pairs of all named datasets, and over those of null apart",
}
LEFT_OUT = (
    "counts of people and why somebody is not counted: data/participants_data.csv has them by "
    "person",
    "who left the study, who is not in this data set",
    "response times, answers to questions, screens and marks as the report shows them: their "
    "columns are in data/",
)
RANKS_DIFFER = (
    "the draws that intervals of ranks are from: 1,000 are made anew, so that an end may differ "
    "by a rank"
)
LOOKS_DIFFER = "cells_without_exclusions: who of them had finished by a look needs exact times"
MIXED_ASKED = "the mixed model: --mixed adds it"

Row = dict[str, Any]


def main() -> None:
    settings = json.loads((HERE / "settings.json").read_text("utf-8"))
    choices, everybodys = read_choices(HERE.parent / "data" / "trials_data.csv")
    is_preference = settings["protocol"] == "preference"
    ranked = rankings(choices, settings) if is_preference else pairs(choices, settings)
    found = {
        "legend": LEGEND,
        "simulated": settings["simulated"],
        "participants": choices["participant_id"].nunique(),
        "cells": list(cells(choices, settings)),
        "cells_without_exclusions": list(cells(everybodys, settings)),
        "heterogeneity": list(spreads(choices, settings)),
        "comparisons": adjusted(list(ranked)),
        "detection": list(detections(choices, settings)),
        "preference": list(scores(choices, settings)) if is_preference else [],
        "exposures": list(exposures(choices, settings)),
        "confidence": list(sureness(choices, settings)),
        "position": positions(choices, settings),
        "learning": None if is_preference else of_difference(learned(choices)),
    }
    left_out = [*LEFT_OUT, *([RANKS_DIFFER] if is_preference else [])]
    if settings["looks"]:
        del found["cells_without_exclusions"]
        left_out.append(LOOKS_DIFFER)
    if not is_preference and "--mixed" in sys.argv[1:]:
        found["mixed"] = mixed_model(choices)
    elif not is_preference:
        left_out.append(MIXED_ASKED)
    print(json.dumps(found | {"left_out": left_out}, indent=1, allow_nan=False))


def read_choices(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The choices that are counted, and those of everybody in scored trials. A photo is told by its
    dataset, too."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    for name in ("choice", "confidence", "exposure_ms", "position"):
        table[name] = pd.to_numeric(table[name]).astype(float)
    table["correct"] = table["correct"].map({"true": 1.0, "false": 0.0, "": math.nan}).astype(float)
    table["photo"] = table["dataset"] + "/" + table["photo"]
    return tuple(
        table[which].reset_index(drop=True)
        for which in (table["counted"] == "true", table["kind"] == "scored")
    )


def slices(choices: pd.DataFrame, settings: Row) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """Each dataset, then all of them."""
    for dataset in settings["datasets"]:
        of = choices[choices["dataset"] == dataset]
        if len(of):
            yield dataset, of
    if len(choices):
        yield None, choices


def shown(choices: pd.DataFrame, settings: Row) -> Iterator[tuple[str | None, str, pd.DataFrame]]:
    """Each dataset and model with the choices about it; in `single` the originals, which all models
    share, are in each."""
    for dataset, of in slices(choices, settings):
        is_original = (of["left"] == ORIGINAL) & is_single(settings)
        for model in settings["models"]:
            if (of["model"] == model).any():
                yield dataset, model, of[is_original | (of["model"] == model)]


def is_single(settings: Row) -> bool:
    return settings["protocol"] == "single"


def fraction(of: pd.DataFrame, settings: Row, level: str = "confidence") -> Fraction:
    """Of a model; in `single` half of it its colorized pictures, half the originals."""
    who = of["participant_id"], of["photo"], settings[level]
    if is_single(settings):
        return one_picture_fraction(of["correct"], of["left"] != ORIGINAL, *who)
    return turing_fraction(of["correct"], *who)


def told(of: pd.DataFrame, settings: Row) -> Detection:
    who = of["participant_id"], of["photo"], settings["confidence"]
    return detection(of["choice"], of["left"] != ORIGINAL, *who)


def cells(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """The turing fraction of each model: correctly told apart / shown, 0.5 is chance."""
    for dataset, model, of in shown(choices, settings):
        narrow, wide = fraction(of, settings, "confidence_within_delta"), fraction(of, settings)
        verdict = verdict_of(narrow, wide, settings["delta"])
        if is_single(settings):
            naive = one_picture_naive(of["correct"], of["left"] != ORIGINAL, settings["confidence"])
            found = told(of, settings)
            d_prime, rates = found.d_prime, {found.hit_rate, found.false_alarm_rate}
            if verdict.startswith("indistinguishable") and rates & {0, 1}:
                verdict = "undecided"  # one answer always: nothing was told apart, nor mixed up
        else:
            naive = naive_interval(of["correct"], settings["confidence"])
            d_prime = two_part_d_prime(wide).estimate
        yield {
            "dataset": dataset,
            "model": model,
            "shown": wide.n,
            "correct": int(of["correct"].sum()),
            "turing_fraction": number(wide.estimate),
            **figures(wide, "low", "high", "n_effective"),
            "naive_low": number(naive[0]),
            "naive_high": number(naive[1]),
            "participants": wide.participants,
            "photos": wide.photos,
            "verdict": verdict,
            "fooling_rate": number(1 - wide.estimate),
            "d_prime": number(d_prime),
        }


def pairs(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """Every two models: the turing fraction of a minus that of b."""
    compared = one_picture_difference if is_single(settings) else difference
    choices = choices[choices["model"] != ""]
    for dataset, of in slices(choices, settings):
        there = [model for model in settings["models"] if (of["model"] == model).any()]
        for a, b in combinations(there, 2):
            columns = of["correct"], of["model"], of["participant_id"], of["photo"]
            yield comparison(dataset, a, b, compared(*columns, a, b, settings["confidence"]))


def rankings(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """Every two models of `preference`: the Bradley-Terry score of a minus that of b."""
    for dataset, of in slices(choices, settings):
        found = bradley_terry(*picked(of), settings["confidence"], settings["ties"])
        for (a, b), of_pair in found.comparisons.items():
            yield comparison(dataset, a, b, of_pair)


def scores(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """Bradley-Terry scores in logits, best first, with intervals of ranks."""
    ties, none = settings["ties"], (None, None)
    for dataset, of in slices(choices, settings):
        found = bradley_terry(*picked(of), settings["confidence"], ties)
        drawn = resampled_ranks(*picked(of), confidence=settings["confidence"], ties=ties)
        yield {
            "dataset": dataset,
            "scores": [
                {"model": model, "score": number(score.estimate), **figures(score, "low", "high")}
                | dict(zip(("rank_low", "rank_high"), drawn.ranks.get(model, none), strict=True))
                | {"rank": place}
                for place, (model, score) in enumerate(found.scores.items(), 1)
            ],
            "left": of_difference(found.left),
            "alike": of_difference(found.alike),
            "ties": found.ties,
            "choices": found.n,
            "note": "; ".join(dict.fromkeys(filter(None, (found.note, drawn.note)))),
        }


def picked(of: pd.DataFrame) -> tuple[pd.Series, ...]:
    return tuple(of[name] for name in ("left", "right", "choice", "participant_id", "photo"))


def comparison(dataset: str | None, a: str, b: str, found: Difference) -> Row:
    return {"dataset": dataset, "a": a, "b": b} | (of_difference(found) or {})


def adjusted(compared: list[Row]) -> list[Row]:
    """With Holm's p-values: over all pairs of all datasets, and over those of the whole."""
    for whole in (False, True):
        family = [row for row in compared if (row["dataset"] is None) == whole]
        p_values = [math.nan if row["p_value"] is None else row["p_value"] for row in family]
        for row, p_holm in zip(family, np.asarray(holm(p_values)), strict=True):
            row["p_holm"] = number(p_holm)
    return compared


def spreads(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """How much true fractions of photos, people and datasets differ, beyond what chance makes of a
    few answers; in `single` those of colorized pictures."""
    fractions: dict[str, list[Fraction]] = {}
    for dataset, model, of in shown(choices, settings):
        own = of[of["model"] == model]
        photos, datasets = spread(own["correct"], own["photo"]), None
        if dataset:
            fractions.setdefault(model, []).append(fraction(of, settings))
        elif len(each := fractions[model]) > 1:
            variances = [variance(one) for one in each]
            datasets = spread_of_estimates([one.estimate for one in each], variances)
        sure = None if is_single(settings) else reliable(own["correct"], own["photo"])
        differ = "photos" if photos.p_value < SIGNIFICANT else ""
        if datasets and datasets.p_value < SIGNIFICANT:
            differ = "datasets"
        yield {
            "dataset": dataset,
            "model": model,
            **of_spread("photos", photos),
            **of_spread("people", spread(own["correct"], own["participant_id"])),
            **of_spread("datasets", datasets),
            "photos": photos.groups,
            "photos_above": sure.above if sure else None,
            "photos_below": sure.below if sure else None,
            "differs": differ,
        }


def variance(of: Fraction) -> float:
    """Of all right or all wrong, too, as if half a choice more had been each."""
    n = of.n_effective
    inner = (of.estimate * n + 0.5) / (n + 1)
    return inner * (1 - inner) / n


def detections(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """d', criterion and unbiased fraction of `single`."""
    for dataset, model, of in shown(choices, settings) if is_single(settings) else ():
        found = told(of, settings)._asdict()
        note = {"note": found.pop("note")}
        del found["n"]
        told_of = {key: number(value) for key, value in found.items()}
        yield {"dataset": dataset, "model": model} | told_of | note


def exposures(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """The fraction at each exposure, and the exposure at which three in four are right."""
    if settings["protocol"] == "preference" or isinstance(settings["exposure_ms"], int):
        return
    for dataset, model, of in shown(choices, settings):
        weight = np.ones(len(of))
        if is_single(settings):  # originals count for half of it, however many there are
            kind = (of["left"] != ORIGINAL).to_numpy().astype(int)
            weight = len(of) / (2 * np.maximum(np.bincount(kind, minlength=2), 1))[kind]
        columns = (of[name] for name in ("correct", "exposure_ms", "participant_id", "photo"))
        found = threshold(*columns, settings["confidence"], weight)
        yield {
            "dataset": dataset,
            "model": model,
            "fractions": [
                {"exposure_ms": int(ms)} | of_fraction(fraction(at, settings))
                for ms, at in of.groupby("exposure_ms")
            ],
            "threshold_ms": number(found.estimate),
            "threshold_low": number(found.low),
            "threshold_high": number(found.high),
            "slope": number(found.slope),
            "note": found.note,
        }


def sureness(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """meta-d' and the ROC, where confidence was asked; on the scale of the cells' d'."""
    rated = choices[choices["confidence"].notna()]
    if settings["protocol"] == "preference":
        return
    scale = 1.0 if is_single(settings) else 2**-0.5
    for dataset, model, of in shown(rated, settings):
        truth = np.where(of["correct"] == 1, of["choice"], 1 - of["choice"])
        columns = (of[name] for name in ("choice", "confidence", "participant_id", "photo"))
        found = metacognition(truth, *columns, LEVELS, settings["confidence"])
        yield {
            "dataset": dataset,
            "model": model,
            "d_prime": number(found.d_prime * scale),
            "meta_d_prime": number(found.meta_d_prime * scale),
            "m_ratio": number(found.ratio),
            **figures(found, "low", "high", "area"),
            "roc": [[number(alarm), number(hit)] for alarm, hit in found.roc],
            "right_by_level": [number(share) for share in found.right],
            "choices_by_level": list(found.rated),
            "note": found.note,
        }


def positions(choices: pd.DataFrame, settings: Row) -> Row | None:
    """Share of left or first parts picked; none where there is one part."""
    if is_single(settings):
        return None
    of = choices[choices["choice"] != ALIKE]
    return of_fraction(position_bias(of["choice"], of["participant_id"], of["photo"]))


def learned(choices: pd.DataFrame) -> Difference:
    """Fraction of each participant's second half of scored trials minus that of the first."""
    columns = ("correct", "position", "participant_id", "photo")
    return learning(*(choices[name] for name in columns))


def mixed_model(choices: pd.DataFrame) -> Row:
    """A level for each model on each dataset, people and photos crossed; originals shown alone as
    those of a model of that name."""
    models = choices["model"].where(choices["model"] != "", ORIGINAL)
    labels = pd.Series(list(zip(choices["dataset"], models, strict=True)), dtype=object)
    found = mixed(choices["correct"], labels, choices["participant_id"], choices["photo"])
    return {
        "levels": [
            {"dataset": dataset, "model": model} | figures(level, *level._fields)
            for (dataset, model), level in found.levels.items()
        ],
        **figures(found, "sd_participant", "sd_photo"),
        "note": found.note,
    }


def of_fraction(found: Fraction) -> Row:
    return figures(found, "estimate", "low", "high") | {"n": found.n, "note": found.note}


def of_difference(found: Difference | None) -> Row | None:
    if found is None:
        return None
    said = {"difference": number(found.estimate), "note": found.note}
    return said | figures(found, "low", "high", "p_value")


def of_spread(name: str, found: Spread | None) -> Row:
    sd, p_value = (found.sd, found.p_value) if found else (math.nan, math.nan)
    return {f"sd_{name}": number(sd), f"p_{name}": number(p_value)}


def figures(found: Any, *names: str) -> Row:
    return {name: number(getattr(found, name)) for name in names}


def number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


if __name__ == "__main__":
    main()
