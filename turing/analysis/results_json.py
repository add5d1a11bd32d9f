"""Results as plain JSON: what `python -m turing results --json` prints."""

import math
from typing import Any

from turing.analysis.analysis import Comparison, Preference, Results
from turing.analysis.aspects.confidence import Sureness
from turing.analysis.aspects.exposures import Exposed
from turing.analysis.aspects.heterogeneity import Heterogeneity
from turing.analysis.cells import Cell
from turing.analysis.looks import Looking
from turing.statistics.fractions import Difference, Fraction
from turing.statistics.heterogeneity import Spread

# What a reader of the JSON alone would ask.
LEGEND = {
    "dataset": "null: all datasets together; a study of one dataset has its figures twice, under "
    "its name and under null",
    "p_holm": "adjusted over the pairs of all named datasets, and over those of null apart",
}


def results_json(results: Results) -> dict[str, Any]:
    """Numbers, text, lists and objects only; null is what cannot be computed or is infinite.

    `participants` are those counted, `excluded` those whom a rule leaves out; the rest of
    `people.started` answered no scored trial. Dataset null is all of them.
    """
    data, ruled_out = results.data, results.exclusions
    return {
        "legend": LEGEND,
        "study": data.study.name,
        "version": list(data.versions) if len(data.versions) > 1 else data.versions[0],
        "protocol": data.protocol,
        "simulated": data.simulated,
        "participants": len(results.counted),
        "excluded": len(ruled_out.participants),
        "people": {
            "started": results.started,
            "finished": int(results.people["finished"].notna().sum()),
            "complete": int(results.people["complete"].sum()),
            "withdrawn": int(results.people["withdrawn"].sum()),
            "screened_out": int(results.people["screened_out"].sum()),
            "planned": data.study.participants.planned,
        },
        "look": _look(results.look),
        "exclusions": [
            {
                "rule": rule.rule,
                "meaning": rule.meaning,
                "participants": len(rule.participants),
                "by_this_alone": ruled_out.alone(rule),
            }
            for rule in ruled_out.rules
        ],
        "exclusions_of_trials": [
            {"rule": rule.rule, "meaning": rule.meaning, "trials": len(rule.trials)}
            for rule in ruled_out.of_trials
        ],
        "cells": [_cell(cell) for cell in results.cells],
        "cells_without_exclusions": [_cell(cell) for cell in results.cells_of_all],
        "heterogeneity": [_heterogeneity(of) for of in results.heterogeneity],
        "comparisons": [_comparison(pair) for pair in results.comparisons],
        "detection": [_detection(cell) for cell in results.cells if cell.detection],
        "preference": [_preference(of) for of in results.preferences],
        "exposures": [_exposed(of) for of in results.exposures],
        "confidence": [_sureness(of) for of in results.sureness],
        "position": _fraction(results.position),
        "learning": _difference(results.learning),
        "notes": list(results.notes),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    fraction = cell.fraction
    return {
        "dataset": cell.dataset,
        "model": cell.model,
        "shown": fraction.n,
        "correct": cell.correct,
        "turing_fraction": _number(fraction.estimate),
        "low": _number(fraction.low),
        "high": _number(fraction.high),
        "naive_low": _number(cell.naive[0]),
        "naive_high": _number(cell.naive[1]),
        "participants": fraction.participants,
        "photos": fraction.photos,
        "n_effective": _number(fraction.n_effective),
        "verdict": cell.verdict,
        "fooling_rate": _number(1 - fraction.estimate),
        "d_prime": _number(cell.d_prime),
    }


def _exposed(of: Exposed) -> dict[str, Any]:
    """Fractions by exposure, and the exposure in ms at which three in four are right, with the
    slope there in logits an octave; of an interval without an upper end `threshold_high` is null.
    """
    found = of.threshold
    return {
        "dataset": of.dataset,
        "model": of.model,
        "fractions": [
            {"exposure_ms": ms, **(_fraction(fraction) or {})} for ms, fraction in of.fractions
        ],
        "threshold_ms": _number(found.estimate),
        "threshold_low": _number(found.low),
        "threshold_high": _number(found.high),
        "slope": _number(found.slope),
        "note": found.note,
    }


def _sureness(of: Sureness) -> dict[str, Any]:
    found = of.found
    return {
        "dataset": of.dataset,
        "model": of.model,
        "d_prime": _number(of.d_prime),
        "meta_d_prime": _number(of.meta_d_prime),
        "m_ratio": _number(found.ratio),
        "low": _number(found.low),
        "high": _number(found.high),
        "area": _number(found.area),
        "roc": [[_number(alarm), _number(hit)] for alarm, hit in found.roc],
        "right_by_level": [_number(share) for share in found.right],
        "choices_by_level": list(found.rated),
        "note": found.note,
    }


def _look(look: Looking | None) -> dict[str, Any] | None:
    """Where a study with looks stands; null for one without."""
    if look is None:
        return None
    return {
        "planned": [one.participants for one in look.planned],
        "reached": look.reached,
        "finished": len(look.finished),
        "confidence": look.levels.wide,
        "unblinded": look.is_unblinded,
    }


def _heterogeneity(of: Heterogeneity) -> dict[str, Any]:
    """Standard deviations of true fractions, and photos that are surely above and below 0.5."""
    sure = of.reliable
    return {
        "dataset": of.dataset,
        "model": of.model,
        **_spread("photos", of.photos),
        **_spread("people", of.people),
        **_spread("datasets", of.datasets),
        "photos": of.photos.groups,
        "photos_above": sure.above if sure else None,
        "photos_below": sure.below if sure else None,
        "differs": of.differs,
    }


def _spread(name: str, spread: Spread | None) -> dict[str, Any]:
    sd, p_value = (spread.sd, spread.p_value) if spread else (math.nan, math.nan)
    return {f"sd_{name}": _number(sd), f"p_{name}": _number(p_value)}


def _comparison(pair: Comparison) -> dict[str, Any]:
    return {
        "dataset": pair.dataset,
        "a": pair.a,
        "b": pair.b,
        **(_difference(pair.difference) or {}),
        "p_holm": _number(pair.p_holm),
    }


def _detection(cell: Cell) -> dict[str, Any]:
    found = cell.detection
    numbers = {} if found is None else found._asdict()
    numbers.pop("n", None)
    note = numbers.pop("note", "")
    return {
        "dataset": cell.dataset,
        "model": cell.model,
        **{name: _number(value) for name, value in numbers.items()},
        "note": note,
    }


def _preference(of: Preference) -> dict[str, Any]:
    scores, ranks = of.scores, of.ranks.ranks
    return {
        "dataset": of.dataset,
        "scores": [
            {
                "model": model,
                "score": _number(score.estimate),
                "low": _number(score.low),
                "high": _number(score.high),
                "rank": place,
                "rank_low": ranks[model][0] if model in ranks else None,
                "rank_high": ranks[model][1] if model in ranks else None,
            }
            for place, (model, score) in enumerate(scores.scores.items(), 1)
        ],
        "left": _difference(scores.left),
        "alike": _difference(scores.alike),
        "ties": scores.ties,
        "choices": scores.n,
        "note": "; ".join(dict.fromkeys(filter(None, (scores.note, of.ranks.note)))),
    }


def _fraction(fraction: Fraction | None) -> dict[str, Any] | None:
    if fraction is None:
        return None
    return {
        "estimate": _number(fraction.estimate),
        "low": _number(fraction.low),
        "high": _number(fraction.high),
        "n": fraction.n,
        "note": fraction.note,
    }


def _difference(difference: Difference | None) -> dict[str, Any] | None:
    if difference is None:
        return None
    return {
        "difference": _number(difference.estimate),
        "low": _number(difference.low),
        "high": _number(difference.high),
        "p_value": _number(difference.p_value),
        "note": difference.note,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
