"""The README says what was measured, and its commands are the ones that are run."""

import json
from pathlib import Path

import pytest

from colorize.record import list_checkpoints
from colorize.tables import update_document

ROOT = Path(__file__).parents[1]
ROWS = json.loads((ROOT / "docs" / "scores.json").read_text(encoding="utf-8"))["rows"]
SHIPPED = list_checkpoints(ROOT / "checkpoints")


def test_the_tables_are_those_of_the_scores():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert update_document(text, ROWS) == text


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
