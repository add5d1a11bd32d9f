"""Prints the cells and comparisons of this study as JSON, from data/trials_data.csv alone.

    python analysis/figures.py > figures.json

Needs pandas, numpy and scipy. The estimators lie beside it, in turing/statistics/, with their
sources. A cell is a model on a dataset; dataset null is all of them.
"""

import json
import math
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from turing.statistics.bradley_terry import bradley_terry
from turing.statistics.detection import (
    detection,
    one_picture_difference,
    one_picture_fraction,
    one_picture_naive,
    two_part_d_prime,
)
from turing.statistics.fractions import (
    Difference,
    difference,
    holm,
    naive_interval,
    turing_fraction,
    verdict_of,
)

HERE = Path(__file__).resolve().parent
ORIGINAL = "original"

Row = dict[str, Any]


def main() -> None:
    settings = json.loads((HERE / "settings.json").read_text("utf-8"))
    choices = read_choices(HERE.parent / "data" / "trials_data.csv")
    is_preference = settings["protocol"] == "preference"
    found = {
        "simulated": settings["simulated"],
        "participants": choices["participant_id"].nunique(),
        "cells": [] if is_preference else list(cells(choices, settings)),
        "comparisons": adjusted(
            list(rankings(choices, settings) if is_preference else pairs(choices, settings))
        ),
    }
    print(json.dumps(found, indent=1, allow_nan=False))


def read_choices(path: Path) -> pd.DataFrame:
    """The choices that are counted. A photo is told by its dataset, too."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    table = table[table["counted"] == "true"].reset_index(drop=True)
    table["choice"] = table["choice"].astype(float)
    table["correct"] = table["correct"].map({"true": 1.0, "false": 0.0, "": math.nan})
    table["photo"] = table["dataset"] + "/" + table["photo"]
    return table


def slices(choices: pd.DataFrame, settings: Row) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """Each dataset, then all of them."""
    for dataset in settings["datasets"]:
        of = choices[choices["dataset"] == dataset]
        if len(of):
            yield dataset, of
    if len(choices):
        yield None, choices


def cells(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """The turing fraction of each model: correctly told apart / shown, 0.5 is chance."""
    of_model = one_picture if settings["protocol"] == "single" else two_parts
    for dataset, of in slices(choices, settings):
        for model in settings["models"]:
            if (of["model"] == model).any():
                yield {"dataset": dataset, "model": model} | of_model(of, model, settings)


def two_parts(of: pd.DataFrame, model: str, settings: Row) -> Row:
    of = of[of["model"] == model]
    shown = of["correct"], of["participant_id"], of["photo"]
    narrow = turing_fraction(*shown, settings["confidence_within_delta"])
    wide = turing_fraction(*shown, settings["confidence"])
    naive = naive_interval(of["correct"], settings["confidence"])
    verdict = verdict_of(narrow, wide, settings["delta"])
    return cell(of, wide, naive, verdict, two_part_d_prime(wide).estimate)


def one_picture(of: pd.DataFrame, model: str, settings: Row) -> Row:
    """Half of it the colorized pictures of a model, half the originals, which all models share."""
    of = of[(of["left"] == ORIGINAL) | (of["model"] == model)]
    colorized, who = of["left"] != ORIGINAL, (of["participant_id"], of["photo"])
    narrow = one_picture_fraction(
        of["correct"], colorized, *who, settings["confidence_within_delta"]
    )
    wide = one_picture_fraction(of["correct"], colorized, *who, settings["confidence"])
    naive = one_picture_naive(of["correct"], colorized, settings["confidence"])
    told = detection(of["choice"], colorized, *who, settings["confidence"])
    verdict = verdict_of(narrow, wide, settings["delta"])
    if verdict.startswith("indistinguishable") and {told.hit_rate, told.false_alarm_rate} & {0, 1}:
        verdict = "undecided"  # one answer always: nothing was told apart, nor mixed up
    return cell(of, wide, naive, verdict, told.d_prime)


def cell(of: pd.DataFrame, fraction: Any, naive: Any, verdict: str, d_prime: float) -> Row:
    return {
        "shown": fraction.n,
        "correct": int(of["correct"].sum()),
        "turing_fraction": number(fraction.estimate),
        "low": number(fraction.low),
        "high": number(fraction.high),
        "naive_low": number(naive[0]),
        "naive_high": number(naive[1]),
        "participants": fraction.participants,
        "photos": fraction.photos,
        "n_effective": number(fraction.n_effective),
        "verdict": verdict,
        "fooling_rate": number(1 - fraction.estimate),
        "d_prime": number(d_prime),
    }


def pairs(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """Every two models: the turing fraction of a minus that of b."""
    compared = one_picture_difference if settings["protocol"] == "single" else difference
    choices = choices[choices["model"] != ""]
    for dataset, of in slices(choices, settings):
        there = [model for model in settings["models"] if (of["model"] == model).any()]
        for a, b in combinations(there, 2):
            shown = of["correct"], of["model"], of["participant_id"], of["photo"]
            yield comparison(dataset, a, b, compared(*shown, a, b, settings["confidence"]))


def rankings(choices: pd.DataFrame, settings: Row) -> Iterator[Row]:
    """Every two models of `preference`: the Bradley-Terry score of a minus that of b."""
    for dataset, of in slices(choices, settings):
        shown = of["left"], of["right"], of["choice"], of["participant_id"], of["photo"]
        ties = [True] if settings["trials"].get("ties") else []
        scores = bradley_terry(*shown, settings["confidence"], *ties)
        for (a, b), found in scores.comparisons.items():
            yield comparison(dataset, a, b, found)


def comparison(dataset: str | None, a: str, b: str, found: Difference) -> Row:
    return {
        "dataset": dataset,
        "a": a,
        "b": b,
        "difference": number(found.estimate),
        "low": number(found.low),
        "high": number(found.high),
        "p_value": number(found.p_value),
        "note": found.note,
    }


def adjusted(compared: list[Row]) -> list[Row]:
    """With Holm's p-values: over all pairs of all datasets, and over those of the whole."""
    for whole in (False, True):
        family = [row for row in compared if (row["dataset"] is None) == whole]
        p_values = [math.nan if row["p_value"] is None else row["p_value"] for row in family]
        for row, p_holm in zip(family, np.asarray(holm(p_values)), strict=True):
            row["p_holm"] = number(p_holm)
    return compared


def number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


if __name__ == "__main__":
    main()
