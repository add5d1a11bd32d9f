import pytest

from colorize.evaluation.markdown import (
    full_table,
    judge_table,
    summary_table,
    update_document,
    update_judged,
)

FIGURES = {
    "mse": 0.0102, "psnr": 22.123, "mssim": 0.91234, "lpips": None, "ciede2000": 9.876,
    "colorfulness": 20.04, "colorfulness_truth": 41.06,
}  # fmt: skip


def row(model, dataset, mse, decoding=None, shipped=True):
    head = {"model": model, "dataset": dataset, "decoding": decoding, "shipped": shipped}
    return head | {"photos": 3} | FIGURES | {"mse": mse}


ROWS = [
    row("net", "fruits", 0.01, "T = 0.38"),
    row("net", "fruits", 0.008, "T = 1", shipped=False),
    row("grey", "fruits", 0.02),
    row("net", "people", 0.03, "T = 0.38"),
    row("net", "people", 0.04, "T = 1", shipped=False),
    row("grey", "people", None),
]


def test_summary_has_models_down_and_datasets_across():
    assert summary_table(ROWS).splitlines() == [
        "| model | fruits | people |",
        "| --- | ---: | ---: |",
        "| net, T = 0.38 | 0.01000 | **0.03000** |",
        "| net, T = 1 (not shipped) | **0.00800** | 0.04000 |",
        "| grey | 0.02000 | – |",
    ]


def test_a_dataset_without_figures_has_dashes_and_no_best():
    table = summary_table([row("net", "fruits", None), row("grey", "fruits", None)])
    assert table.splitlines()[2:] == ["| net | – |", "| grey | – |"]


def test_a_decoding_that_does_not_ship_is_marked():
    rows = [row("net", "fruits", 0.01, "gain 1.2"), row("net", "fruits", 0.009, shipped=False)]
    assert "| net, gain 1.2 |" in summary_table(rows)
    assert "| net (not shipped) | **0.00900** |" in summary_table(rows)


def test_full_table_has_a_line_a_row_and_dashes_for_what_is_missing():
    lines = full_table(ROWS).splitlines()
    assert len(lines) == 2 + len(ROWS)
    first = "| fruits | net, T = 0.38 | 3 | 0.01000 | 22.12 | 0.9123 | – | 9.88 | 20.0 | 41.1 |"
    assert lines[2] == first


def judged(model, dataset, accuracy, low, high, decoding=None):
    head = {"model": model, "dataset": dataset, "decoding": decoding, "shipped": True}
    return head | {"photos": 3, "accuracy": accuracy, "low": low, "high": high, "fooled": 0.5}


JUDGED = [
    judged("net", "fruits", 0.714, 0.65, 0.777, "T = 0.38"),
    judged("grey", "fruits", 1.0, None, None),
    judged("net", "all", 0.8, 0.7, 0.9, "T = 0.38"),
]


def test_the_judges_table_has_intervals():
    assert judge_table(JUDGED).splitlines() == [
        "| model | fruits | all |",
        "| --- | ---: | ---: |",
        "| net, T = 0.38 | 0.71 (0.65–0.78) | 0.80 (0.70–0.90) |",
        "| grey | 1.00 | – |",
    ]


def test_the_judges_table_is_replaced_and_the_scores_are_not():
    text = "a\n<!-- judge -->\nold\n<!-- /judge -->\n<!-- mse -->\nmine\n<!-- /mse -->\n"
    updated = update_judged(text, JUDGED)
    assert "| grey | 1.00 | – |" in updated
    assert "mine" in updated
    assert "old" not in updated
    assert "| grey | 1.00 | – |" in update_document(updated, ROWS)
    with pytest.raises(ValueError, match="<!-- judge -->"):
        update_judged("no place", JUDGED)


def test_a_documents_tables_are_replaced_and_nothing_else():
    text = "Before\n<!-- mse -->\nold\n<!-- /mse -->\nafter"
    updated = update_document(text, ROWS)
    assert updated.startswith("Before\n<!-- mse -->\n\n| model |")
    assert updated.endswith("<!-- /mse -->\nafter")
    assert "old" not in updated
    assert update_document(updated, ROWS) == updated


def test_a_document_without_a_place_for_tables_is_refused():
    with pytest.raises(ValueError, match="found none"):
        update_document("no tables here", ROWS)
