"""What the tables and records say of the models is what was measured: benchmarks/scores.json."""

import json

import pytest

from benchmarks.__main__ import MARK, MODELS
from colorize.evaluation.markdown import full_table, summary_table, with_tables
from colorize.models.published import FETCHABLE, VARIANTS
from colorize.models.record import list_checkpoints
from tests.support.documents import ROOT, TEXTS

ROWS = json.loads((ROOT / "benchmarks" / "scores.json").read_text(encoding="utf-8"))["rows"]
SHIPPED = list_checkpoints(ROOT / "checkpoints")


@pytest.mark.parametrize(
    ("document", "mark", "table"),
    [("README.md", "mse", summary_table), ("docs/results.md", "scores", full_table)],
)
def test_the_tables_are_those_of_the_scores(document, mark, table):
    assert with_tables(TEXTS[document], {mark: table(ROWS)}) == TEXTS[document]


def table_between(document, mark):
    """A table's rows of cells, from between its marks."""
    table = TEXTS[document].partition(f"<!-- {mark} -->")[2].partition(f"<!-- /{mark} -->")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_judge_was_asked_about_what_ships_on_the_same_photos():
    scores, judged = table_between("README.md", "mse"), table_between("docs/results.md", "judge")
    assert judged[0] == scores[0]
    ships = [row[0] for row in scores[2:] if "not shipped" not in row[0]]
    assert [row[0] for row in judged[2:]] == [name for name in ships if name != "mean-colour"]


@pytest.mark.parametrize(
    ("label", "model", "decoding"),
    [
        ("baseline", "baseline", None),
        ("fusion", "fusion", None),
        ("regression", "regression", None),
        ("classifier, T = 1", "classifier", "T = 1"),
    ],
)
def test_the_experiments_begin_with_the_same_scores(label, model, decoding):
    mse = {
        row["dataset"]: f"{row['mse']:.5f}"
        for row in ROWS
        if (row["model"], row["decoding"]) == (model, decoding)
    }
    datasets = ("animals", "fruits", "general", "landscapes", "people", "all")
    line = f"| {label} | {' | '.join(mse[dataset] for dataset in datasets)} |"
    assert f"{line}\n" in TEXTS["docs/experiments.md"]


def test_the_tables_of_speed_can_be_renewed():
    for document, text in TEXTS.items():
        marks = [f"<!-- {MARK} -->" in text, f"<!-- /{MARK} -->" in text]
        assert marks == [document == "docs/speed.md"] * 2, document
    with_tables(TEXTS["docs/speed.md"], {MARK: ""})


def test_what_published_models_cost_is_told_alike_everywhere():
    rows = {row[0].strip("`"): row for row in table_between("README.md", MODELS)[2:]}
    assert set(VARIANTS) == set(rows) - {record.name for record in SHIPPED}
    for name, variant in VARIANTS.items():
        cost, what = variant.cost, rows[name][1]
        assert rows[name][3:6] == [str(cost.kept), f"{cost.seconds:.1f}", str(cost.memory)], name
        assert variant.summary == f"{what}. {cost}"
    for name in set(FETCHABLE) & set(VARIANTS):
        assert FETCHABLE[name].kept == VARIANTS[name].cost.kept
        assert str(VARIANTS[name].cost) in FETCHABLE[name].summary


@pytest.mark.parametrize("record", SHIPPED, ids=lambda record: record.name)
def test_every_record_holds_its_scores(record):
    assert record.scores == [row for row in ROWS if row["model"] == record.name]


def test_every_shipped_model_beats_both_controls_in_mse():
    mse = {(r["model"], r["decoding"], r["dataset"]): r["mse"] for r in ROWS}
    for record in SHIPPED:
        decoding = "T = 1" if record.over_bins else None
        for dataset in ("landscapes", "animals", "people", "fruits"):
            controls = (mse[name, None, dataset] for name in ("grey", "mean-colour"))
            assert mse[record.name, decoding, dataset] < min(controls), (record.name, dataset)


def test_one_model_is_the_default_and_all_are_small():
    assert sum(record.default for record in SHIPPED) == 1
    for record in SHIPPED:
        assert record.weights["bytes"] < 30_000_000
