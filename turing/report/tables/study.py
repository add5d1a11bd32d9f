"""The tables of what a study is made of, and of what others printed of the like."""

from collections import Counter

from turing.analysis import published as printed
from turing.analysis.analysis import Results
from turing.report.tables.table import Table
from turing.report.words import DASH, interval, number
from turing.statistics import power
from turing.study.counts import count


def has_printed(results: Results) -> bool:
    """Whether one of our figures has one of the first paper's of the same name beside it."""
    return any(row[3] != DASH for row in printed_table(results).rows)


def printed_table(results: Results) -> Table:
    """The first paper's table 5 beside our figures of the same names."""
    ours = {(cell.dataset or "", cell.model): cell.fraction for cell in results.cells}
    ours = {(dataset.casefold(), model): fraction for (dataset, model), fraction in ours.items()}
    same_protocol = results.data.protocol == printed.TABLE_5_PROTOCOL
    rows = []
    for row in printed.TABLE_5:
        fraction = ours.get((row.dataset, row.ours)) if same_protocol else None
        rows.append(
            (
                row.dataset,
                f"{row.model} ({row.ours} here)" if row.model != row.ours else row.model,
                f"{row.fraction:.4f}",
                number(fraction.estimate) if fraction else DASH,
                interval(fraction.low, fraction.high) if fraction else DASH,
            )
        )
    people = printed.TABLE_5_PARTICIPANTS
    margin = power.plan(people, 1000, 1000).margin
    note = (
        f"The paper had {people} participants and prints no interval. So few cannot show that a "
        "model is indistinguishable, whatever they answer: even with 1,000 trials each on 1,000 "
        f"photos, a fraction of 0.5 would be known to ± {margin:.3f} (90%). "
        f"Zhang et al. 2016 print {printed.ZHANG_2016_FOOLED:.0%} fooled, a fraction of "
        f"{1 - printed.ZHANG_2016_FOOLED:.2f}, with another protocol (one after the other, 1 s "
        "each). Fractions of different protocols do not compare."
    )
    if not same_protocol:
        note += f" This study's protocol is {results.data.protocol}."
    return Table(
        "The first paper's table 5",
        ("Dataset", "Model", "Printed", "Here", "95% interval"),
        rows,
        2,
        note,
    )


def built_table(results: Results) -> Table:
    """How many photos of each dataset were found, fit and used, and what was left out."""
    built = results.data.built_from
    missing, left_out = built.get("missing", {}), built.get("left_out", [])
    scored = built.get("scored", {})
    notes = [f"{name}: {n} fewer than the study file asks for." for name, n in missing.items()]
    if enlarged := built.get("enlarged", 0):
        small = count(enlarged, "photo is", "photos are")
        notes.append(f"{small} smaller than the display size and enlarged.")
    reasons = Counter(one["reason"] for one in left_out)
    notes += [f"Left out as {reason}: {n}." for reason, n in reasons.items()]
    return Table(
        "Photos of the study",
        ("Dataset", "Found", "Good", "Scored", "For practice and catch"),
        [
            (name, str(of["found"]), str(of["good"]), *_used(of["used"], scored.get(name)))
            for name, of in built.get("datasets", {}).items()
        ],
        note=" ".join(notes),
    )


def models_table(results: Results) -> Table:
    """Whose weights the models are, and which."""
    practice = results.data.built_from.get("practice_models", ())
    return Table(
        "Models of the study",
        ("Model", "Licence", "From", "SHA-256 of its weights"),
        [
            (
                f"{name} (practice alone)" if name in practice else name,
                of["licence"] or DASH,
                of["source"] or DASH,
                of["sha256"],
            )
            for name, of in results.data.built_from.get("models", {}).items()
        ],
        text=4,
    )


def _used(used: int, scored: int | None) -> tuple[str, str]:
    """Photos that are scored and others; together where an older program built the study."""
    return (f"{used} in all", DASH) if scored is None else (str(scored), str(used - scored))
