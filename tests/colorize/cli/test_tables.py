import io

from rich.console import Console

from colorize.cli.tables import fetchable_table, figures_table, models_table, score_tables
from colorize.evaluation.report import Report, RobustnessRow, ScoreRow
from colorize.models.published import FETCHABLE
from colorize.models.record import Record

FIGURES = {
    "mse": 0.0102, "psnr": 22.123, "mssim": 0.91234, "lpips": None, "colorfulness": 20.04,
    "colorfulness_truth": 41.06, "ciede2000": 9.876,
}  # fmt: skip


def row(model, dataset, decoding=None, shipped=True):
    return ScoreRow(model, dataset, decoding, shipped, photos=3, **FIGURES)


def shown(*tables, width=120):
    out = io.StringIO()
    for table in tables:
        Console(file=out, width=width).print(table)
    return out.getvalue()


def test_a_table_for_each_dataset_in_order():
    rows = [row("net", d, "T = 0.38") for d in ("fruits", "all")]
    rows.insert(1, row("net", "fruits", "T = 1", shipped=False))
    tables = score_tables(Report({}, rows))
    assert [table.title for table in tables] == ["fruits, 3 photos", "all, 3 photos"]
    text = shown(tables[0])
    for part in ("net, T = 0.38 ", "net, T = 1 *", "0.01020", "22.12", "0.912", "–", "9.88"):
        assert part in text


def test_rows_of_any_kind_are_a_table():
    rows = [
        RobustnessRow("net", "all", "T = 1", False, 3, 0.01, 0.012344, 1.2344, None),
        RobustnessRow("[b]x", "all", None, True, 4, 0.01, None, None, None),
    ]
    text = shown(figures_table(rows))
    for part in ("net, T = 1 *", "mse aged", "0.01234", "–", "[b]x "):
        assert part in text


def test_brackets_in_names_are_no_markup():
    assert "[bold]net" in shown(*score_tables(Report({}, [row("[bold]net", "[red]data")])))
    record = Record("net", "[i]Net", "a [b]net", "baseline", {}, 96, {"kind": "direct"})
    text = shown(models_table([record]))
    assert "[i]Net" in text
    assert "a [b]net" in text


def test_what_can_be_fetched_is_told_with_what_is_sent_and_what_is_kept():
    lines = [
        line.split() for line in shown(fetchable_table({"ddcolor-tiny"}), width=400).splitlines()
    ]
    assert lines[0][-6:] == ["MB", "fetched", "MB", "kept", "licence", "from"]
    tiny, large = (FETCHABLE[name] for name in ("ddcolor-tiny", "ddcolor-large"))
    assert lines[1][:2] == ["ddcolor-tiny", "(there)"]
    for line, one in ((lines[1], tiny), (lines[2], large)):
        place = line.index(str(one.megabytes))
        assert line[place + 1] == str(one.kept)
        assert line[-1] == one.repository
